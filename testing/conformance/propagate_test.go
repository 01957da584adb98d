// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
)

func TestHeadersIn(t *testing.T) {
	type in struct {
		Name     string
		Only     []attribute.Key
		Headers  [][2]text
		Metadata metadata
		Dropped  dropped
	}
	seen := map[string]bool{}
	for _, c := range casesOf[in](t, "headers-in.json") {
		t.Run(c.Name, func(t *testing.T) {
			option, want := counted(t)
			opts := []propagate.Option{option, propagate.WithTrust(propagate.TrustAlways())}
			if c.Only != nil {
				opts = append(opts, propagate.WithOnlyHeaderFields(c.Only...))
			}
			carrier := propagation.HeaderCarrier{}
			for _, header := range c.Headers {
				http.Header(carrier).Add(string(header[0]), string(header[1]))
				seen[strings.ToLower(string(header[0]))] = true
			}
			c.Metadata.want(propagate.NewPropagator(opts...).Extract(t.Context(), carrier), t)
			want(c.Dropped)
		})
	}
	for _, f := range instrument.Fields() {
		for _, name := range f.Headers {
			if !seen[name] {
				t.Errorf("no case has the header %s", name)
			}
		}
	}
}

func TestHeadersOut(t *testing.T) {
	type out struct {
		Name     string
		Only     []attribute.Key
		NonASCII bool `json:"non_ascii"`
		Present  map[string]text
		Metadata metadata
		Headers  map[string]text
		Dropped  dropped
	}
	for _, c := range casesOf[out](t, "headers-out.json") {
		t.Run(c.Name, func(t *testing.T) {
			option, want := counted(t)
			opts := []propagate.Option{option}
			if c.Only != nil {
				opts = append(opts, propagate.WithOnlyHeaderFields(c.Only...))
			}
			if c.NonASCII {
				opts = append(opts, propagate.WithNonASCII())
			}
			sent := map[string]text{}
			transport := propagate.NewTransport(sink(func(req *http.Request) {
				for name, values := range req.Header {
					if name = strings.ToLower(name); strings.HasPrefix(name, "x-revenium-") {
						sent[name] = text(values[0])
					}
				}
			}), []string{"proxy.example"}, opts...)
			req, err := http.NewRequestWithContext(instrument.WithMetadata(t.Context(), c.Metadata.of(t)), http.MethodGet, "https://proxy.example", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range c.Present {
				req.Header.Set(name, string(value))
			}
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if err := resp.Body.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.Headers, sent); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			want(c.Dropped)
		})
	}
}

// sink answers every request and shows it to a function.
type sink func(*http.Request)

// RoundTrip implements http.RoundTripper.
func (s sink) RoundTrip(req *http.Request) (*http.Response, error) {
	s(req)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

func TestBaggageIn(t *testing.T) {
	type in struct {
		Name     string
		More     []attribute.Key
		Baggage  []text
		Metadata metadata
		// Rest are the members that stay; RestMembers is their number, where they are
		// many.
		Rest        map[string]text
		RestMembers *int `json:"rest_members"`
		Dropped     dropped
	}
	for _, c := range casesOf[in](t, "baggage-in.json") {
		t.Run(c.Name, func(t *testing.T) {
			option, want := counted(t)
			p := propagate.NewPropagator(option, propagate.WithTrust(propagate.TrustAlways()), propagate.WithMoreBaggageFields(c.More...))
			carrier := propagation.HeaderCarrier{}
			for _, line := range c.Baggage {
				http.Header(carrier).Add("baggage", string(line))
			}
			ctx := p.Extract(t.Context(), carrier)
			c.Metadata.want(ctx, t)
			wantMembers(t, baggage.FromContext(ctx), c.Rest, c.RestMembers)
			want(c.Dropped)
		})
	}
}

func TestBaggageOut(t *testing.T) {
	type out struct {
		Name         string
		More         []attribute.Key
		Metadata     metadata
		Baggage      text
		Members      map[string]text
		MembersCount *int `json:"members_count"`
		Dropped      dropped
	}
	for _, c := range casesOf[out](t, "baggage-out.json") {
		t.Run(c.Name, func(t *testing.T) {
			option, want := counted(t)
			ctx := t.Context()
			if c.Baggage != "" {
				own, err := baggage.Parse(string(c.Baggage))
				if err != nil {
					t.Fatal(err)
				}
				ctx = baggage.ContextWithBaggage(ctx, own)
			}
			carrier := propagation.HeaderCarrier{}
			propagate.NewPropagator(option, propagate.WithMoreBaggageFields(c.More...)).
				Inject(instrument.WithMetadata(ctx, c.Metadata.of(t)), carrier)
			sent, err := baggage.Parse(carrier.Get("baggage"))
			if err != nil {
				t.Fatal(err)
			}
			wantMembers(t, sent, c.Members, c.MembersCount)
			want(c.Dropped)
		})
	}
}

// wantMembers fails the test unless a baggage has exactly these members, or, where
// a number is given, so many.
func wantMembers(tb testing.TB, bag baggage.Baggage, want map[string]text, number *int) {
	tb.Helper()
	if number != nil {
		if bag.Len() != *number {
			tb.Errorf("%d members, want %d", bag.Len(), *number)
		}
		return
	}
	got := map[string]text{}
	for _, member := range bag.Members() {
		got[member.Key()] = text(member.Value())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Errorf("members (-want +got):\n%s", diff)
	}
}

func TestLimits(t *testing.T) {
	type limit struct {
		Name  string
		Field attribute.Key
		Value text
		Valid bool
	}
	for _, c := range casesOf[limit](t, "limits.json") {
		m := metadata{c.Field: c.Value}.of(t)
		if m.IsZero() {
			t.Errorf("%s is not set by %q", c.Field, c.Value)
		}
		if err := m.Validate(); (err == nil) != c.Valid {
			t.Errorf("%s: %.80q: %v", c.Name, c.Value, err)
		}
		// Neither way lets through what is not valid.
		p := propagate.NewPropagator(propagate.WithMoreBaggageFields(c.Field), propagate.WithTrust(propagate.TrustAlways()))
		carrier := propagation.HeaderCarrier{}
		p.Inject(instrument.WithMetadata(t.Context(), m), carrier)
		if sent := len(carrier) > 0; sent != c.Valid {
			t.Errorf("%s: %.80q is sent: %t", c.Name, c.Value, sent)
		}
		headers := fieldOf(t, c.Field).Headers
		if len(headers) == 0 || !utf8.ValidString(string(c.Value)) { // bytes that are not UTF-8 are something else in a header
			continue
		}
		read := instrument.FromContext(p.Extract(t.Context(), propagation.HeaderCarrier{http.CanonicalHeaderKey(headers[0]): {string(c.Value)}}))
		if !read.IsZero() != c.Valid {
			t.Errorf("%s: %.80q is read: %t", c.Name, c.Value, !read.IsZero())
		}
	}
}
