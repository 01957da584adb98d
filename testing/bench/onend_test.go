// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/spool"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// BenchmarkOnEnd is what the end of a span costs all in all, conversion, freezing
// and enqueueing, in one goroutine: the processor is told to block when its queue
// is full, so that nothing is left to another goroutine. The service hangs, so that
// the senders do not take part; what they would take out of the queue is taken out
// while the clock stands.
func BenchmarkOnEnd(b *testing.B) {
	for _, bench := range []struct {
		name  string
		span  sdktrace.ReadOnlySpan
		batch int // how many are ended until the queue is emptied
		calls int // how many are remembered
	}{
		// A call a second is remembered for the hour that is the default, and nine a
		// second are the most of which all are.
		{"chat", chatSpan(0), 1 << 10, 3600},
		{"chat-full", chatSpan(0), 1 << 10, 32768},
		{"other", httpSpan(0), 1 << 20, 32768},
	} {
		b.Run(bench.name, func(b *testing.B) {
			revenium := hangingRevenium(b)
			queue := spool.NewMemory(spool.WithMaxEntries(1<<30), spool.WithMaxBytes(1<<40))
			processor := newProcessor(b, revenium.URL(), exporter.WithQueue(queue), exporter.WithBlockOnOverflow(time.Minute),
				exporter.WithConvertOptions(convert.WithRecent(bench.calls, time.Hour)))
			// One span under ever new names: none repeats within the converter's
			// memory of recent ones, and the attributes are where those of a span
			// that has just been made are, in the processor's cache.
			span := newRenamedSpan(bench.span)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if n%bench.batch == 0 {
					b.StopTimer()
					empty(b, queue)
					b.StartTimer()
				}
				span.rename(n)
				processor.OnEnd(span)
				n++
			}
			b.StopTimer()
			if got := processor.Report().Billed; bench.name != "other" && got != int64(n) {
				b.Fatalf("%d of %d spans were billed: %v", got, n, processor.Report())
			}
			abandon(processor)
		})
	}
}

// BenchmarkEnding is what the end of the span of a call costs the goroutine that
// ends it: it leaves the span to the processor's goroutine, which is given the time
// to decide about it while the clock stands. That one has to be woken for a call that
// comes a while after the one before.
func BenchmarkEnding(b *testing.B) {
	for _, bench := range []struct {
		name  string
		apart time.Duration
	}{{"quick", 200 * time.Microsecond}, {"apart", 10 * time.Millisecond}} {
		b.Run(bench.name, func(b *testing.B) {
			revenium := hangingRevenium(b)
			queue := spool.NewMemory(spool.WithMaxEntries(1<<30), spool.WithMaxBytes(1<<40))
			processor := newProcessor(b, revenium.URL(), exporter.WithQueue(queue))
			span := newRenamedSpan(chatSpan(0))
			took := make([]time.Duration, 0, 1<<20)
			for n := 0; b.Loop(); n++ {
				span.rename(n)
				start := time.Now()
				processor.OnEnd(span)
				took = append(took, time.Since(start))
				time.Sleep(bench.apart)
				// It also decides about what waits.
				if got := processor.Report().Billed; got != int64(n)+1 {
					b.Fatalf("%d of %d spans were billed", got, n+1)
				}
				empty(b, queue)
			}
			b.ReportMetric(0, "ns/op") // of the whole round, which nobody wants to know
			b.ReportMetric(float64(quantile(took, 0.5)), "ns-p50")
			b.ReportMetric(float64(quantile(took, 0.99)), "ns-p99")
			abandon(processor)
		})
	}
}

// renamedSpan is a span with ids of its own.
type renamedSpan struct {
	sdktrace.ReadOnlySpan
	context    trace.SpanContext
	attributes []attribute.KeyValue
	responseID *attribute.Value
	input      *attribute.Value
	output     *attribute.Value
	ids        []attribute.Value
}

func newRenamedSpan(span sdktrace.ReadOnlySpan) *renamedSpan {
	s := &renamedSpan{ReadOnlySpan: span, attributes: slices.Clone(span.Attributes())}
	for i := range s.attributes {
		switch s.attributes[i].Key {
		case "gen_ai.response.id":
			s.responseID = &s.attributes[i].Value
		case "gen_ai.usage.input_tokens":
			s.input = &s.attributes[i].Value
		case "gen_ai.usage.output_tokens":
			s.output = &s.attributes[i].Value
		}
	}
	// More than the converter remembers calls.
	for i := range 1 << 16 {
		s.ids = append(s.ids, attribute.StringValue(fmt.Sprintf("chatcmpl-C4HqHBe4xca0k0EzsCnf%06d", i)))
	}
	return s
}

// rename makes the span another one.
func (s *renamedSpan) rename(n int) {
	s.context = spanContext(uint64(n))
	if s.responseID != nil {
		*s.responseID = s.ids[n%len(s.ids)]
		// Two calls seldom have the same counts.
		*s.input = attribute.IntValue(1200 + n%4001)
		*s.output = attribute.IntValue(100 + n%373)
	}
}

// Attributes implements sdktrace.ReadOnlySpan.
func (s *renamedSpan) Attributes() []attribute.KeyValue { return s.attributes }

// SpanContext implements sdktrace.ReadOnlySpan.
func (s *renamedSpan) SpanContext() trace.SpanContext { return s.context }

// empty takes everything out of the queue that no sender has, as delivery would:
// what is measured is a queue that is kept up with, and not the operating system
// handing out ever more memory.
func empty(b *testing.B, queue spool.Queue) {
	b.Helper()
	now := time.Now()
	for {
		entry, ok, err := queue.Take(now)
		if err != nil {
			b.Fatal(err)
		}
		if !ok {
			return
		}
		if err := queue.Ack(entry.ID); err != nil {
			b.Fatal(err)
		}
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
