// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "time"

const (
	// clockTolerance is how far the times of two spans of one call, in one process,
	// may lie outside of each other.
	clockTolerance = int64(30 * time.Millisecond)
	// skewTolerance is the same for two processes, whose clocks differ.
	skewTolerance = int64(500 * time.Millisecond)
	// maxCandidates bounds how many spans are compared with one.
	maxCandidates = 32
)

// same decides about two nodes that are the same call: of those that are not
// decided about, the better one bills, or none if one has been billed.
func (l *selection) same(a, b *node, reason Reason) {
	a, b = l.representative(a), l.representative(b)
	switch {
	case a.seq == b.seq:
	case a.pending != nil && b.pending != nil:
		keep, drop := l.better(a, b, reason)
		l.replace(keep, drop, reason)
	case a.pending != nil && b.verdict == verdictBilled:
		l.match(b, a)
		l.suppress(a, b, reason)
	case b.pending != nil && a.verdict == verdictBilled:
		l.match(a, b)
		l.suppress(b, a, reason)
	case a.verdict == verdictBilled && b.verdict == verdictBilled:
		l.counts.doubled++
	}
}

// answersApart reports whether two nodes with one response id are two calls all the
// same: one instrumentation saw both of them, one after the other, with other
// counts. There are servers that draw their ids from a few hundred, or have one for
// all answers. A cache that answers a second time says the same counts.
func (l *selection) answersApart(a, b *node) bool {
	if a.scope != b.scope || !a.counted() || !b.counted() || sameCounts(a, b) {
		return false
	}
	for i := 1; i < numIDs; i++ {
		if id := a.idAt(i); id != 0 && id == b.idAt(i) {
			return false
		}
	}
	apart := int64(0)
	if a.resource != b.resource {
		apart = skewTolerance
	}
	return (a.end+apart <= b.start || b.end+apart <= a.start) && !l.above(&a.key, b) && !l.above(&b.key, a)
}

// representative is the node that bills for a node.
func (l *selection) representative(n *node) *node {
	for range 8 {
		if n.verdict != verdictSuppressed {
			break
		}
		by := l.nodes.get(l.nodes.number(n.by))
		if by == nil {
			break
		}
		n = by
	}
	return n
}

// replace suppresses one of two nodes that wait, and fills what the other lacks.
func (l *selection) replace(keep, drop *node, reason Reason) {
	l.match(keep, drop)
	if facts := drop.pending.requestFacts(); len(facts) > 0 {
		l.inherit(keep, &spanContext{facts: facts}, OriginTwin)
	}
	keep.pending.decision.block.fillContent(drop.pending.decision.block)
	if p := keep.pending; keep.failed && p.wait == ReasonAwaitingRetry && keep.parent == drop.key.Span {
		// The failure of the inner one is that of the outer, which may be repeated.
		l.leaveEnding(p)
		p.until = spanKey{Trace: drop.key.Trace, Span: drop.parent}
		if p.queue != nil {
			l.joinEnding(p)
		}
	}
	l.suppress(drop, keep, reason)
}

// better orders two nodes of one call: the one with usage, then with an id of the
// provider, then with more detail, then the inner one.
func (l *selection) better(a, b *node, reason Reason) (keep, drop *node) {
	score := func(n *node) int {
		s := int(n.detail)
		if n.id != 0 {
			s += 1 << 8
		}
		if n.usage {
			s += 1 << 9
		}
		return s
	}
	inner := a
	if a.end-a.start > b.end-b.start || reason == ReasonTwinKinship && b.parent == a.key.Span {
		inner = b
	}
	outer := a
	if inner == a {
		outer = b
	}
	if l.cfg.preferOuter && inner.usage == outer.usage {
		return outer, inner
	}
	if score(outer) > score(inner) {
		return outer, inner
	}
	return inner, outer
}

// match remembers that a node is the twin of another.
func (l *selection) match(keep, drop *node) {
	l.touch(keep)
	t := twin{drop.scope, drop.seq}
	twins := &keep.facts().twins
	if twins[0] == (twin{}) {
		twins[0] = t
		return
	}
	twins[1] = t
}

