// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

func TestRetryDefaults(t *testing.T) {
	got, err := RetryConfig{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(NewDefaultRetryConfig(), got, cmpopts.IgnoreUnexported(RetryConfig{})); diff != "" {
		t.Errorf("zero value (-want +got):\n%s", diff)
	}
	got, err = RetryConfig{InitialInterval: time.Minute}.withDefaults()
	if err != nil || got.MaxInterval != time.Minute {
		t.Errorf("MaxInterval = %v, %v, want at least the initial interval", got.MaxInterval, err)
	}
}

func TestRetryDelay(t *testing.T) {
	retry := RetryConfig{InitialInterval: time.Second, MaxInterval: 10 * time.Second, Multiplier: 2, RandomizationFactor: 0.25, UnauthorizedInterval: time.Minute}
	for attempts, want := range map[int]time.Duration{
		0: time.Second, 1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 4: 8 * time.Second, 5: 10 * time.Second, 1 << 40: 10 * time.Second,
	} {
		seen := make(map[time.Duration]bool)
		for range 100 {
			d := retry.delay(attempts)
			seen[d] = true
			if d < want*3/4 || d > want*5/4+1 {
				t.Errorf("delay after %d attempts = %v, want %v ± 25 %%", attempts, d, want)
			}
		}
		if len(seen) < 50 {
			t.Errorf("delay after %d attempts has %d values in 100: it does not vary", attempts, len(seen))
		}
	}
	if d := retry.unauthorizedDelay(); d < 45*time.Second || d > 75*time.Second {
		t.Errorf("delay with a refused key = %v, want a minute ± 25 %%", d)
	}
}

// newTestGate has waits without chance: 1, 2, 4, … up to 10 s; 60 s with a refused
// key.
func newTestGate() gate {
	return newGate(RetryConfig{InitialInterval: time.Second, MaxInterval: 10 * time.Second, Multiplier: 2, UnauthorizedInterval: time.Minute}, 8)
}

func TestGateOpensWithSuccess(t *testing.T) {
	now := time.Unix(1000, 0)
	g := newTestGate()
	var limits []int
	for range 10 {
		limits = append(limits, g.limit)
		g.answered(now, slow)
	}
	if diff := cmp.Diff([]int{2, 4, 4, 4, 4, 4, 4, 4, 8, 8}, limits); diff != "" {
		t.Errorf("senders (-want +got):\n%s", diff)
	}
}

func TestGateClosesAndProbes(t *testing.T) {
	now := time.Unix(1000, 0)
	g := newTestGate()
	g.limit = 8
	refused := metering.Result{Outcome: metering.Retry}
	started := now
	g.failed(1, started, now, refused)
	if g.limit != 1 || !g.until.Equal(now.Add(time.Second)) {
		t.Errorf("limit %d until %v, want one probe after 1 s", g.limit, g.until.Sub(now))
	}
	// The other seven attempts fail with it: that is no further news.
	for id := range 7 {
		g.failed(2, started.Add(-time.Millisecond*time.Duration(id+1)), now, refused)
	}
	if !g.until.Equal(now.Add(time.Second)) || g.probes != 0 {
		t.Errorf("until %v after %d probes, want still 1 s and none", g.until.Sub(now), g.probes)
	}
	for _, want := range []time.Duration{2, 4, 8, 10, 10} {
		now = g.until
		g.failed(1, now, now, refused)
		if wait := g.until.Sub(now); wait != want*time.Second {
			t.Errorf("wait for the next probe is %v, want %v", wait, want*time.Second)
		}
	}
	if release := g.answered(now, slow); !release || g.closed || g.limit != 2 || !g.until.IsZero() {
		t.Errorf("after an answer: release %v, closed %v, limit %d, until %v", release, g.closed, g.limit, g.until)
	}
	if release := g.answered(now, slow); release {
		t.Error("an answer to an open gate releases what waits")
	}
}

// TestGateServerErrors: one record's server error is its own; two records' in a
// row are the service's.
func TestGateServerErrors(t *testing.T) {
	now := time.Unix(1000, 0)
	failed := metering.Result{Outcome: metering.Retry, StatusCode: http.StatusInternalServerError}
	g := newTestGate()
	g.failed(1, now, now, failed)
	g.failed(1, now, now, failed)
	if g.closed {
		t.Error("one record closes the gate")
	}
	g.failed(2, now, now, failed)
	if !g.closed {
		t.Error("two records do not close the gate")
	}
	g = newTestGate()
	g.failed(1, now, now, failed)
	g.answered(now, slow)
	g.failed(2, now, now, failed)
	if g.closed {
		t.Error("two records with a success in between close the gate")
	}
}

// TestGateRetryAfter: the longer of backoff and the service's wish counts, up to
// an hour, and a flush shortens it down to that wish and no further.
func TestGateRetryAfter(t *testing.T) {
	now := time.Unix(1000, 0)
	for after, want := range map[time.Duration]time.Duration{
		0: time.Second, time.Millisecond: time.Second, 30 * time.Second: 30 * time.Second, 48 * time.Hour: time.Hour,
	} {
		g := newTestGate()
		g.failed(1, now, now, metering.Result{Outcome: metering.Retry, StatusCode: http.StatusTooManyRequests, RetryAfter: after})
		if wait := g.until.Sub(now); wait != want {
			t.Errorf("wait with Retry-After %v is %v, want %v", after, wait, want)
		}
		g.hurry(now)
		if wait, want := g.until.Sub(now), min(after, want); wait != want {
			t.Errorf("with a flush, the wait with Retry-After %v is %v, want %v", after, wait, want)
		}
	}
	// Attempts that were under way can still make the wait longer.
	g := newTestGate()
	g.failed(1, now, now, metering.Result{Outcome: metering.Retry})
	g.failed(2, now.Add(-time.Second), now, metering.Result{Outcome: metering.Retry, StatusCode: http.StatusServiceUnavailable, RetryAfter: 20 * time.Second})
	if wait := g.until.Sub(now); wait != 20*time.Second {
		t.Errorf("wait is %v, want 20 s", wait)
	}
}

func TestGateRefusedKey(t *testing.T) {
	now := time.Unix(1000, 0)
	g := newTestGate()
	g.refused(now, now)
	if !g.unauthorized || g.limit != 1 || g.until.Sub(now) != time.Minute {
		t.Errorf("unauthorized %v, limit %d, wait %v", g.unauthorized, g.limit, g.until.Sub(now))
	}
	now = g.until
	g.failed(1, now, now, metering.Result{Outcome: metering.Retry})
	if g.unauthorized {
		t.Error("still unauthorized although the service has become unreachable")
	}
	g.refused(g.until, g.until)
	if release := g.answered(now, slow); !release || g.unauthorized {
		t.Errorf("after an answer: release %v, unauthorized %v", release, g.unauthorized)
	}
}

// TestGateKeepsDemandedPause: a request that was under way when the service asked
// for a pause, and succeeds, does not end the pause.
func TestGateKeepsDemandedPause(t *testing.T) {
	now := time.Unix(1000, 0)
	g := newTestGate()
	g.failed(1, now, now, metering.Result{Outcome: metering.Retry, StatusCode: http.StatusTooManyRequests, RetryAfter: time.Minute})
	g.answered(now.Add(-time.Second), slow)
	if !g.closed || g.until.Sub(now) != time.Minute {
		t.Errorf("closed %v, pause %v", g.closed, g.until.Sub(now))
	}
	g.answered(now.Add(time.Minute), slow)
	if g.closed {
		t.Error("closed after the probe succeeded")
	}
}

// slow is an answer of a service that is far away.
const slow = 80 * time.Millisecond

// A service that is near gets few senders, one that is far all of them, and one
// that changes is followed.
func TestGateFitsSendersToTheService(t *testing.T) {
	now := time.Unix(1000, 0)
	g := newGate(NewDefaultRetryConfig(), 12)
	for i, step := range []struct {
		took time.Duration
		want int
	}{
		{slow, 4},
		{slow, quickSenders},
		{time.Millisecond, quickSenders},
		{slow, 4},
		{slow, 4},
		{slow, 4},
		{slow, 4},
		{slow, 4},
		{slow, 4},
		{slow, 4},
		{slow, 8},
		{quickAnswer, 12},
		{slow, 12},
		{quickAnswer - 1, quickSenders},
		{slow, quickSenders},
	} {
		if g.answered(now, step.took); g.limit != step.want {
			t.Fatalf("after answer %d, which took %v, %d senders may work, want %d", i+1, step.took, g.limit, step.want)
		}
	}
	few := newGate(NewDefaultRetryConfig(), 3)
	for range 3 {
		few.answered(now, time.Millisecond)
	}
	if few.limit != 3 {
		t.Errorf("%d senders may work, want the 3 that there are", few.limit)
	}
}
