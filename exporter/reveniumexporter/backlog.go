// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Bounds of the backlog.
const (
	// maxSetAside bounds the records that were taken out of the queue because they
	// alone keep failing.
	maxSetAside = 1000
	// maxUnproven bounds those of them that were taken out although the service had
	// not dealt with another record meanwhile: it may be the service that fails. But
	// while they stay in the queue, nobody finds out.
	maxUnproven = maxSetAside / 2
	// The pause between attempts on a record that was set aside doubles from the
	// first to the second of these.
	minSetAsidePause = time.Minute
	maxSetAsidePause = 30 * time.Minute
	// patience is how long a record without a queue waits for its sender to repeat
	// it before it is tried again without being asked.
	patience = time.Minute
	// enqueueTimeout bounds one try to put the backlog back into a queue that
	// blocks when it is full.
	enqueueTimeout = time.Second
)

// errBacklog is what senders are told while records wait for room in the queue.
var errBacklog = errors.New("the sending queue is full: nothing of this request was taken, send it again")

// backlog holds records that are in no queue: those that the queue had no room
// for, and those that keep failing while all others are delivered. They are few,
// because as long as there are any of the first kind nothing more is accepted. It
// is safe for concurrent use.
type backlog struct {
	mu sync.Mutex
	// entries are in order of arrival.
	entries []*backlogEntry
	refused int // how many of them the queue refused
	// store saves what changes, if there is a storage.
	store *store
}

type backlogEntry struct {
	of     *account
	record record
	// refused: the queue had no room. Otherwise the record was set aside.
	refused bool
	due     time.Time
	rounds  int
	// unproven: see maxUnproven. since is when it was set aside.
	unproven bool
	since    time.Time
	id       uint64 // in the store; zero if it is not there
}

// accepts reports whether new spans can be taken: decisions about them could not
// be made twice.
func (b *backlog) accepts() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refused == 0
}

// refuse keeps records that the queue refused. They are due at the next tick, or,
// where the sender was told to repeat them, when it has had the time to.
func (b *backlog) refuse(of *account, records []record, due time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for i := range records {
		errs = append(errs, b.add(&backlogEntry{of: of, record: records[i], refused: true, due: due}))
	}
	return errors.Join(errs...)
}

// setAside keeps a record that alone keeps failing. It reports false if there are
// too many of them, or it cannot be saved.
func (b *backlog) setAside(of *account, rec record) bool {
	now := time.Now()
	e := &backlogEntry{
		of: of, record: rec, since: now, due: now.Add(minSetAsidePause),
		unproven: !of.gate.answeredSince(rec.firstFailed),
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.entries)-b.refused >= maxSetAside || e.unproven && b.unproven() >= maxUnproven {
		return false
	}
	if err := b.add(e); err != nil {
		b.remove(e)
		return false
	}
	return true
}

// unproven counts the entries whose record may be well. The caller holds the
// lock.
func (b *backlog) unproven() (n int) {
	for _, e := range b.entries {
		if e.unproven {
			n++
		}
	}
	return n
}

// add appends an entry and saves it. The caller holds the lock.
func (b *backlog) add(e *backlogEntry) error {
	b.entries = append(b.entries, e)
	if e.refused {
		b.refused++
	}
	return b.store.saveEntry(e)
}

// remove takes an entry out if it is still there. The caller holds the lock.
func (b *backlog) remove(e *backlogEntry) {
	i := slices.Index(b.entries, e)
	if i < 0 {
		return
	}
	b.entries = slices.Delete(b.entries, i, i+1)
	if e.refused {
		b.refused--
	}
	b.store.removeEntry(e)
}

// take removes and returns the record of a span that its sender repeats.
func (b *backlog) take(span spanKey) (*account, record, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.entries {
		if e.refused && e.record.span == span {
			b.remove(e)
			return e.of, e.record, true
		}
	}
	return nil, record{}, false
}

// due returns the entries that are due. What was set aside while the service
// failed is due as soon as it does not.
func (b *backlog) due(now time.Time) []*backlogEntry {
	b.mu.Lock()
	defer b.mu.Unlock()
	var due []*backlogEntry
	for _, e := range b.entries {
		if e.unproven && e.of.gate.answeredSince(e.since) {
			e.unproven, e.due = false, now
		}
		if !e.due.After(now) {
			due = append(due, e)
		}
	}
	return due
}

// retry puts what the queue refused back into it and makes an attempt on what was
// set aside.
func (b *backlog) retry(ctx context.Context, now time.Time) {
	full := make(map[*account]bool)
	for _, e := range b.due(now) {
		if full[e.of] {
			continue
		}
		if e.refused {
			full[e.of] = !b.requeue(ctx, e)
		} else {
			b.attempt(ctx, e)
		}
	}
}

// requeue reports whether the queue has taken the record, or somebody else has.
func (b *backlog) requeue(ctx context.Context, e *backlogEntry) bool {
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	// In the queue first: a crash in between repeats the record, which is harmless.
	if refused, _ := e.of.enqueue(ctx, []record{e.record}); len(refused) > 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.remove(e)
	return true
}

// attempt sends a record that was set aside.
func (b *backlog) attempt(ctx context.Context, e *backlogEntry) {
	t := e.of.sendAside(ctx, &e.record)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case t.err == nil:
		b.remove(e)
	case t.stopped:
	default:
		e.rounds++
		e.due = time.Now().Add(setAsidePause(e.rounds))
	}
}

// setAsidePause is the pause after that many attempts in vain.
func setAsidePause(rounds int) time.Duration {
	return min(minSetAsidePause<<min(rounds, 10), maxSetAsidePause)
}

// count is how many records of an account are in the backlog.
func (b *backlog) count(of *account) (n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.entries {
		if e.of == of {
			n++
		}
	}
	return n
}

// restore takes over what an earlier run had left.
func (b *backlog) restore(s *store, entries []*backlogEntry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.store = s
	b.entries = append(b.entries, entries...)
	for _, e := range entries {
		if e.refused {
			b.refused++
		}
	}
}

// drain empties the backlog of what no storage has.
func (b *backlog) drain() []*backlogEntry {
	b.mu.Lock()
	defer b.mu.Unlock()
	var left []*backlogEntry
	for _, e := range b.entries {
		if e.id == 0 {
			left = append(left, e)
		}
	}
	b.entries, b.refused = nil, 0
	return left
}
