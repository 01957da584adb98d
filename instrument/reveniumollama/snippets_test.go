// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumollama_test

import (
	"net/http"
	"testing"

	"github.com/ollama/ollama/api"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/revenium/revenium-otel-go/instrument/reveniumollama"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

// What follows is the code of docs/adapters.md, word for word.

func snippet() (*api.Client, error) {
	client, err := reveniumollama.ClientFromEnvironment() // OLLAMA_HOST
	return client, err
}

func TestSnippet(t *testing.T) {
	m := metertest.Start(t)
	otel.SetTracerProvider(m.Provider)
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	t.Setenv("OLLAMA_HOST", m.LLM.URL())
	client, err := snippet()
	if err != nil {
		t.Fatal(err)
	}
	m.LLM.Enqueue(answer())
	if err := client.Chat(t.Context(), question(), func(api.ChatResponse) error { return nil }); err != nil {
		t.Fatal(err)
	}
	m.Want(facts())
}
