// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// withTenants is for deliveries of several tenants, each with a queue of its own.
func withTenants(c *config) {
	c.queue = nil
	c.tenants.of = func(sdktrace.ReadOnlySpan) string { return "" } // these tests name tenants themselves
}

// putFor queues n billed records of a tenant.
func (r *rig) putFor(tenant string, n int) {
	for i := range n {
		r.account.tally.decided(convert.Billed, "usage", false)
		id := fmt.Sprintf("%s-%d", tenant, i)
		r.lanes.put(tenant, metering.Frozen{Endpoint: metering.EndpointCompletions, TransactionID: id, Body: []byte("{}")}, time.Now(), true)
	}
}

// acceptedOf is the number of accepted records of a tenant.
func (s *service) acceptedOf(tenant string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for id := range s.accepted {
		if strings.HasPrefix(id, tenant+"-") {
			n++
		}
	}
	return n
}

// TestTenantsAreIsolated: whatever befalls one tenant, the records of the others
// arrive as if it was not there.
func TestTenantsAreIsolated(t *testing.T) {
	hang := func(ctx context.Context) metering.Result {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		<-ctx.Done()
		return noAnswer
	}
	for name, down := range map[string]func(context.Context) metering.Result{
		"no answer":     func(context.Context) metering.Result { return noAnswer },
		"hangs":         hang,
		"refused key":   func(context.Context) metering.Result { return unauthorized },
		"server errors": func(context.Context) metering.Result { return serverError },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService(func(ctx context.Context, f metering.Frozen, _ int) metering.Result {
					if strings.HasPrefix(f.TransactionID, "down") {
						return down(ctx)
					}
					time.Sleep(50 * time.Millisecond)
					return accept
				})
				r := newRig(t, s, withTenants)
				defer r.lanes.stop()
				for i := range 20 {
					r.putFor(fmt.Sprintf("down%d", i), 50)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				before := time.Now()
				r.putFor("blue", 1000)
				r.putFor("green", 1000)
				for s.acceptedOf("blue")+s.acceptedOf("green") < 2000 {
					time.Sleep(50 * time.Millisecond)
				}
				// 12 senders each: 1,000 records take 1000/12 × 50 ms = 4.2 s, and some
				// rounds until so many are at work.
				if took := time.Since(before); took > 5*time.Second {
					t.Errorf("2,000 records of two tenants took %v beside 20 that are down", took)
				}
				if n := s.mostAtOnce(); n > regularRequests+probeRequests {
					t.Errorf("%d requests at the same time", n)
				}
				rep := r.counts()
				if rep.Delivered != 2000 || rep.Queued+rep.Parked != 1000 || rep.Lost != 0 {
					t.Errorf("report:\n%s", rep)
				}
				if got := rep.Tenants["blue"]; got != (TenantReport{Billed: 1000, Delivered: 1000}) {
					t.Errorf("report of blue: %+v", got)
				}
				if got := rep.Tenants["down7"]; got.Billed != 50 || got.Queued+got.Parked != 50 || (got.Parked == 50) != (name == "refused key") {
					t.Errorf("report of down7: %+v", got)
				}
			})
		})
	}
}

// TestManyTenantsShareFairly: many tenants with much to send get their turns, and
// all get done.
func TestManyTenantsShareFairly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(context.Context, metering.Frozen, int) metering.Result {
			time.Sleep(50 * time.Millisecond)
			return accept
		})
		r := newRig(t, s, withTenants)
		defer r.lanes.stop()
		const tenants, each = 100, 60
		r.putFor("busy", 5000)
		time.Sleep(time.Second)
		for i := range tenants {
			r.putFor(fmt.Sprintf("t%d", i), each)
		}
		// 6,000 records with 24 at a time take 12.5 s, and some more since the busy one
		// has its share.
		time.Sleep(16 * time.Second)
		synctest.Wait()
		for i := range tenants {
			if n := s.acceptedOf(fmt.Sprintf("t%d", i)); n != each {
				t.Errorf("t%d: %d of %d accepted", i, n, each)
			}
		}
		if err := r.lanes.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.mostAtOnce(); n > regularRequests+probeRequests {
			t.Errorf("%d requests at the same time", n)
		}
		if rep := r.counts(); rep.Delivered != 5000+tenants*each {
			t.Errorf("report:\n%s", rep)
		}
	})
}

