// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// TestRedirectToAnotherOrigin uses two servers: the second must see nothing at all,
// whatever the status and whichever client sends.
func TestRedirectToAnotherOrigin(t *testing.T) {
	var elsewhere atomic.Int64
	handler := func(w http.ResponseWriter, _ *http.Request) {
		elsewhere.Add(1)
		w.WriteHeader(http.StatusCreated)
	}
	plain := startServer(t, handler)
	secure := httptest.NewTLSServer(http.HandlerFunc(handler))
	t.Cleanup(secure.Close)
	const path = "/meter/v2/ai/completions?token=secret-in-redirect"

	for _, status := range []int{301, 302, 303, 307, 308} {
		redirect := func(target string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Location", target)
				w.WriteHeader(status)
			}
		}
		secureFrom := httptest.NewTLSServer(redirect(plain.URL + path))
		t.Cleanup(secureFrom.Close)
		config := secureFrom.Client().Transport.(*http.Transport).TLSClientConfig
		for _, tc := range []struct {
			name, from, to string
			opts           []ClientOption
		}{
			{"another port", startServer(t, redirect(plain.URL+path)).URL, plain.URL, nil},
			{"http to https", startServer(t, redirect(secure.URL+path)).URL, secure.URL, nil},
			{"https to http", secureFrom.URL, plain.URL, []ClientOption{WithTLSConfig(&tls.Config{RootCAs: config.RootCAs})}},
			{
				"a client that follows all", startServer(t, redirect(plain.URL+path)).URL, plain.URL,
				[]ClientOption{WithHTTPClient(&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }})},
			},
		} {
			res := newTestClient(t, tc.from, tc.opts...).Send(t.Context(), testFrozen(t))
			if res.Outcome != Retry || res.StatusCode != status {
				t.Errorf("%d, %s: %+v, want a retry", status, tc.name, res)
			}
			want := fmt.Sprintf("redirect from %s to %s was not followed, because the API key is meant for the former: check the base URL (WithBaseURL)", tc.from, tc.to)
			if res.Message != want {
				t.Errorf("%d, %s: message = %q\nwant %q", status, tc.name, res.Message, want)
			}
			if res.Err == nil || strings.Contains(res.Err.Error(), "secret-in-redirect") {
				t.Errorf("%d, %s: error = %v", status, tc.name, res.Err)
			}
		}
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d requests reached the other origin", n)
	}
}

// TestRedirectWithinTheOrigin: 307 and 308 repeat the request as it is; the others
// would make a GET of it, whose 200 says nothing.
func TestRedirectWithinTheOrigin(t *testing.T) {
	f := testFrozen(t)
	for _, tc := range []struct {
		status int
		want   Outcome
	}{{301, Retry}, {302, Retry}, {303, Retry}, {307, Delivered}, {308, Delivered}} {
		var moved atomic.Int64
		srv := startServer(t, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			if r.URL.Path != "/moved" {
				http.Redirect(w, r, "/moved", tc.status)
				return
			}
			moved.Add(1)
			if r.Method != http.MethodPost || string(body) != string(f.Body) ||
				r.Header.Get("x-api-key") != testKey || r.Header.Get("Idempotency-Key") != f.IdempotencyKey {
				t.Errorf("%d: repeated as %s with key %q and %d bytes", tc.status, r.Method, r.Header.Get("x-api-key"), len(body))
			}
			w.WriteHeader(http.StatusCreated)
		})
		res := newTestClient(t, srv.URL).Send(t.Context(), f)
		if res.Outcome != tc.want {
			t.Errorf("%d: %+v, want %v", tc.status, res, tc.want)
		}
		if followed := moved.Load() == 1; followed != (tc.want == Delivered) {
			t.Errorf("%d: followed %d times", tc.status, moved.Load())
		}
		if want := "redirect within " + srv.URL + " was not followed: check the base URL (WithBaseURL)"; tc.want == Retry && res.Message != want {
			t.Errorf("%d: message = %q, want %q", tc.status, res.Message, want)
		}
	}
}

func TestRedirectLoopEnds(t *testing.T) {
	var requests atomic.Int64
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		http.Redirect(w, r, r.URL.Path, http.StatusPermanentRedirect)
	})
	res := newTestClient(t, srv.URL).Send(t.Context(), testFrozen(t))
	if res.Outcome != Retry || res.StatusCode != http.StatusPermanentRedirect {
		t.Errorf("result = %+v, want a retry", res)
	}
	if n := requests.Load(); n != 1+maxRedirects {
		t.Errorf("%d requests, want %d", n, 1+maxRedirects)
	}
}

// TestRedirectLeavesTheOriginLater: the second hop counts from the base URL.
func TestRedirectLeavesTheOriginLater(t *testing.T) {
	var elsewhere atomic.Int64
	other := startServer(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		target := "/moved"
		if r.URL.Path == target {
			target = other.URL + target
		}
		http.Redirect(w, r, target, http.StatusTemporaryRedirect)
	})
	res := newTestClient(t, srv.URL).Send(t.Context(), testFrozen(t))
	if res.Outcome != Retry || !strings.Contains(res.Message, "to "+other.URL) || elsewhere.Load() != 0 {
		t.Errorf("result = %+v, %d requests elsewhere", res, elsewhere.Load())
	}
}
