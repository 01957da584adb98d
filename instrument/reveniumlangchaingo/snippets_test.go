// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumlangchaingo_test

import (
	"context"
	"testing"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/googleai"
	"github.com/tmc/langchaingo/llms/openai"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/revenium/revenium-otel-go/instrument/reveniumlangchaingo"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

// What follows is the code of docs/adapters.md, word for word.

func snippet() (llms.Model, error) {
	llm, err := openai.New(openai.WithHTTPClient(reveniumlangchaingo.Client()))
	return llm, err
}

func googleSnippet(ctx context.Context, key string) (*googleai.GoogleAI, error) {
	llm, err := googleai.New(ctx,
		googleai.WithAPIKey(key),
		googleai.WithRest(),
		googleai.WithHTTPClient(reveniumlangchaingo.ClientWithKey(key)),
	)
	return llm, err
}

// Only compiled: Google's library would begin to connect to Google. TestGenerate runs it with another address.
var _ = googleSnippet

func TestSnippets(t *testing.T) {
	m := metertest.Start(t)
	otel.SetTracerProvider(m.Provider)
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })
	t.Setenv("OPENAI_API_KEY", "no-real-key")
	t.Setenv("OPENAI_BASE_URL", m.LLM.BaseURL())
	t.Setenv("OPENAI_MODEL", "gpt-4o")
	llm, err := snippet()
	if err != nil {
		t.Fatal(err)
	}
	m.LLM.Enqueue(answer())
	if _, err := llms.GenerateFromSinglePrompt(t.Context(), llm, "And now?"); err != nil {
		t.Fatal(err)
	}
	m.Want(facts("openai"))
}
