// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert/internal/links"
)

// selection decides which span of a call bills. It sees every span once, in any
// order, and remembers calls, the spans around them and who is whose parent, all
// of it for a while and in bounded memory.
//
// Two spans are related when the way from one up to the other is known. Each span
// that has to do with calls is therefore carried upwards, from parent to parent,
// as far as these have come; the nearest one that has not is waited for, and is
// called the frontier.
type selection struct {
	cfg         *config
	attribution *attribution
	links       *links.Table

	// waiting is the number of held spans. It is read without the lock.
	waiting atomic.Int64

	mu      sync.Mutex
	nodes   *nodes
	held    queue
	briefly queue
	// ending are held spans by the span whose end they wait for.
	ending map[spanKey][]*pending
	counts selectionCounts
	// journal notes what changes; nil where nobody wants to know.
	journal *journal

	// now and nano are the time of the call that holds the lock, out what it has
	// decided.
	now  time.Time
	nano int64
	out  []Decision
}

// selectionCounts are what selection reports of itself.
type selectionCounts struct {
	overflow, late, doubled int64
}

// chain is a list of nodes that are carried upwards together.
type chain struct{ head, tail uint64 }

// maxClimb bounds the way up: a deeper trace, or one whose parents go in a circle,
// ends there.
const maxClimb = 256

func newSelection(cfg *config, a *attribution) *selection {
	l := &selection{
		cfg: cfg, attribution: a,
		links:   links.New(cfg.linkEntries, cfg.linkAge()),
		nodes:   newNodes(cfg.recentEntries, int64(cfg.recentAge)),
		held:    queue{window: cfg.settleWindow},
		briefly: queue{window: cfg.holdBack},
		ending:  make(map[spanKey][]*pending),
	}
	if cfg.journal {
		l.journal = &journal{}
	}
	return l
}

// lock begins a call that decides.
func (l *selection) lock(dst []Decision) {
	now := l.cfg.now()
	l.mu.Lock()
	l.now, l.nano, l.out = now, now.UnixNano(), dst
}

// unlock ends it and returns what was decided.
func (l *selection) unlock() []Decision {
	out := l.out
	l.out = nil
	l.mu.Unlock()
	return out
}

// pass is for a span that has nothing to do with calls, except that it can lie
// between two that have. It is called for every span and must cost next to
// nothing.
func (l *selection) pass(dst []Decision, s Span) []Decision {
	key := spanKey{Trace: s.TraceID(), Span: s.SpanID()}
	parent := s.ParentSpanID()
	head := l.links.Seen(&key, parent, l.cfg.now())
	if l.journal != nil {
		l.journal.link(&key, parent)
	}
	if head == 0 {
		return dst
	}
	l.lock(dst)
	l.climb(l.chain(head), key.Trace, parent)
	l.ended(key)
	return l.unlock()
}

// context is for a span that says something about the calls below it.
func (l *selection) context(dst []Decision, proto *node, context *spanContext) []Decision {
	l.lock(dst)
	c := l.arrive(proto)
	if c.head != 0 || !l.cfg.inProcess {
		proto.context = context
		k := proto.keys()
		n := l.nodes.add(proto, &k, l.nano)
		l.touch(n)
		for m := range l.members(c) {
			l.relate(m, n)
		}
	}
	l.climb(c, proto.key.Trace, proto.parent)
	l.ended(proto.key)
	return l.unlock()
}

// entry is a call, or a span around calls, that is to be decided about.
type entry struct {
	pending
	proto node
	// outer is an ancestor in the same process that has not ended and may be the same
	// call.
	outer spanKey
	// batch is the batch whose end the decision waits for; nil for none.
	batch *Batch
}

// enter decides about a span, or has it wait, and appends the decisions: also
// those about others that it settles.
func (l *selection) enter(dst []Decision, e *entry) []Decision {
	k := e.proto.keys()
	l.lock(dst)
	l.nodes.approach(&k)
	first := len(dst)
	key, parent := e.proto.key, e.proto.parent
	below := l.arrive(&e.proto)
	if known := l.nodes.span(&key, l.nano); known != nil {
		e.decision.suppressed(ReasonReplay, key)
		l.out = append(l.out, e.decision)
		l.climb(below, key.Trace, parent)
		l.ended(key)
		e.reset()
		return l.unlock()
	}
	var named [3]*node
	for i := range named {
		if e.proto.class == classTool {
			break // tools are executed again under the same id
		}
		kind := keyID + keyKind(i)
		named[i] = l.nodes.find(kind, k[kind], l.nano)
	}
	// The ring may grow: what was found must be looked up again afterwards.
	var seqs [3]uint64
	for i, n := range named {
		if n != nil {
			seqs[i] = n.seq
		}
	}
	n := l.nodes.add(&e.proto, &k, l.nano)
	l.touch(n)
	n.pending, e.node = &e.pending, n.seq

	again := l.attempt(n)
	for _, seq := range seqs {
		if twin := l.nodes.get(seq); twin != nil && n.pending != nil && twin.class == n.class && !differentIDs(twin, n) && !l.answersApart(twin, n) {
			l.same(n, twin, ReasonTwinID)
		}
	}
	for m := range l.members(below) {
		l.relate(m, n)
	}
	l.summed(n)
	l.climb(l.prepend(n, below), key.Trace, parent)
	l.elsewhere(n)
	if n.pending != nil {
		l.conclude(n, e, again)
	}
	l.lead(first, key)
	l.ended(key)
	l.bound()
	e.reset()
	return l.unlock()
}

