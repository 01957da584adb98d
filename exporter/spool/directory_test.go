// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "spool")
	names := numbered("r", 1000)
	dir := openDir(t, path)
	q := dir.Queue("")
	putAll(t, q, names...)
	first, second := take(t, q), take(t, q)
	if err := q.Ack(first.ID); err != nil {
		t.Fatal(err)
	}
	if err := q.Requeue(second.ID, 3, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	take(t, q)
	closeDir(t, dir)
	if s := q.Stats(); s.Entries != 999 || s.Durable != 999 {
		t.Errorf("stats after Close: %+v", s)
	}

	ev := &events{}
	dir = openDir(t, path, ev.option())
	q = dir.Queue("")
	s := q.Stats()
	if s.Entries != 999 || s.Durable != 999 || s.Taken != 0 || s.Bytes != 999*item(names[0]).Size() || !s.OldestCreated.Equal(born) {
		t.Errorf("stats of the next process: %+v", s)
	}
	if got := ev.of(spool.EventAdopted); len(got) != 1 || got[0].Records != 999 {
		t.Errorf("events %v", got)
	}
	putAll(t, q, "new")
	e := take(t, q)
	if e.TransactionID != second.TransactionID || e.Attempts != 3 || !e.Created.Equal(born) || e.Endpoint != metering.EndpointCompletions ||
		e.IdempotencyKey != second.IdempotencyKey || string(e.Body) != string(second.Body) {
		t.Errorf("the first entry is %+v, want what was attempted before: %+v", e, second)
	}
	if err := q.Ack(e.ID); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append(names[2:], "new"), drain(t, q)); diff != "" {
		t.Errorf("drained (-want +got):\n%s", diff)
	}
	closeDir(t, dir)
	if left, err := os.ReadDir(path); err != nil || len(left) != 0 {
		t.Errorf("left in the directory: %v, %v", left, err)
	}
}

