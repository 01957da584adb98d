// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"slices"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// Processor is a span processor that meters each LLM call at the moment its span
// ends, whether the trace is sampled or not. It is the recommended way to meter.
//
// OnEnd takes a fraction of a microsecond: a goroutine of the processor decides,
// freezes the record and queues it. Only when more calls end than it can decide
// about, and with [WithBlockOnOverflow], OnEnd does so itself, which takes some
// microseconds. It never waits for the network.
type Processor struct {
	engine *engine
}

var _ sdktrace.SpanProcessor = (*Processor)(nil)

// NewProcessor returns a processor that sends to Revenium. Register it with
// [sdktrace.WithSpanProcessor], before a batch processor, so that a shutdown whose
// time runs out has delivered the metering first; wrap the provider's sampler
// with [NewSampler]. The provider's Shutdown shuts it down.
//
// It fails when the configuration makes metering impossible, with one
// [ConfigError] per problem.
func NewProcessor(opts ...Option) (*Processor, error) {
	e, err := newEngine(append(slices.Clip(opts), WithConvertOptions(convert.WithInProcess())))
	if err != nil {
		return nil, err
	}
	e.open = newOpenSpans()
	if e.cfg.blockLimit == 0 { // else who ends a span waits for room, and nobody waits for him
		e.intake = newIntake(func(s sdktrace.ReadOnlySpan) { e.convert(s, e.all) })
	}
	return &Processor{engine: e}, nil
}

// OnStart remembers s until it ends, so that a call finds the attribution on spans
// above it.
func (p *Processor) OnStart(_ context.Context, s sdktrace.ReadWriteSpan) { p.engine.open.started(s) }

// OnEnd meters s if it is an LLM call. After Shutdown nothing is sent any more,
// and a call that would have been billed counts as lost.
func (p *Processor) OnEnd(s sdktrace.ReadOnlySpan) {
	p.engine.span(s)
}

// ForceFlush waits until each record that is queued now was delivered or given
// up, or until ctx ends; without a deadline it waits for the time of
// [WithShutdownTimeout]. It also decides about what is held, such as a failed
// attempt that may yet be repeated. That is what a function that may be frozen
// after each invocation needs: call it when the work of the invocation, its
// repeated calls included, is done. In the middle of the work it may report an
// attempt as an error of its own that would otherwise have been recognised as
// repeated.
//
// It returns a [FlushError], which has the [Report], when records still wait. They
// are not lost: delivery goes on. With [WithSpool] they are on disk when it returns;
// if the disk did not take them, the error says so.
func (p *Processor) ForceFlush(ctx context.Context) error {
	return p.engine.forceFlush(ctx)
}

// Shutdown delivers what is waiting until ctx ends (without a deadline, for the
// time of [WithShutdownTimeout]), stops all goroutines and logs the report. What is
// not delivered by then is on disk with [WithSpool], and lost without. It returns a
// [ShutdownError], which has the [Report], if a record was lost, now or earlier.
// Further calls return what the first one did.
func (p *Processor) Shutdown(ctx context.Context) error {
	return p.engine.shutdown(ctx)
}

// Report returns the account of all spans and records up to now. After Shutdown
// it is final.
func (p *Processor) Report() Report {
	return p.engine.snapshot()
}

// MarshalLog describes the processor for OpenTelemetry's internal log, without
// the key.
func (p *Processor) MarshalLog() any { return p.engine.cfg.describe("ReveniumProcessor") }

// String describes the processor without the key.
func (p *Processor) String() string { return p.engine.cfg.describe("ReveniumProcessor").String() }
