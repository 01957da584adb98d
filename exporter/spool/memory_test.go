// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
	"github.com/revenium/revenium-otel-go/exporter/spool/spooltest"
)

func TestMemoryContract(t *testing.T) {
	err := spooltest.Check(func(l spooltest.Limits) (spool.Queue, error) {
		return spool.NewMemory(
			spool.WithMaxEntries(l.MaxEntries),
			spool.WithMaxBytes(l.MaxBytes),
			spool.WithOverflow(l.Overflow),
		), nil
	})
	if err != nil {
		t.Error(err)
	}
}

// brokenQueue breaks the contract in one way each, to see that the check notices.
type brokenQueue struct {
	*spool.Memory
	how string
}

func (q brokenQueue) Ack(id spool.ID) error {
	if q.how == "keeps what was acknowledged" {
		return q.Requeue(id, 0, time.Time{})
	}
	return q.Memory.Ack(id)
}

func (q brokenQueue) Take(now time.Time) (spool.Entry, bool, error) {
	if q.how == "ignores the time" {
		now = now.Add(24 * time.Hour)
	}
	return q.Memory.Take(now)
}

func (q brokenQueue) Put(item spool.Item, now time.Time) (spool.Receipt, error) {
	receipt, err := q.Memory.Put(item, now)
	if q.how == "hides what it evicts" {
		receipt.Evicted = nil
	}
	return receipt, err
}

func (q brokenQueue) Release(now time.Time) error {
	if q.how == "does not release" {
		return nil
	}
	return q.Memory.Release(now)
}

func TestCheckNoticesBrokenQueues(t *testing.T) {
	for _, how := range []string{"keeps what was acknowledged", "ignores the time", "hides what it evicts", "does not release"} {
		t.Run(how, func(t *testing.T) {
			err := spooltest.Check(func(l spooltest.Limits) (spool.Queue, error) {
				return brokenQueue{spool.NewMemory(
					spool.WithMaxEntries(l.MaxEntries),
					spool.WithMaxBytes(l.MaxBytes),
					spool.WithOverflow(l.Overflow),
				), how}, nil
			})
			if err == nil {
				t.Error("the check found nothing wrong")
			}
		})
	}
}

func TestMemoryDefaults(t *testing.T) {
	q := spool.NewMemory(spool.WithMaxEntries(0), spool.WithMaxBytes(-1))
	s := q.Stats()
	if s.MaxEntries != spool.DefaultMaxEntries || s.MaxBytes != spool.DefaultMaxBytes {
		t.Errorf("bounds = %d, %d, want the defaults", s.MaxEntries, s.MaxBytes)
	}
}

func TestOverflowPolicyString(t *testing.T) {
	for policy, want := range map[spool.OverflowPolicy]string{
		spool.DropNewest: "drop-newest",
		spool.DropOldest: "drop-oldest",
		9:                "OverflowPolicy(9)",
	} {
		if got := policy.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}

// TestMemoryHeldPerEvent measures what a queued record of usual size costs.
func TestMemoryHeldPerEvent(t *testing.T) {
	const n = 5000
	body := make([]byte, 1024)
	q := spool.NewMemory()
	before := heapInUse()
	for range n {
		item := spool.Item{Frozen: metering.Frozen{
			Endpoint:       metering.EndpointCompletions,
			TransactionID:  string(make([]byte, 49)),
			IdempotencyKey: string(make([]byte, 64)),
			Body:           append([]byte(nil), body...),
		}}
		if _, err := q.Put(item, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	perEvent := (int64(heapInUse()) - int64(before)) / n
	runtime.KeepAlive(q)
	t.Logf("%d bytes per queued event, %d counted", perEvent, q.Stats().Bytes/n)
	if perEvent > 4096 {
		t.Errorf("%d bytes held per queued event, want at most 4096", perEvent)
	}
	if counted := q.Stats().Bytes / n; perEvent > counted*3/2 {
		t.Errorf("%d bytes held per queued event, but %d counted against the bound", perEvent, counted)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkMemory(b *testing.B) {
	q := spool.NewMemory()
	item := spool.Item{Frozen: metering.Frozen{Body: make([]byte, 1024)}}
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := q.Put(item, now); err != nil {
			b.Fatal(err)
		}
		entry, ok, err := q.Take(now)
		if !ok || err != nil {
			b.Fatal(ok, err)
		}
		if err := q.Ack(entry.ID); err != nil {
			b.Fatal(err)
		}
	}
}
