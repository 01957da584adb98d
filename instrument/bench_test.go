// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

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

// startingSpan stands for a span of the SDK at its start: it has the attributes of
// an LLM call, and copies those that are added, as the SDK does.
type startingSpan struct {
	sdktrace.ReadWriteSpan
	attrs []attribute.KeyValue
	added []attribute.KeyValue
}

func (*startingSpan) Name() string                       { return "chat gpt-4o-mini" }
func (s *startingSpan) Attributes() []attribute.KeyValue { return s.attrs }
func (s *startingSpan) SetAttributes(added ...attribute.KeyValue) {
	s.added = append(s.added[:0], added...)
}
func (s *startingSpan) start(ctx context.Context, p sdktrace.SpanProcessor) { p.OnStart(ctx, s) }

func newStartingSpan() *startingSpan {
	return &startingSpan{
		attrs: []attribute.KeyValue{
			semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o-mini"),
			semconv.GenAIRequestTemperature(0.2), semconv.GenAIRequestMaxTokens(800), semconv.ServerAddress("api.openai.com"), semconv.ServerPort(443),
		},
		added: make([]attribute.KeyValue, 0, 16),
	}
}

// TestCostOfMetadata holds the allocations to what docs/benchmarks.md promises.
func TestCostOfMetadata(t *testing.T) {
	span, processor, m := newStartingSpan(), instrument.NewSpanProcessor(), eight()
	ctx := t.Context()
	if got := testing.AllocsPerRun(100, func() { span.start(ctx, processor) }); got != 0 {
		t.Errorf("without metadata: %v allocations", got)
	}
	if got := testing.AllocsPerRun(100, func() { span.start(instrument.WithMetadata(ctx, m), processor) }); got > 10 {
		t.Errorf("with metadata: %v allocations", got)
	}
	if len(span.added) != 8 {
		t.Errorf("%d attributes were stamped", len(span.added))
	}
}

// BenchmarkMetadata is what metadata of eight fields costs: to set it for a
// context and to stamp it on one span; the stamp alone; and a span where there is
// none.
func BenchmarkMetadata(b *testing.B) {
	processor := instrument.NewSpanProcessor()
	b.Run("set and stamp", func(b *testing.B) {
		b.ReportAllocs()
		span, m, ctx := newStartingSpan(), eight(), b.Context()
		for b.Loop() {
			span.start(instrument.WithMetadata(ctx, m), processor)
		}
	})
	b.Run("stamp", func(b *testing.B) {
		b.ReportAllocs()
		span, ctx := newStartingSpan(), instrument.WithMetadata(b.Context(), eight())
		for b.Loop() {
			span.start(ctx, processor)
		}
	})
	b.Run("none", func(b *testing.B) {
		b.ReportAllocs()
		span, ctx := newStartingSpan(), b.Context()
		for b.Loop() {
			span.start(ctx, processor)
		}
	})
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
