// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// answeredLately is how long before a failed attempt another endpoint must have
// answered, if not since, for the failure to be the endpoint's own.
const answeredLately = 2 * time.Second

// destinations are the endpoints of the service, each with what failed at it while
// others answered: that pauses its records and nobody else's. An endpoint that is the
// only one in use has no state here but the time of its last answer.
//
// It is not safe for concurrent use: delivery guards it.
type destinations struct {
	retry RetryConfig
	of    map[metering.Endpoint]*destination
}

type destination struct {
	answered time.Time // last
	paused   bool
	until    time.Time // no attempt before, while it is paused
	backoff  backoff.ExponentialBackOff
}

func newDestinations(retry RetryConfig) destinations {
	return destinations{retry: retry, of: make(map[metering.Endpoint]*destination)}
}

func (d *destinations) get(endpoint metering.Endpoint) *destination {
	to := d.of[endpoint]
	if to == nil {
		to = &destination{backoff: d.retry.newBackOff()}
		d.of[endpoint] = to
	}
	return to
}

// hold reports whether a record of an endpoint has to wait, and for when. When the
// pause is over, one record may try and the others wait for another interval.
func (d *destinations) hold(endpoint metering.Endpoint, now time.Time) (until time.Time, wait bool) {
	to := d.of[endpoint]
	if to == nil || !to.paused {
		return time.Time{}, false
	}
	if now.Before(to.until) {
		return to.until, true
	}
	to.until = now.Add(to.backoff.NextBackOff())
	return time.Time{}, false
}

// answeredAt notes that an endpoint dealt with a record. It reports whether records
// of that endpoint waited for that.
func (d *destinations) answeredAt(endpoint metering.Endpoint, now time.Time) (release bool) {
	to := d.get(endpoint)
	to.answered = now
	release = to.paused
	to.paused = false
	return release
}

// failedAt notes a failure, of an attempt that started at started, which says
// something about where the record was sent. It reports false if no other endpoint
// answers, so that it says something about the service.
func (d *destinations) failedAt(endpoint metering.Endpoint, started, now time.Time, retryAfter time.Duration) (until time.Time, alone bool) {
	to := d.get(endpoint)
	since := started.Add(-answeredLately)
	if to.paused {
		// There may have been nothing to send to the others meanwhile.
		since = time.Time{}
	}
	if !d.othersAnswer(to, since) {
		// All wait for the service now, which costs less than to hold each record.
		for _, each := range d.of {
			each.paused = false
		}
		return time.Time{}, false
	}
	if !to.paused {
		to.paused = true
		to.backoff.Reset()
		to.until = time.Time{}
	}
	if !now.Before(to.until) { // else the interval of this attempt has begun
		to.until = now.Add(to.backoff.NextBackOff())
	}
	if demanded := now.Add(min(retryAfter, maxRetryAfter)); demanded.After(to.until) {
		to.until = demanded
	}
	return to.until, true
}

// othersAnswer reports whether another endpoint is well and has answered since then.
func (d *destinations) othersAnswer(to *destination, since time.Time) bool {
	for _, other := range d.of {
		if other != to && !other.paused && other.answered.After(since) {
			return true
		}
	}
	return false
}

// hurry lets each endpoint be tried at once, because somebody waits for a flush.
func (d *destinations) hurry(now time.Time) {
	for _, to := range d.of {
		if to.paused {
			to.until = now
			to.backoff.Reset()
		}
	}
}

// failed tells who is to wait after an attempt that got no final answer, and returns
// until when: the records of its endpoint, if others answer, or all. The caller holds
// the lock.
func (d *delivery) failed(e spool.Entry, started, now time.Time, res metering.Result) time.Time {
	switch {
	case d.gate.closed:
		d.gate.failed(e.ID, started, now, res)
	case d.gate.speaks(e.ID, res):
		if until, alone := d.destinations.failedAt(e.Endpoint, started, now, res.RetryAfter); alone {
			return until
		}
		d.gate.shut(started, now, res.RetryAfter)
	}
	return d.gate.until
}
