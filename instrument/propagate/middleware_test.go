// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
	"github.com/revenium/revenium-otel-go/semconv"
)

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// received sends a request through middleware and returns what the handler saw.
func received(tb testing.TB, req *http.Request, opts ...propagate.Option) (seen *http.Request) {
	tb.Helper()
	propagate.NewMiddleware(opts...)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r })).
		ServeHTTP(httptest.NewRecorder(), req)
	if seen == nil {
		tb.Fatal("the handler was not called")
	}
	return seen
}

// TestTrust sends requests of all kinds of senders.
func TestTrust(t *testing.T) {
	said := instrument.Metadata{Organization: "header", Agent: "header", TaskType: "baggage"}
	inside, proxies := prefixes("10.0.0.0/8", "fd00::/8"), prefixes("192.0.2.0/24")
	claims := instrument.Metadata{Organization: "claim", Subscriber: instrument.Subscriber{ID: "u-1"}}
	token := propagate.TrustClaims(func(_ context.Context, r *propagate.Request) (instrument.Metadata, bool) {
		return claims, r.HTTP.Header.Get("Authorization") == "Bearer good"
	})
	for _, tt := range []struct {
		name    string
		trust   propagate.Trust
		peer    string
		headers map[string]string
		want    instrument.Metadata
	}{
		{name: "by default", peer: "127.0.0.1:1"},
		{name: "always", trust: propagate.TrustAlways(), peer: "@", want: said},
		{name: "a network", trust: propagate.TrustNetworks(inside...), peer: "10.1.2.3:4567", want: said},
		{name: "a network, IPv6", trust: propagate.TrustNetworks(inside...), peer: "[fd00::1%eth0]:4567", want: said},
		{name: "a network, IPv4 in IPv6", trust: propagate.TrustNetworks(inside...), peer: "[::ffff:10.1.2.3]:4567", want: said},
		{name: "another network", trust: propagate.TrustNetworks(inside...), peer: "11.1.2.3:4567"},
		{name: "no network at all", trust: propagate.TrustNetworks(), peer: "10.1.2.3:4567"},
		{name: "a Unix socket", trust: propagate.TrustNetworks(inside...), peer: "@"},
		{name: "no peer", trust: propagate.TrustNetworks(inside...), peer: ""},
		{name: "outside, and says it is inside", trust: propagate.TrustNetworks(inside...), peer: "11.1.2.3:1", headers: map[string]string{"X-Forwarded-For": "10.1.2.3", "Forwarded": "for=10.1.2.3"}},
		{name: "inside, for somebody outside", trust: propagate.TrustNetworks(inside...), peer: "10.1.2.3:1", headers: map[string]string{"X-Forwarded-For": "11.1.2.3"}, want: said},
		{name: "forwarded", trust: propagate.TrustForwarded(proxies, inside...), peer: "192.0.2.1:1", headers: map[string]string{"X-Forwarded-For": "10.1.2.3"}, want: said},
		{name: "forwarded by two", trust: propagate.TrustForwarded(proxies, inside...), peer: "192.0.2.1:1", headers: map[string]string{"X-Forwarded-For": "11.1.1.1, 10.1.2.3:99 ,192.0.2.7"}, want: said},
		{name: "forwarded, IPv6", trust: propagate.TrustForwarded(proxies, inside...), peer: "192.0.2.1:1", headers: map[string]string{"X-Forwarded-For": "[fd00::1]:99"}, want: said},
		{name: "forwarded, in brackets", trust: propagate.TrustForwarded(proxies, inside...), peer: "192.0.2.1:1", headers: map[string]string{"X-Forwarded-For": "[fd00::1]"}, want: said},
		{name: "forwarded for an outsider who says he is inside", trust: propagate.TrustForwarded(proxies, inside...), peer: "192.0.2.1:1", headers: map[string]string{"X-Forwarded-For": "10.1.2.3, 11.1.2.3"}},
		{name: "forwarded by a stranger", trust: propagate.TrustForwarded(proxies, inside...), peer: "10.1.2.3:1", headers: map[string]string{"X-Forwarded-For": "10.1.2.3"}},
		{name: "forwarded for nobody", trust: propagate.TrustForwarded(proxies, inside...), peer: "192.0.2.1:1"},
		{name: "forwarded for a proxy alone", trust: propagate.TrustForwarded(proxies, inside...), peer: "192.0.2.1:1", headers: map[string]string{"X-Forwarded-For": "192.0.2.2"}},
		{name: "forwarded for something else", trust: propagate.TrustForwarded(proxies, inside...), peer: "192.0.2.1:1", headers: map[string]string{"X-Forwarded-For": "10.1.2.3, unknown"}},
		{name: "a good token", trust: token, peer: "11.1.2.3:1", headers: map[string]string{"Authorization": "Bearer good"}, want: claims.Merge(instrument.Metadata{Agent: "header", TaskType: "baggage"})},
		{name: "a bad token", trust: token, peer: "11.1.2.3:1", headers: map[string]string{"Authorization": "Bearer bad"}},
		{
			name: "a good token that does not say who pays", peer: "11.1.2.3:1", want: instrument.Metadata{Agent: "claim", TaskType: "baggage"},
			trust: propagate.TrustClaims(func(context.Context, *propagate.Request) (instrument.Metadata, bool) {
				return instrument.Metadata{Agent: "claim"}, true
			}),
		},
		{name: "claims, and nothing else", peer: "11.1.2.3:1", want: claims, trust: func(context.Context, *propagate.Request) propagate.Verdict {
			return propagate.Verdict{Verified: claims}
		}},
		{name: "either, the first", trust: propagate.TrustAny(nil, propagate.TrustNetworks(inside...), token), peer: "10.1.2.3:1", want: said},
		{name: "either, the second", trust: propagate.TrustAny(propagate.TrustNetworks(inside...), token), peer: "11.1.2.3:1", headers: map[string]string{"Authorization": "Bearer good"}, want: claims.Merge(instrument.Metadata{Agent: "header", TaskType: "baggage"})},
		{name: "neither", trust: propagate.TrustAny(propagate.TrustNetworks(inside...), token), peer: "11.1.2.3:1"},
		{name: "no certificate", trust: propagate.TrustCertificates("gateway.example"), peer: "10.1.2.3:1"},
		{name: "a panic", peer: "10.1.2.3:1", trust: func(context.Context, *propagate.Request) propagate.Verdict { panic("oh") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reports := reported(t)
			option, dropped := counted()
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			req.RemoteAddr = tt.peer
			req.Header.Set("X-Revenium-Organization-Id", "header")
			req.Header.Set("X-Revenium-Agent", "header")
			req.Header.Set("Baggage", "revenium.task.type=baggage,color=blue")
			for name, value := range tt.headers {
				req.Header.Set(name, value)
			}
			before := req.Header.Clone()
			seen := received(t, req, propagate.WithTrust(tt.trust), option)
			wantMetadata(seen.Context(), t, tt.want)
			if tt.want.IsZero() {
				wantDrops(t, dropped(t), drops{"in header untrusted": 2, "in baggage untrusted": 1})
			}
			if diff := cmp.Diff(before, seen.Header); diff != "" {
				t.Errorf("the request changed (-want +got):\n%s", diff)
			}
			if got := len(reports()); got != 0 && tt.name != "a panic" || got == 0 && tt.name == "a panic" {
				t.Errorf("reported %q", reports())
			}
		})
	}
}

