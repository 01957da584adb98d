// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// one returns a request with one span of the trace with that number, made of that
// of a call.
func one(trace int, span, parent byte, change func(pcommon.Map, ptrace.Span)) ptrace.Traces {
	td := calls(trace, 1, "gpt-4o")
	spans := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	spans.RemoveIf(func(s ptrace.Span) bool { return s.SpanID() != pcommon.SpanID{2} })
	s := spans.At(0)
	s.SetSpanID(pcommon.SpanID{span})
	s.SetParentSpanID(pcommon.SpanID{parent})
	if change != nil {
		change(s.Attributes(), s)
	}
	return td
}

// failure makes a call a failed attempt.
func failure(a pcommon.Map, s ptrace.Span) {
	a.Remove("gen_ai.usage.input_tokens")
	a.Remove("gen_ai.usage.output_tokens")
	a.PutInt("http.response.status_code", 503)
	s.Status().SetCode(ptrace.StatusCodeError)
}

// agent makes a call the run of an agent, with the usage of the calls beneath.
func agent(a pcommon.Map, s ptrace.Span) {
	a.PutStr("gen_ai.operation.name", "invoke_agent")
	s.SetName("invoke_agent helper")
}

// plain makes a call a span of the application.
func plain(a pcommon.Map, s ptrace.Span) {
	a.Clear()
	s.SetName("step")
}

// TestKillWhileCallsWait kills the Collector while spans wait for others, and
// checks that each call is billed once, whatever came before the crash and what
// after.
func TestKillWhileCallsWait(t *testing.T) {
	const ended = "    selection: {settle_window: 10s}\n    dead_letter:"
	srv := reveniumtest.Start(t)
	dir := t.TempDir()
	p := start(t, dir, durable(srv.URL()))
	deliver := func(p *process, requests ...ptrace.Traces) {
		t.Helper()
		for _, td := range requests {
			if err := send(t.Context(), p.http["otlp"], td); err != nil {
				t.Fatal(err)
			}
		}
	}
	id := func(trace int, span byte) string { return fmt.Sprintf("%s-%02x00000000000000", traceID(trace), span) }
	second := func(a pcommon.Map, s ptrace.Span) {
		a.PutInt("revenium.retry.number", 1)
		s.SetStartTimestamp(s.StartTimestamp() + pcommon.Timestamp(time.Second))
		s.SetEndTimestamp(s.EndTimestamp() + pcommon.Timestamp(time.Second))
	}
	deliver(p,
		one(1, 2, 1, failure), // is repeated after the crash
		one(2, 2, 1, failure), // is not
		one(3, 2, 1, agent),   // a call beneath comes after the crash
		one(4, 2, 1, agent),   // none comes: the last resort
		one(5, 2, 1, nil),     // billed before the crash, comes again
		one(6, 3, 2, nil),     // billed before the crash, the agent around it comes after
		one(6, 2, 1, plain),
		one(7, 4, 3, nil), // likewise, across a span that came before the crash
		one(7, 3, 2, plain),
	)
	wait(t, srv, 3)
	p.kill(t)

	again := start(t, dir, strings.Replace(durable(srv.URL()), "    dead_letter:", ended, 1))
	deliver(again,
		one(1, 3, 1, second),
		one(3, 3, 2, nil),
		one(5, 2, 1, nil),
		one(6, 1, 0, agent),
		one(7, 2, 1, agent),
	)
	want := []string{id(1, 3), id(2, 2), id(3, 3), id(4, 2), id(5, 2), id(6, 3), id(7, 4)}
	wait(t, srv, len(want))
	again.stop(t)
	last := start(t, dir, strings.Replace(durable(srv.URL()), "    dead_letter:", ended, 1))
	deliver(last, one(1, 2, 1, failure), one(2, 2, 1, failure), one(3, 2, 1, agent), one(4, 2, 1, agent))
	last.stop(t)
	var got []string
	for _, r := range srv.Records() {
		got = append(got, r.TransactionID)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("billed are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// The queue may repeat what was under way at the crash.
	if requests := srv.Stats().Requests; requests > len(want)+3 {
		t.Errorf("%d requests, want one for each call and at most three repeated", requests)
	}
}
