// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

func TestDeliveryDeliversAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(context.Context, metering.Frozen, int) metering.Result {
			time.Sleep(50 * time.Millisecond)
			return accept
		})
		r := newRig(t, s)
		defer r.stop()
		r.put("a", 100)
		synctest.Wait()
		if err := r.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if attempts, accepted := s.count(); attempts != 100 || accepted != 100 {
			t.Errorf("%d attempts, %d accepted, want 100 of each", attempts, accepted)
		}
		if peak := s.mostAtOnce(); peak != defaultSenders {
			t.Errorf("at most %d attempts at the same time, want %d", peak, defaultSenders)
		}
		// 2 + 4 + 4 + 8 + 12 + 12 … senders, 50 ms each: it takes some answers to see
		// that the service is far.
		if took := time.Since(s.start); took != 11*50*time.Millisecond {
			t.Errorf("took %v, want 550ms", took)
		}
		rep := r.counts()
		if rep.Delivered != 100 || rep.Queued != 0 || rep.Attempts["delivered"] != 100 {
			t.Errorf("report:\n%s", rep)
		}
		synctest.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.working != 0 {
			t.Errorf("%d senders run with nothing to do", r.working)
		}
	})
}

// TestDeliveryOutage: while nobody answers, one sender probes; afterwards
// everything is delivered soon.
func TestDeliveryOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const outage, records = 10 * time.Minute, 300
		var s *service
		s = newService(func(context.Context, metering.Frozen, int) metering.Result {
			if time.Since(s.start) < outage {
				return noAnswer
			}
			return accept
		})
		r := newRig(t, s)
		defer r.stop()
		r.put("a", records)
		time.Sleep(outage)
		synctest.Wait()

		attempts, accepted := s.count()
		if accepted != 0 {
			t.Fatalf("%d accepted during the outage", accepted)
		}
		// The intervals are 7.5 s at least once they have grown.
		if limit := int(outage/(7500*time.Millisecond)) + 10; attempts > limit {
			t.Errorf("%d attempts during the outage, want at most %d", attempts, limit)
		}
		if peak := s.mostAtOnce(); peak > initialSenders {
			t.Errorf("%d attempts at the same time, want at most %d", peak, initialSenders)
		}
		if rep := r.counts(); rep.Queued != records || rep.Lost != 0 {
			t.Errorf("report:\n%s", rep)
		}

		// The longest wait for a probe is 22.5 s.
		time.Sleep(22500 * time.Millisecond)
		synctest.Wait()
		if _, accepted := s.count(); accepted != records {
			t.Errorf("%d of %d accepted 22.5 s after the outage", accepted, records)
		}
		if rep := r.counts(); rep.Delivered != records {
			t.Errorf("report:\n%s", rep)
		}
	})
}

// TestDeliveryHang: an endpoint that accepts and never answers is asked by few
// senders, and in the end by one.
func TestDeliveryHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *service
		s = newService(func(ctx context.Context, _ metering.Frozen, _ int) metering.Result {
			if time.Since(s.start) > 5*time.Minute {
				return accept
			}
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			<-ctx.Done()
			return noAnswer
		})
		r := newRig(t, s)
		defer r.stop()
		r.put("a", 300)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if peak := s.mostAtOnce(); peak != initialSenders {
			t.Errorf("at most %d attempts at the same time, want %d", peak, initialSenders)
		}
		time.Sleep(time.Minute)
		if rep := r.counts(); rep.Delivered != 300 {
			t.Errorf("report a minute after the service has recovered:\n%s", rep)
		}
	})
}

// TestDeliveryHangAfterSuccess: all senders hang at once; that is one failure,
// not as many as there are senders.
func TestDeliveryHangAfterSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(_ context.Context, _ metering.Frozen, n int) metering.Result {
			if n > 100 && n <= 100+quickSenders {
				time.Sleep(10 * time.Second)
				return noAnswer
			}
			return accept
		})
		r := newRig(t, s)
		defer r.stop()
		r.put("a", 120)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if rep := r.counts(); rep.Delivered != 120 {
			t.Errorf("report a second after the hang:\n%s", rep)
		}
	})
}

