// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate

import (
	"slices"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Option configures what this package makes. Options that do not concern a thing
// have no effect on it.
type Option interface {
	apply(config) config
}

type optionFunc func(config) config

func (f optionFunc) apply(c config) config { return f(c) }

type config struct {
	trust         Trust
	moreBaggage   []attribute.Key
	onlyHeaders   []attribute.Key
	limitHeaders  bool
	nonASCII      bool
	removal       bool
	meterProvider metric.MeterProvider
}

func newConfig(opts []Option) config {
	var c config
	for _, opt := range opts {
		if opt != nil {
			c = opt.apply(c)
		}
	}
	if c.meterProvider == nil {
		c.meterProvider = otel.GetMeterProvider()
	}
	return c
}

// WithTrust says what is believed of requests and messages that come in. Default,
// also for nil: nothing.
func WithTrust(trust Trust) Option {
	return optionFunc(func(c config) config {
		c.trust = trust
		return c
	})
}

// WithMoreBaggageFields has further fields sent and read as baggage, besides
// [DefaultBaggageFields]. Fields are named by the keys of their attributes
// (semconv.ReveniumSubscriberIDKey); a key that is no field's, and that of a
// credential, is reported to OpenTelemetry's error handler and has no effect.
// Several uses add up.
//
// Baggage reaches every host that the program's propagator is used for, and is
// passed on by those.
func WithMoreBaggageFields(keys ...attribute.Key) Option {
	return optionFunc(func(c config) config {
		c.moreBaggage = append(slices.Clip(c.moreBaggage), keys...)
		return c
	})
}

// WithOnlyHeaderFields has no other fields sent and read as headers. Fields are
// named as in [WithMoreBaggageFields]. Default: of what comes in, all that have a
// header except the subscriber's credential; of what goes out, all.
func WithOnlyHeaderFields(keys ...attribute.Key) Option {
	return optionFunc(func(c config) config {
		c.onlyHeaders = append(slices.Clip(c.onlyHeaders), keys...)
		c.limitHeaders = true
		return c
	})
}

// WithNonASCII has [Transport] send values that are not ASCII, in UTF-8. By default
// they are left out: servers may read them in another encoding, as the one that
// LiteLLM uses does, and bill a customer with a garbled name. [NewMiddleware] and
// instrument.FromHeaders read UTF-8.
func WithNonASCII() Option {
	return optionFunc(func(c config) config {
		c.nonASCII = true
		return c
	})
}

// WithHeaderRemoval has [NewMiddleware] take the x-revenium-* headers and the
// members of baggage that are metadata out of the request that the handler sees,
// believed or not. It is for gateways that pass the headers of their callers on:
// what was believed is in the context, from which [Transport] writes it again.
func WithHeaderRemoval() Option {
	return optionFunc(func(c config) config {
		c.removal = true
		return c
	})
}

// WithMeterProvider counts what is left out there. Default: the global one.
func WithMeterProvider(mp metric.MeterProvider) Option {
	return optionFunc(func(c config) config {
		c.meterProvider = mp
		return c
	})
}
