// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"net/http"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
)

// maxAttempts bounds how many attempts at one call are compared.
const maxAttempts = 16

// maxPause is for how long after a failure another attempt can begin where attempts
// are made in turn: what comes later is another call.
const maxPause = int64(2 * time.Minute)

// follows reports whether a can be the attempt after before: the client made it
// when before had failed. Where no retry numbers tell, time does. Instrumentations
// that number attempts often leave out the number of the first one.
func (n *node) follows(before *node) bool {
	number, last := n.number(), before.number()
	switch {
	case number < 0 && last < 0:
		return n.start >= before.end && (!n.inTurn() || n.start-before.end <= maxPause)
	case number < 0:
		return false
	default:
		return number == max(last, 0)+1 && n.start >= before.start
	}
}

// turnMark is in the groups of attempts that are made in turn.
const turnMark = 1

// inTurn reports whether all calls of a node's group are made one after the other,
// so that one shows that the failure before it was repeated, and an attempt can be
// seen more than once.
func (n *node) inTurn() bool { return n.group&turnMark != 0 }

// comesAfter is follows with attempts in between that nobody saw.
func (n *node) comesAfter(before *node) bool {
	number := n.number()
	if number < 0 {
		return n.follows(before)
	}
	return number > max(before.number(), 0) && n.start >= before.start
}

// attempt looks for other attempts at the call of a node. It suppresses a failure
// that waits and that the node repeats. again means that the node is itself a
// failure that was repeated by an attempt that arrived before it.
func (l *selection) attempt(n *node) (again bool) {
	n.free = true
	if n.group == 0 {
		return false
	}
	if n.pending.decision.Reason == ReasonError && l.retries(n) {
		again = l.repeated(n, (*node).follows)
	}
	if before := l.precedes(n); before != nil {
		l.retried(before, n)
	}
	return again
}

// retries reports whether the failure of a node waits for the client's next
// attempt.
func (l *selection) retries(n *node) bool { return n.pending.wait == ReasonAwaitingRetry }

// retried decides about a failure that a node repeats.
func (l *selection) retried(before, n *node) {
	if n.inTurn() {
		// It is not as if the one were the other: what was repeated before is settled.
		l.suppress(before, nil, ReasonRetried)
		return
	}
	l.suppress(before, n, ReasonRetried)
	l.useUp(n)
}

// useUp remembers that an attempt is the repetition of an earlier failure.
func (l *selection) useUp(n *node) {
	if !n.inTurn() {
		n.free = false
		l.touch(n)
	}
}

// precedes returns the failure that a node repeats, the latest of several.
func (l *selection) precedes(n *node) *node {
	var best *node
	var end int64
	m := l.nodes.previous(n, keyGroup, l.nano)
	for range maxAttempts {
		if m == nil {
			break
		}
		if m.failed && n.follows(m) && (best == nil || m.end > end) {
			// What waits can be the inner span of the one that was repeated.
			if r := l.representative(m); r.pending != nil && r.pending.wait == ReasonAwaitingRetry && r.seq != n.seq {
				best, end = r, m.end
			}
		}
		m = l.nodes.previous(m, keyGroup, l.nano)
	}
	return best
}

// repeated reports whether a later attempt has been seen already, as happens where
// spans arrive in any order, and uses that attempt up: each can be the repetition
// of one earlier failure, so that two calls of which both failed and one was
// repeated remain one failure.
func (l *selection) repeated(n *node, after func(later, earlier *node) bool) bool {
	m := l.nodes.find(keyGroup, mix(keyGroup, n.group), l.nano)
	for range maxAttempts {
		if m == nil {
			return false
		}
		if m.seq != n.seq && m.free && after(m, n) {
			l.useUp(m)
			return true
		}
		m = l.nodes.previous(m, keyGroup, l.nano)
	}
	return false
}

// attempts is the digest of what all attempts at the call have in common: the span
// above them or, where there is nothing like that, what the dialect has.
func (w *work) attempts(op operation, model string) uint64 {
	x := &w.extract
	if f := x.get(fieldRequestModel); f != nil {
		model = f.text // failures have no response model
	}
	name, model64 := xxhash.Sum64String(op.name), xxhash.Sum64String(model)
	if text := x.text(fieldAttempts); text != "" {
		return mix(keyGroup, xxhash.Sum64String(text), name, model64) | turnMark
	}
	return max(2, mix(keyGroup, traceHash(&w.key), spanDigest(&spanKey{Span: w.parentID}), name, model64)&^turnMark)
}

// triesAgain reports whether the client makes another attempt after a failure that
// not all clients repeat: one without an answer, of whatever kind, and a refusal
// after which it gets itself another key.
func (w *work) triesAgain(f *failure) bool {
	return w.extract.get(fieldAttempts) != nil && (f.status == 0 || f.status == http.StatusUnauthorized)
}

// tellsOfCall reports whether the span, which has no usage, tells of a call as a
// whole.
func (w *work) tellsOfCall() bool {
	return w.extract.voc.dialect.tellsOfCall(w.name, w.extract.text(fieldKind))
}

// eventKnowsMore reports whether a log event of the call, which may come, has more of
// the usage than the span. No log events come to a process' own converter.
func (w *work) eventKnowsMore() bool {
	return w.extract.voc.dialect.quirks.has(eventsKnowMore) && !isLogEvent(w.span) && !w.c.cfg.inProcess
}

// attempted is for a log event that is not billed. One of a request shows that the
// failure before it was repeated: what comes of it can be known minutes later, when
// that failure does not wait any longer.
func (w *work) attempted(dst []Decision) []Decision {
	x := &w.extract
	if x.get(fieldAttempts) == nil || !slices.Contains(x.voc.dialect.requests, w.name) || w.saysFailed() || !w.tellsOfCall() ||
		w.key.Trace == ([16]byte{}) || w.key.Span == ([8]byte{}) || !w.times() {
		return dst
	}
	return w.c.selection.attempted(dst, &node{
		key: w.key, parent: w.parentID, class: classNever, verdict: verdictSkipped, input: -1, output: -1,
		start: w.start.UnixNano(), end: w.end.UnixNano(), group: w.attempts(w.c.operations["chat"], ""), free: true,
	})
}

// attempted remembers an attempt that is not billed itself, and suppresses the
// failure that it repeats.
func (l *selection) attempted(dst []Decision, proto *node) []Decision {
	l.lock(dst)
	if l.nodes.span(&proto.key, l.nano) == nil {
		k := proto.keys()
		n := l.nodes.add(proto, &k, l.nano)
		l.touch(n)
		if before := l.precedes(n); before != nil {
			l.retried(before, n)
		}
	}
	return l.unlock()
}
