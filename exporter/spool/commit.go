// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	// commitEntries and commitBytes bound one transaction for each queue.
	commitEntries = 4096
	commitBytes   = 4 << 20
	// retryInterval is the wait after the disk did not take something.
	retryInterval = time.Second
	// segmentBytes is what is put into a file before the next one is begun. Files
	// give their space back when all in them is delivered.
	segmentBytes = 32 << 20
	// reuseBytes is what may have been put into an empty file that is used again: a
	// larger one is replaced.
	reuseBytes = 4 << 20
)

// committer writes what the queues have to write. It is one goroutine, and the one
// user of the files' write side.
func (d *Directory) committer() {
	defer close(d.done)
	interval := time.NewTimer(time.Hour)
	defer interval.Stop()
	waiting := false // for the interval to pass
	for {
		wake := d.wake
		if waiting {
			wake = nil
		}
		var reply chan error
		select {
		case <-wake:
			waiting = true
			interval.Reset(max(d.interval, time.Until(d.retryAt)))
			continue
		case <-interval.C:
			waiting = false
		case reply = <-d.syncs:
		case <-d.status.timer():
			d.writeStatus()
			continue
		case <-d.stop:
			return
		}
		err := d.commitAll()
		if err != nil {
			d.retryAt = time.Now().Add(retryInterval)
			d.kick()
		}
		if reply != nil {
			reply <- err
		}
		d.status.changed()
	}
}

// kick has the committer look for work. It never waits.
func (d *Directory) kick() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Sync waits until all that was put and acknowledged before is on disk. It fails
// if the disk does not take it.
func (d *Directory) Sync() error {
	reply := make(chan error, 1)
	select {
	case d.syncs <- reply:
		return <-reply
	case <-d.done:
		return ErrClosed
	}
}

// commitAll writes until nothing is left to write.
func (d *Directory) commitAll() error {
	for {
		batch := d.collect()
		if batch.empty() {
			return d.dropDrained()
		}
		err := d.write(batch)
		d.noteWrite(err)
		if err != nil {
			return err
		}
	}
}

// noteWrite reports when the disk begins and ceases to fail.
func (d *Directory) noteWrite(err error) {
	switch {
	case err != nil && !d.failing:
		d.failing = true
		d.event(Event{Kind: EventWriteFailed, Err: err})
	case err == nil && d.failing:
		d.failing = false
		d.event(Event{Kind: EventWriteRecovered})
	}
}

// batch is what the queues have to write.
type batch struct {
	puts    []put
	changes map[*segment]*segmentOps
}

func (b *batch) empty() bool { return len(b.puts) == 0 && len(b.changes) == 0 }

// of are the changes of one file.
func (b *batch) of(s *segment) *segmentOps {
	ops := b.changes[s]
	if ops == nil {
		ops = &segmentOps{}
		b.changes[s] = ops
	}
	return ops
}

func (d *Directory) collect() *batch {
	b := &batch{changes: make(map[*segment]*segmentOps)}
	for _, q := range d.all() {
		q.collect(b)
	}
	return b
}

// collect moves what is to be written into the batch. Puts stay pending until they
// are written.
func (q *Disk) collect(b *batch) {
	q.mu.Lock()
	defer q.mu.Unlock()

	kept, size := q.pending[:0], int64(0)
	for _, e := range q.pending {
		if e.gone || e.part != nil {
			continue
		}
		kept = append(kept, e)
		if len(kept) <= commitEntries && size < commitBytes {
			b.puts = append(b.puts, put{queue: q, e: e, due: e.due, item: e.entry.Item})
			size += e.size
		}
	}
	clear(q.pending[len(kept):])
	q.pending = kept
	if len(kept) == 0 {
		q.pending = nil // a burst must not hold its memory for ever
	}
	for _, p := range q.deletes {
		if seg := p.part.seg; !seg.failed.Load() {
			ops := b.of(seg)
			ops.deletes = append(ops.deletes, change{queue: q, place: p})
		}
	}
	q.deletes = nil
	for _, e := range q.recounted {
		e.recounted = false
		if !e.gone && e.part != nil {
			ops := b.of(e.part.seg)
			ops.attempts = append(ops.attempts, change{queue: q, place: place{e.part, e.entry.ID}, e: e, attempts: e.entry.Attempts})
		}
	}
	q.recounted = nil
}

