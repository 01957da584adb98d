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
	question       = `{"model":"gpt-5","input":"Hello there"}`
	questionStream = `{"model":"gpt-5","input":[{"role":"user","content":[{"type":"input_text","text":"Hello there"}]}],"instructions":"Be brief.","stream":true}`
)

func responseOf(status, output, usage string) string {
	const rest = `"parallel_tool_calls":true,"service_tier":"%tier","store":true,"temperature":1,"tool_choice":"auto","tools":[],"top_p":1,"truncation":"disabled",`
	tier := "default"
	if status == "in_progress" || status == "queued" {
		tier = "auto"
	}
	return `{"id":"resp_000001","object":"response","created_at":1795514400,"status":"` + status + `","background":false,"error":null,"incomplete_details":null,"model":"gpt-5","output":[` +
		output + `],` + strings.Replace(rest, "%tier", tier, 1) + `"usage":` + usage + `,"metadata":{}}`
}

const (
	outputReasoning = `{"id":"rs_000001000","type":"reasoning","summary":[{"type":"summary_text","text":"Hm ok"}]}`
	outputSearch    = `{"id":"ht_000001001","type":"web_search_call","status":"completed"}`
	outputText      = `{"id":"msg_000001002","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Hi you"}],"role":"assistant"}`
	outputCall      = `{"id":"fc_000001003","type":"function_call","status":"completed","arguments":"{\"city\":\"Delft\"}","call_id":"call_000000","name":"weather"}`
	usageFull       = `{"input_tokens":1200,"input_tokens_details":{"cached_tokens":1000,"cache_write_tokens":100},"output_tokens":50,"output_tokens_details":{"reasoning_tokens":30},"total_tokens":1250}`
)

func searched() Answer {
	a := full()
	a.HostedTools = []string{"web_search_call"}
	return a
}

func TestResponses(t *testing.T) {
	s := start(t)
	got := post(t, s, "/v1/responses", question)
	want := responseOf("completed",
		`{"id":"msg_000001000","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"You said: Hello there"}],"role":"assistant"}`,
		`{"input_tokens":10,"input_tokens_details":{"cached_tokens":0},"output_tokens":6,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":16}`)
	if diff := cmp.Diff(want, got.text); diff != "" || got.Header.Get("X-Request-Id") != "req_000001" {
		t.Errorf("%v (-want +got):\n%s", got.Header, diff)
	}
	s.Reset()
	s.Enqueue(searched())
	want = responseOf("completed", strings.Join([]string{outputReasoning, outputSearch, outputText, outputCall}, ","), usageFull)
	if diff := cmp.Diff(want, post(t, s, "/openai/v1/responses", question).text); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if r := s.Requests()[0]; r.API != APIResponses || r.Model != "gpt-5" || r.LastUserText != "Hello there" || r.Stream {
		t.Errorf("request: %+v", r)
	}
}

// What ended the answer is the status, and a reason for it.
func TestResponseStatus(t *testing.T) {
	s := start(t)
	for finish, want := range map[string]struct {
		status      string
		details     any
		failed, has bool
	}{
		"stop":           {"completed", nil, false, true},
		"length":         {"incomplete", map[string]any{"reason": "max_output_tokens"}, false, true},
		"content_filter": {"incomplete", map[string]any{"reason": "content_filter"}, false, true},
		"failed":         {"failed", nil, true, true},
		"cancelled":      {"cancelled", nil, false, false},
	} {
		a := Answer{Text: "a", FinishReason: finish, Stream: Stream{Error: &Error{Code: "server_error", Message: "m"}}}
		s.Enqueue(a, a)
		m := decoded(t, post(t, s, "/v1/responses", question).text)
		if m["status"] != want.status || !cmp.Equal(m["incomplete_details"], want.details) || (m["usage"] != nil) != want.has || (m["error"] != nil) != want.failed {
			t.Errorf("%s: %v", finish, m)
		}
		if want.failed && !cmp.Equal(m["error"], any(map[string]any{"code": "server_error", "message": "m"})) {
			t.Errorf("%s: %v", finish, m["error"])
		}
		events := post(t, s, "/v1/responses", questionStream).named(t)
		if last := events[len(events)-1]; !strings.HasPrefix(last, "response."+want.status+`: {"type":"response.`+want.status+`"`) || strings.Contains(last, `"usage":null`) == want.has {
			t.Errorf("%s: %s", finish, last)
		}
	}
	// The limit cuts the default text.
	m := decoded(t, post(t, s, "/v1/responses", strings.Replace(question, `"input"`, `"max_output_tokens":2,"input"`, 1)).text)
	if m["status"] != "incomplete" {
		t.Errorf("%v", m)
	}
}

