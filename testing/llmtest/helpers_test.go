// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

// send sends a request by another method.
func send(t *testing.T, s *Server, method, path, body string) answered {
	t.Helper()
	req := request(t, s, path, body)
	req.Method = method
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
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

// decoded decodes JSON.
func decoded(t *testing.T, doc string) map[string]any {
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

// named cuts a stream into its events, "name: data"; without a name the data alone.
func (a answered) named(t *testing.T) []string {
	t.Helper()
	if got := a.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/event-stream") {
		t.Errorf("content type %q", got)
	}
	var out []string
	for block := range strings.SplitSeq(strings.TrimSpace(strings.ReplaceAll(a.text, "\r\n", "\n")), "\n\n") {
		name, data, ok := strings.Cut(strings.TrimPrefix(block, "event: "), "\ndata: ")
		if !ok {
			name, data = "", strings.TrimPrefix(block, "data: ")
		} else {
			name += ": "
		}
		out = append(out, name+data)
	}
	return out
}

// lines cuts a stream of lines.
func (a answered) lines(t *testing.T, contentType string) []string {
	t.Helper()
	if got := a.Header.Get("Content-Type"); got != contentType {
		t.Errorf("content type %q", got)
	}
	return strings.Split(strings.TrimSuffix(a.text, "\n"), "\n")
}

// frames reads an AWS event stream by its specification: each frame's type and payload without padding.
func (a answered) frames(t *testing.T) []string {
	t.Helper()
	if got := a.Header.Get("Content-Type"); got != "application/vnd.amazon.eventstream" {
		t.Errorf("content type %q", got)
	}
	var out []string
	for b := []byte(a.text); len(b) > 0; {
		total, headers := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
		if int(total) > len(b) || crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]) ||
			crc32.ChecksumIEEE(b[:total-4]) != binary.BigEndian.Uint32(b[total-4:]) {
			t.Fatalf("broken frame: %q", b)
		}
		h := make(map[string]string)
		for raw := b[12 : 12+headers]; len(raw) > 0; {
			n := int(raw[0])
			size := int(binary.BigEndian.Uint16(raw[n+2:]))
			if raw[n+1] != 7 {
				t.Fatalf("header type %d", raw[n+1])
			}
			h[string(raw[1:1+n])] = string(raw[n+4 : n+4+size])
			raw = raw[n+4+size:]
		}
		payload := string(b[12+headers : total-4])
		if at := strings.LastIndex(payload, `,"p":"`); at >= 0 {
			payload = payload[:at] + "}"
		}
		kind := h[":event-type"]
		if h[":message-type"] == "exception" {
			kind = "exception " + h[":exception-type"]
		}
		if h[":content-type"] != "application/json" {
			t.Errorf("headers: %v", h)
		}
		out = append(out, kind+": "+payload)
		b = b[total:]
	}
	return out
}

// full is an answer with all that a model can say, and counts of every kind.
func full() Answer {
	return Answer{
		Text: "Hi you", Reasoning: "Hm ok", ToolCalls: []ToolCall{{Name: "weather", Arguments: `{"city":"Delft"}`}},
		Usage: &Usage{
			PromptTokens: 1200, CachedTokens: 1000, CacheWriteTokens: 100, CacheWrite1hTokens: 40, ToolUsePromptTokens: 20,
			CompletionTokens: 50, ReasoningTokens: 30,
		},
	}
}

// refusal is a request that the server refuses by itself, and what it says.
type refusal struct{ path, body, want string }

func checkRefusals(t *testing.T, refusals map[string]refusal) {
	t.Helper()
	s := start(t)
	s.Enqueue(Answer{Text: "kept"})
	for name, tc := range refusals {
		got := post(t, s, tc.path, tc.body)
		if diff := cmp.Diff(tc.want, got.text); diff != "" || got.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s (-want +got):\n%s", name, got.Status, diff)
		}
	}
	if s.Pending() != 1 {
		t.Error("a refused request took an answer")
	}
}

// failure is an answer that is an error, and what is sent.
type failure struct {
	answer Answer
	status int
	want   string
}

func checkFailures(t *testing.T, path, body string, failures map[string]failure) {
	t.Helper()
	s := start(t)
	for name, tc := range failures {
		s.Enqueue(tc.answer)
		got := post(t, s, path, body)
		if diff := cmp.Diff(tc.want, got.text); diff != "" || got.StatusCode != tc.status {
			t.Errorf("%s: %s (-want +got):\n%s", name, got.Status, diff)
		}
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