// TestTenantsFlushTogether: a flush waits for all tenants at once and says how many
// records of all still wait.
func TestTenantsFlushTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(_ context.Context, f metering.Frozen, _ int) metering.Result {
			if strings.HasPrefix(f.TransactionID, "a") {
				return accept
			}
			return noAnswer
		})
		r := newRig(t, s, withTenants)
		defer r.lanes.stop()
		for _, tenant := range []string{"", "a", "b", "c"} {
			r.putFor(tenant, 10)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		before := time.Now()
		err := r.lanes.flush(ctx)
		var flush *FlushError
		if !errors.As(err, &flush) || flush.Waiting != 30 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("flush = %v", err)
		}
		if took := time.Since(before); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// TestTooManyTenants: names of tenants come from attributes, and there is an end to
// how many are told apart.
func TestTooManyTenants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newService(func(context.Context, metering.Frozen, int) metering.Result { return accept }), withTenants)
		defer r.lanes.stop()
		for i := range maxTenants + 3 {
			r.putFor(fmt.Sprintf("t%d", i), 1)
		}
		if err := r.lanes.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rep := r.counts(); rep.Delivered != maxTenants || rep.LostBy[LossTooManyTenants] != 3 {
			t.Errorf("report: %d delivered, lost %v", rep.Delivered, rep.LostBy)
		}
	})
}

// newKeyRig is a rig with a key that can change, to a service that takes only good.
func newKeyRig(t *testing.T, good string, key metering.APIKeyFunc) *rig {
	t.Helper()
	request := noteKeys(key)
	s := newService(func(ctx context.Context, _ metering.Frozen, _ int) metering.Result {
		if k, err := request(ctx); k == good && err == nil {
			return accept
		}
		return unauthorized
	})
	return newRig(t, s, func(c *config) {
		c.retry.UnauthorizedInterval = time.Hour
		c.keyChanges, c.requestKey = true, request
	})
}

// TestKeyIsReloaded: a new key takes effect within seconds, not with the next probe.
func TestKeyIsReloaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var key atomic.Value
		key.Store("old")
		r := newKeyRig(t, "new", func(context.Context) (string, error) {
			switch key.Load() {
			case "none":
				return "", errors.New("vault is sealed")
			case "panic":
				panic("broken")
			}
			return key.Load().(string), nil
		})
		defer r.stop()
		r.put("a", 10)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if attempts, _ := r.service.count(); attempts > initialSenders {
			t.Errorf("%d attempts with the same key", attempts)
		}
		if rep := r.counts(); rep.Parked != 10 {
			t.Errorf("report:\n%s", rep)
		}
		for _, state := range []string{"none", "panic", "old"} {
			key.Store(state)
			time.Sleep(time.Minute)
			synctest.Wait()
			if rep := r.counts(); rep.Parked != 10 {
				t.Errorf("%s: report:\n%s", state, rep)
			}
		}
		key.Store("new")
		time.Sleep(keyLookInterval)
		synctest.Wait()
		if rep := r.counts(); rep.Delivered != 10 || rep.Parked != 0 {
			t.Errorf("report with the new key:\n%s", rep)
		}
	})
}

