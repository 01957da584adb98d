// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert/internal/links"
)

// Errors of [Restore.Add].
var (
	// ErrNoState: the bytes are not a chunk of a converter's memory.
	ErrNoState = errors.New("convert: not a chunk of a converter's memory")
	// ErrStateVersion: a version of this package wrote it that this one does not
	// know, as after going back to an older release.
	ErrStateVersion = errors.New("convert: chunk of a converter's memory was written by a version that this one does not know")
	// ErrStateDamaged: the bytes have changed since, or are not all there.
	ErrStateDamaged = errors.New("convert: chunk of a converter's memory is damaged")
)

// HeldSpan is a span that is held.
type HeldSpan struct {
	TraceID [16]byte
	SpanID  [8]byte
	// Reason is what it waits for.
	Reason Reason
	// Tag is that of [Converter.Tag]; "" for none.
	Tag string
}

// Restore gives a new converter the memory of another one, which exported it
// before the process ended. Take it to its end before the converter converts.
type Restore struct {
	c     *Converter
	nodes map[uint64]*storedNode
	// last is when the latest chunk was exported.
	last int64
}

// storedNode is a node as it was exported, with the numbers of then.
type storedNode struct {
	node  node
	by    uint64 // in place of the node's
	waits *storedWaiting
}

// Restore begins to restore the memory of a converter that has none.
func (c *Converter) Restore() *Restore {
	return &Restore{c: c, nodes: make(map[uint64]*storedNode)}
}

// Waiting reports whether calls wait in a chunk, as far as can be told: also of one
// that another version wrote, or that is damaged. What another error than
// [ErrNoState] costs is known by it.
func Waiting(chunk []byte) bool {
	return len(chunk) > len(stateMagic)+1 && string(chunk[:len(stateMagic)]) == stateMagic && chunk[len(stateMagic)+1] == chunkWaiting
}

// Add takes a chunk; those of spans and those of links must come in the order in
// which they were exported. The mark is good for chunks of links, which can be
// kept; those of spans are superfluous after the first export. A chunk that it
// fails on is passed over; others can be added nevertheless. chunk is not kept.
func (r *Restore) Add(chunk []byte) (Mark, error) {
	kind, at, p, err := openChunk(chunk)
	if err != nil {
		return Mark{}, err
	}
	count := p.uvarint()
	if count > uint64(len(p.rest)) {
		return Mark{}, ErrStateDamaged
	}
	m := Mark{at: at}
	switch kind {
	case chunkLinks:
		m.links = true
		m.upTo, err = r.addLinks(p, count, at)
	default:
		err = r.addNodes(p, count)
	}
	if err != nil {
		return Mark{}, err
	}
	r.last = max(r.last, at)
	return m, nil
}

// addLinks takes who is whose parent. Nothing is noted before all has been read.
func (r *Restore) addLinks(p *stateParser, count uint64, at int64) (total uint64, err error) {
	type link struct {
		key    spanKey
		parent [8]byte
	}
	list := make([]link, 0, count)
	var trace [16]byte
	for range count {
		if p.byte() == 0 {
			p.copy(trace[:])
		}
		e := link{key: spanKey{Trace: trace}}
		p.copy(e.key.Span[:])
		p.copy(e.parent[:])
		list = append(list, e)
	}
	if !p.done() {
		return 0, ErrStateDamaged
	}
	l := r.c.selection
	seen := time.Unix(0, at)
	if l.cfg.now().Sub(seen) <= l.cfg.linkAge() {
		for i := range list {
			l.links.Seen(&list[i].key, list[i].parent, seen)
		}
	}
	if j := l.journal; j != nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.total += count
		total = j.total
	}
	return total, nil
}

