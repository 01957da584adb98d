// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// initialSenders is how many attempts may be under way before the first answer.
// Their number doubles with each success. A service that accepts connections and
// never answers thus costs little at the start.
const initialSenders = 2

// A service that answers within quickAnswer, because it is near, is kept as busy
// by quickSenders requests at a time as by more, which would only cost
// goroutines and connections. It takes slowAnswers slower answers in a row to
// call it far: the first ones after an outage are slow wherever it is.
const (
	quickAnswer  = 5 * time.Millisecond
	quickSenders = 4
	slowAnswers  = 2 * quickSenders
)

// gate decides how many senders may work and when. While the service answers,
// that is all of them. While it does not, one sender probes at growing intervals
// on behalf of all records, so that an outage neither hammers the service nor
// delays delivery for long after it is over.
//
// It is not safe for concurrent use: delivery guards it.
type gate struct {
	retry   RetryConfig
	max     int
	limit   int       // senders that may work now
	slow    int       // answers in a row that were not quick
	until   time.Time // no attempt before
	backoff backoff.ExponentialBackOff

	closed   bool
	closedAt time.Time
	// probes counts the probes that failed since the gate closed.
	probes int
	// unauthorized: the gate is closed because the service refuses the key.
	unauthorized bool
	// demanded is the end of the pause that the service's Retry-After asks for, which
	// nobody may shorten; zero for none.
	demanded time.Time
	// lookAt is when the refused key is to be looked at: it may have been replaced.
	// Zero for a key that does not change.
	lookAt time.Time
	// suspect is the record whose attempt failed last while the gate was open.
	suspect spool.ID
}

func newGate(retry RetryConfig, senders int) gate {
	return gate{retry: retry, max: senders, limit: min(initialSenders, senders), backoff: retry.newBackOff()}
}

// answered notes that the service dealt with a record whose attempt started at
// started, after took. It reports whether the records that wait for another attempt
// waited for the service rather than for reasons of their own, and should not wait
// any longer.
func (g *gate) answered(started time.Time, took time.Duration) (release bool) {
	if !g.demanded.IsZero() && started.Before(g.closedAt) {
		return false // the service has asked for a pause since
	}
	// Records whose key was refused wait for nothing but a key that is not.
	release = g.closed && (g.probes > 0 || g.unauthorized)
	if took < quickAnswer {
		g.slow = 0
	} else {
		g.slow++
	}
	enough := g.max
	if g.slow < slowAnswers {
		enough = min(quickSenders, g.max)
	}
	g.limit = min(enough, g.limit*2)
	g.open()
	return release
}

// open lets senders work again.
func (g *gate) open() {
	g.closed, g.unauthorized, g.demanded = false, false, time.Time{}
	g.probes = 0
	g.suspect = 0
	g.until, g.lookAt = time.Time{}, time.Time{}
	g.backoff.Reset()
}

// opens is the time before which there is nothing to do for a sender; zero if there
// is something now.
func (g *gate) opens() time.Time {
	if !g.lookAt.IsZero() && g.lookAt.Before(g.until) {
		return g.lookAt
	}
	return g.until
}

// looks reports whether it is time to look at the refused key rather than to probe.
func (g *gate) looks(now time.Time) bool {
	return g.unauthorized && !g.lookAt.IsZero() && !now.Before(g.lookAt) && now.Before(g.until)
}

// reloaded allows a probe at once, because there is another key.
func (g *gate) reloaded(now time.Time) {
	g.until = now
	g.lookAt = time.Time{}
}

// failed notes that an attempt on record id, started at started, got no final
// answer.
func (g *gate) failed(id spool.ID, started, now time.Time, res metering.Result) {
	if g.speaks(id, res) {
		g.shut(started, now, res.RetryAfter)
	}
}

// speaks reports whether a failure says something about the service rather than
// about record id.
func (g *gate) speaks(id spool.ID, res metering.Result) bool {
	switch {
	case res.StatusCode == http.StatusConflict || res.StatusCode == http.StatusTooEarly:
		// The service is well and speaks of this one record.
		return false
	case res.RetryAfter > 0 || aboutDestination(res.StatusCode):
	case g.closed:
	case g.suspect == 0 || g.suspect == id:
		// A server error may be this record's own. It takes two of them in a row
		// to say something about the service.
		g.suspect = id
		return false
	}
	return true
}

// shut closes the gate because the service does not answer.
func (g *gate) shut(started, now time.Time, retryAfter time.Duration) {
	g.close(started, now, g.backoff.NextBackOff, retryAfter)
	g.unauthorized = false
	g.lookAt = time.Time{}
}

// refused notes that the service does not accept the key.
func (g *gate) refused(started, now time.Time) {
	g.close(started, now, g.retry.unauthorizedDelay, 0)
	g.unauthorized = true
}

// close lets nobody work for a while and then one sender at a time. Attempts
// that were under way when it closed say nothing new and do not lengthen the
// wait, except by what the service demands.
func (g *gate) close(started, now time.Time, delay func() time.Duration, retryAfter time.Duration) {
	g.limit = 1
	under := g.closed && started.Before(g.closedAt)
	if !under {
		if g.closed {
			g.probes++
		}
		g.closed = true
		g.closedAt = now
		g.until, g.demanded = now.Add(delay()), time.Time{}
	}
	if demanded := now.Add(min(retryAfter, maxRetryAfter)); retryAfter > 0 && demanded.After(g.demanded) {
		g.demanded = demanded
	}
	if g.demanded.After(g.until) {
		g.until = g.demanded
	}
}

// hurry allows a probe as soon as the service itself does, because somebody waits
// for a flush. The intervals start from the shortest.
func (g *gate) hurry(now time.Time) {
	g.backoff.Reset()
	if g.demanded.After(now) {
		now = g.demanded
	}
	if g.closed && g.until.After(now) {
		g.until = now
	}
}

// aboutDestination reports whether a status speaks of the service rather than of
// one record: no answer at all, rate limit, unavailable.
func aboutDestination(status int) bool {
	switch status {
	case 0, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		// A redirect answers every record alike.
		return status >= 300 && status < 400
	}
}
