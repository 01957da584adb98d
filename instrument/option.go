// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// Option changes how [StartCall] makes its span.
type Option interface {
	apply(config) config
}

type config struct {
	provider     trace.TracerProvider
	scopeName    string
	scopeVersion string
	attributes   []attribute.KeyValue
	start        time.Time
}

type optionFunc func(config) config

func (f optionFunc) apply(c config) config { return f(c) }

func newConfig(opts []Option) config {
	c := config{scopeName: ScopeName, scopeVersion: Version}
	for _, opt := range opts {
		if opt != nil {
			c = opt.apply(c)
		}
	}
	return c
}

// WithTracerProvider names the provider that makes the span. Default, also for
// nil: the global one (otel.GetTracerProvider) at the time of the call.
func WithTracerProvider(provider trace.TracerProvider) Option {
	return optionFunc(func(c config) config {
		c.provider = provider
		return c
	})
}

// WithAttributes puts attributes on the span from its start on, where samplers
// and span processors see them: revenium.* attributes say who pays, gen_ai.request.*
// ones describe the request. Several uses add up; of two values for one key the
// later one holds.
func WithAttributes(attributes ...attribute.KeyValue) Option {
	return optionFunc(func(c config) config {
		// Clipped, so that calls which share options do not write into each other's
		// attributes.
		c.attributes = append(slices.Clip(c.attributes), attributes...)
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
