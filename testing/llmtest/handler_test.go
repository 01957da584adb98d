// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"bufio"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const path = "/v1/chat/completions"

func TestErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		answer Answer
		opts   []Option
		status int
		want   string
	}{
		"400":       {Fail(400), nil, 400, `{"error":{"message":"Bad Request","type":"invalid_request_error","param":null,"code":null}}`},
		"401":       {Fail(401), nil, 401, `{"error":{"message":"Incorrect API key provided.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`},
		"403":       {Fail(403), nil, 403, `{"error":{"message":"Country, region, or territory not supported","type":"invalid_request_error","param":null,"code":"unsupported_country_region_territory"}}`},
		"404":       {Fail(404), nil, 404, `{"error":{"message":"The model does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}`},
		"429":       {Fail(429), nil, 429, `{"error":{"message":"Rate limit reached for requests.","type":"requests","param":null,"code":"rate_limit_exceeded"}}`},
		"503":       {Fail(503), nil, 503, `{"error":{"message":"The server had an error while processing your request. Sorry about that!","type":"server_error","param":null,"code":null}}`},
		"quota":     {Answer{Error: &Error{Status: 429, Type: "insufficient_quota", Code: "insufficient_quota", Message: "m", Param: "p"}}, nil, 429, `{"error":{"message":"m","type":"insufficient_quota","param":"p","code":"insufficient_quota"}}`},
		"in 200":    {Answer{Status: 200, Error: &Error{Status: 400, Code: "content_filter"}}, nil, 200, `{"error":{"message":"Bad Request","type":"invalid_request_error","param":null,"code":"content_filter"}}`},
		"no status": {Answer{Error: &Error{}}, nil, 500, `{"error":{"message":"The server had an error while processing your request. Sorry about that!","type":"server_error","param":null,"code":null}}`},
		"proxy":     {Fail(429), []Option{WithLiteLLM(LiteLLM{})}, 429, `{"error":{"message":"Rate limit reached for requests.","type":"requests","param":null,"code":"429"}}`},
		"raw":       {Answer{Status: 502, Raw: []byte("<html>"), Header: http.Header{"Content-Type": {"text/html"}}}, nil, 502, "<html>"},
		"empty":     {Answer{Status: 502, Raw: []byte{}}, nil, 502, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, tc.opts...)
			tc.answer.RetryAfter, tc.answer.RetryAfterMs = 1500*time.Millisecond, 250*time.Millisecond
			s.Enqueue(tc.answer, tc.answer)
			for _, body := range []string{chat, streamed} { // the answer to a stream that fails is no stream
				got := post(t, s, path, body)
				if diff := cmp.Diff(tc.want, got.text); diff != "" || got.StatusCode != tc.status {
					t.Errorf("%s (-want +got):\n%s", got.Status, diff)
				}
				if got.Header.Get("Retry-After") != "2" || got.Header.Get("Retry-After-Ms") != "250" {
					t.Errorf("headers: %v", got.Header)
				}
			}
			if r := s.Requests()[0]; r.Status != tc.status {
				t.Errorf("request: %+v", r)
			}
		})
	}
}

