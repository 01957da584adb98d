// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// RetryConfig says how long to wait between attempts. Zero fields mean the
// defaults.
//
// A wait is the interval, ± RandomizationFactor of it at random; the interval
// starts at InitialInterval and is multiplied by Multiplier up to MaxInterval.
// Where the service says Retry-After, the longer of the two counts.
type RetryConfig struct {
	// InitialInterval is the interval after the first failure; 500 ms.
	InitialInterval time.Duration
	// MaxInterval bounds the interval; 15 s. It is also about how long it takes
	// to notice that the service is back after a long outage.
	MaxInterval time.Duration
	// Multiplier is the growth from one interval to the next; 2.
	Multiplier float64
	// RandomizationFactor is the share of an interval by which it varies; 0.5.
	RandomizationFactor float64
	// UnauthorizedInterval is the interval between attempts while the service
	// refuses the API key (401, 403); 30 s.
	UnauthorizedInterval time.Duration
	// MaxElapsedTime gives a record up when it is older than this after a failed
	// attempt. The default, zero, never does: only shutdown and the overflow
	// policy of the queue end a record that could not be delivered.
	MaxElapsedTime time.Duration

	_ struct{}
}

// maxRetryAfter bounds what a Retry-After can demand, so that one absurd answer
// cannot stop metering for days.
const maxRetryAfter = time.Hour

// NewDefaultRetryConfig returns the defaults.
func NewDefaultRetryConfig() RetryConfig {
	return RetryConfig{
		InitialInterval:      500 * time.Millisecond,
		MaxInterval:          15 * time.Second,
		Multiplier:           2,
		RandomizationFactor:  backoff.DefaultRandomizationFactor,
		UnauthorizedInterval: 30 * time.Second,
	}
}

// withDefaults fills the zero fields and checks the others.
func (r RetryConfig) withDefaults() (RetryConfig, error) {
	d := NewDefaultRetryConfig()
	var errs []error
	check := func(ok bool, field, want string, got any) {
		if !ok {
			errs = append(errs, &ConfigError{
				Setting: "WithRetry",
				Problem: fmt.Sprintf("retry setting %s is %v: it must be %s", field, got, want),
			})
		}
	}
	check(r.InitialInterval >= 0, "InitialInterval", "positive", r.InitialInterval)
	check(r.MaxInterval >= 0, "MaxInterval", "positive", r.MaxInterval)
	check(r.Multiplier == 0 || r.Multiplier >= 1, "Multiplier", "1 or more", r.Multiplier)
	check(r.RandomizationFactor >= 0 && r.RandomizationFactor <= 1, "RandomizationFactor", "between 0 and 1", r.RandomizationFactor)
	check(r.UnauthorizedInterval >= 0, "UnauthorizedInterval", "positive", r.UnauthorizedInterval)
	check(r.MaxElapsedTime >= 0, "MaxElapsedTime", "zero (never) or positive", r.MaxElapsedTime)

	fill(&r.InitialInterval, d.InitialInterval)
	fill(&r.MaxInterval, max(d.MaxInterval, r.InitialInterval))
	fill(&r.Multiplier, d.Multiplier)
	fill(&r.RandomizationFactor, d.RandomizationFactor)
	fill(&r.UnauthorizedInterval, d.UnauthorizedInterval)
	return r, errors.Join(errs...)
}

// fill sets *v to def when it is zero.
func fill[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// newBackOff returns a series of waits.
func (r RetryConfig) newBackOff() backoff.ExponentialBackOff {
	return backoff.ExponentialBackOff{
		InitialInterval:     r.InitialInterval,
		RandomizationFactor: r.RandomizationFactor,
		Multiplier:          r.Multiplier,
		MaxInterval:         r.MaxInterval,
	}
}

// delay is the wait after that many failed attempts of one record.
func (r RetryConfig) delay(attempts int) time.Duration {
	b := r.newBackOff()
	// The interval stops growing long before the 64th step for any multiplier
	// that matters; the bound keeps a record of many attempts cheap.
	for range min(attempts, 64) - 1 {
		b.NextBackOff()
	}
	return b.NextBackOff()
}

// unauthorizedDelay is the wait while the key is refused, varied so that many
// processes with one bad key do not ask in step.
func (r RetryConfig) unauthorizedDelay() time.Duration {
	b := r.newBackOff()
	b.InitialInterval = r.UnauthorizedInterval
	b.MaxInterval = r.UnauthorizedInterval
	return b.NextBackOff()
}