// lead puts the decision about a span in front of those that follow from it.
func (l *selection) lead(first int, key spanKey) {
	for i := first + 1; i < len(l.out); i++ {
		if d := l.out[i]; d.SpanID == key.Span && d.TraceID == key.Trace {
			copy(l.out[first+1:i+1], l.out[first:i])
			l.out[first] = d
			return
		}
	}
}

// conclude decides finally about a span to which nothing else was found, or has it
// wait for what may yet come.
func (l *selection) conclude(n *node, e *entry, again bool) {
	switch {
	case again:
		l.suppress(n, nil, ReasonRetried)
	case e.wait == ReasonAwaitingRetry:
		until := e.until
		if until == (spanKey{}) {
			until = spanKey{Trace: n.key.Trace, Span: n.parent}
		}
		l.hold(n, ReasonAwaitingRetry, until)
	case e.wait != "":
		l.hold(n, e.wait, spanKey{})
	case e.outer != spanKey{}:
		l.hold(n, ReasonAwaitingOuter, e.outer)
	case l.unlinked(n) != nil:
		l.hold(n, ReasonAwaitingLink, spanKey{})
	case l.cfg.holdBack > 0:
		l.hold(n, ReasonHoldBack, spanKey{})
	case e.batch != nil:
		l.hold(n, ReasonAwaitingBatch, spanKey{})
		e.batch.calls = append(e.batch.calls, n.seq)
	default:
		l.finish(n)
	}
}

// finish makes the decision about a node final.
func (l *selection) finish(n *node) {
	p := n.pending
	l.touch(n)
	l.leave(p)
	if n.cumulative {
		l.subtract(n)
	}
	n.verdict = verdictSkipped
	if p.decision.Kind == Billed {
		n.verdict = verdictBilled
		p.decision.Record = p.decision.block.seal()
	}
	n.pending = nil
	p.decision.WasHeld = p.queue != nil
	l.out = append(l.out, p.decision)
}

// release decides about a node that waited, and to which nothing more comes. What is
// below it may have come after it.
func (l *selection) release(n *node) {
	if l.summed(n); n.pending != nil {
		l.finish(n)
	}
}

// suppress decides that another span bills what a node reports; by is nil where
// none does.
func (l *selection) suppress(n, by *node, reason Reason) {
	p := n.pending
	l.touch(n)
	l.leave(p)
	n.verdict = verdictSuppressed
	n.pending = nil
	var key spanKey
	if by != nil {
		n.by, key = uint32(by.seq), by.key
		by.bills = true
	}
	p.decision.suppressed(reason, key)
	p.decision.WasHeld = p.queue != nil
	l.out = append(l.out, p.decision)
}

// settle decides about what has waited for long enough.
func (l *selection) settle(dst []Decision, now time.Time) []Decision {
	l.lock(dst)
	for _, q := range []*queue{&l.briefly, &l.held} {
		for q.oldest != nil && now.Sub(q.oldest.since) >= q.window {
			l.settleOne(q.oldest)
		}
	}
	return l.unlock()
}

// flush decides about all that waits.
func (l *selection) flush(dst []Decision) []Decision {
	l.lock(dst)
	for _, q := range []*queue{&l.briefly, &l.held} {
		for q.oldest != nil {
			l.settleOne(q.oldest)
		}
	}
	return l.unlock()
}

// settleOne decides about a node for which nothing more is waited.
func (l *selection) settleOne(p *pending) {
	n := l.nodes.get(p.node)
	switch p.wait {
	case ReasonAwaitingRetry:
		if l.repeated(n, (*node).comesAfter) {
			l.suppress(n, nil, ReasonRetried)
			return
		}
	case ReasonAwaitingUsage:
		if a := l.nodes.get(p.under); a != nil && (a.verdict == undecided || a.verdict == verdictBilled) {
			l.suppress(n, a, ReasonUnderAggregate)
			return
		}
	case ReasonAwaitingLink:
		// The spans between never came, and nothing else speaks against it.
		if twin := l.unlinked(n); twin != nil {
			l.same(n, twin, ReasonTwinFingerprint)
			if n.pending == nil {
				return
			}
		}
	case ReasonHoldBack:
		if l.asReported(n); n.pending == nil {
			return
		}
	case ReasonAwaitingCalls:
		if by := l.sumElsewhere(n); by != nil {
			l.suppress(n, by, ReasonCovered)
			return
		}
	}
	l.release(n)
}

// bound keeps what waits within its bound.
func (l *selection) bound() {
	for l.waiting.Load() > int64(l.cfg.maxHeld) {
		l.counts.overflow++
		oldest := l.held.oldest
		if oldest == nil {
			oldest = l.briefly.oldest
		}
		l.settleOne(oldest)
	}
}

func (l *selection) stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{
		Held:            int(l.waiting.Load()),
		HeldOverflow:    l.counts.overflow,
		Recent:          l.nodes.len(l.cfg.now().UnixNano()),
		RecentForgotten: l.nodes.forgotten + l.nodes.index.displaced,
		LinksForgotten:  l.links.Evicted(),
		LateCalls:       l.counts.late,
		BilledTwice:     l.counts.doubled,
	}
}
