// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// putAt queues n billed records for an endpoint.
func (r *rig) putAt(endpoint metering.Endpoint, prefix string, n int) {
	for i := range n {
		r.account.tally.decided(convert.Billed, "usage", false)
		r.lanes.put("", metering.Frozen{Endpoint: endpoint, TransactionID: fmt.Sprintf("%s-%d", prefix, i), Body: []byte("{}")}, time.Now(), true)
	}
}

// TestEndpointsAreIsolated: an endpoint that fails while another one answers holds up
// its own records alone, is tried at growing intervals, and gets all of them when it
// is well again.
func TestEndpointsAreIsolated(t *testing.T) {
	for name, down := range map[string]func(context.Context) metering.Result{
		"no answer": func(context.Context) metering.Result { return noAnswer },
		"unavailable": func(context.Context) metering.Result {
			return metering.Result{Outcome: metering.Retry, StatusCode: 503}
		},
		"hangs": func(ctx context.Context) metering.Result {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			<-ctx.Done()
			return noAnswer
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var well atomic.Bool
				s := newService(func(ctx context.Context, f metering.Frozen, _ int) metering.Result {
					if strings.HasPrefix(f.TransactionID, "tool") && !well.Load() {
						return down(ctx)
					}
					time.Sleep(50 * time.Millisecond)
					return accept
				})
				r := newRig(t, s)
				defer r.lanes.stop()
				r.putAt(metering.EndpointCompletions, "first", 10)
				time.Sleep(time.Second)
				r.putAt(metering.EndpointToolEvents, "tool", 200)
				time.Sleep(time.Minute)
				before, _ := s.count()

				const calls = 3000
				began := time.Now()
				r.putAt(metering.EndpointCompletions, "call", calls)
				for s.acceptedOf("call") < calls {
					time.Sleep(50 * time.Millisecond)
				}
				// 12 senders take 12.5 s, and fewer at first and while a probe hangs.
				if took := time.Since(began); took > 20*time.Second {
					t.Errorf("%d records took %v beside an endpoint that is down", calls, took)
				}
				attempts, _ := s.count()
				if probes := attempts - before - calls; probes > 20 {
					t.Errorf("%d attempts at the endpoint that is down", probes)
				}
				well.Store(true)
				time.Sleep(time.Minute)
				synctest.Wait()
				if n := s.acceptedOf("tool"); n != 200 {
					t.Errorf("%d of 200 accepted after the endpoint recovered", n)
				}
				if rep := r.counts(); rep.Delivered != 10+200+calls || rep.Lost != 0 {
					t.Errorf("report:\n%s", rep)
				}
			})
		})
	}
}

// TestOutageOfAllEndpoints: when none answers, one probe speaks for all records.
func TestOutageOfAllEndpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		s := newService(func(context.Context, metering.Frozen, int) metering.Result {
			if down.Load() {
				return noAnswer
			}
			return accept
		})
		r := newRig(t, s)
		defer r.lanes.stop()
		r.putAt(metering.EndpointCompletions, "first", 10)
		r.putAt(metering.EndpointToolEvents, "tool", 10)
		time.Sleep(time.Second)
		down.Store(true)
		before, _ := s.count()
		r.putAt(metering.EndpointCompletions, "call", 1000)
		r.putAt(metering.EndpointToolEvents, "event", 1000)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		attempts, _ := s.count()
		if probes := attempts - before; probes > 120 {
			t.Errorf("%d attempts in 10 minutes of an outage", probes)
		}
		down.Store(false)
		began := time.Now()
		for s.acceptedOf("call")+s.acceptedOf("event") < 2000 {
			time.Sleep(50 * time.Millisecond)
		}
		if took := time.Since(began); took > 25*time.Second {
			t.Errorf("took %v after the outage", took)
		}
	})
}
