// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/spool"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// stopped shuts a processor down with hardly any time, which loses nothing unless
// something was lost before.
func stopped(tb testing.TB, p *exporter.Processor, lossy ...bool) exporter.Report {
	tb.Helper()
	if err := p.Shutdown(within(tb, 50*time.Millisecond)); (err != nil) != (len(lossy) > 0) {
		tb.Errorf("Shutdown = %v", err)
	}
	r := p.Report()
	checkSums(tb, r)
	return r
}

// storedOf checks that all these records are stored, each once.
func storedOf(tb testing.TB, srv *reveniumtest.Server, ids []string) {
	tb.Helper()
	for _, id := range ids {
		if _, ok := srv.ByTransactionID(id); !ok {
			tb.Errorf("%s is missing", id)
		}
	}
	if n := srv.Stats().Stored; n != len(ids) {
		tb.Errorf("%d records stored, want %d", n, len(ids))
	}
}

// TestSpoolSurvivesRestart: what an outage leaves on disk is delivered by the next
// process, once.
func TestSpoolSurvivesRestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	srv := reveniumtest.Start(t)
	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusServiceUnavailable})
	p := newProcessor(t, srv, exporter.WithSpool(dir))
	ids := chats(context.Background(), newTracer(t, p), 500)
	if err := p.ForceFlush(within(t, 100*time.Millisecond)); err == nil {
		t.Error("ForceFlush in an outage succeeded")
	}
	if r := p.Report(); r.OnDisk != 500 || r.Queued != 0 {
		t.Errorf("report after a flush:\n%s", r)
	}
	r := stopped(t, p)
	if r.OnDisk != 500 || r.Queued != 0 || r.Lost != 0 {
		t.Errorf("report:\n%s", r)
	}

	srv.ClearFaults()
	p = newProcessor(t, srv, exporter.WithSpool(dir))
	ids = append(ids, chats(context.Background(), newTracer(t, p), 10)...)
	flush(t, p)
	r = stopped(t, p)
	if r.Recovered != 500 || r.Billed != 10 || r.Delivered != 510 || r.OnDisk != 0 {
		t.Errorf("report of the second process:\n%s", r)
	}
	storedOf(t, srv, ids)
	checkOneBody(t, srv)
}

// TestSpoolReplaysAreHarmless: a directory that is restored from a copy sends the
// same transactions again.
func TestSpoolReplaysAreHarmless(t *testing.T) {
	dir, copied := filepath.Join(t.TempDir(), "spool"), filepath.Join(t.TempDir(), "copy")
	srv := reveniumtest.Start(t)
	p := newProcessor(t, srv, exporter.WithSpool(dir), exporter.WithBaseURL("http://127.0.0.1:1"))
	ids := chats(context.Background(), newTracer(t, p), 100)
	stopped(t, p)
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, copied} {
		p := newProcessor(t, srv, exporter.WithSpool(path))
		flush(t, p)
		if r := stopped(t, p); r.Recovered != 100 || r.Delivered != 100 {
			t.Errorf("report:\n%s", r)
		}
	}
	storedOf(t, srv, ids)
	if s := srv.Stats(); s.Replayed+s.Duplicates != 100 {
		t.Errorf("stats %+v", s)
	}
	checkOneBody(t, srv)
}