func TestLiteLLM(t *testing.T) {
	s := start(t, WithLiteLLM(LiteLLM{Version: "1.2.3", APIBase: "https://api.anthropic.com", ModelID: "d1", Price: 0.001}))
	lite := func(h http.Header) map[string]string {
		out := make(map[string]string)
		for name := range h {
			if strings.HasPrefix(name, "X-Litellm-") || strings.HasPrefix(name, "Llm_provider-") || name == "X-Request-Id" {
				out[name] = h.Get(name)
			}
		}
		return out
	}
	want := map[string]string{
		"X-Litellm-Call-Id": "00000000-0000-4000-8000-000000000001", "X-Litellm-Key-Spend": "0.0", "X-Litellm-Version": "1.2.3",
		"X-Litellm-Model-Id": "d1", "X-Litellm-Model-Group": "gpt-4o", "X-Litellm-Model-Api-Base": "https://api.anthropic.com",
		"X-Litellm-Response-Cost": "0.023", "X-Litellm-Response-Duration-Ms": "12.5", "X-Litellm-Overhead-Duration-Ms": "1.424",
		"X-Litellm-Attempted-Retries": "0", "X-Litellm-Attempted-Fallbacks": "0",
		"Llm_provider-X-Request-Id": "req_000001", "Llm_provider-Openai-Processing-Ms": "12",
	}
	if diff := cmp.Diff(want, lite(post(t, s, path, chat).Header)); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}

	// Streams begin before most of it is known, and have a shape of their own.
	s.Enqueue(Answer{Pieces: []string{"abcd", " efg"}, SystemFingerprint: "fp"}, Fail(500))
	got := post(t, s, path, counted)
	few := map[string]string{
		"X-Litellm-Call-Id": "00000000-0000-4000-8000-000000000002", "X-Litellm-Key-Spend": "0.0", "X-Litellm-Version": "1.2.3",
	}
	if diff := cmp.Diff(few, lite(got.Header)); diff != "" {
		t.Errorf("headers of a stream (-want +got):\n%s", diff)
	}
	chunk := func(choices, usage string) string {
		return `{"id":"chatcmpl-000002","object":"chat.completion.chunk","created":1795514400,"model":"gpt-4o","system_fingerprint":"fp","choices":[` +
			choices + `]` + usage + `,"stream_options":{"include_usage":true}}`
	}
	if diff := cmp.Diff([]string{
		chunk(`{"index":0,"delta":{"content":"abcd","role":"assistant"}}`, ""),
		chunk(`{"index":0,"delta":{"content":" efg"}}`, ""),
		chunk(`{"finish_reason":"stop","index":0,"delta":{}}`, ""),
		chunk(`{"index":0,"delta":{}}`, ""),
		chunk(`{"index":0,"delta":{}}`, `,"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,`+noDetails+`}`),
		"[DONE]",
	}, got.events(t)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	few["X-Litellm-Call-Id"] = "00000000-0000-4000-8000-000000000003"
	if diff := cmp.Diff(few, lite(post(t, s, path, chat).Header)); diff != "" {
		t.Errorf("headers of an error (-want +got):\n%s", diff)
	}

	// Without usage asked for, with usage as OpenAI sends it, and the cost of other answers.
	s.Enqueue(Answer{Text: "a"}, Answer{Text: "a", Stream: Stream{Usage: UsageOwnChunk}}, Answer{Usage: &Usage{PromptTokens: 5, CompletionTokens: 2}})
	notAsked := strings.Replace(counted, "true}", "false}", 1)
	if e := post(t, s, path, notAsked).events(t); len(e) != 3 || decoded(t, e[0])["stream_options"].(map[string]any)["include_usage"] != false {
		t.Errorf("events: %v", e)
	}
	if e := post(t, s, path, counted).events(t); len(e) != 4 || len(decoded(t, e[2])["choices"].([]any)) != 0 {
		t.Errorf("events: %v", e)
	}
	if cost := post(t, s, path, chat).Header.Get("X-Litellm-Response-Cost"); cost != "0.007" {
		t.Errorf("cost: %s", cost)
	}
	if h := post(t, s, "/v1/embeddings", `{"model":"m","input":"abcdefgh","stream":true}`).Header; h.Get("X-Litellm-Response-Cost") != "0.002" {
		t.Errorf("headers: %v", h)
	}
}

func TestGzip(t *testing.T) {
	asked := []string{"Accept-Encoding", "br, gzip;q=0.5"}
	unzip := func(got answered) string {
		t.Helper()
		z, err := gzip.NewReader(strings.NewReader(got.text))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	s := start(t, WithGzip())
	if got := post(t, s, path, chat, asked...); got.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(unzip(got), "You said: Hello there") {
		t.Errorf("%v %q", got.Header, got.text)
	}
	if got := post(t, s, path, counted, asked...); got.Header.Get("Content-Encoding") != "gzip" || !strings.HasSuffix(unzip(got), "data: [DONE]\n\n") {
		t.Errorf("%v %q", got.Header, got.text)
	}
	for _, no := range []string{"identity", "gzip; q=0"} {
		if got := post(t, s, path, chat, "Accept-Encoding", no); got.Header.Get("Content-Encoding") != "" || !strings.Contains(got.text, "You said") {
			t.Errorf("%s: %v %q", no, got.Header, got.text)
		}
	}
	plain := start(t)
	plain.Enqueue(Answer{Gzip: true})
	if got := post(t, plain, path, chat, asked...); got.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%v", got.Header)
	}
	if got := post(t, plain, path, chat, asked...); got.Header.Get("Content-Encoding") != "" {
		t.Errorf("%v", got.Header)
	}
}

// Each event of a compressed stream can be read when it was sent.
func TestGzipStreamFlushes(t *testing.T) {
	s := start(t, WithGzip())
	gate := make(chan struct{})
	s.Enqueue(Answer{Pieces: []string{"a"}, Gate: gate})
	resp := open(t, s, path, streamed) // the transport asks for gzip by itself
	if !resp.Uncompressed {
		t.Fatal("not compressed")
	}
	r := bufio.NewReader(resp.Body)
	for _, want := range []string{`"content":""`, `"content":"a"`, `"finish_reason":"stop"`, "[DONE]"} {
		gate <- struct{}{}
		if got := next(t, r); !strings.Contains(got, want) {
			t.Errorf("event: %s, want %s", got, want)
		}
	}
}

