// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument_test

import (
	"testing"

	"github.com/revenium/revenium-otel-go/instrument"
)

// eight is metadata with eight fields, as many as a service usually sets.
func eight() instrument.Metadata {
	return instrument.Metadata{
		Organization: "Acme Corp", Product: "assistant", Subscription: "sub-1042", Agent: "planner", TaskType: "summarize", TraceID: "ticket-4711",
		Subscriber: instrument.Subscriber{ID: "user-4711", Email: "jo@example.com"},
	}
}

func BenchmarkWithMetadata(b *testing.B) {
	b.ReportAllocs()
	m := eight()
	for b.Loop() {
		_ = instrument.WithMetadata(b.Context(), m)
	}
}
