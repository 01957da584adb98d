// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// toolSpan returns a span of the execution of a tool.
func toolSpan(keysAndValues ...any) *span {
	s := call(append([]any{"gen_ai.operation.name", "execute_tool", "gen_ai.tool.name", "web-search"}, keysAndValues...)...)
	s.name = "execute_tool web-search"
	return s
}

func TestToolEvent(t *testing.T) {
	s := toolSpan("revenium.tool.operation", "search", "revenium.tool.usage.pages", 3, "revenium.tool.usage.kb", "1.5", "revenium.tool.usage.", 1,
		"revenium.tool.usage.text", "many", "revenium.workflow.id", "wf-1", "revenium.agent.name", "scout", "revenium.organization.name", "Acme",
		"revenium.cost.total", 0.01, "revenium.job.id", "job-1", "revenium.subscriber.credential.name", "ada", "revenium.task.type", "research")
	s.resource = with("revenium.product.name", "search")
	if d := decide(t, s); d.Kind != convert.Skipped || d.Reason != convert.ReasonNotBillable {
		t.Errorf("by default: got %v (%s)", d.Kind, d.Reason)
	}
	got, d := billedAs[*metering.ToolEvent](t, s, convert.WithToolEvents(), convert.WithSources())
	want := &metering.ToolEvent{
		ToolID: "web-search", TransactionID: "0102030405060708090a0b0c0d0e0f10-a1a2a3a4a5a6a7a8", TraceID: "0102030405060708090a0b0c0d0e0f10",
		Timestamp: metering.Timestamp{Time: start}, DurationMs: 2000, Success: true, Operation: "search", CostUSD: new(0.01),
		Agent: "scout", OrganizationName: "Acme", ProductName: "search", SubscriberCredential: "ada", WorkflowID: "wf-1", AgenticJobID: "job-1",
		UsageMetadata: map[string]any{"pages": 3.0, "kb": 1.5},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if d.Reason != convert.ReasonTool || !hasSource(d, "toolId") || hasSource(d, "taskType") {
		t.Errorf("%s, sources %v", d.Reason, d.Sources)
	}
}

func TestToolNames(t *testing.T) {
	tests := map[string]struct {
		span *span
		want string
	}{
		"registered":    {toolSpan("revenium.tool.id", "search-eu"), "search-eu"},
		"AI SDK":        {call("ai.operationId", "ai.toolCall", "ai.toolCall.name", "weather"), "weather"},
		"OpenInference": {call("openinference.span.kind", "TOOL", "tool.name", "weather"), "weather"},
		"OpenLLMetry":   {call("traceloop.span.kind", "tool", "traceloop.entity.name", "weather"), "weather"},
		"MCP":           {call("mcp.method.name", "tools/call", "gen_ai.tool.name", "weather"), "weather"},
		"name of span":  {call("gen_ai.operation.name", "execute_tool"), "chat gpt-4o"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if e, _ := billedAs[*metering.ToolEvent](t, tt.span, convert.WithToolEvents()); e.ToolID != tt.want {
				t.Errorf("tool = %q, want %q", e.ToolID, tt.want)
			}
		})
	}
	for name, want := range map[string]string{"execute_tool weather": "weather", "tools/call weather": "weather", "weather.tool": "weather", "weather": "weather"} {
		s := call("gen_ai.operation.name", "execute_tool")
		s.name = name
		if e, _ := billedAs[*metering.ToolEvent](t, s, convert.WithToolEvents()); e.ToolID != want {
			t.Errorf("span %q: tool = %q, want %q", name, e.ToolID, want)
		}
	}
	for _, name := range []string{"execute_tool", "tools/call", "execute_tool "} { // these name no tool
		s := call("gen_ai.operation.name", "execute_tool")
		s.name = name
		if d := decide(t, s, convert.WithToolEvents()); d.Kind != convert.Skipped || d.Reason != convert.ReasonInvalidTool {
			t.Errorf("span %q: got %v (%s)", name, d.Kind, d.Reason)
		}
	}
	for _, method := range []string{"tools/list", "initialize", "sampling/createMessage"} {
		if d := decide(t, call("mcp.method.name", method), convert.WithToolEvents()); d.Kind != convert.Skipped || d.Reason != convert.ReasonNotBillable {
			t.Errorf("%s: got %v (%s)", method, d.Kind, d.Reason)
		}
	}
}

func TestFailedTool(t *testing.T) {
	s := toolSpan("error.type", "timeout")
	s.status, s.statusMessage = convert.StatusError, "the city of Ada is not known"
	if e, _ := billedAs[*metering.ToolEvent](t, s, convert.WithToolEvents()); e.Success || e.ErrorMessage != "" {
		t.Errorf("got %+v", e)
	}
	if e, _ := billedAs[*metering.ToolEvent](t, s, convert.WithToolEvents(), convert.WithErrorReasons()); e.ErrorMessage != s.statusMessage {
		t.Errorf("error message = %q", e.ErrorMessage)
	}
}

