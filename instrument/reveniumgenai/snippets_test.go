// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumgenai_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/genai"

	"github.com/revenium/revenium-otel-go/instrument/reveniumgenai"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

// What follows is the code of docs/adapters.md, word for word.

func snippet(ctx context.Context, key string) (*genai.Client, error) {
	client, err := reveniumgenai.NewClient(ctx, &genai.ClientConfig{APIKey: key})
	return client, err
}

func TestSnippet(t *testing.T) {
	m := metertest.Start(t)
	otel.SetTracerProvider(m.Provider)
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })
	t.Setenv("GOOGLE_GEMINI_BASE_URL", m.LLM.URL())
	t.Setenv("GOOGLE_GENAI_USE_VERTEXAI", "")
	client, err := snippet(t.Context(), "no-real-key")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.ClientConfig().HTTPClient.CloseIdleConnections)
	m.LLM.Enqueue(answer())
	if _, err := client.Models.GenerateContent(t.Context(), model, genai.Text("And now?"), nil); err != nil {
		t.Fatal(err)
	}
	m.Want(facts())
}
