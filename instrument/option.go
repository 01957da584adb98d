// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"slices"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/semconv"
)

// Option changes how [StartCall] and its like make their spans. [Metadata] is one:
// what it sets is for that call and goes before what wrapped functions, contexts
// and requests say. Passed to [StartWorkflow], [StartAgent] or [StartTool] it is for
// the step and all calls beneath it, like that of [WithMetadata].
type Option interface {
	apply(config) config
}

type config struct {
	own          trace.Tracer // goes before provider and scope
	provider     trace.TracerProvider
	scopeName    string
	scopeVersion string
	attributes   []attribute.KeyValue
	metadata     values
	start        time.Time
	metrics      *Metrics
}

type optionFunc func(config) config

func (f optionFunc) apply(c config) config { return f(c) }

func newConfig(opts []Option) config {
	return config{scopeName: ScopeName, scopeVersion: Version}.with(opts)
}

// with is c with what opts say.
func (c config) with(opts []Option) config {
	for _, opt := range opts {
		if opt != nil {
			c = opt.apply(c)
		}
	}
	return c
}

// tracer is what makes the span.
func (c *config) tracer() trace.Tracer {
	if c.own != nil {
		return c.own
	}
	provider := c.provider
	if provider == nil {
		provider = otel.GetTracerProvider()
	}
	return provider.Tracer(c.scopeName, trace.WithInstrumentationVersion(c.scopeVersion))
}

// WithTracerProvider names the provider that makes the span. Default, also for
// nil: the global one (otel.GetTracerProvider) at the time of the call.
func WithTracerProvider(provider trace.TracerProvider) Option {
	return optionFunc(func(c config) config {
		c.provider = provider
		return c
	})
}

// WithTracer names what makes the span itself, in place of provider and scope, for
// instrumentation libraries that make many spans: to look a tracer up at each call
// takes locks and memory. Nil changes nothing.
func WithTracer(tracer trace.Tracer) Option {
	return optionFunc(func(c config) config {
		c.own = tracer
		return c
	})
}

// WithAttributes puts attributes on the span from its start on, where samplers
// and span processors see them: gen_ai.request.* ones describe the request, and
// revenium.* ones say who pays, before all [Metadata]. Several uses add up; of two
// values for one key the later one holds.
func WithAttributes(attributes ...attribute.KeyValue) Option {
	return optionFunc(func(c config) config {
		// Clipped, so that calls which share options do not write into each other's
		// attributes. The first ones need no copy: they are read during the call only.
		if len(c.attributes) == 0 {
			c.attributes = slices.Clip(attributes)
		} else {
			c.attributes = append(slices.Clip(c.attributes), attributes...)
		}
		return c
	})
}

// WithStartTime says when the call began. Default: now.
func WithStartTime(start time.Time) Option {
	return optionFunc(func(c config) config {
		c.start = start
		return c
	})
}

// WithScope names the instrumentation scope of the span, for instrumentation
// libraries that build on this package. Default: [ScopeName] and [Version].
func WithScope(name, version string) Option {
	return optionFunc(func(c config) config {
		c.scopeName, c.scopeVersion = name, version
		return c
	})
}

// apply makes metadata an [Option].
func (m Metadata) apply(c config) config {
	c.metadata = c.metadata.overlaid(collect(&m))
	return c
}

// WithQualityScore rates the answer from 0 to 1 where that is known beforehand;
// otherwise see [Call.SetQualityScore].
func WithQualityScore(score float64) Option { return Metadata{QualityScore: &score} }

// WithTransactionID names the call in Revenium, in place of the id that follows
// from the span's. Revenium keeps the first record of an id and drops any other:
// no two calls, and no two attempts at a call, may have the same.
func WithTransactionID(id string) Option {
	return WithAttributes(semconv.ReveniumTransactionID(id))
}

// WithParentTransactionID names the call or span above this one, in place of the
// id that follows from the parent span's.
func WithParentTransactionID(id string) Option {
	return WithAttributes(semconv.ReveniumParentTransactionID(id))
}

// WithRetryNumber says which attempt this is; 0 is the first. Every attempt is a
// call of its own.
func WithRetryNumber(n int) Option {
	return WithAttributes(semconv.ReveniumRetryNumber(n))
}

// WithMediationLatency says how long a gateway held the call up, to the
// millisecond.
func WithMediationLatency(d time.Duration) Option {
	return WithAttributes(semconv.ReveniumMediationLatency(int(d.Round(time.Millisecond).Milliseconds())))
}