func (r *Restore) addNodes(p *stateParser, count uint64) error {
	list := make([]*storedNode, 0, count)
	for range count {
		n := p.node(r.c)
		if n == nil {
			return ErrStateDamaged
		}
		list = append(list, n)
	}
	if !p.done() {
		return ErrStateDamaged
	}
	for _, n := range list {
		r.nodes[n.node.seq] = n
	}
	return nil
}

// End ends the restoring and returns the spans that are held again. The time since
// the last export does not count as waiting: nothing can have come meanwhile.
func (r *Restore) End() []HeldSpan {
	l := r.c.selection
	l.lock(nil)
	defer l.unlock()
	down := max(0, l.nano-r.last)
	stored := slices.SortedFunc(maps.Values(r.nodes), func(a, b *storedNode) int { return cmp.Compare(a.node.seq, b.node.seq) })
	stored = slices.DeleteFunc(stored, func(s *storedNode) bool {
		return s.waits == nil && l.nano-s.node.arrived > l.nodes.age
	})
	stored = l.latest(stored)
	// The numbers of nodes are new.
	renamed := make(map[uint64]uint64, len(stored))
	for _, s := range stored {
		old, arrived := s.node.seq, min(s.node.arrived, l.nano)
		k := s.node.keys()
		n := l.nodes.add(&s.node, &k, l.nano)
		n.arrived = arrived
		renamed[old], s.node.seq = n.seq, n.seq
		if s.waits != nil {
			l.waitAgain(n, s.waits, down)
		}
	}
	var held []HeldSpan
	for _, s := range stored {
		n := l.nodes.get(s.node.seq)
		l.rename(n, s.by, renamed)
		l.await(n)
		if p := n.pending; p != nil {
			held = append(held, HeldSpan{TraceID: n.key.Trace, SpanID: n.key.Span, Reason: p.wait, Tag: p.tag})
		}
	}
	if l.journal != nil {
		l.journal.all = true
	}
	r.nodes = nil
	return held
}

// latest returns the nodes that there is room for: what waits, and the latest.
func (l *selection) latest(stored []*storedNode) []*storedNode {
	excess := len(stored) - l.nodes.max
	if excess <= 0 {
		return stored
	}
	room := l.nodes.max - l.nodes.max/2
	return slices.DeleteFunc(stored, func(s *storedNode) bool {
		switch {
		case s.waits != nil && room > 0:
			room--
			return false
		case excess > 0:
			excess--
			return true
		default:
			return false
		}
	})
}

// waitAgain has a node wait as it did.
func (l *selection) waitAgain(n *node, s *storedWaiting, down int64) {
	p := s.pending
	p.node, p.since = n.seq, p.since.Add(time.Duration(down))
	if p.since.After(l.now) {
		p.since = l.now
	}
	n.pending = p
	l.enqueue(p)
}

// rename replaces the numbers of nodes by those that they have now. by was that of the
// node that bills.
func (l *selection) rename(n *node, by uint64, renamed map[uint64]uint64) {
	n.by = uint32(renamed[by])
	twins := n.twins()
	for i := range twins {
		if t := &twins[i]; t.seq != 0 {
			if t.seq = renamed[t.seq]; t.seq == 0 {
				t.seq = forgotten // that there was one remains known
			}
		}
	}
	if p := n.pending; p != nil {
		p.under = renamed[p.under]
		for i, seq := range p.below {
			p.below[i] = renamed[seq]
		}
	}
}

// forgotten is the number of no node.
const forgotten = 1 << 63

// await leaves a node at the first ancestor that has not come. What follows from
// those that have was decided before.
func (l *selection) await(n *node) {
	n.next, n.tail = 0, uint32(n.seq)
	c := chain{head: n.seq, tail: n.seq}
	key := links.Key{Trace: n.key.Trace, Span: n.parent}
	for range maxClimb {
		if key.Span == ([8]byte{}) {
			return
		}
		up, seen, before := l.links.Await(&key, c.head, l.now)
		if !seen {
			l.join(c, before)
			return
		}
		key.Span = up
	}
}
