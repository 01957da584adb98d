// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	command       = `{"model":"command-a-03-2025","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Hello there"}]}]}`
	commandStream = `{"model":"command-a-03-2025","messages":[{"role":"user","content":"Hello there"}],"stream":true}`
	cohereID      = "00000000-0000-4000-8000-000000000001"
)

func TestCohereChat(t *testing.T) {
	s := start(t)
	for i, tc := range []struct {
		answer Answer
		want   string
	}{
		{Answer{}, `"message":{"role":"assistant","content":[{"type":"text","text":"You said: Hello there"}]},"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":17,"output_tokens":6},"tokens":{"input_tokens":79,"output_tokens":6}}}`},
		{full(), `"message":{"role":"assistant","tool_plan":"Hm ok","tool_calls":[{"id":"call_000000","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Delft\"}"}}],"content":[{"type":"text","text":"Hi you"}]},` +
			`"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":1200,"output_tokens":50},"tokens":{"input_tokens":1262,"output_tokens":50},"cached_tokens":1000}}`},
		{Answer{Text: "a", Reasoning: "Hm", OmitUsage: true, FinishReason: "length"}, `"message":{"role":"assistant","content":[{"type":"thinking","thinking":"Hm"},{"type":"text","text":"a"}]},"finish_reason":"MAX_TOKENS"}`},
	} {
		s.Reset()
		s.Enqueue(tc.answer)
		got := post(t, s, "/v2/chat", command)
		if diff := cmp.Diff(`{"id":"`+cohereID+`",`+tc.want, got.text); diff != "" || got.Header.Get("X-Debug-Trace-Id") == "" {
			t.Errorf("%d: %v (-want +got):\n%s", i, got.Header, diff)
		}
		if r := s.Requests()[0]; r.API != APICohereChat || r.Model != "command-a-03-2025" || r.LastUserText != "Hello there" {
			t.Errorf("request: %+v", r)
		}
	}
}

