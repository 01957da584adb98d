// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// queueErrorPause is the wait after the queue's storage failed to hand out a
// record.
const queueErrorPause = time.Second

// delivery takes the frozen records of one tenant to the service: a queue, a gate
// and senders that start when there is something to send and end when there is
// not.
type delivery struct {
	tenant     string
	queue      spool.Queue
	send       func(context.Context, metering.Frozen) metering.Result
	retry      RetryConfig
	maxAge     time.Duration // 0 = unbounded
	blockLimit time.Duration // how long put waits for room
	account    *account
	report     *reporter
	onRejected func(Rejected) error
	// letters keeps what is given up; nil without.
	letters *deadletter.Store
	// observe is told the outcome and duration of each attempt.
	observe func(metering.Result, time.Duration)
	// limiter shares requests with the deliveries of other tenants.
	limiter *limiter
	watch   keyWatch

	// ctx ends when the senders have to abandon their attempts.
	ctx    context.Context
	cancel context.CancelFunc

	mu   sync.Mutex
	gate gate
	// destinations are the endpoints, of which some can fail while others answer.
	destinations destinations
	working      int    // senders that run
	wakes        uint64 // changes whenever there may be something new to take
	timer        *time.Timer
	armed        time.Time // when timer fires; zero when it is not running
	waiters      map[*waiter]struct{}
	stopped      bool
	idle         chan struct{} // closed when the last sender has ended after stop
	// room is closed, and another one made, when there may be room for a record
	// again; nil unless a put waits for it.
	room    chan struct{}
	hurried bool // no put waits any more

	// finishing keeps a record from being counted twice: by a sender that finishes
	// it, who holds it for reading, and by stop, who counts what is left.
	finishing sync.RWMutex
	closed    bool // all is counted; what senders still bring is too late
}

// waiter is a flush that waits for the records up to an id.
type waiter struct {
	last  spool.ID
	since time.Time
	done  chan error
}

// newDelivery returns the delivery of a tenant's queue. Nothing runs before start.
func newDelivery(cfg config, tenant string, queue spool.Queue, t *tally, r *reporter) *delivery {
	ctx, cancel := context.WithCancel(withTenant(context.Background(), tenant))
	var watch keyWatch
	if cfg.keyChanges {
		watch = newKeyWatch(cfg.requestKey)
	}
	return &delivery{
		tenant:     tenant,
		queue:      queue,
		send:       cfg.send,
		retry:      cfg.retry,
		maxAge:     cfg.maxAge,
		blockLimit: cfg.blockLimit,
		account:    t.account(tenant),
		report:     r,
		onRejected: cfg.onRejected,
		letters:    cfg.deadLetters,
		observe:    func(metering.Result, time.Duration) {},
		watch:      watch,
		ctx:        ctx,
		cancel:     cancel,
		gate:       newGate(cfg.retry, cfg.senders),

		destinations: newDestinations(cfg.retry),

		waiters: make(map[*waiter]struct{}),
		idle:    make(chan struct{}),
	}
}

// start begins with what an earlier process left in the queue. No sender runs
// before.
func (d *delivery) start() {
	if n := d.queue.Stats().Entries; n > 0 {
		d.account.recovered(int64(n))
		d.kick()
	}
}

// put queues a record that is counted as pending, and counts what is lost by that.
// It never waits for the network or a disk; for room in the queue it waits only if
// that was asked for (WithBlockOnOverflow).
func (d *delivery) put(f metering.Frozen, now time.Time) {
	receipt, err := d.tryPut(spool.Item{Frozen: f, Created: now}, now)
	if d.blockLimit > 0 && errors.Is(err, spool.ErrFull) {
		receipt, err = d.putWhenRoom(spool.Item{Frozen: f, Created: now})
	}
	for i := range receipt.Evicted {
		d.lose(receipt.Evicted[i].Frozen, LossQueueFull, "queue full: an old record was given up for a newer one")
	}
	if len(receipt.Evicted) > 0 {
		d.progress()
	}
	switch {
	case err == nil:
		d.kick()
	case errors.Is(err, spool.ErrFull):
		d.lose(f, LossQueueFull, "queue full: a record was given up")
	case errors.Is(err, spool.ErrTooLarge):
		d.lose(f, LossTooLarge, "a record is larger than the whole queue and was given up")
	case errors.Is(err, spool.ErrClosed):
		d.refuse(f)
	default:
		d.account.lost(f, LossQueueFailed)
		d.report.problem(slog.LevelError, LossQueueFailed, "revenium: storing a record failed: it is lost", slog.Any("error", err))
	}
}

// putWhenRoom waits until there is room for a record, at most for the limit that
// was set, and not for a delivery that is ending.
func (d *delivery) putWhenRoom(item spool.Item) (spool.Receipt, error) {
	limit := time.NewTimer(d.blockLimit)
	defer limit.Stop()
	for {
		d.mu.Lock()
		if d.room == nil {
			d.room = make(chan struct{})
		}
		room, stopped := d.room, d.stopped || d.hurried
		d.mu.Unlock()

		// What came free before the channel was there is not missed.
		receipt, err := d.tryPut(item, time.Now())
		if !errors.Is(err, spool.ErrFull) || stopped {
			return receipt, err
		}
		select {
		case <-room:
		case <-limit.C:
			return receipt, err
		}
	}
}

// freed tells the puts that wait for room to try again. The caller holds the lock.
func (d *delivery) freed() {
	if d.room != nil {
		close(d.room)
		d.room = nil
	}
}

