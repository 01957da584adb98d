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
	messages       = `{"model":"claude-opus-4","max_tokens":100,"system":[{"type":"text","text":"Be brief."}],"messages":[{"role":"user","content":[{"type":"text","text":"Hello there"}]}]}`
	messagesStream = `{"model":"claude-opus-4","max_tokens":100,"messages":[{"role":"user","content":"Hello there"}],"stream":true}`

	noCache = `"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0}`
	cached  = `"cache_creation_input_tokens":100,"cache_read_input_tokens":1000,"cache_creation":{"ephemeral_5m_input_tokens":60,"ephemeral_1h_input_tokens":40}`
)

func anthropicMessage(content, end, usage string) string {
	return `{"model":"claude-opus-4","id":"msg_000001","type":"message","role":"assistant","content":[` + content + `],` + end + `,"usage":{` + usage + `,"service_tier":"standard"}}`
}

func TestMessages(t *testing.T) {
	searched := full()
	searched.HostedTools = []string{"web_search", "web_search"}
	for name, tc := range map[string]struct {
		answer Answer
		want   string
	}{
		"default": {Answer{}, anthropicMessage(`{"type":"text","text":"You said: Hello there"}`, `"stop_reason":"end_turn","stop_sequence":null`,
			`"input_tokens":17,`+noCache+`,"output_tokens":6`)},
		"all": {full(), anthropicMessage(`{"type":"thinking","thinking":"Hm ok","signature":"c2lnbmVk"},{"type":"text","text":"Hi you"},`+
			`{"type":"tool_use","id":"call_000000","name":"weather","input":{"city":"Delft"}}`, `"stop_reason":"tool_use","stop_sequence":null`,
			`"input_tokens":100,`+cached+`,"output_tokens":50,"output_tokens_details":{"thinking_tokens":30}`)},
		"hosted tools": {searched, anthropicMessage(`{"type":"thinking","thinking":"Hm ok","signature":"c2lnbmVk"},`+
			`{"type":"server_tool_use","id":"srvtoolu_000","name":"web_search","input":{}},{"type":"server_tool_use","id":"srvtoolu_001","name":"web_search","input":{}},`+
			`{"type":"text","text":"Hi you"},{"type":"tool_use","id":"call_000000","name":"weather","input":{"city":"Delft"}}`, `"stop_reason":"tool_use","stop_sequence":null`,
			`"input_tokens":100,`+cached+`,"output_tokens":50,"output_tokens_details":{"thinking_tokens":30},"server_tool_use":{"web_search_requests":2,"web_fetch_requests":0}`)},
		"refused":  {Answer{Text: "No", FinishReason: "content_filter"}, anthropicMessage(`{"type":"text","text":"No"}`, `"stop_reason":"refusal","stop_sequence":null`, `"input_tokens":17,`+noCache+`,"output_tokens":1`)},
		"own word": {Answer{Text: "No", FinishReason: "pause_turn"}, anthropicMessage(`{"type":"text","text":"No"}`, `"stop_reason":"pause_turn","stop_sequence":null`, `"input_tokens":17,`+noCache+`,"output_tokens":1`)},
		"tool without arguments": {Answer{ToolCalls: []ToolCall{{ID: "toolu_1", Name: "now"}}}, anthropicMessage(`{"type":"tool_use","id":"toolu_1","name":"now","input":{}}`,
			`"stop_reason":"tool_use","stop_sequence":null`, `"input_tokens":17,`+noCache+`,"output_tokens":1`)},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.Enqueue(tc.answer)
			got := post(t, s, "/v1/messages", messages)
			if diff := cmp.Diff(tc.want, got.text); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if got.Header.Get("Request-Id") != "req_000001" || got.Header.Get("X-Request-Id") != "" || got.Header.Get("Content-Type") != "application/json" {
				t.Errorf("headers: %v", got.Header)
			}
			if r := s.Requests()[0]; r.API != APIMessages || r.Model != "claude-opus-4" || r.LastUserText != "Hello there" || r.Stream {
				t.Errorf("request: %+v", r)
			}
		})
	}
}

func TestMessagesUsage(t *testing.T) {
	s := start(t)
	s.Enqueue(
		Answer{Text: "a", OmitUsage: true},
		Answer{Text: "a", Usage: &Usage{PromptTokens: 5, CompletionTokens: 1, Extra: map[string]any{
			"cache_creation": nil, "service_tier": nil, "iterations": []any{map[string]any{"type": "message"}},
		}}},
	)
	if got := post(t, s, "/v1/messages", messages).text; strings.Contains(got, "usage") {
		t.Errorf("answer: %s", got)
	}
	want := map[string]any{
		"input_tokens": 5.0, "output_tokens": 1.0, "cache_creation_input_tokens": 0.0, "cache_read_input_tokens": 0.0,
		"iterations": []any{map[string]any{"type": "message"}},
	}
	if diff := cmp.Diff(want, decoded(t, post(t, s, "/v1/messages", messages).text)["usage"]); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
}

