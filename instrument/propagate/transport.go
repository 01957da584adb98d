// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate

import (
	"fmt"
	"net/http"
	"net/url"

	"go.opentelemetry.io/otel"

	"github.com/revenium/revenium-otel-go/instrument/internal/hosts"
)

// Transport is an http.RoundTripper that adds the metadata of a request's context
// as x-revenium-* headers where the request goes to one of its hosts: LiteLLM
// proxies, and gateways that read the same headers. It is safe for concurrent use.
// Make one with [NewTransport].
type Transport struct {
	base       http.RoundTripper
	hosts      hosts.List
	propagator *Propagator
}

var _ http.RoundTripper = (*Transport)(nil)

// NewTransport returns a transport that sends requests with base. A nil base is
// http.DefaultTransport as it is when a request is sent.
//
// Hosts are named by "host" for all its ports, "host:port" or a URL for one. Other
// hosts get no metadata, also not when one of the hosts redirects to them; nor does
// a host that is redirected to without TLS from a request that had it.
//
// Organization and product are sent under both names that proxies know them by,
// -name and the older -id. Of a field about which the request has a header already,
// none is added. Values that no header can hold are left out and counted; the
// request is sent in any case. [WithOnlyHeaderFields], [WithNonASCII] and
// [WithMeterProvider] have an effect.
func NewTransport(base http.RoundTripper, allowed []string, opts ...Option) *Transport {
	for _, name := range allowed {
		if hosts.Clean(name) == "" {
			otel.Handle(fmt.Errorf("propagate: %q is no host: name a host, host:port or URL", name))
		}
	}
	return &Transport{base: base, hosts: hosts.NewList(allowed), propagator: NewPropagator(opts...)}
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	base := t.baseTransport()
	if req.URL == nil || !t.hosts.Has(hosts.Of(req.URL)) || downgraded(req) {
		return base.RoundTrip(req)
	}
	attrs := t.propagator.outgoing(req.Context(), inHeader, t.propagator.headersOut)
	if len(attrs) == 0 {
		return base.RoundTrip(req)
	}
	// The caller's request must not change: http.Client copies its headers to
	// whichever host a redirect leads to.
	sent := req.WithContext(req.Context())
	sent.Header = req.Header.Clone()
	if sent.Header == nil {
		sent.Header = make(http.Header, len(attrs))
	}
	t.propagator.writeHeaders(req.Context(), attrs, t.propagator.config.nonASCII,
		func(name string) bool { return sent.Header[name] != nil },
		func(name, value string) { sent.Header[name] = []string{value} })
	resp, err := base.RoundTrip(sent)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// downgraded says that a request follows a redirect away from TLS.
func downgraded(req *http.Request) bool {
	return req.Response != nil && req.Response.Request != nil && isTLS(req.Response.Request.URL) && !isTLS(req.URL)
}

func isTLS(u *url.URL) bool { return u != nil && u.Scheme == "https" }

// CloseIdleConnections closes the idle connections of the base transport, if it
// can.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.baseTransport().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (t *Transport) baseTransport() http.RoundTripper {
	if t.base != nil {
		return t.base
	}
	return http.DefaultTransport
}
