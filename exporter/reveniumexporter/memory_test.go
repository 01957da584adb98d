// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// attempt makes a span one of several attempts at the call below span 9: a failure
// that a client repeats, or with number the one that succeeds.
func attempt(number int) func(int, ptrace.Span) {
	return func(_ int, s ptrace.Span) {
		s.SetParentSpanID(pcommon.SpanID{9})
		if number > 0 {
			s.SetSpanID(pcommon.SpanID{byte(number + 1)})
			s.Attributes().PutInt("revenium.retry.number", int64(number))
			return
		}
		s.Attributes().Remove("gen_ai.usage.input_tokens")
		s.Attributes().Remove("gen_ai.usage.output_tokens")
		s.Attributes().PutInt("http.response.status_code", 503)
		s.Status().SetCode(ptrace.StatusCodeError)
	}
}

func shortWindow(cfg *Config) { cfg.Selection.SettleWindow = 2 * time.Second }

// TestCrashWhileCallsWait crashes while a failure waits for the client's next
// attempt, and checks that the next run goes on waiting.
func TestCrashWhileCallsWait(t *testing.T) {
	srv := reveniumtest.Start(t)
	disk := newMemoryStorage()
	m := start(t, srv, newHost(disk), nil)
	m.consume(t, calls(0, 2, attempt(0)))
	if got := m.sum(t, "spans_held"); got != 2 {
		t.Fatalf("%d spans are held, want 2", got)
	}
	crashed := disk.snapshot()

	again := start(t, srv, newHost(crashed), shortWindow)
	if got := again.sum(t, "spans_held"); got != 2 {
		t.Errorf("%d spans are held after the crash, want 2", got)
	}
	again.checkSums(t)
	again.consume(t, calls(0, 1, attempt(1))) // of the first one only
	waitFor(t, srv, 2)
	again.stop(t)
	again.checkSums(t)
	checkExactly(t, srv, []string{traceID(0).String() + "-0200000000000000", traceID(1).String() + "-0100000000000000"})
}

// TestCrashForgetsNothing checks that a span that comes again after a crash is a
// replay.
func TestCrashForgetsNothing(t *testing.T) {
	srv := reveniumtest.Start(t)
	disk := newMemoryStorage()
	m := start(t, srv, newHost(disk), nil)
	m.consume(t, calls(0, 10))
	waitFor(t, srv, 10)
	again := start(t, srv, newHost(disk.snapshot()), nil)
	again.consume(t, calls(0, 11))
	waitFor(t, srv, 11)
	if got := again.sum(t, "spans_decided", attrReason.String("replay")); got != 10 {
		t.Errorf("%d replays, want 10", got)
	}
	again.stop(t)
	checkExactly(t, srv, transactionIDs(0, 11))
}

// TestStopWhileCallsWait checks that an orderly end, too, leaves to the next run
// what can still change.
func TestStopWhileCallsWait(t *testing.T) {
	srv := reveniumtest.Start(t)
	disk := newMemoryStorage()
	m := start(t, srv, newHost(disk), nil)
	m.consume(t, calls(0, 1, attempt(0)))
	m.stop(t)
	if got := len(srv.Records()); got != 0 {
		t.Errorf("%d records of a call that may be repeated", got)
	}
	again := start(t, srv, newHost(disk), nil)
	again.consume(t, calls(0, 1, attempt(1)))
	waitFor(t, srv, 1)
	again.stop(t)
	checkExactly(t, srv, []string{traceID(0).String() + "-0200000000000000"})
}

// TestCrashKeepsTheAccount checks that a call that waits goes to the API key of its
// tenant also after a crash.
func TestCrashKeepsTheAccount(t *testing.T) {
	const acmeKey = "rev_mk_test_acme"
	srv := reveniumtest.Start(t, reveniumtest.WithTenant("own", testKey), reveniumtest.WithTenant("acme", acmeKey))
	routed := func(cfg *Config) {
		shortWindow(cfg)
		cfg.Routing = RoutingConfig{Attribute: "tenant", Keys: map[string]RouteConfig{"acme": {APIKey: acmeKey}}}
	}
	disk := newMemoryStorage()
	m := start(t, srv, newHost(disk), routed)
	m.consume(t, calls(0, 1, attempt(0), func(_ int, s ptrace.Span) { s.Attributes().PutStr("tenant", "acme") }))
	start(t, srv, newHost(disk.snapshot()), routed)
	waitFor(t, srv, 1)
	if got := srv.Records()[0].Tenant; got != "acme" {
		t.Errorf("the record went to the account %q", got)
	}
}

// TestMemoryOfAnotherVersion checks that what this build cannot read, and may be a
// record, is kept, and costs nothing else.
func TestMemoryOfAnotherVersion(t *testing.T) {
	srv := reveniumtest.Start(t)
	disk := newMemoryStorage()
	m := start(t, srv, newHost(disk), nil)
	m.consume(t, calls(0, 1, attempt(0)))
	m.consume(t, calls(1, 1))
	waitFor(t, srv, 1)
	crashed := disk.snapshot()
	foreign := 0
	for _, s := range crashed.stores {
		if chunk, ok := s[spansPrefix+"0"]; ok {
			chunk[4] = 99
			foreign++
		}
	}
	if foreign != 1 {
		t.Fatalf("%d chunks were altered, want 1", foreign)
	}
	dir := filepath.Join(t.TempDir(), "deadletters")
	again := start(t, srv, newHost(crashed), func(cfg *Config) { cfg.DeadLetter.Directory = dir })
	again.consume(t, calls(1, 1))
	if got := again.sum(t, "spans_decided", attrReason.String("replay")); got != 1 {
		t.Errorf("%d replays, want 1: a chunk that can be read was lost", got)
	}
	again.checkSums(t)
	again.stop(t)
	letters, err := deadletter.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for l, err := range letters.Letters() {
		if err != nil {
			t.Fatal(err)
		}
		if n++; l.Reason != deadletter.ReasonUnreadable || !strings.Contains(l.Message, "version") || len(l.Record.Body) == 0 {
			t.Errorf("dead letter %+v", l)
		}
	}
	if n != 1 {
		t.Errorf("%d dead letters, want 1", n)
	}
}

