// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// usageServer streams, with usage where it is asked for, and keeps requests.
type usageServer struct {
	bodies  []string
	headers []http.Header
	lengths []int64
	refuse  string // with this status and text, requests that name stream_options
	status  int
}

func (s *usageServer) serve(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	s.bodies = append(s.bodies, string(text))
	s.headers = append(s.headers, r.Header.Clone())
	s.lengths = append(s.lengths, r.ContentLength)
	var request struct {
		Options *struct {
			IncludeUsage bool `json:"include_usage"`
		} `json:"stream_options"`
	}
	if err := json.Unmarshal(text, &request); err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	if request.Options != nil && s.refuse != "" {
		answering(s.status, "application/json", s.refuse)(w, r)
		return
	}
	pieces := []string{roleChunk, chunk("x"), finishChunk, doneEvent}
	if request.Options != nil && request.Options.IncludeUsage {
		pieces = []string{roleChunk, chunk("x"), finishChunk, usageEvent, doneEvent}
	}
	streaming(pieces...)(w, r)
}

// asked is streamBody as it reaches a server that is asked for usage.
var asked = strings.Replace(streamBody, `"stream":true`, `"stream":true,"stream_options":{"include_usage":true}`, 1)

// unasked is the stream of usageServer that a caller gets who asks for nothing.
var unasked = roleChunk + chunk("x") + finishChunk + doneEvent

// Where a stream may be asked for its usage, it is, and nothing of it shows.
func TestStreamUsageIsAskedFor(t *testing.T) {
	const named = "http://llm.example.com:8000/v1/chat/completions"
	tests := []struct {
		name, url string
		opts      []Option
		headers   []string
		want      bool
	}{
		{name: "OpenAI", url: chatURL, want: true},
		{name: "OpenAI in a region", url: "http://eu.api.openai.com/v1/chat/completions", want: true},
		{name: "completions", url: "http://api.openai.com/v1/completions", want: true},
		{name: "a host called like OpenAI's", url: "http://api.openai.com.example.com/v1/chat/completions"},
		{name: "an unknown host", url: unknownURL},
		{name: "Mistral", url: "http://api.mistral.ai/v1/chat/completions"},
		{name: "Azure", url: "http://x.openai.azure.com/openai/deployments/d/chat/completions"},
		{name: "named by host", url: named, opts: []Option{WithStreamUsageHosts("llm.example.com")}, want: true},
		{name: "named by host and port", url: named, opts: []Option{WithStreamUsageHosts("LLM.example.com:8000")}, want: true},
		{name: "named by URL", url: named, opts: []Option{WithStreamUsageHosts("http://llm.example.com:8000/v1")}, want: true},
		{name: "another port", url: named, opts: []Option{WithStreamUsageHosts("llm.example.com:8001")}},
		{name: "LiteLLM", url: named, opts: []Option{WithLiteLLMHosts("llm.example.com")}, want: true},
		{name: "switched off", url: chatURL, opts: []Option{WithoutStreamUsage()}},
		{name: "switched off, host named", url: named, opts: []Option{WithStreamUsageHosts("llm.example.com"), WithoutStreamUsage()}},
		{name: "signed by AWS", url: chatURL, headers: []string{"Authorization", "AWS4-HMAC-SHA256 Credential=x"}},
		{name: "signed", url: chatURL, headers: []string{"Signature-Input", "sig1=()"}},
		{name: "with a digest", url: chatURL, headers: []string{"Content-Digest", "sha-256=:x:"}},
		{name: "a compressed answer", url: chatURL, headers: []string{"Accept-Encoding", "gzip"}},
		{name: "an uncompressed answer", url: chatURL, headers: []string{"Accept-Encoding", "identity"}, want: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &usageServer{}
			h := newHarness(t, s.serve, tt.opts...)
			if got := h.exchange(tt.url, streamBody, tt.headers...); got != unasked {
				t.Errorf("the caller got (-want +got):\n%s", cmp.Diff(unasked, got))
			}
			sent, usage := streamBody, map[string]any{"gen_ai.usage.input_tokens": nil, "revenium.usage.missing": true}
			if tt.want {
				sent, usage = asked, map[string]any{"gen_ai.usage.input_tokens": int64(10), "gen_ai.usage.output_tokens": int64(5), "revenium.usage.missing": nil}
			}
			if diff := cmp.Diff([]string{sent}, s.bodies); diff != "" {
				t.Errorf("the server got (-want +got):\n%s", diff)
			}
			if s.lengths[0] != int64(len(sent)) {
				t.Errorf("Content-Length %d, want %d", s.lengths[0], len(sent))
			}
			h.only().want(t, usage)
		})
	}
}

