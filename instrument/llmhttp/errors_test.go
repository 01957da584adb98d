// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/instrument"
)

func TestErrorAnswers(t *testing.T) {
	tests := []struct {
		name, body, contentType string
		status                  int
		want                    string
	}{
		{name: "OpenAI: code", status: 404, body: `{"error":{"message":"secret","type":"invalid_request_error","param":null,"code":"model_not_found"}}`, want: "model_not_found"},
		{name: "OpenAI: quota", status: 429, body: `{"error":{"message":"secret","type":"insufficient_quota","code":"insufficient_quota"}}`, want: "insufficient_quota"},
		{name: "OpenAI: type", status: 400, body: `{"error":{"message":"secret","type":"invalid_request_error","code":null}}`, want: "invalid_request_error"},
		{name: "Azure: the status as code", status: 401, body: `{"error":{"code":"401","message":"secret"}}`, want: "401"},
		{name: "Azure: deployment", status: 404, body: `{"error":{"code":"DeploymentNotFound","message":"secret"}}`, want: "DeploymentNotFound"},
		{name: "OpenRouter: a number as code", status: 429, body: `{"error":{"code":429,"message":"secret","metadata":{"provider_name":"x","raw":"secret"}}}`, want: "429"},
		{name: "xAI: text", status: 400, body: `{"code":"Client specified an invalid argument","error":"secret"}`, want: "400"},
		{name: "Mistral: fields of the root", status: 400, body: `{"object":"error","message":"secret","type":"invalid_model","code":"1500"}`, want: "invalid_model"},
		{name: "Mistral: detail", status: 422, body: `{"detail":[{"type":"extra_forbidden","msg":"secret"}]}`, want: "422"},
		{name: "Gemini: an array", status: 400, body: `[{"error":{"code":400,"message":"secret","status":"INVALID_ARGUMENT"}}]`, want: "INVALID_ARGUMENT"},
		{name: "LiteLLM: budget", status: 400, body: `{"error":{"message":"secret","type":"budget_exceeded","param":null,"code":"400"}}`, want: "budget_exceeded"},
		{name: "an id is no word", status: 500, body: `{"error":{"code":"err_0123456789abcdef0123","type":"a sentence, secret"}}`, want: "500"},
		{name: "HTML", status: 502, contentType: "text/html", body: `<html>secret</html>`, want: "502"},
		{name: "nothing", status: 503, want: "503"},
		{name: "no JSON", status: 500, body: `Internal Server Error`, want: "500"},
		{name: "cut JSON", status: 500, body: `{"error":{"type":"server_error","message":"sec`, want: "server_error"},
		{name: "an event", status: 500, contentType: "text/event-stream", body: "data: {\"error\":{\"type\":\"server_error\"}}\n\n", want: "server_error"},
		{name: "a long text before the words", status: 400, body: `{"error":{"message":"` + strings.Repeat("x", 4000) + `","type":"invalid_request_error"}}`, want: "invalid_request_error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			contentType := tt.contentType
			if contentType == "" {
				contentType = "application/json"
			}
			h := newHarness(t, answering(tt.status, contentType, tt.body))
			resp := h.post(chatURL, chatBody)
			h.only().wantFailed(t, tt.want) // before anybody reads the body
			if got, err := io.ReadAll(resp.Body); string(got) != tt.body || err != nil {
				t.Errorf("body %q, %v", got, err)
			}
			if err := resp.Body.Close(); err != nil {
				t.Error(err)
			}
			span := h.only()
			span.want(t, map[string]any{"http.response.status_code": int64(tt.status), "revenium.usage.missing": nil})
			if d := span.Status.Description; !strings.HasPrefix(d, strings.TrimSpace(resp.Status)) {
				t.Errorf("status description %q", d)
			}
		})
	}
}