// TestMemoryWithADamagedIndex checks that it is kept and that the exporter starts.
func TestMemoryWithADamagedIndex(t *testing.T) {
	srv := reveniumtest.Start(t)
	disk := newMemoryStorage()
	m := start(t, srv, newHost(disk), nil)
	m.consume(t, calls(0, 1))
	waitFor(t, srv, 1)
	crashed := disk.snapshot()
	for _, s := range crashed.stores {
		if index, ok := s[keyChunks]; ok {
			index[0] ^= 0x7f
		}
	}
	again := start(t, srv, newHost(crashed), nil)
	if got := again.sum(t, "records_finished", attrOutcome.String(outcomeLost)); got != 1 {
		t.Errorf("%d records are reported lost, want 1", got)
	}
	again.consume(t, calls(1, 1))
	waitFor(t, srv, 2)
}

// TestStoredMemoryIsBounded checks that what is superfluous is deleted.
func TestStoredMemoryIsBounded(t *testing.T) {
	srv := reveniumtest.Start(t, reveniumtest.WithoutVerification(), reveniumtest.WithoutBodies())
	disk := newMemoryStorage()
	m := start(t, srv, newHost(disk), func(cfg *Config) {
		cfg.Selection.RememberedCalls, cfg.Selection.RememberedLinks = 64, 64
	})
	for i := range 500 {
		m.consume(t, calls(i, 1))
	}
	if n := disk.count(memoryName); n > 140 {
		t.Errorf("%d values are stored, want one per call that is remembered and a few", n)
	}
	waitFor(t, srv, 500)
}

// brokenStorage fails to write what is remembered as long as it is told to.
type brokenStorage struct {
	*memoryStorage
	broken bool
}

func (b *brokenStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	c, err := b.memoryStorage.GetClient(ctx, kind, id, name)
	if name != memoryName || err != nil {
		return c, err
	}
	return &brokenClient{c, b}, nil
}

type brokenClient struct {
	storage.Client
	of *brokenStorage
}

func (c *brokenClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	c.of.mu.Lock()
	broken := c.of.broken
	c.of.mu.Unlock()
	if broken {
		return errors.New("disk full")
	}
	return c.Client.Batch(ctx, ops...)
}

func (b *brokenStorage) set(broken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = broken
}

// TestStorageThatFails checks that a storage that fails for a while costs nothing
// but the time in which a crash would be noticed.
func TestStorageThatFails(t *testing.T) {
	srv := reveniumtest.Start(t)
	disk := &brokenStorage{memoryStorage: newMemoryStorage()}
	m := start(t, srv, newHost(disk), nil)
	m.consume(t, calls(0, 1, attempt(0)))
	disk.set(true)
	m.consume(t, calls(1, 1, attempt(0)))
	m.consume(t, calls(2, 1))
	waitFor(t, srv, 1)
	disk.set(false)
	eventually(t, "the writing of what was missed", func() bool {
		m.engine.memory.mu.Lock()
		defer m.engine.memory.mu.Unlock()
		return !m.engine.memory.whole
	})
	again := start(t, srv, newHost(disk.snapshot()), nil)
	if got := again.sum(t, "spans_held"); got != 2 {
		t.Errorf("%d spans are held after the crash, want 2", got)
	}
	again.consume(t, calls(2, 1))
	if got := again.sum(t, "spans_decided", attrReason.String("replay")); got != 1 {
		t.Errorf("%d replays, want 1", got)
	}
}

// TestCrashUnderLoad checks that whatever was acknowledged before a crash is known
// afterwards, however many requests are under way.
func TestCrashUnderLoad(t *testing.T) {
	srv := reveniumtest.Start(t, reveniumtest.WithoutVerification(), reveniumtest.WithoutBodies())
	disk := newMemoryStorage()
	m := start(t, srv, newHost(disk), nil)
	var mu sync.Mutex
	var acknowledged []int
	var next atomic.Int64
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for range 100 {
				i := int(next.Add(1))
				td := calls(i, 1, attempt(0))
				calls(10_000+2*i, 2).ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
				if err := m.ConsumeTraces(t.Context(), td); err != nil {
					t.Error(err)
				}
				mu.Lock()
				acknowledged = append(acknowledged, i)
				mu.Unlock()
			}
		})
	}
	eventually(t, "load", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(acknowledged) > 150
	})
	mu.Lock()
	known := slices.Clone(acknowledged)
	mu.Unlock()
	crashed := disk.snapshot()
	senders.Wait()

	again := start(t, srv, newHost(crashed), nil)
	for _, i := range known {
		again.consume(t, calls(i, 1, attempt(0)))
		again.consume(t, calls(10_000+2*i, 2))
	}
	if got := again.sum(t, "spans_decided", attrReason.String("replay")); got != int64(3*len(known)) {
		t.Errorf("%d replays, want %d", got, 3*len(known))
	}
	again.checkSums(t)
}
