// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package revenium

import (
	"slices"

	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
)

// Option configures [Start].
type Option interface {
	apply(config) config
}

type optionFunc func(config) config

func (f optionFunc) apply(cfg config) config { return f(cfg) }

// config is what the options amount to.
type config struct {
	exporter       []exporter.Option
	samplerOptions []exporter.SamplerOption
	sampler        sdktrace.Sampler
	resource       *resource.Resource
	metadata       []instrument.ProcessorOption
	provider       []sdktrace.TracerProviderOption
	forward        sdktrace.SpanExporter
	forwardOptions []exporter.ForwarderOption
	globals        bool
	baggage        []propagate.Option
	propagates     bool
}

func newConfig(opts []Option) config {
	cfg := config{globals: true}
	for _, opt := range opts {
		if opt != nil {
			cfg = opt.apply(cfg)
		}
	}
	return cfg
}

// WithExporterOptions passes options to the processor that meters: key, base URL,
// organization, queue and so on.
func WithExporterOptions(opts ...exporter.Option) Option {
	return optionFunc(func(cfg config) config {
		cfg.exporter = append(slices.Clip(cfg.exporter), opts...)
		return cfg
	})
}

// WithForwarding leaves the metering to a Collector: LLM spans and those around
// them go to exp, sampled or not, and nothing to Revenium. No key is needed then,
// and [WithExporterOptions] has no effect. See [exporter.NewForwarder].
func WithForwarding(exp sdktrace.SpanExporter, opts ...exporter.ForwarderOption) Option {
	return optionFunc(func(cfg config) config {
		cfg.forward, cfg.forwardOptions = exp, opts
		return cfg
	})
}

// WithSampler chooses which traces are exported; the default is what
// OTEL_TRACES_SAMPLER says, or else ParentBased(AlwaysSample()). It is wrapped with
// [exporter.NewSampler], so that LLM calls are metered in any case.
func WithSampler(sampler sdktrace.Sampler) Option {
	return optionFunc(func(cfg config) config {
		cfg.sampler = sampler
		return cfg
	})
}

// WithSamplerOptions passes options to [exporter.NewSampler].
func WithSamplerOptions(opts ...exporter.SamplerOption) Option {
	return optionFunc(func(cfg config) config {
		cfg.samplerOptions = append(slices.Clip(cfg.samplerOptions), opts...)
		return cfg
	})
}

// WithMetadataOptions passes options to [instrument.NewSpanProcessor], which puts
// the metadata of a context on LLM spans: which further spans get it, and whether
// they say where it came from.
func WithMetadataOptions(opts ...instrument.ProcessorOption) Option {
	return optionFunc(func(cfg config) config {
		cfg.metadata = append(slices.Clip(cfg.metadata), opts...)
		return cfg
	})
}

// WithResource adds to the default resource, which has the SDK's attributes and
// those of OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES. Where both have an
// attribute, that of r counts.
func WithResource(r *resource.Resource) Option {
	return optionFunc(func(cfg config) config {
		cfg.resource = r
		return cfg
	})
}

// WithTracerProviderOptions passes options to the TracerProvider, for instance
// further span processors, which come after the metering one. A sampler among
// them has no effect: use [WithSampler].
func WithTracerProviderOptions(opts ...sdktrace.TracerProviderOption) Option {
	return optionFunc(func(cfg config) config {
		cfg.provider = append(slices.Clip(cfg.provider), opts...)
		return cfg
	})
}

// WithBaggage has metadata travel between services as baggage: the global
// propagator is [propagate.NewPropagator] with the given options. By default the
// baggage of requests is the program's own: nothing of metadata is sent, and nothing
// that comes in is believed.
func WithBaggage(opts ...propagate.Option) Option {
	return optionFunc(func(cfg config) config {
		cfg.baggage = append(slices.Clip(cfg.baggage), opts...)
		cfg.propagates = true
		return cfg
	})
}

// WithoutGlobals leaves the global TracerProvider and propagators as they are.
func WithoutGlobals() Option {
	return optionFunc(func(cfg config) config {
		cfg.globals = false
		return cfg
	})
}
