// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"math/rand/v2"
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
// each in its place, also where the ring is no power of two, and what waits keeps its
// place until it does not wait any more.
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
	got, previous := 0, uint64(0)
	for n := range ring.all(3 * most) {
		if n.seq != waiting {
			if n.seq <= previous {
				t.Fatalf("%d comes after %d", n.seq, previous)
			}
			previous = n.seq
		}
		got++
	}
	if got != most || ring.len(3*most) != most {
		t.Errorf("%d nodes are remembered", got)
	}
}
