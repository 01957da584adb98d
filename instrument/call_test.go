// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/semconv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newRecorder returns a provider and what its spans become.
func newRecorder() (*sdktrace.TracerProvider, *tracetest.SpanRecorder) {
	recorder := tracetest.NewSpanRecorder()
	return sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)), recorder
}

func only(t *testing.T, recorder *tracetest.SpanRecorder) (sdktrace.ReadOnlySpan, map[string]any) {
	t.Helper()
	ended := recorder.Ended()
	if len(ended) != 1 {
		t.Fatalf("%d spans ended, want 1", len(ended))
	}
	return ended[0], attributes(ended[0].Attributes())
}

func attributes(list []attribute.KeyValue) map[string]any {
	m := map[string]any{}
	for _, kv := range list {
		m[string(kv.Key)] = kv.Value.AsInterface()
	}
	return m
}

func TestCall(t *testing.T) {
	provider, recorder := newRecorder()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ctx, call := instrument.StartCall(t.Context(), instrument.CallParams{
		Operation: "text_completion", Provider: "acme", Model: "m-1", Stream: true, ServerAddress: "llm.example.com", ServerPort: 8443,
	},
		instrument.WithTracerProvider(provider),
		instrument.WithStartTime(start),
		instrument.WithAttributes(semconv.ReveniumOrganizationName("acme")),
		instrument.WithAttributes(semconv.GenAIRequestTemperature(0.5), semconv.ReveniumRetryNumber(2)),
	)
	if trace.SpanFromContext(ctx) != call.Span() || !call.IsRecording() {
		t.Error("the context does not carry the recording span")
	}
	startAttributes := attributes(recorder.Started()[0].Attributes())
	want := map[string]any{
		"gen_ai.operation.name": "text_completion", "gen_ai.provider.name": "acme", "gen_ai.request.model": "m-1", "gen_ai.request.stream": true,
		"server.address": "llm.example.com", "server.port": int64(8443),
		"revenium.organization.name": "acme", "gen_ai.request.temperature": 0.5, "revenium.retry.number": int64(2),
	}
	if diff := cmp.Diff(want, startAttributes); diff != "" {
		t.Errorf("attributes at the start (-want +got):\n%s", diff)
	}

	n := func(i int64) *int64 { return &i }
	call.FirstTokenAt(start.Add(1500 * time.Millisecond))
	call.FirstTokenAt(start.Add(3 * time.Second)) // not the first
	call.SetResponse(instrument.Response{ID: "r-1", Model: "m-1-2026", FinishReasons: []string{"stop", "length"}, ServiceTier: "flex", SystemFingerprint: "fp"})
	call.SetResponse(instrument.Response{}) // says nothing
	call.SetUsage(instrument.Usage{Input: n(1)})
	call.SetUsage(instrument.Usage{
		Input: n(100), CacheRead: n(40), CacheCreation: n(30), CacheCreation5m: n(20), CacheCreation1h: n(10),
		Output: n(50), Reasoning: n(0), InputAudio: n(5), OutputAudio: n(6),
	})
	call.SetAttributes(semconv.ReveniumTaskType("chat"))
	call.EndAt(nil, start.Add(2*time.Second))

	span, got := only(t, recorder)
	maps.Copy(want, map[string]any{
		"gen_ai.response.time_to_first_chunk": 1.5, "gen_ai.response.id": "r-1", "gen_ai.response.model": "m-1-2026",
		"gen_ai.response.finish_reasons": []string{"stop", "length"}, "openai.response.service_tier": "flex", "openai.response.system_fingerprint": "fp",
		"gen_ai.usage.input_tokens": int64(100), "gen_ai.usage.cache_read.input_tokens": int64(40), "gen_ai.usage.cache_creation.input_tokens": int64(30),
		"revenium.usage.cache_creation_5m_tokens": int64(20), "revenium.usage.cache_creation_1h_tokens": int64(10),
		"gen_ai.usage.output_tokens": int64(50), "gen_ai.usage.reasoning.output_tokens": int64(0),
		"revenium.usage.input_audio_tokens": int64(5), "revenium.usage.output_audio_tokens": int64(6), "revenium.task.type": "chat",
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if span.Name() != "text_completion m-1" || span.SpanKind() != trace.SpanKindClient || span.Status().Code != codes.Unset {
		t.Errorf("span %q of kind %v, status %v", span.Name(), span.SpanKind(), span.Status())
	}
	if !span.StartTime().Equal(start) || !span.EndTime().Equal(start.Add(2*time.Second)) {
		t.Errorf("from %v to %v", span.StartTime(), span.EndTime())
	}
	if scope := span.InstrumentationScope(); scope.Name != instrument.ScopeName || scope.Version != instrument.Version {
		t.Errorf("scope %s %s", scope.Name, scope.Version)
	}
}

func TestDefaults(t *testing.T) {
	provider, recorder := newRecorder()
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(provider)
	t.Cleanup(func() { otel.SetTracerProvider(before) })
	started := time.Now()
	_, call := instrument.StartCall(t.Context(), instrument.CallParams{ServerPort: 80}, instrument.WithTracerProvider(nil), nil, instrument.WithScope("mine", "2"))
	call.FirstToken()
	call.End(nil)
	span, got := only(t, recorder)
	seconds, _ := got["gen_ai.response.time_to_first_chunk"].(float64)
	if seconds < 0 || seconds > time.Since(started).Seconds() {
		t.Errorf("time to first chunk %v", seconds)
	}
	delete(got, "gen_ai.response.time_to_first_chunk")
	if diff := cmp.Diff(map[string]any{"gen_ai.operation.name": "chat", "revenium.usage.missing": true}, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if span.Name() != "chat" || span.InstrumentationScope().Name != "mine" || span.InstrumentationScope().Version != "2" {
		t.Errorf("span %q of %v", span.Name(), span.InstrumentationScope())
	}
	if span.StartTime().Before(started) || span.EndTime().Before(span.StartTime()) {
		t.Errorf("from %v to %v", span.StartTime(), span.EndTime())
	}
}

// Absent, zero, partial and missing are told apart.
func TestUsageFlags(t *testing.T) {
	zero := int64(0)
	failure := errors.New("failed")
	tests := []struct {
		name  string
		usage []instrument.Usage
		err   error
		want  map[string]any
	}{
		{name: "none", want: map[string]any{"revenium.usage.missing": true}},
		{name: "empty", usage: []instrument.Usage{{}}, want: map[string]any{"revenium.usage.missing": true}},
		{name: "zero", usage: []instrument.Usage{{Input: &zero}}, want: map[string]any{"gen_ai.usage.input_tokens": int64(0)}},
		{name: "partial", usage: []instrument.Usage{{Output: &zero, Partial: true}}, err: failure, want: map[string]any{"gen_ai.usage.output_tokens": int64(0), "revenium.usage.partial": true}},
		{name: "partial, nothing reported", usage: []instrument.Usage{{Partial: true}}, err: failure, want: map[string]any{"revenium.usage.missing": true}},
		{name: "failed", err: failure, want: map[string]any{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			provider, recorder := newRecorder()
			_, call := instrument.StartCall(t.Context(), instrument.CallParams{}, instrument.WithTracerProvider(provider))
			for _, u := range tt.usage {
				call.SetUsage(u)
			}
			call.End(tt.err)
			_, got := only(t, recorder)
			delete(got, "gen_ai.operation.name")
			delete(got, "error.type")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEndCountsOnce(t *testing.T) {
	provider, recorder := newRecorder()
	start := time.Now()
	_, call := instrument.StartCall(t.Context(), instrument.CallParams{Model: "m"}, instrument.WithTracerProvider(provider), instrument.WithStartTime(start))
	call.EndAt(nil, start.Add(-time.Hour)) // before it began
	before := attributes(recorder.Ended()[0].Attributes())
	one := int64(1)
	call.End(errors.New("late"))
	call.SetUsage(instrument.Usage{Input: &one})
	call.SetResponse(instrument.Response{ID: "late"})
	call.SetAttributes(attribute.Bool("late", true))
	call.SetModel("chat", "late")
	call.FirstToken()
	span, got := only(t, recorder)
	if diff := cmp.Diff(before, got); diff != "" || span.Status().Code != codes.Unset || span.Name() != "chat m" {
		t.Errorf("the call changed after its end: %s, %v (-before +after):\n%s", span.Name(), span.Status(), diff)
	}
	if !span.EndTime().Equal(span.StartTime()) {
		t.Errorf("ended %v after its start", span.EndTime().Sub(span.StartTime()))
	}
}

func TestSetModel(t *testing.T) {
	provider, recorder := newRecorder()
	_, call := instrument.StartCall(t.Context(), instrument.CallParams{}, instrument.WithTracerProvider(provider))
	call.SetModel("chat", "late")
	call.SetModel("chat", "")
	call.End(nil)
	span, got := only(t, recorder)
	if span.Name() != "chat late" || got["gen_ai.request.model"] != "late" {
		t.Errorf("%q, %v", span.Name(), got)
	}
}

func TestConcurrentUse(t *testing.T) {
	provider, recorder := newRecorder()
	_, call := instrument.StartCall(t.Context(), instrument.CallParams{}, instrument.WithTracerProvider(provider))
	var wg sync.WaitGroup
	one := int64(1)
	for range 8 {
		wg.Go(func() {
			call.FirstToken()
			call.SetUsage(instrument.Usage{Input: &one})
			call.SetResponse(instrument.Response{ID: "x"})
			call.End(context.Canceled)
		})
	}
	wg.Wait()
	_, got := only(t, recorder)
	if got["error.type"] != instrument.ErrorTypeCanceled {
		t.Errorf("attributes %v", got)
	}
}

// Calls that share a list of options do not write into it.
func TestSharedOptions(t *testing.T) {
	provider, recorder := newRecorder()
	shared := make([]instrument.Option, 0, 4)
	shared = append(shared, instrument.WithTracerProvider(provider), instrument.WithAttributes(attribute.Int("a", 1)))
	for i := range 2 {
		_, call := instrument.StartCall(t.Context(), instrument.CallParams{}, append(shared, instrument.WithAttributes(attribute.Int("b", i)))...)
		call.End(nil)
	}
	for i, span := range recorder.Ended() {
		if got := attributes(span.Attributes())["b"]; got != int64(i) {
			t.Errorf("call %d has b = %v", i, got)
		}
	}
}

func BenchmarkCall(b *testing.B) {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.AlwaysSample()), sdktrace.WithSpanProcessor(discard{}))
	option := instrument.WithTracerProvider(provider)
	in, out := int64(10), int64(5)
	b.ReportAllocs()
	for b.Loop() {
		_, call := instrument.StartCall(b.Context(), instrument.CallParams{Operation: "chat", Provider: "openai", Model: "gpt-4o-mini"}, option)
		call.SetResponse(instrument.Response{ID: "r", Model: "m", FinishReasons: []string{"stop"}})
		call.SetUsage(instrument.Usage{Input: &in, Output: &out})
		call.End(nil)
	}
}

// discard is a span processor that makes spans record and keeps none.
type discard struct{}

func (discard) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (discard) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (discard) Shutdown(context.Context) error                  { return nil }
func (discard) ForceFlush(context.Context) error                { return nil }

// TestWithTracer: the tracer goes before provider and scope; nil changes nothing.
func TestWithTracer(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	other := sdktrace.NewTracerProvider()
	_, call := instrument.StartCall(t.Context(), instrument.CallParams{Model: "m"},
		instrument.WithTracerProvider(other), instrument.WithScope("scope", "1"), instrument.WithTracer(provider.Tracer("own")))
	call.End(nil)
	_, call = instrument.StartCall(t.Context(), instrument.CallParams{Model: "m"},
		instrument.WithTracerProvider(provider), instrument.WithScope("scope", "1"), instrument.WithTracer(nil))
	call.End(nil)
	var scopes []string
	for _, span := range recorder.Ended() {
		scopes = append(scopes, span.InstrumentationScope().Name)
	}
	if want := []string{"own", "scope"}; !slices.Equal(scopes, want) {
		t.Errorf("spans of the scopes %v, want %v", scopes, want)
	}
}
