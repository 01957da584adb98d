// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestOffline runs the program as a newcomer does, in an environment that would
// lead everywhere else, and reads what it prints.
func TestOffline(t *testing.T) {
	clearForTest(t)
	var strayed atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	t.Cleanup(trap.Close)
	for _, name := range []string{
		"REVENIUM_METERING_BASE_URL", "LITELLM_PROXY_URL", "OPENAI_BASE_URL",
		"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
	} {
		t.Setenv(name, trap.URL)
	}
	t.Setenv("REVENIUM_METERING_API_KEY", "rev_mk_test_of_the_environment")
	t.Setenv("REVENIUM_ORGANIZATION_NAME", "Somebody Else")

	var out bytes.Buffer
	if err := run(t.Context(), &out, nil); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	if n := strayed.Load(); n != 0 {
		t.Errorf("%d requests went where the environment points", n)
	}
	text := out.String()
	for _, want := range []string{
		"Because every cent has a trace id.",
		"Tokens arrive one by one.",
		"a vector of 1536 numbers",
		"The second attempt went through.",
		"This answer … (cancelled)",
		"spans                   6",
		"suppressed            1   retried 1",
		"delivered             5",
		"lost                  0",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the output lacks %q", want)
		}
	}
	if got := len(regexp.MustCompile(`(?m)^   trace  [0-9a-f]{32}$`).FindAllString(text, -1)); got != 5 {
		t.Errorf("%d trace ids, want 5", got)
	}
	// time, model, provider, operation, input, output, cached, reasoning,
	// duration, time to first token, stop reason, organization
	rows := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d\.\d{3} .*$`).FindAllString(text, -1)
	want := []string{
		`gpt-4o-mini +OpenAI +CHAT +12 +9 +0 +0 +\S+ +- +END +Acme Corp$`,
		`gpt-4o-mini +OpenAI +CHAT +14 +7 +0 +0 +\S+ +\d\S* +END +Acme Corp$`,
		`text-embedding-3-small +OpenAI +EMBED +7 +0 +- +- +\S+ +- +END +Acme Corp$`,
		`gpt-4o-mini +OpenAI +CHAT +11 +8 +0 +0 +\S+ +- +END +Acme Corp$`,
		`gpt-4o-mini +OpenAI +CHAT +0 +0 +- +- +\S+ +\d\S* +CANCELLED +Acme Corp$`,
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows, want %d:\n%s", len(rows), len(want), text)
	}
	for i := range rows {
		if !regexp.MustCompile(want[i]).MatchString(rows[i]) {
			t.Errorf("row %d is\n%s\nwant\n%s", i+1, rows[i], want[i])
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestLive points -live at stand-ins, found through the environment alone.
func TestLive(t *testing.T) {
	clearForTest(t)
	llm := llmtest.Start(t, llmtest.WithLiteLLM(llmtest.LiteLLM{}), llmtest.WithAPIKeys("sk-test-live"),
		llmtest.WithAnswer(llmtest.Answer{Stream: llmtest.Stream{Delay: 20 * time.Millisecond}}))
	metering := reveniumtest.Start(t, reveniumtest.WithAPIKeys("rev_mk_test_live"))
	t.Setenv("REVENIUM_METERING_API_KEY", "rev_mk_test_live")
	t.Setenv("REVENIUM_METERING_BASE_URL", metering.URL())
	t.Setenv("LITELLM_PROXY_URL", llm.URL())
	t.Setenv("LITELLM_API_KEY", "sk-test-live")

	var out bytes.Buffer
	if err := run(t.Context(), &out, []string{"-live"}); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	if got := len(metering.Completions()); got != 4 {
		t.Errorf("%d records, want 4: all calls but the scripted 429\n%s", got, &out)
	}
	if rows := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d\.\d{3} `).FindAllString(out.String(), -1); len(rows) != 4 {
		t.Errorf("%d rows of accepted records, want 4\n%s", len(rows), &out)
	}
	for _, secret := range []string{"rev_mk_test_live", "sk-test-live"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the output shows the key %q", secret)
		}
	}
}

func TestLiveNeedsSettings(t *testing.T) {
	clearForTest(t)
	provider := otel.GetTracerProvider()
	t.Setenv("LITELLM_API_KEY", "sk-test-live")
	err := run(t.Context(), &bytes.Buffer{}, []string{"-live"})
	if err == nil || !strings.Contains(err.Error(), "REVENIUM_METERING_API_KEY, LITELLM_PROXY_URL") {
		t.Errorf("got error %v, want one that names what is missing", err)
	}
	if otel.GetTracerProvider() != provider {
		t.Error("a start that failed left a tracer provider behind")
	}
}

func TestArguments(t *testing.T) {
	clearForTest(t)
	if err := run(t.Context(), &bytes.Buffer{}, []string{"live"}); err == nil || !strings.Contains(err.Error(), `unexpected argument "live"`) {
		t.Errorf("got error %v, want one that names the argument", err)
	}
}
