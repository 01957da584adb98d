// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
)

// roundTripper is a transport made of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// ours are the headers of a request that have our prefix.
func ours(h http.Header) map[string]string {
	got := map[string]string{}
	for name, values := range h {
		if strings.HasPrefix(name, "X-Revenium-") {
			got[name] = strings.Join(values, "|")
		}
	}
	return got
}

func request(ctx context.Context, tb testing.TB, url string) *http.Request {
	tb.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		tb.Fatal(err)
	}
	return req
}

func TestTransport(t *testing.T) {
	acme := map[string]string{"X-Revenium-Organization-Name": "Acme", "X-Revenium-Organization-Id": "Acme", "X-Revenium-Subscriber-Id": "u-1"}
	reports := reported(t)
	var sent *http.Request
	transport := propagate.NewTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
		sent = req
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
	}), []string{"Proxy.example", "http://gateway.example:4000", "::1", "http://"})
	if got := reports(); len(got) != 1 || !strings.Contains(got[0], `"http://" is no host`) {
		t.Errorf("reported %q, want the host that is none", got)
	}
	ctx := instrument.WithMetadata(t.Context(), instrument.Metadata{Organization: "Acme", Subscriber: instrument.Subscriber{ID: "u-1"}})
	for _, tt := range []struct {
		url  string
		ctx  context.Context
		set  map[string]string
		want map[string]string
	}{
		{url: "http://proxy.example/v1", want: acme},
		{url: "https://PROXY.example:8443/v1", want: acme},
		{url: "http://gateway.example:4000/v1", want: acme},
		{url: "http://[::1]:4000/v1", want: acme},
		{url: "http://gateway.example/v1"},
		{url: "http://api.openai.com/v1"},
		{url: "http://proxy.example.evil.example/v1"},
		{url: "http://proxy.example@evil.example/v1"},
		{url: "http://proxy.example/v1", ctx: t.Context()},
		{
			url: "http://proxy.example/v1", set: map[string]string{"x-revenium-organization-name": "own", "x-revenium-subscriber-id": "", "x-revenium-retry-number": "1"},
			want: map[string]string{"X-Revenium-Organization-Name": "own", "X-Revenium-Subscriber-Id": "", "X-Revenium-Retry-Number": "1"},
		},
	} {
		if tt.ctx == nil {
			tt.ctx = ctx
		}
		req := request(tt.ctx, t, tt.url)
		req.Header.Set("Authorization", "Bearer sk-test")
		for name, value := range tt.set {
			req.Header.Set(name, value)
		}
		before := req.Header.Clone()
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if tt.want == nil {
			tt.want = map[string]string{}
		}
		if diff := cmp.Diff(tt.want, ours(sent.Header)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.url, diff)
		}
		if sent.Header.Get("Authorization") != "Bearer sk-test" || sent.Method != http.MethodPost || sent.Body == nil {
			t.Errorf("%s: the rest of the request is lost", tt.url)
		}
		if !cmp.Equal(before, req.Header) || resp.Request != req {
			t.Errorf("%s: the caller's request changed", tt.url)
		}
	}
	bare := &http.Request{Method: http.MethodGet, URL: request(ctx, t, "http://proxy.example").URL}
	if _, err := transport.RoundTrip(bare.WithContext(ctx)); err != nil || !cmp.Equal(acme, ours(sent.Header)) {
		t.Errorf("without headers: %v, error %v", sent.Header, err)
	}
}

func TestTransportErrors(t *testing.T) {
	failure := errors.New("no route")
	transport := propagate.NewTransport(roundTripper(func(*http.Request) (*http.Response, error) { return nil, failure }), []string{"proxy.example"})
	ctx := instrument.WithMetadata(t.Context(), eight())
	if resp, err := transport.RoundTrip(request(ctx, t, "http://proxy.example")); resp != nil || !errors.Is(err, failure) {
		t.Errorf("%v, %v", resp, err)
	}
	if _, err := transport.RoundTrip((&http.Request{}).WithContext(ctx)); !errors.Is(err, failure) {
		t.Errorf("a request without a URL: %v", err)
	}
	transport.CloseIdleConnections()
}

// TestInjectionOverHTTP sends values that would break a request through a real
// connection.
func TestInjectionOverHTTP(t *testing.T) {
	var got http.Header
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	t.Cleanup(srv.Close)
	option, dropped := counted()
	transport := propagate.NewTransport(nil, []string{srv.URL}, option)
	t.Cleanup(transport.CloseIdleConnections) // those of the default transport, which the others share
	ctx := instrument.WithMetadata(t.Context(), instrument.Metadata{
		Organization: "Acme\r\nX-Evil: 1", Product: "Größe", Agent: strings.Repeat("x", 64<<10), TaskType: "chat",
	})
	resp, err := (&http.Client{Transport: transport}).Do(request(ctx, t, srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if diff := cmp.Diff(map[string]string{"X-Revenium-Task-Type": "chat"}, ours(got)); diff != "" || got.Get("X-Evil") != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	wantDrops(t, dropped(t), drops{"out header invalid": 3})

	// UTF-8 is sent where it is wanted, and arrives.
	utf8 := propagate.NewTransport(nil, []string{srv.URL}, propagate.WithNonASCII())
	resp, err = (&http.Client{Transport: utf8}).Do(request(ctx, t, srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	want := map[string]string{"X-Revenium-Task-Type": "chat", "X-Revenium-Product-Id": "Größe", "X-Revenium-Product-Name": "Größe"}
	if diff := cmp.Diff(want, ours(got)); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// TestRedirect has an allowed host lead the client elsewhere.
func TestRedirect(t *testing.T) {
	seen := map[string]map[string]string{}
	note := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || string(body) != "{}" {
				t.Errorf("%s: body %q, error %v", name, body, err)
			}
			seen[name+r.URL.Path] = ours(r.Header)
			if to := r.URL.Query().Get("to"); to != "" {
				http.Redirect(w, r, to, http.StatusTemporaryRedirect)
			}
		}
	}
	other := httptest.NewServer(note("other"))
	t.Cleanup(other.Close)
	plain := httptest.NewServer(note("plain"))
	t.Cleanup(plain.Close)
	secure := httptest.NewTLSServer(note("secure"))
	t.Cleanup(secure.Close)
	ctx := instrument.WithMetadata(t.Context(), instrument.Metadata{Agent: "planner"})
	send := func(url string, allowed ...string) {
		t.Helper()
		resp, err := (&http.Client{Transport: propagate.NewTransport(secure.Client().Transport, allowed)}).Do(request(ctx, t, url))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	// To another host, and on the same one.
	send(plain.URL+"/a?to="+plain.URL+"/b?to="+other.URL, plain.URL)
	// Away from TLS, on a host that is allowed for all its ports.
	send(secure.URL+"/a?to="+plain.URL+"/c", "127.0.0.1")
	// From one allowed host to another.
	send(plain.URL+"/d?to="+secure.URL+"/d", plain.URL, secure.URL)
	agent := map[string]string{"X-Revenium-Agent": "planner"}
	want := map[string]map[string]string{
		"plain/a": agent, "plain/b": agent, "other/": {}, "secure/a": agent, "plain/c": {}, "plain/d": agent, "secure/d": agent,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}
