// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Exporter is a conventional span exporter, for [sdktrace.WithBatcher].
//
// A [Processor] is the better choice where one can be registered: a batch
// processor skips spans that are not sampled, drops spans when its own queue is
// full without telling anybody, and cannot flush an exporter. Use the exporter
// with a sampler that samples all LLM calls, and call its ForceFlush after the
// provider's.
type Exporter struct {
	engine *engine
}

var _ sdktrace.SpanExporter = (*Exporter)(nil)

// New returns an exporter that sends to Revenium. It takes the same options, and
// fails for the same reasons, as [NewProcessor].
func New(opts ...Option) (*Exporter, error) {
	e, err := newEngine(opts)
	if err != nil {
		return nil, err
	}
	return &Exporter{engine: e}, nil
}

// ExportSpans decides about the spans and queues the records of those that are
// billed. It does not wait for their delivery, and keeps neither the slice nor
// the spans. After Shutdown it returns [ErrShutdown], and calls that would have
// been billed count as lost.
func (x *Exporter) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	x.engine.batch(spans)
	if x.engine.closing.Load() {
		return ErrShutdown
	}
	return nil
}

// ForceFlush waits until each record that is queued now was delivered or given
// up. The provider's ForceFlush does not call it, since span exporters have no
// such method: call it after that one. Otherwise it is as
// [Processor.ForceFlush].
func (x *Exporter) ForceFlush(ctx context.Context) error {
	return x.engine.forceFlush(ctx)
}

// Shutdown is as [Processor.Shutdown].
func (x *Exporter) Shutdown(ctx context.Context) error {
	return x.engine.shutdown(ctx)
}

// Report returns the account of all spans and records up to now.
func (x *Exporter) Report() Report {
	return x.engine.snapshot()
}

// MarshalLog describes the exporter for OpenTelemetry's internal log, without
// the key.
func (x *Exporter) MarshalLog() any { return x.engine.cfg.describe("ReveniumExporter") }

// String describes the exporter without the key.
func (x *Exporter) String() string { return x.engine.cfg.describe("ReveniumExporter").String() }
