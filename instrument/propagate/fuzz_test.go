// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate_test

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
)

// FuzzBaggage reads any baggage. What is read is valid, and arrives unchanged at
// the next process.
func FuzzBaggage(f *testing.F) {
	f.Add("revenium.organization.name=Acme,color=blue;ttl=3")
	f.Add("revenium.organization.id=M%C3%BCller,revenium.task.type=%ff,revenium.agent.name=a%0d%0ab")
	f.Add(strings.Repeat("k=v,", 180) + "revenium.trace.id=1")
	f.Add("revenium.subscriber.credential.value=s," + strings.Repeat("x", 8192))
	f.Add(",;=\"\\ \t")
	p := propagate.NewPropagator(propagate.WithTrust(propagate.TrustAlways()))
	f.Fuzz(func(t *testing.T, text string) {
		ctx := p.Extract(t.Context(), propagation.HeaderCarrier{"Baggage": {text}})
		got := instrument.FromContext(ctx)
		if err := got.Validate(); err != nil {
			t.Errorf("from %q: %v", text, err)
		}
		allowed := only(t, got, propagate.DefaultBaggageFields()...)
		if diff := cmp.Diff(allowed, got); diff != "" {
			t.Errorf("from %q, not on the list:\n%s", text, diff)
		}
		for _, member := range baggage.FromContext(ctx).Members() {
			if strings.HasPrefix(member.Key(), "revenium.") {
				t.Errorf("%q stays in the baggage", member.Key())
			}
		}
		sent := propagation.HeaderCarrier{}
		p.Inject(ctx, sent)
		if again := sent.Get("baggage"); len(again) > 8192 || strings.ContainsFunc(again, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q is sent on as %q", text, again)
		}
		if len(text) > 4096 { // or the metadata may find no room in it
			return
		}
		if diff := cmp.Diff(got, instrument.FromContext(p.Extract(t.Context(), sent))); diff != "" {
			t.Errorf("from %q, sent on (-want +got):\n%s", text, diff)
		}
	})
}

// FuzzHeaders reads any headers. What is read is valid, and arrives unchanged at
// the next process.
func FuzzHeaders(f *testing.F) {
	f.Add("X-Revenium-Organization-Id", "Acme", "x-revenium-organization-name", "Müller")
	f.Add("x-revenium-agent", "a\r\nX-Evil: 1", "x-revenium-response-quality-score", "0.5")
	f.Add("x-claude-code-session-id", "s", "X-Revenium-Trace-Id", " ")
	f.Add("x-revenium-agent", "\xffa\xa0", "x-revenium-agent", "b")
	f.Add("x-revenium-task-type", strings.Repeat("x", 256), "x-revenium-subscriber-credential", "secret")
	p := propagate.NewPropagator(propagate.WithTrust(propagate.TrustAlways()))
	var sent propagation.HeaderCarrier
	transport := propagate.NewTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
		sent = propagation.HeaderCarrier(req.Header)
		return nil, http.ErrServerClosed
	}), []string{"proxy.example"}, propagate.WithNonASCII())
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		for _, carrier := range []propagation.TextMapCarrier{
			message{name1: value1, name2: value2},
			propagation.HeaderCarrier{http.CanonicalHeaderKey(name1): {value1, value2}, http.CanonicalHeaderKey(name2): {value2}},
		} {
			ctx := p.Extract(t.Context(), carrier)
			got := instrument.FromContext(ctx)
			if err := got.Validate(); err != nil {
				t.Errorf("from %v: %v", carrier, err)
			}
			if got.Subscriber.CredentialValue != "" {
				t.Errorf("a credential from %v", carrier)
			}
			if _, err := transport.RoundTrip(request(ctx, t, "http://proxy.example")); !errors.Is(err, http.ErrServerClosed) {
				t.Fatal(err)
			}
			p.Inject(ctx, sent)
			for _, values := range sent {
				if strings.ContainsFunc(values[0], func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
					t.Errorf("%v is sent on as %v", carrier, sent)
				}
			}
			if diff := cmp.Diff(got, instrument.FromContext(p.Extract(t.Context(), sent))); diff != "" {
				t.Errorf("from %v, sent on (-want +got):\n%s", carrier, diff)
			}
		}
	})
}

// FuzzForwardedFor never finds a client in a header that an outsider wrote alone.
func FuzzForwardedFor(f *testing.F) {
	f.Add("10.1.2.3")
	f.Add("[fd00::1]:99, 192.0.2.7")
	f.Add(strings.Repeat("192.0.2.7,", 99))
	trust := propagate.TrustForwarded(prefixes("192.0.2.0/24"), netip.MustParsePrefix("10.0.0.0/8"))
	f.Fuzz(func(t *testing.T, said string) {
		carrier := propagation.MapCarrier{"X-Forwarded-For": said + ", 198.51.100.1"} // who calls the proxy
		r := propagate.Request{Peer: netip.MustParseAddr("192.0.2.1"), Carrier: carrier}
		if trust(t.Context(), &r).Trusted {
			t.Errorf("%q is believed", said)
		}
	})
}
