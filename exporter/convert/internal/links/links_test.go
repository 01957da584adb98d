// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package links

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
	"unsafe"
)

func key(n uint64) *Key {
	k := &Key{}
	binary.BigEndian.PutUint64(k.Trace[:], n/16)
	binary.BigEndian.PutUint64(k.Span[:], n)
	return k
}

func id(n uint64) (id [8]byte) {
	binary.BigEndian.PutUint64(id[:], n)
	return id
}

func TestEntrySize(t *testing.T) {
	if got := unsafe.Sizeof(entry{}); got != entrySize {
		t.Errorf("an entry takes %d bytes, Size says %d", got, entrySize)
	}
}

func TestTable(t *testing.T) {
	table := New(1000, time.Minute)
	now := time.Now()
	if _, ok := table.Parent(key(1)); ok {
		t.Error("a span is known that nobody has seen")
	}
	if table.Seen(key(1), id(7), now) != 0 {
		t.Error("a span was waited for by nobody")
	}
	if parent, ok, _ := table.Await(key(1), 5, now); !ok || parent != id(7) {
		t.Errorf("parent = %x, %v", parent, ok)
	}
	if _, ok, before := table.Await(key(2), 5, now); ok || before != 0 {
		t.Error("a span is known before it has come")
	}
	if _, _, before := table.Await(key(2), 6, now); before != 5 {
		t.Errorf("%d waited before, want 5", before)
	}
	if _, ok := table.Parent(key(2)); ok {
		t.Error("a span that is waited for is taken for one that has come")
	}
	if got := table.Seen(key(2), id(1), now); got != 6 {
		t.Errorf("%d waited for the span, want 6", got)
	}
	if table.Seen(key(2), id(1), now) != 0 {
		t.Error("the span is waited for although it has come")
	}
	table.Forget(key(2))
	if _, ok := table.Parent(key(2)); ok {
		t.Error("a forgotten span is known")
	}
}

// Ids that count up, in either byte order, do not compete for a few places.
func TestTableSpreadsCountedIDs(t *testing.T) {
	now := time.Now()
	for name, order := range map[string]binary.ByteOrder{"big": binary.BigEndian, "little": binary.LittleEndian} {
		table := New(1<<14, time.Minute)
		var k Key
		for n := range uint64(1_000_000) {
			now = now.Add(100 * time.Microsecond)
			order.PutUint64(k.Trace[:], n/10)
			order.PutUint64(k.Span[:], n)
			table.Seen(&k, k.Span, now)
			if order.PutUint64(k.Span[:], n/10*10); n%10 == 9 {
				if _, ok := table.Parent(&k); !ok {
					t.Fatalf("%s endian: the tenth last span is forgotten at %d", name, n)
				}
			}
		}
	}
}

// The table holds what it was made for, then forgets the oldest, and never grows
// beyond.
func TestTableIsBounded(t *testing.T) {
	const spans = 4096
	table := New(spans, time.Hour)
	now := time.Now()
	for n := range uint64(spans / 2) {
		table.Seen(key(n), id(n+1), now)
	}
	known := 0
	for n := range uint64(spans / 2) {
		if parent, ok := table.Parent(key(n)); ok && parent == id(n+1) {
			known++
		}
	}
	if known < spans/2*97/100 {
		t.Errorf("only %d of %d spans are known although there is room for twice as many", known, spans/2)
	}
	for n := range uint64(100 * spans) {
		table.Seen(key(n), id(n+1), now.Add(time.Duration(n)*time.Millisecond))
	}
	if got := table.Size(); got > 2*spans*entrySize {
		t.Errorf("the table takes %d bytes", got)
	}
	if table.Evicted() == 0 {
		t.Error("nothing was forgotten, or it was not counted")
	}
	if _, ok := table.Parent(key(100*spans - 1)); !ok {
		t.Error("the latest span is not known")
	}
}

func TestTableForgetsWithAge(t *testing.T) {
	table := New(64, 10*time.Second)
	now := time.Now()
	for n := range uint64(10_000) {
		table.Seen(key(n), id(1), now.Add(time.Duration(n)*time.Minute)) // for a week
	}
	if got := table.Evicted(); got != 0 {
		t.Errorf("%d spans were forgotten for want of room, although all were too old", got)
	}
}

func TestTableConcurrently(*testing.T) {
	table := New(1<<12, time.Minute)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 1))
			for range 20_000 {
				k := key(r.Uint64N(1 << 14))
				switch r.IntN(3) {
				case 0:
					table.Seen(k, id(1), time.Now())
				case 1:
					table.Await(k, 1, time.Now())
				default:
					table.Parent(k)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkSeen(b *testing.B) {
	table := New(1<<16, time.Minute)
	now := time.Now()
	k := &Key{}
	var n uint64
	b.ReportAllocs()
	for b.Loop() {
		n++
		binary.LittleEndian.PutUint64(k.Trace[:], n*0x9e3779b97f4a7c15)
		binary.LittleEndian.PutUint64(k.Span[:], n*0xbf58476d1ce4e5b9)
		table.Seen(k, k.Span, now)
	}
}
