// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"errors"

	"go.uber.org/zap"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// Outcomes of records that were not delivered.
const (
	outcomeDead = "dead"
	outcomeLost = "lost"
)

// end ends a record that will not be delivered, as a dead letter if there is
// somewhere to keep it. It reports false if that failed, so that the record has
// to be kept where it is.
func (a *account) end(rec *record, reason deadletter.Reason, res metering.Result) bool {
	return a.bury(reason, 1, deadletter.Letter{
		Reason:     reason,
		Tenant:     a.name,
		Record:     rec.Frozen,
		Created:    rec.created,
		Attempts:   rec.attempts + 1,
		StatusCode: res.StatusCode,
		Code:       res.Code,
		Message:    res.Message,
	})
}

// endUnreadable ends a stored request that this build cannot read.
func (a *account) endUnreadable(stored []byte) error {
	_, _, err := parseStored(stored)
	return a.endStored(stored, err)
}

// endStored ends stored bytes that cannot be read, and why. How many records they
// hold nobody knows; they count as one.
func (a *account) endStored(stored []byte, why error) error {
	a.engine.ledger.recover(a, 1)
	letter := deadletter.Letter{Reason: deadletter.ReasonUnreadable, Tenant: a.name, Record: metering.Frozen{Body: stored}}
	if why != nil {
		letter.Message = why.Error()
	}
	if !a.bury(deadletter.ReasonUnreadable, 1, letter) {
		a.engine.ledger.recover(a, -1)
		return errNotBuried
	}
	return nil
}

var errNotBuried = errors.New("reveniumexporter: a record that was given up cannot be written to the dead letters")

// bury keeps a letter and counts the n records that end with it.
func (a *account) bury(reason deadletter.Reason, n int64, letter deadletter.Letter) bool {
	e := a.engine
	fields := []zap.Field{
		zap.String("reason", string(reason)), zap.String("transaction_id", letter.Record.TransactionID),
		zap.Int("status", letter.StatusCode), zap.String("code", letter.Code), zap.String("message", letter.Message),
	}
	if e.deadLetters == nil {
		e.log.Error("A record is lost: no dead_letter::directory is set", fields...)
		e.ledger.finish(a, outcomeLost, string(reason), n)
		return true
	}
	if err := e.deadLetters.Append(letter); err != nil {
		e.log.Error("A record that was given up cannot be written to the dead letters", append(fields, zap.Error(err))...)
		return false
	}
	e.log.Error("A record was given up and is kept in the dead letters", append(fields, zap.String("directory", e.deadLetters.Dir()))...)
	e.ledger.finish(a, outcomeDead, string(reason), n)
	return true
}

// endForced ends a record that cannot be kept where it is.
func (a *account) endForced(rec *record, reason deadletter.Reason) {
	if !a.end(rec, reason, metering.Result{}) {
		a.engine.ledger.finish(a, outcomeLost, string(reason), 1)
	}
}
