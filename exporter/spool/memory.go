// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"container/heap"
	"fmt"
	"sync"
	"time"
)

// Memory is a [Queue] in memory. What it holds is lost with the process.
type Memory struct {
	limits

	mu      sync.Mutex
	closed  bool
	final   Stats // what was left when it was closed
	lastID  ID
	bytes   int64
	taken   map[ID]*element
	waiting dueHeap
	ages    ageList // of all entries
	entries int
}

var _ Queue = (*Memory)(nil)

// MemoryOption configures [NewMemory].
type MemoryOption interface {
	applyMemory(q *Memory)
}

// NewMemory returns an empty queue in memory.
func NewMemory(opts ...MemoryOption) *Memory {
	q := &Memory{
		limits: limits{maxEntries: DefaultMaxEntries, maxBytes: DefaultMaxBytes},
		taken:  make(map[ID]*element),
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
	for e := q.ages.oldest; e != nil && !q.fits(size); {
		newer := e.newer
		if e.heapIndex >= 0 {
			heap.Remove(&q.waiting, e.heapIndex)
			q.remove(e)
			receipt.Evicted = append(receipt.Evicted, e.entry.Item)
		}
		e = newer
	}

	q.lastID++
	e := &element{entry: Entry{ID: q.lastID, Item: item}, due: now}
	q.add(e)
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
	e := heap.Pop(&q.waiting).(*element)
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
	q.remove(e)
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
	q.waiting.release(now)
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
	if oldest := q.ages.oldest; oldest != nil {
		s.Oldest = oldest.entry.ID
		s.OldestCreated = oldest.entry.Created
		s.Newest = q.ages.newest.entry.ID
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
	q.ages = ageList{}
	return nil
}

// add counts an element in.
func (q *Memory) add(e *element) {
	q.ages.link(e)
	q.entries++
	q.bytes += e.entry.Size()
}

// remove counts an element out.
func (q *Memory) remove(e *element) {
	q.ages.unlink(e)
	q.entries--
	q.bytes -= e.entry.Size()
}
