// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"slices"
	"time"
)

// pending is a decision that is not final.
type pending struct {
	// decision is what is decided when nothing more comes.
	decision Decision
	node     uint64
	wait     Reason
	since    time.Time
	// until is the span whose end ends the waiting.
	until spanKey
	// under is an aggregate with usage above a call without.
	under uint64
	// below are the calls with usage below a call, whose sum it may be.
	below []uint64
	// facts is what the span itself says about all calls of its request; they are
	// read from work while the span is at hand.
	facts []resourceFact
	work  *work
	// tag is for whoever restores what waits.
	tag string

	queue      *queue
	prev, next *pending
}

// requestFacts is what the span says about all calls of its request.
func (p *pending) requestFacts() []resourceFact {
	if p.work != nil {
		return p.work.requestFacts()
	}
	return p.facts
}

// reset forgets a span. What waits has been copied.
func (e *entry) reset() { *e = entry{} }

// queue is a list of what waits for the same time, in order of arrival.
type queue struct {
	window         time.Duration
	oldest, newest *pending
}

// hold has a node wait.
func (l *selection) hold(n *node, wait Reason, until spanKey) {
	p := new(pending)
	*p = *n.pending
	p.wait, p.until, p.since = wait, until, l.now
	p.facts, p.work = slices.Clone(p.requestFacts()), nil
	n.pending = p
	l.enqueue(p)
	d := &p.decision
	l.out = append(l.out, Decision{
		Kind: Held, Reason: wait, Dialect: d.Dialect,
		TraceID: d.TraceID, SpanID: d.SpanID, SpanName: d.SpanName,
	})
}

// enqueue appends what waits to all that holds it.
func (l *selection) enqueue(p *pending) {
	q := &l.held
	if p.wait == ReasonHoldBack {
		q = &l.briefly
	}
	p.queue, p.prev = q, q.newest
	if q.newest != nil {
		q.newest.next = p
	} else {
		q.oldest = p
	}
	q.newest = p
	l.joinEnding(p)
	l.waiting.Add(1)
}

// leave takes what waits out of all that holds it.
func (l *selection) leave(p *pending) {
	q := p.queue
	if q == nil {
		return
	}
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		q.oldest = p.next
	}
	if p.next != nil {
		p.next.prev = p.prev
	} else {
		q.newest = p.prev
	}
	l.leaveEnding(p)
	l.waiting.Add(-1)
}

func (l *selection) joinEnding(p *pending) {
	if p.until.Span != ([8]byte{}) {
		l.ending[p.until] = append(l.ending[p.until], p)
	}
}

func (l *selection) leaveEnding(p *pending) {
	list := l.ending[p.until]
	i := slices.Index(list, p)
	switch {
	case i < 0:
	case len(list) == 1:
		delete(l.ending, p.until)
	default:
		l.ending[p.until] = slices.Delete(list, i, i+1)
	}
}

// ended decides about what waited for the end of a span.
func (l *selection) ended(key spanKey) {
	for len(l.ending[key]) > 0 {
		p := l.ending[key][0]
		if p.wait == ReasonAwaitingRetry {
			l.settleOne(p)
			continue
		}
		l.release(l.nodes.get(p.node))
	}
}