// stopBlocking ends the waits for room: from now on a full queue is full.
func (d *delivery) stopBlocking() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hurried = true
	d.freed()
}

// refuse counts a record that came too late.
func (d *delivery) refuse(f metering.Frozen) {
	d.lose(f, LossAfterShutdown, "a span ended after shutdown and is not metered")
}

// tryPut turns a panic in a foreign queue into a lost record: this runs in the
// application's request path.
func (d *delivery) tryPut(item spool.Item, now time.Time) (receipt spool.Receipt, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("exporter: panic in the queue: %v", p)
		}
	}()
	return d.queue.Put(item, now)
}

// lose counts a lost record and says so.
func (d *delivery) lose(f metering.Frozen, reason, msg string) {
	d.account.lost(f, reason)
	stats := d.queue.Stats()
	d.report.problem(slog.LevelError, reason, "revenium: "+msg,
		slog.Int("queue_size", stats.Entries), slog.Int64("queue_bytes", stats.Bytes))
}

// kick lets a sender look for work.
func (d *delivery) kick() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wakes++
	d.spawn()
}

// spawn starts a sender if one more may work. The caller holds the lock.
func (d *delivery) spawn() {
	if d.stopped || d.working >= d.gate.limit {
		return
	}
	if at := d.gate.opens(); time.Now().Before(at) {
		d.arm(at)
		return
	}
	pool := d.limiter.pool(d.gate.closed)
	if !pool.take(d) {
		return
	}
	d.working++
	go d.work(pool)
}

// arm makes sure that a sender looks for work at that time. The caller holds the
// lock.
func (d *delivery) arm(at time.Time) {
	if d.stopped || (!d.armed.IsZero() && !at.Before(d.armed)) {
		return
	}
	d.armed = at
	wait := max(time.Until(at), 0)
	if d.timer == nil {
		d.timer = time.AfterFunc(wait, d.onTimer)
		return
	}
	d.timer.Reset(wait)
}

func (d *delivery) onTimer() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed = time.Time{}
	d.wakes++
	d.spawn()
}

// work is a sender: it delivers one record after the other until there is nothing
// to do for it, or until another tenant wants its turn.
func (d *delivery) work(pool *pool) {
	defer pool.give()
	for {
		entry, allowed, ok := d.next()
		if !ok {
			return
		}
		if d.maxAge > 0 && time.Since(entry.Created) > d.maxAge {
			d.expire(entry)
		} else {
			d.attempt(entry, allowed)
		}
		if pool.contended() {
			d.yield()
			return
		}
	}
}

// yield ends the calling sender and has another one wait for its turn.
func (d *delivery) yield() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.end()
	d.spawn()
}

// begin starts a sender with a permission that the delivery has waited for. It
// reports false if there is no use for it any more.
func (d *delivery) begin(p *pool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()

	if d.limiter.pool(d.gate.closed) != p {
		d.spawn() // waits in the other queue now
		return false
	}
	if d.stopped || d.working >= d.gate.limit || time.Now().Before(d.gate.opens()) {
		return false
	}
	d.working++
	go d.work(p)
	return true
}

// next takes the next due record, and returns when the gate allowed to send it.
// When there is none, or fewer senders may work than do, it ends the sender that
// called and reports false.
func (d *delivery) next() (e spool.Entry, allowed time.Time, ok bool) {
	for {
		now := time.Now()
		d.mu.Lock()
		if !d.stopped && d.gate.looks(now) {
			d.mu.Unlock()
			d.lookAtKey()
			continue
		}
		if at := d.gate.opens(); d.stopped || d.working > d.gate.limit || now.Before(at) {
			if !at.IsZero() {
				d.arm(at)
			}
			d.end()
			d.mu.Unlock()
			return spool.Entry{}, now, false
		}
		seen := d.wakes
		d.mu.Unlock()

		entry, ok, err := d.queue.Take(now)
		due, waiting := d.queue.NextDue()
		if err != nil && !errors.Is(err, spool.ErrClosed) {
			d.report.problem(slog.LevelError, "queue take", "revenium: reading the queue failed; trying again", slog.Any("error", err))
			due, waiting = now.Add(queueErrorPause), true
		}

		d.mu.Lock()
		switch {
		case ok:
			if until, wait := d.destinations.hold(entry.Endpoint, now); wait {
				d.mu.Unlock()
				d.settled(d.queue.Requeue(entry.ID, entry.Attempts, until))
				continue
			}
			// One more sender may have something to do, too.
			if waiting && !due.After(now) {
				d.spawn()
			}
			d.mu.Unlock()
			return entry, now, true
		case seen != d.wakes && !d.stopped:
			// Something was put or became due while this sender was looking.
			d.mu.Unlock()
			continue
		}
		if waiting {
			d.arm(due)
		}
		d.end()
		d.mu.Unlock()
		// A queue can lose what it cannot read: nobody must wait for that.
		d.progress()
		return spool.Entry{}, now, false
	}
}

// lookAtKey opens the gate if the key that was refused has been replaced.
func (d *delivery) lookAtKey() {
	digest, ok := d.watch.look(d.ctx)
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gate.lookAt = now.Add(keyLookInterval)
	if !ok || digest == d.watch.refused || !d.gate.unauthorized {
		return
	}
	d.gate.reloaded(now)
	// What was refused waits for a probe that comes earlier now.
	d.settled(d.queue.Release(now))
}

// end counts the calling sender out. The caller holds the lock.
func (d *delivery) end() {
	d.working--
	if d.stopped && d.working == 0 {
		close(d.idle)
	}
}
