// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"bytes"
	"context"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestDeadLetterIsReplayable: one record of a thousand is refused, kept with the
// answer, and accepted when it is sent again.
func TestDeadLetterIsReplayable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "letters")
	srv := reveniumtest.Start(t)
	refusal := srv.AddFault(reveniumtest.Fault{
		Kind: reveniumtest.FaultStatus, Status: http.StatusUnprocessableEntity, Body: `{"error":"strict_mode","message":"unknown organization"}`, Times: 1,
	})
	p := newProcessor(t, srv, exporter.WithDeadLetter(dir))
	ids := chats(context.Background(), newTracer(t, p), 1000)
	flush(t, p)
	refusal()
	r := p.Report()
	checkSums(t, r)
	if r.Delivered != 999 || r.DeadLettered != 1 || r.Lost != 0 {
		t.Errorf("report:\n%s", r)
	}
	if err := p.Shutdown(within(t, 0)); err != nil {
		t.Errorf("Shutdown = %v although nothing is lost", err)
	}

	store, err := deadletter.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	client, err := metering.NewClient(testKey, metering.WithBaseURL(srv.URL()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	var letters []deadletter.Letter
	report, err := store.Replay(t.Context(), func(ctx context.Context, l deadletter.Letter) metering.Result {
		letters = append(letters, l)
		return client.Send(ctx, l.Record)
	}, deadletter.ReplayOptions{})
	if err != nil || report.Delivered != 1 || len(letters) != 1 {
		t.Fatalf("replay %+v, %v", report, err)
	}
	if l := letters[0]; l.StatusCode != http.StatusUnprocessableEntity || l.Code != "strict_mode" || l.Message != "unknown organization" {
		t.Errorf("letter %v", l)
	}
	for _, id := range ids {
		rec, ok := srv.ByTransactionID(id)
		if !ok {
			t.Errorf("%s is missing", id)
		}
		if id == letters[0].Record.TransactionID && !bytes.Equal(rec.Body, letters[0].Record.Body) {
			t.Errorf("replayed body %s, letter %s", rec.Body, letters[0].Record.Body)
		}
	}
}

// TestDeadLetterDirectoryFromEnvironment: the variable does what the option does.
func TestDeadLetterDirectoryFromEnvironment(t *testing.T) {
	clearEnv(t)
	dir := t.TempDir()
	srv := reveniumtest.Start(t)
	srv.ScriptStatus(reveniumtest.Answer{Status: http.StatusBadRequest})
	t.Setenv("REVENIUM_DEAD_LETTER_DIR", dir)
	t.Setenv("REVENIUM_METERING_API_KEY", testKey)
	p, err := exporter.NewProcessor(exporter.WithBaseURL(srv.URL()), exporter.WithLogger((&logBuffer{}).logger()))
	if err != nil {
		t.Fatal(err)
	}
	chat(context.Background(), newTracer(t, p))
	flush(t, p)
	if err := p.Shutdown(within(t, 0)); err != nil {
		t.Error(err)
	}
	store, err := deadletter.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if stats, err := store.Stats(); err != nil || stats.Letters != 1 {
		t.Errorf("stats %+v, %v", stats, err)
	}
}
