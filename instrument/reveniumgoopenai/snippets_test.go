// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumgoopenai_test

import (
	"testing"

	"github.com/sashabaranov/go-openai"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/revenium/revenium-otel-go/instrument/reveniumgoopenai"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

// What follows is the code of docs/adapters.md, word for word.

func snippet(key, baseURL string) *openai.Client {
	config := openai.DefaultConfig(key)
	config.BaseURL = baseURL // only if it is not OpenAI's
	client := openai.NewClientWithConfig(reveniumgoopenai.WithMetering(config))
	return client
}

func TestSnippet(t *testing.T) {
	m := metertest.Start(t)
	otel.SetTracerProvider(m.Provider)
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })
	m.LLM.Enqueue(answer())
	if _, err := snippet("sk-test-no-real-key", m.LLM.BaseURL()).CreateChatCompletion(t.Context(), question()); err != nil {
		t.Fatal(err)
	}
	m.Want(facts())
}
