// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument_test

import (
	"context"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/semconv"
)

// eight is metadata with eight fields, as many as a service usually sets.
func eight() instrument.Metadata {
	return instrument.Metadata{
		Organization: "Acme Corp", Product: "assistant", Subscription: "sub-1042", Agent: "planner", TaskType: "summarize", TraceID: "ticket-4711",
		Subscriber: instrument.Subscriber{ID: "user-4711", Email: "jo@example.com"},
	}
}

// TestCostOfMetadata holds the allocations of metadata, those of the SDK for the
// added attributes included.
func TestCostOfMetadata(t *testing.T) {
	span := func(processors ...sdktrace.SpanProcessor) func(context.Context) {
		var opts []sdktrace.TracerProviderOption
		for _, p := range append(processors, discard{}) {
			opts = append(opts, sdktrace.WithSpanProcessor(p))
		}
		tracer := sdktrace.NewTracerProvider(opts...).Tracer("test")
		start := trace.WithAttributes(semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o-mini"))
		return func(ctx context.Context) {
			_, span := tracer.Start(ctx, "chat gpt-4o-mini", start)
			span.End()
		}
	}
	ctx, m := t.Context(), eight()
	plain, stamped := span(), span(instrument.NewSpanProcessor())
	base := testing.AllocsPerRun(200, func() { plain(ctx) })
	if got := testing.AllocsPerRun(200, func() { stamped(ctx) }) - base; got != 0 {
		t.Errorf("without metadata: %v allocations", got)
	}
	if got := testing.AllocsPerRun(200, func() { stamped(instrument.WithMetadata(ctx, m)) }) - base; got > 10 {
		t.Errorf("with metadata: %v allocations", got)
	}
}

// BenchmarkCallWithMetadata is a whole call that carries metadata, to be compared
// with BenchmarkCall, which carries none.
func BenchmarkCallWithMetadata(b *testing.B) {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.AlwaysSample()),
		sdktrace.WithSpanProcessor(instrument.NewSpanProcessor()), sdktrace.WithSpanProcessor(discard{}))
	option := instrument.WithTracerProvider(provider)
	ctx := instrument.WithMetadata(b.Context(), eight())
	in, out := int64(10), int64(5)
	b.ReportAllocs()
	for b.Loop() {
		_, call := instrument.StartCall(ctx, instrument.CallParams{Operation: "chat", Provider: "openai", Model: "gpt-4o-mini"}, option)
		call.SetResponse(instrument.Response{ID: "r", Model: "m", FinishReasons: []string{"stop"}})
		call.SetUsage(instrument.Usage{Input: &in, Output: &out})
		call.End(nil)
	}
}