// TestFallback fills in from the key that a request came with.
func TestFallback(t *testing.T) {
	trust := propagate.TrustLiteLLMKeys(func(_ context.Context, r *propagate.Request) (propagate.LiteLLMKey, bool) {
		key, ok := map[string]propagate.LiteLLMKey{
			"Bearer sk-team": {Alias: "team key", TeamAlias: "Team", UserEmail: "owner@example.com", Metadata: map[string]any{"revenium_user_id": 4711}},
		}[r.HTTP.Header.Get("Authorization")]
		return key, ok
	})
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	req.Header.Set("X-Revenium-Task-Type", "chat")
	wantMetadata(received(t, req, propagate.WithTrust(trust)).Context(), t, instrument.Metadata{})
	req.Header.Set("Authorization", "Bearer sk-team")
	subscriber := instrument.Subscriber{ID: "4711", Email: "owner@example.com", CredentialName: "team key"}
	wantMetadata(received(t, req, propagate.WithTrust(trust)).Context(), t,
		instrument.Metadata{TaskType: "chat", Organization: "Team", Subscriber: subscriber})
	// What the call says goes before the key, in baggage as well.
	req.Header.Set("Baggage", "revenium.organization.name=baggage")
	req.Header.Set("X-Revenium-Subscriber-Email", "other@example.com")
	wantMetadata(received(t, req, propagate.WithTrust(trust)).Context(), t,
		instrument.Metadata{TaskType: "chat", Organization: "baggage", Subscriber: instrument.Subscriber{Email: "other@example.com", CredentialName: "team key"}})

	reports := reported(t)
	broken := func(context.Context, *propagate.Request) propagate.Verdict {
		return propagate.Verdict{Trusted: true, Fallback: func(instrument.Metadata) instrument.Metadata { panic("oh") }}
	}
	wantMetadata(received(t, req, propagate.WithTrust(broken)).Context(), t,
		instrument.Metadata{TaskType: "chat", Organization: "baggage", Subscriber: instrument.Subscriber{Email: "other@example.com"}})
	if len(reports()) != 1 {
		t.Errorf("reported %q", reports())
	}
}

