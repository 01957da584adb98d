// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	cohereV1       = `{"model":"command-r","message":"Hello there","preamble":"Be brief.","chat_history":[{"role":"USER","message":"Hi"}]}`
	anthropicV1    = `{"model":"claude-2.1","prompt":"Hello there","max_tokens_to_sample":20}`
	completionHead = `{"type":"completion","id":"compl_000001","completion":`
)

// TestCohereV1 is the chat of Cohere's API in version 1, plain and in lines.
func TestCohereV1(t *testing.T) {
	s := start(t)
	answer := Answer{Text: "Hi you", Usage: &Usage{PromptTokens: 9, CompletionTokens: 2}, ToolCalls: []ToolCall{{Name: "weather", Arguments: `{"city":"Delft"}`}}}
	const doc = `{"response_id":"` + cohereID + `","text":"Hi you","generation_id":"` + cohereID + `","chat_history":[],"finish_reason":"TOOL_CALL",` +
		`"tool_calls":[{"name":"weather","parameters":{"city":"Delft"}}],` +
		`"meta":{"api_version":{"version":"1"},"billed_units":{"input_tokens":9,"output_tokens":2},"tokens":{"input_tokens":71,"output_tokens":2}}}`
	s.Enqueue(answer)
	if diff := cmp.Diff(doc, post(t, s, "/v1/chat", cohereV1).text); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r := s.Requests()[0]; r.API != APICohereV1Chat || r.Model != "command-r" {
		t.Errorf("request: %+v", r)
	}
	s.Reset()
	s.Enqueue(answer)
	got := post(t, s, "/v1/chat", strings.Replace(cohereV1, "{", `{"stream":true,`, 1))
	want := strings.Join([]string{
		`{"is_finished":false,"event_type":"stream-start","generation_id":"` + cohereID + `"}`,
		`{"is_finished":false,"event_type":"text-generation","text":"Hi"}`,
		`{"is_finished":false,"event_type":"text-generation","text":" you"}`,
		`{"is_finished":true,"event_type":"stream-end","finish_reason":"TOOL_CALL","response":` + doc + `}`,
	}, "\n") + "\n"
	if diff := cmp.Diff(want, got.text); diff != "" || got.Header.Get("Content-Type") != "application/stream+json" {
		t.Errorf("%v (-want +got):\n%s", got.Header, diff)
	}
	if got := post(t, s, "/v1/chat", `{"model":"command-r"}`); got.StatusCode != http.StatusBadRequest || !strings.Contains(got.text, "message") {
		t.Errorf("%s: %s", got.Status, got.text)
	}
	s.Enqueue(Answer{ToolCalls: []ToolCall{{Name: "weather", Arguments: "Delft"}}})
	if got := post(t, s, "/v1/chat", cohereV1); got.StatusCode < http.StatusInternalServerError {
		t.Errorf("arguments that are no JSON: %s: %s", got.Status, got.text)
	}
}

// TestAnthropicComplete is Anthropic's API before messages.
func TestAnthropicComplete(t *testing.T) {
	s := start(t)
	s.Enqueue(Answer{Text: "Hi you"})
	const tail = `,"model":"claude-2.1","stop":"\n\nHuman:","log_id":"compl_000001"}`
	if diff := cmp.Diff(completionHead+`"Hi you","stop_reason":"stop_sequence"`+tail, post(t, s, "/v1/complete", anthropicV1).text); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r := s.Requests()[0]; r.API != APIAnthropicComplete || r.Model != "claude-2.1" {
		t.Errorf("request: %+v", r)
	}
	s.Reset()
	s.Enqueue(Answer{Text: "Hi you", FinishReason: "length"})
	got := post(t, s, "/v1/complete", strings.Replace(anthropicV1, "{", `{"stream":true,`, 1))
	const open, cut = `,"model":"claude-2.1","stop":null,"log_id":"compl_000001"}`, `,"stop_reason":"max_tokens"`
	want := "event: completion\ndata: " + completionHead + `"Hi","stop_reason":null` + open + "\n\n" +
		"event: completion\ndata: " + completionHead + `" you","stop_reason":null` + open + "\n\n" +
		"event: completion\ndata: " + completionHead + `""` + cut + open + "\n\n"
	if diff := cmp.Diff(want, got.text); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, body := range []string{`{}`, `{"model":"claude-2.1"}`, `{"model":"claude-2.1","prompt":"x"}`} {
		if got := post(t, s, "/v1/complete", body); got.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", body, got.Status)
		}
	}
}
