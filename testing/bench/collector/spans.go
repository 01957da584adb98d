// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"encoding/binary"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// encode makes the export requests of a round: traces of ten spans, of which one
// is an LLM call and the others are what is usual around one.
func encode(opts options) ([][]byte, error) {
	var bodies [][]byte
	for first := 0; first < opts.spans; first += opts.batch {
		td := ptrace.NewTraces()
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", "shop")
		rs.Resource().Attributes().PutStr("service.instance.id", "shop-7d9f4b5c6-x2x4z")
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName("example.com/shop")
		for i := first; i < first+opts.batch; i++ {
			span(ss.Spans().AppendEmpty(), i)
		}
		body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, body)
	}
	return bodies, nil
}

func span(s ptrace.Span, i int) {
	var trace pcommon.TraceID
	trace[0] = 1
	binary.BigEndian.PutUint64(trace[8:], uint64(i/10))
	var id pcommon.SpanID
	binary.BigEndian.PutUint64(id[:], uint64(i+1))
	begin := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Millisecond)
	s.SetTraceID(trace)
	s.SetSpanID(id)
	if i%10 > 0 {
		binary.BigEndian.PutUint64(id[:], uint64(i/10*10+1))
		s.SetParentSpanID(id)
	}
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(begin))
	s.SetEndTimestamp(pcommon.NewTimestampFromTime(begin.Add(700 * time.Millisecond)))
	a := s.Attributes()
	switch i % 10 {
	case 0:
		s.SetName("POST /ask")
		s.SetKind(ptrace.SpanKindServer)
		a.PutStr("http.request.method", "POST")
		a.PutStr("http.route", "/ask")
		a.PutStr("url.path", "/ask")
		a.PutInt("http.response.status_code", 200)
		a.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)")
	case 5:
		s.SetName("chat gpt-4o")
		s.SetKind(ptrace.SpanKindClient)
		a.PutStr("gen_ai.operation.name", "chat")
		a.PutStr("gen_ai.provider.name", "openai")
		a.PutStr("gen_ai.request.model", "gpt-4o")
		a.PutStr("gen_ai.response.model", "gpt-4o-2024-08-06")
		a.PutStr("gen_ai.response.id", "chatcmpl-"+s.TraceID().String())
		a.PutInt("gen_ai.usage.input_tokens", int64(100+i%1000))
		a.PutInt("gen_ai.usage.output_tokens", int64(1+i%1009))
		a.PutEmptySlice("gen_ai.response.finish_reasons").AppendEmpty().SetStr("stop")
		a.PutStr("revenium.organization.name", "Acme")
		a.PutStr("revenium.product.name", "search")
	default:
		s.SetName("SELECT shop.orders")
		s.SetKind(ptrace.SpanKindClient)
		a.PutStr("db.system.name", "postgresql")
		a.PutStr("db.namespace", "shop")
		a.PutStr("db.query.text", "SELECT id, total FROM orders WHERE customer = $1 ORDER BY created DESC LIMIT 20")
		a.PutStr("server.address", "db.internal")
		a.PutInt("server.port", 5432)
	}
}