// TestHeaderRemoval shows what a gateway would pass on.
func TestHeaderRemoval(t *testing.T) {
	for _, tt := range []struct {
		baggage, want string
	}{
		{"revenium.organization.name=Victim,color=blue;ttl=1", "color=blue;ttl=1"},
		{"revenium.organization.name=Victim", ""},
		{"color=blue", "color=blue"},
		{"", ""},
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		req.Header = http.Header{
			"Authorization": {"Bearer sk-test"}, "X-Revenium-Organization-Name": {"Victim"}, "X-Revenium-New": {"x"}, "Traceparent": {"tp"},
		}
		if tt.baggage != "" {
			req.Header.Set("Baggage", tt.baggage)
		}
		before := req.Header.Clone()
		for _, trust := range []propagate.Trust{nil, propagate.TrustAlways()} {
			seen := received(t, req, propagate.WithHeaderRemoval(), propagate.WithTrust(trust))
			want := http.Header{"Authorization": {"Bearer sk-test"}, "Traceparent": {"tp"}}
			if tt.want != "" {
				want.Set("Baggage", tt.want)
			}
			if diff := cmp.Diff(want, seen.Header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if got := instrument.FromContext(seen.Context()).Organization; (got == "Victim") != (trust != nil) {
				t.Errorf("organization %q", got)
			}
		}
		if !cmp.Equal(before, req.Header) {
			t.Error("the request of those further out changed")
		}
	}
}

// TestMiddlewareOrder puts the middleware inside and outside of what extracts
// baggage, with the standard propagator and ours.
func TestMiddlewareOrder(t *testing.T) {
	extracting := func(p propagation.TextMapPropagator) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r.WithContext(p.Extract(r.Context(), propagation.HeaderCarrier(r.Header))))
			})
		}
	}
	for _, trusted := range []bool{true, false} {
		opts := []propagate.Option{propagate.WithTrust(func(context.Context, *propagate.Request) propagate.Verdict {
			return propagate.Verdict{Trusted: trusted}
		})}
		middleware := propagate.NewMiddleware(opts...)
		for name, chain := range map[string]func(http.Handler) http.Handler{
			"inside of the standard one": func(h http.Handler) http.Handler { return extracting(propagation.Baggage{})(middleware(h)) },
			"inside of ours":             func(h http.Handler) http.Handler { return extracting(propagate.NewPropagator())(middleware(h)) },
			"outside of ours":            func(h http.Handler) http.Handler { return middleware(extracting(propagate.NewPropagator())(h)) },
		} {
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			req.Header.Set("Baggage", "revenium.organization.name=Acme,color=blue")
			var seen *http.Request
			chain(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r })).ServeHTTP(httptest.NewRecorder(), req)
			want := instrument.Metadata{}
			if trusted {
				want.Organization = "Acme"
			}
			if diff := cmp.Diff(want, instrument.FromContext(seen.Context())); diff != "" {
				t.Errorf("%s, trusted %t (-want +got):\n%s", name, trusted, diff)
			}
			if got := baggage.FromContext(seen.Context()).String(); got != "color=blue" {
				t.Errorf("%s, trusted %t: baggage %q", name, trusted, got)
			}
		}
	}
}

// TestExcept withholds single fields from a sender who is believed otherwise.
func TestExcept(t *testing.T) {
	option, dropped := counted()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	req.Header.Set("X-Revenium-Organization-Id", "Acme")
	req.Header.Set("X-Revenium-Agent", "planner")
	req.Header.Set("Baggage", "revenium.organization.name=Acme,revenium.task.type=chat")
	trust := func(context.Context, *propagate.Request) propagate.Verdict {
		return propagate.Verdict{Trusted: true, Except: append(propagate.CustomerFields(), semconv.ReveniumTaskTypeKey, "revenium.nothing")}
	}
	wantMetadata(received(t, req, propagate.WithTrust(trust), option).Context(), t, instrument.Metadata{Agent: "planner"})
	wantDrops(t, dropped(t), drops{"in header not_allowed": 1, "in baggage not_allowed": 2})
}
