// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// stopGrace is how long shutdown waits for attempts that it has abandoned. They
// end at once, unless a custom http.Client ignores its context.
const stopGrace = time.Second

// flush waits until every record that is in the queue now has reached its end.
// It has one probe made at once even if the service was not answering, and gives
// up when ctx ends or when the service refuses the key.
func (d *delivery) flush(ctx context.Context) error {
	w := d.await()
	if w == nil {
		return nil
	}
	defer func() {
		d.mu.Lock()
		delete(d.waiters, w)
		d.mu.Unlock()
	}()

	now := time.Now()
	d.mu.Lock()
	d.gate.hurry(now)
	d.destinations.hurry(now)
	d.mu.Unlock()
	if err := d.queue.Release(now); err != nil && !errors.Is(err, spool.ErrClosed) {
		return err
	}
	d.kick()

	select {
	case err := <-w.done:
		return d.flushError(err)
	case <-ctx.Done():
		// What was delivered in the last moment counts.
		select {
		case err := <-w.done:
			return d.flushError(err)
		default:
			return d.flushError(context.Cause(ctx))
		}
	}
}

func (d *delivery) flushError(err error) error {
	if err == nil {
		return nil
	}
	return &FlushError{Waiting: d.queue.Stats().Entries, Err: err}
}

// await registers a waiter for all that is in the queue; nil if that is nothing.
func (d *delivery) await() *waiter {
	d.mu.Lock()
	defer d.mu.Unlock()

	stats := d.queue.Stats()
	if stats.Entries == 0 || d.stopped {
		return nil
	}
	w := &waiter{last: stats.Newest, since: time.Now(), done: make(chan error, 1)}
	d.waiters[w] = struct{}{}
	return w
}

// progress tells the waiters whose last record has gone.
func (d *delivery) progress() {
	d.mu.Lock()
	defer d.mu.Unlock()

	d.freed()
	if len(d.waiters) == 0 {
		return
	}
	oldest := d.queue.Stats().Oldest
	for w := range d.waiters {
		if oldest == 0 || oldest > w.last {
			d.dismiss(w, nil)
		}
	}
}

// dismiss ends a waiter. The caller holds the lock.
func (d *delivery) dismiss(w *waiter, err error) {
	delete(d.waiters, w)
	w.done <- err
}

// stop ends delivery: senders abandon their attempts, what is left is counted as
// lost unless the queue keeps it, and the queue is closed.
func (d *delivery) stop() {
	d.mu.Lock()
	if d.stopped {
		d.mu.Unlock()
		return
	}
	d.stopped = true
	d.freed()
	if d.timer != nil {
		d.timer.Stop()
	}
	if d.working == 0 {
		close(d.idle)
	}
	d.mu.Unlock()

	d.cancel()
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-d.idle:
	case <-grace.C:
		d.report.always(slog.LevelWarn, "revenium: a request does not end although it was cancelled; not waiting for it")
	}

	d.close()
}

// close closes the queue and counts what is left in it.
func (d *delivery) close() {
	d.finishing.Lock()
	defer d.finishing.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()

	d.closed = true
	if err := d.queue.Close(); err != nil {
		d.report.always(slog.LevelError, "revenium: closing the queue failed", slog.Any("error", err))
	}
	reason := LossShutdown
	if d.gate.unauthorized {
		reason = LossKeyRefused
	}
	stats := d.queue.Stats()
	d.account.lostUnseen(reason, int64(stats.Entries-stats.Durable))
	for w := range d.waiters {
		d.dismiss(w, ErrShutdown)
	}
}

// parked reports whether the records wait for a valid key.
func (d *delivery) parked() bool {
	if d.finished() {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.gate.unauthorized
}

// finished reports whether the queue is closed and what it held counted.
func (d *delivery) finished() bool {
	d.finishing.RLock()
	defer d.finishing.RUnlock()
	return d.closed
}
