// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// spanKey names a span.
type spanKey struct {
	trace [16]byte
	span  [8]byte
}

// attempt is what is known of one attempt at a call. Attempts at the same call
// have the same group: trace, parent, operation and requested model.
type attempt struct {
	group uint64
	// start and end are in nanoseconds.
	start, end int64
	// number is the attempt's retry number, -1 when the span does not tell.
	number int64
}

// follows reports whether a can be the attempt after before: the client made it
// when before had failed. Where no retry numbers tell, time does. Instrumentations
// that number attempts often leave out the number of the first one.
func (a *attempt) follows(before *attempt) bool {
	switch {
	case a.number < 0 && before.number < 0:
		return a.start >= before.end
	case a.number < 0:
		return false
	default:
		return a.number == max(before.number, 0)+1 && a.start >= before.start
	}
}

// comesAfter is follows with attempts in between that nobody saw.
func (a *attempt) comesAfter(before *attempt) bool {
	if a.number < 0 {
		return a.follows(before)
	}
	return a.number > max(before.number, 0) && a.start >= before.start
}

// heldSpan is a failure that waits for the client's next attempt.
type heldSpan struct {
	decision Decision
	attempt  attempt
	parent   spanKey
	since    time.Time

	prev, next *heldSpan
}

// seenAttempts are the latest attempts of a group. Each can be the repetition of
// one earlier failure; so two calls of which both failed and one was repeated
// remain one failure.
type seenAttempts [2]struct {
	attempt attempt
	free    bool
}

// ledger is what a converter remembers of spans: the calls that it has decided
// about, and the failures that wait.
type ledger struct {
	cfg config

	// waiting is the number of held spans. It is read without the lock, by every
	// span of the process.
	waiting atomic.Int64

	mu       sync.Mutex
	calls    *recent[spanKey, struct{}]
	attempts *recent[uint64, seenAttempts]

	// oldest and newest are the ends of the list of held spans, in order of arrival.
	oldest, newest *heldSpan
	byGroup        map[uint64][]*heldSpan
	byParent       map[spanKey][]*heldSpan
	overflow       int64
}

func newLedger(cfg config) *ledger {
	return &ledger{
		cfg:      cfg,
		calls:    newRecent[spanKey, struct{}](cfg.recentEntries, cfg.recentAge),
		attempts: newRecent[uint64, seenAttempts](cfg.recentEntries, cfg.recentAge),
		byGroup:  make(map[uint64][]*heldSpan),
		byParent: make(map[spanKey][]*heldSpan),
	}
}

// enter decides finally about a span that is to be billed, and appends the
// decisions: it may be a replay, be held, or show that an earlier failure was
// repeated.
func (l *ledger) enter(dst []Decision, d Decision, a *attempt, parent spanKey, hold bool) []Decision {
	key := spanKey{d.TraceID, d.SpanID}
	now := l.cfg.now()
	l.mu.Lock()
	defer l.mu.Unlock()

	if _, known := l.calls.get(key, now); known {
		d.Kind, d.Reason = Suppressed, ReasonReplay
		d.Release()
		d.Notes, d.Sources = nil, nil
		return append(dst, d)
	}
	l.calls.put(key, struct{}{}, now)

	if hold {
		if l.repeated(a, now, (*attempt).follows) {
			dst = append(dst, retried(d, false))
		} else {
			dst = append(dst, Decision{
				Kind: Held, Reason: ReasonAwaitingRetry,
				TraceID: d.TraceID, SpanID: d.SpanID, SpanName: d.SpanName,
			})
			l.hold(&heldSpan{decision: d, attempt: *a, parent: parent, since: now})
		}
	} else {
		dst = append(dst, d)
	}

	free := true
	if before := l.precedes(a); before != nil {
		l.remove(before)
		dst = append(dst, retried(before.decision, true))
		free = false
	}
	l.remember(a, free, now)
	for l.waiting.Load() > int64(l.cfg.maxHeld) {
		l.overflow++
		dst = l.release(dst, l.oldest, now)
	}
	return dst
}

// retried is the decision about a failure that the client repeated.
func retried(d Decision, held bool) Decision {
	d.Kind, d.Reason, d.WasHeld = Suppressed, ReasonRetried, held
	d.Release()
	d.Notes, d.Sources = nil, nil
	return d
}