// A message ends at the sequence that was asked for, and at the limit.
func TestMessagesStop(t *testing.T) {
	s := start(t)
	s.Enqueue(Answer{Text: "a", FinishReason: "stop_sequence"})
	m := decoded(t, post(t, s, "/v1/messages", strings.Replace(messages, `"system"`, `"stop_sequences":["END"],"system"`, 1)).text)
	if m["stop_reason"] != "stop_sequence" || m["stop_sequence"] != "END" {
		t.Errorf("%v %v", m["stop_reason"], m["stop_sequence"])
	}
	m = decoded(t, post(t, s, "/v1/messages", strings.Replace(messages, `"max_tokens":100`, `"max_tokens":2`, 1)).text)
	if m["stop_reason"] != "max_tokens" || m["usage"].(map[string]any)["output_tokens"] != 2.0 {
		t.Errorf("%v", m)
	}
}

func TestMessagesStream(t *testing.T) {
	s := start(t)
	a := full()
	a.Pieces = []string{"Hi", " you"}
	a.Stream.StartUsage = &Usage{PromptTokens: 1100, CachedTokens: 1000, CompletionTokens: 4}
	s.Enqueue(a)
	delta := func(index, delta string) string {
		return `content_block_delta: {"type":"content_block_delta","index":` + index + `,"delta":{` + delta + `}}`
	}
	start := func(index, block string) string {
		return `content_block_start: {"type":"content_block_start","index":` + index + `,"content_block":{` + block + `}}`
	}
	stop := func(index string) string {
		return `content_block_stop: {"type":"content_block_stop","index":` + index + `}`
	}
	want := []string{
		`message_start: {"type":"message_start","message":{"model":"claude-opus-4","id":"msg_000001","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,` +
			`"usage":{"input_tokens":100,"cache_creation_input_tokens":0,"cache_read_input_tokens":1000,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":4,"service_tier":"standard"}}}`,
		start("0", `"type":"thinking","thinking":"","signature":""`),
		`ping: {"type":"ping"}`,
		delta("0", `"type":"thinking_delta","thinking":"Hm"`),
		delta("0", `"type":"thinking_delta","thinking":" ok"`),
		delta("0", `"type":"signature_delta","signature":"c2lnbmVk"`),
		stop("0"),
		start("1", `"type":"text","text":""`),
		delta("1", `"type":"text_delta","text":"Hi"`),
		delta("1", `"type":"text_delta","text":" you"`),
		stop("1"),
		start("2", `"type":"tool_use","id":"call_000000","name":"weather","input":{}`),
		delta("2", `"type":"input_json_delta","partial_json":""`),
		delta("2", `"type":"input_json_delta","partial_json":"{\"city\":"`),
		delta("2", `"type":"input_json_delta","partial_json":"\"Delft\"}"`),
		stop("2"),
		`message_delta: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":100,` + cached +
			`,"output_tokens":50,"output_tokens_details":{"thinking_tokens":30},"service_tier":"standard"}}`,
		`message_stop: {"type":"message_stop"}`,
	}
	if diff := cmp.Diff(want, post(t, s, "/v1/messages", messagesStream).named(t)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}

	// Without a script a stream begins with the prompt and one token.
	first := post(t, s, "/v1/messages", messagesStream).named(t)[0]
	if !strings.Contains(first, `"usage":{"input_tokens":10,`+noCache+`,"output_tokens":1,`) {
		t.Errorf("first event: %s", first)
	}
	s.Enqueue(Answer{OmitUsage: true})
	if got := post(t, s, "/v1/messages", messagesStream).text; strings.Contains(got, "usage") {
		t.Errorf("stream: %s", got)
	}
}

func TestMessagesStreamEnds(t *testing.T) {
	s := start(t)
	for name, tc := range map[string]struct {
		stream Stream
		events int
		last   string
	}{
		"without the end": {Stream{End: EndWithoutDone}, 7, `message_delta: {"type":"message_delta"`},
		"cut late":        {Stream{End: EndCut, After: 100}, 7, `message_delta: {"type":"message_delta"`},
		"cut":             {Stream{End: EndCut, After: 4}, 4, `content_block_delta: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"`},
		"error":           {Stream{End: EndError, After: 1, Error: &Error{Status: StatusOverloaded}}, 2, `error: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`},
		"other error":     {Stream{End: EndError, ErrorEvent: "oops"}, 1, `oops: {"type":"error","error":{"type":"api_error","message":"Internal server error"}}`},
	} {
		s.Enqueue(Answer{Text: "a b", Stream: tc.stream})
		got := post(t, s, "/v1/messages", messagesStream)
		events := got.named(t)
		if len(events) != tc.events || !strings.HasPrefix(events[tc.events-1], tc.last) || (got.err != nil) != (tc.stream.End == EndCut) {
			t.Errorf("%s: %v, %d events:\n%s", name, got.err, len(events), strings.Join(events, "\n"))
		}
	}
}

