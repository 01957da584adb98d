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
	llama      = `{"model":"llama3","messages":[{"role":"user","content":"Hello there"}]}`
	llamaPlain = `{"model":"llama3","messages":[{"role":"user","content":"Hello there"}],"stream":false}`
	line       = `{"model":"llama3","created_at":"2026-11-24T10:00:00Z",`
)

func lastLine(message, in, out string) string {
	return line + message + `,"done":true,"done_reason":"stop","total_duration":12000000,"load_duration":2000000,` + in + `"prompt_eval_duration":3000000,` + out + `"eval_duration":7000000}`
}

func TestOllamaChat(t *testing.T) {
	s := start(t)
	const told = `"message":{"role":"assistant","content":"Hi you","thinking":"Hm ok","tool_calls":[{"function":{"name":"weather","arguments":{"city":"Delft"}}}]}`
	for name, tc := range map[string]struct {
		answer Answer
		want   string
	}{
		"default": {Answer{}, lastLine(`"message":{"role":"assistant","content":"You said: Hello there"}`, `"prompt_eval_count":10,`, `"eval_count":6,`)},
		"all":     {full(), lastLine(told, `"prompt_eval_count":1200,`, `"eval_count":50,`)},
		// As for a prompt that was cached.
		"no prompt": {Answer{Text: "a", Usage: &Usage{CompletionTokens: 3}}, lastLine(`"message":{"role":"assistant","content":"a"}`, "", `"eval_count":3,`)},
		"no usage":  {Answer{Text: "a", OmitUsage: true}, line + `"message":{"role":"assistant","content":"a"},"done":true,"done_reason":"stop"}`},
		"load":      {Answer{Choices: []Choice{{ToolCalls: []ToolCall{}, FinishReason: "load"}}, OmitUsage: true}, line + `"message":{"role":"assistant","content":""},"done":true,"done_reason":"load"}`},
	} {
		s.Reset()
		s.Enqueue(tc.answer)
		got := post(t, s, "/api/chat", llamaPlain)
		if diff := cmp.Diff(tc.want, got.text); diff != "" || got.Header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: %v (-want +got):\n%s", name, got.Header, diff)
		}
		if r := s.Requests()[0]; r.API != APIOllamaChat || r.Model != "llama3" || r.Stream || r.LastUserText != "Hello there" {
			t.Errorf("request: %+v", r)
		}
	}
	s.Enqueue(Answer{Text: "a", Usage: &Usage{Extra: map[string]any{"x": 1, "total_duration": nil}}})
	if m := decoded(t, post(t, s, "/api/chat", llamaPlain).text); m["x"] != 1.0 || m["total_duration"] != nil || m["done"] != true {
		t.Errorf("%v", m)
	}
	m := decoded(t, post(t, s, "/api/chat", strings.Replace(llamaPlain, `"stream"`, `"options":{"num_predict":2},"stream"`, 1)).text)
	if m["done_reason"] != "length" || m["eval_count"] != 2.0 {
		t.Errorf("%v", m)
	}
}

