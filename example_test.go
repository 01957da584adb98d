// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package revenium_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	revenium "github.com/revenium/revenium-otel-go"
	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

func Example() {
	ctx := context.Background()

	// An in-process Revenium, so that the example needs neither key nor network.
	// A real service sets REVENIUM_METERING_API_KEY and leaves the options out.
	metering, err := reveniumtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer metering.Close()

	sdk, err := revenium.Start(ctx, revenium.WithExporterOptions(
		exporter.WithAPIKey("rev_mk_test_example"),
		exporter.WithBaseURL(metering.URL()),
		exporter.WithOrganization("Acme"),
		exporter.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))),
	))
	if err != nil {
		fmt.Println(err)
		return
	}

	// Instrumentation makes spans like this one; see package instrument/llmhttp.
	_, span := otel.Tracer("example").Start(ctx, "chat gpt-4o", trace.WithAttributes(
		semconv.GenAIOperationNameChat,
		semconv.GenAIProviderNameOpenAI,
		semconv.GenAIRequestModel("gpt-4o"),
	))
	span.SetAttributes(semconv.GenAIUsageInputTokens(12), semconv.GenAIUsageOutputTokens(7))
	span.End()

	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	report, err := sdk.Shutdown(ctx)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println("delivered:", report.Delivered, "lost:", report.Lost)
	for _, r := range metering.Completions() {
		fmt.Println(r.Text("organizationName"), r.Text("model"), r.Text("inputTokenCount"), r.Text("outputTokenCount"))
	}
	// Output:
	// delivered: 1 lost: 0
	// Acme gpt-4o 12 7
}
