// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// letters are the dead letters in a directory.
func letters(tb testing.TB, dir string) []deadletter.Letter {
	tb.Helper()
	store, err := deadletter.Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	var all []deadletter.Letter
	for l, err := range store.Letters() {
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

// TestDeadLetters checks that what the service refuses is kept with its bytes and
// the reason, and that another tool can send it.
func TestDeadLetters(t *testing.T) {
	srv := reveniumtest.Start(t)
	release := srv.AddFault(reveniumtest.Fault{
		Kind: reveniumtest.FaultStatus, Status: http.StatusBadRequest, Model: "poison", Body: `{"message":"unknown model"}`,
	})
	dir := filepath.Join(t.TempDir(), "deadletters")
	m := start(t, srv, newHost(), func(cfg *Config) { cfg.DeadLetter.Directory = dir })
	m.consume(t, calls(0, 3))
	m.consume(t, calls(3, 2, model("poison")))
	waitFor(t, srv, 3)
	eventually(t, "the end of all", func() bool { return m.sum(t, "records_pending") == 0 })
	m.checkSums(t)
	dead := []attribute.KeyValue{attrOutcome.String("dead"), attrReason.String("rejected")}
	if got := m.sum(t, "records_finished", dead...); got != 2 {
		t.Errorf("%d records counted as dead, want 2", got)
	}
	all := letters(t, dir)
	if len(all) != 2 {
		t.Fatalf("%d letters, want 2", len(all))
	}
	for _, l := range all {
		if l.StatusCode != http.StatusBadRequest || l.Message != "unknown model" || l.Created.IsZero() || l.Attempts != 1 {
			t.Errorf("letter %+v", l)
		}
	}
	release()
	for _, l := range all {
		if res := m.engine.accounts[0].client.Send(t.Context(), l.Record); res.Err != nil {
			t.Error(res.Err)
		}
	}
	checkExactly(t, srv, transactionIDs(0, 5))
}

// TestDeadLettersAtShutdown checks that what only memory holds at the end becomes
// a dead letter.
func TestDeadLettersAtShutdown(t *testing.T) {
	srv := reveniumtest.Start(t)
	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusServiceUnavailable})
	dir := t.TempDir()
	m := start(t, srv, newHost(), func(cfg *Config) { cfg.DeadLetter.Directory = dir })
	m.consume(t, calls(0, 30))
	eventually(t, "an attempt", func() bool { return srv.Stats().Requests > 0 })
	if err := m.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := letters(t, dir); len(got) != 30 || got[0].Reason != reasonShutdown {
		t.Errorf("%d letters, want 30", len(got))
	}
}

// TestDeadLettersFull checks that a record for which there is no room is kept and
// tried again, not thrown away.
func TestDeadLettersFull(t *testing.T) {
	srv := reveniumtest.Start(t)
	release := srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusBadRequest, Model: "poison"})
	m := start(t, srv, newHost(), func(cfg *Config) {
		cfg.DeadLetter = DeadLetterConfig{Directory: t.TempDir(), MaxBytes: 10}
	})
	m.consume(t, calls(0, 1, model("poison")))
	m.consume(t, calls(1, 20))
	waitFor(t, srv, 20)
	eventually(t, "setting aside", func() bool { return m.sum(t, "records_pending", attrState.String("set_aside")) == 1 })
	m.checkSums(t)
	release()
	for _, e := range m.engine.backlog.entries {
		m.engine.backlog.attempt(t.Context(), e)
	}
	waitFor(t, srv, 21)
	m.checkSums(t)
}

// TestDeadLetterDirectory checks that a directory that cannot be used shows at the
// start.
func TestDeadLetterDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := createDefaultConfig().(*Config)
	cfg.DeadLetter.Directory = file
	e := &engine{cfg: cfg}
	if err := e.openDeadLetters(); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want an error that says what is wrong with the directory", err)
	}
}
