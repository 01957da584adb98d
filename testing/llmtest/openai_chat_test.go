// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const noDetails = `"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":` +
	`{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}`

// The default answer repeats the question. 3 + 4 + 3 + 4 + 3 tokens in: the start, two messages of nine and eleven
// characters; 21 characters out.
func TestDefaultChat(t *testing.T) {
	s := start(t)
	for i, path := range []string{"/v1/chat/completions", "/chat/completions", "/openai/v1/chat/completions"} {
		got := post(t, s, path, chat)
		want := `{"id":"chatcmpl-00000` + string(rune('1'+i)) + `","object":"chat.completion","created":1795514400,"model":"gpt-4o",` +
			`"choices":[{"index":0,"message":{"role":"assistant","content":"You said: Hello there","refusal":null,"annotations":[]},` +
			`"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":17,"completion_tokens":6,"total_tokens":23,` + noDetails + `},` +
			`"service_tier":"default","system_fingerprint":null}`
		if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != "application/json" || got.err != nil {
			t.Errorf("%s: %s %v %v", path, got.Status, got.Header, got.err)
		}
		if diff := cmp.Diff(want, got.text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	if got := post(t, s, "/v1/chat/completions", chat).Header; got.Get("X-Request-Id") != "req_000004" || got.Get("Openai-Version") != "2020-10-01" {
		t.Errorf("headers: %v", got)
	}
}

func chunkOf(choices, usage string) string {
	return `{"id":"chatcmpl-000001","object":"chat.completion.chunk","created":1795514400,"model":"gpt-4o","service_tier":"default",` +
		`"system_fingerprint":null,"choices":` + choices + usage + `}`
}

func TestDefaultStream(t *testing.T) {
	choice := func(delta, finish string) string {
		return `[{"index":0,"delta":` + delta + `,"logprobs":null,"finish_reason":` + finish + `}]`
	}
	var steps []string
	for _, delta := range []string{
		`{"role":"assistant","content":"","refusal":null}`, `{"content":"You"}`, `{"content":" said:"}`, `{"content":" Hello"}`, `{"content":" there"}`,
	} {
		steps = append(steps, choice(delta, "null"))
	}
	steps = append(steps, choice("{}", `"stop"`))
	all := func(usage string) []string {
		var out []string
		for _, st := range steps {
			out = append(out, chunkOf(st, usage))
		}
		return out
	}
	usage := `,"usage":{"prompt_tokens":10,"completion_tokens":6,"total_tokens":16,` + noDetails + `}`
	for name, tc := range map[string]struct {
		body string
		want []string
	}{
		"without usage": {streamed, append(all(""), "[DONE]")},
		"with usage":    {counted, append(all(`,"usage":null`), chunkOf("[]", usage), "[DONE]")},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			got := post(t, s, "/v1/chat/completions", tc.body)
			if diff := cmp.Diff(tc.want, got.events(t)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if want := "data: " + strings.Join(tc.want, "\n\ndata: ") + "\n\n"; got.text != want {
				t.Errorf("framing:\n%s", got.text)
			}
			if err := s.Wait(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			r := s.Requests()[0]
			if r.Events != len(tc.want) || !r.Stream || r.IncludeUsage != (name == "with usage") || r.Disconnected || r.Status != 200 {
				t.Errorf("request: %+v", r)
			}
		})
	}
}

func TestUsagePlaces(t *testing.T) {
	const u3, u4, u5, u6 = `{"prompt_tokens":10,"completion_tokens":1,"total_tokens":11`, `{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12`,
		`{"prompt_tokens":10,"completion_tokens":0,"total_tokens":10`, `,` + noDetails + `}`
	for name, tc := range map[string]struct {
		place UsagePlace
		body  string
		want  []string // role, "abcd", " efg", finish, …
	}{
		"own chunk, not asked":   {UsageOwnChunk, streamed, []string{"none", "none", "none", "none"}},
		"own chunk":              {UsageOwnChunk, counted, []string{"null", "null", "null", "null", u4 + u6}},
		"always":                 {UsageAlways, streamed, []string{"none", "none", "none", "none", u4 + u6}},
		"always, asked":          {UsageAlways, counted, []string{"null", "null", "null", "null", u4 + u6}},
		"in finish":              {UsageInFinish, streamed, []string{"none", "none", "none", u4 + u6}},
		"in finish, asked":       {UsageInFinish, counted, []string{"none", "none", "none", u4 + u6}},
		"in every":               {UsageInEvery, streamed, []string{u5 + u6, u3 + u6, u4 + u6, u4 + u6}},
		"never":                  {UsageNever, counted, []string{"none", "none", "none", "none"}},
		"empty delta, not asked": {UsageEmptyDelta, streamed, []string{"none", "none", "none", "none"}},
		"empty delta":            {UsageEmptyDelta, counted, []string{"none", "none", "none", "none", "none", u4 + u6}},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.Enqueue(Answer{Pieces: []string{"abcd", " efg"}, Stream: Stream{Usage: tc.place}})
			got := post(t, s, "/v1/chat/completions", tc.body)
			if diff := cmp.Diff(tc.want, usages(t, got.events(t))); diff != "" {
				t.Errorf("usage of the events (-want +got):\n%s", diff)
			}
		})
	}
}

