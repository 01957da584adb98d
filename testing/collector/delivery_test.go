// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// durable is a configuration with a queue on disk and short intervals, which
// compress hours to seconds.
func durable(endpoint string) string {
	return fmt.Sprintf(`
extensions:
  file_storage: {directory: ./queue, create_directory: true}
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 512}
exporters:
  revenium:
    api_key: %s
    http: {endpoint: %q}
    sending_queue: {storage: file_storage}
    retry_on_failure: {initial_interval: 100ms, max_interval: 500ms}
    unauthorized_interval: 500ms
    dead_letter: {directory: ./deadletters}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter], exporters: [revenium]}
`, testKey, endpoint)
}

// wait waits until srv has n records.
func wait(tb testing.TB, srv *reveniumtest.Server, n int) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 2*time.Minute)
	defer cancel()
	if err := srv.Wait(ctx, n); err != nil {
		tb.Fatal(err)
	}
}

func unavailable() reveniumtest.Fault {
	return reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusServiceUnavailable}
}

// TestKillUnderLoad kills the Collector with the service down and spans coming in,
// and checks that whatever it had accepted is metered once.
func TestKillUnderLoad(t *testing.T) {
	srv := reveniumtest.Start(t)
	release := srv.AddFault(unavailable())
	dir := t.TempDir()
	p := start(t, dir, durable(srv.URL()))

	var accepted sync.Map // number of a request
	var next, taken atomic.Int64
	const perRequest = 5
	ctx, cancel := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for ctx.Err() == nil {
				n := int(next.Add(1) - 1)
				if err := send(ctx, p.http["otlp"], calls(perRequest*n, perRequest, "gpt-4o")); err != nil {
					return // the Collector is gone
				}
				accepted.Store(n, true)
				taken.Add(1)
			}
		})
	}
	eventually(t, "load", func() bool { return taken.Load() > 300 })
	p.kill(t)
	senders.Wait()
	cancel()

	release()
	again := start(t, dir, durable(srv.URL()))
	wait(t, srv, perRequest*int(taken.Load()))
	again.stop(t)

	seen := make(map[string]bool)
	for _, r := range srv.Records() {
		if seen[r.TransactionID] {
			t.Errorf("%s is there twice", r.TransactionID)
		}
		seen[r.TransactionID] = true
	}
	for n := range int(next.Load()) {
		_, ok := accepted.Load(n)
		for i := perRequest * n; i < perRequest*(n+1); i++ {
			if ok && !seen[transactionID(i)] {
				t.Errorf("call %d was accepted and is not metered", i)
			}
			delete(seen, transactionID(i))
		}
	}
	if len(seen) > 0 {
		t.Errorf("%d records of no call", len(seen))
	}
}

// TestOutage is an outage of ten minutes at 100 calls a second, compressed to as
// fast as they come: nothing is lost and memory stays flat.
func TestOutage(t *testing.T) {
	total := 60_000
	if testing.Short() {
		total = 6_000
	}
	srv := reveniumtest.Start(t, reveniumtest.WithoutVerification(), reveniumtest.WithoutBodies())
	release := srv.AddFault(unavailable())
	// What is remembered of calls is bounded; with small bounds all of it is there
	// after the first tenth, and nothing else may grow.
	config := strings.Replace(durable(srv.URL()), "    dead_letter:", "    selection: {remembered_calls: 4096, remembered_links: 4096}\n    dead_letter:", 1)
	p := start(t, t.TempDir(), config)
	const perRequest = 100
	warm := total / 10
	var before, peak int64
	for first := 0; first < total; first += perRequest {
		if err := send(t.Context(), p.http["otlp"], calls(first, perRequest, "gpt-4o")); err != nil {
			t.Fatal(err)
		}
		if first == warm {
			before = p.memory()
		}
		peak = max(peak, p.memory())
	}
	if got := len(srv.Records()); got != 0 {
		t.Fatalf("%d records during the outage", got)
	}
	release()
	wait(t, srv, total)
	peak = max(peak, p.memory())
	p.stop(t)
	checkCalls(t, srv, total)
	t.Logf("memory: %d MiB after %d records, at most %d MiB", before>>20, warm, peak>>20)
	// The garbage that collects between two collections comes on top.
	if limit := before + 64<<20; before > 0 && peak > limit {
		t.Errorf("memory grew from %d MiB to %d MiB", before>>20, peak>>20)
	}
}

// TestUnauthorizedForAWhile checks that a key that is refused loses nothing.
func TestUnauthorizedForAWhile(t *testing.T) {
	srv := reveniumtest.Start(t)
	release := srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultUnauthorized})
	p := start(t, t.TempDir(), durable(srv.URL()))
	for first := 0; first < 500; first += 50 {
		if err := send(t.Context(), p.http["otlp"], calls(first, 50, "gpt-4o")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the alarm", func() bool { return strings.Contains(p.log.text(), "refuses the API key") })
	release()
	wait(t, srv, 500)
	p.stop(t)
	checkCalls(t, srv, 500)
	if text := p.log.text(); strings.Contains(text, testKey) {
		t.Error("the log shows the key")
	}
}

// TestPoison checks that one record that the service refuses holds back none of
// 999 others, and is kept.
func TestPoison(t *testing.T) {
	srv := reveniumtest.Start(t)
	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusUnprocessableEntity, Model: "poison"})
	dir := t.TempDir()
	p := start(t, dir, durable(srv.URL()))
	td := calls(0, 500, "gpt-4o")
	calls(500, 1, "poison").ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
	calls(501, 499, "gpt-4o").ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
	if err := send(t.Context(), p.http["otlp"], td); err != nil {
		t.Fatal(err)
	}
	wait(t, srv, 999)
	p.stop(t)
	for _, r := range srv.Records() {
		if r.TransactionID == transactionID(500) {
			t.Error("the poisonous record was stored")
		}
	}
	store, err := deadletter.Open(filepath.Join(dir, "deadletters"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for l, err := range store.Letters() {
		if err != nil {
			t.Fatal(err)
		}
		if n++; l.Record.TransactionID != transactionID(500) || l.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("dead letter %v", l)
		}
	}
	if n != 1 {
		t.Errorf("%d dead letters, want 1", n)
	}
}
