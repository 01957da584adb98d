// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/semconv"
)

// stamped starts a span of an instrumentation that knows nothing of metadata and
// returns its attributes.
func stamped(ctx context.Context, name string, attrs []attribute.KeyValue, opts ...instrument.ProcessorOption) map[string]any {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(instrument.NewSpanProcessor(opts...)), sdktrace.WithSpanProcessor(recorder))
	_, span := provider.Tracer("other").Start(ctx, name, trace.WithAttributes(attrs...))
	span.End()
	return attributes(recorder.Ended()[0].Attributes())
}

func TestProcessorRecognises(t *testing.T) {
	ctx := instrument.WithMetadata(t.Context(), instrument.Metadata{Organization: "Acme"})
	slow := instrument.WithSpanFilter(func(span sdktrace.ReadOnlySpan) bool { return strings.HasPrefix(span.Name(), "llm-") })
	for _, tt := range []struct {
		name string
		span string
		attr attribute.KeyValue
		opts []instrument.ProcessorOption
		want bool
	}{
		{name: "by attribute", span: "x", attr: semconv.GenAIRequestModel("m"), want: true},
		{name: "by name", span: "chat m", want: true},
		{name: "agent", span: "invoke_agent planner", want: true},
		{name: "tool", span: "x", attr: semconv.GenAIOperationNameExecuteTool, want: true},
		{name: "another", span: "GET /", attr: attribute.String("http.request.method", "GET")},
		{name: "all", span: "GET /", opts: []instrument.ProcessorOption{instrument.WithAllSpans()}, want: true},
		{name: "by filter", span: "llm-x", opts: []instrument.ProcessorOption{nil, slow, instrument.WithSpanFilter(nil)}, want: true},
		{name: "by none of the filters", span: "x", opts: []instrument.ProcessorOption{slow, slow}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var attrs []attribute.KeyValue
			if tt.attr.Valid() {
				attrs = append(attrs, tt.attr)
			}
			if _, got := stamped(ctx, tt.span, attrs, tt.opts...)["revenium.organization.name"]; got != tt.want {
				t.Errorf("stamped: %t, want %t", got, tt.want)
			}
		})
	}
}

func TestProcessorKeepsWhatTheSpanSays(t *testing.T) {
	ctx := instrument.WithBaggageMetadata(t.Context(), instrument.Metadata{Region: "baggage", Environment: "baggage"})
	ctx = instrument.WithHeaderMetadata(ctx, instrument.Metadata{Environment: "header"})
	ctx = instrument.WithMetadata(ctx, instrument.Metadata{
		Organization: "context", Agent: "context", Product: "context", TaskType: "context", QualityScore: new(0.5),
	})
	got := stamped(ctx, "chat", []attribute.KeyValue{
		semconv.ReveniumOrganizationName("span"),
		semconv.GenAIAgentName("span"), // another name of the same field
		semconv.ReveniumTaskType(" "),  // says nothing
	}, instrument.WithOrigins())
	want := map[string]any{
		"revenium.organization.name": "span", "gen_ai.agent.name": "span", "revenium.task.type": "context", "revenium.product.name": "context",
		"revenium.response.quality_score": 0.5, "deployment.environment.name": "header", "cloud.region": "baggage",
		"revenium.attribution.origin": []string{"productName=context", "taskType=context", "responseQualityScore=context", "environment=header", "region=baggage"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	// Without metadata there is nothing to say of its origin.
	all := []attribute.KeyValue{semconv.ReveniumOrganizationName("span")}
	only := instrument.WithMetadata(t.Context(), instrument.Metadata{Organization: "context"})
	for _, ctx := range []context.Context{t.Context(), only, instrument.WithoutMetadata(only)} {
		if diff := cmp.Diff(map[string]any{"revenium.organization.name": "span"}, stamped(ctx, "chat", all, instrument.WithOrigins())); diff != "" {
			t.Errorf("attributes (-want +got):\n%s", diff)
		}
	}
}

// TestProcessorAndCall shows that a call of this package says the same with the
// processor and without.
func TestProcessorAndCall(t *testing.T) {
	ctx := instrument.WithMetadata(t.Context(), instrument.Metadata{Organization: "context", Agent: "context", Region: "context"})
	call := func(opts ...sdktrace.TracerProviderOption) map[string]any {
		recorder := tracetest.NewSpanRecorder()
		provider := sdktrace.NewTracerProvider(append(opts, sdktrace.WithSpanProcessor(recorder))...)
		_, call := instrument.StartCall(ctx, instrument.CallParams{}, instrument.WithTracerProvider(provider),
			instrument.Metadata{Agent: "call", Product: "call"}, instrument.WithAttributes(semconv.CloudRegion("span")))
		call.End(nil)
		return attributes(recorder.Ended()[0].Attributes())
	}
	alone := call()
	if diff := cmp.Diff(alone, call(sdktrace.WithSpanProcessor(instrument.NewSpanProcessor()))); diff != "" {
		t.Errorf("with the processor (-alone +got):\n%s", diff)
	}
	got := call(sdktrace.WithSpanProcessor(instrument.NewSpanProcessor(instrument.WithOrigins())))["revenium.attribution.origin"]
	if diff := cmp.Diff([]string{"organizationName=context", "productName=call", "agent=call"}, got); diff != "" {
		t.Errorf("origins (-want +got):\n%s", diff)
	}
}

func TestProcessorFilterPanics(t *testing.T) {
	var reported []error
	handler := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { reported = append(reported, err) }))
	t.Cleanup(func() { otel.SetErrorHandler(handler) })
	ctx := instrument.WithMetadata(t.Context(), instrument.Metadata{Organization: "Acme"})
	got := stamped(ctx, "x", nil, instrument.WithSpanFilter(func(sdktrace.ReadOnlySpan) bool { panic("at the disco") }))
	if len(got) != 0 || len(reported) != 1 || !strings.Contains(reported[0].Error(), "at the disco") {
		t.Errorf("attributes %v, reported %v", got, reported)
	}
}
