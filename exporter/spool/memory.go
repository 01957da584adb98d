// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"container/heap"
	"fmt"
	"sync"
	"time"
)

// Default bounds of [Memory]. A chat record takes about 1 KB, so that the two
// bounds are reached at about the same time.
const (
	DefaultMaxEntries = 32768
	DefaultMaxBytes   = 48 << 20
)

// Memory is a [Queue] in memory. What it holds is lost with the process.
type Memory struct {
	maxEntries int
	maxBytes   int64
	overflow   OverflowPolicy

	mu      sync.Mutex
	closed  bool
	final   Stats // what was left when it was closed
	lastID  ID
	bytes   int64
	taken   map[ID]*memoryEntry
	waiting dueHeap
	// oldest and newest are the ends of the list of all entries in id order.
	oldest, newest *memoryEntry
	entries        int
}

var _ Queue = (*Memory)(nil)

// memoryEntry is an element of the age list and, while it waits, of the heap.
type memoryEntry struct {
	entry        Entry
	due          time.Time
	older, newer *memoryEntry
	heapIndex    int // -1 while handed out
}

// MemoryOption configures [NewMemory].
type MemoryOption interface {
	applyMemory(q *Memory)
}

type memoryOptionFunc func(*Memory)

func (f memoryOptionFunc) applyMemory(q *Memory) { f(q) }

// WithMaxEntries bounds the number of items; the default is [DefaultMaxEntries].
// A value below one is ignored.
func WithMaxEntries(n int) MemoryOption {
	return memoryOptionFunc(func(q *Memory) {
		if n > 0 {
			q.maxEntries = n
		}
	})
}

// WithMaxBytes bounds the bytes of all items together; the default is
// [DefaultMaxBytes]. A value below one is ignored.
func WithMaxBytes(n int64) MemoryOption {
	return memoryOptionFunc(func(q *Memory) {
		if n > 0 {
			q.maxBytes = n
		}
	})
}

// WithOverflow chooses what a full queue gives up; the default is [DropNewest].
func WithOverflow(policy OverflowPolicy) MemoryOption {
	return memoryOptionFunc(func(q *Memory) { q.overflow = policy })
}

// NewMemory returns an empty queue in memory.
func NewMemory(opts ...MemoryOption) *Memory {
	q := &Memory{
		maxEntries: DefaultMaxEntries,
		maxBytes:   DefaultMaxBytes,
		taken:      make(map[ID]*memoryEntry),
	}
	for _, opt := range opts {
		opt.applyMemory(q)
	}
	return q
}

// Put appends item. See [Queue].
func (q *Memory) Put(item Item, now time.Time) (Receipt, error) {
	size := item.Size()

	q.mu.Lock()
	defer q.mu.Unlock()

	if q.closed {
		return Receipt{}, ErrClosed
	}
	if size > q.maxBytes {
		return Receipt{}, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, size, q.maxBytes)
	}
	if !q.fits(size) && (q.overflow != DropOldest || !q.canMakeRoom(size)) {
		return Receipt{}, ErrFull
	}

	var receipt Receipt
	for e := q.oldest; e != nil && !q.fits(size); {
		newer := e.newer
		if e.heapIndex >= 0 {
			heap.Remove(&q.waiting, e.heapIndex)
			q.unlink(e)
			receipt.Evicted = append(receipt.Evicted, e.entry.Item)
		}
		e = newer
	}

	q.lastID++
	e := &memoryEntry{entry: Entry{ID: q.lastID, Item: item}, due: now}
	q.link(e)
	heap.Push(&q.waiting, e)
	receipt.ID = e.entry.ID
	return receipt, nil
}

// fits reports whether an item of that size can be added as things are.
func (q *Memory) fits(size int64) bool {
	return q.entries < q.maxEntries && q.bytes+size <= q.maxBytes
}

// canMakeRoom reports whether evicting all that is not handed out would make
// room. Without this question a large item could empty the queue and still be
// refused.
func (q *Memory) canMakeRoom(size int64) bool {
	var takenBytes int64
	for _, e := range q.taken {
		takenBytes += e.entry.Size()
	}
	return len(q.taken) < q.maxEntries && takenBytes+size <= q.maxBytes
}

