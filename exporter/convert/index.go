// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

// index finds a node by a key. It is a table of a fixed size in which a key has
// places in two buckets, each a cache line; the latest take them from the oldest. It
// keeps a part of the key and of the number only, so that what it finds has to be
// checked.
type index struct {
	buckets []indexBucket
	nodes   int
	// displaced counts keys that lost their place although their node had not lost
	// its own.
	displaced int64
}

type (
	indexBucket [8]indexEntry
	indexEntry  struct{ tag, seq uint32 }
)

// keysPerNode is for how many keys of each node there is a place. They have five to
// seven; that no key loses its own with so few more is what the second bucket is for.
const keysPerNode = 8

func newIndex(nodes int) index {
	buckets := 8
	for buckets*len(indexBucket{}) < keysPerNode*nodes {
		buckets *= 2
	}
	return index{buckets: make([]indexBucket, buckets), nodes: nodes}
}

// pair returns the buckets in which a key has places.
func (x *index) pair(key uint64) (a, b *indexBucket) {
	at := x.first(key)
	return &x.buckets[at], &x.buckets[x.other(at, tagOf(key))]
}

// first is the number of the first bucket of a key.
func (x *index) first(key uint64) uint64 { return (key ^ key>>29) & uint64(len(x.buckets)-1) }

// other is the number of the second bucket of a key with a tag, and that of the first
// where at is the second.
func (x *index) other(at uint64, tag uint32) uint64 {
	return at ^ uint64(tag)*0x9e3779b97f4a7c15>>33&uint64(len(x.buckets)-1)
}

// tagOf is what is kept of a key; never 0.
func tagOf(key uint64) uint32 { return uint32(key>>32) | 1 }

// whole is the number, not above last, of which seq is a part.
func whole(seq uint32, last uint64) uint64 { return last - uint64(uint32(last)-seq) }

// get returns the number of a node that probably has the key; 0 for none.
func (x *index) get(key, last uint64) uint64 {
	tag := tagOf(key)
	a, b := x.pair(key)
	for i := range a {
		if a[i].tag == tag {
			return whole(a[i].seq, last)
		}
	}
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
	tag, first := tagOf(key), x.first(key)
	buckets := [...]uint64{first, x.other(first, tag)}
	for _, at := range buckets {
		bucket := &x.buckets[at]
		for i := range bucket {
			if e := &bucket[i]; e.tag == tag {
				before, e.seq = e.seq, uint32(seq)
				return before
			}
		}
	}
	place, age := &x.buckets[first][0], uint64(0)
search:
	for _, at := range buckets {
		bucket := &x.buckets[at]
		for i := range bucket {
			if since := bucket[i].age(last); since > age {
				if place, age = &bucket[i], since; age >= uint64(x.nodes) {
					break search // its node has lost its place
				}
			}
		}
	}
	if age < uint64(x.nodes) {
		place = x.vacate(buckets, last, place)
	}
	*place = indexEntry{tag: tag, seq: uint32(seq)}
	return 0
}

// free is older than every entry.
const free = 1 << 32

// age is how many nodes have come since that of an entry.
func (e *indexEntry) age(last uint64) uint64 {
	if e.tag == 0 {
		return free
	}
	return uint64(uint32(last) - e.seq)
}

// vacate moves an entry of two buckets to its other one, if that has a place for it,
// and returns the place that it had. Otherwise place loses what it has.
func (x *index) vacate(buckets [2]uint64, last uint64, place *indexEntry) *indexEntry {
	for _, at := range buckets {
		bucket := &x.buckets[at]
		for i := range bucket {
			e := &bucket[i]
			other := &x.buckets[x.other(at, e.tag)]
			for j := range other {
				if other[j].age(last) >= uint64(x.nodes) {
					other[j] = *e
					return e
				}
			}
		}
	}
	x.displaced++
	return place
}