// A stream is the rule.
func TestOllamaStream(t *testing.T) {
	s := start(t)
	s.Enqueue(full())
	piece := func(message string) string {
		return line + `"message":{"role":"assistant",` + message + `},"done":false}`
	}
	want := []string{
		piece(`"content":"","thinking":"Hm"`),
		piece(`"content":"","thinking":" ok"`),
		piece(`"content":"Hi"`),
		piece(`"content":" you"`),
		piece(`"content":"","tool_calls":[{"function":{"name":"weather","arguments":{"city":"Delft"}}}]`),
		lastLine(`"message":{"role":"assistant","content":""}`, `"prompt_eval_count":1200,`, `"eval_count":50,`),
	}
	if diff := cmp.Diff(want, post(t, s, "/api/chat", llama).lines(t, "application/x-ndjson")); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if r := s.Requests()[0]; !r.Stream || r.Events != 6 {
		t.Errorf("request: %+v", r)
	}
	for name, tc := range map[string]struct {
		stream Stream
		want   []string
	}{
		"without the end": {Stream{End: EndWithoutDone, KeepAlive: true}, []string{piece(`"content":"a"`)}},
		"error":           {Stream{End: EndError, After: 1}, []string{piece(`"content":"a"`), `{"error":"llama runner process has terminated"}`}},
	} {
		s.Enqueue(Answer{Text: "a", Stream: tc.stream})
		if diff := cmp.Diff(tc.want, post(t, s, "/api/chat", llama).lines(t, "application/x-ndjson")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestOllamaGenerate(t *testing.T) {
	s := start(t)
	a := Answer{Text: "Hi you", Reasoning: "Hm", Usage: &Usage{PromptTokens: 3, CompletionTokens: 4}}
	s.Enqueue(a, a)
	const body = `{"model":"llama3","prompt":"Hello there","system":"Be brief."}`
	want := []string{
		line + `"response":"","thinking":"Hm","done":false}`,
		line + `"response":"Hi","done":false}`,
		line + `"response":" you","done":false}`,
		lastLine(`"response":""`, `"prompt_eval_count":3,`, `"eval_count":4,`),
	}
	if diff := cmp.Diff(want, post(t, s, "/api/generate", body).lines(t, "application/x-ndjson")); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	plain := post(t, s, "/api/generate", strings.Replace(body, `"prompt"`, `"stream":false,"prompt"`, 1)).text
	if diff := cmp.Diff(lastLine(`"response":"Hi you","thinking":"Hm"`, `"prompt_eval_count":3,`, `"eval_count":4,`), plain); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if r := s.Requests()[1]; r.API != APIOllamaGenerate || r.LastUserText != "Hello there" {
		t.Errorf("request: %+v", r)
	}
}

func TestOllamaEmbeddings(t *testing.T) {
	s := start(t)
	two := Answer{Embeddings: [][]float32{{1}, {2}}}
	s.Enqueue(two, Answer{Embeddings: two.Embeddings, OmitUsage: true}, two)
	const body = `{"model":"all-minilm","input":["Hello","there"]}`
	for _, want := range []string{
		`{"model":"all-minilm","embeddings":[[1],[2]],"total_duration":12000000,"load_duration":2000000,"prompt_eval_count":4}`,
		`{"model":"all-minilm","embeddings":[[1],[2]],"total_duration":12000000,"load_duration":2000000}`,
	} {
		if got := post(t, s, "/api/embed", body).text; got != want {
			t.Error(got)
		}
	}
	if got := post(t, s, "/api/embeddings", `{"model":"all-minilm","prompt":"Hello"}`).text; got != `{"embedding":[1]}` {
		t.Error(got)
	}
	if r := s.Requests()[2]; r.API != APIOllamaEmbed || r.Model != "all-minilm" {
		t.Errorf("request: %+v", r)
	}
}

func TestOllamaErrors(t *testing.T) {
	checkFailures(t, "/api/chat", llama, map[string]failure{
		"400": {Fail(400), 400, `{"error":"invalid request"}`},
		"404": {Fail(http.StatusNotFound), 404, `{"error":"model not found, try pulling it first"}`},
		"500": {Fail(500), 500, `{"error":"llama runner process has terminated"}`},
	})
	checkRefusals(t, map[string]refusal{
		"no JSON":        {"/api/chat", "x", `{"error":"invalid character 'x' looking for beginning of value"}`},
		"no model":       {"/api/chat", "{}", `{"error":"model is required"}`},
		"no input":       {"/api/embed", `{"model":"m"}`, `{"error":"invalid input type"}`},
		"bad dimensions": {"/api/embed", `{"model":"m","input":"x","dimensions":-1}`, `{"error":"invalid dimensions"}`},
		"embed":          {"/api/embed", `x`, `{"error":"invalid character 'x' looking for beginning of value"}`},
		"older":          {"/api/embeddings", `x`, `{"error":"invalid character 'x' looking for beginning of value"}`},
	})
}
