// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumopenai_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/azure"
	"github.com/openai/openai-go/v3/option"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumopenai"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

// newClient is a client of the meter's provider.
func newClient(m *metertest.Meter, opts ...option.RequestOption) openai.Client {
	return openai.NewClient(append([]option.RequestOption{
		option.WithBaseURL(m.LLM.BaseURL()), option.WithAPIKey("sk-test-no-real-key"),
		option.WithHTTPClient(m.LLM.Client()), option.WithMaxRetryDelay(time.Millisecond),
	}, opts...)...)
}

func metering(m *metertest.Meter) option.RequestOption {
	return reveniumopenai.WithMetering(llmhttp.WithTracerProvider(m.Provider), llmhttp.WithStreamUsageHosts(m.LLM.URL()))
}

func question() openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model: "gpt-4o", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("And now?")},
	}
}

func answer() llmtest.Answer {
	return llmtest.Answer{
		Text: "It rains.", Model: "gpt-4o-2024-08-06",
		Usage: &llmtest.Usage{PromptTokens: 1200, CachedTokens: 1024, CompletionTokens: 50, ReasoningTokens: 20},
	}
}

// facts are those of that answer.
func facts() metertest.Facts {
	return metertest.Facts{
		"model": "gpt-4o-2024-08-06", "provider": "OpenAI", "modelSource": "DIRECT", "operationType": "CHAT", "costType": "AI",
		"isStreamed": "false", "stopReason": "END", "actualServiceTier": "default", "inputTokenCount": "1200",
		"cacheReadTokenCount": "1024", "outputTokenCount": "50", "reasoningTokenCount": "20", "totalTokenCount": "1250",
	}
}

// failedFacts are those of a call that never got so far.
func failedFacts(stop, code string) metertest.Facts {
	return facts().With("model", "gpt-4o", "actualServiceTier", "", "cacheReadTokenCount", "", "reasoningTokenCount", "",
		"inputTokenCount", "0", "outputTokenCount", "0", "totalTokenCount", "0", "stopReason", stop, "errorCode", code)
}

func TestChat(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(m, metering(m))
	m.LLM.Enqueue(answer())
	got, err := client.Chat.Completions.New(t.Context(), question())
	if err != nil || got.Choices[0].Message.Content != "It rains." {
		t.Fatalf("%v, %v", got, err)
	}
	m.Want(facts())
}

// A caller who does not ask for usage sees none, nor the chunk that brings it.
func TestStream(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(m, metering(m))
	m.LLM.Enqueue(answer())
	stream := client.Chat.Completions.NewStreaming(t.Context(), question())
	text := ""
	for stream.Next() {
		text += stream.Current().Choices[0].Delta.Content
	}
	if err := errors.Join(stream.Err(), stream.Close()); err != nil || text != "It rains." {
		t.Fatalf("%q, %v", text, err)
	}
	m.Want(facts().With("isStreamed", "true"))
}

// Nobody knows what a stream of OpenAI's took that was left before its end.
func TestCancelledStream(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(m, metering(m))
	a := answer()
	a.Stream = llmtest.Stream{End: llmtest.EndHang, After: 2}
	m.LLM.Enqueue(a)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream := client.Chat.Completions.NewStreaming(ctx, question())
	for range 2 {
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
	if len(records) != 1 || records[0].Text("stopReason") != "CANCELLED" || records[0].Text("totalTokenCount") != "0" || records[0].Text("isStreamed") != "true" {
		t.Errorf("records: %v", records)
	}
}

// Each attempt of the client is a call, of which only the last bills.
func TestRetries(t *testing.T) {
	for policy, want := range map[convert.ErrorPolicy][]metertest.Facts{
		convert.ErrorPolicyAll: {
			failedFacts("ERROR", "429"), failedFacts("ERROR", "503").With("retryNumber", "1"), facts().With("retryNumber", "2"),
		},
		convert.ErrorPolicyNone: {facts().With("retryNumber", "2")},
	} {
		m := metertest.Start(t, exporter.WithErrorRecords(policy))
		client := newClient(m, metering(m))
		m.LLM.Enqueue(llmtest.Fail(http.StatusTooManyRequests), llmtest.Fail(http.StatusServiceUnavailable), answer())
		if _, err := client.Chat.Completions.New(t.Context(), question()); err != nil {
			t.Fatal(err)
		}
		m.Want(want...)
	}
}

func TestEmbeddings(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(m, metering(m))
	_, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
		Model: "text-embedding-3-small", Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("a sentence")},
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Want(metertest.Facts{
		"model": "text-embedding-3-small", "provider": "OpenAI", "modelSource": "DIRECT", "operationType": "EMBED", "costType": "AI",
		"isStreamed": "false", "stopReason": "END", "inputTokenCount": "3", "outputTokenCount": "0", "totalTokenCount": "3",
	})
}

// However often a call is metered, it is billed once; and a call may be metered by itself.
func TestOnce(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(m, metering(m), option.WithHTTPClient(llmhttp.Client(m.LLM.Client(), llmhttp.WithTracerProvider(m.Provider))))
	m.LLM.Enqueue(answer(), answer(), answer())
	if _, err := client.Chat.Completions.New(t.Context(), question(), metering(m)); err != nil {
		t.Fatal(err)
	}
	plain := newClient(m)
	for _, opts := range [][]option.RequestOption{nil, {metering(m)}} {
		if _, err := plain.Chat.Completions.New(t.Context(), question(), opts...); err != nil {
			t.Fatal(err)
		}
	}
	m.Want(facts(), facts())
}

// Package azure rewrites paths, checks where keys go, and on loopback replaces the HTTP client. The model that
// answered is not the deployment that was asked.
func TestAzure(t *testing.T) {
	for _, first := range []bool{true, false} {
		m := metertest.Start(t)
		host := m.LLM.URL()
		opts := []option.RequestOption{
			azure.WithEndpoint(host, "2024-10-21"), azure.WithUnsafeAllowHTTP(), azure.WithAPIKey("no-real-key"),
			option.WithMaxRetries(0),
		}
		metered := reveniumopenai.WithMetering(
			llmhttp.WithTracerProvider(m.Provider), llmhttp.WithProviderHosts(map[string]string{host: "azure.ai.openai"}),
			llmhttp.WithStreamUsageHosts(host),
		)
		if first {
			opts = append([]option.RequestOption{metered}, opts...)
		} else {
			opts = append(opts, metered)
		}
		client := openai.NewClient(opts...)
		m.LLM.Enqueue(answer(), answer())
		asked := question()
		asked.Model = "our-deployment"
		if _, err := client.Chat.Completions.New(t.Context(), asked); err != nil {
			t.Fatal(err)
		}
		stream := client.Chat.Completions.NewStreaming(t.Context(), asked)
		for stream.Next() {
		}
		if err := errors.Join(stream.Err(), stream.Close()); err != nil {
			t.Fatal(err)
		}
		for _, r := range m.LLM.Requests() {
			if r.Path != "/openai/deployments/our-deployment/chat/completions" || r.Header.Get("Api-Key") != "no-real-key" {
				t.Errorf("metering first: %t: %s %v", first, r.Path, r.Header)
			}
		}
		azures := facts().With("provider", "Azure", "modelSource", "AZURE_OPENAI")
		m.Want(azures, azures.With("isStreamed", "true"))
	}
}
