// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"encoding/binary"

	"github.com/revenium/revenium-otel-go/exporter/convert/internal/links"
)

// spanKey names a span.
type spanKey = links.Key

// verdict is what was decided about a node.
type verdict uint8

const (
	// undecided nodes wait, or are being decided about.
	undecided verdict = iota
	verdictBilled
	verdictSuppressed
	verdictSkipped
)

// node is what is remembered of a span that others can depend on: a call, a span
// around calls, or one that says something about the calls below it.
//
// It fills four cache lines. The first has all that most of those that are compared
// with a new span are ruled out by; the memory of nodes is larger than a cache.
type node struct {
	seq uint64 // names the node; 0 for none
	// arrived is when the span was converted, in nanoseconds.
	arrived int64
	// start and end are in nanoseconds.
	start, end int64
	scope      uint64
	resource   uint64
	// before are parts of the numbers of the previous nodes with the same key in the
	// index; see [nodes.previous].
	before [4]uint32

	key    spanKey
	parent [8]byte

	class   class
	verdict verdict
	failed  bool
	// usage says that tokens are known.
	usage bool
	// covered says that calls beneath have usage.
	covered bool
	// detail is the number of things known about the tokens.
	detail uint8
	idKind idKind
	// free: the attempt has not been taken for the repetition of an earlier one.
	free bool
	// dirty: it changed since the last export.
	dirty bool
	// bills: another node was suppressed because this one bills for it.
	bills bool
	// cumulative: the usage can contain that of the calls before, of which each ended
	// with a request for tools.
	cumulative, tools bool
	// number is the retry number, -1 for none.
	number int32
	// input and output are all tokens; -1 for what is not known.
	input, output int64

	// models are the names of the model that answered and of the one asked for,
	// without what instrumentations differ in; 0 for none.
	models [2]uint64
	// ids are digests of the response id, request id and call id; 0 for none.
	ids [3]uint64
	// group is that of attempts at the same call; 0 for none.
	group uint64
	// by is the node that bills for this one.
	by uint64
	// next is the next node of the same chain, tail the last one of the chain that
	// begins with this one.
	next, tail uint64
	// twins are spans that are the same call, and the instrumentations that made
	// them: each makes a call only once.
	twins [2]twin

	// pending is what waits for the decision; nil when it is final.
	pending *pending
	// context is what the span says about calls below it; nil for nothing.
	context *spanContext
	_       [8]byte // to the end of the line
}

// counted reports whether tokens are known.
func (n *node) counted() bool { return n.usage && (n.input >= 0 || n.output >= 0) }

// twin is another span of a call.
type twin struct{ scope, seq uint64 }

// keyKind is what nodes are found by.
type keyKind uint8

const (
	// keySpan: by the span.
	keySpan keyKind = iota
	// keyID, keyRequest, keyCall: by what the provider or a gateway calls the call.
	keyID
	keyRequest
	keyCall
	// keyCounts: by resource and counts, keyTrace: by trace and counts.
	keyCounts
	keyTrace
	// keyUsage, keyNoUsage: by resource and whether there is usage.
	keyUsage
	keyNoUsage
	// keyGroup: by attempts at the same call.
	keyGroup
	numKeyKinds
)

// beforeAt is where a node keeps the one before it with the same key of a kind; -1 for
// kinds of which only the latest is looked for. No node has both keyUsage and
// keyNoUsage.
var beforeAt = [numKeyKinds]int8{
	keySpan: -1, keyID: -1, keyRequest: -1, keyCall: -1,
	keyCounts: 0, keyTrace: 1, keyUsage: 2, keyNoUsage: 2, keyGroup: 3,
}

// mix is a digest of numbers. The first is a salt, so that no two kinds of keys
// meet.
func mix(kind keyKind, numbers ...uint64) uint64 {
	h := uint64(kind)*0x9e3779b97f4a7c15 + 0x2545f4914f6cdd1d
	for _, n := range numbers {
		h ^= n
		h *= 0xff51afd7ed558ccd
		h ^= h >> 32
	}
	if h == 0 {
		h = 1
	}
	return h
}

func traceHash(k *spanKey) uint64 {
	return mix(keyTrace, binary.LittleEndian.Uint64(k.Trace[:8]), binary.LittleEndian.Uint64(k.Trace[8:]))
}

// digest returns the key of a kind by which the node is found; 0 for none.
func (n *node) digest(kind keyKind) uint64 {
	switch kind {
	case keySpan:
		return spanDigest(&n.key)
	case keyID, keyRequest, keyCall:
		if id := n.ids[kind-keyID]; id != 0 {
			return mix(kind, id)
		}
	case keyCounts:
		if n.class.isCall() && n.usage {
			return mix(kind, n.resource, uint64(n.input), uint64(n.output))
		}
	case keyTrace:
		if n.class.isCall() && n.usage {
			return mix(kind, traceHash(&n.key), uint64(n.input), uint64(n.output))
		}
	case keyUsage:
		if n.class.isCall() && n.usage {
			return mix(kind, n.resource)
		}
	case keyNoUsage:
		if n.class.isCall() && !n.usage {
			return mix(kind, n.resource)
		}
	case keyGroup:
		if n.group != 0 {
			return mix(kind, n.group)
		}
	}
	return 0
}

// keys are the keys by which a node is found; 0 for none of a kind.
type keys [numKeyKinds]uint64

