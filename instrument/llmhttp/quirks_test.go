// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// One exchange for each way in which an OpenAI-compatible server differs, made
// by hand in the shape that the server's answers have.
func TestServers(t *testing.T) {
	answer := func(usage string) string {
		return `{"id":"r","model":"m","choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}],"usage":` + usage + `}`
	}
	finishing := func(usage string) string {
		return `data: {"id":"r","model":"m","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}],"usage":` + usage + "}\n\n"
	}
	plain := `{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}`
	tests := []struct {
		name, url, model string
		stream           bool
		answer           string
		provider         string
		want             map[string]any // tokens; those not named must be absent
		also             map[string]any
	}{
		{
			name: "OpenAI: everything reported", url: "http://api.openai.com/v1", provider: "openai",
			answer: answer(`{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":20,"audio_tokens":5},` +
				`"completion_tokens_details":{"reasoning_tokens":30,"audio_tokens":7,"rejected_prediction_tokens":3}}`),
			want: map[string]any{"input": int64(100), "output": int64(50), "read": int64(60), "write": int64(20), "reasoning": int64(30), "audio in": int64(5), "audio out": int64(7)},
		},
		{
			name: "OpenAI: two choices, one usage", url: "http://api.openai.com/v1", provider: "openai",
			answer: `{"id":"r","model":"m","choices":[{"index":1,"finish_reason":"length"},{"index":0,"finish_reason":"stop"}],"usage":` + plain + `}`,
			want:   map[string]any{"input": int64(10), "output": int64(5)},
			also:   map[string]any{"gen_ai.response.finish_reasons": []string{"stop", "length"}},
		},
		{
			name: "Azure: first chunk empty, filtered", url: "http://x.openai.azure.com/openai/deployments/d", stream: true, provider: "azure.ai.openai",
			answer: `data: {"choices":[],"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}` + "\n\n" +
				`data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"content_filter"}],"id":"r","model":"m"}` + "\n\n" + usageEvent + doneEvent,
			want: map[string]any{"input": int64(10), "output": int64(5)},
			also: map[string]any{"gen_ai.response.finish_reasons": []string{"content_filter"}, "gen_ai.response.id": "chatcmpl-1"},
		},
		{
			name: "Azure AI Foundry: prompt without the cached part", url: "http://x.services.ai.azure.com/models", provider: "azure.ai.inference",
			answer: answer(`{"prompt_tokens":208,"completion_tokens":27,"total_tokens":235,"prompt_tokens_details":{"cached_tokens":314,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}`),
			want:   map[string]any{"input": int64(522), "output": int64(27), "read": int64(314), "reasoning": int64(0)},
		},
		{
			name: "Groq: usage twice", url: "http://api.groq.com/openai/v1", stream: true, provider: "groq",
			answer: `data: {"id":"r","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req","usage":` + plain + `}}` + "\n\n" + doneEvent,
			want:   map[string]any{"input": int64(10), "output": int64(5)},
		},
		{
			name: "Groq: asked, usage in both places", url: "http://api.groq.com/openai/v1", stream: true, provider: "groq",
			answer: `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":` + plain + `,"x_groq":{"usage":{"prompt_tokens":1}}}` + "\n\n" + usageEvent + doneEvent,
			want:   map[string]any{"input": int64(10), "output": int64(5)},
		},
		{
			name: "Mistral: unasked, in the finish chunk", url: "http://api.mistral.ai/v1", stream: true, provider: "mistral_ai",
			answer: finishing(`{"prompt_tokens":22,"total_tokens":30,"completion_tokens":8,"num_cached_tokens":4}`) + doneEvent,
			want:   map[string]any{"input": int64(22), "output": int64(8), "read": int64(4)},
		},
		{
			name: "Mistral: audio beside the prompt", url: "http://api.mistral.ai/v1", provider: "mistral_ai",
			answer: answer(`{"prompt_tokens":5,"completion_tokens":20,"total_tokens":400,"prompt_tokens_details":{"audio_tokens":375}}`),
			want:   map[string]any{"input": int64(380), "output": int64(20), "audio in": int64(375)},
		},
		{
			name: "Mistral: audio beside the prompt, in seconds", url: "http://api.mistral.ai/v1", provider: "mistral_ai",
			answer: answer(`{"prompt_tokens":5,"completion_tokens":20,"total_tokens":400,"prompt_audio_seconds":27}`),
			want:   map[string]any{"input": int64(380), "output": int64(20), "audio in": int64(375)},
		},
		{
			name: "Mistral: no audio", url: "http://api.mistral.ai/v1", provider: "mistral_ai",
			answer: answer(`{"prompt_tokens":5,"completion_tokens":20,"total_tokens":25,"prompt_audio_seconds":{}}`),
			want:   map[string]any{"input": int64(5), "output": int64(20)},
		},
		{
			name: "DeepSeek: hit and miss", url: "http://api.deepseek.com", provider: "deepseek",
			answer: "\n\n\n" + answer(`{"prompt_tokens":359,"completion_tokens":25,"total_tokens":384,"prompt_cache_hit_tokens":256,"prompt_cache_miss_tokens":103}`),
			want:   map[string]any{"input": int64(359), "output": int64(25), "read": int64(256)},
		},
		{
			name: "DeepSeek: keep-alive comments", url: "http://api.deepseek.com", stream: true, provider: "deepseek",
			answer: ": keep-alive\n\n: keep-alive\n\n" + finishing(plain) + doneEvent,
			want:   map[string]any{"input": int64(10), "output": int64(5)},
		},
		{
			name: "Perplexity: running totals, no mark", url: "http://api.perplexity.ai", stream: true, provider: "perplexity",
			answer: `data: {"choices":[{"index":0,"delta":{"content":"x"}}],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}` + "\r\n\r\n" +
				`data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":5,"total_tokens":13,"cost":{"total_cost":0.005}}}`,
			want: map[string]any{"input": int64(8), "output": int64(5)},
		},
		{
			name: "Perplexity: deep research", url: "http://api.perplexity.ai", provider: "perplexity",
			answer: answer(`{"prompt_tokens":30,"completion_tokens":1000,"total_tokens":1030,"citation_tokens":99,"num_search_queries":3,"reasoning_tokens":400}`),
			want:   map[string]any{"input": int64(30), "output": int64(1400), "reasoning": int64(400)},
		},
		{
			name: "xAI: reasoning beside the completion", url: "http://api.x.ai/v1", stream: true, provider: "x_ai",
			answer: finishing(`null`) + `data: {"choices":[],"usage":{"prompt_tokens":165,"completion_tokens":2,"total_tokens":296,"prompt_tokens_details":{"cached_tokens":164},` +
				`"completion_tokens_details":{"reasoning_tokens":129},"cost_in_usd_ticks":739000}}` + "\n\n" + doneEvent,
			want: map[string]any{"input": int64(165), "output": int64(131), "read": int64(164), "reasoning": int64(129)},
		},
		{
			name: "OpenRouter: reasoning rounded", url: "http://openrouter.ai/api/v1", provider: "openrouter",
			answer: "   \n" + answer(`{"prompt_tokens":11,"completion_tokens":100,"total_tokens":111,"cost":0.001,"completion_tokens_details":{"reasoning_tokens":101}}`),
			want:   map[string]any{"input": int64(11), "output": int64(100), "reasoning": int64(100)},
			also:   map[string]any{"revenium.model.source": "OPENROUTER"},
		},
		{
			name: "OpenRouter: finish repeated in the usage chunk", url: "http://openrouter.ai/api/v1", stream: true, provider: "openrouter",
			answer: ": OPENROUTER PROCESSING\n\n" + finishing("null") + finishing(`{"prompt_tokens":11,"completion_tokens":2,"total_tokens":13,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0}}`) + doneEvent,
			want:   map[string]any{"input": int64(11), "output": int64(2), "read": int64(0), "write": int64(0)},
			also:   map[string]any{"gen_ai.response.finish_reasons": []string{"stop"}},
		},
		{
			name: "OpenRouter: searches", url: "http://openrouter.ai/api/v1", provider: "openrouter",
			answer: answer(`{"prompt_tokens":11,"completion_tokens":9,"total_tokens":20,"server_tool_use_details":{"web_search_requests":2,"tool_calls_requested":3,"tool_calls_executed":2}}`),
			want:   map[string]any{"input": int64(11), "output": int64(9)},
			also:   map[string]any{"revenium.usage.server_tool.web_search": int64(2)},
		},
		{
			name: "OpenRouter: read and written overlap", url: "http://openrouter.ai/api/v1", provider: "openrouter",
			answer: answer(`{"prompt_tokens":2168,"completion_tokens":9,"total_tokens":2177,"prompt_tokens_details":{"cached_tokens":2161,"cache_write_tokens":2161}}`),
			want:   map[string]any{"input": int64(2168), "output": int64(9), "read": int64(2161), "write": int64(2161)},
		},
		{
			name: "Together", url: "http://api.together.ai/v1", stream: true, provider: "together",
			answer: `data: {"choices":[{"index":0,"text":"x","seed":13123123123123123123,"delta":{"content":"x"},"finish_reason":"eos"}],"usage":{"prompt_tokens":41,"completion_tokens":15,"total_tokens":56,"cached_tokens":3}}` + "\n\n" + doneEvent,
			want:   map[string]any{"input": int64(41), "output": int64(15), "read": int64(3)},
			also:   map[string]any{"gen_ai.response.finish_reasons": []string{"eos"}},
		},
		{
			name: "Gemini: thinking hidden in the total", url: "http://generativelanguage.googleapis.com/v1beta/openai", provider: "gcp.gemini",
			answer: answer(`{"prompt_tokens":35,"completion_tokens":12,"total_tokens":109}`),
			want:   map[string]any{"input": int64(35), "output": int64(74), "reasoning": int64(62)},
		},
		{
			name: "Vercel: reasoning nowhere else", url: "http://ai-gateway.vercel.sh/v1", provider: "vercel",
			answer: answer(`{"prompt_tokens":9,"completion_tokens":52,"total_tokens":61,"completion_tokens_details":{"reasoning_tokens":232},"cache_creation_input_tokens":0}`),
			want:   map[string]any{"input": int64(9), "output": int64(284), "reasoning": int64(232), "write": int64(0)},
		},
		{
			name: "Alibaba: cache creation", url: "http://dashscope.example.com/compatible-mode/v1", provider: "openai",
			answer: answer(`{"prompt_tokens":50,"completion_tokens":5,"total_tokens":55,"prompt_tokens_details":{"cached_tokens":0,"cache_creation_input_tokens":40}}`),
			want:   map[string]any{"input": int64(50), "output": int64(5), "read": int64(0), "write": int64(40)},
		},
		{
			name: "a gateway that leaves the cache out of the prompt", url: "http://gateway.example.com/v1", provider: "openai",
			answer: answer(`{"prompt_tokens":100,"completion_tokens":5,"total_tokens":165,"cache_read_input_tokens":40,"cache_creation_input_tokens":20}`),
			want:   map[string]any{"input": int64(160), "output": int64(5), "read": int64(40), "write": int64(20)},
		},
		{
			name: "vLLM: running totals", url: "http://vllm.example.com/v1", stream: true, provider: "openai",
			answer: `data: {"choices":[{"index":0,"delta":{"content":"x"}}],"usage":{"prompt_tokens":10,"completion_tokens":1,"total_tokens":11}}` + "\n\n" + finishing(plain) + doneEvent,
			want:   map[string]any{"input": int64(10), "output": int64(5)},
		},
		{
			name: "zeros behind the numbers", url: "http://vllm.example.com/v1", stream: true, provider: "openai",
			answer: finishing(plain) + `data: {"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}` + "\n\n" + doneEvent,
			want:   map[string]any{"input": int64(10), "output": int64(5)},
		},
		{
			name: "Ollama", url: "http://localhost:11434/v1", stream: true, provider: "ollama", answer: finishing("null") + usageEvent + doneEvent,
			want: map[string]any{"input": int64(10), "output": int64(5)},
		},
		{
			name: "Alibaba", url: "http://dashscope.example.com/compatible-mode/v1", provider: "openai",
			answer: answer(`{"prompt_tokens":2000,"completion_tokens":9,"total_tokens":2009,"prompt_tokens_details":{"cached_tokens":0,"cache_creation_input_tokens":1800,"cache_creation":{"ephemeral_5m_input_tokens":1800},"cache_type":"ephemeral"}}`),
			want:   map[string]any{"input": int64(2000), "output": int64(9), "read": int64(0), "write": int64(1800), "5m": int64(1800)},
		},
		{
			name: "Snowflake: no id, no finish reason", url: "http://snowflake.example.com/v1", stream: true, provider: "openai",
			answer: `data: {"id":"","created":0,"choices":[{"index":0,"delta":{"content":"x"}}],"usage":` + plain + "}\n\n" + doneEvent,
			want:   map[string]any{"input": int64(10), "output": int64(5)}, also: map[string]any{"gen_ai.response.id": nil},
		},
		{
			name: "Bedrock's OpenAI endpoint", url: "http://bedrock-runtime.us-east-1.amazonaws.com/openai/v1", provider: "aws.bedrock", answer: answer(plain),
			want: map[string]any{"input": int64(10), "output": int64(5)},
		},
		{
			name: "Vertex's OpenAI endpoint", url: "http://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/openapi", provider: "gcp.vertex_ai", answer: answer(plain),
			want: map[string]any{"input": int64(10), "output": int64(5)},
		},
		{
			name: "total and prompt only", url: "http://api.example.com/v1", provider: "openai", answer: answer(`{"prompt_tokens":10,"total_tokens":15}`),
			want: map[string]any{"input": int64(10), "output": int64(5)},
		},
		{
			name: "total and completion only", url: "http://api.example.com/v1", provider: "openai", answer: answer(`{"completion_tokens":5,"total_tokens":15}`),
			want: map[string]any{"input": int64(10), "output": int64(5)},
		},
		{
			name: "floats and numbers in strings", url: "http://api.example.com/v1", provider: "openai", answer: answer(`{"prompt_tokens":10.0,"completion_tokens":"5","total_tokens":1.5e1}`),
			want: map[string]any{"input": int64(10), "output": int64(5)},
		},
		{
			name: "LiteLLM: Anthropic behind it", url: "http://proxy.example.com/v1", model: "anthropic/claude", provider: "openai",
			answer: answer(`{"prompt_tokens":3214,"completion_tokens":100,"total_tokens":3314,"cache_read_input_tokens":7,"cache_creation_input_tokens":3200,` +
				`"prompt_tokens_details":{"cached_tokens":7,"cache_creation_tokens":3200,"cache_creation_token_details":{"ephemeral_5m_input_tokens":3000,"ephemeral_1h_input_tokens":200}}}`),
			want: map[string]any{"input": int64(3214), "output": int64(100), "read": int64(7), "write": int64(3200), "5m": int64(3000), "1h": int64(200)},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request, contentType := chatBody, "application/json"
			if tt.stream {
				request, contentType = askingBody, "text/event-stream"
			}
			h := newHarness(t, answering(200, contentType, tt.answer))
			if got := h.exchange(tt.url+"/chat/completions", request); got != tt.answer {
				t.Errorf("the answer changed:\n%s", cmp.Diff(tt.answer, got))
			}
			span := h.only()
			span.wantFailed(t, "")
			span.want(t, map[string]any{"gen_ai.provider.name": tt.provider, "revenium.usage.missing": nil, "revenium.usage.partial": nil})
			span.want(t, tt.also)
			if diff := cmp.Diff(tt.want, tokensOf(span)); diff != "" {
				t.Errorf("tokens (-want +got):\n%s", diff)
			}
		})
	}
}

