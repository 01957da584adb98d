// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// faults makes operations fail while they are switched on.
type faults struct {
	op atomic.Pointer[string]
	// err is what they fail with.
	err error
}

func (f *faults) set(op string) { f.op.Store(&op) }

func (f *faults) option() spool.DirectoryOption {
	return spool.WithFault(func(op, _ string) error {
		if failing := f.op.Load(); failing != nil && *failing == op {
			return f.err
		}
		return nil
	})
}

// While the disk takes nothing, records stay in memory and can be delivered; when
// it does again, they are written.
func TestDiskFull(t *testing.T) {
	for _, op := range []string{"create", "commit"} {
		t.Run(op, func(t *testing.T) {
			path, f, ev := t.TempDir(), &faults{err: syscall.ENOSPC}, &events{}
			dir := openDir(t, path, f.option(), ev.option())
			q := dir.Queue("")
			f.set(op)
			putAll(t, q, numbered("x", 10)...)
			if err := q.Sync(); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("Sync = %v", err)
			}
			if s := q.Stats(); s.Entries != 10 || s.Durable != 0 {
				t.Errorf("stats %+v", s)
			}
			if err := q.Ack(take(t, q).ID); err != nil {
				t.Error(err)
			}
			_ = q.Sync() // fails as well, and is not reported again
			if n := len(ev.of(spool.EventWriteFailed)); n != 1 {
				t.Errorf("events %v", ev.all)
			}
			f.set("")
			// Nobody has to ask for it.
			eventually(t, "records on disk", func() bool { return q.Stats().Durable == 9 })
			if n := len(ev.of(spool.EventWriteRecovered)); n != 1 {
				t.Errorf("events %v", ev.all)
			}
			closeDir(t, dir)
			if got := drain(t, openDir(t, path).Queue("")); !slices.Equal(got, numbered("x", 10)[1:]) {
				t.Errorf("the next process has %v", got)
			}
		})
	}
}

// What the disk does not take is bounded in memory.
func TestMemoryBound(t *testing.T) {
	f := &faults{err: syscall.EIO}
	f.set("commit")
	size := item("x-0000").Size()
	dir := openDir(t, t.TempDir(), f.option(), spool.WithMaxMemory(5*size), spool.WithOverflow(spool.DropOldest))
	q := dir.Queue("")
	putAll(t, q, numbered("x", 5)...)
	if _, err := q.Put(item("y"), time.Now()); !errors.Is(err, spool.ErrFull) {
		t.Errorf("Put = %v", err)
	}
	if err := q.Ack(take(t, q).ID); err != nil {
		t.Fatal(err)
	}
	putAll(t, q, "z-0000")
	big := item("big")
	big.Body = make([]byte, 5*size)
	if _, err := q.Put(big, time.Now()); !errors.Is(err, spool.ErrTooLarge) {
		t.Errorf("Put of a large item = %v", err)
	}
	f.set("")
	synced(t, q)
	putAll(t, q, "y")
}

// Closing in front of a full disk says what is lost, and does not hang.
func TestCloseInFrontOfFullDisk(t *testing.T) {
	path, f := t.TempDir(), &faults{err: syscall.ENOSPC}
	dir := openDir(t, path, f.option())
	q := dir.Queue("")
	putAll(t, q, "a", "b")
	synced(t, q)
	f.set("commit")
	putAll(t, q, "c")
	if err := dir.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Close = %v", err)
	}
	if s := q.Stats(); s.Entries != 3 || s.Durable != 2 {
		t.Errorf("stats %+v", s)
	}
	if got := drain(t, openDir(t, path).Queue("")); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("the next process has %v", got)
	}
}

// A failed deletion is made up for.
func TestDeletionsAreRepeated(t *testing.T) {
	path, f := t.TempDir(), &faults{err: syscall.EIO}
	dir := openDir(t, path, f.option())
	q := dir.Queue("")
	putAll(t, q, "a", "b", "c")
	synced(t, q)
	f.set("commit")
	if err := q.Ack(take(t, q).ID); err != nil {
		t.Fatal(err)
	}
	e := take(t, q)
	if err := q.Requeue(e.ID, 5, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := q.Sync(); err == nil {
		t.Error("Sync succeeded")
	}
	f.set("")
	closeDir(t, dir)
	q = openDir(t, path).Queue("")
	if e := take(t, q); e.TransactionID != "b" || e.Attempts != 5 {
		t.Errorf("first is %s with %d attempts", e.TransactionID, e.Attempts)
	}
	if got := drain(t, q); !slices.Equal(got, []string{"c"}) {
		t.Errorf("then %v", got)
	}
}

// A file that cannot be read now is an error of Take, and no loss.
func TestReadError(t *testing.T) {
	path, f := t.TempDir(), &faults{err: syscall.EIO}
	dir := openDir(t, path, f.option(), spool.WithReadAhead(0, 2))
	q := dir.Queue("")
	names := numbered("x", 10)
	putAll(t, q, names...)
	synced(t, q)
	e := take(t, q)
	if err := q.Requeue(e.ID, 1, time.Now()); err != nil {
		t.Fatal(err)
	}
	f.set("read")
	for failed := false; !failed; {
		e, ok, err := q.Take(time.Now())
		switch {
		case errors.Is(err, syscall.EIO):
			failed = true
		case err != nil || !ok:
			t.Fatal(ok, err)
		default:
			if err := q.Requeue(e.ID, 1, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s := q.Stats(); s.Entries != 10 || s.Taken != 0 {
		t.Errorf("stats %+v", s)
	}
	f.set("")
	got := drain(t, q)
	slices.Sort(got)
	if !slices.Equal(got, names) {
		t.Errorf("got %v", got)
	}
}

// A file that cannot be opened now is left for the next process.
func TestAdoptionError(t *testing.T) {
	path, _ := spoolWith(t, 3)
	f, ev := &faults{err: syscall.EIO}, &events{}
	f.set("adopt")
	dir := openDir(t, path, f.option(), ev.option())
	if n := dir.Queue("").Stats().Entries; n != 0 || len(ev.of(spool.EventSkipped)) != 1 {
		t.Errorf("%d entries, events %v", n, ev.all)
	}
	if n := openDir(t, path).Queue("").Stats().Entries; n != 3 {
		t.Errorf("%d entries for the next", n)
	}
}
