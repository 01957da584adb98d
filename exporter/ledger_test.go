// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/ledger"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// balanceOf checks the balance of a ledger and returns it.
func balanceOf(tb testing.TB, dir string) ledger.Balance {
	tb.Helper()
	book, err := ledger.Load(dir)
	if err != nil {
		tb.Fatal(err)
	}
	s := ledger.Summarize(book)
	if !s.Balance.Holds() || s.Missing > 0 || s.Unreadable > 0 {
		tb.Errorf("balance %v, missing %d, unreadable %d", s.Balance, s.Missing, s.Unreadable)
	}
	return s.Balance
}

// TestLedger: what the ledger says is what the report says, over all ends that a
// record can have and over a restart.
func TestLedger(t *testing.T) {
	dir, spoolDir := filepath.Join(t.TempDir(), "ledger"), t.TempDir()
	srv := reveniumtest.Start(t, reveniumtest.WithoutViolationCheck())
	srv.ScriptStatus(
		reveniumtest.Answer{Status: http.StatusBadRequest},
		reveniumtest.Answer{Status: http.StatusConflict, Body: `{"error":"idempotency_key_mismatch"}`},
	)
	p := newProcessor(t, srv, exporter.WithLedger(dir), exporter.WithSpool(spoolDir, spoolMaxEntries(5)))
	tracer := newTracer(t, p)
	chats(context.Background(), tracer, 5)
	flush(t, p)
	srv.Hang()
	chats(context.Background(), tracer, 8)
	r := stopped(t, p, true)
	if r.Delivered != 3 || r.Duplicate != 1 || r.DeadLettered != 1 || r.Lost != 3 || r.OnDisk != 5 {
		t.Errorf("report:\n%s", r)
	}
	want := ledger.Balance{Billed: 13, Delivered: 3, Duplicate: 1, Waiting: 5, DeadLettered: 1, Lost: 3}
	if got := balanceOf(t, dir); got != want {
		t.Errorf("ledger %v, want %v", got, want)
	}

	srv.ClearFaults()
	p = newProcessor(t, srv, exporter.WithLedger(dir), exporter.WithSpool(spoolDir))
	flush(t, p)
	stopped(t, p)
	want.Delivered, want.Waiting = 8, 0
	if got := balanceOf(t, dir); got != want {
		t.Errorf("ledger after the restart %v, want %v", got, want)
	}
	// And it agrees with the service.
	if n := srv.Stats().Stored; int64(n) != want.Delivered {
		t.Errorf("%d records stored, ledger says %d", n, want.Delivered)
	}
}

// TestLedgerWithoutSpool: what is lost at shutdown is lost in the ledger, too.
func TestLedgerWithoutSpool(t *testing.T) {
	dir := t.TempDir()
	clearEnv(t)
	t.Setenv("REVENIUM_LEDGER_DIR", dir)
	t.Setenv("REVENIUM_METERING_API_KEY", testKey)
	srv := reveniumtest.Start(t)
	srv.Hang()
	p, err := exporter.NewProcessor(exporter.WithBaseURL(srv.URL()), exporter.WithLogger((&logBuffer{}).logger()))
	if err != nil {
		t.Fatal(err)
	}
	chats(context.Background(), newTracer(t, p), 7)
	if err := p.Shutdown(within(t, 0)); err == nil {
		t.Error("Shutdown lost nothing")
	}
	chat(context.Background(), newTracer(t, p)) // too late
	if got, want := balanceOf(t, dir), (ledger.Balance{Billed: 7, Lost: 7}); got != want {
		t.Errorf("ledger %v, want %v", got, want)
	}
}

func TestLedgerErrors(t *testing.T) {
	clearEnv(t)
	p, err := exporter.NewProcessor(exporter.WithAPIKey(testKey), exporter.WithLedger("/dev/null/ledger"))
	if err == nil {
		_ = p.Shutdown(t.Context())
		t.Fatal("NewProcessor succeeded")
	}
	if !strings.Contains(err.Error(), "exporter: ledger in /dev/null/ledger (WithLedger): making the directory") {
		t.Errorf("error %v", err)
	}
}