// What is delivered before the next commit costs no disk.
func TestDeliveredBeforeCommit(t *testing.T) {
	path := t.TempDir()
	dir := openDir(t, path, spool.WithCommitInterval(time.Hour))
	q := dir.Queue("")
	putAll(t, q, numbered("x", 100)...)
	drain(t, q)
	synced(t, q)
	if got := files(t, path, "spool-*"); len(got) != 0 {
		t.Errorf("files %v although nothing had to be written", got)
	}
	if s := q.Stats(); s.Entries != 0 || s.Durable != 0 || s.Bytes != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestDurableCounts(t *testing.T) {
	dir := openDir(t, t.TempDir(), spool.WithCommitInterval(time.Hour))
	q := dir.Queue("")
	putAll(t, q, "a", "b", "c")
	if s := q.Stats(); s.Durable != 0 || s.Entries != 3 {
		t.Errorf("stats before the commit: %+v", s)
	}
	synced(t, q)
	if s := q.Stats(); s.Durable != 3 {
		t.Errorf("stats after the commit: %+v", s)
	}
	e := take(t, q)
	if err := q.Ack(e.ID); err != nil {
		t.Fatal(err)
	}
	if s := q.Stats(); s.Durable != 2 || s.Entries != 2 {
		t.Errorf("stats after Ack: %+v", s)
	}
}

func TestModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool")
	dir := openDir(t, path)
	putAll(t, dir.Queue(""), "a")
	synced(t, dir.Queue(""))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("directory has mode %v", info.Mode())
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) < 3 {
		t.Fatalf("%v, %v: want records, status and its lock", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

// Several processes on one directory do not touch each other's files; what one
// leaves, the next one that starts takes over, once.
func TestSeveralOwners(t *testing.T) {
	path := t.TempDir()
	first, second := openDir(t, path), openDir(t, path)
	putAll(t, first.Queue(""), "one")
	putAll(t, second.Queue(""), "two")
	synced(t, first.Queue(""))
	synced(t, second.Queue(""))

	third := openDir(t, path)
	if n := third.Queue("").Stats().Entries; n != 0 {
		t.Errorf("the third took %d entries of living ones", n)
	}
	closeDir(t, first)
	fourth, fifth := openDir(t, path), openDir(t, path)
	if got := drain(t, fourth.Queue("")); !slices.Equal(got, []string{"one"}) {
		t.Errorf("the fourth has %v", got)
	}
	if got := drain(t, fifth.Queue("")); len(got) != 0 {
		t.Errorf("the fifth has %v", got)
	}
	if got := drain(t, second.Queue("")); !slices.Equal(got, []string{"two"}) {
		t.Errorf("the second has %v", got)
	}
}

// A volume that has moved to another machine is a directory at another path.
func TestMovedDirectory(t *testing.T) {
	root := t.TempDir()
	dir := openDir(t, filepath.Join(root, "here"))
	putAll(t, dir.Queue(""), "a", "b")
	closeDir(t, dir)
	if err := os.Rename(filepath.Join(root, "here"), filepath.Join(root, "there")); err != nil {
		t.Fatal(err)
	}
	if got := drain(t, openDir(t, filepath.Join(root, "there")).Queue("")); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %v", got)
	}
}

// Files of several dead processes come in the order of their age.
func TestOrderOfAdoption(t *testing.T) {
	path := t.TempDir()
	for n, hour := range []int{2, 0, 1} {
		own := t.TempDir()
		dir := openDir(t, own)
		for i := range 3 {
			it := item(fmt.Sprintf("%d-%d", hour, i))
			it.Created = born.Add(time.Duration(hour) * time.Hour)
			if _, err := dir.Queue("").Put(it, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		closeDir(t, dir)
		if err := os.Rename(oneFile(t, own), filepath.Join(path, fmt.Sprintf("spool-%d.db", n))); err != nil {
			t.Fatal(err)
		}
	}
	dir := openDir(t, path, spool.WithReadAhead(0, 2))
	q := dir.Queue("")
	putAll(t, q, "new")
	want := []string{"0-0", "0-1", "0-2", "1-0", "1-1", "1-2", "2-0", "2-1", "2-2", "new"}
	if got := drain(t, q); !slices.Equal(got, want) {
		t.Errorf("order %v", got)
	}
}

// A clock that was ahead when a record was put does not keep it waiting.
func TestClockThatWasAhead(t *testing.T) {
	path := t.TempDir()
	dir := openDir(t, path)
	if _, err := dir.Queue("").Put(item("future"), time.Now().Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := dir.Queue("").Take(time.Now()); ok || err != nil {
		t.Errorf("Take before the time = %v, %v", ok, err)
	}
	closeDir(t, dir)
	if got := drain(t, openDir(t, path).Queue("")); !slices.Equal(got, []string{"future"}) {
		t.Errorf("the next process has %v", got)
	}
}

// A second process goes on with the file of the first, also when tenants come and
// go.
func TestFileIsContinued(t *testing.T) {
	path := t.TempDir()
	want := make(map[string][]string)
	for round := range 6 {
		dir := openDir(t, path, spool.WithReadAhead(0, 2))
		for n, tenant := range []string{"a", "b", "c"} {
			if (round+n)%3 == 0 {
				continue
			}
			q := dir.Queue(tenant)
			e := spool.Entry{}
			if len(want[tenant]) > 0 {
				e = take(t, q)
				if e.TransactionID != want[tenant][0] {
					t.Errorf("round %d: %s has %s first, want %s", round, tenant, e.TransactionID, want[tenant][0])
				}
				if err := q.Ack(e.ID); err != nil {
					t.Fatal(err)
				}
				want[tenant] = want[tenant][1:]
			}
			names := numbered(fmt.Sprintf("%s-%d", tenant, round), 3)
			putAll(t, q, names...)
			want[tenant] = append(want[tenant], names...)
		}
		closeDir(t, dir)
		oneFile(t, path)
	}
	dir := openDir(t, path)
	for tenant, names := range want {
		if diff := cmp.Diff(names, drain(t, dir.Queue(tenant))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tenant, diff)
		}
	}
}

func TestTenants(t *testing.T) {
	path := t.TempDir()
	dir := openDir(t, path, spool.WithMaxEntries(10))
	a, b := dir.Queue("acme", spool.WithMaxEntries(2)), dir.Queue("blue / green")
	putAll(t, a, "a1", "a2")
	if _, err := a.Put(item("a3"), time.Now()); !errors.Is(err, spool.ErrFull) {
		t.Errorf("Put beyond the tenant's bound = %v", err)
	}
	putAll(t, b, numbered("b", 10)...)
	if _, err := b.Put(item("b3"), time.Now()); !errors.Is(err, spool.ErrFull) {
		t.Errorf("Put beyond the common bound = %v", err)
	}
	closeDir(t, dir)

	dir = openDir(t, path)
	if diff := cmp.Diff([]string{"acme", "blue / green"}, dir.Tenants()); diff != "" {
		t.Errorf("tenants (-want +got):\n%s", diff)
	}
	if got := drain(t, dir.Queue("acme")); !slices.Equal(got, []string{"a1", "a2"}) {
		t.Errorf("acme has %v", got)
	}
	if got := drain(t, dir.Queue("blue / green")); len(got) != 10 {
		t.Errorf("the other has %v", got)
	}
	if again := dir.Queue("acme"); again.Stats().Entries != 0 {
		t.Error("another queue for the same tenant")
	}
}

// Bounds hold for what earlier processes left, too.
func TestFullAfterRestart(t *testing.T) {
	path := t.TempDir()
	dir := openDir(t, path)
	putAll(t, dir.Queue(""), numbered("x", 20)...)
	closeDir(t, dir)
	dir = openDir(t, path, spool.WithMaxEntries(10))
	q := dir.Queue("")
	if _, err := q.Put(item("y"), time.Now()); !errors.Is(err, spool.ErrFull) {
		t.Errorf("Put = %v", err)
	}
	if got := drain(t, q); len(got) != 20 {
		t.Errorf("%d entries, want all that were there", len(got))
	}
	putAll(t, q, "y")
}

// The oldest entries can be given up when they are on disk alone.
func TestDropOldestFromDisk(t *testing.T) {
	path := t.TempDir()
	dir := openDir(t, path, spool.WithReadAhead(0, 3))
	putAll(t, dir.Queue(""), numbered("x", 20)...)
	e := take(t, dir.Queue(""))
	if err := dir.Queue("").Requeue(e.ID, 1, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	closeDir(t, dir)

	dir = openDir(t, path, spool.WithReadAhead(0, 3), spool.WithMaxEntries(20), spool.WithOverflow(spool.DropOldest))
	q := dir.Queue("")
	var evicted []string
	for _, name := range numbered("y", 12) {
		receipt, err := q.Put(item(name), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range receipt.Evicted {
			evicted = append(evicted, it.TransactionID)
			if len(it.Body) == 0 {
				t.Errorf("%s has no body", it.TransactionID)
			}
		}
	}
	if diff := cmp.Diff(numbered("x", 12), evicted); diff != "" {
		t.Errorf("evicted (-want +got):\n%s", diff)
	}
	if got := drain(t, q); len(got) != 20 || got[0] != "x-0012" {
		t.Errorf("left %v", got)
	}
}

// A backlog on disk needs no memory.
func TestMemoryIsFlat(t *testing.T) {
	const n = 20000
	dir := openDir(t, t.TempDir(), spool.WithoutFsync())
	q := dir.Queue("")
	putAll(t, q, numbered("warm", 2000)...)
	synced(t, q)
	before := heapInUse()
	putAll(t, q, numbered("x", n)...)
	synced(t, q)
	grown := int64(heapInUse()) - int64(before)
	t.Logf("%d bytes more for %d records", grown, n)
	if grown > 2<<20 {
		t.Errorf("%d bytes more in memory for %d records on disk", grown, n)
	}
	if s := q.Stats(); s.Durable != n+2000 {
		t.Errorf("stats %+v", s)
	}
}

// Files give their space back when what is in them is delivered.
func TestSpaceIsGivenBack(t *testing.T) {
	path := t.TempDir()
	dir := openDir(t, path, spool.WithoutFsync())
	q := dir.Queue("")
	big := item("big")
	big.Body = []byte(strings.Repeat("x", 1<<20))
	for range 80 {
		if _, err := q.Put(big, time.Now()); err != nil {
			t.Fatal(err)
		}
		synced(t, q)
	}
	if n := len(files(t, path, "spool-*.db")); n != 3 {
		t.Errorf("%d files for 80 MB", n)
	}
	for range 40 {
		if err := q.Ack(take(t, q).ID); err != nil {
			t.Fatal(err)
		}
	}
	synced(t, q)
	if n := len(files(t, path, "spool-*.db")); n != 2 {
		t.Errorf("%d files for 40 MB", n)
	}
	drain(t, q)
	synced(t, q)
	if got := files(t, path, "spool-*.db"); len(got) != 0 {
		t.Errorf("files %v for nothing", got)
	}
	putAll(t, q, "again")
	synced(t, q)
	closeDir(t, dir)
}

func TestClosedDirectory(t *testing.T) {
	dir := openDir(t, t.TempDir())
	q := dir.Queue("")
	closeDir(t, dir)
	closeDir(t, dir)
	if _, err := q.Put(item("x"), time.Now()); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("Put = %v", err)
	}
	if _, err := dir.Queue("late").Put(item("x"), time.Now()); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("Put into a queue that is made after Close = %v", err)
	}
	if err := dir.Sync(); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("Sync = %v", err)
	}
}

func TestOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"empty": "", "a file": file, "beneath a file": filepath.Join(file, "spool")} {
		if d, err := spool.Open(path); err == nil || !strings.HasPrefix(err.Error(), "spool: ") {
			t.Errorf("%s: %v, %v", name, d, err)
		}
	}
}

func TestReadOnlyDirectory(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("a read-only directory does not stop root")
	}
	path := filepath.Join(t.TempDir(), "read-only")
	if err := os.Mkdir(path, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := spool.Open(path); err == nil || !strings.Contains(err.Error(), "cannot be written to") {
		t.Errorf("Open = %v", err)
	}
}

func TestEventKindString(t *testing.T) {
	for kind := spool.EventAdopted; kind <= spool.EventWriteRecovered; kind++ {
		if s := kind.String(); s == "" || strings.HasPrefix(s, "EventKind") {
			t.Errorf("kind %d is %q", kind, s)
		}
	}
	if s := spool.EventKind(99).String(); s != "EventKind(99)" {
		t.Errorf("unknown kind is %q", s)
	}
}
