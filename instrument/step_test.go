// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/semconv"
)

// named returns the only span of the name.
func named(t *testing.T, recorder *tracetest.SpanRecorder, name string) sdktrace.ReadOnlySpan {
	t.Helper()
	var found []sdktrace.ReadOnlySpan
	for _, span := range recorder.Ended() {
		if span.Name() == name {
			found = append(found, span)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans are called %q, want 1", len(found), name)
	}
	return found[0]
}

func TestSteps(t *testing.T) {
	provider, recorder := newRecorder()
	option := instrument.WithTracerProvider(provider)
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

	ctx, workflow := instrument.StartWorkflow(t.Context(), instrument.WorkflowParams{Name: "Ticket 1234", Type: "customer-support"}, option,
		instrument.Metadata{Organization: "Acme"}, instrument.WithStartTime(start), instrument.WithScope("mine", "2"))
	ctx, agent := instrument.StartAgent(ctx, instrument.AgentParams{Name: "Lead", ID: "a-1", Version: "2.0"}, option,
		instrument.WithAttributes(semconv.ReveniumTaskType("research")))
	_, tool := instrument.StartTool(ctx, instrument.ToolParams{Name: "search", CallID: "c-1"}, option)
	tool.SetAttributes(semconv.ReveniumToolUsage("pages", 3))
	tool.End(&instrument.Error{Type: "not_found"})
	tool.End(nil)
	_, call := instrument.StartCall(ctx, instrument.CallParams{Model: "m"}, option)
	call.End(nil)
	agent.End(nil)
	workflow.End(errors.New("secret text"))

	for name, want := range map[string]map[string]any{
		"invoke_workflow Ticket 1234": {
			"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "Ticket 1234", "revenium.trace.type": "customer-support",
			"revenium.organization.name": "Acme", "error.type": "_OTHER",
		},
		"invoke_agent Lead": {
			"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Lead", "gen_ai.agent.id": "a-1", "gen_ai.agent.version": "2.0",
			"revenium.trace.name": "Ticket 1234", "revenium.trace.type": "customer-support", "revenium.organization.name": "Acme", "revenium.task.type": "research",
		},
		"execute_tool search": {
			"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "gen_ai.tool.call.id": "c-1", "revenium.tool.usage.pages": 3.0,
			"revenium.trace.name": "Ticket 1234", "revenium.trace.type": "customer-support", "revenium.organization.name": "Acme",
			"revenium.agent.name": "Lead", "gen_ai.agent.version": "2.0", "error.type": "not_found",
		},
		"chat m": {
			"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "revenium.usage.missing": true,
			"revenium.trace.name": "Ticket 1234", "revenium.trace.type": "customer-support", "revenium.organization.name": "Acme",
			"revenium.agent.name": "Lead", "gen_ai.agent.version": "2.0",
		},
	} {
		span := named(t, recorder, name)
		if diff := cmp.Diff(want, attributes(span.Attributes())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if name != "chat m" && span.SpanKind() != trace.SpanKindInternal {
			t.Errorf("%s is of kind %v", name, span.SpanKind())
		}
	}
	span := named(t, recorder, "invoke_workflow Ticket 1234")
	if !span.StartTime().Equal(start) || span.InstrumentationScope().Name != "mine" || span.Status().Code != codes.Error || span.Status().Description != "_OTHER" {
		t.Errorf("workflow from %v by %s, status %v", span.StartTime(), span.InstrumentationScope().Name, span.Status())
	}
	if span := named(t, recorder, "invoke_agent Lead"); span.Parent().SpanID() != workflow.Span().SpanContext().SpanID() || span.Status().Code != codes.Unset {
		t.Errorf("agent beneath %s, status %v", span.Parent().SpanID(), span.Status())
	}
}

// TestStepsAndMetadata shows what goes before what follows from steps.
func TestStepsAndMetadata(t *testing.T) {
	agent := func(ctx context.Context, name string) context.Context {
		ctx, step := instrument.StartAgent(ctx, instrument.AgentParams{Name: name})
		step.End(nil)
		return ctx
	}
	versioned := func(ctx context.Context) context.Context {
		ctx, step := instrument.StartAgent(ctx, instrument.AgentParams{Name: "versioned", Version: "2"})
		step.End(nil)
		return ctx
	}
	workflow := func(ctx context.Context, name string) context.Context {
		ctx, step := instrument.StartWorkflow(ctx, instrument.WorkflowParams{Name: name, Type: name})
		step.End(nil)
		return ctx
	}
	set := instrument.WithMetadata
	ctx := t.Context()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		want instrument.Metadata
	}{
		{"nearest agent", agent(agent(ctx, "outer"), "inner"), instrument.Metadata{Agent: "inner"}},
		{"version of the nearest agent", agent(versioned(ctx), "inner"), instrument.Metadata{Agent: "inner"}},
		{"version", versioned(agent(ctx, "outer")), instrument.Metadata{Agent: "versioned", AgentVersion: "2"}},
		{"agent without a name", agent(agent(ctx, "outer"), ""), instrument.Metadata{Agent: "outer"}},
		{"agent that is set outside", agent(set(ctx, instrument.Metadata{Agent: "set"}), "run"), instrument.Metadata{Agent: "set"}},
		{"agent that is set inside", set(agent(ctx, "run"), instrument.Metadata{Agent: "set"}), instrument.Metadata{Agent: "set"}},
		{"agent of the caller", agent(instrument.WithBaggageMetadata(ctx, instrument.Metadata{Agent: "caller"}), "run"), instrument.Metadata{Agent: "run"}},
		{"outer workflow", workflow(workflow(ctx, "outer"), "inner"), instrument.Metadata{TraceName: "outer", TraceType: "outer"}},
		{"type that is set", workflow(set(ctx, instrument.Metadata{TraceType: "set"}), "run"), instrument.Metadata{TraceName: "run", TraceType: "set"}},
		{"workflow of the caller", workflow(instrument.WithHeaderMetadata(ctx, instrument.Metadata{TraceName: "caller"}), "run"), instrument.Metadata{TraceName: "caller", TraceType: "run"}},
		{"workflow without a name", workflow(ctx, ""), instrument.Metadata{}},
	} {
		if diff := cmp.Diff(tt.want, called(tt.ctx)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestCrew(t *testing.T) {
	provider, recorder := newRecorder()
	option := instrument.WithTracerProvider(provider)
	work := func(result string) func(context.Context, string) (string, error) {
		return func(ctx context.Context, in string) (string, error) {
			_, call := instrument.StartCall(ctx, instrument.CallParams{Model: result}, option)
			call.End(nil)
			return in + result, nil
		}
	}
	crew := instrument.Crew[string]{
		Workflow: instrument.WorkflowParams{Name: "Report", Type: "research"},
		Tasks: []instrument.Task[string]{
			{Agent: instrument.AgentParams{Name: "Researcher"}, Type: "find", Run: work("b")},
			{Type: "check", Run: work("c")},
			{Agent: instrument.AgentParams{Name: "Writer"}, Run: work("d")},
		},
	}
	out, err := crew.Run(t.Context(), "a", option, instrument.Metadata{Organization: "Acme", TaskType: "report", TraceID: "run-1"},
		instrument.WithAttributes(semconv.ReveniumTicketID("of the workflow alone")))
	if out != "abcd" || err != nil {
		t.Errorf("made %q, %v", out, err)
	}
	type who struct{ Agent, Task, Organization, Trace, Name string }
	for model, want := range map[string]who{
		"b": {"Researcher", "find", "Acme", "run-1", "Report"},
		"c": {"unknown_agent", "check", "Acme", "run-1", "Report"},
		"d": {"Writer", "report", "Acme", "run-1", "Report"},
	} {
		a := attributes(named(t, recorder, "chat "+model).Attributes())
		text := func(key string) string { s, _ := a[key].(string); return s }
		got := who{text("revenium.agent.name"), text("revenium.task.type"), text("revenium.organization.name"), text("revenium.trace.id"), text("revenium.trace.name")}
		if diff := cmp.Diff(want, got); diff != "" || text("revenium.ticket.id") != "" {
			t.Errorf("call %s, ticket %q (-want +got):\n%s", model, text("revenium.ticket.id"), diff)
		}
	}
	if got := attributes(named(t, recorder, "invoke_workflow Report").Attributes())["revenium.ticket.id"]; got != "of the workflow alone" {
		t.Errorf("ticket of the workflow: %v", got)
	}
}

func TestCrewFails(t *testing.T) {
	provider, recorder := newRecorder()
	failure := errors.New("failed")
	crew := instrument.Crew[int]{
		Workflow: instrument.WorkflowParams{Name: "w"},
		Tasks: []instrument.Task[int]{
			{Agent: instrument.AgentParams{Name: "first"}, Run: func(context.Context, int) (int, error) { return 1, nil }},
			{Agent: instrument.AgentParams{Name: "second"}, Run: func(context.Context, int) (int, error) { return 2, failure }},
			{Agent: instrument.AgentParams{Name: "third"}, Run: func(context.Context, int) (int, error) { t.Error("the third task was run"); return 3, nil }},
		},
	}
	if out, err := crew.Run(t.Context(), 0, instrument.WithTracerProvider(provider)); out != 1 || !errors.Is(err, failure) {
		t.Errorf("made %d, %v, want what the first task made", out, err)
	}
	for name, want := range map[string]codes.Code{"invoke_agent first": codes.Unset, "invoke_agent second": codes.Error, "invoke_workflow w": codes.Error} {
		if got := named(t, recorder, name).Status().Code; got != want {
			t.Errorf("%s has status %v", name, got)
		}
	}

	recorder.Reset()
	crew.Tasks = []instrument.Task[int]{{Run: func(context.Context, int) (int, error) { panic("mine") }}}
	func() {
		defer func() {
			if p := recover(); p != "mine" {
				t.Errorf("recovered %v", p)
			}
		}()
		_, _ = crew.Run(t.Context(), 0, instrument.WithTracerProvider(provider))
	}()
	for _, name := range []string{"invoke_agent unknown_agent", "invoke_workflow w"} {
		if got := attributes(named(t, recorder, name).Attributes())["error.type"]; got != "panic" {
			t.Errorf("%s: error.type %v", name, got)
		}
	}
}
