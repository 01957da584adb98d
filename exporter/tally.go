// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"maps"
	"sync"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/ledger"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// Reasons for which a billed record was lost or ended as a dead letter. They are
// stable and appear in [Report], logs and metrics.
const (
	// LossQueueFull: the queue had no room (see WithOverflowPolicy).
	LossQueueFull = "queue full"
	// LossTooLarge: one record alone exceeds the bound of the queue.
	LossTooLarge = "too large"
	// LossQueueFailed: the queue's storage failed.
	LossQueueFailed = "queue failed"
	// LossRejected: the service refused the record for good.
	LossRejected = "rejected"
	// LossHeldBack: the record lacks fields that convert.WithRequiredFields requires,
	// and is among the dead letters.
	LossHeldBack = "held back"
	// LossExpired: the record was older than WithMaxAge allows, or delivery took
	// longer than RetryConfig.MaxElapsedTime.
	LossExpired = "expired"
	// LossUnreadable: what was in the spool is not a record that this build can
	// read.
	LossUnreadable = "unreadable"
	// LossSpoolDamaged: a file of the spool turned out to be damaged while it was in
	// use.
	LossSpoolDamaged = "spool damaged"
	// LossTooManyTenants: the record is of one tenant more than can be told apart.
	LossTooManyTenants = "too many tenants"
	// LossShutdown: shutdown's deadline came first.
	LossShutdown = "shutdown"
	// LossKeyRefused: at shutdown the service was still refusing the API key.
	LossKeyRefused = "key refused"
	// LossAfterShutdown: the span ended after shutdown.
	LossAfterShutdown = "after shutdown"
)

// Reasons that this package adds to those of package convert for spans that are
// not billed.
const (
	// skipInvalid: no valid record could be made of the span.
	skipInvalid = "invalid record"
	// skipPanic: conversion failed by a programming error.
	skipPanic = "internal error"
)

// changeKey is what a changed value is counted by.
type changeKey struct {
	field, action string
}

// counts is all that is counted. Two sums hold at every moment:
//
//	converted            = billed + suppressed + skipped + held
//	billed + recovered   = delivered + duplicate + pending + dead + lost
type counts struct {
	converted, held, recovered           int64
	billed, suppressed, skipped          map[string]int64
	delivered, duplicate, pending, late  int64
	dead, lost                           map[string]int64
	attempts                             map[metering.Outcome]int64
	changed                              map[changeKey]int64
	truncated                            int64
	billedSum, suppressedSum, skippedSum int64
	deadSum, lostSum                     int64
	// setAside is the number of files of the spool that were damaged.
	setAside int64
	// tenants has the accounts of those that have a name.
	tenants map[string]*account
}

// tally keeps the counts under one lock, so that whoever reads them sees sums
// that hold.
type tally struct {
	// book is the ledger; nil without.
	book *ledger.Writer

	mu sync.Mutex
	c  counts
}

func newTally() *tally {
	return &tally{c: counts{
		billed:     make(map[string]int64),
		suppressed: make(map[string]int64),
		skipped:    make(map[string]int64),
		dead:       make(map[string]int64),
		lost:       make(map[string]int64),
		attempts:   make(map[metering.Outcome]int64),
		changed:    make(map[changeKey]int64),
		tenants:    make(map[string]*account),
	}}
}

// account is what is counted of one tenant's records, beside the sums of all, and
// written to the ledger, if there is one.
type account struct {
	tally  *tally
	tenant string
	counts TenantReport
}

// account is that of a tenant; the common one if there are too many.
func (t *tally) account(tenant string) *account {
	t.mu.Lock()
	defer t.mu.Unlock()

	a := t.c.tenants[tenant]
	if a == nil && len(t.c.tenants) > maxTenants {
		tenant = ""
		a = t.c.tenants[""]
	}
	if a == nil {
		a = &account{tally: t, tenant: tenant}
		t.c.tenants[tenant] = a
	}
	return a
}

// snapshot copies the counts at one moment.
func (t *tally) snapshot() counts {
	t.mu.Lock()
	defer t.mu.Unlock()

	c := t.c
	c.billed = maps.Clone(c.billed)
	c.suppressed = maps.Clone(c.suppressed)
	c.skipped = maps.Clone(c.skipped)
	c.dead = maps.Clone(c.dead)
	c.lost = maps.Clone(c.lost)
	c.attempts = maps.Clone(c.attempts)
	c.changed = maps.Clone(c.changed)
	c.tenants = make(map[string]*account, len(t.c.tenants))
	for name, a := range t.c.tenants {
		c.tenants[name] = &account{counts: a.counts}
	}
	return c
}