// precedes returns the held failure that a repeats, the latest of several.
func (l *ledger) precedes(a *attempt) *heldSpan {
	var best *heldSpan
	for _, h := range l.byGroup[a.group] {
		if a.follows(&h.attempt) && (best == nil || h.attempt.end > best.attempt.end) {
			best = h
		}
	}
	return best
}

// repeated reports whether a later attempt has been seen already, as happens where
// spans arrive in any order, and uses that attempt up.
func (l *ledger) repeated(a *attempt, now time.Time, after func(later, earlier *attempt) bool) bool {
	seen, ok := l.attempts.get(a.group, now)
	if !ok {
		return false
	}
	for i := range seen {
		if s := &seen[i]; s.free && after(&s.attempt, a) {
			s.free = false
			l.attempts.put(a.group, seen, now)
			return true
		}
	}
	return false
}

// remember keeps an attempt for failures that arrive later than it. Free ones are
// kept rather than used ones.
func (l *ledger) remember(a *attempt, free bool, now time.Time) {
	seen, _ := l.attempts.get(a.group, now)
	if seen[1].free && !seen[0].free {
		seen[0], seen[1] = seen[1], seen[0]
	}
	if !seen[1].free || free {
		seen[1] = seen[0]
		seen[0].attempt, seen[0].free = *a, free
	}
	l.attempts.put(a.group, seen, now)
}

func (l *ledger) hold(h *heldSpan) {
	h.prev = l.newest
	if l.newest != nil {
		l.newest.next = h
	} else {
		l.oldest = h
	}
	l.newest = h
	l.byGroup[h.attempt.group] = append(l.byGroup[h.attempt.group], h)
	if h.parent.span != ([8]byte{}) {
		l.byParent[h.parent] = append(l.byParent[h.parent], h)
	}
	l.waiting.Add(1)
}

// remove takes a span out of all that holds it.
func (l *ledger) remove(h *heldSpan) {
	if h.prev != nil {
		h.prev.next = h.next
	} else {
		l.oldest = h.next
	}
	if h.next != nil {
		h.next.prev = h.prev
	} else {
		l.newest = h.prev
	}
	without(l.byGroup, h.attempt.group, h)
	without(l.byParent, h.parent, h)
	l.waiting.Add(-1)
}

// without takes h out of one list of m.
func without[K comparable](m map[K][]*heldSpan, key K, h *heldSpan) {
	list := m[key]
	i := slices.Index(list, h)
	switch {
	case i < 0:
	case len(list) == 1:
		delete(m, key)
	default:
		m[key] = slices.Delete(list, i, i+1)
	}
}

// release decides about a held span: nothing more will be known.
func (l *ledger) release(dst []Decision, h *heldSpan, now time.Time) []Decision {
	l.remove(h)
	if l.repeated(&h.attempt, now, (*attempt).comesAfter) {
		return append(dst, retried(h.decision, true))
	}
	d := h.decision
	d.WasHeld = true
	return append(dst, d)
}

// parentEnded releases what waited for the end of a span. It is called for every
// span and must cost next to nothing while nothing waits.
func (l *ledger) parentEnded(dst []Decision, s Span) []Decision {
	if l.waiting.Load() == 0 {
		return dst
	}
	key := spanKey{s.TraceID(), s.SpanID()}
	l.mu.Lock()
	defer l.mu.Unlock()

	waiting := l.byParent[key]
	if len(waiting) == 0 {
		return dst
	}
	now := l.cfg.now()
	for len(l.byParent[key]) > 0 {
		dst = l.release(dst, l.byParent[key][0], now)
	}
	return dst
}

// settle releases what has waited for longer than the settle window.
func (l *ledger) settle(dst []Decision, now time.Time) []Decision {
	l.mu.Lock()
	defer l.mu.Unlock()

	for l.oldest != nil && now.Sub(l.oldest.since) >= l.cfg.settleWindow {
		dst = l.release(dst, l.oldest, now)
	}
	return dst
}

// flush releases all that waits.
func (l *ledger) flush(dst []Decision) []Decision {
	l.mu.Lock()
	defer l.mu.Unlock()

	now := l.cfg.now()
	for l.oldest != nil {
		dst = l.release(dst, l.oldest, now)
	}
	return dst
}

func (l *ledger) stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()

	return Stats{
		Held:            int(l.waiting.Load()),
		HeldOverflow:    l.overflow,
		Recent:          l.calls.len(),
		RecentForgotten: l.calls.forgotten,
	}
}