// TestKeyIsReplacedByAnotherBadOne: a second bad key parks again.
func TestKeyIsReplacedByAnotherBadOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var key atomic.Value
		key.Store("bad 1")
		r := newKeyRig(t, "good", func(context.Context) (string, error) { return key.Load().(string), nil })
		defer r.stop()
		r.put("a", 5)
		time.Sleep(time.Minute)
		before, _ := r.service.count()
		key.Store("bad 2")
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if attempts, _ := r.service.count(); attempts != before+1 {
			t.Errorf("%d attempts with the second key, want one", attempts-before)
		}
		key.Store("good")
		time.Sleep(keyLookInterval)
		synctest.Wait()
		if rep := r.counts(); rep.Delivered != 5 {
			t.Errorf("report:\n%s", rep)
		}
	})
}

// TestBlockOnOverflow: with the option, the code whose span ends waits for room, up
// to the limit.
func TestBlockOnOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(func(context.Context, metering.Frozen, int) metering.Result {
			time.Sleep(time.Second)
			return accept
		})
		r := newRig(t, s, func(c *config) {
			c.queue = spool.NewMemory(spool.WithMaxEntries(10))
			c.senders = 1
			c.blockLimit = 1500 * time.Millisecond
		})
		defer r.stop()
		r.put("a", 30)
		// Ten had room at once; each further one waited a second for the next to be
		// delivered.
		if took := time.Since(s.start); took != 20*time.Second {
			t.Errorf("putting took %v, want 20s", took)
		}
		if err := r.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rep := r.counts(); rep.Delivered != 30 || rep.Lost != 0 {
			t.Errorf("report:\n%s", rep)
		}
	})
}

// TestBlockOnOverflowEnds: the wait has its limit, and shutdown ends it.
func TestBlockOnOverflowEnds(t *testing.T) {
	for _, policy := range []spool.OverflowPolicy{spool.DropNewest, spool.DropOldest} {
		t.Run(policy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, newService(func(context.Context, metering.Frozen, int) metering.Result { return noAnswer }), func(c *config) {
					c.queue = spool.NewMemory(spool.WithMaxEntries(3), spool.WithOverflow(policy))
					c.blockLimit = time.Minute
				})
				r.put("a", 4)
				took, want := time.Since(r.service.start), time.Minute
				if policy == spool.DropOldest {
					want = 0 // there is always something to give up
				}
				if took != want {
					t.Errorf("the fourth record waited %v, want %v", took, want)
				}
				if rep := r.counts(); rep.LostBy[LossQueueFull] != 1 || rep.Queued != 3 {
					t.Errorf("report:\n%s", rep)
				}
				if policy == spool.DropNewest {
					done := make(chan struct{})
					go func() {
						r.put("b", 1)
						close(done)
					}()
					synctest.Wait()
					before := time.Now()
					r.stopBlocking()
					<-done
					r.put("c", 1)
					if took := time.Since(before); took != 0 {
						t.Errorf("a put waited %v for a delivery that is ending", took)
					}
				}
				r.stop()
			})
		})
	}
}

// TestMaxAgeWithoutStore: what is too old and has nowhere to go is lost, and
// counted.
func TestMaxAgeWithoutStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		r := newRig(t, newService(func(context.Context, metering.Frozen, int) metering.Result {
			if down {
				return noAnswer
			}
			return accept
		}), func(c *config) { c.maxAge = time.Hour })
		defer r.stop()
		r.put("a", 5)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		down = false
		r.put("b", 1)
		if err := r.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rep := r.counts(); rep.Delivered != 1 || rep.LostBy[LossExpired] != 5 {
			t.Errorf("report:\n%s", rep)
		}
	})
}

// TestLateRecordsAreCounted: a record that is delivered after the service has
// forgotten its idempotency key is marked in the report.
func TestLateRecordsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		r := newRig(t, newService(func(context.Context, metering.Frozen, int) metering.Result {
			if down {
				return noAnswer
			}
			return accept
		}))
		defer r.stop()
		r.put("old", 3)
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		down = false
		r.put("new", 2)
		if err := r.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rep := r.counts(); rep.Delivered != 5 || rep.Late != 3 {
			t.Errorf("report:\n%s", rep)
		}
	})
}
