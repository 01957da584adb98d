// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"cmp"
	"iter"
	"slices"
)

// arrive notes that a span has come and returns what is known below it.
func (l *selection) arrive(proto *node) chain {
	if l.journal != nil {
		l.journal.link(&proto.key, proto.parent)
	}
	return l.chain(l.links.Seen(&proto.key, proto.parent, l.now))
}

// chain returns the chain that begins with a node.
func (l *selection) chain(head uint64) chain {
	n := l.nodes.get(head)
	if n == nil {
		return chain{}
	}
	return chain{head: head, tail: l.nodes.number(n.tail)}
}

// prepend puts a node in front of what is below it.
func (l *selection) prepend(n *node, below chain) chain {
	n.next = uint32(below.head)
	if below.tail == 0 {
		below.tail = n.seq
	}
	return chain{head: n.seq, tail: below.tail}
}

// members are the nodes of a chain that are not forgotten.
func (l *selection) members(c chain) iter.Seq[*node] {
	return func(yield func(*node) bool) {
		for seq := c.head; seq != 0; {
			n := l.nodes.get(seq)
			if n == nil {
				return // it was the oldest, so those behind it are forgotten, too
			}
			next := l.nodes.number(n.next)
			if !yield(n) || seq == c.tail {
				return
			}
			seq = next
		}
	}
}

// climb carries a chain upwards from a parent: it relates its nodes to the
// ancestors that have come, and leaves them at the first that has not.
func (l *selection) climb(c chain, trace [16]byte, parent [8]byte) {
	if c.head == 0 {
		return
	}
	key := spanKey{Trace: trace, Span: parent}
	for range maxClimb {
		if key.Span == ([8]byte{}) {
			l.rooted(c)
			return
		}
		if a := l.nodes.span(&key, l.nano); a != nil {
			for m := range l.members(c) {
				l.relate(m, a)
			}
		}
		up, seen, before := l.links.Await(&key, c.head, l.now)
		if !seen {
			l.join(c, before)
			return
		}
		key.Span = up
	}
}

// join appends to a chain the one that waited for the same span before it.
func (l *selection) join(c chain, before uint64) {
	head := l.nodes.get(c.head)
	if head == nil {
		return
	}
	head.tail = uint32(c.tail)
	rest := l.chain(before)
	if tail := l.nodes.get(c.tail); tail != nil && rest.head != 0 {
		tail.next, head.tail = uint32(rest.head), uint32(rest.tail)
	}
}

// rooted is told that all ancestors of a chain are known.
func (l *selection) rooted(c chain) {
	for m := range l.members(c) {
		if p := m.pending; p != nil && p.queue != nil && p.wait == ReasonAwaitingLink && l.unlinked(m) == nil {
			l.release(m)
		}
	}
}

// relate decides what follows from one node being below another.
func (l *selection) relate(d, a *node) {
	if d.seq == a.seq {
		return
	}
	if a.context != nil && d.pending != nil {
		l.inherit(d, a.context, OriginAncestor)
	}
	switch {
	case sameTool(d, a):
		if l.unmatched(a, d) && l.unmatched(d, a) {
			l.same(d, a, ReasonTwinKinship)
		}
	case d.class == classTool:
	case a.class == classAggregate:
		l.cover(d, a)
	case !a.class.isCall():
	case d.class == classAggregate:
		if d.usage && a.usage && d.pending != nil && sameModel(d, a) && sameCounts(d, a) {
			l.suppress(d, a, ReasonCovered)
		}
	case (alike(d, a) || reports(d, a)) && l.unmatched(a, d) && l.unmatched(d, a):
		l.same(d, a, ReasonTwinKinship)
	case a.failed && !d.failed && a.class == d.class && a.pending != nil && sameModel(d, a) && !differentIDs(d, a):
		// The call succeeded, and what was made of the answer did not.
		l.suppress(a, d, ReasonTwinKinship)
	case a.pending != nil && summable(a) && summable(d):
		if len(a.pending.below) < maxBelow {
			a.pending.below = append(a.pending.below, d.seq)
			l.touch(a)
		}
	}
}

// reports reports whether a log event is that of the call in whose span it was
// written: one instrumentation can count thinking in the one and not in the other.
func reports(event, span *node) bool {
	return event.scope == eventScope(span.scope) && span.key.Span == event.parent && event.class == span.class &&
		event.failed == span.failed && sameModel(event, span) && !differentIDs(event, span)
}

