// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// born is the time at which the items of the tests were made.
var born = time.Date(2026, 9, 21, 14, 13, 20, 123456789, time.UTC)

// item is an item of usual size.
func item(name string) spool.Item {
	return spool.Item{
		Frozen: metering.Frozen{
			Endpoint:       metering.EndpointCompletions,
			TransactionID:  name,
			IdempotencyKey: "key-" + name,
			Body:           fmt.Appendf(nil, `{"transactionId":%q,"filler":%q}`, name, strings.Repeat("x", 1000)),
		},
		Created: born,
	}
}

// openDir opens a spool directory and closes it at the end of the test.
func openDir(tb testing.TB, path string, opts ...spool.DirectoryOption) *spool.Directory {
	tb.Helper()
	dir, err := spool.Open(path, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = dir.Close() }) // tests that care close it themselves
	return dir
}

// closeDir closes a spool directory that has to be well.
func closeDir(tb testing.TB, dir *spool.Directory) {
	tb.Helper()
	if err := dir.Close(); err != nil {
		tb.Error(err)
	}
}

// putAll puts items of these names.
func putAll(tb testing.TB, q spool.Queue, names ...string) {
	tb.Helper()
	for _, name := range names {
		if _, err := q.Put(item(name), time.Now()); err != nil {
			tb.Fatal(err)
		}
	}
}

// synced waits until all is on disk.
func synced(tb testing.TB, q *spool.Disk) {
	tb.Helper()
	if err := q.Sync(); err != nil {
		tb.Fatal(err)
	}
}

// take hands out one item.
func take(tb testing.TB, q spool.Queue) spool.Entry {
	tb.Helper()
	e, ok, err := q.Take(time.Now())
	if err != nil || !ok {
		tb.Fatalf("Take = %v, %v", ok, err)
	}
	return e
}

// drain acknowledges all that is due and returns the names.
func drain(tb testing.TB, q spool.Queue) []string {
	tb.Helper()
	var names []string
	for {
		e, ok, err := q.Take(time.Now())
		if err != nil {
			tb.Fatal(err)
		}
		if !ok {
			return names
		}
		names = append(names, e.TransactionID)
		if err := q.Ack(e.ID); err != nil {
			tb.Fatal(err)
		}
	}
}

// numbered are n names with a prefix.
func numbered(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%04d", prefix, i)
	}
	return names
}

// files are the names in a directory that match a pattern.
func files(tb testing.TB, dir, pattern string) []string {
	tb.Helper()
	matches, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		tb.Fatal(err)
	}
	return matches
}

// oneFile is the one file with records in a directory.
func oneFile(tb testing.TB, dir string) string {
	tb.Helper()
	all := files(tb, dir, "spool-*.db")
	if len(all) != 1 {
		tb.Fatalf("files %v, want one", all)
	}
	return all[0]
}

// events collects what a directory reports.
type events struct {
	mu  sync.Mutex
	all []spool.Event
}

func (e *events) option() spool.DirectoryOption {
	return spool.WithEvents(func(ev spool.Event) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.all = append(e.all, ev)
	})
}

// of are the events of a kind.
func (e *events) of(kind spool.EventKind) []spool.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(e.all), func(ev spool.Event) bool { return ev.Kind != kind })
}

// eventually waits for a condition that another goroutine brings about.
func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("not within 20 s: %s", what)
		}
	}
}
