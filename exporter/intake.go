// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"sync"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// intakeSize bounds how many spans can be on their way from the goroutines that
// end them to the one that decides about them. It takes in a burst; whoever ends a
// span when it is full decides about it himself, so that nothing is lost and
// whoever makes more calls than one goroutine can decide about is slowed down.
const intakeSize = 256

// intakeLinger is how long the goroutine of an intake that has just decided about a
// span waits for more. While they come faster than that nobody has to wake it, and to
// wake a goroutine is the largest part of what the end of a span costs. What a crash
// can lose grows by as much.
const intakeLinger = 5 * time.Millisecond

// intake takes finished spans out of the request path: who ends a span leaves it
// here, and a goroutine of the intake decides about it, in the order in which they
// ended. An SDK's finished span does not change any more, so that nothing needs to
// be copied.
type intake struct {
	decide func(sdktrace.ReadOnlySpan)
	// pending is the number of spans that were left here and not decided about.
	pending atomic.Int64

	mu     sync.Mutex
	ring   [intakeSize]sdktrace.ReadOnlySpan
	first  int
	length int
	awake  bool // the goroutine looks by itself, or was told that there is something
	closed bool

	// deciding is held by whoever decides about the next span, so that the order
	// stays.
	deciding sync.Mutex
	wake     chan struct{} // has room for one
	quit     chan struct{}
	stopped  sync.WaitGroup
}

// newIntake starts the goroutine, which lives until close.
func newIntake(decide func(sdktrace.ReadOnlySpan)) *intake {
	in := &intake{decide: decide, wake: make(chan struct{}, 1), quit: make(chan struct{})}
	in.stopped.Go(in.run)
	return in
}

func (in *intake) run() {
	again := time.NewTimer(intakeLinger)
	defer again.Stop()
	for {
		select {
		case <-in.wake:
		case <-again.C:
		case <-in.quit:
			return
		}
		if in.rest() {
			continue
		}
		in.drain()
		again.Reset(intakeLinger)
	}
}

// rest reports whether there is nothing to decide about, so that the goroutine has to
// be woken for what comes next.
func (in *intake) rest() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.awake = in.length > 0
	return !in.awake
}

// idle reports whether all that was left here has been decided about.
func (in *intake) idle() bool { return in.pending.Load() == 0 }

// put leaves a span. It returns false when there is no room, or nobody who would
// decide about it any more.
func (in *intake) put(s sdktrace.ReadOnlySpan) bool {
	in.mu.Lock()
	if in.closed || in.length == intakeSize {
		in.mu.Unlock()
		return false
	}
	in.ring[(in.first+in.length)%intakeSize] = s
	in.length++
	in.pending.Add(1)
	rouse := !in.awake || in.length == intakeSize/2
	in.awake = true
	in.mu.Unlock()
	if rouse {
		select {
		case in.wake <- struct{}{}:
		default: // it has not yet looked after the last time
		}
	}
	return true
}

// take returns the span that has waited longest.
func (in *intake) take() (s sdktrace.ReadOnlySpan, ok bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.length == 0 {
		return nil, false
	}
	s, in.ring[in.first] = in.ring[in.first], nil
	in.first = (in.first + 1) % intakeSize
	in.length--
	return s, true
}

// drain decides about all that was left here. When it returns, whatever was put
// before has been decided about.
func (in *intake) drain() {
	if in.idle() {
		return
	}
	in.deciding.Lock()
	defer in.deciding.Unlock()
	for {
		s, ok := in.take()
		if !ok {
			return
		}
		in.decide(s)
		in.pending.Add(-1)
	}
}

// close decides about what is left and stops the goroutine. Nothing can be put
// afterwards.
func (in *intake) close() {
	in.mu.Lock()
	again := in.closed
	in.closed = true
	in.mu.Unlock()
	in.drain()
	if !again {
		close(in.quit)
	}
	in.stopped.Wait()
}
