// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package revenium

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestWithBaggage sends metadata through the global propagator from one service to
// another: with the option, and without it.
func TestWithBaggage(t *testing.T) {
	clearEnv(t)
	for _, tt := range []struct {
		name string
		opts []Option
		want map[string]string // of the record
	}{
		{"by default nothing is sent", nil, map[string]string{"agent": ""}},
		{"and nothing is believed", []Option{WithBaggage()}, map[string]string{"agent": ""}},
		{
			"what is believed is billed",
			[]Option{WithBaggage(propagate.WithTrust(propagate.TrustAlways())), WithBaggage(propagate.WithMoreBaggageFields(semconv.ReveniumTicketIDKey))},
			map[string]string{"agent": "planner", "ticketId": "4711", "subscriber.email": ""},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			oldProvider, oldPropagator := otel.GetTracerProvider(), otel.GetTextMapPropagator()
			t.Cleanup(func() {
				otel.SetTracerProvider(oldProvider)
				otel.SetTextMapPropagator(oldPropagator)
			})
			srv := reveniumtest.Start(t)
			sdk, err := Start(t.Context(), append(tt.opts,
				WithExporterOptions(exporter.WithAPIKey("rev_mk_test_0123456789"), exporter.WithBaseURL(srv.URL())))...)
			if err != nil {
				t.Fatal(err)
			}
			ctx, parent := otel.Tracer("sender").Start(t.Context(), "GET /")
			carrier := propagation.HeaderCarrier{}
			otel.GetTextMapPropagator().Inject(instrument.WithMetadata(ctx, instrument.Metadata{
				Agent: "planner", TicketID: "4711", Subscriber: instrument.Subscriber{Email: "jo@example.com"},
			}), carrier)
			received := otel.GetTextMapPropagator().Extract(context.WithoutCancel(t.Context()), carrier)
			if got := trace.SpanContextFromContext(received).TraceID(); got != parent.SpanContext().TraceID() {
				t.Errorf("trace %v, want that of the sender", got)
			}
			request(received, sdk.TracerProvider())
			parent.End()
			if _, err := sdk.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			records := srv.Completions()
			if len(records) != 1 {
				t.Fatalf("%d records, want 1", len(records))
			}
			for field, want := range tt.want {
				if got := records[0].Text(field); got != want {
					t.Errorf("%s is %q, want %q", field, got, want)
				}
			}
		})
	}
}
