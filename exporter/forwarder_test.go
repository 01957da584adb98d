// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
)

// spanSink is a span exporter that keeps names and flags of what it gets.
type spanSink struct {
	mu      sync.Mutex
	names   []string
	sampled int
	fail    error
	block   chan struct{}
}

func (s *spanSink) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if s.block != nil {
		select {
		case <-s.block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	for _, span := range spans {
		s.names = append(s.names, span.Name())
		if span.SpanContext().IsSampled() {
			s.sampled++
		}
	}
	return nil
}

func (*spanSink) Shutdown(context.Context) error { return nil }

func (s *spanSink) received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.names))
}

// serve makes the spans of a request with an LLM call beneath a function, and
// those of one without.
func serve(ctx context.Context, tracer trace.Tracer) {
	ctx, request := tracer.Start(ctx, "POST /ask")
	inner, function := tracer.Start(ctx, "answer")
	_, query := tracer.Start(inner, "SELECT")
	query.End()
	_, call := tracer.Start(inner, "chat gpt-4o", trace.WithAttributes(attribute.String("gen_ai.operation.name", "chat")))
	call.End()
	function.End()
	request.End()
	_, health := tracer.Start(context.Background(), "GET /health")
	health.End()
}

// TestForwarder checks that LLM spans and those around them are handed on, as they
// are, whatever is sampled, and nothing else.
func TestForwarder(t *testing.T) {
	want := []string{"POST /ask", "answer", "chat gpt-4o"}
	for name, tc := range map[string]struct {
		base    sdktrace.Sampler
		sampler []exporter.SamplerOption
		want    []string
		sampled int
	}{
		"all sampled": {sdktrace.AlwaysSample(), nil, want, 3},
		"none sampled, all recorded": {
			sdktrace.NeverSample(), []exporter.SamplerOption{exporter.WithRecordAll()}, want, 0,
		},
		// What the sampler cannot recognise is not recorded, the call is.
		"none sampled": {sdktrace.NeverSample(), nil, []string{"chat gpt-4o"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var to spanSink
			f := exporter.NewForwarder(&to)
			serve(t.Context(), newTracer(t, f, sdktrace.WithSampler(exporter.NewSampler(tc.base, tc.sampler...))))
			if err := f.ForceFlush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := to.received(); !slices.Equal(got, tc.want) || to.sampled != tc.sampled {
				t.Errorf("got %v, %d of them sampled; want %v, %d", got, to.sampled, tc.want, tc.sampled)
			}
			if err := f.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if r := f.Report(); r.Taken != int64(len(tc.want)) || r.Exported != r.Taken || r.Failed != 0 {
				t.Errorf("report %+v", r)
			}
		})
	}
}

func TestForwardFilter(t *testing.T) {
	var to spanSink
	f := exporter.NewForwarder(&to, exporter.WithForwardFilter(func(s sdktrace.ReadOnlySpan) bool { return s.Name() == "GET /health" }))
	serve(t.Context(), newTracer(t, f))
	if err := f.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := to.received(); !slices.Contains(got, "GET /health") || slices.Contains(got, "SELECT") {
		t.Errorf("got %v", got)
	}
}

// TestForwarderCountsLosses checks that what is not exported is counted and said.
func TestForwarderCountsLosses(t *testing.T) {
	var log logBuffer
	logger := exporter.WithForwardLogger(slog.New(slog.NewTextHandler(&log, nil)))
	t.Run("failure", func(t *testing.T) {
		f := exporter.NewForwarder(&spanSink{fail: errors.New("unavailable")}, logger)
		serve(t.Context(), newTracer(t, f))
		err := f.Shutdown(t.Context())
		if err == nil || !strings.Contains(err.Error(), "3 of 3 LLM spans were not handed on") {
			t.Errorf("shutdown: %v", err)
		}
		if r := f.Report(); r.Failed != 3 || r.Exported != 0 {
			t.Errorf("report %+v", r)
		}
		if !strings.Contains(log.String(), "unavailable") {
			t.Errorf("log: %s", log.String())
		}
		if err := f.Shutdown(t.Context()); err != nil {
			t.Errorf("second shutdown: %v", err)
		}
	})
	t.Run("full queue", func(t *testing.T) {
		to := &spanSink{block: make(chan struct{})}
		f := exporter.NewForwarder(to, logger, exporter.WithForwardBatch(
			sdktrace.WithMaxQueueSize(10), sdktrace.WithMaxExportBatchSize(5), sdktrace.WithBatchTimeout(time.Millisecond)))
		tracer := newTracer(t, f)
		for range 100 {
			serve(t.Context(), tracer)
		}
		close(to.block)
		if err := f.Shutdown(t.Context()); err == nil {
			t.Error("no error although the queue was full")
		}
		if r := f.Report(); r.Taken != 300 || r.Exported < 10 || r.Exported > 30 || int(r.Exported) != len(to.received()) {
			t.Errorf("report %+v, received %d", r, len(to.received()))
		}
	})
}

// TestForwarderForgetsOpenSpans checks that spans that never end cost no more than
// a bound.
func TestForwarderForgetsOpenSpans(t *testing.T) {
	var to spanSink
	f := exporter.NewForwarder(&to, exporter.WithForwardBatch(sdktrace.WithMaxQueueSize(200_000)))
	tracer := newTracer(t, f)
	before := heap()
	for range 100_000 {
		ctx, _ := tracer.Start(context.Background(), "never ends") //nolint:spancheck // that is the point
		_, call := tracer.Start(ctx, "chat gpt-4o")
		call.End()
	}
	if err := f.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	to.mu.Lock()
	to.names = nil
	to.mu.Unlock()
	if grown := heap() - before; grown > 16<<20 {
		t.Errorf("%d MiB held", grown>>20)
	}
}

func BenchmarkForwarder(b *testing.B) {
	f := exporter.NewForwarder(&spanSink{})
	tracer := newTracer(b, discardEnd{f})
	_, other := tracer.Start(context.Background(), "SELECT", trace.WithAttributes(attribute.String("db.system.name", "postgresql")))
	other.End()
	span := other.(sdktrace.ReadOnlySpan)
	b.ReportAllocs()
	for b.Loop() {
		f.OnEnd(span)
	}
}

// discardEnd is a processor that sees no end.
type discardEnd struct{ sdktrace.SpanProcessor }

func (discardEnd) OnEnd(sdktrace.ReadOnlySpan) {}

// heap is the memory in use after a collection.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