// tokensOf returns the counts on a span by short names.
func tokensOf(s spanView) map[string]any {
	found := map[string]any{}
	for name, key := range map[string]string{
		"input": "gen_ai.usage.input_tokens", "output": "gen_ai.usage.output_tokens",
		"read": "gen_ai.usage.cache_read.input_tokens", "write": "gen_ai.usage.cache_creation.input_tokens",
		"5m": "revenium.usage.cache_creation_5m_tokens", "1h": "revenium.usage.cache_creation_1h_tokens",
		"reasoning": "gen_ai.usage.reasoning.output_tokens",
		"audio in":  "revenium.usage.input_audio_tokens", "audio out": "revenium.usage.output_audio_tokens",
	} {
		if v, ok := s.attributes[key]; ok {
			found[name] = v
		}
	}
	return found
}

func TestCompletions(t *testing.T) {
	for _, stream := range []bool{false, true} {
		request, contentType := `{"model":"babbage-002","prompt":["a","b"]}`, "application/json"
		answer := `{"id":"cmpl-1","model":"babbage","choices":[{"index":0,"text":"x","finish_reason":"length"},{"index":1,"text":"y","finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4}}`
		if stream {
			request, contentType = `{"model":"babbage-002","prompt":"a","stream":true,"stream_options":{"include_usage":true}}`, "text/event-stream"
			answer = `data: {"id":"cmpl-1","model":"babbage","choices":[{"index":0,"text":"x","finish_reason":"length"},{"index":1,"text":"y","finish_reason":"stop"}],"usage":null}` + "\n\n" +
				`data: {"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4}}` + "\n\n" + doneEvent
		}
		h := newHarness(t, answering(200, contentType, answer))
		h.exchange("http://api.openai.com/v1/completions", request)
		span := h.only()
		span.wantFailed(t, "")
		span.want(t, map[string]any{
			"gen_ai.operation.name": "text_completion", "gen_ai.response.finish_reasons": []string{"length", "stop"}, "openai.api.type": nil,
			"gen_ai.usage.input_tokens": int64(2), "gen_ai.usage.output_tokens": int64(2), "gen_ai.response.id": "cmpl-1",
		})
		if _, timed := span.attributes["gen_ai.response.time_to_first_chunk"]; timed != stream {
			t.Errorf("stream %t: time to first chunk: %t", stream, timed)
		}
		if span.Name != "text_completion babbage-002" {
			t.Errorf("name %q", span.Name)
		}
	}
}

