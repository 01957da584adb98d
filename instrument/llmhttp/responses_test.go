// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/revenium/revenium-otel-go/instrument"
)

const (
	responsesURL = "http://api.openai.com/v1/responses"
	// responseUsage is the usage of a response: 30 in, of which 20 are cached; 12
	// out, of which 5 are reasoning.
	responseUsage = `"usage":{"input_tokens":30,"input_tokens_details":{"cached_tokens":20},"output_tokens":12,"output_tokens_details":{"reasoning_tokens":5},"total_tokens":42}`
)

// responseWith is a response of the status with further members.
func responseWith(status, members string) string {
	return `{"id":"resp_1","object":"response","created_at":1,"status":"` + status + `","model":"gpt-5-2025-08-07","service_tier":"default",` + members + `}`
}

func responseAttributes(finish string, more ...map[string]any) map[string]any {
	want := map[string]any{
		"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5", "openai.api.type": "responses",
		"gen_ai.response.id": "resp_1", "gen_ai.response.model": "gpt-5-2025-08-07", "openai.response.service_tier": "default",
	}
	if finish != "" {
		want["gen_ai.response.finish_reasons"] = []string{finish}
	}
	return attributesOf(append([]map[string]any{want}, more...)...)
}

func withResponseUsage(more map[string]any) map[string]any {
	usage := usageOf(30, 12, 20, -1, 5)
	maps.Copy(usage, more) // with what takes something away
	return usage
}