func TestAPIKeys(t *testing.T) {
	s := start(t, WithAPIKeys("k1", "k2"))
	for _, tc := range []struct {
		name, value string
		want        int
	}{
		{"Authorization", "Bearer k1", 200}, {"Api-Key", "k2", 200}, {"Authorization", "Bearer k3", 401}, {"Api-Key", "", 401},
	} {
		if got := post(t, s, path, chat, tc.name, tc.value); got.StatusCode != tc.want || strings.Contains(got.text, "k3") {
			t.Errorf("%s %s: %s %s", tc.name, tc.value, got.Status, got.text)
		}
	}
}

func TestScript(t *testing.T) {
	s := start(t, WithAnswer(Answer{Text: "default"}))
	say := func(body string) string {
		t.Helper()
		return decoded(t, post(t, s, path, body).text)["choices"].([]any)[0].(map[string]any)["message"].(map[string]any)["content"].(string)
	}
	s.Handle(func(r Request) (Answer, bool) {
		return Answer{Text: "handled " + r.Model}, r.LastUserText == "Hello there"
	})
	s.Enqueue(Answer{Text: "first"}, Answer{Text: "second"})
	other := strings.Replace(chat, "Hello there", "x", 1)
	got := []string{say(chat), say(other), say(chat), say(other)}
	s.Handle(nil)
	got = append(got, say(chat))
	if diff := cmp.Diff([]string{"first", "second", "handled gpt-4o", "default", "default"}, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	s.Enqueue(Answer{})
	s.Reset()
	if s.Pending() != 0 || len(s.Requests()) != 0 {
		t.Errorf("%d pending, %d requests", s.Pending(), len(s.Requests()))
	}
	// What cannot be sent tells why.
	s.Enqueue(Answer{Extra: map[string]any{"x": func() {}}}, Answer{Extra: map[string]any{"x": func() {}}})
	for _, body := range []string{chat, streamed} {
		if got := post(t, s, path, body); got.StatusCode != http.StatusInternalServerError ||
			got.text != "llmtest: the scripted answer cannot be sent: llmtest: extra field \"x\": json: unsupported type: func()\n" {
			t.Errorf("%s %s", got.Status, got.text)
		}
	}
}

func TestRequests(t *testing.T) {
	s := start(t, WithRequestLimit(2))
	for range 2 {
		post(t, s, path, chat)
	}
	post(t, s, path, chat, "X-Stainless-Retry-Count", "1")
	if err := s.Wait(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	rs := s.Requests()
	if len(rs) != 2 || rs[1].Header.Get("X-Stainless-Retry-Count") != "1" || string(rs[1].Body) != chat {
		t.Errorf("requests: %+v", rs)
	}
	got := rs[1]
	got.Header, got.Body = nil, nil
	want := Request{
		Seq: 3, Time: clock(), Method: "POST", Path: path, API: APIChat, Model: "gpt-4o", LastUserText: "Hello there", Status: 200, Ended: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Wait(ctx, 4); err == nil || err.Error() != "llmtest: 3 of 4 requests ended: context canceled" {
		t.Errorf("error: %v", err)
	}
	none := start(t, WithRequestLimit(0))
	post(t, none, path, chat)
	if err := none.WaitReceived(t.Context(), 1); err != nil || len(none.Requests()) != 0 {
		t.Errorf("%v, %d requests", err, len(none.Requests()))
	}
}

func TestAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, WithListener(l))
	if want := "http://" + l.Addr().String(); s.URL() != want || s.BaseURL() != want+"/v1" {
		t.Errorf("%s %s, want %s", s.URL(), s.BaseURL(), want)
	}
	if _, err = NewServer(WithAddr(l.Addr().String())); err == nil || !strings.HasPrefix(err.Error(), "llmtest: listen tcp "+l.Addr().String()) {
		t.Errorf("error: %v", err)
	}
}

func TestHTTP2(t *testing.T) {
	s := start(t, WithTLS())
	if got := post(t, s, path, streamed); got.ProtoMajor != 2 || !strings.HasSuffix(got.text, "[DONE]\n\n") {
		t.Errorf("%s %q", got.Proto, got.text)
	}
	s.Enqueue(Answer{Stream: Stream{End: EndCut, After: 1}})
	if got := post(t, s, path, streamed); got.err == nil || len(got.events(t)) != 1 {
		t.Errorf("%v %q", got.err, got.text)
	}
}

func TestHandler(t *testing.T) {
	s := start(t)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(streamed)))
	if !strings.HasSuffix(w.Body.String(), "[DONE]\n\n") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	s.Close()
	w = httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(streamed)))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("%d after Close", w.Code)
	}
}
