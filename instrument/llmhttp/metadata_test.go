// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"io"
	"net/http"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/instrument"
)

// The metadata of the request's context is on the span, where the request's
// attributes do not say otherwise, and stays in the process.
func TestMetadataOfContext(t *testing.T) {
	var sent http.Header
	h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Clone()
		answering(http.StatusOK, "application/json", chatAnswer)(w, r)
	}, WithRequestAttributes(func(*http.Request) []attribute.KeyValue {
		return []attribute.KeyValue{attribute.String("revenium.task.type", "by request"), attribute.String("revenium.product.name", "")}
	}))
	ctx := instrument.WithMetadata(t.Context(), instrument.Metadata{
		Organization: "Acme", Product: "assistant", TaskType: "by context", Subscriber: instrument.Subscriber{ID: "user-4711"},
	})
	resp, err := h.client.Do(h.request(ctx, chatURL, chatBody))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	h.only().want(t, map[string]any{
		"revenium.organization.name": "Acme", "revenium.product.name": "assistant", "revenium.subscriber.id": "user-4711",
		"revenium.task.type": "by request", "gen_ai.usage.output_tokens": int64(5),
	})
	for name, values := range sent {
		for _, value := range values {
			if value == "Acme" || value == "user-4711" {
				t.Errorf("the provider is told %s: %s", name, value)
			}
		}
	}
}

// A client whose calls cannot be given options takes them from the context. Each
// attempt has an id of its own.
func TestCallOptionsOfContext(t *testing.T) {
	h := newHarness(t, answering(http.StatusOK, "application/json", chatAnswer))
	ctx := instrument.WithCallOptions(t.Context(),
		instrument.Metadata{TaskType: "summarize"}, instrument.WithTransactionID("t-1"), instrument.WithParentTransactionID("p-1"))
	for range 2 {
		resp, err := h.client.Do(h.request(ctx, chatURL, chatBody))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	h.spans.wait(t, 2)
	for i, id := range []string{"t-1", "t-1-2"} {
		h.all()[i].want(t, map[string]any{
			"revenium.task.type": "summarize", "revenium.transaction.id": id, "revenium.parent_transaction.id": "p-1", "gen_ai.usage.output_tokens": int64(5),
		})
	}
}
