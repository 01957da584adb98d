// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"strings"
	"testing"

	"github.com/revenium/revenium-otel-go/instrument"
)

const (
	geminiModels = "http://generativelanguage.googleapis.com/v1beta/models/"
	vertexModels = "http://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/"
)

func TestGemini(t *testing.T) {
	const request = `{"contents":[{"parts":[{"text":"secret"}]}]}`
	content := func(sets ...map[string]any) map[string]any {
		return attributesOf(append([]map[string]any{{
			"gen_ai.operation.name": "generate_content", "gen_ai.provider.name": "gcp.gemini", "gen_ai.request.model": "gemini-2.5-flash",
			"gen_ai.response.id": "r1", "gen_ai.response.model": "gemini-2.5-flash-001", "gen_ai.response.finish_reasons": []string{"STOP"},
		}}, sets...)...)
	}
	answer := func(finish, usage string) string {
		return `{"candidates":[{"content":{"parts":[{"text":"secret"}]},"finishReason":` + finish + `}],"usageMetadata":` + usage + `,"modelVersion":"models/gemini-2.5-flash-001","responseId":"r1"}`
	}
	vertex := map[string]any{"gen_ai.provider.name": "gcp.vertex_ai"}
	streamed := map[string]any{"gen_ai.request.stream": true}
	first := `{"candidates":[{"content":{"parts":[{"text":"secret"}]}}],"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7},"modelVersion":"gemini-2.5-flash-001","responseId":"r1"}`
	last := answer(`"STOP"`, `{"promptTokenCount":7,"candidatesTokenCount":5,"thoughtsTokenCount":20,"totalTokenCount":32}`)
	traffic := `{"usageMetadata":{"trafficType":"ON_DEMAND"},"modelVersion":"gemini-2.5-flash-001"}`
	elements := "[" + first + "\n,\r\n" + last + "\n,\r\n" + traffic + "\n]\n"
	runFormats(t, []formatCase{
		{
			name: "what tools were asked and what was thought is beside", url: geminiModels + "gemini-2.5-flash:generateContent", span: "generate_content gemini-2.5-flash",
			request: `{"contents":[{}],"generationConfig":{"temperature":0.2,"topP":0.95,"topK":2.0,"maxOutputTokens":5,"stopSequences":["x"],"candidateCount":2,"seed":9,
				"frequencyPenalty":1,"presencePenalty":-1.5,"thinkingConfig":{"thinkingLevel":"low"}}}`,
			answer: answer(`"STOP"`, `{"promptTokenCount":32,"cachedContentTokenCount":10,"candidatesTokenCount":341,"toolUsePromptTokenCount":720,"thoughtsTokenCount":103,"totalTokenCount":1196,
				"serviceTier":"standard","promptTokensDetails":[{"modality":"TEXT","tokenCount":20},{"modality":"AUDIO","tokenCount":12}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":300}]}`),
			want: content(usageOf(752, 444, 10, -1, 103), map[string]any{
				"gen_ai.request.temperature": 0.2, "gen_ai.request.top_p": 0.95, "gen_ai.request.top_k": int64(2), "gen_ai.request.max_tokens": int64(5),
				"gen_ai.request.stop_sequences": []string{"x"}, "gen_ai.request.choice.count": int64(2), "gen_ai.request.seed": int64(9),
				"gen_ai.request.frequency_penalty": 1.0, "gen_ai.request.presence_penalty": -1.5, "gen_ai.request.reasoning.level": "low",
				"revenium.service_tier.actual": "standard", "revenium.usage.input_audio_tokens": int64(12), "revenium.usage.output_image_tokens": int64(300),
			}),
		},
		{
			name: "searches of its own", url: geminiModels + "gemini-2.5-flash:generateContent", request: `{"contents":[{}],"generation_config":{"max_output_tokens":5}}`,
			answer: `{"candidates":[{"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["a","b"]}}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":3},"modelVersion":"gemini-2.5-flash-001","responseId":"r1"}`,
			want:   content(usageOf(1, 2), map[string]any{"revenium.usage.server_tool.web_search": int64(2), "gen_ai.request.max_tokens": int64(5)}),
		},
		{
			name: "zeros are left out", url: geminiModels + "gemini-2.5-flash:generateContent", request: request,
			answer: answer(`"MAX_TOKENS"`, `{"promptTokenCount":14,"thoughtsTokenCount":4,"totalTokenCount":18}`),
			want:   content(usageOf(14, 4, -1, -1, 4), map[string]any{"gen_ai.response.finish_reasons": []string{"MAX_TOKENS"}}),
		},
		{
			name: "no prompt and no total: the input is not known", url: geminiModels + "gemini-2.5-flash:generateContent", request: request,
			answer: answer(`"STOP"`, `{"candidatesTokenCount":9}`), want: content(usageOf(-1, 9)),
		},
		{
			name: "a prompt that is refused", url: geminiModels + "gemini-2.5-flash:generateContent", request: request,
			answer: `{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":14,"totalTokenCount":14},"modelVersion":"gemini-2.5-flash-001","responseId":"r1"}`,
			want:   content(usageOf(14, 0), map[string]any{"gen_ai.response.finish_reasons": []string{"PROHIBITED_CONTENT"}}),
		},
		{
			name: "a prompt that is refused for other reasons", url: geminiModels + "gemini-2.5-flash:generateContent", request: request,
			answer: `{"promptFeedback":{"blockReason":"OTHER"},"usageMetadata":{"promptTokenCount":14,"totalTokenCount":14},"modelVersion":"gemini-2.5-flash-001","responseId":"r1"}`,
			want:   content(usageOf(14, 0), map[string]any{"gen_ai.response.finish_reasons": []string{"BLOCKED_OTHER"}}),
		},
		{
			name: "a usage that says nothing", url: geminiModels + "gemini-2.5-flash:generateContent", request: request, answer: answer(`"OTHER"`, `{"trafficType":"ON_DEMAND"}`),
			want: content(map[string]any{"gen_ai.response.finish_reasons": []string{"OTHER"}, "revenium.usage.missing": true}),
		},
		{
			name: "reasons as numbers", url: geminiModels + "gemini-2.5-flash:generateContent?%24alt=json%3Benum-encoding%3Dint", request: request,
			answer: answer(`8`, `{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":3}`),
			want:   content(usageOf(1, 2), map[string]any{"gen_ai.response.finish_reasons": []string{"PROHIBITED_CONTENT"}}),
		},
		{
			name: "reasons as Vertex AI's numbers", url: vertexModels + "gemini-2.5-flash:generateContent", request: request,
			answer: answer(`8`, `{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":3,"trafficType":1,"promptTokensDetails":[{"modality":4,"tokenCount":1}]}`),
			want:   content(vertex, usageOf(1, 2), map[string]any{"gen_ai.response.finish_reasons": []string{"SPII"}, "revenium.usage.input_audio_tokens": int64(1)}),
		},
		{
			name: "stream of events", url: geminiModels + "gemini-2.5-flash:streamGenerateContent?alt=sse&key=secret", request: request, answerType: "text/event-stream", streamed: true,
			answer: strings.ReplaceAll(sse(first, last, traffic), "\n", "\r\n"), want: content(streamed, usageOf(7, 25, -1, -1, 20)),
		},
		{
			name: "stream of elements", url: geminiModels + "gemini-2.5-flash:streamGenerateContent", request: request, answer: elements, streamed: true,
			want: content(streamed, usageOf(7, 25, -1, -1, 20)),
		},
		{
			name: "stream of elements that is cut", url: geminiModels + "gemini-2.5-flash:streamGenerateContent", request: request, answer: "[" + first + ",\r\n" + last[:60], streamed: true,
			failed: instrument.ErrorTypeUnexpectedEOF,
			want:   content(streamed, usageOf(7, 0), map[string]any{"gen_ai.response.finish_reasons": nil, "revenium.usage.partial": true}),
		},
		{
			name: "error within a stream", url: geminiModels + "gemini-2.5-flash:streamGenerateContent?alt=sse", request: request, answerType: "text/event-stream", streamed: true,
			answer: sse(first, `{"error":{"code":503,"message":"secret","status":"UNAVAILABLE"}}`), failed: "UNAVAILABLE",
			want: content(streamed, usageOf(7, 0), map[string]any{"gen_ai.response.finish_reasons": nil, "revenium.usage.partial": true}),
		},
		{
			name: "refused, in an array", url: geminiModels + "gemini-2.5-flash:streamGenerateContent", request: request, status: 429, failed: "RESOURCE_EXHAUSTED",
			answer: `[{"error":{"code":429,"message":"secret","status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"3s"}]}}]`,
			want:   content(streamed, map[string]any{"gen_ai.response.id": nil, "gen_ai.response.model": nil, "gen_ai.response.finish_reasons": nil}),
		},
		{
			name: "embeddings", url: geminiModels + "gemini-embedding-2:batchEmbedContents", request: `{"requests":[{"model":"models/gemini-embedding-2","content":{"parts":[]},"outputDimensionality":768}]}`,
			answer: `{"embeddings":[{"values":[0.1]}],"usageMetadata":{"promptTokenCount":4,"promptTokenDetails":[{"modality":"TEXT","tokenCount":4}]}}`, span: "embeddings gemini-embedding-2",
			want: attributesOf(usageOf(4), map[string]any{
				"gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "gcp.gemini", "gen_ai.request.model": "gemini-embedding-2", "gen_ai.embeddings.dimension.count": int64(768),
			}),
		},
		{
			name: "embeddings that report nothing", url: geminiModels + "gemini-embedding-001:embedContent", request: `{"content":{"parts":[]}}`, answer: `{"embedding":{"values":[0.1]}}`,
			want: map[string]any{
				"gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "gcp.gemini", "gen_ai.request.model": "gemini-embedding-001", "revenium.usage.missing": true,
			},
		},
		{
			name: "counting tokens", url: geminiModels + "gemini-2.5-flash:countTokens", request: request, answer: `{"totalTokens":12}`, span: "count_tokens gemini-2.5-flash",
			want: map[string]any{"gen_ai.operation.name": "count_tokens", "gen_ai.provider.name": "gcp.gemini", "gen_ai.request.model": "gemini-2.5-flash"},
		},
		{
			name: "batch", url: geminiModels + "gemini-2.5-flash:batchGenerateContent", request: `{"batch":{}}`, answer: `{"name":"batches/1"}`,
			want: map[string]any{
				"gen_ai.operation.name": "create_batch", "gen_ai.provider.name": "gcp.gemini", "gen_ai.request.model": "gemini-2.5-flash", "revenium.metering.skip": true,
			},
		},
		{
			name: "passed on by a LiteLLM proxy", url: "http://proxy.example.com/gemini/v1beta/models/gemini-2.5-flash:generateContent", request: request,
			answerHeaders: []string{"X-Litellm-Call-Id", "1"}, answer: answer(`"STOP"`, `{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":3}`),
			want: content(usageOf(1, 2), map[string]any{"revenium.model.source": "LITELLM"}),
		},
		{
			name: "a LiteLLM proxy's own, with the provider in the model's name", url: "http://proxy.example.com/v1beta/models/vertex_ai/gemini-2.5-flash:generateContent", request: request,
			answerHeaders: []string{"X-Litellm-Call-Id", "1"}, answer: answer(`"STOP"`, `{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":3}`),
			span: "generate_content vertex_ai/gemini-2.5-flash",
			want: content(usageOf(1, 2), map[string]any{
				"revenium.model.source": "LITELLM", "gen_ai.provider.name": "gcp.vertex_ai", "gen_ai.request.model": "vertex_ai/gemini-2.5-flash",
			}),
		},
	})
}

