// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumgoopenai_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/sashabaranov/go-openai"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumgoopenai"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

func newClient(m *metertest.Meter, config openai.ClientConfig, opts ...llmhttp.Option) *openai.Client {
	config.HTTPClient = m.LLM.Client()
	return openai.NewClientWithConfig(reveniumgoopenai.WithMetering(config, append([]llmhttp.Option{
		llmhttp.WithTracerProvider(m.Provider), llmhttp.WithStreamUsageHosts(m.LLM.URL()),
	}, opts...)...))
}

func defaultConfig(m *metertest.Meter) openai.ClientConfig {
	config := openai.DefaultConfig("sk-test-no-real-key")
	config.BaseURL = m.LLM.BaseURL()
	return config
}

func question() openai.ChatCompletionRequest {
	return openai.ChatCompletionRequest{
		Model: "gpt-4o", Messages: []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: "And now?"}},
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

func TestChat(t *testing.T) {
	m := metertest.Start(t)
	m.LLM.Enqueue(answer())
	got, err := newClient(m, defaultConfig(m)).CreateChatCompletion(t.Context(), question())
	if err != nil || got.Choices[0].Message.Content != "It rains." {
		t.Fatalf("%v, %v", got, err)
	}
	m.Want(facts())
}

// The client leaves a stream at its last event. Callers often never close it.
func TestStream(t *testing.T) {
	m := metertest.Start(t)
	m.LLM.Enqueue(answer())
	stream, err := newClient(m, defaultConfig(m)).CreateChatCompletionStream(t.Context(), question())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	text := ""
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text += chunk.Choices[0].Delta.Content // there is no chunk without choices
	}
	if text != "It rains." {
		t.Errorf("text %q", text)
	}
	m.Want(facts().With("isStreamed", "true"))
}

func TestCancelledStream(t *testing.T) {
	m := metertest.Start(t)
	a := answer()
	a.Stream = llmtest.Stream{End: llmtest.EndHang, After: 2}
	m.LLM.Enqueue(a)
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := newClient(m, defaultConfig(m)).CreateChatCompletionStream(ctx, question())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	cancel()
	for err == nil {
		_, err = stream.Recv()
	}
	records := m.Records()
	if len(records) != 1 || records[0].Text("stopReason") != "CANCELLED" || records[0].Text("totalTokenCount") != "0" {
		t.Errorf("records: %v", records)
	}
}

func TestFailure(t *testing.T) {
	m := metertest.Start(t)
	m.LLM.Enqueue(llmtest.Fail(http.StatusTooManyRequests))
	var failure *openai.APIError
	if _, err := newClient(m, defaultConfig(m)).CreateChatCompletion(t.Context(), question()); !errors.As(err, &failure) {
		t.Errorf("error: %v", err)
	}
	m.Want(facts().With("model", "gpt-4o", "actualServiceTier", "", "cacheReadTokenCount", "", "reasoningTokenCount", "",
		"inputTokenCount", "0", "outputTokenCount", "0", "totalTokenCount", "0", "stopReason", "ERROR", "errorCode", "429"))
}

func TestAzure(t *testing.T) {
	m := metertest.Start(t)
	m.LLM.Enqueue(answer())
	client := newClient(m, openai.DefaultAzureConfig("no-real-key", m.LLM.URL()),
		llmhttp.WithProviderHosts(map[string]string{m.LLM.URL(): "azure.ai.openai"}))
	if _, err := client.CreateChatCompletion(t.Context(), question()); err != nil {
		t.Fatal(err)
	}
	if r := m.LLM.Requests()[0]; r.Path != "/openai/deployments/gpt-4o/chat/completions" {
		t.Errorf("path %s", r.Path)
	}
	m.Want(facts().With("provider", "Azure", "modelSource", "AZURE_OPENAI"))
}