// One execution is one event, as many as see it; two executions are two.
func TestToolTwins(t *testing.T) {
	at := func(id, parent byte, scope, tool string) *span {
		s := toolSpan()
		s.id, s.parent, s.scope = [8]byte{id}, [8]byte{parent}, scope
		s.attrs[1].value = convert.StringValue(tool)
		return s
	}
	tests := map[string]struct {
		spans []*span
		want  int
	}{
		"agent, MCP client, MCP server": {[]*span{at(3, 2, "server", "a"), at(2, 1, "client", "a"), at(1, 9, "agent", "a")}, 1},
		"a tool within a tool":          {[]*span{at(2, 1, "agent", "b"), at(1, 9, "agent", "a")}, 2},
		"the same tool within itself":   {[]*span{at(2, 1, "agent", "a"), at(1, 9, "agent", "a")}, 2},
		"side by side":                  {[]*span{at(2, 9, "agent", "a"), at(1, 9, "client", "a")}, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, reversed := range []bool{false, true} {
				c := newConverter(t, convert.WithToolEvents())
				n := 0
				for i := range tt.spans {
					if reversed {
						i = len(tt.spans) - 1 - i
					}
					for _, d := range c.Convert(nil, tt.spans[i]) {
						if d.Kind == convert.Billed {
							n++
						}
					}
				}
				if n != tt.want || c.Held() != 0 {
					t.Errorf("reversed %t: %d events, want %d; %d held", reversed, n, tt.want, c.Held())
				}
			}
		})
	}
	// The same use, executed again.
	first, again := toolSpan("gen_ai.tool.call.id", "call_1"), toolSpan("gen_ai.tool.call.id", "call_1")
	again.id = [8]byte{5}
	c := newConverter(t, convert.WithToolEvents())
	if got := kinds(c.Convert(c.Convert(c.Convert(nil, first), again), first)); got != "billed billed suppressed" {
		t.Errorf("executed again, and replayed: %s", got)
	}
}

// A tool is not a call: it neither covers the calls beneath nor is it covered.
func TestToolAndCalls(t *testing.T) {
	agent := chat("gen_ai.operation.name", "invoke_agent", "revenium.organization.name", "Acme")
	agent.id = [8]byte{1}
	tool := toolSpan()
	tool.id, tool.parent = [8]byte{2}, agent.id
	inner := chat()
	inner.id, inner.parent = [8]byte{3}, tool.id
	c := newConverter(t, convert.WithToolEvents())
	b := c.NewBatch()
	decisions := b.End(b.Convert(b.Convert(b.Convert(nil, inner), tool), agent))
	if got := kinds(decisions); got != "held held suppressed billed billed" {
		t.Fatalf("got %s", got)
	}
	for _, d := range decisions {
		switch r := d.Record.(type) {
		case *metering.ToolEvent:
			if r.OrganizationName != "Acme" {
				t.Errorf("tool without the attribution above: %+v", r)
			}
		case *metering.Completion:
			if r.OrganizationName != "Acme" {
				t.Errorf("call without the attribution above: %+v", r)
			}
		}
	}
}

func TestPoliciesOfOtherRecords(t *testing.T) {
	required := convert.WithRequiredFields(convert.MissingHoldBack, "organizationName", "taskType", "subscriber", "skillName")
	_, d := billedAs[*metering.ToolEvent](t, toolSpan(), convert.WithToolEvents(), required)
	if diff := cmp.Diff([]string{"organizationName", "subscriber"}, d.Missing); diff != "" || !d.HeldBack {
		t.Errorf("missing of a tool (-want +got):\n%s", diff)
	}
	i, d := billedAs[*metering.Image](t, media("image_generation", "dall-e-3", "revenium.subscriber.id", "ada"), required, convert.WithHashedSubscribers([]byte("k")))
	if diff := cmp.Diff([]string{"organizationName", "taskType"}, d.Missing); diff != "" {
		t.Errorf("missing of an image (-want +got):\n%s", diff)
	}
	if i.Subscriber.ID == "ada" || len(i.Subscriber.ID) != 32 {
		t.Errorf("subscriber %q is not hashed", i.Subscriber.ID)
	}
	drop := convert.WithTransform(func(r metering.Record) bool {
		_, isTool := r.(*metering.ToolEvent)
		return !isTool
	})
	if d := decide(t, toolSpan(), convert.WithToolEvents(), drop); d.Reason != convert.ReasonTransform || d.Record != nil {
		t.Errorf("transform: %+v", d)
	}
}

// A tool without a name is nothing that has a price.
func TestToolWithoutAName(t *testing.T) {
	s := call("gen_ai.operation.name", "execute_tool")
	s.name = " "
	if d := decide(t, s, convert.WithToolEvents()); d.Kind != convert.Skipped || d.Reason != convert.ReasonInvalidTool {
		t.Errorf("got %v (%s)", d.Kind, d.Reason)
	}
}
