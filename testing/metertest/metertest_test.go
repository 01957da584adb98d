// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metertest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder notes failures instead of failing.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func call(t *testing.T, m *metertest.Meter) {
	t.Helper()
	client := llmhttp.Client(m.LLM.Client(), llmhttp.WithTracerProvider(m.Provider))
	resp, err := client.Post(m.LLM.BaseURL()+"/chat/completions", "application/json", //nolint:noctx // an in-process server
		strings.NewReader(`{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
}

func facts() metertest.Facts {
	return metertest.Facts{
		"model": "gpt-4o", "provider": "OpenAI", "modelSource": "DIRECT", "operationType": "CHAT", "costType": "AI", "isStreamed": "false",
		"stopReason": "END", "inputTokenCount": "12", "outputTokenCount": "3", "totalTokenCount": "15", "actualServiceTier": "default",
		"cacheReadTokenCount": "0", "reasoningTokenCount": "0",
	}
}

func TestWant(t *testing.T) {
	m := metertest.Start(t, exporter.WithOrganization("Northwind"))
	m.LLM.Enqueue(
		llmtest.Answer{Text: "Hi", Usage: &llmtest.Usage{PromptTokens: 12, CompletionTokens: 3}},
		llmtest.Answer{Text: "Hi", Usage: &llmtest.Usage{PromptTokens: 13, CompletionTokens: 3}},
	)
	call(t, m)
	call(t, m)
	m.Want(
		facts().With("organizationName", "Northwind"),
		facts().With("organizationName", "Northwind", "inputTokenCount", "13", "totalTokenCount", "16"),
	)
	if r := m.Report(); r.Delivered != 2 || len(m.Records()) != 2 {
		t.Errorf("report: %s", r)
	}
}

func TestWantFails(t *testing.T) {
	rec := &recorder{TB: t}
	m := metertest.Start(rec)
	m.LLM.Enqueue(llmtest.Answer{Text: "Hi", Usage: &llmtest.Usage{PromptTokens: 12, CompletionTokens: 3}})
	call(t, m)
	m.Want(facts().With("inputTokenCount", "11"))
	m.Want()
	if len(rec.errors) != 2 || !strings.Contains(rec.errors[0], `"inputTokenCount":`) || !strings.Contains(rec.errors[0], "delivered") {
		t.Errorf("errors: %v", rec.errors)
	}
}

func TestFactsWith(t *testing.T) {
	f := metertest.Facts{"a": "1", "b": "2"}
	if diff := cmp.Diff(metertest.Facts{"a": "1", "c": "3"}, f.With("b", "", "c", "3")); diff != "" || len(f) != 2 || f["b"] != "2" {
		t.Errorf("%v (-want +got):\n%s", f, diff)
	}
}