// TestSpoolKeepsNoKey: the key is nowhere in the directory.
func TestSpoolKeepsNoKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	srv := reveniumtest.Start(t)
	srv.Unauthorized(true)
	p := newProcessor(t, srv, exporter.WithSpool(dir))
	chats(context.Background(), newTracer(t, p), 20)
	_ = p.ForceFlush(within(t, time.Second)) // the key is refused
	stopped(t, p)
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), testKey) || strings.Contains(string(content), "rev_mk_") {
			t.Errorf("%s holds the key", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSpoolFromEnvironment: the variable does what the option does, and an option
// that says otherwise outranks it.
func TestSpoolFromEnvironment(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	srv := reveniumtest.Start(t)
	srv.ScriptStatus(reveniumtest.Answer{Status: http.StatusBadRequest})
	clearEnv(t)
	t.Setenv("REVENIUM_SPOOL_DIR", dir)
	p, err := exporter.NewProcessor(exporter.WithAPIKey(testKey), exporter.WithBaseURL(srv.URL()), exporter.WithLogger((&logBuffer{}).logger()))
	if err != nil {
		t.Fatal(err)
	}
	if s := p.String(); !strings.Contains(s, "*spool.Disk in "+dir) {
		t.Errorf("String() = %s", s)
	}
	chat(context.Background(), newTracer(t, p))
	flush(t, p)
	stopped(t, p)
	// Dead letters have their place beneath it.
	letters, err := deadletter.Open(deadletter.DirIn(dir))
	if err != nil {
		t.Fatal(err)
	}
	if stats, err := letters.Stats(); err != nil || stats.Letters != 1 {
		t.Errorf("dead letters %+v, %v", stats, err)
	}

	p, err = exporter.NewProcessor(exporter.WithAPIKey(testKey), exporter.WithBaseURL(srv.URL()), exporter.WithQueue(spool.NewMemory()))
	if err != nil {
		t.Fatal(err)
	}
	if s := p.String(); !strings.Contains(s, "*spool.Memory") {
		t.Errorf("String() = %s", s)
	}
	stopped(t, p)
}

// TestSpoolOptions: options of the spool reach it.
func TestSpoolOptions(t *testing.T) {
	srv := reveniumtest.Start(t)
	srv.Hang()
	p := newProcessor(t, srv, exporter.WithSpool(t.TempDir(), spool.WithMaxEntries(10), spool.WithoutFsync()))
	chats(context.Background(), newTracer(t, p), 15)
	if r := p.Report(); r.Lost != 5 || r.LostBy[exporter.LossQueueFull] != 5 {
		t.Errorf("report:\n%s", r)
	}
	p = newProcessor(t, srv, exporter.WithSpool(t.TempDir(), spool.WithMaxEntries(10)), exporter.WithOverflowPolicy(spool.DropOldest))
	ids := chats(context.Background(), newTracer(t, p), 15)
	if r := p.Report(); r.Billed != 15 {
		t.Fatalf("report:\n%s", r)
	}
	srv.ClearFaults()
	flush(t, p)
	if r := p.Report(); r.Lost != 5 || r.Delivered != 10 {
		t.Errorf("report:\n%s", r)
	}
	if _, ok := srv.ByTransactionID(ids[14]); !ok {
		t.Error("the newest record was given up")
	}
}

// TestDamagedSpool: the exporter starts with a damaged file, says so, and goes on.
func TestDamagedSpool(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "spool-x.db"), []byte("no file of ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	srv := reveniumtest.Start(t)
	var log logBuffer
	p := newProcessor(t, srv, exporter.WithSpool(dir), exporter.WithLogger(log.logger()))
	id := chat(context.Background(), newTracer(t, p))
	flush(t, p)
	if r := stopped(t, p); r.SetAside != 1 || r.Delivered != 1 {
		t.Errorf("report:\n%s", r)
	}
	if log.count("damaged file of the spool was set aside") != 1 {
		t.Errorf("log:\n%s", log.String())
	}
	storedOf(t, srv, []string{id})
}

// TestUnreadableRecordIsDeadLetter: a record of another build goes to the dead
// letters, and the sums hold.
func TestUnreadableRecordIsDeadLetter(t *testing.T) {
	dir := t.TempDir()
	srv := reveniumtest.Start(t)
	p := newProcessor(t, srv, exporter.WithSpool(dir), exporter.WithBaseURL("http://127.0.0.1:1"))
	ids := chats(context.Background(), newTracer(t, p), 3)
	stopped(t, p)
	files, err := filepath.Glob(filepath.Join(dir, "spool-*.db"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	content = []byte(strings.Replace(string(content), `"transactionId":"`+ids[1], `"transactionId":"`+strings.ToUpper(ids[1]), 1))
	if err := os.WriteFile(files[0], content, 0o600); err != nil {
		t.Fatal(err)
	}

	p = newProcessor(t, srv, exporter.WithSpool(dir))
	flush(t, p)
	r := stopped(t, p)
	if r.Recovered != 3 || r.Delivered != 2 || r.DeadLetteredBy[exporter.LossUnreadable] != 1 {
		t.Errorf("report:\n%s", r)
	}
	storedOf(t, srv, slices.Delete(slices.Clone(ids), 1, 2))
	letters, err := deadletter.Open(deadletter.DirIn(dir))
	if err != nil {
		t.Fatal(err)
	}
	for l, err := range letters.Letters() {
		if err != nil || l.Reason != deadletter.ReasonUnreadable || !strings.Contains(string(l.Record.Body), strings.ToUpper(ids[1])) {
			t.Errorf("letter %v, %v", l, err)
		}
	}
}

// TestMaxAge: what is too old is kept for somebody to decide about, and not sent.
func TestMaxAge(t *testing.T) {
	dir := t.TempDir()
	srv := reveniumtest.Start(t)
	p := newProcessor(t, srv, exporter.WithSpool(dir), exporter.WithBaseURL("http://127.0.0.1:1"))
	chats(context.Background(), newTracer(t, p), 3)
	stopped(t, p)

	time.Sleep(2 * time.Millisecond)
	p = newProcessor(t, srv, exporter.WithSpool(dir), exporter.WithMaxAge(time.Millisecond))
	flush(t, p)
	if r := stopped(t, p); r.DeadLetteredBy[exporter.LossExpired] != 3 || r.Delivered != 0 || len(r.Attempts) != 0 {
		t.Errorf("report:\n%s", r)
	}
	letters, err := deadletter.Open(deadletter.DirIn(dir))
	if err != nil {
		t.Fatal(err)
	}
	stats, err := letters.Stats()
	if err != nil || stats.ByReason[deadletter.ReasonExpired] != 3 {
		t.Errorf("dead letters %+v, %v", stats, err)
	}
}
