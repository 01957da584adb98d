// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestIndex fills an index several times over with the most keys that nodes have: the
// latest node of each key must be found as long as it has its place.
func TestIndex(t *testing.T) {
	const remembered, kinds = 4096, 7
	random := rand.New(rand.NewPCG(1, 2))
	x := newIndex(remembered)
	var added [][kinds]uint64
	last := uint64(1<<32 - 3*remembered) // parts of numbers begin anew meanwhile
	first := last + 1
	for range 6 * remembered {
		var keys [kinds]uint64
		last++
		for k := range keys {
			keys[k] = mix(keyKind(k), random.Uint64())
			x.put(keys[k], last, last)
		}
		added = append(added, keys)
	}
	missing := 0
	for i, keys := range added[len(added)-remembered+1:] {
		seq := first + uint64(len(added)-remembered+1+i)
		for _, key := range keys {
			if x.get(key, last) != seq {
				missing++
			}
		}
	}
	if missing > 3 || x.displaced > 3 {
		t.Errorf("of %d keys %d are not found, %d were displaced", remembered*kinds, missing, x.displaced)
	}
	again := added[len(added)-1][0]
	if before := x.put(again, last+1, last+1); before != uint32(last) || x.get(again, last+1) != last+1 {
		t.Errorf("a key leads to %d after %d", x.get(again, last+1), before)
	}
}

// TestNodesGrow adds more nodes than there is room for: the latest stay, in order and
// each in its place, also where the ring is no power of two, and what waits is kept until
// it does not wait any more.
func TestNodesGrow(t *testing.T) {
	const most = 3000
	ring := newNodes(most, 1_000_000)
	add := func(i int, waits *pending) *node {
		n := node{class: classCall, pending: waits}
		n.key.Span = [8]byte{byte(i), byte(i >> 8), byte(i >> 16), 1}
		k := n.keys()
		return ring.add(&n, &k, int64(i))
	}
	waiting := add(1, &pending{}).seq
	for i := 2; i <= 3*most; i++ {
		n := add(i, nil)
		if ring.span(&n.key, int64(i)) != ring.get(n.seq) {
			t.Fatalf("node %d is not found", i)
		}
		if i == most/2 {
			pieces := 0
			for _, p := range ring.pieces {
				pieces += len(p)
			}
			if pieces > i+2*pieceNodes {
				t.Errorf("there is room for %d nodes when %d are remembered", pieces, i)
			}
		}
	}
	if n := ring.get(waiting); n == nil || n.pending == nil {
		t.Fatal("what waits has lost its place")
	}
	list := ring.numbers(3 * most)
	if !slices.IsSorted(list) || list[0] != waiting {
		t.Errorf("the numbers begin with %v: want them in order, from %d, which waits", list[:min(3, len(list))], waiting)
	}
	if len(list) != most+1 || ring.len(3*most) != most+1 {
		t.Errorf("%d nodes are remembered, want %d and the one that waits", len(list), most)
	}
}

// TestNodesAreFound fills memories of several sizes: all that fits is found, by its number
// and by its keys, whether the memory grew before it was full or after it went round.
func TestNodesAreFound(t *testing.T) {
	const age = int64(1000)
	proto := func(i int) *node {
		n := &node{class: classCall, usage: true, input: int64(i), output: 1, resource: 7}
		binary.BigEndian.PutUint64(n.key.Trace[:8], uint64(i)+1)
		binary.BigEndian.PutUint64(n.key.Span[:], uint64(i)+1)
		return n
	}
	for _, bound := range []int{2, 63, 64, 65, 256, 257, 700, 1024, 5000} {
		for _, early := range []int{0, 10, 64, 300, 3000} {
			t.Run(fmt.Sprintf("%d after %d", bound, early), func(t *testing.T) {
				n := newNodes(bound, age)
				add := func(i int, now int64) *node {
					p := proto(i)
					k := p.keys()
					return n.add(p, &k, now)
				}
				// The first are too old to have the memory grow when the others come, but
				// for two that wait.
				waiting := min(early, bound/2, 2)
				for i := range early {
					o := add(i, int64(i)*2*age)
					if i < waiting {
						o.pending = &pending{}
					}
				}
				now := int64(early) * 2 * age
				for i := range bound {
					add(early+i, now)
				}
				lost, misplaced := 0, 0
				check := func(i int) {
					p := proto(i)
					o := n.span(&p.key, now)
					switch {
					case o == nil:
						lost++
					case o.key != p.key || n.get(o.seq) != o:
						t.Errorf("node %d is found as %v", i, o.key)
					case n.find(keyCounts, p.digest(keyCounts), now) != o:
						misplaced++ // few, where many keys meet in one place
					}
				}
				for seq := range uint64(waiting) {
					if o := n.get(seq + 1); o == nil || o.key != proto(int(seq)).key {
						t.Errorf("node %d, which waits, is forgotten", seq)
					}
				}
				for i := range bound {
					check(early + i)
				}
				if misplaced > int(n.index.displaced) || misplaced > bound/100 {
					t.Errorf("%d of %d are not found by their counts, %d keys were displaced", misplaced, bound, n.index.displaced)
				}
				if n.size != uint64(bound) || lost > 0 || n.forgotten > 0 {
					t.Errorf("%d places, %d not found, %d forgotten: want %d, 0, 0", n.size, lost, n.forgotten, bound)
				}
			})
		}
	}
}
