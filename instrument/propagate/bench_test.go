// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"go.opentelemetry.io/otel/propagation"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
	"github.com/revenium/revenium-otel-go/semconv"
)

// personal are the fields of eight that are not sent as baggage by default.
func personal() propagate.Option {
	return propagate.WithMoreBaggageFields(semconv.ReveniumSubscriptionIDKey, semconv.ReveniumSubscriberIDKey, semconv.ReveniumSubscriberEmailKey)
}

// BenchmarkInject is what a request to another service costs more than with
// propagation.Baggage: with eight fields, and with none.
func BenchmarkInject(b *testing.B) {
	p := propagate.NewPropagator(personal())
	b.Run("eight", func(b *testing.B) {
		b.ReportAllocs()
		ctx := instrument.WithMetadata(b.Context(), eight())
		for b.Loop() {
			p.Inject(ctx, propagation.HeaderCarrier{})
		}
	})
	b.Run("none", func(b *testing.B) {
		b.ReportAllocs()
		carrier := propagation.HeaderCarrier{}
		for b.Loop() {
			p.Inject(b.Context(), carrier)
		}
	})
}

// BenchmarkExtract is the same for a request that comes in.
func BenchmarkExtract(b *testing.B) {
	carrier := propagation.HeaderCarrier{}
	propagate.NewPropagator(personal()).Inject(instrument.WithMetadata(b.Context(), eight()), carrier)
	for name, bench := range map[string]struct {
		p       *propagate.Propagator
		carrier propagation.HeaderCarrier
	}{
		"eight":     {propagate.NewPropagator(personal(), propagate.WithTrust(propagate.TrustAlways())), carrier},
		"untrusted": {propagate.NewPropagator(personal()), carrier},
		"none":      {propagate.NewPropagator(propagate.WithTrust(propagate.TrustAlways())), propagation.HeaderCarrier{}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bench.p.Extract(b.Context(), bench.carrier)
			}
		})
	}
}

// browser are headers that most requests have.
func browser() http.Header {
	return http.Header{
		"Accept": {"*/*"}, "Accept-Encoding": {"gzip"}, "Authorization": {"Bearer sk-test"}, "Content-Type": {"application/json"},
		"Content-Length": {"123"}, "User-Agent": {"test"}, "Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
	}
}

// BenchmarkMiddleware is what a request costs more with the middleware.
func BenchmarkMiddleware(b *testing.B) {
	with := browser()
	propagate.NewPropagator().InjectHeaders(instrument.WithMetadata(b.Context(), eight()), propagation.HeaderCarrier(with))
	for name, header := range map[string]http.Header{"eight": with, "none": browser()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			handler := propagate.NewMiddleware(propagate.WithTrust(propagate.TrustNetworks(netip.MustParsePrefix("192.0.2.0/24"))))(
				http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			req := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/", nil)
			req.Header = header
			for b.Loop() {
				handler.ServeHTTP(nil, req)
			}
		})
	}
}

// BenchmarkTransport is what a request to another service costs more with the
// transport.
func BenchmarkTransport(b *testing.B) {
	resp := &http.Response{}
	transport := propagate.NewTransport(roundTripper(func(*http.Request) (*http.Response, error) { return resp, nil }), []string{"proxy.example"})
	for name, url := range map[string]string{"eight": "http://proxy.example/v1", "other host": "http://other.example/v1"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			req := request(instrument.WithMetadata(b.Context(), eight()), b, url)
			req.Header = browser()
			for b.Loop() {
				if _, err := transport.RoundTrip(req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
