// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import "time"

// part is the share of a queue in one file. The id of an entry is its key there
// plus the offset, so that ids grow from file to file.
type part struct {
	seg    *segment
	offset uint64
	// What was adopted, up to that id, is due by that time at the latest: the clock of
	// whoever wrote it may have been ahead.
	adopted ID
	dueBy   time.Time
}

// due is when a record of the file is due.
func (p *part) due(id ID, rec *storedRecord) time.Time {
	due := time.Unix(0, rec.put)
	if id <= p.adopted && due.After(p.dueBy) {
		return p.dueBy
	}
	return due
}

// key is the key of an entry in the file.
func (p *part) key(id ID) uint64 { return uint64(id) - p.offset }

// place is where an entry is on disk.
type place struct {
	part *part
	id   ID
}

// span is a row of entries that are only on disk.
type span struct {
	part        *part
	first, last ID
	entries     int
	bytes       int64
}

// backlog is what has never been handed out, by id: the front in memory, a gap
// that is only on disk, and the tail in memory behind it. Without a gap there is
// no tail.
type backlog struct {
	front []*element
	gap   []span
	tail  []*element
	// storedFront is the number of bytes of what is on disk in front.
	storedFront int64
	// due is when the first entry of the gap is due, or earlier.
	due time.Time
}

// push adds an entry behind all others.
func (b *backlog) push(e *element) {
	if len(b.gap) > 0 {
		b.tail = append(b.tail, e)
		return
	}
	b.front = append(b.front, e)
}

// peek is the first entry; nil if there is none in front.
func (b *backlog) peek() *element {
	if len(b.front) == 0 {
		return nil
	}
	return b.front[0]
}

// pop takes the first entry out; nil if there is none in front.
func (b *backlog) pop() *element {
	e := b.peek()
	if e == nil {
		return nil
	}
	b.front[0] = nil
	b.front = b.front[1:]
	if e.part != nil {
		b.storedFront -= e.size
	}
	b.due = e.due
	return e
}

// starved reports whether the first entry is only on disk.
func (b *backlog) starved() bool { return len(b.front) == 0 && len(b.gap) > 0 }

// nextDue is when the first entry is due, or earlier if it is only on disk.
func (b *backlog) nextDue() (time.Time, bool) {
	if e := b.peek(); e != nil {
		return e.due, true
	}
	return b.due, len(b.gap) > 0
}

// ends are the first and the last id and, where it is known, the creation time of
// the first; zero if there is nothing.
func (b *backlog) ends() (first ID, created time.Time, last ID) {
	switch {
	case len(b.front) > 0:
		first, created = b.front[0].entry.ID, b.front[0].entry.Created
	case len(b.gap) > 0:
		first = b.gap[0].first
	}
	switch {
	case len(b.tail) > 0:
		last = b.tail[len(b.tail)-1].entry.ID
	case len(b.gap) > 0:
		last = b.gap[len(b.gap)-1].last
	case len(b.front) > 0:
		last = b.front[len(b.front)-1].entry.ID
	}
	return first, created, last
}

// addSpan appends a row of entries that are only on disk.
func (b *backlog) addSpan(s span) {
	if n := len(b.gap); n > 0 && b.gap[n-1].part == s.part {
		b.gap[n-1].last = s.last
		b.gap[n-1].entries += s.entries
		b.gap[n-1].bytes += s.bytes
		return
	}
	b.gap = append(b.gap, s)
}

// noteStored notes that an entry has reached the disk.
func (b *backlog) noteStored(e *element) {
	if len(b.gap) == 0 || e.entry.ID < b.gap[0].first {
		b.storedFront += e.size
	}
}

// spill lets go of what is on disk, except for a cache at the front.
func (b *backlog) spill(cache int64) {
	if len(b.gap) == 0 {
		if b.storedFront <= cache {
			return
		}
		keep, size := 0, int64(0)
		for keep < len(b.front) && b.front[keep].part != nil && size+b.front[keep].size <= cache {
			size += b.front[keep].size
			keep++
		}
		if keep == len(b.front) || b.front[keep].part == nil {
			return
		}
		if keep == 0 {
			b.due = b.front[0].due
		}
		b.tail = b.front[keep:]
		b.front = append(make([]*element, 0, keep), b.front[:keep]...)
		b.storedFront = size
	}
	n := 0
	for n < len(b.tail) && b.tail[n].part != nil {
		e := b.tail[n]
		b.addSpan(span{part: e.part, first: e.entry.ID, last: e.entry.ID, entries: 1, bytes: e.size})
		n++
	}
	if n > 0 {
		b.tail = append(make([]*element, 0, len(b.tail)-n), b.tail[n:]...)
	}
}

// fill puts entries that were read into the front, and the tail behind them if that
// was all of the gap. The caller has shortened the gap.
func (b *backlog) fill(entries []*element) {
	b.front = append(b.front, entries...)
	for _, e := range entries {
		b.storedFront += e.size
	}
	if len(b.gap) == 0 {
		b.gap = nil
		b.front = append(b.front, b.tail...)
		b.tail = nil
	}
}