func (n *node) keys() (k keys) {
	for kind := range numKeyKinds {
		k[kind] = n.digest(kind)
	}
	return k
}

func spanDigest(k *spanKey) uint64 {
	return mix(keySpan, binary.LittleEndian.Uint64(k.Trace[:8]), binary.LittleEndian.Uint64(k.Trace[8:]), binary.LittleEndian.Uint64(k.Span[:]))
}

// nodes is the memory of nodes: a ring, in which the latest takes the place of the
// oldest, and an index. It grows with what comes up to its bound.
type nodes struct {
	ring  []node
	max   int
	age   int64 // nanoseconds
	last  uint64
	index index
	// touched is what [nodes.approach] has read, so that it is not left out.
	touched uint32
	// forgotten counts nodes that lost their place before they were too old.
	forgotten int64
}

const (
	firstNodes = 64
	nodeGrowth = 4
)

func newNodes(entries int, age int64) *nodes {
	n := &nodes{max: entries, age: age}
	n.resize(min(firstNodes, entries))
	return n
}

func (n *nodes) resize(size int) {
	old := n.ring
	n.ring = make([]node, size)
	displaced := n.index.displaced
	n.index = newIndex(size)
	for i := range old {
		if o := &old[i]; o.seq != 0 {
			*n.place(o.seq) = *o
		}
	}
	// In order, so that the latest of several is found first.
	for seq := n.last - min(n.last, uint64(len(old))) + 1; seq <= n.last; seq++ {
		if o := n.place(seq); o.seq == seq {
			for _, key := range o.keys() {
				if key != 0 {
					n.index.put(key, seq, n.last)
				}
			}
		}
	}
	n.index.displaced = displaced // what was, has its place again
}

func (n *nodes) place(seq uint64) *node { return &n.ring[seq%uint64(len(n.ring))] }

// get returns a node by its number, nil when it has been forgotten.
func (n *nodes) get(seq uint64) *node {
	if seq == 0 {
		return nil
	}
	if o := n.place(seq); o.seq == seq {
		return o
	}
	return nil
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
		n.touched += n.index.bucket(key)[0].tag
	}
}

// add takes a place for a node, which is found by k, and returns it.
func (n *nodes) add(proto *node, k *keys, now int64) *node {
	if n.last >= uint64(len(n.ring)) && len(n.ring) < n.max {
		if oldest := n.place(n.last + 1); now-oldest.arrived <= n.age {
			n.resize(min(len(n.ring)*nodeGrowth, n.max))
		}
	}
	n.last++
	o := n.place(n.last)
	for o.seq != 0 && o.pending != nil {
		// What waits is bounded by itself, and keeps its place meanwhile.
		n.last++
		o = n.place(n.last)
	}
	if o.seq != 0 && now-o.arrived <= n.age {
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
	before := o.before[beforeAt[kind]]
	if before == 0 {
		return nil
	}
	p := n.get(whole(before, n.last))
	if p == nil || now-p.arrived > n.age && p.pending == nil {
		return nil
	}
	return p
}

// len is the number of nodes that are remembered.
func (n *nodes) len(now int64) int {
	count := 0
	for i := range n.ring {
		if o := &n.ring[i]; o.seq != 0 && (now-o.arrived <= n.age || o.pending != nil) {
			count++
		}
	}
	return count
}

// index finds a node by a key. It is a table of a fixed size in which a key has a
// few places, in one cache line; the latest take them from the oldest. It keeps a
// part of the key and of the number only, so that what it finds has to be checked.
type index struct {
	buckets []indexBucket
	nodes   int
	// displaced counts keys that lost their place although their node had not lost
	// its own.
	displaced int64
}

type indexBucket [8]struct{ tag, seq uint32 }

// keysPerNode is for how many keys of each node there is a place. They have five to
// seven, and with no more places than that, one in fifty would have lost its own.
const keysPerNode = 16

func newIndex(nodes int) index {
	buckets := 8
	for buckets*len(indexBucket{}) < keysPerNode*nodes {
		buckets *= 2
	}
	return index{buckets: make([]indexBucket, buckets), nodes: nodes}
}

func (x *index) bucket(key uint64) *indexBucket {
	return &x.buckets[(key^key>>29)&uint64(len(x.buckets)-1)]
}

// whole is the number, not above last, of which seq is a part.
func whole(seq uint32, last uint64) uint64 { return last - uint64(uint32(last)-seq) }

// get returns the number of a node that probably has the key; 0 for none.
func (x *index) get(key, last uint64) uint64 {
	b, tag := x.bucket(key), uint32(key>>32)|1
	for i := range b {
		if b[i].tag == tag {
			return whole(b[i].seq, last)
		}
	}
	return 0
}

// put has a key lead to a node, and returns the part of the number of the one that it
// led to before; 0 for none.
func (x *index) put(key, seq, last uint64) (before uint32) {
	b, tag := x.bucket(key), uint32(key>>32)|1
	at := 0
	for i := range b {
		if b[i].tag == tag {
			before = b[i].seq
			at = i
			break
		}
		if b[i].tag == 0 {
			at = i
			break
		}
		if whole(b[i].seq, last) < whole(b[at].seq, last) {
			at = i
		}
	}
	if b[at].tag != 0 && b[at].tag != tag && last-whole(b[at].seq, last) < uint64(x.nodes) {
		x.displaced++
	}
	b[at].tag, b[at].seq = tag, uint32(seq)
	return before
}
