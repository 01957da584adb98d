// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumopenai_test

import (
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/azure"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/revenium/revenium-otel-go/instrument/reveniumopenai"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

// What follows is the code of docs/adapters.md, word for word.

func snippet() openai.Client {
	client := openai.NewClient(reveniumopenai.WithMetering())
	return client
}

func azureSnippet(endpoint, key string) openai.Client {
	client := openai.NewClient(
		azure.WithEndpoint(endpoint, "2024-10-21"),
		azure.WithAPIKey(key),
		reveniumopenai.WithMetering(),
	)
	return client
}

func TestSnippets(t *testing.T) {
	m := metertest.Start(t)
	otel.SetTracerProvider(m.Provider)
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })
	t.Setenv("OPENAI_BASE_URL", m.LLM.BaseURL())
	t.Setenv("OPENAI_API_KEY", "sk-test-no-real-key")
	m.LLM.Enqueue(answer())
	client := snippet()
	if _, err := client.Chat.Completions.New(t.Context(), question()); err != nil {
		t.Fatal(err)
	}
	// Nobody is there, and keys do not go over plain HTTP: what counts is that it is put together.
	client = azureSnippet("https://127.0.0.1:1", "no-real-key")
	if len(client.Options) == 0 {
		t.Error("no options")
	}
	m.Want(facts())
}
