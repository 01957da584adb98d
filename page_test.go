// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package revenium_test

import (
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"

	revenium "github.com/revenium/revenium-otel-go"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestAttributionPage runs the code of docs/attribution.md that needs this package;
// instrument/propagate has the rest of it and compares the page.
func TestAttributionPage(t *testing.T) {
	oldProvider, oldPropagator := otel.GetTracerProvider(), otel.GetTextMapPropagator()
	t.Cleanup(func() {
		otel.SetTracerProvider(oldProvider)
		otel.SetTextMapPropagator(oldPropagator)
	})
	srv := reveniumtest.Start(t)
	t.Setenv("REVENIUM_METERING_API_KEY", "rev_mk_test_0123456789")
	t.Setenv("REVENIUM_METERING_BASE_URL", srv.URL())
	ctx := t.Context()
	sdk, err := revenium.Start(ctx, revenium.WithBaggage(
		propagate.WithTrust(propagate.TrustCertificates("spiffe://cluster.example/ns/shop/sa/web")),
	))
	if err != nil {
		t.Fatal(err)
	}
	received := otel.GetTextMapPropagator().Extract(ctx, propagation.MapCarrier{"baggage": "revenium.agent.name=a,color=blue"})
	if got := baggage.FromContext(received).String(); got != "color=blue" {
		t.Errorf("baggage %q, want the program's alone", got)
	}
	if _, err := sdk.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
}
