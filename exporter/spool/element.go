// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import "time"

// element is an entry of a queue with its place in the order of age and, while it
// waits, in that of time.
type element struct {
	entry        Entry
	due          time.Time
	older, newer *element
	heapIndex    int // -1 while it is not in a heap

	// Of a queue on disk alone: size is that of the whole item, also when the body
	// is only on disk; part says where it is there, nil that it is not.
	size int64
	part *part
	// out: it is or was handed out. gone: it was acknowledged or evicted.
	out, gone bool
	// recounted: the committer is to note its attempts.
	recounted bool
}

// before reports whether e is to be handed out before other.
func (e *element) before(other *element) bool {
	if c := e.due.Compare(other.due); c != 0 {
		return c < 0
	}
	return e.entry.ID < other.entry.ID
}

// ageList is a list of elements in the order of their ids.
type ageList struct {
	oldest, newest *element
}

// link appends e at the young end.
func (l *ageList) link(e *element) {
	e.older = l.newest
	if l.newest != nil {
		l.newest.newer = e
	} else {
		l.oldest = e
	}
	l.newest = e
}

// unlink takes e out.
func (l *ageList) unlink(e *element) {
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		l.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		l.newest = e.older
	}
	e.older, e.newer = nil, nil
}

// dueHeap orders the waiting elements by the time at which they are due, and those
// due at the same time by age.
type dueHeap []*element

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].before(h[j]) }

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapIndex, h[j].heapIndex = i, j
}

// Push is for package heap.
func (h *dueHeap) Push(x any) {
	e := x.(*element)
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

// release makes all that waits for a later time due at now.
func (h dueHeap) release(now time.Time) {
	for _, e := range h {
		if e.due.After(now) {
			e.due = now
		}
	}
}
