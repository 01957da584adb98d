// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// called is the time of the calls in the tests.
var called = time.Date(2026, 9, 21, 14, 13, 20, 0, time.UTC)

// completion is the record of a chat.
func completion(tb testing.TB, id, organization string, at time.Time) metering.Frozen {
	tb.Helper()
	return freeze(tb, &metering.Completion{
		Call: metering.Call{
			Model: "gpt-4o", Provider: "OpenAI", OperationType: metering.OperationChat, TransactionID: id,
			RequestTime: metering.Timestamp{Time: at}, ResponseTime: metering.Timestamp{Time: at.Add(time.Second)},
			OrganizationName: organization, ProductName: "support", Environment: "production",
			Subscriber: &metering.Subscriber{ID: "user-4711", Email: "user@example.com"},
		},
		InputTokenCount: 1000, OutputTokenCount: 200, TotalTokenCount: 1200,
		CacheReadTokenCount: new(int64(600)), CacheCreationTokenCount: new(int64(100)), ReasoningTokenCount: new(int64(50)),
	})
}

func freeze(tb testing.TB, rec metering.Record) metering.Frozen {
	tb.Helper()
	f, _, err := metering.Freeze(rec)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func open(tb testing.TB, dir string, opts ...Option) *Writer {
	tb.Helper()
	w, err := Open(dir, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = w.Close() }) // tests that care close it themselves
	return w
}

func closeWriter(tb testing.TB, w *Writer) {
	tb.Helper()
	if err := w.Close(); err != nil {
		tb.Error(err)
	}
}

// load reads a ledger that has to be well.
func load(tb testing.TB, dir string) *Book {
	tb.Helper()
	b, err := Load(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, problem := range b.Problems {
		tb.Error(problem)
	}
	return b
}

// ledgerFiles are the files of a ledger.
func ledgerFiles(tb testing.TB, dir string) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "ledger-*.jsonl"))
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

// appendText writes to the end of a file.
func appendText(tb testing.TB, path, text string) {
	tb.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		tb.Fatal(err)
	}
}
