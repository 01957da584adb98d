// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"maps"
	"net/http"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/instrument/internal/hosts"
)

// Option changes what a [Transport] does.
type Option interface {
	apply(config) config
}

type config struct {
	provider          trace.TracerProvider
	meters            metric.MeterProvider
	metrics           bool
	propagator        propagation.TextMapPropagator
	propagate         bool
	providerHosts     map[string]string
	litellmHosts      []string
	streamUsageHosts  []string
	streamUsage       bool
	capture           captureSettings
	requestAttributes []func(*http.Request) []attribute.KeyValue
}

type optionFunc func(config) config

func (f optionFunc) apply(c config) config { return f(c) }

func newConfig(opts []Option) config {
	c := config{propagate: true, streamUsage: true}
	for _, opt := range opts {
		if opt != nil {
			c = opt.apply(c)
		}
	}
	return c
}

// WithTracerProvider names the provider that makes the spans. Default, also for
// nil: the global one (otel.GetTracerProvider) at the time of each call.
func WithTracerProvider(provider trace.TracerProvider) Option {
	return optionFunc(func(c config) config {
		c.provider = provider
		return c
	})
}

// WithMeterProvider names the provider of the transport's metrics. Default, also
// for nil: the global one (otel.GetMeterProvider) at the time of use.
func WithMeterProvider(provider metric.MeterProvider) Option {
	return optionFunc(func(c config) config {
		c.meters = provider
		return c
	})
}

// WithMetrics has each call recorded in the client metrics of the OpenTelemetry
// GenAI conventions: gen_ai.client.token.usage, gen_ai.client.operation.duration
// and gen_ai.client.operation.time_to_first_chunk. Default: not.
func WithMetrics() Option {
	return optionFunc(func(c config) config {
		c.metrics = true
		return c
	})
}

// WithPropagators names the propagator that writes the trace context into the
// headers of calls, all of what it writes to every host. Default, also for nil:
// the global one (otel.GetTextMapPropagator) at the time of each call, except
// that the baggage of the context is kept from the public hosts of providers:
// what a service tells its neighbours about a customer is not for third parties.
func WithPropagators(propagator propagation.TextMapPropagator) Option {
	return optionFunc(func(c config) config {
		c.propagator = propagator
		return c
	})
}

// WithoutPropagation leaves the headers of calls as they are.
func WithoutPropagation() Option {
	return optionFunc(func(c config) config {
		c.propagate = false
		return c
	})
}

// WithProviderHosts names the providers behind hosts that the built-in table
// does not know or knows by another name, in the words of gen_ai.provider.name
// ("openai", "anthropic", ...). The keys are hosts, "host" for all its ports or
// "host:port" for one. Several uses add up.
func WithProviderHosts(providers map[string]string) Option {
	return optionFunc(func(c config) config {
		merged := make(map[string]string, len(c.providerHosts)+len(providers))
		maps.Copy(merged, c.providerHosts)
		for host, provider := range providers {
			if host = hosts.Clean(host); host != "" {
				merged[host] = provider
			}
		}
		c.providerHosts = merged
		return c
	})
}

// WithLiteLLMHosts names hosts ("host" or "host:port") that are LiteLLM proxies.
// A proxy is also known by its x-litellm-* headers once it has answered; naming
// it makes the first call like all the others. Streams of such hosts are asked
// for their usage as those of [WithStreamUsageHosts] are.
func WithLiteLLMHosts(hosts ...string) Option {
	return optionFunc(func(c config) config {
		c.litellmHosts = append(slices.Clip(c.litellmHosts), hosts...)
		return c
	})
}

// WithStreamUsageHosts names hosts ("host" or "host:port") whose streams may be
// asked for their usage (stream_options.include_usage) where the caller said
// nothing about it; see the package documentation. OpenAI's hosts and LiteLLM
// proxies need not be named.
func WithStreamUsageHosts(hosts ...string) Option {
	return optionFunc(func(c config) config {
		c.streamUsageHosts = append(slices.Clip(c.streamUsageHosts), hosts...)
		return c
	})
}

// WithoutStreamUsage leaves every request as it is: streams whose caller did not
// ask for usage are metered only where the server sends it unasked.
func WithoutStreamUsage() Option {
	return optionFunc(func(c config) config {
		c.streamUsage = false
		return c
	})
}

// WithContentCapture puts what is asked and answered on the spans: the system
// prompt, and the messages of input and output as JSON in the form of the
// OpenTelemetry conventions, text and calls of tools, but no images, audio or
// files. Default: REVENIUM_CAPTURE_PROMPTS, or else not.
//
// It is what people say to models: whoever sees the spans sees it, and it is sent
// to Revenium where an exporter is told to. See [WithContentRedaction].
func WithContentCapture() Option { return withCapture(true) }

// WithoutContentCapture keeps what is asked and answered off the spans, whatever
// the environment says.
func WithoutContentCapture() Option { return withCapture(false) }

func withCapture(on bool) Option {
	return optionFunc(func(c config) config {
		c.capture.on = &on
		return c
	})
}

// WithMaxContentSize bounds the length of each of the attributes of
// [WithContentCapture], in characters. The longest texts are cut until the rest
// fits. Default: REVENIUM_MAX_PROMPT_SIZE, or else 50,000, which is what Revenium
// keeps.
func WithMaxContentSize(characters int) Option {
	return optionFunc(func(c config) config {
		c.capture.limit = &characters
		return c
	})
}

// WithContentRedaction has each text that is captured pass through redact: system
// prompts, messages, reasoning, and arguments and results of tools, which are
// JSON. What redact returns is put on the span, "" for nothing. It may be called
// several times for a text, by several goroutines.
func WithContentRedaction(redact func(text string) string) Option {
	return optionFunc(func(c config) config {
		c.capture.redact = redact
		return c
	})
}

// WithRequestAttributes adds what attributes returns to the span of each call,
// from its start on: revenium.* attributes that depend on the request. The
// function must not change the request nor read its body. Several uses add up.
func WithRequestAttributes(attributes func(*http.Request) []attribute.KeyValue) Option {
	return optionFunc(func(c config) config {
		if attributes != nil {
			c.requestAttributes = append(slices.Clip(c.requestAttributes), attributes)
		}
		return c
	})
}
