// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// attempt sends one record and settles what follows from the answer. started is
// when the gate allowed it: if the gate has closed since, the attempt was under way
// by then, even if its first byte was not.
func (d *delivery) attempt(e spool.Entry, started time.Time) {
	sent := time.Now()
	ctx, key := d.watch.noting(d.ctx)
	res := d.trySend(ctx, e.Frozen)
	now := time.Now()

	if d.ctx.Err() != nil && res.Outcome == metering.Retry {
		// Shutdown abandoned the attempt: it says nothing about the service.
		d.settled(d.queue.Requeue(e.ID, e.Attempts+1, now))
		return
	}
	d.account.tally.attempted(res.Outcome)
	d.observe(res, now.Sub(sent))

	switch res.Outcome {
	case metering.Delivered, metering.Duplicate:
		late := now.Sub(e.Created) > metering.IdempotencyWindow
		d.finish(e, func() { d.account.delivered(e.Frozen, res.Outcome, late) })
		d.answered(e, started, sent, now)
	case metering.Rejected:
		d.reject(e, res)
		d.answered(e, started, sent, now)
	case metering.Unauthorized:
		d.park(e, started, now, res, key.digest)
	default:
		d.again(e, started, now, res)
	}
}

// trySend sends, and turns a panic in foreign code (a custom http.Client) into a
// failed attempt: metering must not take its host down.
func (d *delivery) trySend(ctx context.Context, f metering.Frozen) (res metering.Result) {
	defer func() {
		if p := recover(); p != nil {
			res = metering.Result{Outcome: metering.Retry, Err: fmt.Errorf("exporter: panic while sending: %v", p)}
		}
	}()
	return d.send(ctx, f)
}

// finish removes a record that reached its end from the queue, counts it, and
// tells the flushes that wait.
func (d *delivery) finish(e spool.Entry, count func()) {
	d.finishing.RLock()
	if !d.closed {
		// In this order a flush that finds the queue empty finds all counted.
		count()
		d.settled(d.queue.Ack(e.ID))
	}
	d.finishing.RUnlock()
	d.progress()
}

// settled reports a failure of the queue's storage. The record is then delivered
// once more by the next process, which its transaction id makes harmless.
func (d *delivery) settled(err error) {
	if err != nil && !errors.Is(err, spool.ErrClosed) && !errors.Is(err, spool.ErrNotTaken) {
		d.report.problem(slog.LevelError, "queue settle", "revenium: updating the queue failed", slog.Any("error", err))
	}
}

// answered tells the gate that the service is well, where e was sent at least.
func (d *delivery) answered(e spool.Entry, started, sent, now time.Time) {
	d.mu.Lock()
	wasClosed := d.gate.closed
	release := d.gate.answered(started, now.Sub(sent))
	back := d.destinations.answeredAt(e.Endpoint, now)
	wasClosed = wasClosed && !d.gate.closed
	d.mu.Unlock()

	if release || back {
		d.settled(d.queue.Release(now))
	}
	if back {
		d.kick()
	}
	if wasClosed {
		d.report.always(slog.LevelInfo, "revenium: the service answers again", slog.Int("queue_size", d.queue.Stats().Entries))
		d.kick()
	}
}

// park keeps a record whose key the service refused; key is its digest. It is not
// the record's fault, nor of any other: all wait until the key is good.
func (d *delivery) park(e spool.Entry, started, now time.Time, res metering.Result, key uint64) {
	d.report.problem(slog.LevelError, "unauthorized",
		"revenium: the service refuses the API key; records are kept and tried again slowly",
		append(resultAttrs(e, res), slog.Int("queue_size", d.queue.Stats().Entries))...)

	d.mu.Lock()
	d.gate.refused(started, now)
	for w := range d.waiters {
		if started.Before(w.since) { // the flush wants a probe of its own, and now
			d.gate.hurry(now)
			break
		}
	}
	if d.watch.watches() {
		d.watch.refused = key
		d.gate.lookAt = now.Add(keyLookInterval)
	}
	probe := d.gate.until
	d.mu.Unlock()
	// Due with the next probe and not before: should it be this record alone that
	// is refused, the probe is made with another one.
	d.settled(d.queue.Requeue(e.ID, e.Attempts+1, probe))

	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.gate.until.Equal(probe) {
		// The key turned out to be good, or was replaced, before the record was back.
		d.settled(d.queue.Release(now))
		d.wakes++
		d.spawn()
	}
	for w := range d.waiters {
		if !started.Before(w.since) {
			d.dismiss(w, errKeyRefused)
		}
	}
}

// again schedules another attempt, or gives the record up if it is too old.
func (d *delivery) again(e spool.Entry, started, now time.Time, res metering.Result) {
	attempts := e.Attempts + 1
	d.mu.Lock()
	probe := d.failed(e, started, now, res)
	d.mu.Unlock()

	attrs := append(resultAttrs(e, res), slog.Int("attempts", attempts))
	if limit := d.retry.MaxElapsedTime; limit > 0 && now.Sub(e.Created) >= limit {
		d.report.problem(slog.LevelError, LossExpired, "revenium: a record could not be delivered in time and is given up", attrs...)
		e.Attempts = attempts
		d.giveUp(e, d.letterOf(e, deadletter.ReasonExpired, res), LossExpired, false)
		return
	}
	d.report.problem(slog.LevelWarn, "retry", "revenium: delivery failed; trying again", attrs...)
	due := now.Add(max(d.retry.delay(attempts), min(res.RetryAfter, maxRetryAfter)))
	if due.Before(probe) {
		due = probe // as in park
	}
	d.settled(d.queue.Requeue(e.ID, attempts, due))
}

// resultAttrs describes an attempt for the log. Neither the body nor the key is
// part of it.
func resultAttrs(e spool.Entry, res metering.Result) []slog.Attr {
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs, slog.String("transaction_id", e.TransactionID))
	if res.StatusCode != 0 {
		attrs = append(attrs, slog.Int("status", res.StatusCode))
	}
	if res.Code != "" {
		attrs = append(attrs, slog.String("code", res.Code))
	}
	if res.Message != "" {
		attrs = append(attrs, slog.String("message", res.Message))
	}
	if res.Err != nil && res.StatusCode == 0 {
		attrs = append(attrs, slog.Any("error", res.Err))
	}
	if res.RetryAfter > 0 {
		attrs = append(attrs, slog.Duration("retry_after", res.RetryAfter))
	}
	return attrs
}
