// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// spoolWith returns a directory with one file that holds n records, and the path of
// the file.
func spoolWith(tb testing.TB, n int) (dir, file string) {
	tb.Helper()
	dir = tb.TempDir()
	d := openDir(tb, dir)
	putAll(tb, d.Queue(""), numbered("x", n)...)
	closeDir(tb, d)
	return dir, oneFile(tb, dir)
}

// rewrite changes the content of a file.
func rewrite(tb testing.TB, path string, change func([]byte) []byte) {
	tb.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, change(content), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// A damaged file is set aside with what can be read of it saved, the other files
// go on, and nothing is made up.
func TestDamagedFile(t *testing.T) {
	const n = 500
	for name, tt := range map[string]struct {
		change func([]byte) []byte
		// least that is saved of n.
		saved int
		aside bool
	}{
		"garbage":       {func(b []byte) []byte { return bytes.Repeat([]byte("garbage!"), len(b)/8) }, 0, true},
		"text":          {func([]byte) []byte { return []byte("this is not a spool file\n") }, 0, true},
		"one byte":      {func([]byte) []byte { return []byte{0} }, 0, true},
		"empty":         {func([]byte) []byte { return nil }, 0, false},
		"half":          {func(b []byte) []byte { return b[:len(b)/2] }, 0, true},
		"cut by a page": {func(b []byte) []byte { return b[:len(b)-os.Getpagesize()] }, 0, false}, // beyond what is used
		"zeroes in the middle": {func(b []byte) []byte {
			clear(b[100_000:140_000])
			return b
		}, n / 2, true},
		"first meta page": {func(b []byte) []byte {
			clear(b[:100])
			return b
		}, 0, false}, // the second one may be a transaction behind
	} {
		t.Run(name, func(t *testing.T) {
			dir, file := spoolWith(t, n)
			rewrite(t, file, tt.change)
			other := t.TempDir()
			d := openDir(t, other)
			putAll(t, d.Queue(""), "well")
			closeDir(t, d)
			if err := os.Rename(oneFile(t, other), filepath.Join(dir, "spool-other.db")); err != nil {
				t.Fatal(err)
			}

			ev := &events{}
			d = openDir(t, dir, ev.option())
			q := d.Queue("")
			putAll(t, q, "new")
			got := drain(t, q)
			t.Logf("%d of %d saved, events %v", len(got)-2, n, ev.all)
			if !slices.Contains(got, "well") || !slices.Contains(got, "new") {
				t.Errorf("the others are not there: %v", got)
			}
			if len(got)-2 < tt.saved {
				t.Errorf("%d records saved, want at least %d", len(got)-2, tt.saved)
			}
			known := append(numbered("x", n), "well", "new")
			for _, name := range got {
				if !slices.Contains(known, name) {
					t.Errorf("record %q was never put", name)
				}
			}
			if aside := files(t, dir, "*.damaged"); (len(aside) == 1) != tt.aside || (len(ev.of(spool.EventSetAside)) == 1) != tt.aside {
				t.Errorf("set aside: %v, events %v", aside, ev.all)
			}
			closeDir(t, d)
		})
	}
}

// Bytes that flip anywhere neither end the process nor yield a record that was not
// put.
func TestFlippedBytes(t *testing.T) {
	const n = 200
	_, original := spoolWith(t, n)
	content, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]bool)
	for _, name := range numbered("x", n) {
		want[name] = true
	}
	rounds := 150
	if testing.Short() {
		rounds = 20
	}
	rng := rand.New(rand.NewPCG(1, 2))
	complete := 0
	for round := range rounds {
		damaged := bytes.Clone(content)
		for range 1 + rng.IntN(20) {
			damaged[rng.IntN(len(damaged))] ^= byte(1 + rng.IntN(255))
		}
		if rng.IntN(3) == 0 {
			damaged = damaged[:rng.IntN(len(damaged))]
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "spool-x.db"), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		kept := 0
		d, err := spool.Open(dir, spool.WithoutFsync(), spool.WithReadAhead(0, 16),
			spool.WithUnreadable(func(string, []byte, error) bool { kept++; return true }))
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		q := d.Queue("")
		putAll(t, q, "new")
		seen := make(map[string]bool)
		for {
			e, ok, err := q.Take(time.Now())
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			if !ok {
				break
			}
			seen[e.TransactionID] = true
			if e.TransactionID != "new" && (!want[e.TransactionID] || !bytes.Equal(e.Body, item(e.TransactionID).Body)) {
				t.Fatalf("round %d: record %q is not what was put", round, e.TransactionID)
			}
			if err := q.Ack(e.ID); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		if !seen["new"] {
			t.Fatalf("round %d: what was put afterwards is not there", round)
		}
		if len(seen) == n+1 {
			complete++
		}
		if err := d.Close(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	t.Logf("%d of %d rounds lost nothing", complete, rounds)
}

// A record whose own bytes are damaged is handed over, and costs no other.
func TestUnreadableRecord(t *testing.T) {
	for _, kept := range []bool{true, false} {
		t.Run(fmt.Sprintf("kept %v", kept), func(t *testing.T) {
			dir, file := spoolWith(t, 10)
			rewrite(t, file, func(b []byte) []byte {
				return bytes.Replace(b, []byte(`{"transactionId":"x-0003"`), []byte(`{"transactionId":"X-0003"`), 1)
			})
			setVersion(t, file, 7)
			var raw []string
			open := func() (*spool.Directory, []string) {
				d := openDir(t, dir, spool.WithUnreadable(func(_ string, b []byte, err error) bool {
					raw = append(raw, fmt.Sprintf("%d %v", b[0], err))
					return kept
				}))
				return d, drain(t, d.Queue(""))
			}
			d, got := open()
			if len(got) != 8 || slices.Contains(got, "x-0003") || slices.Contains(got, "x-0006") {
				t.Errorf("records %v", got)
			}
			if want := []string{"1 its checksum is wrong", "7 it is of version 7, this build reads version 1"}; !slices.Equal(raw, want) {
				t.Errorf("handed over %q", raw)
			}
			if s := d.Queue("").Stats(); s.Entries != 0 || s.Durable != 0 || s.Bytes != 0 {
				t.Errorf("stats %+v", s)
			}
			closeDir(t, d)
			// What nobody kept is there for the next build.
			raw = nil
			open()
			if again := len(raw) == 2; again == kept {
				t.Errorf("the next process was handed %q", raw)
			}
		})
	}
}

// setVersion makes the seventh record one of another version.
func setVersion(tb testing.TB, file string, version byte) {
	tb.Helper()
	db, err := bolt.Open(file, 0o600, nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("records/"))
		c := b.Cursor()
		k, v := c.First()
		for range 6 {
			k, v = c.Next()
		}
		v = bytes.Clone(v)
		v[0] = version
		return b.Put(k, v)
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// A file of another build is left alone.
func TestForeignFormat(t *testing.T) {
	dir, file := spoolWith(t, 3)
	db, err := bolt.Open(file, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error { return tx.Bucket([]byte("spool")).Put([]byte("format"), []byte("2")) })
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ev := &events{}
	d := openDir(t, dir, ev.option())
	if n := d.Queue("").Stats().Entries; n != 0 {
		t.Errorf("%d entries", n)
	}
	if skipped := ev.of(spool.EventSkipped); len(skipped) != 1 || skipped[0].Path != file {
		t.Errorf("events %v", ev.all)
	}
	closeDir(t, d)
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file has changed, or %v", err)
	}
}

// A file that is found to be damaged while it is in use is given up; what of it is
// in memory is written again.
func TestDamageWhileInUse(t *testing.T) {
	dir, file := spoolWith(t, 100)
	// A younger file is the one that is written from now on.
	other := t.TempDir()
	d := openDir(t, other)
	younger := item("younger")
	younger.Created = born.Add(time.Hour)
	if _, err := d.Queue("").Put(younger, time.Now()); err != nil {
		t.Fatal(err)
	}
	closeDir(t, d)
	if err := os.Rename(oneFile(t, other), filepath.Join(dir, "spool-younger.db")); err != nil {
		t.Fatal(err)
	}
	ev := &events{}
	d = openDir(t, dir, ev.option(), spool.WithReadAhead(0, 10))
	q := d.Queue("")
	first := take(t, q)
	second := take(t, q)
	if err := q.Requeue(second.ID, 1, time.Now()); err != nil {
		t.Fatal(err)
	}
	putAll(t, q, numbered("y", 10)...)
	synced(t, q)
	// From now on every page of the old file is zero, as seen through its mapping.
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, info.Size()), 0); err != nil {
		t.Fatal(err)
	}
	f.Close()

	got := drain(t, q)
	if err := q.Ack(first.ID); err != nil {
		t.Errorf("Ack of what was handed out before: %v", err)
	}
	for _, name := range append(numbered("y", 10), "younger") {
		if !slices.Contains(got, name) {
			t.Errorf("%s is missing", name)
		}
	}
	if n := len(ev.of(spool.EventAbandoned)); n != 1 {
		t.Errorf("events %v", ev.all)
	}
	lost := 0
	for _, e := range ev.of(spool.EventLost) {
		lost += e.Records
	}
	if want := 100 - 1 - (len(got) - 11); lost != want || lost < 80 {
		t.Errorf("%d records reported as lost, want %d", lost, want)
	}
	if s := q.Stats(); s.Entries != 0 || s.Durable != 0 || s.Bytes != 0 || s.Taken != 0 {
		t.Errorf("stats %+v", s)
	}
	putAll(t, q, "after")
	synced(t, q)
	closeDir(t, d)
	if got := drain(t, openDir(t, dir).Queue("")); !slices.Contains(got, "after") {
		t.Errorf("the next process has %v", got)
	}
}