func TestMessagesErrors(t *testing.T) {
	failed := func(kind, message, id string) string {
		return `{"type":"error","error":{"type":"` + kind + `","message":"` + message + `"},"request_id":"` + id + `"}`
	}
	for status, want := range map[int]string{
		400: failed("invalid_request_error", "Invalid request", "req_000001"),
		401: failed("authentication_error", "invalid x-api-key", "req_000001"),
		402: failed("billing_error", "Your credit balance is too low.", "req_000001"),
		403: failed("permission_error", "Your API key has no permission for this.", "req_000001"),
		404: failed("not_found_error", "model not found", "req_000001"),
		413: failed("request_too_large", "Request exceeds the maximum size", "req_000001"),
		429: failed("rate_limit_error", "This request would exceed your rate limit.", "req_000001"),
		500: failed("api_error", "Internal server error", "req_000001"),
		504: failed("timeout_error", "Request timed out", "req_000001"),
		529: failed("overloaded_error", "Overloaded", "req_000001"),
	} {
		checkFailures(t, "/v1/messages", messagesStream, map[string]failure{http.StatusText(status): {Fail(status), status, want}})
	}
	checkFailures(t, "/v1/messages", messages, map[string]failure{
		"scripted": {Answer{Error: &Error{Status: 400, Type: "x_error", Message: "m"}}, 400, failed("x_error", "m", "req_000001")},
	})
	bad := func(message string) string {
		return `{"type":"error","error":{"type":"invalid_request_error","message":"` + message + `"},"request_id":"req_00000`
	}
	for name, tc := range map[string]struct{ body, want string }{
		"no JSON":     {`x`, bad("The request body is not valid JSON: invalid character 'x' looking for beginning of value")},
		"no model":    {`{"max_tokens":1,"messages":[{"role":"user","content":"x"}]}`, bad("model: Field required")},
		"no limit":    {`{"model":"m","messages":[{"role":"user","content":"x"}]}`, bad("max_tokens: Field required")},
		"no messages": {`{"model":"m","max_tokens":1}`, bad("messages: Field required")},
	} {
		s := start(t)
		got := post(t, s, "/v1/messages", tc.body)
		if got.StatusCode != http.StatusBadRequest || got.text != tc.want+`1"}` {
			t.Errorf("%s: %s %s", name, got.Status, got.text)
		}
	}
}

func TestMessagesKey(t *testing.T) {
	s := start(t, WithAPIKeys("k"))
	if got := post(t, s, "/v1/messages", messages, "X-Api-Key", "k"); got.StatusCode != http.StatusOK {
		t.Errorf("%s", got.Status)
	}
	if got := post(t, s, "/v1/messages", messages, "X-Api-Key", "other"); got.StatusCode != http.StatusUnauthorized || !strings.Contains(got.text, `"type":"authentication_error"`) {
		t.Errorf("%s %s", got.Status, got.text)
	}
}

func TestCountTokensOfMessages(t *testing.T) {
	s := start(t)
	const body = `{"model":"claude-opus-4","messages":[{"role":"user","content":"Hello there"}],"stream":true}`
	for _, path := range []string{
		"/v1/messages/count_tokens", "/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict",
	} {
		if got := post(t, s, path, body).text; got != `{"input_tokens":10}` {
			t.Errorf("%s: %s", path, got)
		}
	}
	s.Enqueue(Answer{Usage: &Usage{PromptTokens: 2095}})
	if got := post(t, s, "/v1/messages/count_tokens", body).text; got != `{"input_tokens":2095}` {
		t.Error(got)
	}
	if r := s.Requests()[2]; r.API != APICountTokens || r.Model != "claude-opus-4" {
		t.Errorf("request: %+v", r)
	}
}

// Vertex AI has the model in the path, a proxy its own prefix.
func TestMessagesPaths(t *testing.T) {
	for path, want := range map[string]struct{ model, id string }{
		"/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-3-7-sonnet@20250219:rawPredict":       {"claude-3-7-sonnet@20250219", "msg_vrtx_000001"},
		"/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-3-7-sonnet@20250219:streamRawPredict": {"claude-3-7-sonnet@20250219", "msg_vrtx_000001"},
		"/anthropic/v1/messages": {"claude-opus-4", "msg_000001"},
	} {
		body := messagesStream
		if want.model != "claude-opus-4" {
			body = strings.Replace(body, `"model":"claude-opus-4"`, `"anthropic_version":"vertex-2023-10-16"`, 1)
		}
		s := start(t)
		got := post(t, s, path, body).named(t)
		if r := s.Requests()[0]; r.Model != want.model || r.API != APIMessages || !r.Stream || !strings.Contains(got[0], `"id":"`+want.id+`"`) {
			t.Errorf("%s: %+v\n%s", path, r, got[0])
		}
	}
}