// n choices take turns, each with a finish reason of its own, and one usage counts them all.
func TestChoices(t *testing.T) {
	s := start(t)
	body := strings.Replace(counted, `"stream":true`, `"stream":true,"n":2`, 1)
	s.Enqueue(Answer{Choices: []Choice{{Pieces: []string{"a", "b"}}, {Text: "c", FinishReason: "length"}}})
	var got []string
	for _, e := range post(t, s, "/v1/chat/completions", body).events(t) {
		if e == "[DONE]" {
			continue
		}
		for _, c := range decoded(t, e)["choices"].([]any) {
			c := c.(map[string]any)
			content, _ := c["delta"].(map[string]any)["content"].(string)
			finish, _ := c["finish_reason"].(string)
			got = append(got, string(rune('0'+int(c["index"].(float64))))+":"+content+finish)
		}
	}
	if diff := cmp.Diff([]string{"0:", "1:", "0:a", "1:c", "0:b", "0:stop", "1:length"}, got); diff != "" {
		t.Errorf("choices (-want +got):\n%s", diff)
	}

	plain := decoded(t, post(t, s, "/v1/chat/completions", strings.Replace(chat, `"messages"`, `"n":3,"messages"`, 1)).text)
	if n := len(plain["choices"].([]any)); n != 3 {
		t.Errorf("%d choices", n)
	}
	if u := plain["usage"].(map[string]any); u["completion_tokens"] != 18.0 || u["prompt_tokens"] != 17.0 {
		t.Errorf("usage: %v", u)
	}
}

func TestToolCalls(t *testing.T) {
	s := start(t)
	a := Answer{ToolCalls: []ToolCall{{Name: "weather", Arguments: `{"city":"Delft"}`}, {ID: "call_x", Name: "now", Arguments: "{}"}}}
	s.Enqueue(a, a)
	plain := post(t, s, "/v1/chat/completions", chat).text
	want := `"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_000000","type":"function","function":{"name":"weather",` +
		`"arguments":"{\"city\":\"Delft\"}"}},{"id":"call_x","type":"function","function":{"name":"now","arguments":"{}"}}],"refusal":null,` +
		`"annotations":[]},"logprobs":null,"finish_reason":"tool_calls"`
	if !strings.Contains(plain, want) {
		t.Errorf("answer:\n%s\nwant\n%s", plain, want)
	}
	var deltas []string
	for _, e := range post(t, s, "/v1/chat/completions", streamed).events(t) {
		if _, rest, ok := strings.Cut(e, `"delta":`); ok {
			delta, _, _ := strings.Cut(rest, `,"logprobs"`)
			deltas = append(deltas, delta)
		}
	}
	if diff := cmp.Diff([]string{
		`{"role":"assistant","content":null,"refusal":null}`,
		`{"tool_calls":[{"index":0,"id":"call_000000","type":"function","function":{"name":"weather","arguments":""}}]}`,
		`{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]}`,
		`{"tool_calls":[{"index":0,"function":{"arguments":"\"Delft\"}"}}]}`,
		`{"tool_calls":[{"index":1,"id":"call_x","type":"function","function":{"name":"now","arguments":""}}]}`,
		`{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]}`,
		`{}`,
	}, deltas); diff != "" {
		t.Errorf("deltas (-want +got):\n%s", diff)
	}
}

func TestEnvelope(t *testing.T) {
	s := start(t)
	a := Answer{
		ID: "chatcmpl-x", Model: "gpt-4o-2024-08-06", SystemFingerprint: "fp_1", ServiceTier: "flex", Text: "Hi",
		Usage: &Usage{
			PromptTokens: 100, CompletionTokens: 20, CachedTokens: 64, ReasoningTokens: 8,
			Extra: map[string]any{"cost": 0.25, "total_tokens": 7, "prompt_tokens_details": map[string]any{"cache_write_tokens": 3, "audio_tokens": nil}},
		},
		Extra:  map[string]any{"provider": "x", "a": []int{1}},
		Header: map[string][]string{"x-extra": {"1", "2"}, "x-request-id": {}},
	}
	s.Enqueue(a, a)
	got := post(t, s, "/v1/chat/completions", chat)
	want := map[string]any{
		"id": "chatcmpl-x", "object": "chat.completion", "created": 1795514400.0, "model": "gpt-4o-2024-08-06",
		"system_fingerprint": "fp_1", "service_tier": "flex", "provider": "x", "a": []any{1.0},
		"choices": []any{map[string]any{
			"index": 0.0, "logprobs": nil, "finish_reason": "stop",
			"message": map[string]any{"role": "assistant", "content": "Hi", "refusal": nil, "annotations": []any{}},
		}},
		"usage": map[string]any{
			"prompt_tokens": 100.0, "completion_tokens": 20.0, "total_tokens": 7.0, "cost": 0.25,
			"prompt_tokens_details": map[string]any{"cached_tokens": 64.0, "cache_write_tokens": 3.0},
			"completion_tokens_details": map[string]any{
				"reasoning_tokens": 8.0, "audio_tokens": 0.0, "accepted_prediction_tokens": 0.0, "rejected_prediction_tokens": 0.0,
			},
		},
	}
	if diff := cmp.Diff(want, decoded(t, got.text)); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if _, there := got.Header["X-Request-Id"]; there || len(got.Header["X-Extra"]) != 2 {
		t.Errorf("headers: %v", got.Header)
	}
	for _, e := range post(t, s, "/v1/chat/completions", streamed).events(t) {
		if e == "[DONE]" {
			continue
		}
		m := decoded(t, e)
		if m["id"] != "chatcmpl-x" || m["model"] != "gpt-4o-2024-08-06" || m["system_fingerprint"] != "fp_1" || m["service_tier"] != "flex" || m["provider"] != "x" {
			t.Errorf("chunk: %s", e)
		}
	}
}

