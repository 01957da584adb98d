// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
)

// rule is one of the rules of trust, the one that is set.
type rule struct {
	Always    bool
	Networks  []netip.Prefix
	Forwarded *struct {
		Proxies, Clients []netip.Prefix
	}
	Claims       bool
	Certificates []string
	Any          []rule
}

// trust is the rule as propagate has it; claims are those of the request.
func (r *rule) trust(claims *instrument.Metadata) propagate.Trust {
	switch {
	case r.Always:
		return propagate.TrustAlways()
	case r.Networks != nil:
		return propagate.TrustNetworks(r.Networks...)
	case r.Forwarded != nil:
		return propagate.TrustForwarded(r.Forwarded.Proxies, r.Forwarded.Clients...)
	case r.Claims:
		return propagate.TrustClaims(func(context.Context, *propagate.Request) (instrument.Metadata, bool) {
			if claims == nil {
				return instrument.Metadata{}, false
			}
			return *claims, true
		})
	case r.Certificates != nil:
		return propagate.TrustCertificates(r.Certificates...)
	case r.Any != nil:
		var either []propagate.Trust
		for i := range r.Any {
			either = append(either, r.Any[i].trust(claims))
		}
		return propagate.TrustAny(either...)
	default:
		return nil
	}
}

// certificate is that of a client.
type certificate struct {
	DNS, URIs []string
	Verified  bool
}

func (c *certificate) state(tb testing.TB) *tls.ConnectionState {
	tb.Helper()
	leaf := &x509.Certificate{DNSNames: c.DNS}
	for _, uri := range c.URIs {
		u, err := url.Parse(uri)
		if err != nil {
			tb.Fatal(err)
		}
		leaf.URIs = append(leaf.URIs, u)
	}
	state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
	if c.Verified {
		state.VerifiedChains = [][]*x509.Certificate{{leaf}}
	}
	return state
}

func TestTrust(t *testing.T) {
	type trust struct {
		Name    string
		Rule    rule
		Request struct {
			Peer        string
			Headers     map[string]text
			Baggage     text
			Claims      metadata
			Certificate *certificate
		}
		Metadata metadata
	}
	for _, c := range casesOf[trust](t, "trust.json") {
		t.Run(c.Name, func(t *testing.T) {
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			req.RemoteAddr = c.Request.Peer
			for name, value := range c.Request.Headers {
				req.Header.Set(name, string(value))
			}
			req.Header.Set("baggage", string(c.Request.Baggage))
			if c.Request.Certificate != nil {
				req.TLS = c.Request.Certificate.state(t)
			}
			var claims *instrument.Metadata
			if c.Request.Claims != nil {
				claims = new(c.Request.Claims.of(t))
			}
			called := false
			propagate.NewMiddleware(propagate.WithTrust(c.Rule.trust(claims)))(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				called = true
				c.Metadata.want(r.Context(), t)
			})).ServeHTTP(httptest.NewRecorder(), req)
			if !called {
				t.Error("the handler was not called")
			}
		})
	}
}

func TestLiteLLMKey(t *testing.T) {
	type key struct {
		Name     string
		Said     metadata
		Key      propagate.LiteLLMKey
		Metadata metadata
	}
	for _, c := range casesOf[key](t, "litellm-key.json") {
		said := c.Said.of(t)
		if diff := cmp.Diff(c.Metadata.of(t), c.Key.Fallback(said).Merge(said)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.Name, diff)
		}
	}
}
