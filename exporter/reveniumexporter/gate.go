// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// unavailablePause is how long nobody sends after the service did not answer, or
// answered that it cannot. The requests that had to stop wait for longer, by
// retry_on_failure; this keeps all others from finding out for themselves.
const unavailablePause = time.Second

// gate says whether the service can be asked at all. While it cannot, one attempt
// at a time finds out on behalf of all records. It is safe for concurrent use.
type gate struct {
	unauthorizedInterval time.Duration

	mu      sync.Mutex
	closed  bool
	parked  bool // closed because the service refuses the API key
	probing bool
	until   time.Time // no probe before
	// answered is when the service last dealt with a record.
	answered time.Time
}

// enter reports whether the caller may make an attempt now, or else for how long
// it should wait. Who may, calls leave afterwards.
func (g *gate) enter(now time.Time) (wait time.Duration, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case !g.closed:
		return 0, true
	case now.Before(g.until):
		return g.until.Sub(now), false
	case g.probing:
		return unavailablePause, false
	default:
		g.probing = true
		return 0, true
	}
}

// leave learns from an attempt.
func (g *gate) leave(now time.Time, res metering.Result) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.probing = false
	switch {
	case res.Outcome == metering.Unauthorized && !g.parked:
		// It may be this record alone that is refused: the next one finds out.
		g.parked = true
		g.close(now, unavailablePause)
		return
	case res.Outcome == metering.Unauthorized:
		g.close(now, jittered(g.unauthorizedInterval))
		return
	case res.Outcome == metering.Retry && aboutService(res):
		g.close(now, max(unavailablePause, res.RetryAfter))
		return
	case res.Outcome == metering.Retry && g.parked:
		// A server error does not say that the key is good again.
		g.close(now, unavailablePause)
		return
	case res.Outcome != metering.Retry:
		g.answered = now
	}
	g.closed, g.parked = false, false
}

// abandon ends an attempt that says nothing.
func (g *gate) abandon() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.probing = false
}

func (g *gate) close(now time.Time, pause time.Duration) {
	if until := now.Add(pause); !g.closed || until.After(g.until) {
		g.until = until
	}
	g.closed = true
}

// isParked reports whether the service refuses the API key.
func (g *gate) isParked() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.parked
}

// answeredSince reports whether the service has dealt with a record since t.
func (g *gate) answeredSince(t time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.answered.After(t)
}

// aboutService reports whether a failed attempt speaks of the service rather than
// of the one record: no answer at all, rate limit, unavailable, or a redirect,
// which answers every record alike.
func aboutService(res metering.Result) bool {
	switch res.StatusCode {
	case 0, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return res.StatusCode >= 300 && res.StatusCode < 400
	}
}

// jittered varies a pause by a quarter, so that many Collectors with one bad key
// do not ask in step.
func jittered(d time.Duration) time.Duration {
	return d + time.Duration((rand.Float64()-0.5)/2*float64(d))
}
