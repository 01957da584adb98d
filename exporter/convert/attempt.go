// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

// maxAttempts bounds how many attempts at one call are compared.
const maxAttempts = 16

// follows reports whether a can be the attempt after before: the client made it
// when before had failed. Where no retry numbers tell, time does. Instrumentations
// that number attempts often leave out the number of the first one.
func (n *node) follows(before *node) bool {
	number, last := n.number(), before.number()
	switch {
	case number < 0 && last < 0:
		return n.start >= before.end
	case number < 0:
		return false
	default:
		return number == max(last, 0)+1 && n.start >= before.start
	}
}

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
		l.suppress(before, n, ReasonRetried)
		n.free = false
	}
	return again
}

// retries reports whether the failure of a node waits for the client's next
// attempt.
func (l *selection) retries(n *node) bool { return n.pending.wait == ReasonAwaitingRetry }

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
			m.free = false
			l.touch(m)
			return true
		}
		m = l.nodes.previous(m, keyGroup, l.nano)
	}
	return false
}
