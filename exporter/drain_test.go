// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

func TestFlushWaitsForWhatWasQueuedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(_ context.Context, f metering.Frozen, _ int) metering.Result {
			if f.TransactionID == "late-0" {
				time.Sleep(time.Hour)
			} else {
				time.Sleep(time.Second)
			}
			return accept
		})
		r := newRig(t, s)
		defer r.stop()
		r.put("a", 1)
		done := make(chan error)
		go func() { done <- r.flush(t.Context()) }()
		synctest.Wait()
		r.put("late", 1)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if took := time.Since(s.start); took != time.Second {
			t.Errorf("flush took %v, want 1s: it does not wait for what came later", took)
		}
		if err := r.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(s.start); took < time.Hour {
			t.Errorf("second flush ended after %v, want an hour", took)
		}
	})
}

func TestFlushOfNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := newRig(t, newService(nil))
	defer r.stop()
	if err := r.flush(ctx); err != nil {
		t.Errorf("flush of an empty queue: %v", err)
	}
}

// TestFlushHurries: a flush does not wait out the backoff of an outage.
func TestFlushHurries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		s := newService(func(context.Context, metering.Frozen, int) metering.Result {
			if down {
				return noAnswer
			}
			return accept
		})
		r := newRig(t, s)
		defer r.stop()
		r.put("a", 20)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		down = false
		before := time.Now()
		if err := r.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(before); took > 0 {
			t.Errorf("flush took %v, want no wait", took)
		}
	})
}

func TestFlushDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newService(func(context.Context, metering.Frozen, int) metering.Result { return noAnswer }))
		defer r.stop()
		r.put("a", 7)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err := r.flush(ctx)
		var flush *FlushError
		if !errors.As(err, &flush) || flush.Waiting != 7 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("flush = %v, want a FlushError with 7 records that wraps the context's error", err)
		}
		if want := "exporter: flush ended with 7 records waiting: context deadline exceeded"; err.Error() != want {
			t.Errorf("error is %q, want %q", err, want)
		}
		if rep := r.counts(); rep.Queued != 7 || rep.Lost != 0 {
			t.Errorf("report:\n%s", rep)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.waiters) != 0 {
			t.Errorf("%d waiters left behind", len(r.waiters))
		}
	})
}

// TestFlushEndsWhenKeyIsRefused: a function in the cloud must not spend its whole
// time limit on a wrong key.
func TestFlushEndsWhenKeyIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(context.Context, metering.Frozen, int) metering.Result {
			time.Sleep(100 * time.Millisecond)
			return unauthorized
		})
		r := newRig(t, s)
		defer r.stop()
		r.put("a", 5)
		time.Sleep(time.Minute)
		synctest.Wait()
		before := time.Now()
		err := r.flush(t.Context())
		if !errors.Is(err, errKeyRefused) {
			t.Errorf("flush = %v, want that the key is refused", err)
		}
		if took := time.Since(before); took > 200*time.Millisecond {
			t.Errorf("flush took %v, want two attempts at most", took)
		}
	})
}

func TestStopCountsWhatIsLeft(t *testing.T) {
	for name, test := range map[string]struct {
		answer metering.Result
		reason string
	}{
		"outage":      {noAnswer, LossShutdown},
		"refused key": {unauthorized, LossKeyRefused},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, newService(func(context.Context, metering.Frozen, int) metering.Result { return test.answer }))
				r.put("a", 12)
				time.Sleep(time.Second)
				r.stop()
				r.stop() // harmless
				if rep := r.counts(); rep.Lost != 12 || rep.LostBy[test.reason] != 12 || rep.Parked != 0 {
					t.Errorf("report:\n%s", rep)
				}
				r.put("b", 1)
				if rep := r.counts(); rep.LostBy[LossAfterShutdown] != 1 {
					t.Errorf("report after a record that came too late:\n%s", rep)
				}
				if err := r.flush(t.Context()); err != nil {
					t.Errorf("flush after stop: %v", err)
				}
			})
		})
	}
}

// TestStopAbandonsAttempts: attempts under way are cancelled and count as lost,
// unless they succeed nevertheless.
func TestStopAbandonsAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(ctx context.Context, f metering.Frozen, _ int) metering.Result {
			<-ctx.Done()
			if f.TransactionID == "a-0" {
				return accept
			}
			return metering.Result{Outcome: metering.Retry, Err: ctx.Err()}
		})
		r := newRig(t, s)
		r.put("a", 3)
		synctest.Wait()
		before := time.Now()
		r.stop()
		if took := time.Since(before); took > 0 {
			t.Errorf("stop took %v although the attempts end when cancelled", took)
		}
		rep := r.counts()
		if rep.Delivered != 1 || rep.Lost != 2 {
			t.Errorf("report:\n%s", rep)
		}
		if n := rep.Attempts["retry"]; n != 0 {
			t.Errorf("%d abandoned attempts counted as failures of the service", n)
		}
	})
}

