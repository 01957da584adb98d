// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Entry is a billed record and what has become of it.
type Entry struct {
	// ID is the transaction id.
	ID string `json:"id"`
	// Tenant is whose record it is; empty where there is only one.
	Tenant string `json:"tenant,omitempty"`
	// Billed is the time at which it was billed, Ended that of its end; zero while
	// it waits.
	Billed time.Time `json:"billed"`
	Ended  time.Time `json:"ended,omitzero"`
	// State and Reason are what has become of it.
	State  State  `json:"state"`
	Reason string `json:"reason,omitempty"`
	// Late says that it was delivered when the service had forgotten its idempotency
	// key.
	Late bool `json:"late,omitempty"`
	Facts
}

// Book is what a ledger holds.
type Book struct {
	// Entries are in the order in which the calls were made.
	Entries []Entry
	// Unseen are the ends of records of which nothing more is known: entries that
	// seem to be waiting are among them.
	Unseen map[State]int64
	// Missing is the number of events that could not be written; above zero, the
	// ledger is not complete.
	Missing int64
	// Problems are lines that cannot be read: torn by a crash, damaged, or written
	// by a newer build.
	Problems []error
}

// entryKey tells the records of tenants apart, whose ids can be the same.
type entryKey struct{ tenant, id string }

// Load reads the ledger of a directory. It is safe beside the processes that write
// it. Memory grows with the number of records, by some 500 bytes each.
func Load(dir string) (*Book, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("ledger: reading the directory: %w", err)
	}
	l := loader{book: &Book{Unseen: make(map[State]int64)}, known: make(map[entryKey]*Entry)}
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, filePrefix) && strings.HasSuffix(name, fileSuffix) {
			if err := l.file(filepath.Join(dir, name)); err != nil {
				return nil, err
			}
		}
	}
	for _, e := range l.known {
		l.book.Entries = append(l.book.Entries, *e)
	}
	slices.SortFunc(l.book.Entries, func(a, b Entry) int {
		return cmp.Or(a.Call.Compare(b.Call), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.ID, b.ID))
	})
	return l.book, nil
}

// loader puts events together.
type loader struct {
	book  *Book
	known map[entryKey]*Entry
}

func (l *loader) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	err = l.lines(path, bufio.NewReaderSize(f, 64<<10))
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("ledger: reading %s: %w", path, err)
	}
	return nil
}

func (l *loader) lines(path string, r *bufio.Reader) error {
	for n := 1; ; n++ {
		raw, err := r.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if raw = bytes.TrimSpace(raw); len(raw) > 0 {
			if problem := l.line(raw); problem != nil {
				l.book.Problems = append(l.book.Problems, fmt.Errorf("ledger: %s: line %d: %w", path, n, problem))
			}
		}
		if err != nil {
			return nil
		}
	}
}

func (l *loader) line(raw []byte) error {
	var ev line
	if err := json.Unmarshal(raw, &ev); err != nil {
		return err
	}
	switch {
	case ev.Version < 1:
		return errors.New("not a line of a ledger")
	case ev.Version > lineVersion:
		return fmt.Errorf("it is of version %d, this build reads version %d: use a newer build", ev.Version, lineVersion)
	case ev.Missing > 0:
		l.book.Missing += ev.Missing
		return nil
	case !ev.State.known():
		return fmt.Errorf("unknown state %q", ev.State)
	case ev.ID == "":
		l.book.Unseen[ev.State] += ev.Count
		return nil
	}
	key := entryKey{ev.Tenant, ev.ID}
	e := l.known[key]
	if e == nil {
		e = &Entry{ID: ev.ID, Tenant: ev.Tenant, State: Waiting, Facts: ev.Facts}
		l.known[key] = e
	}
	e.apply(&ev)
	return nil
}

// apply takes an event. Files of several processes are read one after the other, so
// that events of a record come in any order: delivery counts more than a loss, and
// any end more than waiting, as when a restored spool is sent again.
func (e *Entry) apply(ev *line) {
	if ev.State == Waiting {
		if e.Billed.IsZero() || ev.Time.Before(e.Billed) {
			e.Billed = ev.Time
		}
		return
	}
	if e.Billed.IsZero() {
		e.Billed = ev.Time // the event of the billing is missing
	}
	if rank(ev.State) > rank(e.State) || ev.State == e.State && ev.Time.Before(e.Ended) {
		e.State, e.Reason, e.Ended, e.Late = ev.State, ev.Reason, ev.Time, ev.Late
	}
}

// rank orders the states by how much they say about the service.
func rank(s State) int {
	return slices.Index([]State{Waiting, Lost, DeadLettered, Duplicate, Delivered}, s)
}
