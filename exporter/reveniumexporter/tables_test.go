// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// placed gives a call another place in its trace.
func placed(id, parent byte, operation string) func(int, ptrace.Span) {
	return func(_ int, s ptrace.Span) {
		s.SetSpanID(pcommon.SpanID{id})
		s.SetParentSpanID(pcommon.SpanID{parent})
		if operation == "" {
			s.Attributes().Clear()
			s.SetName("step")
			return
		}
		s.Attributes().PutStr("gen_ai.operation.name", operation)
	}
}

// TestMetricsOfTables checks that what is forgotten early, comes late or was billed
// twice can be seen.
func TestMetricsOfTables(t *testing.T) {
	srv := reveniumtest.Start(t)
	m := start(t, srv, newHost(), func(cfg *Config) {
		cfg.Selection.SettleWindow = 10 * time.Millisecond
		cfg.Selection.RememberedLinks, cfg.Selection.RememberedCalls = 1, 64
		cfg.Selection.MaxHeld = 2
	})
	// Two agents of which no call is seen bill by themselves.
	m.consume(t, calls(0, 2, placed(1, 0, "invoke_agent")))
	waitFor(t, srv, 2)
	m.consume(t, calls(0, 1, placed(2, 1, "chat")))
	m.consume(t, calls(1, 1, placed(3, 2, "chat"))) // by a span that has not come
	m.consume(t, calls(1, 1, placed(2, 1, "")))
	for name, want := range map[string]int64{"calls_late": 1, "calls_billed_twice": 1, "spans_remembered": 4, "spans_forgotten": 0} {
		if got := m.sum(t, name); got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
	// More than the tables have places for.
	m.consume(t, calls(100, 3000, placed(5, 9, "")))
	m.consume(t, calls(5000, 200))
	m.consume(t, calls(6000, 20, placed(1, 0, "invoke_agent")))
	c := m.collect(t)
	for _, table := range []string{"held", "recent", "links"} {
		if c.sum("spans_forgotten", attrTable.String(table)) == 0 {
			t.Errorf("nothing is reported to have fallen out of the table %s", table)
		}
	}
	m.checkSums(t)
}