// TestStopDoesNotWaitForDeafClients: an http.Client that ignores its context
// delays the end by no more than the grace, and what it brings later changes
// nothing.
func TestStopDoesNotWaitForDeafClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newService(func(context.Context, metering.Frozen, int) metering.Result {
			time.Sleep(time.Hour)
			return accept
		}))
		r.put("a", 3)
		synctest.Wait()
		before := time.Now()
		r.stop()
		if took := time.Since(before); took != stopGrace {
			t.Errorf("stop took %v, want %v", took, stopGrace)
		}
		if rep := r.counts(); rep.Lost != 3 {
			t.Errorf("report:\n%s", rep)
		}
		time.Sleep(2 * time.Hour)
		if rep := r.counts(); rep.Lost != 3 || rep.Delivered != 0 {
			t.Errorf("report after the late answers:\n%s", rep)
		}
	})
}

func TestOverflow(t *testing.T) {
	for _, policy := range []spool.OverflowPolicy{spool.DropNewest, spool.DropOldest} {
		t.Run(policy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				down := true
				s := newService(func(context.Context, metering.Frozen, int) metering.Result {
					if down {
						return noAnswer
					}
					return accept
				})
				r := newRig(t, s, func(c *config) {
					c.queue = spool.NewMemory(spool.WithMaxEntries(10), spool.WithOverflow(policy))
				})
				defer r.stop()
				r.put("first", 1)
				synctest.Wait()
				r.put("a", 24)
				if rep := r.counts(); rep.Queued != 10 || rep.Lost != 15 || rep.LostBy[LossQueueFull] != 15 {
					t.Errorf("report:\n%s", rep)
				}
				down = false
				if err := r.flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				if rep := r.counts(); rep.Delivered != 10 || rep.Lost != 15 {
					t.Errorf("report:\n%s", rep)
				}
				if _, newest := s.accepted["a-23"]; newest != (policy == spool.DropOldest) {
					t.Errorf("newest record delivered: %v", newest)
				}
				if _, oldest := s.accepted["first-0"]; oldest != (policy == spool.DropNewest) {
					t.Errorf("oldest record delivered: %v", oldest)
				}
			})
		})
	}
}

// TestFlushEndsWhenTheRestIsEvicted: what overflow gave up is no longer waited
// for.
func TestFlushEndsWhenTheRestIsEvicted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newService(func(context.Context, metering.Frozen, int) metering.Result { return noAnswer }), func(c *config) {
			c.queue = spool.NewMemory(spool.WithMaxEntries(5), spool.WithOverflow(spool.DropOldest))
		})
		defer r.stop()
		r.put("a", 5)
		done := make(chan error)
		go func() { done <- r.flush(t.Context()) }()
		synctest.Wait()
		r.put("b", 5)
		if err := <-done; err != nil {
			t.Errorf("flush = %v", err)
		}
	})
}

// faultyQueue fails as storage can.
type faultyQueue struct {
	*spool.Memory
	fail func(op string) bool
}

var errDisk = errors.New("input/output error")

func (q faultyQueue) Put(item spool.Item, now time.Time) (spool.Receipt, error) {
	if q.fail("panic") {
		panic("broken queue")
	}
	if q.fail("put") {
		return spool.Receipt{}, errDisk
	}
	return q.Memory.Put(item, now)
}

func (q faultyQueue) Take(now time.Time) (spool.Entry, bool, error) {
	if q.fail("take") {
		return spool.Entry{}, false, errDisk
	}
	return q.Memory.Take(now)
}

func (q faultyQueue) Close() error {
	return errors.Join(q.Memory.Close(), errDisk)
}

func TestQueueFailures(t *testing.T) {
	for _, op := range []string{"put", "panic"} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failing := true
				r := newRig(t, newService(func(context.Context, metering.Frozen, int) metering.Result { return accept }), func(c *config) {
					c.queue = faultyQueue{spool.NewMemory(), func(o string) bool { return o == op && failing }}
				})
				defer r.stop()
				r.put("a", 2)
				failing = false
				r.put("b", 1)
				synctest.Wait()
				if rep := r.counts(); rep.LostBy[LossQueueFailed] != 2 || rep.Delivered != 1 {
					t.Errorf("report:\n%s", rep)
				}
			})
		})
	}
	t.Run("take", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			r := newRig(t, newService(func(context.Context, metering.Frozen, int) metering.Result { return accept }), func(c *config) {
				c.queue = faultyQueue{spool.NewMemory(), func(o string) bool { return o == "take" && time.Since(start) < time.Minute }}
			})
			defer r.stop()
			r.put("a", 2)
			time.Sleep(time.Minute + queueErrorPause)
			synctest.Wait()
			if rep := r.counts(); rep.Delivered != 2 {
				t.Errorf("report:\n%s", rep)
			}
		})
	})
}

// TestRecoveredRecordsAreDelivered: what is in the queue at the start is sent and
// counted apart from what this process bills.
func TestRecoveredRecordsAreDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := spool.NewMemory()
		for _, id := range []string{"x", "y"} {
			item := spool.Item{Frozen: metering.Frozen{Endpoint: metering.EndpointCompletions, TransactionID: id}}
			if _, err := q.Put(item, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		r := newRig(t, newService(func(context.Context, metering.Frozen, int) metering.Result { return accept }), func(c *config) { c.queue = q })
		defer r.stop()
		r.put("a", 1)
		synctest.Wait()
		if rep := r.counts(); rep.Recovered != 2 || rep.Billed != 1 || rep.Delivered != 3 {
			t.Errorf("report:\n%s", rep)
		}
	})
}
