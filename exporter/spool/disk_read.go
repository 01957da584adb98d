// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"container/heap"
	"errors"
	"fmt"
)

const (
	// cacheBytes is how much of what is on disk a queue keeps in memory, so that
	// senders need not read it again.
	cacheBytes = 1 << 20
	// readEntries and readBytes bound one read from a file.
	readEntries = 256
	readBytes   = 256 << 10
)

// unreadable is a stored record that this build cannot read.
type unreadable struct {
	place place
	raw   []byte
	err   error
}

// reading is what was read of a span.
type reading struct {
	from    span
	entries []*element
	bad     []unreadable
	last    ID    // all up to it is read
	bytes   int64 // of entries and bad ones
	err     error
}

// read reads the beginning of a span. It needs no lock.
func (q *Disk) read(from span) reading {
	r := reading{from: from, last: from.last}
	records, more, err := q.readFile(from.part, from.first, from.last, q.dir.readEntries)
	if err != nil {
		r.err = err
		return r
	}
	for i := range records {
		raw := &records[i]
		id := ID(raw.key + from.part.offset)
		if more {
			r.last = id
		}
		rec, err := parseRecord(raw.raw)
		if err != nil {
			r.bad = append(r.bad, unreadable{place{from.part, id}, raw.raw, err})
			r.bytes += unreadableSize(raw.raw)
			continue
		}
		e := &element{entry: Entry{ID: id, Item: rec.item()}, due: from.part.due(id, &rec), size: rec.size(), part: from.part, heapIndex: -1}
		e.entry.Attempts = max(e.entry.Attempts, raw.attempts)
		r.entries = append(r.entries, e)
		r.bytes += e.size
	}
	return r
}

// readFile reads stored records from first to last.
func (q *Disk) readFile(p *part, first, last ID, limit int) (records []rawRecord, more bool, err error) {
	err = q.dir.fault("read", p.seg.path)
	if err == nil {
		records, more, err = p.seg.read(q.tenant, p.key(first), p.key(last), limit, readBytes)
	}
	if err != nil {
		return nil, false, fmt.Errorf("spool: reading %s: %w", p.seg.path, err)
	}
	return records, more, nil
}

// install puts what was read in the place of the beginning of the gap. The caller
// holds mu. Between read and install the span can have grown at its end; if its
// beginning has changed, evict was here and what was read is out of date.
func (q *Disk) install(r reading) error {
	gap := q.backlog.gap
	if len(gap) == 0 || gap[0].part != r.from.part || gap[0].first != r.from.first {
		return nil
	}
	if r.err != nil {
		return r.err
	}
	head := &gap[0]
	if r.last >= head.last {
		// What the file should have and has not is lost.
		missing := head.entries - len(r.entries) - len(r.bad)
		q.drop(missing, head.bytes-r.bytes)
		q.missing += missing
		q.backlog.gap = gap[1:]
	} else {
		head.first = r.last + 1
		head.entries -= len(r.entries) + len(r.bad)
		head.bytes -= r.bytes
	}
	for i := range r.bad {
		q.drop(1, unreadableSize(r.bad[i].raw))
	}
	q.unreadable = append(q.unreadable, r.bad...)
	q.backlog.fill(r.entries)
	return nil
}

// drop counts entries out that are on disk and will not be handed out.
func (q *Disk) drop(entries int, bytes int64) {
	q.entries -= entries
	q.stored -= entries
	q.bytes -= bytes
}

// refill reads what comes next, if it is only on disk. The caller holds takeMu.
func (q *Disk) refill() error {
	for {
		q.mu.Lock()
		if q.closing || !q.backlog.starved() {
			q.mu.Unlock()
			return nil
		}
		from := q.backlog.gap[0]
		q.mu.Unlock()

		r := q.read(from)

		q.mu.Lock()
		err := q.install(r)
		q.mu.Unlock()
		switch {
		case errors.Is(err, errDamaged):
			q.dir.abandon(from.part.seg, err)
		case err != nil:
			return err
		}
	}
}

// complete returns the entry that next has marked, with its body; false if it
// turns out to be unreadable. The caller holds takeMu.
func (q *Disk) complete(e *element) (Entry, bool, error) {
	q.mu.Lock()
	entry, p := e.entry, e.part
	q.mu.Unlock()

	var bad *unreadable
	var err error
	if entry.Body == nil && p != nil {
		entry.Body, bad, err = q.readBody(entry.ID, p)
	}
	if errors.Is(err, errDamaged) {
		q.dir.abandon(p.seg, err)
		return Entry{}, false, nil
	}

	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case e.gone:
		return Entry{}, false, nil
	case err != nil:
		q.putBack(e)
		return Entry{}, false, err
	case bad != nil:
		q.forget(e)
		q.unreadable = append(q.unreadable, *bad)
		return Entry{}, false, nil
	}
	e.entry.Body = entry.Body
	return entry, true, nil
}

// readBody reads the body of an entry.
func (q *Disk) readBody(id ID, p *part) ([]byte, *unreadable, error) {
	records, _, err := q.readFile(p, id, id, 1)
	if err != nil {
		return nil, nil, err
	}
	if len(records) == 0 {
		return nil, &unreadable{place: place{p, id}, err: errors.New("it is not there")}, nil
	}
	rec, err := parseRecord(records[0].raw)
	if err != nil {
		return nil, &unreadable{place{p, id}, records[0].raw, err}, nil
	}
	return rec.item().Body, nil, nil
}

// forget takes an entry that is on disk and marked as handed out from the queue,
// and leaves it on disk.
func (q *Disk) forget(e *element) {
	delete(q.taken, e.entry.ID)
	q.takenBytes -= e.size
	q.ages.unlink(e)
	q.drop(1, e.size)
	e.gone = true
}

// evict takes the oldest entry that is not handed out out of its place, with its
// body.
func (q *Disk) evict() (*element, error) {
	for e := q.ages.oldest; e != nil; e = e.newer {
		if e.heapIndex < 0 {
			continue
		}
		if e.entry.Body == nil && e.part != nil {
			body, bad, err := q.readBody(e.entry.ID, e.part)
			if err != nil {
				return nil, err
			}
			if bad != nil {
				return nil, bad.err // Take hands it over
			}
			e.entry.Body = body
		}
		heap.Remove(&q.waiting, e.heapIndex)
		q.ages.unlink(e)
		return e, nil
	}
	for q.backlog.starved() {
		if err := q.install(q.read(q.backlog.gap[0])); err != nil {
			return nil, err
		}
	}
	if e := q.backlog.pop(); e != nil {
		return e, nil
	}
	return nil, errors.New("all are handed out")
}

// handOver passes on what was found in the files and cannot be delivered. No lock
// is held.
func (q *Disk) handOver() {
	q.mu.Lock()
	bad, missing := q.unreadable, q.missing
	q.unreadable, q.missing = nil, 0
	q.mu.Unlock()

	if missing > 0 {
		q.dir.event(Event{Kind: EventLost, Tenant: q.tenant, Records: missing, Err: errors.New("records are missing from a file")})
	}
	for i := range bad {
		if !q.dir.unreadable(q.tenant, bad[i].raw, bad[i].err) {
			continue // it stays on disk, for the next process
		}
		q.mu.Lock()
		q.deletes = append(q.deletes, bad[i].place)
		q.mu.Unlock()
		q.dir.kick()
	}
}
