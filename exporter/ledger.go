// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"maps"
	"sync"

	"github.com/revenium/revenium-otel-go/exporter/convert"
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
	// LossExpired: delivery took longer than RetryConfig.MaxElapsedTime.
	LossExpired = "expired"
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
	delivered, duplicate, pending        int64
	dead, lost                           map[string]int64
	attempts                             map[metering.Outcome]int64
	changed                              map[changeKey]int64
	truncated                            int64
	billedSum, suppressedSum, skippedSum int64
	deadSum, lostSum                     int64
}

// ledger keeps the counts under one lock, so that whoever reads them sees sums
// that hold.
type ledger struct {
	mu sync.Mutex
	c  counts
}

func newLedger() *ledger {
	return &ledger{c: counts{
		billed:     make(map[string]int64),
		suppressed: make(map[string]int64),
		skipped:    make(map[string]int64),
		dead:       make(map[string]int64),
		lost:       make(map[string]int64),
		attempts:   make(map[metering.Outcome]int64),
		changed:    make(map[changeKey]int64),
	}}
}

// snapshot copies the counts at one moment.
func (l *ledger) snapshot() counts {
	l.mu.Lock()
	defer l.mu.Unlock()

	c := l.c
	c.billed = maps.Clone(c.billed)
	c.suppressed = maps.Clone(c.suppressed)
	c.skipped = maps.Clone(c.skipped)
	c.dead = maps.Clone(c.dead)
	c.lost = maps.Clone(c.lost)
	c.attempts = maps.Clone(c.attempts)
	c.changed = maps.Clone(c.changed)
	return c
}

// decided counts a decision. A billed record is pending from here on. wasHeld
// means that the span was counted before, as held.
func (l *ledger) decided(kind convert.DecisionKind, reason string, wasHeld bool) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if wasHeld {
		l.c.held--
	} else {
		l.c.converted++
	}
	switch kind {
	case convert.Billed:
		l.c.billed[reason]++
		l.c.billedSum++
		l.c.pending++
	case convert.Suppressed:
		l.c.suppressed[reason]++
		l.c.suppressedSum++
	case convert.Held:
		l.c.held++
	default:
		l.c.skipped[reason]++
		l.c.skippedSum++
	}
}

// delivered counts the end of a record that the service has.
func (l *ledger) delivered(outcome metering.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.c.pending--
	if outcome == metering.Duplicate {
		l.c.duplicate++
	} else {
		l.c.delivered++
	}
}

// lost counts n pending records as lost.
func (l *ledger) lost(reason string, n int64) {
	if n == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()

	l.c.pending -= n
	l.c.lost[reason] += n
	l.c.lostSum += n
}

// dead counts a pending record that was given up and is in somebody's hands.
func (l *ledger) dead(reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.c.pending--
	l.c.dead[reason]++
	l.c.deadSum++
}

// recovered counts records that an earlier process left in the queue.
func (l *ledger) recovered(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.c.recovered += n
	l.c.pending += n
}

// attempted counts an attempt.
func (l *ledger) attempted(outcome metering.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.c.attempts[outcome]++
}

// changed counts a value that was altered or left out, and reports whether it is
// the first of its kind.
func (l *ledger) changed(field, action string) (first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := changeKey{field, action}
	l.c.changed[key]++
	return l.c.changed[key] == 1
}

// truncated counts a span that had lost attributes to the SDK's limits, and
// reports whether it is the first.
func (l *ledger) truncated() (first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.c.truncated++
	return l.c.truncated == 1
}