// TestDeliveryUnauthorized: a refused key parks all records, and none is lost.
func TestDeliveryUnauthorized(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *service
		s = newService(func(context.Context, metering.Frozen, int) metering.Result {
			if time.Since(s.start) < time.Hour {
				return unauthorized
			}
			return accept
		})
		r := newRig(t, s, func(c *config) { c.retry.MaxElapsedTime = time.Minute })
		defer r.stop()
		r.put("a", 50)
		time.Sleep(time.Hour - 1)
		synctest.Wait()
		attempts, _ := s.count()
		if low, high := 3600/45, 3600/15+2; attempts < low || attempts > high {
			t.Errorf("%d attempts in an hour, want between %d and %d", attempts, low, high)
		}
		if rep := r.counts(); rep.Parked != 50 || rep.Queued != 0 || rep.Lost != 0 {
			t.Errorf("report:\n%s", rep)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if rep := r.counts(); rep.Delivered != 50 || rep.Parked != 0 {
			t.Errorf("report a minute after the key was accepted:\n%s", rep)
		}
	})
}

// TestDeliveryPoison: one record that always fails, in whatever way, does not
// hold up the others.
func TestDeliveryPoison(t *testing.T) {
	for name, answer := range map[string]metering.Result{
		"server error":      serverError,
		"no answer":         noAnswer,
		"unauthorized":      {Outcome: metering.Unauthorized, StatusCode: http.StatusForbidden},
		"unavailable":       {Outcome: metering.Retry, StatusCode: http.StatusServiceUnavailable},
		"in progress":       {Outcome: metering.Retry, StatusCode: http.StatusConflict, RetryAfter: time.Second},
		"redirect":          {Outcome: metering.Retry, StatusCode: http.StatusFound},
		"request timed out": {Outcome: metering.Retry, StatusCode: http.StatusRequestTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService(func(_ context.Context, f metering.Frozen, _ int) metering.Result {
					if f.TransactionID == "poison-0" {
						return answer
					}
					return accept
				})
				r := newRig(t, s)
				r.put("poison", 1)
				synctest.Wait()
				for i := range 60 {
					r.put(fmt.Sprintf("good%d", i), 1)
					time.Sleep(10 * time.Second)
				}
				time.Sleep(time.Minute) // the last ones may wait for a probe
				synctest.Wait()
				attempts := len(s.times("poison-0"))
				if _, accepted := s.count(); accepted != 60 {
					t.Errorf("%d of 60 good records delivered a minute after the last", accepted)
				}
				// Not forgotten, but not more often than every few seconds either.
				if attempts < 5 || attempts > 150 {
					t.Errorf("%d attempts for the poisonous record in ten minutes", attempts)
				}
				r.stop()
				if rep := r.counts(); rep.Lost != 1 || rep.Delivered != 60 {
					t.Errorf("report:\n%s", rep)
				}
			})
		})
	}
}

// TestDeliveryRetryAfter: what the service demands is obeyed by all senders, and
// a flush does not get around it.
func TestDeliveryRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(_ context.Context, _ metering.Frozen, n int) metering.Result {
			if n == 1 {
				return metering.Result{Outcome: metering.Retry, StatusCode: http.StatusTooManyRequests, RetryAfter: time.Minute}
			}
			return accept
		})
		r := newRig(t, s, func(c *config) { c.senders = 1 })
		defer r.stop()
		r.put("a", 10)
		synctest.Wait()
		if err := r.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if at := s.attempts[1].at; at != time.Minute {
			t.Errorf("second attempt after %v, want 1m", at)
		}
		if at := s.attempts[len(s.attempts)-1].at; at != time.Minute {
			t.Errorf("last record delivered after %v, want 1m", at)
		}
	})
}

