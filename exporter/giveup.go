// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// deadLetterPause is the wait of a record that could not be put among the dead
// letters.
const deadLetterPause = 30 * time.Second

// Rejected is a record that the service refused for good.
type Rejected struct {
	// Record holds the bytes, ids and endpoint of the record as they were sent.
	Record metering.Frozen
	// Created is the time at which the record was made.
	Created time.Time
	// Attempts is the number of attempts, the refused one included.
	Attempts int
	// StatusCode is the HTTP status of the refusal.
	StatusCode int
	// Code and Message are the service's words, capped; either may be empty.
	Code, Message string
}

// reject ends a record that the service refused for good.
func (d *delivery) reject(e spool.Entry, res metering.Result) {
	d.report.problem(slog.LevelError, fmt.Sprintf("rejected %d %s", res.StatusCode, res.Code),
		"revenium: the service rejected a record",
		append(resultAttrs(e, res), slog.String("endpoint", string(e.Endpoint)))...)

	e.Attempts++
	rejected := Rejected{
		Record:     e.Frozen,
		Created:    e.Created,
		Attempts:   e.Attempts,
		StatusCode: res.StatusCode,
		Code:       res.Code,
		Message:    res.Message,
	}
	taken := false
	if d.onRejected != nil {
		if err := d.handOver(rejected); err != nil {
			d.report.problem(slog.LevelError, "rejected handler",
				"revenium: the handler of rejected records failed", slog.Any("error", err))
		} else {
			taken = true
		}
	}
	d.giveUp(e, d.letterOf(e, deadletter.ReasonRejected, res), LossRejected, taken)
}

// handOver calls the user's handler and turns its panic into an error.
func (d *delivery) handOver(r Rejected) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("exporter: panic in the handler of rejected records: %v", p)
		}
	}()
	return d.onRejected(r)
}

// giveUp ends a record that will not be delivered by itself: as a dead letter if
// there is a store for it or taken says that somebody has it, else as lost. A
// record that the store cannot take now stays in the queue.
func (d *delivery) giveUp(e spool.Entry, letter deadletter.Letter, reason string, taken bool) {
	if d.letters != nil {
		err := d.letters.Append(letter)
		if err != nil {
			d.report.problem(slog.LevelError, "dead letter", "revenium: keeping a dead letter failed",
				slog.String("transaction_id", e.TransactionID), slog.Any("error", err))
		}
		if err != nil && !taken {
			d.settled(d.queue.Requeue(e.ID, e.Attempts, time.Now().Add(deadLetterPause)))
			return
		}
		taken = true
	}
	d.finish(e, func() {
		if taken {
			d.account.dead(e.Frozen, reason)
		} else {
			d.account.lost(e.Frozen, reason)
		}
	})
}

// expire gives a record up that is older than it may be to be sent without asking.
func (d *delivery) expire(e spool.Entry) {
	d.report.problem(slog.LevelError, LossExpired, "revenium: a record is too old to be sent and is given up (WithMaxAge)",
		slog.String("transaction_id", e.TransactionID), slog.Time("created", e.Created))
	letter := d.letterOf(e, deadletter.ReasonExpired, metering.Result{Message: fmt.Sprintf("older than %v", d.maxAge)})
	d.giveUp(e, letter, LossExpired, false)
}

// letterOf is the dead letter of a record after its last attempt.
func (d *delivery) letterOf(e spool.Entry, reason deadletter.Reason, res metering.Result) deadletter.Letter {
	message := res.Message
	if message == "" && res.StatusCode == 0 && res.Err != nil {
		message = res.Err.Error()
	}
	return deadletter.Letter{
		Reason:     reason,
		Tenant:     d.tenant,
		Record:     e.Frozen,
		Created:    e.Created,
		Attempts:   e.Attempts,
		StatusCode: res.StatusCode,
		Code:       res.Code,
		Message:    message,
	}
}
