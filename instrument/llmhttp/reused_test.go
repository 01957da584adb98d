// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// numberedAnswers answers to the model m-N as N: with N input tokens, a
// fingerprint if N is even, a stream if one is asked for.
func numberedAnswers(w http.ResponseWriter, req *http.Request) {
	var asked struct {
		Model  string
		Stream bool
	}
	if err := json.NewDecoder(req.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var n int
	if _, err := fmt.Sscanf(asked.Model, "m-%d", &n); err != nil {
		http.Error(w, `{"error":{"code":"odd_model"}}`, http.StatusBadRequest)
		return
	}
	fingerprint := ""
	if n%2 == 0 {
		fingerprint = fmt.Sprintf(`"system_fingerprint":"fp-%d",`, n)
	}
	beginning := fmt.Sprintf(`{"id":"id-%d",%s"model":"m-%d-dated",`, n, fingerprint, n)
	usage := fmt.Sprintf(`"usage":{"prompt_tokens":%d,"completion_tokens":1,"total_tokens":%d}}`, n, n+1)
	if asked.Stream {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: %s\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}\n\n", beginning)
		fmt.Fprintf(w, "data: %s\"choices\":[],%s\n\ndata: [DONE]\n\n", beginning, usage)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `%s"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}],%s`, beginning, usage)
}

// TestCallsShareNothing: what one call used is used again by others, and nothing
// of one is on the span of another, whichever way each of them ends.
func TestCallsShareNothing(t *testing.T) {
	h := newHarness(t, numberedAnswers, WithStreamUsageHosts("api.openai.com"))
	const callers, calls = 6, 60
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for i := range calls {
				n := 1 + caller*calls + i
				body := fmt.Sprintf(`{"model":"m-%d","stream":%v,"messages":[{"role":"user","content":"x"}]}`, n, n%3 == 0)
				if n%7 == 0 {
					body = strings.Replace(body, "m-", "odd-", 1)
				}
				resp, err := h.client.Post("http://api.openai.com/v1/chat/completions", "application/json", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				if n%5 == 0 { // cut before the usage
					_, err = io.CopyN(io.Discard, resp.Body, 20)
				} else {
					_, err = io.Copy(io.Discard, resp.Body)
				}
				if err != nil {
					t.Error(err)
				}
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
	h.spans.wait(t, callers*calls)
	seen := map[string]bool{}
	for _, s := range h.all() {
		model, _ := s.attributes["gen_ai.request.model"].(string)
		seen[model] = true
		var n int
		if _, err := fmt.Sscanf(model, "m-%d", &n); err != nil {
			if s.attributes["error.type"] != "odd_model" || s.attributes["gen_ai.response.id"] != nil || s.attributes["gen_ai.usage.input_tokens"] != nil {
				t.Errorf("refused call %s: %v", model, s.attributes)
			}
			continue
		}
		if id := s.attributes["gen_ai.response.id"]; id != fmt.Sprintf("id-%d", n) && (n%5 != 0 || id != nil) {
			t.Errorf("%s has the response id %v", model, id)
		}
		if got := s.attributes["gen_ai.usage.input_tokens"]; got != int64(n) && (n%5 != 0 || got != nil) {
			t.Errorf("%s has %v input tokens", model, got)
		}
		if fp := s.attributes["openai.response.system_fingerprint"]; fp != nil && (n%2 != 0 || fp != fmt.Sprintf("fp-%d", n)) {
			t.Errorf("%s has the fingerprint %v", model, fp)
		}
	}
	if len(seen) != callers*calls {
		t.Errorf("spans of %d calls, want %d", len(seen), callers*calls)
	}
}

// TestTracerFollowsTheGlobalProvider: what was looked up is kept only as long as
// the provider stays.
func TestTracerFollowsTheGlobalProvider(t *testing.T) {
	before := otel.GetTracerProvider()
	defer otel.SetTracerProvider(before)
	transport := NewTransport(stub("application/json", []byte(chatAnswer)))
	var names []string
	for _, name := range []string{"a", "a", "b"} {
		otel.SetTracerProvider(&namedProvider{name: name, starts: &names})
		one(t, transport)
	}
	otel.SetTracerProvider(unkept{starts: &names})
	one(t, transport)
	one(t, transport)
	if got := strings.Join(names, " "); got != "a a b unkept unkept" {
		t.Errorf("spans were started at %s", got)
	}
}

// one makes a call.
func one(t *testing.T, rt http.RoundTripper) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, chatURL, strings.NewReader(chatBody))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

// namedProvider notes which provider starts a span.
type namedProvider struct {
	noop.TracerProvider
	name   string
	starts *[]string
}

func (p *namedProvider) Tracer(string, ...trace.TracerOption) trace.Tracer {
	return namedTracer{name: p.name, starts: p.starts}
}

// unkept is a provider that cannot be compared.
type unkept struct {
	noop.TracerProvider
	starts *[]string
	_      []int
}

func (p unkept) Tracer(string, ...trace.TracerOption) trace.Tracer {
	return namedTracer{name: "unkept", starts: p.starts}
}

type namedTracer struct {
	noop.Tracer
	name   string
	starts *[]string
}

func (n namedTracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	*n.starts = append(*n.starts, n.name)
	return n.Tracer.Start(ctx, name, opts...)
}
