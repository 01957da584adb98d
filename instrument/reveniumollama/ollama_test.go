// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumollama_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/ollama/ollama/api"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumollama"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

func newClient(t *testing.T, m *metertest.Meter) *api.Client {
	t.Helper()
	base, err := url.Parse(m.LLM.URL())
	if err != nil {
		t.Fatal(err)
	}
	return reveniumollama.NewClient(base, m.LLM.Client(), llmhttp.WithTracerProvider(m.Provider))
}

func question() *api.ChatRequest {
	return &api.ChatRequest{Model: "llama3.2", Messages: []api.Message{{Role: "user", Content: "And now?"}}}
}

func answer() llmtest.Answer {
	return llmtest.Answer{Text: "It rains.", Usage: &llmtest.Usage{PromptTokens: 12, CompletionTokens: 3}}
}

// facts are those of that answer.
func facts() metertest.Facts {
	return metertest.Facts{
		"model": "llama3.2", "provider": "Ollama", "modelSource": "DIRECT", "operationType": "CHAT", "costType": "AI", "isStreamed": "true",
		"stopReason": "END", "inputTokenCount": "12", "outputTokenCount": "3", "totalTokenCount": "15",
	}
}

// An answer is streamed unless the request says no.
func TestChat(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(t, m)
	m.LLM.Enqueue(answer(), answer())
	plain := question()
	plain.Stream = new(bool)
	for _, asked := range []*api.ChatRequest{question(), plain} {
		text := ""
		var last api.ChatResponse
		err := client.Chat(t.Context(), asked, func(r api.ChatResponse) error {
			text += r.Message.Content
			last = r
			return nil
		})
		if err != nil || text != "It rains." || last.PromptEvalCount != 12 {
			t.Fatalf("%q, %+v, %v", text, last, err)
		}
	}
	m.Want(facts(), facts().With("isStreamed", "false"))
}

func TestGenerate(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(t, m)
	m.LLM.Enqueue(answer())
	text := ""
	err := client.Generate(t.Context(), &api.GenerateRequest{Model: "llama3.2", Prompt: "And now?"}, func(r api.GenerateResponse) error {
		text += r.Response
		return nil
	})
	if err != nil || text != "It rains." {
		t.Fatalf("%q, %v", text, err)
	}
	records := m.Records()
	if len(records) != 1 || records[0].Text("totalTokenCount") != "15" || records[0].Text("model") != "llama3.2" {
		t.Errorf("records: %v", records)
	}
}

func TestEmbed(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(t, m)
	got, err := client.Embed(t.Context(), &api.EmbedRequest{Model: "all-minilm", Input: []string{"a sentence", "another"}})
	if err != nil || len(got.Embeddings) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	m.Want(facts().With("model", "all-minilm", "operationType", "EMBED", "isStreamed", "false", "inputTokenCount", "5", "outputTokenCount", "0", "totalTokenCount", "5"))
}

// Whoever has read enough says so with an error; whoever stops waiting cancels.
func TestStreamIsLeft(t *testing.T) {
	enough := errors.New("enough")
	for _, cancels := range []bool{false, true} {
		m := metertest.Start(t)
		client := newClient(t, m)
		a := answer()
		a.Stream = llmtest.Stream{End: llmtest.EndHang, After: 1}
		m.LLM.Enqueue(a)
		ctx, cancel := context.WithCancel(t.Context())
		err := client.Chat(ctx, question(), func(api.ChatResponse) error {
			if cancels {
				cancel()
				return nil
			}
			return enough
		})
		cancel()
		if !cancels && !errors.Is(err, enough) { // of a cancelled context the client says nothing
			t.Errorf("error: %v", err)
		}
		records := m.Records()
		if len(records) != 1 || records[0].Text("stopReason") != "CANCELLED" || records[0].Text("totalTokenCount") != "0" {
			t.Errorf("cancels: %t: records: %v", cancels, records)
		}
	}
}

// An error in the middle of a stream, and one instead of it.
func TestFailures(t *testing.T) {
	for name, a := range map[string]llmtest.Answer{
		"in the stream": {Text: "It rains.", Stream: llmtest.Stream{End: llmtest.EndError, After: 1}},
		"instead":       llmtest.Fail(http.StatusNotFound),
	} {
		m := metertest.Start(t)
		m.LLM.Enqueue(a)
		if err := newClient(t, m).Chat(t.Context(), question(), func(api.ChatResponse) error { return nil }); err == nil {
			t.Errorf("%s: no error", name)
		}
		if records := m.Records(); len(records) != 1 || records[0].Text("stopReason") != "ERROR" || records[0].Text("totalTokenCount") != "0" {
			t.Errorf("%s: records: %v", name, records)
		}
	}
}
