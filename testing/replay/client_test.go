// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func load(t *testing.T, path string) *recording {
	t.Helper()
	rec, err := loadRecording(path)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestPlayServesTheRecording(t *testing.T) {
	tests := map[string]struct {
		done    bool
		readErr error
	}{
		"chat":                 {},
		"chat-gzip":            {},
		"chat-429":             {},
		"chat-stream":          {done: true},
		"chat-stream-no-usage": {done: true},
		"chat-stream-cut":      {readErr: io.ErrUnexpectedEOF},
		"not-a-call":           {},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rec := load(t, "testdata/"+name+".json")
			var sawURL string
			var got *http.Response
			seen, server, err := play(t.Context(), rec, func(wire http.RoundTripper) http.RoundTripper {
				return transportFunc(func(r *http.Request) (*http.Response, error) {
					sawURL = r.URL.String()
					var err error
					got, err = wire.RoundTrip(r)
					return got, err
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			if sawURL != rec.Request.URL {
				t.Errorf("the transport saw %s, want the recorded URL %s", sawURL, rec.Request.URL)
			}
			for name, want := range rec.Response.Headers {
				if value := got.Header.Get(name); !perConnection(name) && value != want {
					t.Errorf("header %s = %q, want %q", name, value, want)
				}
			}
			if _, ok := rec.Response.Headers["date"]; !ok && got.Header.Get("Date") != "" {
				t.Error("the server added a Date that was not recorded")
			}
			if seen.done != tt.done {
				t.Errorf("done = %v, want %v", seen.done, tt.done)
			}
			if !errors.Is(seen.readErr, tt.readErr) {
				t.Errorf("read error %v, want %v", seen.readErr, tt.readErr)
			}
			if diffs := seen.changes(rec, server); len(diffs) > 0 {
				t.Errorf("changes by a transport that changes nothing: %v", diffs)
			}
		})
	}
}

// Whatever a transport does to the exchange is noticed.
func TestPlayNoticesChanges(t *testing.T) {
	tests := map[string]struct {
		name      string
		transport func(wire http.RoundTripper, r *http.Request) (*http.Response, error)
		want      []difference
	}{
		"asks for usage": {
			name: "chat-stream-no-usage",
			transport: func(wire http.RoundTripper, r *http.Request) (*http.Response, error) {
				return wire.RoundTrip(withBody(t, r, func(b string) string {
					return strings.Replace(b, `"stream": true`, `"stream": true, "stream_options":{"include_usage":true}`, 1)
				}))
			},
		},
		"asks for something else": {
			name: "chat-stream-no-usage",
			transport: func(wire http.RoundTripper, r *http.Request) (*http.Response, error) {
				return wire.RoundTrip(withBody(t, r, func(b string) string {
					return strings.Replace(b, `"stream": true`, `"stream": true, "user":"x"`, 1)
				}))
			},
			want: []difference{{Field: "request body", Got: "different from byte 113 on", Want: "the recorded bytes"}},
		},
		"another status": {
			name: "chat",
			transport: func(wire http.RoundTripper, r *http.Request) (*http.Response, error) {
				response, err := wire.RoundTrip(r)
				if response != nil {
					response.StatusCode = http.StatusAccepted
				}
				return response, err
			},
			want: []difference{{Field: "http status", Got: "202", Want: "200"}},
		},
		"drops a chunk": {
			name: "chat-stream",
			transport: func(wire http.RoundTripper, r *http.Request) (*http.Response, error) {
				response, err := wire.RoundTrip(r)
				if response != nil {
					body, _ := io.ReadAll(response.Body)
					response.Body = io.NopCloser(bytes.NewReader(body[bytes.Index(body, []byte("\n\n"))+2:]))
				}
				return response, err
			},
			want: []difference{{Field: "response body", Got: "different from byte 161 on", Want: "the recorded bytes"}},
		},
		"sends twice": {
			name: "chat",
			transport: func(wire http.RoundTripper, r *http.Request) (*http.Response, error) {
				again := withBody(t, r, func(b string) string { return b })
				response, err := wire.RoundTrip(r)
				if err == nil {
					_ = response.Body.Close()
					response, err = wire.RoundTrip(again)
				}
				return response, err
			},
			want: []difference{{Field: "requests sent", Got: "2", Want: "1"}},
		},
		"a header lost": {
			name: "chat",
			transport: func(wire http.RoundTripper, r *http.Request) (*http.Response, error) {
				r = r.Clone(r.Context())
				r.Header.Set("User-Agent", "Weeds/2")
				return wire.RoundTrip(r)
			},
			want: []difference{{Field: "request header user-agent", Got: "Weeds/2", Want: "Garden/1.0"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rec := load(t, "testdata/"+tt.name+".json")
			seen, server, err := play(t.Context(), rec, func(wire http.RoundTripper) http.RoundTripper {
				return transportFunc(func(r *http.Request) (*http.Response, error) { return tt.transport(wire, r) })
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, seen.changes(rec, server)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlayTransportError(t *testing.T) {
	broken := errors.New("no route to the garden")
	_, _, err := play(t.Context(), load(t, "testdata/chat.json"), func(http.RoundTripper) http.RoundTripper {
		return transportFunc(func(*http.Request) (*http.Response, error) { return nil, broken })
	})
	if !errors.Is(err, broken) {
		t.Errorf("play: %v, want %v", err, broken)
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// withBody returns a copy of r with another body.
func withBody(t *testing.T, r *http.Request, change func(string) string) *http.Request {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	text := change(string(body))
	c := r.Clone(r.Context())
	c.Body, c.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	return c
}
