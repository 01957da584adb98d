// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestReporterLimits: one line of a kind in a minute, and the next one says how
// many were left out.
func TestReporterLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var buf bytes.Buffer
		r := newReporter(slog.New(slog.NewTextHandler(&buf, nil)))
		for range 100 {
			r.problem(slog.LevelWarn, "retry", "first kind")
			time.Sleep(time.Second)
		}
		r.problem(slog.LevelError, "other", "second kind")
		lines := strings.Split(strings.TrimSpace(buf.String()), "\n")
		if len(lines) != 3 {
			t.Fatalf("%d lines, want 3:\n%s", len(lines), buf.String())
		}
		if strings.Contains(lines[0], "omitted") || !strings.Contains(lines[1], "omitted_since_last=59") || strings.Contains(lines[2], "omitted") {
			t.Errorf("lines:\n%s", buf.String())
		}
	})
}

// TestReporterIsBounded: kinds contain what a server says, and must not grow for
// ever.
func TestReporterIsBounded(t *testing.T) {
	var buf bytes.Buffer
	r := newReporter(slog.New(slog.NewTextHandler(&buf, nil)))
	for i := range 10 * maxLogKinds {
		r.problem(slog.LevelWarn, fmt.Sprint("kind ", i), "line")
	}
	if len(r.kinds) > maxLogKinds {
		t.Errorf("%d kinds are remembered, want at most %d", len(r.kinds), maxLogKinds)
	}
	if n := strings.Count(buf.String(), "\n"); n != maxLogKinds {
		t.Errorf("%d lines", n)
	}
}

// TestReporterUsesTheDefaultLoggerOfTheMoment: applications set theirs after they
// have set up telemetry.
func TestReporterUsesTheDefaultLoggerOfTheMoment(t *testing.T) {
	r := newReporter(nil)
	var buf bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&buf, nil)))
	defer slog.SetDefault(old)
	r.always(slog.LevelInfo, "hello")
	if !strings.Contains(buf.String(), "hello") {
		t.Errorf("log is %q", buf.String())
	}
}
