// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// filledTally has something of everything.
func filledTally() *tally {
	l := newTally()
	for range 9 {
		l.decided(convert.Billed, "usage", false)
	}
	l.decided(convert.Held, "awaiting retry", false)
	l.decided(convert.Billed, "error", true)
	l.decided(convert.Held, "awaiting retry", false)
	l.decided(convert.Held, "awaiting retry", false)
	l.decided(convert.Suppressed, "retried", true)
	l.decided(convert.Skipped, "no usage", false)
	l.decided(convert.Skipped, "no usage", false)
	l.decided(convert.Skipped, "aggregate operation", false)
	a := l.account("")
	a.recovered(2)
	for range 4 {
		a.delivered(metering.Frozen{}, metering.Delivered, false)
		l.attempted(metering.Delivered)
	}
	a.delivered(metering.Frozen{}, metering.Duplicate, true)
	l.attempted(metering.Duplicate)
	l.attempted(metering.Retry)
	l.attempted(metering.Retry)
	a.dead(metering.Frozen{}, LossRejected)
	a.lostUnseen(LossQueueFull, 2)
	a.lostUnseen(LossShutdown, 1)
	a.lostUnseen(LossShutdown, 0)
	l.changed("traceName", "truncated")
	l.changed("traceName", "truncated")
	l.changed("effort", "dropped")
	l.truncated()
	l.setAside()
	return l
}

func TestReport(t *testing.T) {
	r := newReport(filledTally().snapshot(), waiting{durable: 1})
	checkSums(t, r)
	want := Report{
		Converted: 15, Billed: 10, Suppressed: 1, Skipped: 3, Held: 1,
		Recovered: 2, Delivered: 4, Duplicate: 1, Queued: 2, OnDisk: 1, DeadLettered: 1, Lost: 3,
		BilledBy:       map[string]int64{"usage": 9, "error": 1},
		SuppressedBy:   map[string]int64{"retried": 1},
		SkippedBy:      map[string]int64{"no usage": 2, "aggregate operation": 1},
		DeadLetteredBy: map[string]int64{"rejected": 1},
		LostBy:         map[string]int64{"queue full": 2, "shutdown": 1},
		Attempts:       map[string]int64{"delivered": 4, "duplicate": 1, "retry": 2},
		Changed:        map[string]int64{"traceName truncated": 2, "effort dropped": 1},
		TruncatedSpans: 1,
		Late:           1,
		SetAside:       1,
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	parked := newReport(filledTally().snapshot(), waiting{parked: 3})
	if parked.Parked != 3 || parked.Queued != 0 || parked.OnDisk != 0 {
		t.Errorf("with a refused key: %+v", parked)
	}
}

func TestReportString(t *testing.T) {
	want := `spans                  15
  billed               10   usage 9, error 1
  suppressed            1   retried 1
  skipped               3   no usage 2, aggregate operation 1
  held                  1
records                12
  recovered             2
  delivered             4
  duplicate             1
  queued                2
  on disk               1
  dead letters          1   rejected 1
  lost                  3   queue full 2, shutdown 1
attempts                7   delivered 4, retry 2, duplicate 1
noted values            3   traceName truncated 2, effort dropped 1
late records            1
cut spans               1
damaged files           1`
	if diff := cmp.Diff(want, newReport(filledTally().snapshot(), waiting{durable: 1}).String()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	empty := `spans                   0
  billed                0
  suppressed            0
  skipped               0
records                 0
  delivered             0
  lost                  0
attempts                0`
	if diff := cmp.Diff(empty, (Report{}).String()); diff != "" {
		t.Errorf("empty report (-want +got):\n%s", diff)
	}
}

func TestReportLogValue(t *testing.T) {
	var buf bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	logger.Info("end", slog.Any("report", newReport(filledTally().snapshot(), waiting{})))
	want := `level=INFO msg=end report.converted=15 report.billed=10 report.suppressed=1 report.suppressed_by="retried 1" ` +
		`report.skipped=3 report.skipped_by="no usage 2, aggregate operation 1" report.held=1 report.recovered=2 report.delivered=4 ` +
		`report.duplicate=1 report.queued=3 report.dead_lettered=1 report.dead_lettered_by="rejected 1" ` +
		`report.lost=3 report.lost_by="queue full 2, shutdown 1" report.attempts=7 ` +
		`report.changed=3 report.changed_by="traceName truncated 2, effort dropped 1" report.late=1 report.truncated_spans=1 report.set_aside=1` + "\n"
	if diff := cmp.Diff(want, buf.String()); diff != "" {
		t.Errorf("log line (-want +got):\n%s", diff)
	}
}

// TestSnapshotIsACopy: what was returned does not change any more.
func TestSnapshotIsACopy(t *testing.T) {
	l := filledTally()
	before := newReport(l.snapshot(), waiting{})
	l.decided(convert.Billed, "usage", false)
	l.account("").lostUnseen(LossQueueFull, 1)
	l.attempted(metering.Retry)
	l.changed("effort", "dropped")
	if diff := cmp.Diff(newReport(filledTally().snapshot(), waiting{}), before); diff != "" {
		t.Errorf("an old report has changed (-want +got):\n%s", diff)
	}
}
