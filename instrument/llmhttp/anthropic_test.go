// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"testing"

	"github.com/revenium/revenium-otel-go/instrument"
)

func TestAnthropic(t *testing.T) {
	const (
		url      = "http://api.anthropic.com/v1/messages"
		request  = `{"model":"claude-sonnet-4","max_tokens":100,"messages":[{"role":"user","content":"secret"}]}`
		asStream = `{"model":"claude-sonnet-4","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"secret"}]}`
		head     = `{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-20250514","content":[{"type":"text","text":"secret"}],"stop_reason":"end_turn","stop_sequence":null,`
		textPart = `content_block_delta:{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"} }   `
		stop     = `message_stop:{"type":"message_stop"}`
		ping     = `ping:{"type": "ping"}`
	)
	start := func(usage string) string {
		return `message_start:{"type":"message_start","message":{"id":"msg_1","type":"message","model":"claude-sonnet-4-20250514","content":[],"stop_reason":null,"usage":` + usage + `}}`
	}
	delta := func(usage string) string {
		return `message_delta:{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":` + usage + `}`
	}
	message := func(sets ...map[string]any) map[string]any {
		return attributesOf(append([]map[string]any{{
			"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4",
			"gen_ai.request.max_tokens": int64(100), "gen_ai.response.id": "msg_1", "gen_ai.response.model": "claude-sonnet-4-20250514",
			"gen_ai.response.finish_reasons": []string{"end_turn"},
		}}, sets...)...)
	}
	streamed := map[string]any{"gen_ai.request.stream": true}
	cut := map[string]any{"gen_ai.response.finish_reasons": nil, "revenium.usage.partial": true}
	runFormats(t, []formatCase{
		{
			name: "message", url: url, span: "chat claude-sonnet-4",
			request: `{"model":"claude-sonnet-4","max_tokens":100,"messages":[{}],"system":"secret","temperature":1,"top_p":0.5,"top_k":40,"stop_sequences":["a","b"],
				"service_tier":"auto","output_config":{"effort":"high"},"metadata":{"user_id":"secret"},"thinking":{"budget_tokens":1000}}`,
			answer: head + `"usage":{"input_tokens":10,"cache_creation_input_tokens":30,"cache_read_input_tokens":200,"cache_creation":{"ephemeral_5m_input_tokens":20,"ephemeral_1h_input_tokens":10},
				"output_tokens":40,"output_tokens_details":{"thinking_tokens":15},"service_tier":"priority","speed":"fast","inference_geo":"us","server_tool_use":{"web_search_requests":2,"web_fetch_requests":1}}}`,
			want: message(usageOf(240, 40, 200, 30, 15), map[string]any{
				"gen_ai.request.temperature": 1.0, "gen_ai.request.top_p": 0.5, "gen_ai.request.top_k": int64(40),
				"gen_ai.request.stop_sequences": []string{"a", "b"}, "gen_ai.request.reasoning.level": "high",
				"revenium.service_tier.requested": "auto", "revenium.service_tier.actual": "priority", "revenium.speed": "fast",
				"revenium.usage.cache_creation_5m_tokens": int64(20), "revenium.usage.cache_creation_1h_tokens": int64(10),
				"revenium.usage.server_tool.web_search": int64(2), "revenium.usage.server_tool.web_fetch": int64(1),
			}),
		},
		{
			name: "the cache by its parts alone", url: url, request: request,
			answer: head + `"usage":{"input_tokens":10,"cache_creation":{"ephemeral_5m_input_tokens":20},"output_tokens":40}}`,
			want:   message(usageOf(30, 40, -1, 20), map[string]any{"revenium.usage.cache_creation_5m_tokens": int64(20)}),
		},
		{
			name: "stream, older", url: url, request: asStream, answerType: "text/event-stream; charset=utf-8", streamed: true,
			answer: sse(start(`{"input_tokens":16,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":1}`), ping, textPart, delta(`{"output_tokens":38}`), stop),
			want:   message(streamed, usageOf(20, 38, 4, 0)),
		},
		{
			name: "stream, with a server's tool: what comes later overwrites", url: url, request: asStream, answerType: "text/event-stream", streamed: true,
			answer: sse(start(`{"input_tokens":2039,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1,"server_tool_use":null}`), textPart,
				delta(`{"input_tokens":10423,"cache_creation_input_tokens":null,"cache_read_input_tokens":0,"output_tokens":341,"server_tool_use":{"web_search_requests":1}}`), stop),
			want: message(streamed, usageOf(10423, 341, 0, 0), map[string]any{"revenium.usage.server_tool.web_search": int64(1)}),
		},
		{
			name: "stream, overwritten by zero", url: url, request: asStream, answerType: "text/event-stream", streamed: true,
			answer: sse(start(`{"input_tokens":100,"cache_read_input_tokens":55096,"output_tokens":1}`), textPart, delta(`{"input_tokens":181,"cache_read_input_tokens":0,"output_tokens":8}`), stop),
			want:   message(streamed, usageOf(181, 8, 0)),
		},
		{
			name: "stream, compacted: the totals leave the compaction out", url: url, request: asStream, answerType: "text/event-stream", streamed: true,
			answer: sse(start(`{"input_tokens":100,"cache_read_input_tokens":55096,"output_tokens":1}`), textPart,
				delta(`{"input_tokens":181,"cache_read_input_tokens":0,"output_tokens":8,"iterations":[
					{"type":"compaction","input_tokens":100,"cache_read_input_tokens":55096,"cache_creation_input_tokens":0,"output_tokens":83},
					{"type":"message","input_tokens":181,"cache_read_input_tokens":0,"cache_creation_input_tokens":0,"output_tokens":8}]}`), stop),
			want: message(streamed, usageOf(181+100+55096, 91, 55096, 0)),
		},
		{
			name: "a fallback has answered: the totals are its own", url: url, request: request,
			answer: head + `"usage":{"input_tokens":10,"output_tokens":4,"iterations":[{"type":"message","input_tokens":10,"output_tokens":1},{"type":"fallback_message","model":"claude-haiku","input_tokens":10,"output_tokens":4},{"type":"compaction","input_tokens":5,"output_tokens":5}]}}`,
			want:   message(usageOf(10, 4)),
		},
		{
			name: "an advisor is another model at a price of its own", url: url, request: request,
			answer: head + `"usage":{"input_tokens":10,"output_tokens":4,"iterations":[{"type":"message","input_tokens":10,"output_tokens":4},
				{"type":"advisor_message","model":"claude-opus-4-1","input_tokens":50,"cache_read_input_tokens":7,"output_tokens":60}]}}`,
			want: message(usageOf(10, 4)),
			children: []map[string]any{attributesOf(usageOf(57, 60, 7), map[string]any{
				"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-opus-4-1", "gen_ai.response.model": "claude-opus-4-1",
			})},
		},
		{
			name: "stream cut: the input is known, the output at least", url: url, request: asStream, answerType: "text/event-stream", streamed: true,
			answer: sse(start(`{"input_tokens":16,"output_tokens":5}`), textPart) + "even", failed: instrument.ErrorTypeUnexpectedEOF,
			want: message(streamed, usageOf(16, 5), cut),
		},
		{
			name: "stream with an error", url: url, request: asStream, answerType: "text/event-stream", streamed: true,
			answer: sse(start(`{"input_tokens":16,"output_tokens":5}`), textPart, `error:{"type":"error","error":{"type":"overloaded_error","message":"secret"}}`),
			failed: "overloaded_error", want: message(streamed, usageOf(16, 5), cut),
		},
		{
			name: "stream without a stop: a server that is only compatible", url: "http://llm.example.com/anthropic/v1/messages", request: asStream, answerType: "text/event-stream", streamed: true,
			answer: sse(start(`{"input_tokens":16,"output_tokens":5}`), textPart, delta(`{"output_tokens":7}`)),
			want:   message(streamed, usageOf(16, 7)),
		},
		{
			name: "refused", url: url, request: asStream, status: 529, failed: "overloaded_error",
			answer: `{"type":"error","error":{"type":"overloaded_error","message":"secret"},"request_id":"req_1"}`,
			want: attributesOf(streamed, map[string]any{
				"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4", "gen_ai.request.max_tokens": int64(100),
			}),
		},
		{
			name: "on Vertex AI", url: "http://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models/claude-sonnet-4@20250514:streamRawPredict",
			request: `{"anthropic_version":"vertex-2023-10-16","max_tokens":100,"messages":[{}],"stream":true}`, answerType: "text/event-stream", streamed: true,
			answer: sse(start(`{"input_tokens":16,"output_tokens":5}`), textPart, delta(`{"output_tokens":7}`), stop),
			span:   "chat claude-sonnet-4@20250514",
			want:   message(streamed, usageOf(16, 7), map[string]any{"gen_ai.provider.name": "gcp.vertex_ai", "gen_ai.request.model": "claude-sonnet-4@20250514"}),
		},
		{
			name: "any model behind a LiteLLM proxy", url: "http://proxy.example.com/v1/messages", answerHeaders: []string{"X-Litellm-Call-Id", "1"},
			request: `{"model":"groq/llama","max_tokens":100,"messages":[{}]}`, answer: head + `"usage":{"input_tokens":10,"output_tokens":4}}`,
			want: message(usageOf(10, 4), map[string]any{"gen_ai.provider.name": "groq", "gen_ai.request.model": "groq/llama", "revenium.model.source": "LITELLM"}),
		},
		{
			name: "passed on by a LiteLLM proxy", url: "http://proxy.example.com/anthropic/v1/messages", answerHeaders: []string{"X-Litellm-Call-Id", "1"},
			request: request, answer: head + `"usage":{"input_tokens":10,"output_tokens":4}}`,
			want: message(usageOf(10, 4), map[string]any{"revenium.model.source": "LITELLM"}),
		},
		{
			name: "text completion, which reports no usage", url: "http://api.anthropic.com/v1/complete", request: `{"model":"claude-2.1","max_tokens_to_sample":100,"prompt":"secret"}`,
			answer: `{"type":"completion","id":"compl_1","completion":"secret","stop_reason":"stop_sequence","model":"claude-2.1"}`, span: "text_completion claude-2.1",
			want: map[string]any{
				"gen_ai.operation.name": "text_completion", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-2.1", "gen_ai.request.max_tokens": int64(100),
				"gen_ai.response.id": "compl_1", "gen_ai.response.model": "claude-2.1", "gen_ai.response.finish_reasons": []string{"stop_sequence"}, "revenium.usage.missing": true,
			},
		},
		{
			name: "counting tokens", url: url + "/count_tokens", request: request, answer: `{"input_tokens":14}`, span: "count_tokens claude-sonnet-4",
			want: map[string]any{"gen_ai.operation.name": "count_tokens", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4"},
		},
		{
			name: "counting tokens on Vertex AI", url: "http://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict",
			request: request, answer: `{"input_tokens":14}`,
			want: map[string]any{"gen_ai.operation.name": "count_tokens", "gen_ai.provider.name": "gcp.vertex_ai", "gen_ai.request.model": "claude-sonnet-4"},
		},
		{
			name: "batch", url: url + "/batches", request: `{"requests":[{"params":{"model":"x"}}]}`, answer: `{"id":"msgbatch_1","type":"message_batch"}`,
			want: map[string]any{
				"gen_ai.operation.name": "create_batch", "gen_ai.provider.name": "anthropic", "gen_ai.response.id": "msgbatch_1", "revenium.metering.skip": true,
			},
		},
	})
}
