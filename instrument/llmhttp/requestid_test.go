// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The ids by which a provider's support finds a request are on the span, of an
// answer, a stream, and above all of an error.
func TestRequestIDs(t *testing.T) {
	answers := map[string]http.HandlerFunc{
		"answer": answering(200, "application/json", chatAnswer),
		"stream": streaming(chunk("x"), finishChunk, usageEvent, doneEvent),
		"error":  answering(429, "application/json", `{"error":{"code":"rate_limit_exceeded"}}`),
	}
	tests := []struct {
		name    string
		headers http.Header
		want    map[string][]string
	}{
		{"OpenAI", http.Header{"X-Request-Id": {"req_1"}}, map[string][]string{"x-request-id": {"req_1"}}},
		{"Anthropic", http.Header{"Request-Id": {"req_2"}, "Anthropic-Organization-Id": {"secret"}}, map[string][]string{"request-id": {"req_2"}}},
		{"Bedrock", http.Header{"X-Amzn-Requestid": {"6f1c"}}, map[string][]string{"x-amzn-requestid": {"6f1c"}}},
		{
			"Azure",
			http.Header{"X-Request-Id": {"a"}, "Apim-Request-Id": {"b"}, "X-Ms-Client-Request-Id": {"Not-Set"}},
			map[string][]string{"x-request-id": {"a"}, "apim-request-id": {"b"}},
		},
		{"Cohere", http.Header{"X-Debug-Trace-Id": {"c"}}, map[string][]string{"x-debug-trace-id": {"c"}}},
		{"DeepSeek", http.Header{"X-Ds-Trace-Id": {"d"}}, map[string][]string{"x-ds-trace-id": {"d"}}},
		{"Mistral", http.Header{"Mistral-Correlation-Id": {"m"}, "X-Kong-Request-Id": {"k"}}, map[string][]string{"mistral-correlation-id": {"m"}, "x-kong-request-id": {"k"}}},
		{"OpenRouter", http.Header{"X-Generation-Id": {"gen-1"}}, map[string][]string{"x-generation-id": {"gen-1"}}},
		{
			"LiteLLM",
			http.Header{"X-Litellm-Call-Id": {"l"}, "Llm_provider-X-Request-Id": {"req_3"}, "Llm_provider-Request-Id": {"req_4"}},
			map[string][]string{"x-litellm-call-id": {"l"}, "llm_provider-x-request-id": {"req_3"}, "llm_provider-request-id": {"req_4"}},
		},
		{"no proxy", http.Header{"Llm_provider-X-Request-Id": {"req_3"}}, nil},
		{"one of a gateway and one of the provider", http.Header{"X-Request-Id": {"a", "b"}}, map[string][]string{"x-request-id": {"a", "b"}}},
		{"no ids", http.Header{"X-Request-Id": {""}, "Request-Id": {strings.Repeat("x", 257)}}, nil},
	}
	for kind, answer := range answers {
		for _, tt := range tests {
			t.Run(tt.name+", "+kind, func(t *testing.T) {
				h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
					for name, values := range tt.headers {
						for _, value := range values {
							w.Header().Add(name, value)
						}
					}
					answer(w, r)
				})
				h.exchange(chatURL, askingBody)
				got := make(map[string][]string)
				for key, value := range h.only().attributes {
					if name, found := strings.CutPrefix(key, "http.response.header."); found {
						got[name], _ = value.([]string)
					}
				}
				if len(got) == 0 {
					got = nil
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("ids (-want +got):\n%s", diff)
				}
			})
		}
	}
}
