// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// BenchmarkOnEnd is what the end of a span costs the goroutine that ends it:
// conversion, freezing and enqueueing. The service hangs, so that the senders do
// not take part; the queue has room for all.
func BenchmarkOnEnd(b *testing.B) {
	for _, bench := range []struct {
		name string
		span func(uint64) sdktrace.ReadOnlySpan
	}{
		{"chat", chatSpan},
		{"other", httpSpan},
	} {
		b.Run(bench.name, func(b *testing.B) {
			revenium := hangingRevenium(b)
			processor := newProcessor(b, revenium.URL(), exporter.WithQueueSize(1<<30), exporter.WithQueueBytes(1<<40))
			// Enough different spans that none repeats within the converter's
			// memory of recent ones; made before the clock starts.
			const batch = 1 << 14
			spans := make([]sdktrace.ReadOnlySpan, batch)
			refill := func(from uint64) {
				for i := range spans {
					spans[i] = bench.span(from + uint64(i))
				}
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if n%batch == 0 {
					b.StopTimer()
					refill(uint64(n))
					b.StartTimer()
				}
				processor.OnEnd(spans[n%batch])
				n++
			}
			b.StopTimer()
			if got := processor.Report().Billed; bench.name == "chat" && got != int64(n) {
				b.Fatalf("%d of %d spans were billed: %v", got, n, processor.Report())
			}
			abandon(processor)
		})
	}
}

// hangingRevenium accepts requests and does not answer them.
func hangingRevenium(b *testing.B) *reveniumtest.Server {
	b.Helper()
	server := reveniumtest.Start(b, reveniumtest.WithRecordLimit(0))
	server.Hang()
	return server
}

// abandon stops the processor at once: what is queued is of no interest.
func abandon(processor *exporter.Processor) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = processor.Shutdown(ctx) // reports the queued records as lost, as it must
}
