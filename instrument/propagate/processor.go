// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate

import (
	"context"

	"go.opentelemetry.io/otel/baggage"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/instrument"
)

// SpanProcessor has the baggage of OpenTelemetry's API stamped on LLM spans, for
// programs whose propagator is not theirs to replace by [Propagator]. Make one with
// [NewSpanProcessor].
type SpanProcessor struct {
	stamp      *instrument.SpanProcessor
	propagator *Propagator
}

var _ sdktrace.SpanProcessor = (*SpanProcessor)(nil)

// NewSpanProcessor returns a processor to register in the place of stamp, which it
// uses: when a span starts, metadata in the baggage of its context that [WithTrust]
// believes is metadata of the request, and goes onto the span where nothing else
// says otherwise. The function of WithTrust is given an empty request and the
// context of the span; what it needs to know of the sender has to be in there.
// [WithMoreBaggageFields] and [WithMeterProvider] have an effect too; values are
// counted for each span.
func NewSpanProcessor(stamp *instrument.SpanProcessor, opts ...Option) *SpanProcessor {
	return &SpanProcessor{stamp: stamp, propagator: NewPropagator(opts...)}
}

// OnStart stamps the span if it is to be.
func (p *SpanProcessor) OnStart(parent context.Context, span sdktrace.ReadWriteSpan) {
	if bag := baggage.FromContext(parent); bag.Len() > 0 {
		if _, members := p.propagator.splitBaggage(bag); len(members) > 0 {
			parent = p.propagator.receive(parent, &Request{}, nil, members)
		}
	}
	p.stamp.OnStart(parent, span)
}

// OnEnd does nothing.
func (*SpanProcessor) OnEnd(sdktrace.ReadOnlySpan) {}

// Shutdown does nothing; there is nothing to wait for.
func (*SpanProcessor) Shutdown(context.Context) error { return nil }

// ForceFlush does nothing; there is nothing to wait for.
func (*SpanProcessor) ForceFlush(context.Context) error { return nil }
