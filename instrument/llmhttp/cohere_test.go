// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"testing"

	"github.com/revenium/revenium-otel-go/instrument"
)

func TestCohere(t *testing.T) {
	const host = "http://api.cohere.com"
	call := func(operation, model string, sets ...map[string]any) map[string]any {
		return attributesOf(append([]map[string]any{{
			"gen_ai.operation.name": operation, "gen_ai.provider.name": "cohere", "gen_ai.request.model": model, "gen_ai.response.id": "c1",
		}}, sets...)...)
	}
	streamed := map[string]any{"gen_ai.request.stream": true}
	runFormats(t, []formatCase{
		{
			name: "what is billed goes before what the model saw", url: host + "/v2/chat", span: "chat command-a",
			request: `{"model":"command-a","messages":[{}],"max_tokens":9,"temperature":0.5,"p":0.9,"k":3,"seed":1,"stop_sequences":["x"],"frequency_penalty":0.1,"presence_penalty":0.2}`,
			answer:  `{"id":"c1","message":{"content":[{"type":"text"}]},"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":7.0,"output_tokens":88},"tokens":{"input_tokens":502,"output_tokens":89},"cached_tokens":448}}`,
			want: call("chat", "command-a", finish("COMPLETE"), usageOf(7, 88), map[string]any{
				"gen_ai.request.max_tokens": int64(9), "gen_ai.request.temperature": 0.5, "gen_ai.request.top_p": 0.9, "gen_ai.request.top_k": int64(3), "gen_ai.request.seed": int64(1),
				"gen_ai.request.stop_sequences": []string{"x"}, "gen_ai.request.frequency_penalty": 0.1, "gen_ai.request.presence_penalty": 0.2,
			}),
		},
		{
			name: "nothing is told of the bill", url: host + "/v2/chat", request: `{"model":"m","messages":[{}]}`,
			answer: `{"id":"c1","finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":5,"output_tokens":6}}}`, want: call("chat", "m", finish("COMPLETE"), usageOf(5, 6)),
		},
		{
			name: "stream of the second version", url: host + "/v2/chat", request: `{"model":"m","messages":[{}],"stream":true}`, answerType: "text/event-stream", streamed: true,
			answer: sse(`message-start:{"id":"c1","type":"message-start","delta":{"message":{"content":[]}}}`, `content-delta:{"type":"content-delta","delta":{"message":{"content":{"text":"x"}}}}`,
				`message-end:{"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":7,"output_tokens":21},"tokens":{"input_tokens":502,"output_tokens":24}}}}`) + doneEvent,
			want: call("chat", "m", streamed, finish("TOOL_CALL"), usageOf(7, 21)),
		},
		{
			name: "stream of the second version, cut", url: host + "/v2/chat", request: `{"model":"m","messages":[{}],"stream":true}`, answerType: "text/event-stream", streamed: true,
			answer: sse(`content-delta:{"id":"c1","type":"content-delta","delta":{"message":{"content":{"text":"x"}}}}`), failed: instrument.ErrorTypeUnexpectedEOF,
			want: call("chat", "m", streamed, map[string]any{"revenium.usage.missing": true}),
		},
		{
			name: "first version", url: host + "/v1/chat", request: `{"model":"m","message":"secret"}`,
			answer: `{"response_id":"c1","generation_id":"g1","text":"secret","finish_reason":"MAX_TOKENS","meta":{"api_version":{"version":"1"},"billed_units":{"input_tokens":7,"output_tokens":8},"tokens":{"input_tokens":70,"output_tokens":8}}}`,
			want:   call("chat", "m", finish("MAX_TOKENS"), usageOf(7, 8)),
		},
		{
			name: "stream of the first version", url: host + "/v1/chat", request: `{"model":"m","message":"secret","stream":true}`, answerType: "application/stream+json", streamed: true,
			answer: `{"is_finished":false,"event_type":"stream-start","generation_id":"g1"}` + "\n" + `{"is_finished":false,"event_type":"text-generation","text":"x"}` + "\n" +
				`{"is_finished":true,"event_type":"stream-end","response":{"response_id":"c1","finish_reason":"COMPLETE","meta":{"billed_units":{"input_tokens":7,"output_tokens":115}}},"finish_reason":"COMPLETE"}` + "\n",
			want: call("chat", "m", streamed, finish("COMPLETE"), usageOf(7, 115)),
		},
		{
			name: "generation", url: host + "/v1/generate", request: `{"model":"m","prompt":"secret","num_generations":2}`,
			answer: `{"id":"c1","generations":[{"id":"a","text":"x","finish_reason":"COMPLETE"},{"id":"b","finish_reason":"MAX_TOKENS"}],"meta":{"billed_units":{"input_tokens":1,"output_tokens":2}}}`,
			want:   call("text_completion", "m", finish("COMPLETE", "MAX_TOKENS"), usageOf(1, 2), map[string]any{"gen_ai.request.choice.count": int64(2)}),
		},
		{
			name: "embeddings", url: host + "/v2/embed", request: `{"model":"m","texts":["secret"],"embedding_types":["float"],"output_dimension":64}`,
			answer: `{"id":"c1","embeddings":{"float":[[0.1]]},"texts":["secret"],"meta":{"billed_units":{"input_tokens":208}}}`,
			want:   call("embeddings", "m", usageOf(208), map[string]any{"gen_ai.request.encoding_formats": []string{"float"}, "gen_ai.embeddings.dimension.count": int64(64)}),
		},
		{
			name: "rerank, by search units", url: host + "/v2/rerank", request: `{"model":"m","query":"secret","documents":["secret"]}`, span: "rerank m",
			answer: `{"id":"c1","results":[{"index":0}],"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":1}}}`,
			want:   call("rerank", "m", map[string]any{"revenium.usage.search_units": int64(1)}),
		},
		{
			name: "rerank of another provider, by the token", url: "http://api.example.com/v1/rerank", request: `{"model":"m","query":"secret","documents":["secret"]}`,
			answer: `{"results":[],"usage":{"total_tokens":15}}`, want: call("rerank", "m", usageOf(15), map[string]any{"gen_ai.response.id": nil}),
		},
		{
			name: "passed on by a proxy", url: "http://proxy.example.com/cohere/v2/chat", request: `{"model":"m","messages":[{}]}`,
			answer: `{"id":"c1","finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":1,"output_tokens":2}}}`, want: call("chat", "m", finish("COMPLETE"), usageOf(1, 2)),
		},
		{
			name: "refused", url: host + "/v2/chat", request: `{"model":"m","messages":[{}]}`, status: 401, failed: "401",
			answer: `{"id":"x","message":"secret"}`, want: call("chat", "m", map[string]any{"gen_ai.response.id": nil}),
		},
	})
}