func TestEmbeddings(t *testing.T) {
	vector := strings.Repeat("0.123456,", 1535) + "1"
	tests := []struct {
		name, answer string
		want         map[string]any
	}{
		{name: "OpenAI", answer: `{"object":"list","data":[{"index":0,"embedding":[` + vector + `]}],"model":"text-embedding-3-small","usage":{"prompt_tokens":5,"total_tokens":5}}`, want: map[string]any{"input": int64(5)}},
		{name: "total only", answer: `{"data":[],"usage":{"total_tokens":5}}`, want: map[string]any{"input": int64(5)}},
		{name: "with a completion of 0", answer: `{"data":[],"usage":{"prompt_tokens":5,"completion_tokens":0,"total_tokens":5}}`, want: map[string]any{"input": int64(5)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t, answering(200, "application/json", tt.answer))
			h.exchange("http://api.openai.com/v1/embeddings", `{"input":"secret","model":"text-embedding-3-small"}`)
			span := h.only()
			span.wantFailed(t, "")
			span.want(t, map[string]any{"gen_ai.operation.name": "embeddings", "gen_ai.response.id": nil, "revenium.usage.missing": nil})
			if diff := cmp.Diff(tt.want, tokensOf(span)); diff != "" {
				t.Errorf("tokens (-want +got):\n%s", diff)
			}
		})
	}
}
