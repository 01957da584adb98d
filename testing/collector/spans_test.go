// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// calls returns a request with the spans of n LLM calls, numbered from first,
// each in a trace of its own beneath the span of an HTTP request.
func calls(first, n int, model string) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "shop")
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("test")
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	for i := first; i < first+n; i++ {
		begin := at.Add(time.Duration(i) * time.Millisecond)
		call := ss.Spans().AppendEmpty()
		fill(call, i, 2, "chat "+model, begin, begin.Add(700*time.Millisecond))
		call.SetParentSpanID(pcommon.SpanID{1})
		a := call.Attributes()
		a.PutStr("gen_ai.operation.name", "chat")
		a.PutStr("gen_ai.provider.name", "openai")
		a.PutStr("gen_ai.request.model", model)
		a.PutInt("gen_ai.usage.input_tokens", int64(100+i%1000))
		a.PutInt("gen_ai.usage.output_tokens", 20)
		request := ss.Spans().AppendEmpty()
		fill(request, i, 1, "POST /ask", begin, begin.Add(time.Second))
		request.SetKind(ptrace.SpanKindServer)
		request.Attributes().PutStr("http.request.method", "POST")
	}
	return td
}

func fill(s ptrace.Span, i int, span byte, name string, begin, end time.Time) {
	s.SetTraceID(traceID(i))
	s.SetSpanID(pcommon.SpanID{span})
	s.SetName(name)
	s.SetKind(ptrace.SpanKindClient)
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(begin))
	s.SetEndTimestamp(pcommon.NewTimestampFromTime(end))
}

func traceID(i int) (id pcommon.TraceID) {
	id[0] = 0xbb
	binary.BigEndian.PutUint64(id[8:], uint64(i))
	return id
}

// transactionID is the id of the record of the call with that number.
func transactionID(i int) string { return fmt.Sprintf("%s-0200000000000000", traceID(i)) }

// checkCalls checks that srv has the records of the first n calls and no others,
// each once.
func checkCalls(tb testing.TB, srv *reveniumtest.Server, n int) {
	tb.Helper()
	want := make(map[string]bool, n)
	for i := range n {
		want[transactionID(i)] = true
	}
	for _, r := range srv.Records() {
		if !want[r.TransactionID] {
			tb.Errorf("a record that nobody expects, or twice: %s", r.TransactionID)
		}
		delete(want, r.TransactionID)
	}
	if len(want) > 0 {
		tb.Errorf("%d of %d records are missing", len(want), n)
	}
}