func TestResponses(t *testing.T) {
	const request = `{"model":"gpt-5","input":"secret"}`
	const asStream = `{"model":"gpt-5","input":"secret","stream":true}`
	stream := func(last ...string) string {
		return sse(append([]string{
			`response.created:{"type":"response.created","response":` + responseWith("in_progress", `"usage":null,"error":null`) + `}`,
			`response.output_text.delta:{"type":"response.output_text.delta","delta":"x"}`,
		}, last...)...)
	}
	runFormats(t, []formatCase{
		{
			name: "xAI", url: "http://api.x.ai/v1/responses", request: request,
			answer: `{"id":"resp_1","status":"completed","model":"grok-4","output":[{"type":"web_search_call"}],"usage":{"input_tokens":30,"input_tokens_details":{"cached_tokens":20},"output_tokens":12,"output_tokens_details":{"reasoning_tokens":5},` +
				`"total_tokens":42,"num_sources_used":2,"num_server_side_tools_used":1,"server_side_tool_usage_details":{"web_search_calls":1,"x_search_calls":0},"context_details":{"input_tokens":25,"output_tokens":12}}}`,
			want: attributesOf(map[string]any{
				"gen_ai.operation.name": "chat", "gen_ai.provider.name": "x_ai", "gen_ai.request.model": "gpt-5", "gen_ai.response.id": "resp_1", "gen_ai.response.model": "grok-4",
				"gen_ai.response.finish_reasons": []string{"completed"}, "revenium.usage.server_tool.web_search": int64(1), "revenium.usage.server_tool.source": int64(2),
			}, withResponseUsage(nil)),
		},
		{
			name: "completed", url: responsesURL, span: "chat gpt-5",
			request: `{"model":"gpt-5","input":"secret","max_output_tokens":99,"temperature":0.5,"top_p":0.9,"reasoning":{"effort":"low"},"service_tier":"flex","user":"u","conversation":{"id":"conv_1"}}`,
			answer:  responseWith("completed", `"error":null,"output":[{"type":"reasoning"},{"type":"web_search_call"},{"type":"web_search_call"},{"type":"code_interpreter_call"},{"type":"message"}],`+responseUsage),
			want: responseAttributes("completed", withResponseUsage(map[string]any{
				"gen_ai.request.max_tokens": int64(99), "gen_ai.request.temperature": 0.5, "gen_ai.request.top_p": 0.9,
				"gen_ai.request.reasoning.level": "low", "openai.request.service_tier": "flex", "gen_ai.conversation.id": "conv_1",
				"revenium.usage.server_tool.web_search": int64(2), "revenium.usage.server_tool.code_execution": int64(1),
			})),
		},
		{
			name: "incomplete", url: responsesURL, request: request,
			answer: responseWith("incomplete", `"incomplete_details":{"reason":"max_output_tokens"},`+responseUsage),
			want:   responseAttributes("max_output_tokens", withResponseUsage(nil)),
		},
		{
			name: "failed", url: responsesURL, request: request,
			answer: responseWith("failed", `"error":{"code":"server_error","message":"secret"},"usage":null`), failed: "server_error",
			want: responseAttributes("failed", nil),
		},
		{
			name: "cancelled", url: responsesURL, request: request, answer: responseWith("cancelled", `"usage":null`),
			want: responseAttributes("cancelled", map[string]any{"revenium.usage.missing": true}),
		},
		{
			name: "compacted", url: responsesURL + "/compact", request: request, answer: `{"id":"resp_1","object":"response.compaction","output":[],` + responseUsage + `}`,
			want: responseAttributes("", withResponseUsage(map[string]any{"gen_ai.response.model": nil, "openai.response.service_tier": nil})),
		},
		{
			name: "stream completed", url: responsesURL, request: asStream, answerType: "text/event-stream", streamed: true,
			answer: stream(`response.completed:{"type":"response.completed","response":` + responseWith("completed", responseUsage) + `}`),
			want:   responseAttributes("completed", withResponseUsage(map[string]any{"gen_ai.request.stream": true})),
		},
		{
			name: "stream incomplete, zeros beside text", url: responsesURL, request: asStream, answerType: "text/event-stream", streamed: true,
			answer: stream(`response.incomplete:{"type":"response.incomplete","response":` +
				responseWith("incomplete", `"incomplete_details":{"reason":"content_filter"},"usage":{"input_tokens":0,"output_tokens":0,"total_tokens":0}`) + `}`),
			want: responseAttributes("content_filter", map[string]any{
				"gen_ai.request.stream": true, "gen_ai.usage.input_tokens": int64(0), "gen_ai.usage.output_tokens": int64(0), "revenium.usage.partial": true,
			}),
		},
		{
			name: "stream failed", url: responsesURL, request: asStream, answerType: "text/event-stream", streamed: true, failed: "rate_limit_exceeded",
			answer: stream(`response.failed:{"type":"response.failed","response":` + responseWith("failed", `"error":{"code":"rate_limit_exceeded","message":"secret"}`) + `}`),
			want:   responseAttributes("failed", map[string]any{"gen_ai.request.stream": true, "revenium.usage.missing": true}),
		},
		{
			name: "stream with an error event", url: responsesURL, request: asStream, answerType: "text/event-stream", streamed: true, failed: "server_error",
			answer: stream(`error:{"type":"error","code":"server_error","message":"secret"}`),
			want:   responseAttributes("", map[string]any{"gen_ai.request.stream": true, "revenium.usage.missing": true}),
		},
		{
			name: "stream cut", url: responsesURL, request: asStream, answerType: "text/event-stream", streamed: true, failed: instrument.ErrorTypeUnexpectedEOF,
			answer: stream(),
			want:   responseAttributes("", map[string]any{"gen_ai.request.stream": true, "revenium.usage.missing": true}),
		},
		{
			name: "refused", url: responsesURL, request: request, status: 429, failed: "rate_limit_exceeded",
			answer: `{"error":{"message":"secret","type":"requests","code":"rate_limit_exceeded"}}`,
			want: map[string]any{
				"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5", "openai.api.type": "responses",
			},
		},
		{
			name: "of a LiteLLM proxy", url: "http://proxy.example.com:4000/responses", request: request, answerHeaders: []string{"X-Litellm-Call-Id", "1"},
			answer: responseWith("completed", `"usage":{"input_tokens":30,"output_tokens":12,"total_tokens":42,"cache_read_input_tokens":20}`),
			want: responseAttributes("completed", map[string]any{
				"gen_ai.provider.name": "litellm", "revenium.model.source": "LITELLM",
				"gen_ai.usage.input_tokens": int64(30), "gen_ai.usage.cache_read.input_tokens": int64(20), "gen_ai.usage.output_tokens": int64(12),
			}),
		},
		{
			name: "counting tokens", url: responsesURL + "/input_tokens", request: request, answer: `{"object":"response.input_tokens","input_tokens":11}`,
			span: "count_tokens gpt-5",
			want: map[string]any{"gen_ai.operation.name": "count_tokens", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5"},
		},
		{
			name: "retrieval of what was answered at once", method: http.MethodGet, url: responsesURL + "/resp_1", span: "fetch_response",
			answer: responseWith("completed", responseUsage),
			want: responseAttributes("completed", withResponseUsage(map[string]any{
				"gen_ai.operation.name": "fetch_response", "gen_ai.request.model": nil, "openai.api.type": nil, "revenium.metering.skip": true,
			})),
		},
		{
			name: "moderation", url: "http://api.openai.com/v1/moderations", request: `{"model":"omni","input":"secret"}`, answer: `{"id":"modr-1","model":"omni-2","results":[]}`,
			want: map[string]any{
				"gen_ai.operation.name": "moderation", "gen_ai.provider.name": "openai", "gen_ai.request.model": "omni",
				"gen_ai.response.id": "modr-1", "gen_ai.response.model": "omni-2",
			},
		},
		{
			name: "batch", url: "http://api.openai.com/v1/batches", request: `{"input_file_id":"file-1","endpoint":"/v1/responses"}`, answer: `{"id":"batch_1"}`,
			want: map[string]any{
				"gen_ai.operation.name": "create_batch", "gen_ai.provider.name": "openai", "gen_ai.response.id": "batch_1", "revenium.metering.skip": true,
			},
		},
	})
}

// jobServer answers a request for a job with a promise and later ones with what
// becomes of it.
type jobServer struct {
	mu      sync.Mutex
	answers []string
}

func (s *jobServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	answer := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	s.mu.Unlock()
	if strings.HasPrefix(answer, "data:") || strings.HasPrefix(answer, "event:") {
		w.Header().Set("Content-Type", "text/event-stream")
	} else {
		w.Header().Set("Content-Type", "application/json")
	}
	_, _ = io.WriteString(w, answer)
}

func (h *harness) get(url string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	resp, err := h.client.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

// A response in the background is metered once: by the first request that shows
// how it ended.
func TestBackgroundResponses(t *testing.T) {
	const request = `{"model":"gpt-5","input":"secret","background":true}`
	redeemed := responseAttributes("completed", withResponseUsage(map[string]any{}))
	skipped := map[string]any{"revenium.metering.skip": true, "revenium.usage.missing": nil}
	check := func(t *testing.T, span spanView, name string, want map[string]any) {
		t.Helper()
		span.want(t, want)
		if span.Name != name {
			t.Errorf("span %q, want %q", span.Name, name)
		}
	}
	t.Run("polled", func(t *testing.T) {
		server := &jobServer{answers: []string{
			responseWith("queued", `"background":true,"usage":null`), responseWith("in_progress", `"usage":null`),
			responseWith("completed", responseUsage), responseWith("completed", responseUsage),
		}}
		h := newHarness(t, server.ServeHTTP)
		h.exchange(responsesURL, request)
		for range 3 {
			h.get(responsesURL + "/resp_1?include[]=x")
		}
		spans := h.all()
		check(t, spans[0], "chat gpt-5", skipped)
		check(t, spans[1], "fetch_response", skipped)
		check(t, spans[2], "chat gpt-5", redeemed)
		spans[2].want(t, map[string]any{"revenium.metering.skip": nil})
		check(t, spans[3], "fetch_response", skipped)
	})
	t.Run("cancelled", func(t *testing.T) {
		server := &jobServer{answers: []string{responseWith("queued", `"usage":null`), responseWith("cancelled", `"usage":null`)}}
		h := newHarness(t, server.ServeHTTP)
		h.exchange(responsesURL, request)
		h.exchange(responsesURL+"/resp_1/cancel", "")
		check(t, h.all()[1], "chat gpt-5", map[string]any{"gen_ai.response.finish_reasons": []string{"cancelled"}, "revenium.metering.skip": nil})
	})
	t.Run("another host's", func(t *testing.T) {
		server := &jobServer{answers: []string{responseWith("queued", `"usage":null`), responseWith("completed", responseUsage)}}
		h := newHarness(t, server.ServeHTTP)
		h.exchange(responsesURL, request)
		h.get("http://eu.api.openai.com/v1/responses/resp_1")
		check(t, h.all()[1], "fetch_response", skipped)
	})
	t.Run("a stream that is left and taken up again", func(t *testing.T) {
		begin := sse(`response.queued:{"type":"response.queued","response":` + responseWith("queued", `"background":true`) + `}`)
		server := &jobServer{answers: []string{begin, sse(`response.completed:{"type":"response.completed","response":` + responseWith("completed", responseUsage) + `}`)}}
		h := newHarness(t, server.ServeHTTP)
		resp := h.post(responsesURL, `{"model":"gpt-5","input":"secret","background":true,"stream":true}`)
		_, _ = io.ReadFull(resp.Body, make([]byte, len(begin)))
		_ = resp.Body.Close()
		h.get(responsesURL + "/resp_1?stream=true&starting_after=1")
		check(t, h.all()[0], "chat gpt-5", skipped)
		check(t, h.all()[1], "chat gpt-5", redeemed)
		h.all()[1].want(t, map[string]any{"gen_ai.request.stream": true})
	})
	t.Run("a stream that is not in the background", func(t *testing.T) {
		begin := sse(`response.created:{"type":"response.created","response":` + responseWith("in_progress", `"background":false`) + `}`)
		server := &jobServer{answers: []string{begin, responseWith("completed", responseUsage)}}
		h := newHarness(t, server.ServeHTTP)
		h.exchange(responsesURL, `{"model":"gpt-5","input":"secret","stream":true}`)
		h.get(responsesURL + "/resp_1")
		h.all()[0].wantFailed(t, instrument.ErrorTypeUnexpectedEOF)
		check(t, h.all()[1], "fetch_response", skipped)
	})
}

// What is remembered of jobs is bounded, and the oldest goes first.
func TestJobsAreBounded(t *testing.T) {
	var j jobs
	for i := range 3 * maxJobs {
		j.add(fmt.Sprint(i), job{model: fmt.Sprint(i)})
		j.add(fmt.Sprint(i), job{model: "again"})
		if i%2 == 0 {
			if got, ok := j.take(fmt.Sprint(i)); !ok || got.model != fmt.Sprint(i) {
				t.Fatalf("job %d: %+v, %t", i, got, ok)
			}
		}
	}
	if len(j.known) > maxJobs || len(j.order) > maxJobs {
		t.Errorf("%d jobs and %d keys are kept", len(j.known), len(j.order))
	}
	if _, ok := j.take(fmt.Sprint(3*maxJobs - 1)); !ok {
		t.Error("the newest job is gone")
	}
	if _, ok := j.take("1"); ok {
		t.Error("the oldest job is still there")
	}
	if _, ok := j.take("2"); ok {
		t.Error("a job that was taken is still there")
	}
}
