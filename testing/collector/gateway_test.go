// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/revenium/revenium-otel-go/testing/collectortest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// newRouter is what a load-balancing exporter does: it sends the spans of a trace
// to one of the gateways, whichever request they come in.
func newRouter(tb testing.TB, gateways ...string) string {
	tb.Helper()
	router := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		req := ptraceotlp.NewExportRequest()
		if err == nil {
			err = req.UnmarshalProto(body)
		}
		parts := make([]ptrace.Traces, len(gateways))
		for i := range parts {
			parts[i] = ptrace.NewTraces()
		}
		if err == nil {
			route(req.Traces(), parts)
			for i, part := range parts {
				if part.SpanCount() > 0 && err == nil {
					err = send(r.Context(), gateways[i], part)
				}
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}))
	tb.Cleanup(router.Close)
	return router.Listener.Addr().String()
}

// route copies each span to the part of its trace.
func route(td ptrace.Traces, parts []ptrace.Traces) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				id := s.TraceID()
				h := fnv.New32a()
				_, _ = h.Write(id[:])
				to := parts[h.Sum32()%uint32(len(parts))].ResourceSpans().AppendEmpty()
				rs.Resource().CopyTo(to.Resource())
				scope := to.ScopeSpans().AppendEmpty()
				ss.Scope().CopyTo(scope.Scope())
				s.CopyTo(scope.Spans().AppendEmpty())
			}
		}
	}
}

// agentRun returns the spans of a trace in which an agent makes one call, which
// shows in three of them, each with the usage: the agent's run, the framework's
// span and the client's. Between the two calls is a span of neither.
func agentRun(i int) []ptrace.Traces {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second)
	span := func(id, parent byte, scope, name string, from, to int, attributes map[string]any) ptrace.Traces {
		td := ptrace.NewTraces()
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", "assistant")
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName(scope)
		s := ss.Spans().AppendEmpty()
		fill(s, i, id, name, at.Add(time.Duration(from)*time.Millisecond), at.Add(time.Duration(to)*time.Millisecond))
		if parent != 0 {
			s.SetParentSpanID(pcommon.SpanID{parent})
		}
		if err := s.Attributes().FromRaw(attributes); err != nil {
			panic(err)
		}
		return td
	}
	usage := func(operation string) map[string]any {
		return map[string]any{
			"gen_ai.operation.name": operation, "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
			"gen_ai.usage.input_tokens": 100 + i, "gen_ai.usage.output_tokens": 20,
		}
	}
	client := usage("chat")
	client["gen_ai.response.id"] = fmt.Sprint("chatcmpl-", i)
	return []ptrace.Traces{
		span(1, 0, "framework", "invoke_agent helper", 0, 1000, usage("invoke_agent")),
		span(4, 1, "framework", "chat gpt-4o", 10, 900, usage("chat")),
		span(3, 4, "app", "retry", 12, 890, nil),
		span(2, 3, "client", "chat gpt-4o", 15, 880, client),
	}
}

// TestGatewayTier sends traces whose spans come one by one, in any order, through
// a router by trace id to two gateways. Each call is billed once: with hold_back by
// the span that has the most to say, without by the first that has usage.
func TestGatewayTier(t *testing.T) {
	const traces = 100
	t.Run("hold back", func(t *testing.T) {
		srv := reveniumtest.Start(t)
		throughGateways(t, srv, traces, "hold_back: 1h")
		checkCalls(t, srv, traces)
	})
	t.Run("at once", func(t *testing.T) {
		srv := reveniumtest.Start(t)
		throughGateways(t, srv, traces, "hold_back: 0s")
		billed := make(map[string]int)
		for _, r := range srv.Records() {
			billed[r.Text("traceId")]++
		}
		for i := range traces {
			if n := billed[traceID(i).String()]; n != 1 {
				t.Errorf("call %d is billed %d times", i, n)
			}
		}
	})
}

// throughGateways sends the spans of agent runs and waits for the end of both
// gateways.
func throughGateways(t *testing.T, srv *reveniumtest.Server, traces int, holdBack string) {
	t.Helper()
	config := fmt.Sprintf(`
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}
exporters:
  revenium:
    api_key: %s
    http: {endpoint: %q}
    # What waits is decided at the end, so that the test needs no clock.
    selection: {settle_window: 1h, %s}
service:
  telemetry: {logs: {level: error}, metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], exporters: [revenium]}}
`, testKey, srv.URL(), holdBack)
	gateways := []*collectortest.Collector{collectortest.Start(t, config), collectortest.Start(t, config)}
	router := newRouter(t, gateways[0].HTTP("otlp"), gateways[1].HTTP("otlp"))

	var spans []ptrace.Traces
	for i := range traces {
		spans = append(spans, agentRun(i)...)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
	for _, td := range spans {
		if err := send(t.Context(), router, td); err != nil {
			t.Fatal(err)
		}
	}
	for _, g := range gateways {
		if err := g.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