func TestOmitUsage(t *testing.T) {
	s := start(t)
	s.Enqueue(Answer{OmitUsage: true}, Answer{OmitUsage: true}, Answer{Usage: &Usage{Extra: map[string]any{"prompt_tokens_details": nil}}})
	if got := post(t, s, "/v1/chat/completions", chat).text; strings.Contains(got, "usage") {
		t.Errorf("answer: %s", got)
	}
	for _, u := range usages(t, post(t, s, "/v1/chat/completions", counted).events(t)) {
		if u != "null" {
			t.Errorf("usage: %s", u)
		}
	}
	u := decoded(t, post(t, s, "/v1/chat/completions", chat).text)["usage"].(map[string]any)
	if _, there := u["prompt_tokens_details"]; there || u["total_tokens"] != 0.0 {
		t.Errorf("usage: %v", u)
	}
}

// The default text obeys the request's limit, and says so.
func TestMaxTokens(t *testing.T) {
	s := start(t)
	for _, limit := range []string{"max_tokens", "max_completion_tokens"} {
		m := decoded(t, post(t, s, "/v1/chat/completions", strings.Replace(chat, `"messages"`, `"`+limit+`":2,"messages"`, 1)).text)
		c := m["choices"].([]any)[0].(map[string]any)
		if c["message"].(map[string]any)["content"] != "You said" || c["finish_reason"] != "length" || m["usage"].(map[string]any)["completion_tokens"] != 2.0 {
			t.Errorf("%s: %v", limit, m)
		}
	}
}

func TestServiceTier(t *testing.T) {
	s := start(t)
	for asked, want := range map[string]string{"auto": "default", "priority": "priority"} {
		m := decoded(t, post(t, s, "/v1/chat/completions", strings.Replace(chat, `"messages"`, `"service_tier":"`+asked+`","messages"`, 1)).text)
		if m["service_tier"] != want {
			t.Errorf("%s: %v", asked, m["service_tier"])
		}
	}
}

// A question in parts, and one without any text.
func TestContentParts(t *testing.T) {
	s := start(t)
	for content, want := range map[string]string{
		`[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:"}},{"type":"text","text":"b"}]`: "You said: ab",
		`null`: "You said: ", `7`: "You said: ",
	} {
		m := decoded(t, post(t, s, "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":`+content+`}]}`).text)
		if got := m["choices"].([]any)[0].(map[string]any)["message"].(map[string]any)["content"]; got != want {
			t.Errorf("%s: %q", content, got)
		}
	}
	m := decoded(t, post(t, s, "/v1/chat/completions", `{"model":"m","messages":[{"role":"system","content":"x"}]}`).text)
	if got := m["choices"].([]any)[0].(map[string]any)["message"].(map[string]any)["content"]; got != "You said: " {
		t.Errorf("no user: %q", got)
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"": nil, "a": {"a"}, "a b": {"a", " b"}, " a  b ": {" a", "  b", " "}, "é ü": {"é", " ü"},
	} {
		got := words(text)
		if diff := cmp.Diff(want, got); diff != "" || strings.Join(got, "") != text {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestCountTokens(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "a": 1, "abcd": 1, "abcde": 2, "éééé": 1} {
		if got := CountTokens(text); got != want {
			t.Errorf("%q: %d", text, got)
		}
	}
}

// Thoughts come before the text, as from the servers that tell them.
func TestReasoning(t *testing.T) {
	s := start(t)
	a := Answer{Text: "Hi", Reasoning: "Hm ok"}
	s.Enqueue(a, a)
	plain := post(t, s, "/v1/chat/completions", chat).text
	if !strings.Contains(plain, `"content":"Hi","reasoning_content":"Hm ok"`) || !strings.Contains(plain, `"completion_tokens":3,`) || !strings.Contains(plain, `"reasoning_tokens":2,`) {
		t.Error(plain)
	}
	events := post(t, s, "/v1/chat/completions", streamed).events(t)
	for i, want := range []string{`"role":"assistant"`, `"delta":{"reasoning_content":"Hm"}`, `"delta":{"reasoning_content":" ok"}`, `"delta":{"content":"Hi"}`} {
		if !strings.Contains(events[i], want) {
			t.Errorf("event %d: %s, want %s", i, events[i], want)
		}
	}
}
