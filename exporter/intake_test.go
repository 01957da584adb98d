// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// numbered returns spans that a test can tell apart.
func numbered(n int) []sdktrace.ReadOnlySpan {
	spans := make([]sdktrace.ReadOnlySpan, n)
	for i := range spans {
		spans[i] = tracetest.SpanStub{Name: strconv.Itoa(i)}.Snapshot()
	}
	return spans
}

// TestIntakeKeepsTheOrder of spans that one goroutine leaves, whoever decides.
func TestIntakeKeepsTheOrder(t *testing.T) {
	var mu sync.Mutex
	var got []string
	in := newIntake(func(s sdktrace.ReadOnlySpan) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, s.Name())
	})
	spans := numbered(5000)
	var helpers sync.WaitGroup
	for i, s := range spans {
		for !in.put(s) {
			in.drain()
		}
		if i%500 == 0 {
			helpers.Go(in.drain)
		}
	}
	helpers.Wait()
	in.close()
	if len(got) != len(spans) {
		t.Fatalf("%d of %d spans were decided about", len(got), len(spans))
	}
	for i := range spans {
		if got[i] != spans[i].Name() {
			t.Fatalf("span %d is %s", i, got[i])
		}
	}
}

// TestIntakeDrainsByItself: nobody has to ask.
func TestIntakeDrainsByItself(t *testing.T) {
	decided := make(chan struct{})
	in := newIntake(func(sdktrace.ReadOnlySpan) { decided <- struct{}{} })
	defer in.close()
	for _, s := range numbered(200) {
		if !in.put(s) {
			t.Fatal("no room for a span although none waits")
		}
		<-decided
	}
}

// TestIntakeLingers: spans that follow one another quickly wake nobody and are
// decided about together, a moment later, unless they become many.
func TestIntakeLingers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		decided := 0
		in := newIntake(func(sdktrace.ReadOnlySpan) { decided++ })
		defer in.close()
		leave := func(n int) {
			t.Helper()
			for _, s := range numbered(n) {
				if !in.put(s) {
					t.Fatal("no room")
				}
			}
			synctest.Wait()
		}
		time.Sleep(time.Second) // nothing has come for long

		leave(1)
		if decided != 1 {
			t.Fatalf("%d decided about of one span that came to rest", decided)
		}
		leave(intakeSize/2 - 1)
		if decided != 1 {
			t.Errorf("%d decided about while the next were expected", decided-1)
		}
		leave(1)
		if want := 1 + intakeSize/2; decided != want {
			t.Errorf("%d decided about, want %d: half of the room was taken", decided, want)
		}
		leave(1)
		time.Sleep(intakeLinger)
		synctest.Wait()
		if want := 2 + intakeSize/2; decided != want {
			t.Errorf("%d decided about, want %d: the time is over", decided, want)
		}
		time.Sleep(intakeLinger) // nothing more came
		leave(1)
		if want := 3 + intakeSize/2; decided != want {
			t.Errorf("%d decided about, want %d: nobody was expected", decided, want)
		}
	})
}

// TestIntakeIsBounded: a full one refuses, and so does a closed one.
func TestIntakeIsBounded(t *testing.T) {
	begin := make(chan struct{})
	n := 0
	in := newIntake(func(sdktrace.ReadOnlySpan) {
		<-begin
		n++
	})
	left := 0
	for _, s := range numbered(4 * intakeSize) {
		if in.put(s) {
			left++
		}
	}
	// The goroutine may have taken one out already.
	if left != intakeSize && left != intakeSize+1 {
		t.Errorf("%d spans were taken in, want %d", left, intakeSize)
	}
	if in.idle() {
		t.Error("idle with spans waiting")
	}
	close(begin)
	in.close()
	in.close()
	if n != left || !in.idle() {
		t.Errorf("%d of %d spans were decided about", n, left)
	}
	if in.put(numbered(1)[0]) {
		t.Error("a closed intake took a span")
	}
}

// TestIntakeLosesNothingWhileItCloses, and decides about nothing twice.
func TestIntakeLosesNothingWhileItCloses(t *testing.T) {
	for range 50 {
		var mu sync.Mutex
		decided := 0
		in := newIntake(func(sdktrace.ReadOnlySpan) {
			mu.Lock()
			defer mu.Unlock()
			decided++
		})
		var enders sync.WaitGroup
		var left [4]int
		for i := range left {
			enders.Go(func() {
				for _, s := range numbered(200) {
					if in.put(s) {
						left[i]++
					}
				}
			})
		}
		in.close()
		enders.Wait()
		if want := left[0] + left[1] + left[2] + left[3]; decided != want {
			t.Fatalf("%d of %d spans were decided about", decided, want)
		}
	}
}
