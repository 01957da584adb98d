// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/exporter/reveniumexporter/internal/metadata"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// events returns n events of calls of Claude Code, numbered from first on, among
// others that are about something else.
func events(first, n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "claude-code")
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName("com.anthropic.claude_code.events")
	for i := first; i < first+n; i++ {
		r := sl.LogRecords().AppendEmpty()
		r.SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-time.Minute)))
		r.Body().SetStr("claude_code.api_request")
		a := r.Attributes()
		a.PutStr("event.name", "api_request")
		a.PutStr("model", "claude-sonnet-4-5-20250929")
		a.PutStr("input_tokens", fmt.Sprint(100+i))
		a.PutStr("output_tokens", "34")
		a.PutStr("duration_ms", "1200")
		a.PutStr("request_id", fmt.Sprintf("req_%06d", i))
		other := sl.LogRecords().AppendEmpty()
		other.SetTimestamp(r.Timestamp())
		other.Body().SetStr("claude_code.tool_result")
		other.Attributes().PutStr("tool_name", "Bash")
		sl.LogRecords().AppendEmpty().Body().SetStr("something else")
	}
	return ld
}

// requestSpan returns the span of the call that an event is about.
func requestSpan(n int) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "claude-code")
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("com.anthropic.claude_code.tracing")
	s := ss.Spans().AppendEmpty()
	s.SetTraceID(pcommon.TraceID{7, byte(n)})
	s.SetSpanID(pcommon.SpanID{7, byte(n)})
	s.SetName("claude_code.llm_request")
	end := time.Now().Add(-time.Minute)
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(end.Add(-1200 * time.Millisecond)))
	s.SetEndTimestamp(pcommon.NewTimestampFromTime(end))
	a := s.Attributes()
	a.PutStr("model", "claude-sonnet-4-5-20250929")
	a.PutInt("input_tokens", int64(100+n))
	a.PutInt("output_tokens", 34)
	a.PutStr("request_id", fmt.Sprintf("req_%06d", n))
	a.PutBool("success", true)
	return td
}

// startLogs opens a second door to a running exporter: that of logs.
func (m *metered) startLogs(tb testing.TB, factory exporter.Factory, cfg component.Config) exporter.Logs {
	tb.Helper()
	logs, err := factory.CreateLogs(tb.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	if err := logs.Start(tb.Context(), m.host); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := logs.Shutdown(context.Background()); err != nil {
			tb.Errorf("shutdown of logs: %v", err)
		}
	})
	return logs
}

// TestLogsAreMetered: events by themselves, attributed by what the request's
// metadata says, each once however often it comes.
func TestLogsAreMetered(t *testing.T) {
	srv := reveniumtest.Start(t)
	var cfg *Config
	m := start(t, srv, newHost(), func(c *Config) {
		cfg = c
		c.Attribution.ClientMetadata = []ClientMetadataConfig{{Key: "x-revenium-organization-name"}}
	})
	logs := m.startLogs(t, m.factory, cfg)
	ctx := client.NewContext(t.Context(), client.Info{Metadata: client.NewMetadata(map[string][]string{
		"x-revenium-organization-name": {"Tulip Trading"},
	})})
	ld := events(1, 3)
	ld.MarkReadOnly()
	for range 2 {
		if err := logs.ConsumeLogs(ctx, ld); err != nil {
			t.Fatal(err)
		}
	}
	if err := srv.Wait(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	for _, r := range srv.Completions() {
		if r.Text("organizationName") != "Tulip Trading" || r.Text("model") != "claude-sonnet-4-5-20250929" || r.Text("provider") != "Anthropic" {
			t.Errorf("record %s", r.Body)
		}
	}
	c := m.collect(t)
	if got := c.sum("spans_decided", attrDecision.String("suppressed")); got != 3 {
		t.Errorf("%d replays were suppressed, want 3", got)
	}
}

// TestSpanAndEventAreOneCall, whichever comes first: the signals of one exporter
// share what they know.
func TestSpanAndEventAreOneCall(t *testing.T) {
	srv := reveniumtest.Start(t)
	var cfg *Config
	m := start(t, srv, newHost(), func(c *Config) { cfg = c })
	logs := m.startLogs(t, m.factory, cfg)
	if l, ok := logs.(*logsDoor); !ok || l.engine != m.engine {
		t.Fatal("the doors lead to two engines")
	}
	m.consume(t, requestSpan(1))
	for n := 1; n <= 2; n++ {
		if err := logs.ConsumeLogs(t.Context(), events(n, 1)); err != nil {
			t.Fatal(err)
		}
	}
	m.consume(t, requestSpan(2))
	m.consume(t, requestSpan(3))
	if err := srv.Wait(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if err := logs.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.consume(t, requestSpan(4)) // the other door is still open
	if err := srv.Wait(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	m.stop(t)
	if n := srv.Stats().Stored; n != 4 {
		t.Errorf("%d records for 4 calls", n)
	}
}