func TestVertexPredict(t *testing.T) {
	runFormats(t, []formatCase{
		{
			name: "embeddings, counted one by one", url: vertexModels + "text-embedding-004:predict", request: `{"instances":[{"content":"secret"},{"content":"secret"}],"parameters":{"outputDimensionality":64}}`,
			answer: `{"predictions":[{"embeddings":{"values":[0.1],"statistics":{"token_count":10.0,"truncated":false}}},{"embeddings":{"statistics":{"token_count":3}}}],"metadata":{"billableCharacterCount":29}}`,
			span:   "embeddings text-embedding-004",
			want: attributesOf(usageOf(13), map[string]any{
				"gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "gcp.vertex_ai", "gen_ai.request.model": "text-embedding-004", "gen_ai.embeddings.dimension.count": int64(64),
			}),
		},
		{
			name: "images, of which one was refused", url: vertexModels + "imagen-4.0-generate-001:predict", span: "image_generation imagen-4.0-generate-001",
			request: `{"instances":[{"prompt":"secret"}],"parameters":{"sampleCount":3,"aspectRatio":"16:9","sampleImageSize":"2K"}}`,
			answer:  `{"predictions":[{"mimeType":"image/png","bytesBase64Encoded":"QUJD"},{"raiFilteredReason":"secret"},{"gcsUri":"gs://x","mimeType":"image/png"}]}`,
			want: map[string]any{
				"gen_ai.operation.name": "image_generation", "gen_ai.provider.name": "gcp.vertex_ai", "gen_ai.request.model": "imagen-4.0-generate-001", "gen_ai.output.type": "image",
				"gen_ai.request.choice.count": int64(3), "revenium.image.requested_count": int64(3), "revenium.image.count": int64(2), "revenium.billing.unit": "PER_IMAGE",
				"revenium.image.aspect_ratio": "16:9", "revenium.image.resolution": "2K",
			},
		},
	})
}

