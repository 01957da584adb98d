// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"container/heap"
	"fmt"
	"sync"
	"time"
)

// Disk is the [Queue] of one tenant in a [Directory].
//
// Put keeps an item in memory and returns; the directory writes it soon after,
// together with others ([Disk.Sync] waits for that). An item that was acknowledged
// before is never written. An item that is on disk needs no memory, except if it
// was handed out and waits for another attempt: then it needs some 200 bytes.
type Disk struct {
	dir    *Directory
	tenant string
	limits
	maxMemory int64

	// takeMu is held by Take while it reads a file, so that the same is not read
	// twice. It comes before mu.
	takeMu sync.Mutex

	mu      sync.Mutex
	opened  bool // Queue was called; the directory's lock guards it
	closing bool
	closed  bool
	final   Stats // what was left when it was closed
	lastID  ID

	entries int
	bytes   int64
	stored  int   // entries that are on disk
	memory  int64 // bytes of entries that are not

	// Entries that are or were handed out are in ages; the others follow in the
	// backlog.
	taken      map[ID]*element
	takenBytes int64
	waiting    dueHeap
	ages       ageList
	backlog    backlog

	// active is the share in the file that is being written; the committer sets it.
	active *part
	// What the committer has to do.
	pending   []*element // not on disk, by id; some are gone before they were
	deletes   []place
	recounted []*element // on disk, and attempts are to be noted there
	// unreadable and missing are what was found in the files, and what was not, to be
	// handed over.
	unreadable []unreadable
	missing    int
}

var _ Queue = (*Disk)(nil)

// Put appends item. See [Queue]. It returns before the item is on disk. Only with
// [DropOldest] and a full queue does it read a file, because there is no other way
// to say what is given up.
func (q *Disk) Put(item Item, now time.Time) (Receipt, error) {
	defer q.handOver()
	q.mu.Lock()
	defer q.mu.Unlock()

	size := item.Size()
	switch {
	case q.closing:
		return Receipt{}, ErrClosed
	case size > q.maxBytes || size > q.maxMemory:
		return Receipt{}, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, size, min(q.maxBytes, q.maxMemory))
	case q.memory+size > q.maxMemory:
		return Receipt{}, fmt.Errorf("%w: %d bytes wait to be written to disk", ErrFull, q.memory)
	case !q.fits(size) && (q.overflow != DropOldest || !q.canMakeRoom(size)):
		return Receipt{}, ErrFull
	}
	var receipt Receipt
	for !q.fits(size) {
		e, err := q.evict()
		if err != nil {
			return receipt, fmt.Errorf("%w: the oldest item cannot be given up: %w", ErrFull, err)
		}
		receipt.Evicted = append(receipt.Evicted, e.entry.Item)
		q.remove(e)
	}

	q.lastID++
	e := &element{entry: Entry{ID: q.lastID, Item: item}, due: now, size: size, heapIndex: -1}
	q.entries++
	q.bytes += size
	q.memory += size
	q.pending = append(q.pending, e)
	q.backlog.push(e)
	q.dir.kick()
	receipt.ID = e.entry.ID
	return receipt, nil
}

// fits reports whether an item of that size can be added as things are.
func (q *Disk) fits(size int64) bool {
	return (q.maxEntries == 0 || q.entries < q.maxEntries) && q.bytes+size <= q.maxBytes
}

// canMakeRoom reports whether evicting all that is not handed out would make
// room.
func (q *Disk) canMakeRoom(size int64) bool {
	return (q.maxEntries == 0 || len(q.taken) < q.maxEntries) && q.takenBytes+size <= q.maxBytes
}

// remove counts an entry out and has it deleted from disk.
func (q *Disk) remove(e *element) {
	e.gone = true
	q.entries--
	q.bytes -= e.size
	if e.part == nil {
		q.memory -= e.size // the committer leaves it out
		return
	}
	q.stored--
	q.deletes = append(q.deletes, place{e.part, e.entry.ID})
	q.dir.kick()
}

// Take hands out the item that has been due for longest. See [Queue]. It may have
// to read a file, and fails if that fails.
func (q *Disk) Take(now time.Time) (Entry, bool, error) {
	defer q.handOver()
	q.takeMu.Lock()
	defer q.takeMu.Unlock()
	for {
		if err := q.refill(); err != nil {
			return Entry{}, false, err
		}
		q.mu.Lock()
		if q.closing {
			q.mu.Unlock()
			return Entry{}, false, ErrClosed
		}
		e := q.next(now)
		q.mu.Unlock()
		if e == nil {
			return Entry{}, false, nil
		}
		if entry, ok, err := q.complete(e); ok || err != nil {
			return entry, ok, err
		}
	}
}