func TestCohereStream(t *testing.T) {
	said := func(kind, index, message string) string {
		return kind + `: {"type":"` + kind + `","index":` + index + `,"delta":{"message":{` + message + `}}}`
	}
	end := func(kind, index string) string { return kind + `: {"type":"` + kind + `","index":` + index + `}` }
	start1 := `message-start: {"id":"` + cohereID + `","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}`
	s := start(t)
	for name, tc := range map[string]struct {
		answer Answer
		want   []string
	}{
		"tool": {full(), []string{
			start1,
			said("content-start", "0", `"content":{"type":"text","text":""}`),
			said("content-delta", "0", `"content":{"text":"Hi"}`),
			said("content-delta", "0", `"content":{"text":" you"}`),
			end("content-end", "0"),
			said("tool-call-start", "0", `"tool_calls":{"id":"call_000000","type":"function","function":{"name":"weather","arguments":""}}`),
			said("tool-call-delta", "0", `"tool_calls":{"function":{"arguments":"{\"city\":"}}`),
			said("tool-call-delta", "0", `"tool_calls":{"function":{"arguments":"\"Delft\"}"}}`),
			end("tool-call-end", "0"),
			`message-end: {"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":1200,"output_tokens":50},"tokens":{"input_tokens":1262,"output_tokens":50},"cached_tokens":1000}}}`,
			"[DONE]",
		}},
		"thoughts": {Answer{Text: "a", Reasoning: "Hm ok", OmitUsage: true}, []string{
			start1,
			said("content-start", "0", `"content":{"type":"thinking","thinking":""}`),
			said("content-delta", "0", `"content":{"thinking":"Hm"}`),
			said("content-delta", "0", `"content":{"thinking":" ok"}`),
			end("content-end", "0"),
			said("content-start", "1", `"content":{"type":"text","text":""}`),
			said("content-delta", "1", `"content":{"text":"a"}`),
			end("content-end", "1"),
			`message-end: {"type":"message-end","delta":{"finish_reason":"COMPLETE"}}`,
			"[DONE]",
		}},
		"without the end": {Answer{Text: "a", Stream: Stream{End: EndWithoutDone}}, []string{
			start1, said("content-start", "0", `"content":{"type":"text","text":""}`), said("content-delta", "0", `"content":{"text":"a"}`), end("content-end", "0"),
		}},
		"error": {Answer{Text: "a", Stream: Stream{End: EndError, After: 1}}, []string{
			start1, `message-end: {"type":"message-end","delta":{"error":"internal server error","finish_reason":"ERROR"}}`,
		}},
	} {
		s.Reset()
		s.Enqueue(tc.answer)
		if diff := cmp.Diff(tc.want, post(t, s, "/v2/chat", commandStream).named(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestCohereEmbedAndRerank(t *testing.T) {
	const embed = `{"model":"embed-v4.0","texts":["Hello","There you"],"input_type":"search_query","embedding_types":["float"]}`
	const rerank = `{"model":"rerank-v3.5","query":"ruby","documents":["a","b","c"],"top_n":2}`
	embedded := func(units string) string {
		return `{"id":"` + cohereID + `","texts":["hello","there you"],"embeddings":{"float":[[1],[2]]},"meta":{"api_version":{"version":"2"}` + units + `},"response_type":"embeddings_by_type"}`
	}
	ranked := func(results, units string) string {
		return `{"id":"` + cohereID + `","results":[` + results + `],"meta":{"api_version":{"version":"2"}` + units + `}}`
	}
	two := [][]float32{{1}, {2}}
	const inOrder = `{"index":0,"relevance_score":1},{"index":1,"relevance_score":0.5}`
	s := start(t)
	for name, tc := range map[string]struct {
		path, body string
		answer     Answer
		want       string
		api        API
	}{
		"embed":           {"/v2/embed", embed, Answer{Embeddings: two}, embedded(`,"billed_units":{"input_tokens":5}`), APICohereEmbed},
		"embed, images":   {"/v2/embed", embed, Answer{Embeddings: two, Usage: &Usage{Extra: map[string]any{"images": 1, "input_tokens": nil}}}, embedded(`,"billed_units":{"images":1}`), APICohereEmbed},
		"embed, no usage": {"/v2/embed", embed, Answer{Embeddings: two, OmitUsage: true}, embedded(""), APICohereEmbed},
		"rerank":          {"/v2/rerank", rerank, Answer{}, ranked(inOrder, `,"billed_units":{"search_units":1}`), APIRerank},
		"rerank, scripted": {"/v2/rerank", rerank, Answer{Ranking: []Ranked{{2, 0.75}}, Usage: &Usage{SearchUnits: 3}}, ranked(`{"index":2,"relevance_score":0.75}`,
			`,"billed_units":{"search_units":3}`), APIRerank},
		"rerank, no usage": {"/v2/rerank", rerank, Answer{OmitUsage: true}, ranked(inOrder, ""), APIRerank},
	} {
		s.Reset()
		s.Enqueue(tc.answer)
		if diff := cmp.Diff(tc.want, post(t, s, tc.path, tc.body).text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if r := s.Requests()[0]; r.API != tc.api || !strings.Contains(tc.body, r.Model) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestCohereErrors(t *testing.T) {
	failed := func(message, seq string) string {
		return `{"id":"00000000-0000-4000-8000-00000000000` + seq + `","message":"` + message + `"}`
	}
	for status, message := range map[int]string{
		400: "invalid request", 401: "Incorrect API key provided.", 404: "model not found", 429: "You have exceeded your rate limit.", 500: "internal server error",
	} {
		checkFailures(t, "/v2/chat", commandStream, map[string]failure{message: {Fail(status), status, failed(message, "1")}})
	}
	for message, tc := range map[string]struct{ path, body string }{
		"invalid request: model is required":                                    {"/v2/chat", `{"messages":[{"role":"user","content":"x"}]}`},
		"invalid request: messages must be at least one":                        {"/v2/chat", `{"model":"m"}`},
		"invalid request: at least one text is required":                        {"/v2/embed", `{"model":"m"}`},
		"invalid request: output_dimension is out of range":                     {"/v2/embed", `{"model":"m","texts":["x"],"output_dimension":-1}`},
		"invalid request: query and documents must not be empty":                {"/v2/rerank", `{"model":"m","query":"x"}`},
		"invalid request: invalid character 'x' looking for beginning of value": {"/v2/chat", `x`},
		"invalid request: invalid character 'y' looking for beginning of value": {"/v2/embed", `y`},
		"invalid request: invalid character 'z' looking for beginning of value": {"/v2/rerank", `z`},
	} {
		checkRefusals(t, map[string]refusal{message: {tc.path, tc.body, failed(message, "1")}})
	}
}