// Veo answers with an operation; the videos in it are metered when it is done.
func TestVeo(t *testing.T) {
	const operation = "models/veo-3.0/operations/o1"
	const gateway = "http://gateway.example.com/v1beta/"
	for name, tt := range map[string]struct{ create, fetch, done string }{
		"Gemini":            {geminiModels + "veo-3.0:predictLongRunning", "http://generativelanguage.googleapis.com/v1beta/" + operation, `"response":{"generateVideoResponse":{"generatedSamples":[{},{}]}}`},
		"Vertex AI":         {vertexModels + "veo-3.0:predictLongRunning", "", `"response":{"videos":[{},{}]}`},
		"Gemini, a gateway": {gateway + "models/veo-3.0:predictLongRunning", gateway + operation, `"response":{"generateVideoResponse":{"generatedSamples":[{},{}]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			server := &jobServer{answers: []string{
				`{"name":"` + operation + `"}`, `{"name":"` + operation + `"}`, `{"name":"` + operation + `","done":true,` + tt.done + `}`,
			}}
			h := newHarness(t, server.ServeHTTP)
			h.exchange(tt.create, `{"instances":[{"prompt":"secret"}],"parameters":{"durationSeconds":8,"sampleCount":2,"resolution":"1080p"}}`)
			for range 2 {
				if tt.fetch != "" {
					h.get(tt.fetch)
				} else {
					h.exchange(vertexModels+"veo-3.0:fetchPredictOperation", `{"operationName":"`+operation+`"}`)
				}
			}
			spans := h.all()
			for _, waiting := range spans[:2] {
				waiting.want(t, map[string]any{"revenium.metering.skip": true, "revenium.video.duration": nil})
			}
			spans[2].want(t, map[string]any{
				"gen_ai.operation.name": "video_generation", "gen_ai.request.model": "veo-3.0", "revenium.metering.skip": nil,
				"revenium.video.duration": 16.0, "revenium.video.requested_duration": 8.0, "revenium.video.resolution": "1080p", "revenium.video.completion_status": "SUCCESS",
			})
			if want := "video_generation veo-3.0"; spans[2].Name != want {
				t.Errorf("span %q, want %q", spans[2].Name, want)
			}
		})
	}
}

func TestInteractions(t *testing.T) {
	const url = "http://generativelanguage.googleapis.com/v1beta/interactions"
	interaction := func(sets ...map[string]any) map[string]any {
		return attributesOf(append([]map[string]any{{
			"gen_ai.operation.name": "chat", "gen_ai.provider.name": "gcp.gemini", "gen_ai.request.model": "gemini-3", "gen_ai.response.id": "v1_1",
			"gen_ai.response.model": "gemini-3-pro", "gen_ai.response.finish_reasons": []string{"completed"},
		}}, sets...)...)
	}
	const usage = `"usage":{"total_input_tokens":7,"total_output_tokens":20,"total_thought_tokens":22,"total_cached_tokens":3,"total_tool_use_tokens":5,"total_tokens":54,"input_tokens_by_modality":[]}`
	begun := sse(`interaction.created:{"event_type":"interaction.created","interaction":{"id":"v1_1","model":"gemini-3-pro","status":"in_progress"}}`,
		`interaction.status_update:{"event_type":"interaction.status_update","interaction_id":"v1_1","status":"in_progress"}`,
		`step.start:{"event_type":"step.start","index":0,"step":{"type":"model_output","content":[{"type":"text"}]}}`, `step.stop:{"event_type":"step.stop","index":0}`)
	runFormats(t, []formatCase{
		{
			name: "whole", url: url, request: `{"model":"gemini-3","input":"secret"}`,
			answer: `{"id":"v1_1","model":"gemini-3-pro","status":"completed","outputs":[{"type":"text"}],` + usage + `}`,
			want:   interaction(usageOf(12, 42, 3, -1, 22)),
		},
		{
			name: "thoughts within the output, as the total says", url: url, request: `{"model":"gemini-3","input":"secret"}`,
			answer: `{"id":"v1_1","model":"gemini-3-pro","status":"completed","usage":{"total_input_tokens":7,"total_output_tokens":42,"total_thought_tokens":22,"total_tokens":49}}`,
			want:   interaction(usageOf(7, 42, -1, -1, 22)),
		},
		{
			name: "stream", url: url + "?alt=sse", request: `{"model":"gemini-3","input":"secret","stream":true}`, answerType: "text/event-stream", streamed: true,
			answer: sse(`{"event_type":"interaction.start","interaction":{"id":"v1_1","status":"in_progress"}}`, `{"event_type":"content.delta","delta":{"text":"x"}}`,
				`{"event_type":"interaction.complete","interaction":{"id":"v1_1","model":"gemini-3-pro","status":"completed",`+usage+`}}`),
			want: interaction(map[string]any{"gen_ai.request.stream": true}, usageOf(12, 42, 3, -1, 22)),
		},
		{
			name: "stream of steps", url: url, request: `{"model":"gemini-3","input":"secret","stream":true}`, answerType: "text/event-stream", streamed: true,
			answer: begun + sse(`interaction.completed:{"event_type":"interaction.completed","interaction":{"id":"v1_1","status":"completed",`+usage+`}}`, `done:[DONE]`),
			want:   interaction(map[string]any{"gen_ai.request.stream": true}, usageOf(12, 42, 3, -1, 22)),
		},
		{
			name: "stream that ends with the call of a tool", url: url, request: `{"model":"gemini-3","input":"secret","stream":true}`, answerType: "text/event-stream", streamed: true,
			answer: begun + sse(`interaction.requires_action:{"event_type":"interaction.requires_action","interaction":{"id":"v1_1","status":"requires_action",`+usage+`}}`),
			want:   interaction(map[string]any{"gen_ai.request.stream": true, "gen_ai.response.finish_reasons": []string{"requires_action"}}, usageOf(12, 42, 3, -1, 22)),
		},
		{
			name: "steps", url: url, request: `{"model":"gemini-3","input":"secret"}`,
			answer: `{"id":"v1_1","model":"gemini-3-pro","status":"requires_action","steps":[{"type":"function_call"}],` + usage + `}`,
			want:   interaction(map[string]any{"gen_ai.response.finish_reasons": []string{"requires_action"}}, usageOf(12, 42, 3, -1, 22)),
		},
		{
			name: "a search", url: url, request: `{"model":"gemini-3","input":"secret"}`,
			answer: `{"id":"v1_1","model":"gemini-3-pro","status":"completed","service_tier":"standard","usage":{"total_tokens":90,"total_input_tokens":30,"total_output_tokens":20,"total_thought_tokens":40,` +
				`"grounding_tool_count":[{"type":"google_search","count":2,"search_query_count":3}],"raw_prompt_token":4000,"model_invocation_token_counts":[{"prompt_tokens_details":[{"modality":"text","tokens":30}]}]}}`,
			want: interaction(usageOf(30, 60, -1, -1, 40), map[string]any{"revenium.usage.server_tool.web_search": int64(3), "revenium.service_tier.actual": "standard"}),
		},
		{
			name: "stream that is cut", url: url, request: `{"model":"gemini-3","input":"secret","stream":true}`, answerType: "text/event-stream", streamed: true,
			answer: begun, failed: "unexpected_eof",
			want: interaction(map[string]any{"gen_ai.request.stream": true, "gen_ai.response.finish_reasons": nil, "revenium.usage.missing": true}),
		},
	})
	server := &jobServer{answers: []string{`{"id":"v1_1","status":"in_progress"}`, `{"id":"v1_1","model":"gemini-3-pro","status":"completed",` + usage + `}`}}
	h := newHarness(t, server.ServeHTTP)
	h.exchange(url, `{"model":"gemini-3","input":"secret","background":true}`)
	h.get(url + "/v1_1")
	h.all()[0].want(t, map[string]any{"revenium.metering.skip": true})
	h.all()[1].want(t, attributesOf(interaction(), map[string]any{"gen_ai.usage.output_tokens": int64(42)}))
}