// next marks the entry that is to be handed out at now; nil if there is none.
func (q *Disk) next(now time.Time) *element {
	e := q.backlog.peek()
	if e != nil && e.due.After(now) {
		e = nil
	}
	if len(q.waiting) > 0 && !q.waiting[0].due.After(now) && (e == nil || q.waiting[0].before(e)) {
		e = heap.Pop(&q.waiting).(*element)
	} else if e != nil {
		q.backlog.pop()
		q.ages.link(e)
		e.out = true
	}
	if e != nil {
		q.taken[e.entry.ID] = e
		q.takenBytes += e.size
	}
	return e
}

// putBack makes an entry wait that was marked as handed out.
func (q *Disk) putBack(e *element) {
	delete(q.taken, e.entry.ID)
	q.takenBytes -= e.size
	heap.Push(&q.waiting, e)
}

// handedOut finds an entry that is handed out.
func (q *Disk) handedOut(id ID) (*element, error) {
	e, ok := q.taken[id]
	if !ok {
		return nil, fmt.Errorf("%w: id %d", ErrNotTaken, id)
	}
	return e, nil
}

// Ack removes an item that was handed out. See [Queue]. Should the process die
// before the removal is on disk, the next one hands it out again.
func (q *Disk) Ack(id ID) error {
	q.mu.Lock()
	defer q.mu.Unlock()

	e, err := q.handedOut(id)
	if err != nil {
		return err
	}
	delete(q.taken, id)
	q.takenBytes -= e.size
	q.ages.unlink(e)
	q.remove(e)
	return nil
}

// Requeue puts an item that was handed out back. See [Queue].
func (q *Disk) Requeue(id ID, attempts int, due time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()

	e, err := q.handedOut(id)
	if err != nil {
		return err
	}
	e.due = due
	q.putBack(e)
	e.entry.Attempts = attempts
	if e.part != nil {
		e.entry.Body = nil
		if !e.recounted {
			e.recounted = true
			q.recounted = append(q.recounted, e)
			q.dir.kick()
		}
	}
	return nil
}

// Release makes all that waits due. See [Queue].
func (q *Disk) Release(now time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()

	if q.closing {
		return ErrClosed
	}
	q.waiting.release(now)
	heap.Init(&q.waiting)
	return nil
}

// NextDue is the time at which the next item is due. See [Queue].
func (q *Disk) NextDue() (time.Time, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()

	if q.closing {
		return time.Time{}, false
	}
	due, ok := q.backlog.nextDue()
	if len(q.waiting) > 0 && (!ok || q.waiting[0].due.Before(due)) {
		return q.waiting[0].due, true
	}
	return due, ok
}

// Stats describes the queue. See [Queue].
func (q *Disk) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.stats()
}

// stats is Stats for who holds the lock.
func (q *Disk) stats() Stats {
	if q.closed {
		return q.final
	}
	s := Stats{
		Entries:    q.entries,
		Taken:      len(q.taken),
		Durable:    q.stored,
		Bytes:      q.bytes,
		MaxEntries: q.maxEntries,
		MaxBytes:   q.maxBytes,
	}
	s.Oldest, s.OldestCreated, s.Newest = q.backlog.ends()
	if e := q.ages.oldest; e != nil {
		s.Oldest, s.OldestCreated = e.entry.ID, e.entry.Created
		if s.Newest == 0 {
			s.Newest = q.ages.newest.entry.ID
		}
	}
	return s
}

// Sync waits until all that was put and acknowledged before is on disk. It fails
// if the disk does not take it; the queue goes on trying then.
func (q *Disk) Sync() error { return q.dir.Sync() }

// Close ends the queue. See [Queue]. It writes what is not on disk yet, and fails
// if the disk does not take it: Stats tells how many items are on disk.
func (q *Disk) Close() error {
	q.mu.Lock()
	if q.closing {
		q.mu.Unlock()
		return nil
	}
	q.closing = true
	q.mu.Unlock()

	err := q.dir.Sync()

	q.mu.Lock()
	defer q.mu.Unlock()
	q.final = q.stats()
	q.closed = true
	q.waiting = nil
	clear(q.taken)
	q.ages, q.backlog = ageList{}, backlog{}
	q.pending, q.recounted = nil, nil
	return err
}
