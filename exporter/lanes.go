// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// maxTenants bounds the tenants of one process: their names come from attributes,
// and what comes from outside may not grow a table for ever.
const maxTenants = 4096

// lanes are the deliveries of all tenants. Each has a queue and a gate of its own,
// so that what befalls one does not touch the others.
type lanes struct {
	cfg      config
	tally    *tally
	report   *reporter
	limiter  *limiter
	newQueue func(tenant string) spool.Queue
	observe  func(metering.Result, time.Duration)

	// common is the delivery of records without a tenant.
	common *delivery

	mu      sync.RWMutex
	named   map[string]*delivery
	stopped bool
}

// newLanes returns the deliveries of the tenants for whom something is waiting, and
// the common one. Nothing runs before start.
func newLanes(cfg config, newQueue func(tenant string) spool.Queue, t *tally, r *reporter) *lanes {
	l := &lanes{
		cfg:      cfg,
		tally:    t,
		report:   r,
		newQueue: newQueue,
		observe:  func(metering.Result, time.Duration) {},
		named:    make(map[string]*delivery),
	}
	if cfg.tenants.used() {
		l.limiter = newLimiter()
	}
	l.common = l.newDelivery("")
	return l
}

// start begins with what earlier processes left, for these tenants among others.
func (l *lanes) start(tenants []string) {
	l.common.start()
	for _, tenant := range tenants {
		if d := l.of(tenant); d != nil && d != l.common {
			d.start()
		}
	}
}

func (l *lanes) newDelivery(tenant string) *delivery {
	d := newDelivery(l.cfg, tenant, l.newQueue(tenant), l.tally, l.report)
	d.limiter = l.limiter
	d.observe = func(res metering.Result, took time.Duration) { l.observe(res, took) }
	return d
}

// of is the delivery of a tenant; nil if there are too many.
func (l *lanes) of(tenant string) *delivery {
	if tenant == "" {
		return l.common
	}
	l.mu.RLock()
	d := l.named[tenant]
	l.mu.RUnlock()
	if d != nil {
		return d
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := l.named[tenant]; d != nil {
		return d
	}
	if len(l.named) >= maxTenants || l.stopped {
		return nil
	}
	d = l.newDelivery(tenant)
	l.named[tenant] = d
	return d
}

// put queues a billed record of a tenant. Without admit it counts as lost: shutdown
// would never end if it accepted more.
func (l *lanes) put(tenant string, f metering.Frozen, now time.Time, admit bool) {
	d := l.of(tenant)
	switch {
	case d == nil:
		l.common.account.billed(f)
		if !admit {
			l.common.refuse(f)
			return
		}
		l.common.lose(f, LossTooManyTenants, "a record is of one tenant more than can be told apart and was given up")
	case !admit:
		d.account.billed(f)
		d.refuse(f)
	default:
		d.account.billed(f)
		d.put(f, now)
	}
}

// all are the deliveries.
func (l *lanes) all() []*delivery {
	l.mu.RLock()
	defer l.mu.RUnlock()
	all := make([]*delivery, 0, 1+len(l.named))
	all = append(all, l.common)
	for _, d := range l.named {
		all = append(all, d)
	}
	return all
}

// flush waits until all that is queued has reached its end, for all tenants at the
// same time.
func (l *lanes) flush(ctx context.Context) error {
	all := l.all()
	if len(all) == 1 {
		return all[0].flush(ctx)
	}
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, d := range all {
		wg.Go(func() { errs[i] = d.flush(ctx) })
	}
	wg.Wait()
	var joined *FlushError
	for _, err := range errs {
		flush, ok := errors.AsType[*FlushError](err)
		switch {
		case err == nil:
		case !ok:
			return err
		case joined == nil:
			joined = flush
		default:
			joined = &FlushError{Waiting: joined.Waiting + flush.Waiting, Err: joined.Err}
		}
	}
	if joined == nil {
		return nil
	}
	return joined
}

// stop ends all deliveries.
func (l *lanes) stop() {
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	var wg sync.WaitGroup
	for _, d := range l.all() {
		wg.Go(d.stop)
	}
	wg.Wait()
}

// stopBlocking ends the waits for room in a queue.
func (l *lanes) stopBlocking() {
	for _, d := range l.all() {
		d.stopBlocking()
	}
}

// waiting is the state of what waits in the queues of all tenants.
type waiting struct {
	stats    spool.Stats // summed up; the oldest of all
	parked   int64
	durable  int64 // of what is not parked
	byTenant map[string]spool.Stats
	isParked map[string]bool
	finished bool
}

// state looks at all queues.
func (l *lanes) state() waiting {
	w := waiting{byTenant: make(map[string]spool.Stats), isParked: make(map[string]bool), finished: true}
	for _, d := range l.all() {
		stats, parked, finished := d.queue.Stats(), d.parked(), d.finished()
		w.finished = w.finished && finished
		if finished {
			// What is not on disk is counted as lost.
			stats.Entries = stats.Durable
		}
		w.byTenant[d.tenant] = stats
		w.isParked[d.tenant] = parked
		w.stats.Entries += stats.Entries
		w.stats.Bytes += stats.Bytes
		w.stats.MaxEntries += stats.MaxEntries
		w.stats.MaxBytes += stats.MaxBytes
		w.stats.Durable += stats.Durable
		if stats.Entries > 0 && !stats.OldestCreated.IsZero() &&
			(w.stats.OldestCreated.IsZero() || stats.OldestCreated.Before(w.stats.OldestCreated)) {
			w.stats.OldestCreated = stats.OldestCreated
		}
		if parked {
			w.parked += int64(stats.Entries)
		} else {
			w.durable += int64(stats.Durable)
		}
	}
	return w
}
