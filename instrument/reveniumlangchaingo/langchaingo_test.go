// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumlangchaingo_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/anthropic"
	"github.com/tmc/langchaingo/llms/googleai"
	"github.com/tmc/langchaingo/llms/ollama"
	"github.com/tmc/langchaingo/llms/openai"
	"google.golang.org/api/option"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumlangchaingo"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

// providers makes the models of the meter's provider.
func providers(t *testing.T, m *metertest.Meter) map[string]llms.Model {
	t.Helper()
	meter := llmhttp.WithTracerProvider(m.Provider)
	client := reveniumlangchaingo.Client(meter)
	t.Cleanup(client.CloseIdleConnections)

	fail := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	gpt, err := openai.New(openai.WithHTTPClient(client), openai.WithBaseURL(m.LLM.BaseURL()), openai.WithToken("no-real-key"), openai.WithModel("gpt-4o"))
	fail(err)
	claude, err := anthropic.New(anthropic.WithHTTPClient(client), anthropic.WithBaseURL(m.LLM.BaseURL()), anthropic.WithToken("no-real-key"), anthropic.WithModel("claude-opus-4"))
	fail(err)
	llama, err := ollama.New(ollama.WithHTTPClient(client), ollama.WithServerURL(m.LLM.URL()), ollama.WithModel("llama3.2"))
	fail(err)
	gemini, err := googleai.New(t.Context(), googleai.WithAPIKey("no-real-key"), googleai.WithRest(),
		googleai.WithHTTPClient(reveniumlangchaingo.ClientWithKey("no-real-key", meter)),
		func(o *googleai.Options) { o.ClientOptions = append(o.ClientOptions, option.WithEndpoint(m.LLM.URL())) },
		googleai.WithDefaultModel("gemini-2.0-flash"))
	fail(err)
	t.Cleanup(func() { _ = gemini.Close() })
	return map[string]llms.Model{"openai": gpt, "anthropic": claude, "ollama": llama, "googleai": gemini}
}

func answer() llmtest.Answer {
	return llmtest.Answer{Text: "It rains.", Usage: &llmtest.Usage{PromptTokens: 12, CompletionTokens: 3}}
}

// facts are those of that answer, by provider.
func facts(provider string) metertest.Facts {
	f := metertest.Facts{
		"modelSource": "DIRECT", "operationType": "CHAT", "costType": "AI", "isStreamed": "false", "stopReason": "END",
		"inputTokenCount": "12", "outputTokenCount": "3", "totalTokenCount": "15", "temperature": "0",
	}
	switch provider {
	case "openai":
		return f.With("provider", "OpenAI", "model", "gpt-4o", "actualServiceTier", "default", "cacheReadTokenCount", "0", "reasoningTokenCount", "0")
	case "anthropic":
		return f.With("provider", "Anthropic", "model", "claude-opus-4", "actualServiceTier", "standard", "cacheReadTokenCount", "0",
			"cacheCreationTokenCount", "0", "cacheCreation5mTokenCount", "0", "cacheCreation1hTokenCount", "0")
	case "ollama":
		return f.With("provider", "Ollama", "model", "llama3.2", "isStreamed", "true") // always
	}
	return f.With("provider", "Google", "model", "gemini-2.0-flash", "operationType", "GENERATE", "temperature", "0.5")
}

func TestGenerate(t *testing.T) {
	for _, name := range []string{"openai", "anthropic", "ollama", "googleai"} {
		t.Run(name, func(t *testing.T) {
			m := metertest.Start(t)
			m.LLM.Enqueue(answer())
			got, err := llms.GenerateFromSinglePrompt(t.Context(), providers(t, m)[name], "And now?")
			if err != nil || got != "It rains." {
				t.Fatalf("%q, %v", got, err)
			}
			r := m.LLM.Requests()[0]
			if !strings.Contains(r.Header.Get("User-Agent"), "langchaingo") {
				t.Errorf("user agent %q", r.Header.Get("User-Agent"))
			}
			if keys := r.Header.Get("Authorization") + r.Header.Get("X-Api-Key") + r.Query; name != "ollama" && !strings.Contains(keys, "no-real-key") {
				t.Errorf("no key: %s %v", r.Query, r.Header)
			}
			m.Want(facts(name))
		})
	}
}

// Google's library streams a list of JSON, with numbers for words.
func TestStream(t *testing.T) {
	for _, name := range []string{"openai", "anthropic", "ollama", "googleai"} {
		t.Run(name, func(t *testing.T) {
			m := metertest.Start(t)
			m.LLM.Enqueue(answer())
			text := ""
			_, err := llms.GenerateFromSinglePrompt(t.Context(), providers(t, m)[name], "And now?",
				llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
					text += string(chunk)
					return nil
				}))
			if err != nil || text != "It rains." {
				t.Fatalf("%q, %v", text, err)
			}
			m.Want(facts(name).With("isStreamed", "true"))
		})
	}
}

// A stream is left by the function that it is given to.
func TestStreamIsLeft(t *testing.T) {
	enough := errors.New("enough")
	m := metertest.Start(t)
	a := answer()
	a.Stream = llmtest.Stream{End: llmtest.EndHang, After: 4}
	m.LLM.Enqueue(a)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := llms.GenerateFromSinglePrompt(ctx, providers(t, m)["anthropic"], "And now?",
		llms.WithStreamingFunc(func(context.Context, []byte) error {
			cancel()
			return enough
		}))
	if err == nil {
		t.Error("no error")
	}
	records := m.Records()
	if len(records) != 1 || records[0].Text("stopReason") != "CANCELLED" || records[0].Text("inputTokenCount") != "12" {
		t.Errorf("records: %v", records)
	}
}

func TestEmbeddings(t *testing.T) {
	m := metertest.Start(t)
	model, ok := providers(t, m)["openai"].(embeddings.EmbedderClient)
	if !ok {
		t.Fatal("no embeddings")
	}
	embedder, err := embeddings.NewEmbedder(model)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := embedder.EmbedQuery(t.Context(), "a sentence"); err != nil {
		t.Fatal(err)
	}
	records := m.Records()
	if len(records) != 1 || records[0].Text("operationType") != "EMBED" || records[0].Text("inputTokenCount") != "3" {
		t.Errorf("records: %v", records)
	}
}