func TestOllama(t *testing.T) {
	const host = "http://localhost:11434"
	call := func(operation string, sets ...map[string]any) map[string]any {
		return attributesOf(append([]map[string]any{{
			"gen_ai.operation.name": operation, "gen_ai.provider.name": "ollama", "gen_ai.request.model": "gemma3", "gen_ai.response.model": "gemma3",
		}}, sets...)...)
	}
	streamed := map[string]any{"gen_ai.request.stream": true}
	const piece = `{"model":"gemma3","message":{"role":"assistant","content":"x"},"done":false}` + "\n"
	runFormats(t, []formatCase{
		{
			name: "streams unless it is told not to", url: host + "/api/chat", answerType: "application/x-ndjson", streamed: true, span: "chat gemma3",
			request: `{"model":"gemma3","messages":[{}],"options":{"num_predict":9,"temperature":0.5,"top_p":0.9,"top_k":3,"seed":1,"stop":["x"]}}`,
			answer:  piece + piece + `{"model":"gemma3","message":{"content":""},"done":true,"done_reason":"stop","total_duration":5,"prompt_eval_count":25,"eval_count":9}` + "\n",
			want: call("chat", streamed, finish("stop"), usageOf(25, 9), map[string]any{
				"gen_ai.request.max_tokens": int64(9), "gen_ai.request.temperature": 0.5, "gen_ai.request.top_p": 0.9, "gen_ai.request.top_k": int64(3),
				"gen_ai.request.seed": int64(1), "gen_ai.request.stop_sequences": []string{"x"},
			}),
		},
		{
			name: "whole", url: host + "/api/generate", request: `{"model":"gemma3","prompt":"secret","stream":false}`,
			answer: `{"model":"gemma3","response":"secret","done":true,"done_reason":"length","context":[1,2],"prompt_eval_count":15,"eval_count":65}`,
			want:   call("text_completion", finish("length"), usageOf(15, 65)),
		},
		{
			name: "a prompt from the cache, which older servers do not count", url: host + "/api/chat", request: `{"model":"gemma3","messages":[{}],"stream":false}`,
			answer: `{"model":"gemma3","message":{"content":"secret"},"done":true,"done_reason":"stop","eval_count":5}`, want: call("chat", finish("stop"), usageOf(-1, 5)),
		},
		{
			name: "error within a stream", url: host + "/api/chat", request: `{"model":"gemma3","messages":[{}]}`, answerType: "application/x-ndjson", streamed: true,
			answer: piece + `{"error":"secret"}` + "\n", failed: instrument.ErrorTypeOther, want: call("chat", streamed, map[string]any{"revenium.usage.missing": true}),
		},
		{
			name: "stream cut between lines", url: host + "/api/chat", request: `{"model":"gemma3","messages":[{}]}`, answerType: "application/x-ndjson", streamed: true,
			answer: piece, failed: instrument.ErrorTypeUnexpectedEOF, want: call("chat", streamed, map[string]any{"revenium.usage.missing": true}),
		},
		{
			name: "stream cut within a line", url: host + "/api/chat", request: `{"model":"gemma3","messages":[{}]}`, answerType: "application/x-ndjson", streamed: true,
			answer: piece + piece[:20], failed: instrument.ErrorTypeUnexpectedEOF, want: call("chat", streamed, map[string]any{"revenium.usage.missing": true}),
		},
		{
			name: "loading a model", url: host + "/api/generate", request: `{"model":"gemma3","stream":false}`, answer: `{"model":"gemma3","response":"","done":true,"done_reason":"load"}`,
			want: call("text_completion", finish("load"), map[string]any{"revenium.metering.skip": true}),
		},
		{
			name: "embeddings", url: host + "/api/embed", request: `{"model":"gemma3","input":["secret"]}`, answer: `{"model":"gemma3","embeddings":[[0.1]],"total_duration":1,"prompt_eval_count":8}`,
			want: call("embeddings", usageOf(8)),
		},
		{
			name: "older embeddings, which count nothing", url: host + "/api/embeddings", request: `{"model":"gemma3","prompt":"secret"}`, answer: `{"embedding":[0.1]}`,
			want: call("embeddings", map[string]any{"gen_ai.response.model": nil, "revenium.usage.missing": true}),
		},
		{
			name: "at an unknown host", url: "http://gpu.example.com/ollama/api/chat", request: `{"model":"gemma3","messages":[{}],"stream":false}`,
			answer: `{"model":"gemma3","done":true,"done_reason":"stop","prompt_eval_count":1,"eval_count":2}`, want: call("chat", finish("stop"), usageOf(1, 2)),
		},
		{
			name: "refused", url: host + "/api/chat", request: `{"model":"gemma3","messages":[{}]}`, status: 404, failed: "404", answerType: "application/json; charset=utf-8",
			answer: `{"error":"model \"gemma3\" not found"}`, want: call("chat", streamed, map[string]any{"gen_ai.response.model": nil}),
		},
	})
}