func TestLongErrorAnswerPassesWhole(t *testing.T) {
	body := `{"error":{"type":"server_error","message":"` + strings.Repeat("x", 10*maxErrorBody) + `"}}`
	h := newHarness(t, answering(500, "application/json", body))
	if got := h.exchange(chatURL, chatBody); got != body {
		t.Errorf("%d bytes, want %d", len(got), len(body))
	}
	h.only().wantFailed(t, "server_error")
}

func TestCompressedErrorAnswer(t *testing.T) {
	body := string(zipped(t, `{"error":{"code":"rate_limit_exceeded"}}`))
	h := newHarness(t, answering(429, "application/json", body, "Content-Encoding", "gzip"))
	if got := h.exchange(chatURL, chatBody, "Accept-Encoding", "gzip"); got != body {
		t.Errorf("body %q", got)
	}
	h.only().wantFailed(t, "rate_limit_exceeded")
}

func zipped(tb testing.TB, text string) []byte {
	tb.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := io.WriteString(w, text); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

// An error answer that does not come to an end is kept for a moment only, and
// can be closed then.
func TestHangingErrorAnswer(t *testing.T) {
	release := make(chan struct{})
	h := newHarness(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"error":`)
		_ = http.NewResponseController(w).Flush()
		<-release
	})
	defer close(release)
	started := time.Now()
	resp := h.post(chatURL, chatBody)
	if waited := time.Since(started); waited > 20*maxErrorWait {
		t.Errorf("waited for %v", waited)
	}
	h.only().wantFailed(t, "503")
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("reading a closed body: no error")
	}
}

// The rest of a slow error answer is for the caller.
func TestSlowErrorAnswer(t *testing.T) {
	release := make(chan struct{})
	h := newHarness(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"error":`)
		_ = http.NewResponseController(w).Flush()
		<-release
		_, _ = io.WriteString(w, `"late"}`)
	})
	resp := h.post(chatURL, chatBody)
	close(release)
	if got, err := io.ReadAll(resp.Body); string(got) != `{"error":"late"}` || err != nil {
		t.Errorf("body %q, %v", got, err)
	}
	_ = resp.Body.Close()
}

// The attempts of a client that tries again are calls of their own.
func TestAttempts(t *testing.T) {
	n := 0
	h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 1 {
			answering(429, "application/json", `{"error":{"code":"rate_limit_exceeded"}}`, "Retry-After", "0")(w, r)
			return
		}
		answering(200, "application/json", chatAnswer)(w, r)
	})
	_ = h.post(chatURL, chatBody, "X-Stainless-Retry-Count", "0").Body.Close() // unread
	h.exchange(chatURL, chatBody, "X-Stainless-Retry-Count", "1")
	spans := h.all()
	if len(spans) != 2 {
		t.Fatalf("%d spans, want 2", len(spans))
	}
	spans[0].wantFailed(t, "rate_limit_exceeded")
	spans[0].want(t, map[string]any{"revenium.retry.number": nil})
	spans[1].wantFailed(t, "")
	spans[1].want(t, map[string]any{"revenium.retry.number": int64(1), "gen_ai.usage.input_tokens": int64(10)})
}

func TestFailureWords(t *testing.T) {
	for word, want := range map[string]bool{
		"rate_limit_exceeded": true, "DeploymentNotFound": true, "RESOURCE_EXHAUSTED": true, "openai.error-1": true,
		"": false, "429": false, "two words": false, "_x": false, "null": false, "None": false, "error": false, "é": false,
		strings.Repeat("x", 65): false, "req_0123456789": false,
	} {
		if got := stableWord(word); got != want {
			t.Errorf("stableWord(%q) = %t", word, got)
		}
	}
	if got := (*failure)(nil).errorType(); got != "" {
		t.Errorf("no failure is %q", got)
	}
	if err := (&failure{number: 502}).error(); instrument.ErrorType(err) != "502" {
		t.Errorf("a number is %q", instrument.ErrorType(err))
	}
}
