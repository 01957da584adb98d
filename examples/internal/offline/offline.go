// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package offline lets an example run without a key and without network: it starts
// an in-process LLM provider and an in-process Revenium, and checks what the latter
// got.
package offline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	revenium "github.com/revenium/revenium-otel-go"
	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// Run starts metering as a service does with [revenium.Start], runs work with a
// client of the LLM provider, shuts metering down and returns the records that
// Revenium accepted. Variables of the environment that could lead elsewhere or
// change the records are unset.
func Run(ctx context.Context, work func(context.Context, *Client) error, opts ...revenium.Option) ([]reveniumtest.Record, error) {
	if err := ClearEnvironment(); err != nil {
		return nil, err
	}
	metering, err := reveniumtest.NewServer()
	if err != nil {
		return nil, fmt.Errorf("start the in-process Revenium: %w", err)
	}
	defer metering.Close()
	llm, err := llmtest.NewServer()
	if err != nil {
		return nil, fmt.Errorf("start the in-process LLM provider: %w", err)
	}
	defer llm.Close()

	sdk, err := revenium.Start(ctx, append(opts, revenium.WithExporterOptions(
		exporter.WithAPIKey("rev_mk_test_example"), exporter.WithBaseURL(metering.URL())))...)
	if err != nil {
		return nil, err
	}
	err = work(ctx, NewClient(llm.BaseURL()))
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	_, shutdownErr := sdk.Shutdown(shutdown)
	if err = errors.Join(err, shutdownErr); err != nil {
		return nil, err
	}
	if violations := metering.Violations(); len(violations) > 0 {
		return nil, fmt.Errorf("the in-process Revenium complains: %v", violations)
	}
	return metering.Records(), nil
}

// Variables lists the variables of the environment that the parts of an example
// read and that are set.
func Variables() []string {
	var set []string
	for _, field := range semconv.Fields() {
		for _, name := range field.Env { // ENVIRONMENT and AWS_REGION are among them
			if _, ok := os.LookupEnv(name); ok && !strings.HasPrefix(name, "REVENIUM_") {
				set = append(set, name)
			}
		}
	}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		for _, prefix := range []string{"REVENIUM_", "LITELLM_", "OPENAI_", "OTEL_"} {
			if strings.HasPrefix(name, prefix) {
				set = append(set, name)
			}
		}
	}
	return set
}

// ClearEnvironment unsets [Variables].
func ClearEnvironment() error {
	for _, name := range Variables() {
		if err := os.Unsetenv(name); err != nil {
			return fmt.Errorf("clear %s: %w", name, err)
		}
	}
	return nil
}
