// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	chat     = `{"model":"gpt-4o","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello there"}]}`
	streamed = `{"model":"gpt-4o","messages":[{"role":"user","content":"Hello there"}],"stream":true}`
	counted  = `{"model":"gpt-4o","messages":[{"role":"user","content":"Hello there"}],"stream":true,"stream_options":{"include_usage":true}}`
)

func clock() time.Time { return time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC) }

// start starts a server whose clock stands still.
func start(t *testing.T, opts ...Option) *Server {
	t.Helper()
	return Start(t, append([]Option{WithClock(clock)}, opts...)...)
}

func request(t *testing.T, s *Server, path, body string, headers ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return req
}

// open sends a request and returns its answer unread.
func open(t *testing.T, s *Server, path, body string, headers ...string) *http.Response {
	t.Helper()
	resp, err := s.Client().Do(request(t, s, path, body, headers...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

type answered struct {
	*http.Response
	text string
	err  error // of reading
}

func post(t *testing.T, s *Server, path, body string, headers ...string) answered {
	t.Helper()
	resp := open(t, s, path, body, headers...)
	b, err := io.ReadAll(resp.Body)
	return answered{resp, string(b), err}
}

// events cuts a stream into its events' data.
func (a answered) events(t *testing.T) []string {
	t.Helper()
	if got := a.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
	var out []string
	for line := range strings.SplitSeq(a.text, "\n") {
		if data, ok := strings.CutPrefix(strings.TrimSuffix(line, "\r"), "data: "); ok {
			out = append(out, data)
		}
	}
	return out
}

// object decodes JSON.
func object(t *testing.T, doc string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(doc), &m); err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return m
}

// usages lists the usage member of each event: "none", "null" or the object.
func usages(t *testing.T, events []string) []string {
	t.Helper()
	var out []string
	for _, e := range events {
		if e == "[DONE]" {
			continue
		}
		var c struct{ Usage json.RawMessage }
		if err := json.Unmarshal([]byte(e), &c); err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		if c.Usage == nil {
			c.Usage = json.RawMessage("none")
		}
		out = append(out, string(c.Usage))
	}
	return out
}

// next reads the next event's data from a stream.
func next(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			return strings.TrimSpace(data)
		}
	}
}
