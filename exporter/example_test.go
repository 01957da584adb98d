// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// A provider of which 1 % of the traces are sampled and 100 % of the LLM calls are
// metered.
func Example() {
	ctx := context.Background()

	// An in-process Revenium, so that the example needs neither key nor network.
	// A real service sets REVENIUM_METERING_API_KEY instead.
	metering, err := reveniumtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer metering.Close()

	processor, err := exporter.NewProcessor(
		exporter.WithAPIKey("rev_mk_test_example"),
		exporter.WithBaseURL(metering.URL()),
		exporter.WithOrganization("Acme"),
		exporter.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(processor),
		sdktrace.WithSampler(exporter.NewSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.01)))),
	)

	// What an instrumentation of an LLM client does.
	for range 3 {
		_, span := provider.Tracer("example").Start(ctx, "chat gpt-4o", trace.WithAttributes(
			semconv.GenAIOperationNameChat,
			semconv.GenAIProviderNameOpenAI,
			semconv.GenAIRequestModel("gpt-4o"),
		))
		span.SetAttributes(semconv.GenAIUsageInputTokens(12), semconv.GenAIUsageOutputTokens(7))
		span.End()
	}

	if err := provider.Shutdown(ctx); err != nil {
		fmt.Println(err) // an exporter.ShutdownError if a record was lost
	}
	fmt.Println(processor.Report())
	// Output:
	// spans                   3
	//   billed                3   usage 3
	//   suppressed            0
	//   skipped               0
	// records                 3
	//   delivered             3
	//   lost                  0
	// attempts                3   delivered 3
}