// Take hands out the item that has been due for longest. See [Queue].
func (q *Memory) Take(now time.Time) (Entry, bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()

	if q.closed {
		return Entry{}, false, ErrClosed
	}
	if len(q.waiting) == 0 || q.waiting[0].due.After(now) {
		return Entry{}, false, nil
	}
	e := heap.Pop(&q.waiting).(*memoryEntry)
	q.taken[e.entry.ID] = e
	return e.entry, true, nil
}

// Ack removes an item that was handed out. See [Queue].
func (q *Memory) Ack(id ID) error {
	q.mu.Lock()
	defer q.mu.Unlock()

	e, ok := q.taken[id]
	if !ok {
		return fmt.Errorf("%w: id %d", ErrNotTaken, id)
	}
	delete(q.taken, id)
	q.unlink(e)
	return nil
}

// Requeue puts an item that was handed out back. See [Queue].
func (q *Memory) Requeue(id ID, attempts int, due time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()

	e, ok := q.taken[id]
	if !ok {
		return fmt.Errorf("%w: id %d", ErrNotTaken, id)
	}
	delete(q.taken, id)
	e.entry.Attempts = attempts
	e.due = due
	heap.Push(&q.waiting, e)
	return nil
}

// Release makes all that waits due. See [Queue].
func (q *Memory) Release(now time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()

	if q.closed {
		return ErrClosed
	}
	for _, e := range q.waiting {
		if e.due.After(now) {
			e.due = now
		}
	}
	heap.Init(&q.waiting)
	return nil
}

// NextDue is the time at which the next item is due. See [Queue].
func (q *Memory) NextDue() (time.Time, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()

	if len(q.waiting) == 0 || q.closed {
		return time.Time{}, false
	}
	return q.waiting[0].due, true
}

// Stats describes the queue. See [Queue].
func (q *Memory) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.stats()
}

// stats is Stats for who holds the lock.
func (q *Memory) stats() Stats {
	if q.closed {
		return q.final
	}
	s := Stats{
		Entries:    q.entries,
		Taken:      len(q.taken),
		Bytes:      q.bytes,
		MaxEntries: q.maxEntries,
		MaxBytes:   q.maxBytes,
	}
	if q.oldest != nil {
		s.Oldest = q.oldest.entry.ID
		s.OldestCreated = q.oldest.entry.Created
		s.Newest = q.newest.entry.ID
	}
	return s
}

// Close ends the queue and forgets what it holds. See [Queue].
func (q *Memory) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()

	if q.closed {
		return nil
	}
	q.final = q.stats()
	q.closed = true
	q.waiting = nil
	clear(q.taken)
	q.oldest, q.newest = nil, nil
	return nil
}

// link appends e at the young end of the age list.
func (q *Memory) link(e *memoryEntry) {
	e.older = q.newest
	if q.newest != nil {
		q.newest.newer = e
	} else {
		q.oldest = e
	}
	q.newest = e
	q.entries++
	q.bytes += e.entry.Size()
}

// unlink takes e out of the age list and of the sums.
func (q *Memory) unlink(e *memoryEntry) {
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		q.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		q.newest = e.older
	}
	e.older, e.newer = nil, nil
	q.entries--
	q.bytes -= e.entry.Size()
}

// dueHeap orders the waiting entries by the time at which they are due, and
// those due at the same time by age.
type dueHeap []*memoryEntry

func (h dueHeap) Len() int { return len(h) }

func (h dueHeap) Less(i, j int) bool {
	if c := h[i].due.Compare(h[j].due); c != 0 {
		return c < 0
	}
	return h[i].entry.ID < h[j].entry.ID
}

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapIndex, h[j].heapIndex = i, j
}

// Push is for package heap.
func (h *dueHeap) Push(x any) {
	e := x.(*memoryEntry)
	e.heapIndex = len(*h)
	*h = append(*h, e)
}

// Pop is for package heap.
func (h *dueHeap) Pop() any {
	old := *h
	last := len(old) - 1
	e := old[last]
	old[last] = nil
	*h = old[:last]
	e.heapIndex = -1
	return e
}
