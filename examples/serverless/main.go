// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Command serverless is a function in the cloud whose platform freezes the process
// between invocations and ends it without asking. It flushes at the end of each
// invocation, within a bounded time, and keeps what could not be delivered on disk:
// the next invocation delivers it, or the next instance that finds the directory.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	revenium "github.com/revenium/revenium-otel-go"
	"github.com/revenium/revenium-otel-go/examples/internal/offline"
	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// handler answers one event.
type handler func(ctx context.Context, question string) (string, error)

// flushTime is what an invocation gives metering at most. Where Revenium answers, a
// flush takes one round trip.
const flushTime = 300 * time.Millisecond

// metered is what makes a function serverless: its calls are delivered, or on disk,
// before the platform may freeze the process.
func metered(sdk *revenium.SDK, handle handler, out io.Writer) handler {
	return func(ctx context.Context, question string) (string, error) {
		answer, err := handle(ctx, question)

		flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
		defer cancel()
		flushErr := sdk.ForceFlush(flush)
		if waiting, ok := errors.AsType[*exporter.FlushError](flushErr); ok {
			fmt.Fprintf(out, "  %d waiting, %d of them on disk\n", waiting.Waiting, waiting.Report.OnDisk)
		}
		// That records wait is no failure of the function.
		return answer, err
	}
}

func run(ctx context.Context, out io.Writer) error {
	if err := offline.ClearEnvironment(); err != nil {
		return err
	}
	metering, err := reveniumtest.NewServer()
	if err != nil {
		return err
	}
	defer metering.Close()
	llm, err := llmtest.NewServer()
	if err != nil {
		return err
	}
	defer llm.Close()
	// A real function uses the directory that outlives invocations: /tmp, or a volume
	// that also outlives instances.
	dir, err := os.MkdirTemp("", "serverless")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	// Once per instance, outside of the handler.
	sdk, err := revenium.Start(ctx, revenium.WithExporterOptions(
		exporter.WithAPIKey("rev_mk_test_example"), exporter.WithBaseURL(metering.URL()), exporter.WithSpool(dir)))
	if err != nil {
		return err
	}
	handle := metered(sdk, offline.NewClient(llm.BaseURL()).Ask, out)

	// What a platform does: one invocation after the other. Revenium is down during
	// the second.
	for n := range 3 {
		end := func() {}
		if n == 1 {
			end = metering.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusServiceUnavailable})
		}
		fmt.Fprintf(out, "invocation %d\n", n+1)
		if _, err := handle(ctx, "What is new?"); err != nil {
			return err
		}
		end()
	}

	report, err := sdk.Shutdown(ctx)
	fmt.Fprintf(out, "\n%s\n", report)
	if err == nil && len(metering.Records()) != 3 {
		err = fmt.Errorf("%d records arrived, want 3", len(metering.Records()))
	}
	return err
}