// What the caller says of usage, or what is no stream, is left alone.
func TestCallersWillIsKept(t *testing.T) {
	tests := []struct{ name, body, answer string }{
		{name: "asked for", body: askingBody, answer: roleChunk + chunk("x") + finishChunk + usageEvent + doneEvent},
		{name: "refused", body: `{"model":"m","stream":true,"stream_options":{"include_usage":false}}`, answer: unasked},
		{name: "null", body: `{"model":"m","stream":true,"stream_options":{"include_usage":null}}`, answer: unasked},
		{name: "twice", body: `{"model":"m","stream":true,"stream_options":{},"stream_options":{}}`, answer: unasked},
		{name: "stream said twice", body: `{"model":"m","stream":true,"stream":true}`, answer: unasked},
		{name: "no stream", body: `{"model":"m","stream":false}`, answer: unasked},
		{name: "stream not said", body: `{"model":"m"}`, answer: unasked},
		{name: "a stream elsewhere", body: `{"model":"m","metadata":{"stream":true}}`, answer: unasked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &usageServer{}
			h := newHarness(t, s.serve)
			if got := h.exchange(chatURL, tt.body); got != tt.answer {
				t.Errorf("the caller got (-want +got):\n%s", cmp.Diff(tt.answer, got))
			}
			if diff := cmp.Diff([]string{tt.body}, s.bodies); diff != "" {
				t.Errorf("the server got (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("embeddings", func(t *testing.T) {
		s := &usageServer{}
		h := newHarness(t, s.serve)
		h.exchange("http://api.openai.com/v1/embeddings", `{"model":"m","stream":true}`)
		if s.bodies[0] != `{"model":"m","stream":true}` {
			t.Errorf("the server got %q", s.bodies[0])
		}
	})
	t.Run("a body that can be read once", func(t *testing.T) {
		s := &usageServer{}
		h := newHarness(t, s.serve)
		req := h.request(t.Context(), chatURL, streamBody)
		req.GetBody = nil
		resp, err := h.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if s.bodies[0] != streamBody {
			t.Errorf("the server got %q", s.bodies[0])
		}
	})
}

// The request that was changed can be repeated by the base transport, and its
// body is closed.
func TestAskedRequestIsWhole(t *testing.T) {
	h := newHarness(t, streaming(whole))
	h.transport.base = roundTripper(func(req *http.Request) (*http.Response, error) {
		for i := range 2 {
			body, err := req.GetBody()
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(body); string(text) != asked || err != nil {
				t.Errorf("copy %d: %q, %v", i, text, err)
			}
			if err := body.Close(); err != nil {
				t.Error(err)
			}
		}
		return h.base.RoundTrip(req)
	})
	req := h.request(t.Context(), chatURL, streamBody)
	closed := false
	req.Body = &closeLog{Reader: strings.NewReader(streamBody), closed: &closed}
	resp, err := h.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if !closed {
		t.Error("the caller's body was not closed")
	}
}

// A server that refuses stream_options is sent the caller's own request, and is
// not asked again.
func TestRefusedStreamUsage(t *testing.T) {
	tests := []struct {
		name, refusal string
		status        int
		again         bool
	}{
		{name: "Azure of old", status: 400, refusal: `{"error":{"message":"Unrecognized request argument supplied: stream_options"}}`, again: true},
		{name: "Mistral", status: 422, refusal: `{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"]}]}`, again: true},
		{name: "for another reason", status: 400, refusal: `{"error":{"message":"max_tokens is too large"}}`},
		{name: "with another status", status: 403, refusal: `{"error":{"message":"stream_options"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &usageServer{refuse: tt.refusal, status: tt.status}
			h := newHarness(t, s.serve, WithStreamUsageHosts("llm.example.com", "other.example.com"))
			got := h.exchange(unknownURL, streamBody)
			if !tt.again {
				if got != tt.refusal || len(s.bodies) != 1 {
					t.Errorf("the caller got %q after %d requests", got, len(s.bodies))
				}
				return
			}
			if got != unasked {
				t.Errorf("the caller got (-want +got):\n%s", cmp.Diff(unasked, got))
			}
			if diff := cmp.Diff([]string{asked, streamBody}, s.bodies); diff != "" {
				t.Errorf("the server got (-want +got):\n%s", diff)
			}
			span := h.only()
			span.wantFailed(t, "")
			span.want(t, map[string]any{"http.response.status_code": int64(200), "revenium.usage.missing": true})

			h.exchange(unknownURL, streamBody)
			h.exchange("http://other.example.com/v1/chat/completions", streamBody)
			if diff := cmp.Diff([]string{streamBody, asked, streamBody}, s.bodies[2:]); diff != "" {
				t.Errorf("later on the servers got (-want +got):\n%s", diff)
			}
		})
	}
}

// Behind a LiteLLM proxy one model's refusal says nothing of the others.
func TestRefusedStreamUsageByModel(t *testing.T) {
	s := &usageServer{refuse: `{"error":"stream_options"}`, status: 400}
	h := newHarness(t, s.serve, WithLiteLLMHosts("llm.example.com"))
	other := strings.Replace(streamBody, "gpt-4o-mini", "other", 1)
	for _, body := range []string{streamBody, streamBody, other} {
		h.exchange(unknownURL, body)
	}
	want := []string{asked, streamBody, streamBody, strings.Replace(asked, "gpt-4o-mini", "other", 1), other}
	if diff := cmp.Diff(want, s.bodies); diff != "" {
		t.Errorf("the server got (-want +got):\n%s", diff)
	}
}

// A stream of known length gets shorter.
func TestHiddenChunkAndContentLength(t *testing.T) {
	h := newHarness(t, answering(200, "text/event-stream", whole))
	resp := h.post(chatURL, streamBody)
	defer resp.Body.Close()
	if resp.ContentLength != -1 || resp.Header.Get("Content-Length") != "" {
		t.Errorf("content length %d, header %q", resp.ContentLength, resp.Header.Get("Content-Length"))
	}
	got, err := io.ReadAll(resp.Body)
	if want := strings.Replace(whole, usageEvent, "", 1); err != nil || string(got) != want {
		t.Errorf("the caller got %v (-want +got):\n%s", err, cmp.Diff(want, string(got)))
	}
}

// A server that streams nothing although asked for usage is passed as it is.
func TestAskedButNotStreamed(t *testing.T) {
	h := newHarness(t, answering(200, "application/json", chatAnswer))
	resp := h.post(chatURL, streamBody)
	defer resp.Body.Close()
	if resp.ContentLength != int64(len(chatAnswer)) {
		t.Errorf("content length %d", resp.ContentLength)
	}
	if got, err := io.ReadAll(resp.Body); string(got) != chatAnswer || err != nil {
		t.Errorf("the caller got %q, %v", got, err)
	}
	h.only().want(t, map[string]any{"gen_ai.usage.input_tokens": int64(10), "gen_ai.response.time_to_first_chunk": nil})
}

func TestMemoryIsBounded(t *testing.T) {
	var m memory
	for i := range 10 * maxMemory {
		m.add(fmt.Sprint("host-", i))
	}
	if len(m.seen) > maxMemory {
		t.Errorf("%d hosts kept, want at most %d", len(m.seen), maxMemory)
	}
	if last := fmt.Sprint("host-", 10*maxMemory-1); !m.has(last) {
		t.Error("the last host is forgotten at once")
	}
}
