// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package links

import (
	"encoding/binary"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// shards is the number of parts that are locked by themselves.
	shards = 32
	// ways is the number of places for one span. They lie in three cache lines and
	// are looked through one by one.
	ways = 8
	// firstBuckets is what a part begins with, growth what it grows by.
	firstBuckets = 4
	growth       = 4
)

// Key names a span.
type Key struct {
	Trace [16]byte
	Span  [8]byte
}

// hash mixes the ids, which are random for the most part, but not always.
func (k *Key) hash() uint64 {
	a := binary.LittleEndian.Uint64(k.Trace[:8])
	b := binary.LittleEndian.Uint64(k.Trace[8:])
	c := binary.LittleEndian.Uint64(k.Span[:])
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xbf58476d1ce4e5b9)
	hi2, lo2 := bits.Mul64(c^0x94d049bb133111eb, hi^lo^0xd6e8feb86659fd93)
	// Ids that count up differ in a few bits, which must not be those that are lost.
	h := hi2 ^ lo2
	h = (h ^ h>>32) * 0xff51afd7ed558ccd
	return h ^ h>>29
}

// Table is the memory. It is safe for concurrent use. [New] makes one.
type Table struct {
	start     time.Time
	age       uint32
	max       int // buckets of a shard
	evicted   atomic.Int64
	shardings [shards]shard
}

type shard struct {
	mu      sync.Mutex
	buckets []bucket
	// The parts are apart, so that two of them are never in one cache line.
	_ [24]byte
}

type bucket [ways]entry

// entry is a span: one that has been seen, with its parent, or one that is waited
// for, with what waits. A state of 0 is no entry.
type entry struct {
	hash  uint64 // of trace and span
	value [8]byte
	at    uint32 // in milliseconds since the start, modulo 2^32: 49 days
	state state
}

type state uint32

const (
	empty state = iota
	seen
	awaited
)

// New returns a table for about the given number of spans, that forgets what is
// older than age. When it is half full, it begins to forget the oldest of those
// spans that compete for the same places.
func New(spans int, age time.Duration) *Table {
	buckets := firstBuckets
	for buckets*shards*ways < spans {
		buckets *= 2
	}
	return &Table{start: time.Now(), age: uint32(max(time.Millisecond, age) / time.Millisecond), max: buckets}
}

// now is the time since the table was made.
func (t *Table) now(at time.Time) uint32 { return uint32(at.Sub(t.start) / time.Millisecond) }

// Seen notes that a span has come, and returns what waited for it; 0 for nothing.
// From then on its parent is known.
func (t *Table) Seen(k *Key, parent [8]byte, at time.Time) (waiting uint64) {
	h := k.hash()
	s := &t.shardings[h>>(64-5)]
	s.mu.Lock()
	e := s.find(h)
	switch {
	case e == nil:
		e = t.insert(s, h, t.now(at))
	case e.state == awaited:
		waiting = binary.LittleEndian.Uint64(e.value[:])
	}
	e.hash, e.value, e.at, e.state = h, parent, t.now(at), seen
	s.mu.Unlock()
	return waiting
}

// Parent returns the parent of a span that has come.
func (t *Table) Parent(k *Key) (parent [8]byte, ok bool) {
	h := k.hash()
	s := &t.shardings[h>>(64-5)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.find(h); e != nil && e.state == seen {
		return e.value, true
	}
	return [8]byte{}, false
}

// Await is Parent for a span that has come. For one that has not, wait waits from
// then on, and what waited before is returned; 0 for nothing.
func (t *Table) Await(k *Key, wait uint64, at time.Time) (parent [8]byte, ok bool, before uint64) {
	h := k.hash()
	s := &t.shardings[h>>(64-5)]
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(h)
	switch {
	case e == nil:
		e = t.insert(s, h, t.now(at))
	case e.state == seen:
		return e.value, true, 0
	default:
		before = binary.LittleEndian.Uint64(e.value[:])
	}
	e.hash, e.at, e.state = h, t.now(at), awaited
	binary.LittleEndian.PutUint64(e.value[:], wait)
	return [8]byte{}, false, before
}

// Forget makes a span one that has not been seen.
func (t *Table) Forget(k *Key) {
	h := k.hash()
	s := &t.shardings[h>>(64-5)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.find(h); e != nil {
		*e = entry{}
	}
}

// Evicted is the number of spans that were forgotten before their time because
// there was no room.
func (t *Table) Evicted() int64 { return t.evicted.Load() }

// Size is the number of bytes that the table takes.
func (t *Table) Size() int {
	n := 0
	for i := range t.shardings {
		s := &t.shardings[i]
		s.mu.Lock()
		n += len(s.buckets) * ways * entrySize
		s.mu.Unlock()
	}
	return n
}

const entrySize = 24

func (s *shard) bucket(h uint64) *bucket {
	return &s.buckets[h&uint64(len(s.buckets)-1)]
}

func (s *shard) find(h uint64) *entry {
	if len(s.buckets) == 0 {
		return nil
	}
	b := s.bucket(h)
	for i := range b {
		if e := &b[i]; e.hash == h && e.state != empty {
			return e
		}
	}
	return nil
}

// insert returns a place for a new entry: a free one or one that is too old, else
// one in a larger table, else that of the oldest.
func (t *Table) insert(s *shard, h uint64, now uint32) *entry {
	for {
		if len(s.buckets) == 0 {
			s.buckets = make([]bucket, firstBuckets)
		}
		b := s.bucket(h)
		oldest := &b[0]
		for i := range b {
			e := &b[i]
			if e.state == empty || now-e.at > t.age {
				return e
			}
			// One that is waited for is worth more than one that has come.
			if e.state < oldest.state || e.state == oldest.state && now-e.at > now-oldest.at {
				oldest = e
			}
		}
		if len(s.buckets) >= t.max {
			t.evicted.Add(1)
			return oldest
		}
		s.grow(t, now)
	}
}

// grow makes the part larger. Entries that are too old stay behind.
func (s *shard) grow(t *Table, now uint32) {
	old := s.buckets
	s.buckets = make([]bucket, min(len(old)*growth, t.max))
	for i := range old {
		for j := range old[i] {
			e := &old[i][j]
			if e.state == empty || now-e.at > t.age {
				continue
			}
			b := s.bucket(e.hash)
			for k := range b {
				if b[k].state == empty {
					b[k] = *e
					break
				}
			}
		}
	}
}
