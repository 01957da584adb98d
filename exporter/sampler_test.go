// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/semconv"
)

// fixedSampler decides as it is told and leaves a mark.
type fixedSampler sdktrace.SamplingDecision

func (s fixedSampler) ShouldSample(sdktrace.SamplingParameters) sdktrace.SamplingResult {
	state, _ := trace.ParseTraceState("vendor=mark")
	return sdktrace.SamplingResult{
		Decision:   sdktrace.SamplingDecision(s),
		Attributes: []attribute.KeyValue{attribute.String("sampler", "base")},
		Tracestate: state,
	}
}

func (fixedSampler) Description() string { return "Fixed" }

func TestSamplerRecognises(t *testing.T) {
	for name, test := range map[string]struct {
		span  string
		attrs []attribute.KeyValue
		want  bool
	}{
		"operation attribute":    {"anything", []attribute.KeyValue{semconv.GenAIOperationNameChat}, true},
		"provider attribute":     {"anything", []attribute.KeyValue{semconv.GenAIProviderNameOpenAI}, true},
		"our attribute":          {"anything", []attribute.KeyValue{semconv.ReveniumOrganizationName("acme")}, true},
		"OpenInference":          {"anything", []attribute.KeyValue{attribute.String("openinference.span.kind", "LLM")}, true},
		"OpenLLMetry":            {"openai.chat", nil, true},
		"AI SDK":                 {"ai.generateText.doGenerate", nil, true},
		"name alone":             {"chat", nil, true},
		"name with model":        {"chat gpt-4o", nil, true},
		"embeddings":             {"embeddings text-embedding-3-small", nil, true},
		"agent":                  {"invoke_agent planner", nil, true},
		"web request":            {"GET /chat", []attribute.KeyValue{attribute.String("http.request.method", "GET")}, false},
		"word that begins alike": {"chatroom join", nil, false},
		"key that begins alike":  {"x", []attribute.KeyValue{attribute.String("gen_air.x", "1"), attribute.String("gen_ai", "1"), attribute.String("airport.code", "x")}, false},
		"empty":                  {"", nil, false},
		"attribute among others": {"x", []attribute.KeyValue{attribute.Int("a.b", 1), semconv.GenAIRequestModel("m")}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := exporter.NewSampler(fixedSampler(sdktrace.Drop))
			got := s.ShouldSample(sdktrace.SamplingParameters{ParentContext: context.Background(), Name: test.span, Attributes: test.attrs})
			if recorded := got.Decision == sdktrace.RecordOnly; recorded != test.want || got.Decision == sdktrace.RecordAndSample {
				t.Errorf("decision = %v, want recorded: %v", got.Decision, test.want)
			}
		})
	}
}

// TestSamplerKeepsBase: attributes and trace state of the base stay, and so does
// every decision but Drop.
func TestSamplerKeepsBase(t *testing.T) {
	for base, want := range map[sdktrace.SamplingDecision]sdktrace.SamplingDecision{
		sdktrace.Drop:            sdktrace.RecordOnly,
		sdktrace.RecordOnly:      sdktrace.RecordOnly,
		sdktrace.RecordAndSample: sdktrace.RecordAndSample,
	} {
		got := exporter.NewSampler(fixedSampler(base), exporter.WithRecordAll(), nil).ShouldSample(sdktrace.SamplingParameters{})
		plain := fixedSampler(base).ShouldSample(sdktrace.SamplingParameters{})
		if got.Decision != want {
			t.Errorf("decision for %v = %v, want %v", base, got.Decision, want)
		}
		if got.Tracestate.String() != "vendor=mark" || !cmp.Equal(got.Attributes, plain.Attributes, cmp.Comparer(func(a, b attribute.KeyValue) bool { return a == b })) {
			t.Errorf("base's result is not kept: %+v", got)
		}
	}
}

func TestSamplerRecordFunc(t *testing.T) {
	s := exporter.NewSampler(sdktrace.NeverSample(), exporter.WithRecordFunc(func(p sdktrace.SamplingParameters) bool {
		return p.Name == "my llm call"
	}))
	for name, want := range map[string]sdktrace.SamplingDecision{"my llm call": sdktrace.RecordOnly, "other": sdktrace.Drop} {
		if got := s.ShouldSample(sdktrace.SamplingParameters{ParentContext: context.Background(), Name: name}).Decision; got != want {
			t.Errorf("%s: decision = %v, want %v", name, got, want)
		}
	}
}

// TestSamplerFollowsParents: children of recorded spans of this process are
// recorded, those of remote and of dropped spans are not.
func TestSamplerFollowsParents(t *testing.T) {
	tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(exporter.NewSampler(sdktrace.ParentBased(sdktrace.NeverSample()))))
	tracer := tp.Tracer("test")

	ctx, agent := tracer.Start(t.Context(), "invoke_agent planner")
	ctx, step := tracer.Start(ctx, "step")
	_, call := tracer.Start(ctx, "http call")
	for name, span := range map[string]trace.Span{"agent": agent, "step": step, "call": call} {
		if !span.IsRecording() || span.SpanContext().IsSampled() {
			t.Errorf("%s: recording %v, sampled %v; want recorded and not sampled", name, span.IsRecording(), span.SpanContext().IsSampled())
		}
	}

	ctx, dropped := tracer.Start(t.Context(), "GET /")
	_, child := tracer.Start(ctx, "query")
	if dropped.IsRecording() || child.IsRecording() {
		t.Error("spans that have nothing to do with an LLM are recorded")
	}

	remote := trace.ContextWithRemoteSpanContext(t.Context(), agent.SpanContext().WithRemote(true))
	_, child = tracer.Start(remote, "GET /")
	if child.IsRecording() {
		t.Error("the child of a remote span is recorded")
	}
}

func TestSamplerDescription(t *testing.T) {
	base := sdktrace.TraceIDRatioBased(0.01)
	for want, s := range map[string]sdktrace.Sampler{
		"ReveniumSampler{TraceIDRatioBased{0.01}}":            exporter.NewSampler(base),
		"ReveniumSampler{TraceIDRatioBased{0.01},record:all}": exporter.NewSampler(base, exporter.WithRecordAll()),
	} {
		if got := s.Description(); got != want {
			t.Errorf("Description() = %q, want %q", got, want)
		}
	}
}

func BenchmarkSampler(b *testing.B) {
	p := sdktrace.SamplingParameters{
		ParentContext: context.Background(),
		Name:          "GET /api/items",
		Attributes:    []attribute.KeyValue{attribute.String("http.request.method", "GET"), attribute.String("url.path", "/api/items")},
	}
	base := sdktrace.NeverSample()
	for name, s := range map[string]sdktrace.Sampler{"base": base, "wrapped": exporter.NewSampler(base)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.ShouldSample(p)
			}
		})
	}
}