// eventScope is the scope of the log events of an instrumentation: it tells of a
// call by a span and by an event, but never by two of one kind.
func eventScope(scope uint64) uint64 { return scope + 1 }

// cover decides about a node below an aggregate. What has usage below it is what
// the aggregate repeats or sums up.
func (l *selection) cover(d, a *node) {
	if !a.usage || d.class == classMedia && !d.counted() {
		return
	}
	switch {
	case !d.usage && d.pending == nil:
	case !d.usage && a.verdict == verdictBilled && d.class == classCall && !d.failed:
		l.suppress(d, a, ReasonUnderAggregate)
	case !d.usage:
		d.pending.under = a.seq
		l.touch(d)
	case a.pending != nil:
		l.suppress(a, d, ReasonCovered)
	case a.verdict != verdictBilled:
	case d.pending != nil:
		l.counts.late++
		l.suppress(d, a, ReasonUnderAggregate)
	default:
		l.counts.doubled++
	}
	if d.usage && !a.covered {
		a.covered = true
		l.touch(a)
	}
}

// maxBelow bounds how many calls are remembered of which another may be the sum.
const maxBelow = 4096

// summable reports whether a node can be a call that is summed up, or the sum.
func summable(n *node) bool { return n.class == classCall && n.usage }

// summed decides about a call that waits and whose usage is the sum of the calls below
// it, as spans around a loop of calls have it that do not say what they are. Those
// below it that are such sums themselves are decided about before, the inner ones
// first: they have fewer below them.
func (l *selection) summed(n *node) {
	if n.pending == nil || len(n.pending.below) < 2 {
		return
	}
	var inner []*node
	for _, seq := range n.pending.below {
		if m := l.nodes.get(seq); m != nil && m.seq != n.seq && m.pending != nil && len(m.pending.below) > 1 {
			inner = append(inner, m)
		}
	}
	slices.SortStableFunc(inner, func(a, b *node) int { return cmp.Compare(len(a.pending.below), len(b.pending.below)) })
	for _, m := range append(inner, n) {
		if by := l.sumBelow(m); by != nil {
			l.suppress(m, by, ReasonCovered)
		}
	}
}

// sumBelow returns a call below a node whose usage is the sum of those below it; nil
// where it is not. What bills for a call below can be a twin in another trace.
func (l *selection) sumBelow(n *node) (first *node) {
	var s sum
	seen := make(map[uint64]bool, len(n.pending.below))
	for _, seq := range n.pending.below {
		m := l.nodes.get(seq)
		if m == nil {
			continue
		}
		m = l.representative(m)
		if m.verdict == verdictSuppressed || m.seq == n.seq || seen[m.seq] {
			continue
		}
		seen[m.seq] = true
		if first == nil {
			first = m
		}
		s.add(m)
	}
	if len(seen) < 2 || !s.of(n) {
		return nil
	}
	return first
}

// sum is the sum of the counts of calls, and of those that stand on their spans: who
// sums up can know nothing of the cache.
type sum struct{ input, output, reportedInput, reportedOutput int64 }

func (s *sum) add(n *node) {
	input, output := n.reported()
	s.input += max(n.input, 0)
	s.output += max(n.output, 0)
	s.reportedInput += max(input, 0)
	s.reportedOutput += max(output, 0)
}

// of reports whether a node says the sum.
func (s *sum) of(n *node) bool {
	input, output := n.reported()
	return (s.input == n.input || s.reportedInput == input) && (s.output == n.output || s.reportedOutput == output)
}

// maxSummed bounds how many calls are looked at for a sum.
const maxSummed = 256

// sumElsewhere looks for calls that were made within the time of an aggregate, by
// the same process, in whatever trace, and that its usage is the sum of.
func (l *selection) sumElsewhere(n *node) *node {
	var s sum
	var first *node
	m := l.nodes.find(keyUsage, mix(keyUsage, n.resource), l.nano)
	for range maxSummed {
		if m == nil {
			break
		}
		if m.verdict == verdictBilled && m.start >= n.start-clockTolerance && m.end <= n.end+clockTolerance {
			first = m
			s.add(m)
		}
		m = l.nodes.previous(m, keyUsage, l.nano)
	}
	if first != nil && s.of(n) {
		return first
	}
	return nil
}