// unmatched reports whether a node can have d as its twin. An instrumentation sees
// a call once, so that two of its spans are two calls, unless they are around each
// other.
func (l *selection) unmatched(n, d *node) bool {
	if !n.usage || !d.usage {
		return true
	}
	for _, t := range n.twins() {
		if t.seq == 0 || t.scope != d.scope || t.seq == d.seq {
			continue
		}
		if other := l.nodes.get(t.seq); other != nil && !l.above(&other.key, d) && !l.above(&d.key, other) {
			return false
		}
	}
	return true
}

// above reports whether a span is known to be an ancestor of a node.
func (l *selection) above(span *spanKey, n *node) bool {
	key := spanKey{Trace: n.key.Trace, Span: n.parent}
	for range maxClimb {
		if key == *span {
			return true
		}
		up, ok := l.links.Parent(&key)
		if !ok || key.Span == ([8]byte{}) {
			return false
		}
		key.Span = up
	}
	return false
}

// elsewhere looks for the same call without a link: another instrumentation of the
// same process, in whatever trace, at the same time.
func (l *selection) elsewhere(n *node) {
	if !n.class.isCall() || n.pending == nil {
		return
	}
	if n.usage {
		l.among(n, l.nodes.previous(n, keyCounts, l.nano), keyCounts)
		l.asReported(n)
		l.among(n, l.nodes.find(keyNoUsage, mix(keyNoUsage, n.resource), l.nano), keyNoUsage)
		return
	}
	l.among(n, l.nodes.find(keyUsage, mix(keyUsage, n.resource), l.nano), keyUsage)
	if n.failed {
		l.among(n, l.nodes.previous(n, keyNoUsage, l.nano), keyNoUsage)
	}
}

// asReported looks for the same call among those whose counts are what stands on the
// span of a node, before something was added to it. It is not found the other way
// round, so that who waits looks again in the end.
func (l *selection) asReported(n *node) {
	if n.pending == nil || !n.usage || !n.reportsApart() {
		return
	}
	input, output := n.reported()
	l.among(n, l.nodes.find(keyCounts, mix(keyCounts, n.resource, uint64(input), uint64(output)), l.nano), keyCounts)
}

// among compares a node with those of a list.
func (l *selection) among(n, candidate *node, kind keyKind) {
	for range maxCandidates {
		if candidate == nil || n.pending == nil {
			return
		}
		next := l.nodes.previous(candidate, kind, l.nano)
		// Most are ruled out by what stands on the first cache line of a node.
		if candidate.seq != n.seq && candidate.resource == n.resource && candidate.scope != n.scope &&
			within(n, candidate, clockTolerance) &&
			(candidate.pending != nil || candidate.verdict == verdictBilled) && alike(n, candidate) &&
			l.unpaired(candidate, n) && l.unpaired(n, candidate) {
			l.same(n, candidate, ReasonTwinFingerprint)
		}
		candidate = next
	}
}

// unpaired is unmatched for nodes that nothing links, with or without usage.
func (l *selection) unpaired(n, d *node) bool {
	for _, t := range n.twins() {
		if t.seq != 0 && t.scope == d.scope && t.seq != d.seq {
			return false
		}
	}
	return true
}

// unlinked looks for a span of another process in the same trace that may be the
// same call, as long as it is not known how the two hang together.
func (l *selection) unlinked(n *node) *node {
	if !n.class.isCall() || !n.usage {
		return nil
	}
	candidate := l.nodes.previous(n, keyTrace, l.nano)
	if candidate == nil {
		return nil
	}
	top, complete := l.top(n)
	for range maxCandidates {
		if candidate == nil {
			return nil
		}
		if candidate.scope != n.scope && candidate.resource != n.resource && within(n, candidate, skewTolerance) &&
			candidate.key.Trace == n.key.Trace && (candidate.pending != nil || candidate.verdict == verdictBilled) &&
			alike(n, candidate) && l.unpaired(candidate, n) {
			// Two that wait for the same span are below it side by side.
			if other, whole := l.top(candidate); top != other && (!complete || !whole) {
				return candidate
			}
		}
		candidate = l.nodes.previous(candidate, keyTrace, l.nano)
	}
	return nil
}

// top returns the first ancestor of a node that has not come; complete means that
// all have.
func (l *selection) top(n *node) (top [8]byte, complete bool) {
	key := spanKey{Trace: n.key.Trace, Span: n.parent}
	for range maxClimb {
		if key.Span == ([8]byte{}) {
			return key.Span, true
		}
		up, ok := l.links.Parent(&key)
		if !ok {
			return key.Span, false
		}
		key.Span = up
	}
	return key.Span, false
}