// decided counts a decision. A billed record is pending from here on. wasHeld
// means that the span was counted before, as held.
func (t *tally) decided(kind convert.DecisionKind, reason string, wasHeld bool) {
	t.mu.Lock()
	defer t.mu.Unlock()

	if wasHeld {
		t.c.held--
	} else {
		t.c.converted++
	}
	switch kind {
	case convert.Billed:
		t.c.billed[reason]++
		t.c.billedSum++
		t.c.pending++
	case convert.Suppressed:
		t.c.suppressed[reason]++
		t.c.suppressedSum++
	case convert.Held:
		t.c.held++
	default:
		t.c.skipped[reason]++
		t.c.skippedSum++
	}
}

// billed counts a record as its tenant's, after decided has counted it.
func (a *account) billed(f metering.Frozen) {
	if a.tally.book != nil {
		a.tally.book.Billed(a.tenant, f)
	}
	a.tally.mu.Lock()
	defer a.tally.mu.Unlock()
	a.counts.Billed++
}

// delivered counts the end of a record that the service has. late says that it was
// older than the time for which the service remembers idempotency keys.
func (a *account) delivered(f metering.Frozen, outcome metering.Outcome, late bool) {
	state := ledger.Delivered
	if outcome == metering.Duplicate {
		state = ledger.Duplicate
	}
	a.ended(f, state, "", late)
	t := a.tally
	t.mu.Lock()
	defer t.mu.Unlock()

	t.c.pending--
	if late {
		t.c.late++
	}
	if outcome == metering.Duplicate {
		t.c.duplicate++
		a.counts.Duplicate++
	} else {
		t.c.delivered++
		a.counts.Delivered++
	}
}

// lost counts a pending record as lost.
func (a *account) lost(f metering.Frozen, reason string) {
	a.ended(f, ledger.Lost, reason, false)
	a.countLost(reason, 1)
}

// lostUnseen counts n pending records as lost of which nothing more is known.
func (a *account) lostUnseen(reason string, n int64) {
	if n == 0 {
		return
	}
	if a.tally.book != nil {
		a.tally.book.EndedUnseen(a.tenant, n, ledger.Lost, reason)
	}
	a.countLost(reason, n)
}

func (a *account) countLost(reason string, n int64) {
	t := a.tally
	t.mu.Lock()
	defer t.mu.Unlock()

	t.c.pending -= n
	t.c.lost[reason] += n
	t.c.lostSum += n
	a.counts.Lost += n
}

// dead counts a pending record that was given up and is in somebody's hands.
func (a *account) dead(f metering.Frozen, reason string) {
	a.ended(f, ledger.DeadLettered, reason, false)
	a.countDead(reason)
}

// deadUnseen is dead for what is no record that could be read.
func (a *account) deadUnseen(reason string) {
	if a.tally.book != nil {
		a.tally.book.EndedUnseen(a.tenant, 1, ledger.DeadLettered, reason)
	}
	a.countDead(reason)
}

func (a *account) countDead(reason string) {
	t := a.tally
	t.mu.Lock()
	defer t.mu.Unlock()

	t.c.pending--
	t.c.dead[reason]++
	t.c.deadSum++
	a.counts.DeadLettered++
}

// ended writes the end of a record to the ledger.
func (a *account) ended(f metering.Frozen, state ledger.State, reason string, late bool) {
	if a.tally.book != nil {
		a.tally.book.Ended(a.tenant, f, state, reason, late)
	}
}

// recovered counts records that an earlier process left in the queue.
func (a *account) recovered(n int64) {
	t := a.tally
	t.mu.Lock()
	defer t.mu.Unlock()

	t.c.recovered += n
	t.c.pending += n
	a.counts.Recovered += n
}

// setAside counts a file of the spool that was damaged.
func (t *tally) setAside() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.c.setAside++
}

// attempted counts an attempt.
func (t *tally) attempted(outcome metering.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.c.attempts[outcome]++
}

// changed counts a value that was altered or left out, and reports whether it is
// the first of its kind.
func (t *tally) changed(field, action string) (first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := changeKey{field, action}
	t.c.changed[key]++
	return t.c.changed[key] == 1
}

// truncated counts a span that had lost attributes to the SDK's limits, and
// reports whether it is the first.
func (t *tally) truncated() (first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.c.truncated++
	return t.c.truncated == 1
}
