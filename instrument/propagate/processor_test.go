// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
)

// revenium are the attributes of a span that say who pays.
func revenium(tb testing.TB, attrs []attribute.KeyValue) instrument.Metadata {
	tb.Helper()
	m, err := instrument.FromAttributes(attrs...)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// TestSpanStart has spans of an instrumentation that knows nothing of metadata
// started beneath a request, by every way in.
func TestSpanStart(t *testing.T) {
	const bag = "revenium.organization.name=Acme,revenium.agent.name=remote,revenium.subscriber.id=u,color=blue"
	always := propagate.WithTrust(propagate.TrustAlways())
	carrier := propagation.HeaderCarrier{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, "Baggage": {bag}}
	standard := func(ctx context.Context) context.Context {
		return propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}).Extract(ctx, carrier)
	}
	believed := instrument.Metadata{Organization: "Acme", Agent: "remote"}
	for _, tt := range []struct {
		name      string
		processor sdktrace.SpanProcessor
		extract   func(context.Context) context.Context
		want      instrument.Metadata
	}{
		{
			name: "the standard propagator, and a processor that believes", extract: standard, want: believed,
			processor: propagate.NewSpanProcessor(instrument.NewSpanProcessor(), always),
		},
		{
			name: "and one that believes what a neighbour started", extract: standard, want: believed,
			processor: propagate.NewSpanProcessor(instrument.NewSpanProcessor(), propagate.WithTrust(func(ctx context.Context, _ *propagate.Request) propagate.Verdict {
				return propagate.Verdict{Trusted: remote(ctx)}
			})),
		},
		{
			name: "and one that believes nothing", extract: standard,
			processor: propagate.NewSpanProcessor(instrument.NewSpanProcessor()),
		},
		{name: "the standard propagator alone", extract: standard, processor: instrument.NewSpanProcessor()},
		{
			name: "our propagator", want: believed, processor: instrument.NewSpanProcessor(),
			extract: func(ctx context.Context) context.Context {
				return propagate.NewPropagator(always).Extract(ctx, carrier)
			},
		},
		{
			name: "our propagator, believing nothing", processor: instrument.NewSpanProcessor(),
			extract: func(ctx context.Context) context.Context { return propagate.NewPropagator().Extract(ctx, carrier) },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			recorder := tracetest.NewSpanRecorder()
			provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(tt.processor), sdktrace.WithSpanProcessor(recorder))
			span := func(ctx context.Context, attrs ...attribute.KeyValue) instrument.Metadata {
				_, span := provider.Tracer("other").Start(ctx, "chat m", trace.WithAttributes(append(attrs, attribute.String("gen_ai.operation.name", "chat"))...))
				span.End()
				ended := recorder.Ended()
				return revenium(t, ended[len(ended)-1].Attributes())
			}
			ctx := tt.extract(t.Context())
			if diff := cmp.Diff(tt.want, span(ctx)); diff != "" {
				t.Errorf("of the request alone (-want +got):\n%s", diff)
			}
			// What the program says goes before it, whichever way.
			inner := instrument.WithMetadata(instrument.WithHeaderMetadata(ctx, instrument.Metadata{Agent: "header", TaskType: "header"}), instrument.Metadata{TaskType: "context"})
			want := tt.want.Merge(instrument.Metadata{Agent: "header", TaskType: "context"})
			if diff := cmp.Diff(want, span(inner)); diff != "" {
				t.Errorf("with headers and context (-want +got):\n%s", diff)
			}
			want.Organization = "span"
			if diff := cmp.Diff(want, span(inner, attribute.String("revenium.organization.id", "span"))); diff != "" {
				t.Errorf("with an attribute (-want +got):\n%s", diff)
			}
			_, http := provider.Tracer("http").Start(ctx, "GET /")
			http.End()
			ended := recorder.Ended()
			if got := ended[len(ended)-1].Attributes(); len(got) != 0 {
				t.Errorf("a span that is no LLM span has %v", got)
			}
			if err := provider.ForceFlush(t.Context()); err != nil {
				t.Error(err)
			}
			if err := provider.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestReceive is for servers that are neither net/http nor gRPC.
func TestReceive(t *testing.T) {
	p := propagate.NewPropagator(propagate.WithTrust(func(_ context.Context, r *propagate.Request) propagate.Verdict {
		return propagate.Verdict{Trusted: r.Carrier != nil, Verified: instrument.Metadata{Region: "eu"}}
	}))
	ctx := baggage.ContextWithBaggage(t.Context(), bagOf(t, "revenium.agent.name=old,color=blue"))
	got := p.Receive(ctx, propagate.Request{Carrier: propagation.MapCarrier{"x-revenium-agent": "header", "baggage": "revenium.task.type=chat,size=large"}})
	wantMetadata(got, t, instrument.Metadata{Region: "eu", Agent: "header", TaskType: "chat"})
	if diff := cmp.Diff(map[string]string{"color": "color=blue"}, membersOf(baggage.FromContext(got))); diff != "" {
		t.Errorf("baggage (-want +got):\n%s", diff)
	}
	wantMetadata(p.Receive(t.Context(), propagate.Request{}), t, instrument.Metadata{Region: "eu"})
}