func TestResponsesStream(t *testing.T) {
	s := start(t)
	s.Enqueue(searched())
	n := 0
	event := func(name, rest string) string {
		n++
		return name + `: {"type":"` + name + `","sequence_number":` + itoa(n-1) + `,` + rest + `}`
	}
	item := func(name, index, item string) string {
		return event("response.output_item."+name, `"output_index":`+index+`,"item":`+item)
	}
	const textAt, textPart = `"output_index":2,"item_id":"msg_000001002","content_index":0,`, `"part":{"type":"output_text","annotations":[],"logprobs":[],"text":`
	const thinkAt = `"output_index":0,"item_id":"rs_000001000","summary_index":0,`
	begin := responseOf("in_progress", "", "null")
	want := []string{
		event("response.created", `"response":`+begin),
		event("response.in_progress", `"response":`+begin),
		item("added", "0", `{"id":"rs_000001000","type":"reasoning","summary":[]}`),
		event("response.reasoning_summary_part.added", thinkAt+`"part":{"type":"summary_text","text":""}`),
		event("response.reasoning_summary_text.delta", thinkAt+`"delta":"Hm"`),
		event("response.reasoning_summary_text.delta", thinkAt+`"delta":" ok"`),
		event("response.reasoning_summary_text.done", thinkAt+`"text":"Hm ok"`),
		event("response.reasoning_summary_part.done", thinkAt+`"part":{"type":"summary_text","text":"Hm ok"}`),
		item("done", "0", outputReasoning),
		item("added", "1", `{"id":"ht_000001001","type":"web_search_call","status":"in_progress"}`),
		item("done", "1", outputSearch),
		item("added", "2", `{"id":"msg_000001002","type":"message","status":"in_progress","content":[],"role":"assistant"}`),
		event("response.content_part.added", textAt+textPart+`""}`),
		event("response.output_text.delta", textAt+`"delta":"Hi","logprobs":[]`),
		event("response.output_text.delta", textAt+`"delta":" you","logprobs":[]`),
		event("response.output_text.done", textAt+`"text":"Hi you","logprobs":[]`),
		event("response.content_part.done", textAt+textPart+`"Hi you"}`),
		item("done", "2", outputText),
		item("added", "3", `{"id":"fc_000001003","type":"function_call","status":"in_progress","arguments":"","call_id":"call_000000","name":"weather"}`),
		event("response.function_call_arguments.delta", `"output_index":3,"item_id":"fc_000001003","delta":"{\"city\":"`),
		event("response.function_call_arguments.delta", `"output_index":3,"item_id":"fc_000001003","delta":"\"Delft\"}"`),
		event("response.function_call_arguments.done", `"output_index":3,"item_id":"fc_000001003","arguments":"{\"city\":\"Delft\"}","name":"weather"`),
		item("done", "3", outputCall),
		event("response.completed", `"response":`+responseOf("completed", strings.Join([]string{outputReasoning, outputSearch, outputText, outputCall}, ","), usageFull)),
	}
	if diff := cmp.Diff(want, post(t, s, "/v1/responses", questionStream).named(t)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if r := s.Requests()[0]; !r.Stream || r.LastUserText != "Hello there" || r.Events != len(want) {
		t.Errorf("request: %+v", r)
	}
	s.Enqueue(Answer{Text: "a", Stream: Stream{End: EndWithoutDone}}, Answer{Text: "a", Stream: Stream{End: EndError, After: 2}})
	if got := post(t, s, "/v1/responses", questionStream).text; strings.Contains(got, "response.completed") || !strings.Contains(got, "response.output_item.done") {
		t.Errorf("stream: %s", got)
	}
	events := post(t, s, "/v1/responses", questionStream).named(t)
	if last := events[2]; len(events) != 3 || !strings.HasPrefix(last, `error: {"type":"error","code":"server_error","message":"The server had an error`) {
		t.Errorf("events: %v", events)
	}
}

func get(t *testing.T, s *Server, path string) answered {
	t.Helper()
	return send(t, s, http.MethodGet, path, "")
}

// A background response is queued, and is seen by asking again.
func TestBackground(t *testing.T) {
	s := start(t)
	background := strings.Replace(question, `"input"`, `"background":true,"store":false,"input"`, 1)
	s.Enqueue(Answer{Text: "Hi", Polls: 1, Header: http.Header{"X-Once": {"1"}}, Status: http.StatusAccepted}, Answer{Text: "late", Polls: 5}, Answer{Text: "next"})
	statusOf := func(got answered) string {
		t.Helper()
		m := decoded(t, got.text)
		if done := m["status"] == "completed"; (m["usage"] != nil) != done || (len(m["output"].([]any)) > 0) != done || m["background"] != true {
			t.Errorf("%v", m)
		}
		return m["status"].(string)
	}
	first := post(t, s, "/v1/responses", background)
	path := "/v1/responses/" + decoded(t, first.text)["id"].(string)
	got := []string{statusOf(first), statusOf(get(t, s, path)), statusOf(get(t, s, path)), statusOf(get(t, s, path))}
	if diff := cmp.Diff([]string{"queued", "in_progress", "completed", "completed"}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if again := get(t, s, path); first.StatusCode != http.StatusAccepted || again.StatusCode != http.StatusOK || again.Header.Get("X-Once") != "" {
		t.Errorf("%s, then %s %v", first.Status, again.Status, again.Header)
	}
	if r := s.Requests()[1]; r.API != APIRetrieveResponse || r.Model != "gpt-5" || r.Method != http.MethodGet {
		t.Errorf("request: %+v", r)
	}

	// Cancelled before it was done.
	second := post(t, s, "/v1/responses", background)
	path = "/v1/responses/" + decoded(t, second.text)["id"].(string)
	for _, got := range []answered{post(t, s, path+"/cancel", ""), get(t, s, path)} {
		if status := statusOf(got); status != "cancelled" {
			t.Error(status)
		}
	}
	if s.Pending() != 1 {
		t.Error("a retrieval took an answer")
	}
}

// A background stream can be read again from where the client left it.
func TestBackgroundStream(t *testing.T) {
	s := start(t)
	s.Enqueue(Answer{Text: "Hi", Stream: Stream{End: EndCut, After: 4}})
	sent := post(t, s, "/v1/responses", strings.Replace(questionStream, `"input"`, `"background":true,"input"`, 1)).named(t)
	if len(sent) != 4 || !strings.HasPrefix(sent[1], "response.queued") || !strings.Contains(sent[0], `"status":"queued"`) {
		t.Errorf("events: %v", sent)
	}
	rest := get(t, s, "/v1/responses/resp_000001?stream=true&starting_after=3").named(t)
	if len(rest) != 6 || !strings.Contains(rest[0], `"sequence_number":4`) || !strings.HasPrefix(rest[5], "response.completed") {
		t.Errorf("events: %v", rest)
	}
}

func TestRetrieve(t *testing.T) {
	s := start(t)
	post(t, s, "/v1/responses", question)
	post(t, s, "/v1/responses", strings.Replace(question, `"input"`, `"store":false,"input"`, 1))
	if m := decoded(t, get(t, s, "/v1/responses/resp_000001").text); m["status"] != "completed" || m["usage"] == nil {
		t.Errorf("%v", m)
	}
	for path, want := range map[string]int{
		"/v1/responses/resp_000002": http.StatusNotFound, "/v1/responses/x": http.StatusNotFound,
		"/v1/responses/resp_000001?starting_after=x": http.StatusBadRequest, "/v1/responses/resp_000001?%zz": http.StatusBadRequest,
		"/v1/responses": http.StatusMethodNotAllowed,
	} {
		if got := get(t, s, path); got.StatusCode != want {
			t.Errorf("%s: %s %s", path, got.Status, got.text)
		}
	}
	if got := post(t, s, "/v1/responses/resp_000001", "{}"); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %s", got.Status)
	}
	if got := get(t, s, "/v1/responses/x").text; !strings.Contains(got, "Response with id 'x' not found.") {
		t.Error(got)
	}
}

// The oldest responses are forgotten.
func TestResponseStore(t *testing.T) {
	var s responseStore
	for n := range maxStored + 2 {
		s.put(&reply{id: itoa(n), call: &call{kind: responsesKind}})
	}
	s.put(&reply{id: "2", call: &call{kind: responsesKind}}) // again
	for id, want := range map[string]bool{"0": false, "1": false, "2": true, itoa(maxStored + 1): true} {
		if _, ok := s.get(&call{kind: retrieveKind, responseID: id}); ok != want {
			t.Errorf("%s: %v", id, ok)
		}
	}
}

func TestCompactAndCount(t *testing.T) {
	s := start(t)
	s.Enqueue(Answer{Usage: &Usage{PromptTokens: 500, CompletionTokens: 40}})
	m := decoded(t, post(t, s, "/v1/responses/compact", strings.Replace(question, `"input"`, `"stream":true,"input"`, 1)).text)
	if u := m["usage"].(map[string]any); m["object"] != "response.compaction" || u["input_tokens"] != 500.0 || u["total_tokens"] != 540.0 {
		t.Errorf("%v", m)
	}
	if got := post(t, s, "/v1/responses/input_tokens", question).text; got != `{"object":"response.input_tokens","input_tokens":10}` {
		t.Error(got)
	}
}

func TestResponsesRefusals(t *testing.T) {
	bad := func(param, code, message string) string {
		return `{"error":{"message":"` + message + `","type":"invalid_request_error","param":` + param + `,"code":` + code + `}}`
	}
	checkRefusals(t, map[string]refusal{
		"no model":    {"/v1/responses", `{"input":"x"}`, bad("null", "null", "you must provide a model parameter")},
		"no input":    {"/v1/responses", `{"model":"m"}`, bad(`"input"`, `"missing_required_parameter"`, "Missing required parameter: 'input'.")},
		"null input":  {"/v1/responses", `{"model":"m","input":null}`, bad(`"input"`, `"missing_required_parameter"`, "Missing required parameter: 'input'.")},
		"empty input": {"/v1/responses/compact", `{"model":"m","input":[]}`, bad(`"input"`, `"missing_required_parameter"`, "Missing required parameter: 'input'.")},
		"no JSON":     {"/v1/responses", `x`, bad("null", "null", "We could not parse the JSON body of your request: invalid character 'x' looking for beginning of value")},
	})
}
