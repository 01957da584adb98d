// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate

import (
	"net/http"
	"net/netip"
	"strings"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
)

// NewMiddleware returns middleware for net/http servers that puts what is believed
// of a request's x-revenium-* headers and baggage into its context. All options but
// [WithNonASCII] have an effect.
//
// Around or inside middleware that makes spans (otelhttp), it works either way. If
// the program's propagator is propagation.Baggage, it goes inside, so that metadata
// which is not believed is not passed on as baggage either.
func NewMiddleware(opts ...Option) func(http.Handler) http.Handler {
	p := NewPropagator(opts...)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := p.Receive(r.Context(), Request{
				Carrier: propagation.HeaderCarrier(r.Header), Peer: peerOf(r.RemoteAddr), TLS: r.TLS, HTTP: r,
			})
			if p.config.removal {
				r = r.WithContext(ctx)
				r.Header = p.withoutOurs(r.Header)
			} else if ctx != r.Context() {
				r = r.WithContext(ctx)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// peerOf is the address of an http.Request.RemoteAddr; invalid where it is none, as
// with Unix sockets.
func peerOf(remote string) netip.Addr {
	addr, _ := parseAddr(remote)
	return addr
}

// withoutOurs returns headers without what is metadata in them.
func (p *Propagator) withoutOurs(h http.Header) http.Header {
	clean := h.Clone()
	for name := range h {
		if strings.HasPrefix(name, headerPrefix) {
			delete(clean, name)
		}
	}
	if values := h.Values(baggageHeader); len(values) > 0 {
		bag, _ := baggage.Parse(strings.Join(values, ",")) // what cannot be read has been reported
		if rest, ours := p.splitBaggage(bag); len(ours) > 0 {
			clean.Set(baggageHeader, rest.String())
			if rest.Len() == 0 {
				clean.Del(baggageHeader)
			}
		}
	}
	return clean
}
