// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"iter"
	"maps"
	"slices"
)

// nodes is the memory of nodes: a ring, in which the latest takes the place of the
// oldest, and an index. It grows with what comes up to its bound. The ring is made in
// pieces when they are needed, so that it does not take twice the room of what it
// holds after it has grown.
type nodes struct {
	pieces [][]node
	size   uint64 // of the ring
	lap    uint64 // the number whose place is the first of the ring, the latest there is
	max    int
	age    int64 // nanoseconds
	last   uint64
	index  index
	// touched is what [nodes.approach] has read, so that it is not left out.
	touched uint32
	// forgotten counts nodes that lost their place before they were too old.
	forgotten int64
	// displaced are nodes that wait although others have their places.
	displaced map[uint64]*node
	sweepAt   int
}

const (
	firstNodes = 64
	nodeGrowth = 2
	pieceNodes = 512
)

func newNodes(entries int, age int64) *nodes {
	n := &nodes{max: entries, age: age, displaced: make(map[uint64]*node)}
	n.resize(min(firstNodes, entries), 0)
	return n
}

// resize gives all that is remembered the places of a ring of another size.
func (n *nodes) resize(size int, now int64) {
	old := n.pieces
	n.pieces = make([][]node, (size+pieceNodes-1)/pieceNodes)
	n.size = uint64(size)
	n.lap = n.last - n.last%n.size
	lost := n.index.displaced
	n.index = newIndex(size)
	for i, piece := range old {
		for j := range piece {
			if o := &piece[j]; n.remembers(o, now) {
				n.settle(o, now)
			}
		}
		old[i] = nil // it need not be kept until all have been copied
	}
	// In order, so that the latest of several is found first.
	for _, seq := range n.numbers(now) {
		for _, key := range n.get(seq).keys() {
			if key != 0 {
				n.index.put(key, seq, n.last)
			}
		}
	}
	n.index.displaced = lost // what was, has its place again
}

// settle gives a node its place. Of two that have the same, the one with the lower
// number is older than others that have been forgotten, and only there since it waits.
func (n *nodes) settle(o *node, now int64) {
	switch at := n.room(o.seq); {
	case at.seq == 0:
		*at = *o
	case at.seq < o.seq:
		n.displace(at, now)
		*at = *o
	default:
		n.displace(o, now)
	}
}

// displace keeps a node that waits while another takes its place. What waits is
// bounded by itself.
func (n *nodes) displace(o *node, now int64) {
	if len(n.displaced) >= n.sweepAt {
		maps.DeleteFunc(n.displaced, func(_ uint64, o *node) bool { return !n.remembers(o, now) })
		n.sweepAt = max(firstNodes, 2*len(n.displaced))
	}
	kept := *o
	n.displaced[o.seq] = &kept
}

// remembers reports whether a node is still of use.
func (n *nodes) remembers(o *node, now int64) bool {
	return o.seq != 0 && (now-o.arrived <= n.age || o.pending != nil)
}

// place is where a node with a number would be; nil for a piece of the ring that has
// not been needed.
func (n *nodes) place(seq uint64) *node {
	at := n.at(seq)
	piece := n.pieces[at/pieceNodes]
	if piece == nil {
		return nil
	}
	return &piece[at%pieceNodes]
}

// at is seq modulo the size of the ring, mostly without a division.
func (n *nodes) at(seq uint64) uint64 {
	if at := seq - n.lap; at < n.size {
		return at
	}
	if at := seq - n.lap + n.size; at < n.size {
		return at
	}
	return seq % n.size
}

// room is place for a node that is put there.
func (n *nodes) room(seq uint64) *node {
	i := n.at(seq) / pieceNodes
	if n.pieces[i] == nil {
		n.pieces[i] = make([]node, min(pieceNodes, n.size-i*pieceNodes))
	}
	return n.place(seq)
}

// get returns a node by its number, nil when it has been forgotten.
func (n *nodes) get(seq uint64) *node {
	if seq == 0 {
		return nil
	}
	if o := n.place(seq); o != nil && o.seq == seq {
		return o
	}
	return n.displaced[seq]
}

// number is the number of a node of which part is a part; 0 for 0.
func (n *nodes) number(part uint32) uint64 {
	if part == 0 {
		return 0
	}
	return whole(part, n.last)
}

// advance takes the next number. None has a part that is 0.
func (n *nodes) advance() *node {
	if n.last++; uint32(n.last) == 0 {
		n.last++
	}
	if n.last-n.lap >= n.size {
		n.lap = n.last - n.last%n.size
	}
	return n.room(n.last)
}

// numbers are those of the nodes that are remembered, the oldest first.
func (n *nodes) numbers(now int64) []uint64 {
	list := make([]uint64, 0, n.len(now))
	for o := range n.all(now) {
		list = append(list, o.seq)
	}
	slices.Sort(list)
	return list
}

// all are the nodes that are remembered, in no order.
func (n *nodes) all(now int64) iter.Seq[*node] {
	return func(yield func(*node) bool) {
		for _, piece := range n.pieces {
			for i := range piece {
				if o := &piece[i]; n.remembers(o, now) && !yield(o) {
					return
				}
			}
		}
		for _, o := range n.displaced {
			if n.remembers(o, now) && !yield(o) {
				return
			}
		}
	}
}

// find returns the latest node with a key of a kind, nil for none or one that is
// too old.
func (n *nodes) find(kind keyKind, key uint64, now int64) *node {
	if key == 0 {
		return nil
	}
	o := n.get(n.index.get(key, n.last))
	if o == nil || o.digest(kind) != key || now-o.arrived > n.age && o.pending == nil {
		return nil
	}
	return o
}

// span returns the node of a span.
func (n *nodes) span(k *spanKey, now int64) *node {
	if o := n.find(keySpan, spanDigest(k), now); o != nil && o.key == *k {
		return o
	}
	return nil
}

// approach has the processor fetch, side by side, the parts of the index that are
// looked at for these keys: one after the other they take a third of the time that
// a span takes, since the index is larger than a cache.
func (n *nodes) approach(k *keys) {
	n.touched = 0
	for _, key := range k {
		a, b := n.index.pair(key)
		n.touched += a[0].tag + b[0].tag
	}
}

// add takes a place for a node, which is found by k, and returns it.
func (n *nodes) add(proto *node, k *keys, now int64) *node {
	if n.last >= n.size && n.size < uint64(n.max) {
		if oldest := n.room(n.last + 1); now-oldest.arrived <= n.age {
			n.resize(min(int(n.size)*nodeGrowth, n.max), now)
		}
	}
	o := n.advance()
	switch {
	case o.seq == 0:
	case o.pending != nil:
		n.displace(o, now)
	case now-o.arrived <= n.age:
		n.forgotten++
	}
	*o = *proto
	o.seq, o.arrived = n.last, now
	for i, key := range k {
		if key == 0 {
			continue
		}
		before := n.index.put(key, o.seq, n.last)
		if at := beforeAt[i]; at >= 0 {
			o.before[at] = before
		}
	}
	return o
}

// previous returns the node before o that probably has the same key of a kind.
func (n *nodes) previous(o *node, kind keyKind, now int64) *node {
	p := n.get(n.number(o.before[beforeAt[kind]]))
	if p == nil || now-p.arrived > n.age && p.pending == nil {
		return nil
	}
	return p
}

// len is the number of nodes that are remembered.
func (n *nodes) len(now int64) int {
	count := 0
	for range n.all(now) {
		count++
	}
	return count
}
