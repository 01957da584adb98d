// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"maps"
	"sync"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// Reasons for which a record was given up, beside those of package deadletter.
const (
	// reasonTooLarge: the record alone is larger than the queue.
	reasonTooLarge deadletter.Reason = "too large"
	// reasonShutdown: the Collector stopped, and nothing but memory held it.
	reasonShutdown deadletter.Reason = "shutdown"
)

// skipInvalid is a reason for spans of which no valid record can be made; the
// other reasons are those of package convert.
const skipInvalid = "invalid record"

// counts is all that is counted of one exporter. Two sums hold at every moment:
//
//	converted          = decided (billed + suppressed + skipped) + held
//	billed + recovered = finished (delivered + duplicate + dead + lost) + pending
type counts struct {
	converted, held, recovered int64
	pending                    map[*account]int64
	decided, finished, changed map[[2]string]int64
	attempts                   map[metering.Outcome]int64
}

// ledger keeps the counts under one lock, so that whoever reads them sees sums
// that hold.
type ledger struct {
	mu sync.Mutex
	c  counts
}

func newLedger() *ledger {
	return &ledger{c: counts{
		pending:  make(map[*account]int64),
		decided:  make(map[[2]string]int64),
		finished: make(map[[2]string]int64),
		changed:  make(map[[2]string]int64),
		attempts: make(map[metering.Outcome]int64),
	}}
}

// snapshot copies the counts at one moment.
func (l *ledger) snapshot() counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.c
	c.pending = maps.Clone(c.pending)
	c.decided, c.finished, c.changed = maps.Clone(c.decided), maps.Clone(c.finished), maps.Clone(c.changed)
	c.attempts = maps.Clone(c.attempts)
	return c
}

// decide counts a decision; of is where the record of a billed span goes.
func (l *ledger) decide(kind convert.DecisionKind, reason string, wasHeld bool, of *account) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if wasHeld {
		l.c.held--
	} else {
		l.c.converted++
	}
	if kind == convert.Held {
		l.c.held++
		return
	}
	l.c.decided[[2]string{kind.String(), reason}]++
	if kind == convert.Billed {
		l.c.pending[of]++
	}
}

// finish counts the end of n records.
func (l *ledger) finish(of *account, outcome, reason string, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.c.pending[of] -= n
	l.c.finished[[2]string{outcome, reason}] += n
}

// hold counts spans that an earlier process had left undecided.
func (l *ledger) hold(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.c.converted += n
	l.c.held += n
}

// recover counts records that an earlier process had left.
func (l *ledger) recover(of *account, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.c.recovered += n
	l.c.pending[of] += n
}

// attempt counts a request to the service.
func (l *ledger) attempt(outcome metering.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.c.attempts[outcome]++
}

// change counts a value that was altered or is uncertain, and reports whether it
// is the first of its kind.
func (l *ledger) change(field, action string) (first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := [2]string{field, action}
	l.c.changed[key]++
	return l.c.changed[key] == 1
}