// write writes a batch: each file in one transaction. What could not be written is
// given back to the queues.
func (d *Directory) write(b *batch) error {
	var errs []error
	if len(b.puts) > 0 {
		active, err := d.activeSegment()
		if err != nil {
			errs = append(errs, err)
		} else {
			for i := range b.puts {
				p := &b.puts[i]
				p.key = p.queue.partIn(active).key(p.e.entry.ID)
			}
			b.of(active).puts = b.puts
		}
	}
	for seg, ops := range b.changes {
		err := d.fault("commit", seg.path)
		if err == nil {
			err = seg.apply(ops)
		}
		switch {
		case err == nil:
			ops.committed(seg)
			if seg.written >= segmentBytes && seg == d.active {
				d.active = nil
			}
		case errors.Is(err, errDamaged):
			d.abandon(seg, err)
		default:
			ops.restore()
			errs = append(errs, fmt.Errorf("spool: writing to %s: %w", seg.path, err))
		}
	}
	return errors.Join(errs...)
}

// committed tells the queues what is on disk now.
func (o *segmentOps) committed(seg *segment) {
	for i := 0; i < len(o.puts); {
		q := o.puts[i].queue
		n := i
		for n < len(o.puts) && o.puts[n].queue == q {
			n++
		}
		q.committed(seg, o.puts[i:n])
		i = n
	}
}

// partIn is the queue's share in the file that is being written. The committer
// alone asks.
func (q *Disk) partIn(seg *segment) *part {
	if q.active == nil || q.active.seg != seg {
		q.active = &part{seg: seg}
	}
	return q.active
}

// committed notes that entries are on disk.
func (q *Disk) committed(seg *segment, puts []put) {
	q.mu.Lock()
	defer q.mu.Unlock()

	p := q.partIn(seg)
	for i := range puts {
		e := puts[i].e
		e.part = p
		if e.gone {
			q.deletes = append(q.deletes, place{e.part, e.entry.ID})
			q.dir.kick()
			continue
		}
		q.stored++
		q.memory -= e.size
		switch {
		case !e.out:
			q.backlog.noteStored(e)
		case e.heapIndex >= 0:
			e.entry.Body = nil // it will be read when its time has come
		}
		if e.entry.Attempts != puts[i].item.Attempts && !e.recounted {
			e.recounted = true
			q.recounted = append(q.recounted, e)
			q.dir.kick()
		}
	}
	n := 0
	for n < len(q.pending) && (q.pending[n].part != nil || q.pending[n].gone) {
		n++
	}
	clear(q.pending[:n])
	q.pending = q.pending[n:]
	q.backlog.spill(q.dir.cacheBytes)
}

// restore gives back what was not written, except for puts, which are still
// pending.
func (o *segmentOps) restore() {
	for _, c := range o.deletes {
		c.queue.mu.Lock()
		c.queue.deletes = append(c.queue.deletes, c.place)
		c.queue.mu.Unlock()
	}
	for _, c := range o.attempts {
		c.queue.mu.Lock()
		if !c.e.recounted {
			c.e.recounted = true
			c.queue.recounted = append(c.queue.recounted, c.e)
		}
		c.queue.mu.Unlock()
	}
}

// dropDrained removes files in which nothing is left.
func (d *Directory) dropDrained() error {
	var errs []error
	kept := d.segments[:0]
	for _, seg := range d.segments {
		if seg.live > 0 || seg.failed.Load() || seg == d.active && seg.written < reuseBytes {
			kept = append(kept, seg)
			continue
		}
		if seg == d.active {
			d.active = nil
		}
		errs = append(errs, seg.close(), os.Remove(seg.path))
	}
	clear(d.segments[len(kept):])
	d.segments = kept
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("spool: removing an empty file: %w", err)
	}
	return nil
}
