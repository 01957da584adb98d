// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestLiteLLM(t *testing.T) {
	const proxy = "http://proxy.example.com:4000/chat/completions"
	id := []string{"X-Litellm-Call-Id", "30958a62"}
	tests := []struct {
		name, url, model string
		opts             []Option
		headers          []string
		provider         string
		source           any
		latency          any
	}{
		{name: "named, nothing else known", url: proxy, model: "gpt-4o", opts: []Option{WithLiteLLMHosts("proxy.example.com:4000")}, provider: "litellm", source: "LITELLM"},
		{name: "known by its headers", url: proxy, model: "gpt-4o", headers: id, provider: "litellm", source: "LITELLM"},
		{name: "known by its version", url: proxy, model: "gpt-4o", headers: []string{"X-Litellm-Version", "1.63"}, provider: "litellm", source: "LITELLM"},
		{name: "no proxy", url: proxy, model: "anthropic/claude", provider: "openai"},
		{name: "provider in the model's name", url: proxy, model: "anthropic/claude-sonnet-4", headers: id, provider: "anthropic", source: "LITELLM"},
		{name: "provider in the model's name, host named", url: proxy, model: "vertex_ai/gemini-2", opts: []Option{WithLiteLLMHosts("proxy.example.com")}, provider: "gcp.vertex_ai", source: "LITELLM"},
		{name: "no provider before the slash", url: proxy, model: "meta-llama/Llama-3", headers: id, provider: "litellm", source: "LITELLM"},
		{
			name: "the server behind it", url: proxy, model: "alias", provider: "azure.ai.openai", source: "LITELLM", latency: int64(1),
			headers: append([]string{"X-Litellm-Model-Api-Base", "https://x.openai.azure.com/", "X-Litellm-Overhead-Duration-Ms", "1.424"}, id...),
		},
		{
			name: "the server behind it rather than the name", url: proxy, model: "openai/llama", provider: "groq", source: "LITELLM",
			headers: append([]string{"X-Litellm-Model-Api-Base", "https://api.groq.com/openai/v1"}, id...),
		},
		{
			name: "a server behind it that nobody knows", url: proxy, model: "alias", provider: "litellm", source: "LITELLM",
			headers: append([]string{"X-Litellm-Model-Api-Base", "http://10.0.0.1:8000", "X-Litellm-Overhead-Duration-Ms", "None"}, id...),
		},
		{
			name: "the user knows better", url: proxy, model: "anthropic/claude", provider: "acme", source: "LITELLM",
			opts:    []Option{WithProviderHosts(map[string]string{"proxy.example.com": "acme"})},
			headers: append([]string{"X-Litellm-Model-Api-Base", "https://api.openai.com"}, id...),
		},
		{name: "the path names the model", url: "http://proxy.example.com:4000/openai/deployments/groq%2Fllama/chat/completions", headers: id, provider: "groq", source: "LITELLM"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t, answering(200, "application/json", chatAnswer,
				append([]string{"X-Litellm-Response-Cost", "0.5", "X-Litellm-Key-Spend", "7.5"}, tt.headers...)...), tt.opts...)
			body := `{"messages":[{}]}`
			if tt.model != "" {
				body = `{"messages":[{}],"model":"` + tt.model + `"}`
			}
			h.exchange(tt.url, body)
			span := h.only()
			span.want(t, map[string]any{
				"gen_ai.provider.name": tt.provider, "revenium.model.source": tt.source, "revenium.mediation.latency": tt.latency,
				"gen_ai.usage.input_tokens": int64(10), "server.address": "proxy.example.com",
			})
			if tt.model != "" {
				span.want(t, map[string]any{"gen_ai.request.model": tt.model}) // as it was asked for
			}
			for key := range span.attributes {
				if strings.Contains(key, "cost") {
					t.Errorf("the proxy's reckoning is on the span: %s", key)
				}
			}
		})
	}
}

// A proxy that was not named is known once it has answered; then its streams are
// asked for usage.
func TestLearntLiteLLM(t *testing.T) {
	s := &usageServer{}
	h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Litellm-Call-Id", "1")
		s.serve(w, r)
	})
	for range 2 {
		if got := h.exchange(unknownURL, streamBody); got != unasked {
			t.Errorf("the caller got %q", got)
		}
	}
	if s.bodies[0] != streamBody || s.bodies[1] != asked {
		t.Errorf("the proxy got %q", s.bodies)
	}
	spans := h.all()
	spans[0].want(t, map[string]any{"gen_ai.provider.name": "litellm", "revenium.usage.missing": true})
	spans[1].want(t, map[string]any{"gen_ai.provider.name": "litellm", "gen_ai.usage.input_tokens": int64(10)})
	req := h.request(t.Context(), unknownURL, streamBody)
	if got, ok := h.transport.Recognize(req); !ok || got.Provider != "litellm" {
		t.Errorf("recognised as %+v, %t", got, ok)
	}
	if got, _ := Recognize(req); got.Provider != "openai" {
		t.Errorf("without the transport's memory: %+v", got)
	}
}

// The empty chunk that LiteLLM sends behind usage, and usage beside choices,
// are not hidden.
func TestLiteLLMStreams(t *testing.T) {
	empty := `data: {"id":"c","choices":[{"index":0,"delta":{}}],"stream_options":{"include_usage":true}}` + "\n\n"
	full := `data: {"id":"c","choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":13,"completion_tokens":22,"total_tokens":35}}` + "\n\n"
	stream := chunk("x") + finishChunk + empty + full + empty + doneEvent
	h := newHarness(t, streaming(stream), WithLiteLLMHosts("llm.example.com"))
	if got := h.exchange(unknownURL, streamBody); got != stream {
		t.Errorf("the caller got %q", got)
	}
	h.only().want(t, map[string]any{"gen_ai.usage.input_tokens": int64(13), "gen_ai.usage.output_tokens": int64(22)})
}

// With two choices LiteLLM reports one finish reason, and that is what is known.
func TestLiteLLMTwoChoices(t *testing.T) {
	stream := `data: {"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]}` + "\n\n" +
		`data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" + usageEvent + doneEvent
	h := newHarness(t, streaming(stream))
	resp := h.post(unknownURL, askingBody)
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	span := h.only()
	span.wantFailed(t, "")
	span.want(t, map[string]any{"gen_ai.response.finish_reasons": []string{"stop"}})
}
