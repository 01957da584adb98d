// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// finished is a span of trace n as another process sends it; a parent of 0 is none.
func finished(n, id, parent byte, attrs ...attribute.KeyValue) sdktrace.ReadOnlySpan {
	begin := time.Date(2026, 11, 24, 10, 0, int(n), 0, time.UTC)
	stub := tracetest.SpanStub{
		Name: "span", StartTime: begin, EndTime: begin.Add(time.Second), Attributes: attrs,
		SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1, n}, SpanID: trace.SpanID{id}}),
	}
	if parent != 0 {
		stub.Parent = trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1, n}, SpanID: trace.SpanID{parent}})
	}
	return stub.Snapshot()
}

// withUsage are the attributes of an operation with usage.
func withUsage(operation string) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.GenAIOperationNameKey.String(operation), semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o"),
		semconv.GenAIUsageInputTokens(10), semconv.GenAIUsageOutputTokens(5),
	}
}

// TestMetricsOfTables: what is forgotten early, comes late or was billed twice can
// be seen.
func TestMetricsOfTables(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	srv := reveniumtest.Start(t)
	x := newExporter(t, srv,
		exporter.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))),
		exporter.WithConvertOptions(convert.WithSettleWindow(time.Millisecond), convert.WithLinks(1), convert.WithRecent(1024, time.Hour)))
	export := func(spans ...sdktrace.ReadOnlySpan) {
		t.Helper()
		if err := x.ExportSpans(t.Context(), spans); err != nil {
			t.Fatal(err)
		}
	}
	// Two agents of which no call is seen bill by themselves.
	export(finished(1, 1, 0, withUsage("invoke_agent")...), finished(2, 1, 0, withUsage("invoke_agent")...))
	if err := srv.Wait(within(t, 10*time.Second), 2); err != nil {
		t.Fatal(err)
	}
	export(finished(1, 2, 1, withUsage("chat")...))
	export(finished(2, 3, 2, withUsage("chat")...)) // by a span that has not come
	export(finished(2, 2, 1))
	flush(t, x)
	c := collect(t, reader)
	for name, want := range map[string]int64{
		"revenium.exporter.calls.late":         1,
		"revenium.exporter.calls.billed_twice": 1,
		"revenium.exporter.spans.remembered":   4,
		"revenium.exporter.spans.forgotten":    0,
	} {
		if got := c.sum(name); got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
	// More spans in the minutes of a table than it has places.
	for n := range 250 {
		var spans []sdktrace.ReadOnlySpan
		for id := range 10 {
			spans = append(spans, finished(byte(n), byte(id+10), 9))
		}
		export(spans...)
	}
	if c := collect(t, reader); c["revenium.exporter.spans.forgotten{revenium.table=links}"] == 0 {
		t.Error("2500 links are remembered in a table for few")
	}
}
