// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"cmp"
	"container/heap"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// adoption is a file that was taken over, and what is in it.
type adoption struct {
	seg     *segment
	content []content
	created time.Time // of the oldest record
}

// adopt takes over the files of dead processes.
func (d *Directory) adopt() error {
	names, err := spoolFiles(d.path)
	if err != nil {
		return err
	}
	var adopted []adoption
	for _, name := range names {
		a, err := d.adoptFile(filepath.Join(d.path, name))
		if err != nil {
			return err
		}
		adopted = append(adopted, a...)
	}
	slices.SortStableFunc(adopted, func(a, b adoption) int { return a.created.Compare(b.created) })
	now := time.Now()
	for i, a := range adopted {
		d.segments = append(d.segments, a.seg)
		for _, c := range a.content {
			a.seg.live += c.entries
			d.queue(c.tenant).adopt(a.seg, c, now)
		}
		if i == len(adopted)-1 && a.seg.written < segmentBytes {
			// It goes on being written: it has room, and a full disk may have none
			// for another.
			d.active = a.seg
		}
		d.event(Event{Kind: EventAdopted, Path: a.seg.path, Records: a.seg.live})
	}
	for _, q := range d.queues {
		// So that the age of the oldest is known. What goes wrong goes wrong again
		// when it is needed.
		_ = q.refill()
		q.handOver()
	}
	return nil
}

// spoolFiles are the names of the files with records, the oldest first.
func spoolFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("spool: reading the directory: %w", err)
	}
	var names []string
	for _, e := range entries {
		if isSpoolFile(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// adoptFile takes over one file, if nobody else has it. A damaged one is set aside,
// and what could be saved from it comes back in another.
func (d *Directory) adoptFile(path string) ([]adoption, error) {
	err := d.fault("adopt", path)
	var seg *segment
	var found []content
	if err == nil {
		seg, found, err = openAndScan(path, d.sync)
	}
	switch {
	case err == nil && len(found) == 0:
		return nil, errors.Join(seg.close(), removeIfThere(path))
	case err == nil:
		return []adoption{newAdoption(seg, found)}, nil
	case errors.Is(err, errInUse):
		return nil, nil // its owner lives
	case errors.Is(err, errDamaged):
		return d.salvage(path, err)
	default:
		d.event(Event{Kind: EventSkipped, Path: path, Err: err})
		return nil, nil
	}
}

func newAdoption(seg *segment, found []content) adoption {
	a := adoption{seg: seg, content: found}
	for _, c := range found {
		if a.created.IsZero() || !c.created.IsZero() && c.created.Before(a.created) {
			a.created = c.created
		}
	}
	return a
}

// openAndScan opens a file and reads it. After an error it is closed. One that is
// empty, because a process died while it made it, comes out as a new one.
func openAndScan(path string, sync bool) (*segment, []content, error) {
	seg, err := openSegment(path, sync)
	if err != nil {
		return nil, nil, err
	}
	found, err := seg.scan()
	if err != nil {
		return nil, nil, errors.Join(err, seg.close())
	}
	return seg, found, nil
}

// adopt takes over what a file has of the queue's tenant.
func (q *Disk) adopt(seg *segment, c content, now time.Time) {
	p := &part{seg: seg, offset: uint64(q.lastID) + 1 - c.first, dueBy: now}
	p.adopted = ID(c.last + p.offset)
	s := span{part: p, first: ID(c.first + p.offset), last: p.adopted, entries: c.entries, bytes: c.bytes}
	q.active = p
	q.backlog.addSpan(s)
	q.lastID = s.last
	q.entries += c.entries
	q.stored += c.entries
	q.bytes += c.bytes
}

// abandon stops using a file that was found to be damaged. What of it is in memory
// is written again, into another file.
func (d *Directory) abandon(seg *segment, damage error) {
	if !seg.failed.CompareAndSwap(false, true) {
		return
	}
	d.event(Event{Kind: EventAbandoned, Path: seg.path, Err: damage})
	for _, q := range d.all() {
		if lost := q.abandon(seg); lost > 0 {
			d.event(Event{Kind: EventLost, Path: seg.path, Tenant: q.tenant, Records: lost, Err: damage})
		}
	}
	d.kick()
}

// abandon is the queue's part of it. It returns the number of entries that are
// lost.
func (q *Disk) abandon(seg *segment) (lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()

	before := q.entries
	var again []*element
	for e := q.ages.oldest; e != nil; {
		newer := e.newer
		if e.part != nil && e.part.seg == seg {
			if e.entry.Body != nil {
				again = append(again, e)
			} else {
				q.loseHandedOut(e)
			}
		}
		e = newer
	}
	for _, e := range q.backlog.front {
		if e.part != nil && e.part.seg == seg {
			q.backlog.storedFront -= e.size
			again = append(again, e)
		}
	}
	for _, e := range again {
		e.part = nil
		q.stored--
		q.memory += e.size
	}
	q.pending = slices.SortedFunc(slices.Values(append(again, q.pending...)), func(a, b *element) int {
		return cmp.Compare(a.entry.ID, b.entry.ID)
	})
	q.backlog.gap = slices.DeleteFunc(q.backlog.gap, func(s span) bool {
		if s.part.seg != seg {
			return false
		}
		q.drop(s.entries, s.bytes)
		return true
	})
	q.backlog.fill(nil)
	return before - q.entries
}

// loseHandedOut takes an entry from the queue that was handed out and whose body
// cannot be read any more.
func (q *Disk) loseHandedOut(e *element) {
	if e.heapIndex >= 0 {
		heap.Remove(&q.waiting, e.heapIndex)
	} else {
		delete(q.taken, e.entry.ID)
		q.takenBytes -= e.size
	}
	q.ages.unlink(e)
	q.drop(1, e.size)
	e.gone = true
}
