// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumanthropic_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumanthropic"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

// newClient is a client of the meter's provider that reads no environment.
func newClient(m *metertest.Meter, opts ...option.RequestOption) anthropic.Client {
	return anthropic.NewClient(append([]option.RequestOption{
		option.WithoutEnvironmentDefaults(),
		option.WithBaseURL(m.LLM.URL()), option.WithAPIKey("sk-ant-test-no-real-key"), option.WithHTTPClient(m.LLM.Client()),
	}, opts...)...)
}

func metering(m *metertest.Meter) option.RequestOption {
	return reveniumanthropic.WithMetering(llmhttp.WithTracerProvider(m.Provider))
}

func question() anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model: "claude-opus-4-20250514", MaxTokens: 100,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("And now?"))},
	}
}

func answer() llmtest.Answer {
	return llmtest.Answer{Text: "It rains.", Reasoning: "Clouds.", Usage: &llmtest.Usage{
		PromptTokens: 1200, CachedTokens: 1000, CacheWriteTokens: 100, CacheWrite1hTokens: 40, CompletionTokens: 50, ReasoningTokens: 20,
	}}
}

// facts are those of that answer. To Revenium, Anthropic's input is what came beside the cache.
func facts() metertest.Facts {
	return metertest.Facts{
		"model": "claude-opus-4-20250514", "provider": "Anthropic", "modelSource": "DIRECT", "operationType": "CHAT", "costType": "AI",
		"isStreamed": "false", "stopReason": "END", "inputTokenCount": "100", "cacheReadTokenCount": "1000",
		"cacheCreationTokenCount": "100", "cacheCreation5mTokenCount": "60", "cacheCreation1hTokenCount": "40",
		"outputTokenCount": "50", "reasoningTokenCount": "20", "totalTokenCount": "1250", "actualServiceTier": "standard",
	}
}

func failedFacts(code string) metertest.Facts {
	return facts().With("cacheReadTokenCount", "", "cacheCreationTokenCount", "", "cacheCreation5mTokenCount", "",
		"cacheCreation1hTokenCount", "", "reasoningTokenCount", "", "actualServiceTier", "",
		"inputTokenCount", "0", "outputTokenCount", "0", "totalTokenCount", "0", "stopReason", "ERROR", "errorCode", code)
}

func TestMessages(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(m, metering(m))
	m.LLM.Enqueue(answer())
	got, err := client.Messages.New(t.Context(), question())
	if err != nil || got.Content[1].Text != "It rains." || got.Usage.CacheCreation.Ephemeral1hInputTokens != 40 {
		t.Fatalf("%+v, %v", got, err)
	}
	m.Want(facts())
}

func TestStream(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(m, metering(m))
	m.LLM.Enqueue(answer())
	stream := client.Messages.NewStreaming(t.Context(), question())
	var message anthropic.Message
	for stream.Next() {
		if err := message.Accumulate(stream.Current()); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(stream.Err(), stream.Close()); err != nil || message.Content[1].Text != "It rains." || message.Usage.OutputTokens != 50 {
		t.Fatalf("%+v, %v", message, err)
	}
	m.Want(facts().With("isStreamed", "true"))
}

// A stream that is left has told its input exactly, and of its output a lower bound.
func TestCancelledStream(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(m, metering(m))
	a := answer()
	a.Stream = llmtest.Stream{End: llmtest.EndHang, After: 4}
	m.LLM.Enqueue(a)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream := client.Messages.NewStreaming(ctx, question())
	for range 3 { // the fourth is a ping
		if !stream.Next() {
			t.Fatal(stream.Err())
		}
	}
	cancel()
	if stream.Next() || !errors.Is(stream.Err(), context.Canceled) {
		t.Errorf("error: %v", stream.Err())
	}
	_ = stream.Close()
	records := m.Records()
	if len(records) != 1 {
		t.Fatalf("records: %v", records)
	}
	r := records[0]
	if r.Text("stopReason") != "CANCELLED" || r.Text("inputTokenCount") != "100" || r.Text("cacheReadTokenCount") != "1000" || r.Text("outputTokenCount") != "1" {
		t.Errorf("record: %v", metertest.FactsOf(r))
	}
}

func TestRetries(t *testing.T) {
	m := metertest.Start(t, exporter.WithErrorRecords(convert.ErrorPolicyAll))
	client := newClient(m, metering(m))
	overloaded, limited := llmtest.Fail(llmtest.StatusOverloaded), llmtest.Fail(http.StatusTooManyRequests)
	overloaded.RetryAfterMs, limited.RetryAfterMs = 1e6, 1e6
	m.LLM.Enqueue(overloaded, limited, answer())
	if _, err := client.Messages.New(t.Context(), question()); err != nil {
		t.Fatal(err)
	}
	m.Want(failedFacts("529"), failedFacts("429").With("retryNumber", "1"), facts().With("retryNumber", "2"))
}

// Counting tokens costs nothing.
func TestCountTokens(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(m, metering(m))
	got, err := client.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{
		Model: question().Model, Messages: question().Messages,
	})
	if err != nil || got.InputTokens != 9 {
		t.Fatalf("%+v, %v", got, err)
	}
	m.Want()
}