// TestDeliveryBackoffGrows: the waits of one record grow and stay within their
// bounds.
func TestDeliveryBackoffGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(context.Context, metering.Frozen, int) metering.Result { return serverError })
		r := newRig(t, s)
		defer r.stop()
		r.put("a", 1)
		time.Sleep(2 * time.Minute)
		at := s.times("a-0")
		interval := 500 * time.Millisecond
		for i := 1; i < len(at); i++ {
			if wait := at[i] - at[i-1]; wait < interval/2 || wait > interval*3/2+time.Millisecond {
				t.Errorf("wait %d is %v, want %v ± 50 %%", i, wait, interval)
			}
			interval = min(interval*2, 15*time.Second)
		}
		if len(at) < 9 {
			t.Errorf("%d attempts in two minutes", len(at))
		}
	})
}

func TestDeliveryRejected(t *testing.T) {
	answer := func(_ context.Context, f metering.Frozen, _ int) metering.Result {
		if strings.HasPrefix(f.TransactionID, "bad") {
			return badRecord
		}
		return accept
	}
	t.Run("without a handler it is lost", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, newService(answer))
			defer r.stop()
			r.put("bad", 2)
			r.put("good", 10)
			synctest.Wait()
			rep := r.counts()
			if rep.Delivered != 10 || rep.Lost != 2 || rep.LostBy[LossRejected] != 2 || rep.DeadLettered != 0 {
				t.Errorf("report:\n%s", rep)
			}
		})
	})
	t.Run("a handler takes it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var got []Rejected
			r := newRig(t, newService(answer), func(c *config) {
				c.onRejected = func(rej Rejected) error {
					got = append(got, rej)
					return nil
				}
			})
			defer r.stop()
			now := time.Now()
			r.put("bad", 1)
			synctest.Wait()
			want := []Rejected{{
				Record: metering.Frozen{
					Endpoint:       metering.EndpointCompletions,
					TransactionID:  "bad-0",
					IdempotencyKey: "key-bad-0",
					Body:           []byte(`{"transactionId":"bad-0"}`),
				},
				Created: now, Attempts: 1, StatusCode: 400, Code: "validation", Message: "model is unknown",
			}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("handler was given (-want +got):\n%s", diff)
			}
			if rep := r.counts(); rep.DeadLettered != 1 || rep.DeadLetteredBy[LossRejected] != 1 || rep.Lost != 0 {
				t.Errorf("report:\n%s", rep)
			}
		})
	})
	for name, handle := range map[string]func(Rejected) error{
		"a handler that fails":  func(Rejected) error { return errors.New("disk full") },
		"a handler that panics": func(Rejected) error { panic("bug") },
	} {
		t.Run(name+" loses it", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, newService(answer), func(c *config) { c.onRejected = handle })
				defer r.stop()
				r.put("bad", 1)
				synctest.Wait()
				if rep := r.counts(); rep.Lost != 1 || rep.DeadLettered != 0 {
					t.Errorf("report:\n%s", rep)
				}
			})
		})
	}
}

func TestDeliveryDuplicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newService(func(context.Context, metering.Frozen, int) metering.Result {
			return metering.Result{Outcome: metering.Duplicate, StatusCode: http.StatusConflict}
		}))
		defer r.stop()
		r.put("a", 3)
		synctest.Wait()
		if rep := r.counts(); rep.Duplicate != 3 || rep.Delivered != 0 {
			t.Errorf("report:\n%s", rep)
		}
	})
}

func TestDeliveryExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(context.Context, metering.Frozen, int) metering.Result { return serverError })
		r := newRig(t, s, func(c *config) { c.retry.MaxElapsedTime = time.Minute })
		defer r.stop()
		r.put("a", 1)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if rep := r.counts(); rep.Lost != 1 || rep.LostBy[LossExpired] != 1 {
			t.Errorf("report:\n%s", rep)
		}
		at := s.times("a-0")
		if last := at[len(at)-1]; last < time.Minute {
			t.Errorf("given up after %v, want a minute at least", last)
		}
	})
}

func TestDeliveryPanicInClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(_ context.Context, _ metering.Frozen, n int) metering.Result {
			if n == 1 {
				panic("round tripper")
			}
			return accept
		})
		r := newRig(t, s)
		defer r.stop()
		r.put("a", 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		if rep := r.counts(); rep.Delivered != 1 || rep.Attempts["retry"] != 1 {
			t.Errorf("report:\n%s", rep)
		}
	})
}
