// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metertest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// openSpans is a span processor that knows which spans have not ended.
type openSpans struct {
	mu    sync.Mutex
	names map[trace.SpanID]string
	ended chan struct{} // has a value if one has ended since the last look
}

func newOpenSpans() *openSpans {
	return &openSpans{names: make(map[trace.SpanID]string), ended: make(chan struct{}, 1)}
}

// OnStart implements [sdktrace.SpanProcessor].
func (o *openSpans) OnStart(_ context.Context, s sdktrace.ReadWriteSpan) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.names[s.SpanContext().SpanID()] = s.Name()
}

// OnEnd implements [sdktrace.SpanProcessor].
func (o *openSpans) OnEnd(s sdktrace.ReadOnlySpan) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.names, s.SpanContext().SpanID())
	select {
	case o.ended <- struct{}{}:
	default:
	}
}

// Shutdown implements [sdktrace.SpanProcessor].
func (o *openSpans) Shutdown(context.Context) error { return nil }

// ForceFlush implements [sdktrace.SpanProcessor].
func (o *openSpans) ForceFlush(context.Context) error { return nil }

// wait waits until all spans have ended, and fails the test if ctx ends first.
func (o *openSpans) wait(ctx context.Context, tb testing.TB) {
	tb.Helper()
	for {
		o.mu.Lock()
		open := slices.Collect(maps.Values(o.names))
		o.mu.Unlock()
		if len(open) == 0 {
			return
		}
		select {
		case <-o.ended:
		case <-ctx.Done():
			tb.Errorf("metertest: spans that never ended: %q", open)
			return
		}
	}
}
