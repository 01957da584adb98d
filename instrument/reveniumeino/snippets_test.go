// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumeino_test

import (
	"context"
	"testing"

	"github.com/cloudwego/eino-ext/components/model/openai"
	"github.com/cloudwego/eino/callbacks"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/revenium/revenium-otel-go/instrument/reveniumeino"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

// What follows is the code of docs/adapters.md, word for word.

func snippet(ctx context.Context, key, baseURL string) (*openai.ChatModel, error) {
	model, err := openai.NewChatModel(ctx, &openai.ChatModelConfig{
		Model:      "gpt-4o",
		APIKey:     key,
		BaseURL:    baseURL,
		HTTPClient: reveniumeino.Client(nil),
	})
	return model, err
}

func handlerSnippet() {
	callbacks.AppendGlobalHandlers(reveniumeino.Handler())
}

func TestSnippets(t *testing.T) {
	m := metertest.Start(t)
	otel.SetTracerProvider(m.Provider)
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })
	handlerSnippet()
	model, err := snippet(t.Context(), "no-real-key", m.LLM.BaseURL())
	if err != nil {
		t.Fatal(err)
	}
	m.LLM.Enqueue(answer())
	if _, err := model.Generate(t.Context(), question()); err != nil {
		t.Fatal(err)
	}
	m.Want(facts())
}
