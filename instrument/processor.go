// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/semconv"
)

// SpanProcessor puts the [Metadata] that a context carries on the LLM spans that
// are started with it, by whichever instrumentation; it need not know of metadata.
// Make one with [NewSpanProcessor].
type SpanProcessor struct {
	config processorConfig
}

var _ sdktrace.SpanProcessor = (*SpanProcessor)(nil)

// ProcessorOption configures [NewSpanProcessor].
type ProcessorOption interface {
	applyProcessor(processorConfig) processorConfig
}

type processorConfig struct {
	all     bool
	filters []func(sdktrace.ReadOnlySpan) bool
	origins bool
}

type processorOptionFunc func(processorConfig) processorConfig

func (f processorOptionFunc) applyProcessor(c processorConfig) processorConfig { return f(c) }

// WithAllSpans stamps every span, for instrumentations whose spans do not show at
// their start that they are about an LLM. Spans of web requests and databases then
// carry the metadata as well, on their way to every exporter of the program.
func WithAllSpans() ProcessorOption {
	return processorOptionFunc(func(c processorConfig) processorConfig {
		c.all = true
		return c
	})
}

// WithSpanFilter stamps, besides the spans that are recognised, each for which
// filter returns true. It is called at the start of every other span whose context
// carries metadata, concurrently, and has to be quick.
func WithSpanFilter(filter func(sdktrace.ReadOnlySpan) bool) ProcessorOption {
	return processorOptionFunc(func(c processorConfig) processorConfig {
		if filter != nil {
			c.filters = append(slices.Clip(c.filters), filter)
		}
		return c
	})
}

// WithOrigins adds the attribute revenium.attribution.origin to what is stamped.
// It says of each field where its value came from: the call, a wrapped function, a
// context, or the headers or the baggage of a request.
func WithOrigins() ProcessorOption {
	return processorOptionFunc(func(c processorConfig) processorConfig {
		c.origins = true
		return c
	})
}

// NewSpanProcessor returns a processor to register with sdktrace.WithSpanProcessor,
// before those that export. Package revenium does so by itself.
//
// It stamps spans when they start and are recognised as LLM spans
// ([semconv.IsLLMSpan]): by a gen_ai.* or revenium.* attribute, or a name or
// attribute of one of the known instrumentations. What a span itself says of a
// field, under whichever of its names, stays; what it says later goes before what
// was stamped, where it uses the same key. Spans of this package carry their
// metadata also without the processor.
func NewSpanProcessor(opts ...ProcessorOption) *SpanProcessor {
	p := &SpanProcessor{}
	for _, opt := range opts {
		if opt != nil {
			p.config = opt.applyProcessor(p.config)
		}
	}
	return p
}

// OnStart stamps the span if it is to be.
func (p *SpanProcessor) OnStart(parent context.Context, span sdktrace.ReadWriteSpan) {
	c := carriedBy(parent)
	if c == nil || c.resolved.set == 0 {
		return
	}
	attrs := span.Attributes()
	if !p.config.all && !semconv.IsLLMSpan(span.Name(), attrs) && !p.filtered(span) {
		return
	}
	span.SetAttributes(c.besides(attrs)...)
	if p.config.origins {
		if origins := c.origins(attrs); len(origins) > 0 {
			span.SetAttributes(semconv.ReveniumAttributionOrigin(origins...))
		}
	}
}

// filtered asks the program's filters.
func (p *SpanProcessor) filtered(span sdktrace.ReadOnlySpan) (stamp bool) {
	defer func() {
		if r := recover(); r != nil {
			stamp = false
			otel.Handle(fmt.Errorf("instrument: the filter of WithSpanFilter panicked: %v; the span gets no metadata", r))
		}
	}()
	for _, filter := range p.config.filters {
		if filter(span) {
			return true
		}
	}
	return false
}

// origins says where the values come from that a span with the given attributes
// has of c: those that it had when it was started, as the spans of this package
// do, and those that are stamped.
func (c *carried) origins(attrs []attribute.KeyValue) []string {
	table := fieldTable().fields
	gone := fieldsOf(attrs)
	var list []string
	values := c.resolved.attrs
	for rest := c.resolved.set; rest != 0; rest = rest.rest() {
		if i := rest.first(); !gone.has(i) || contains(attrs, &values[0]) {
			list = append(list, table[i].Name+"="+c.origin(i).String())
		}
		values = values[1:]
	}
	return list
}

// contains says whether attrs has the key and value of kv.
func contains(attrs []attribute.KeyValue, kv *attribute.KeyValue) bool {
	for i := range attrs {
		if attrs[i].Key == kv.Key {
			return attrs[i].Value == kv.Value
		}
	}
	return false
}

// OnEnd does nothing.
func (*SpanProcessor) OnEnd(sdktrace.ReadOnlySpan) {}

// Shutdown does nothing; there is nothing to wait for.
func (*SpanProcessor) Shutdown(context.Context) error { return nil }

// ForceFlush does nothing; there is nothing to wait for.
func (*SpanProcessor) ForceFlush(context.Context) error { return nil }
