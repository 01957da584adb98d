// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/semconv"
)

// WorkflowParams is what is known of a run of a workflow.
type WorkflowParams struct {
	// Name labels the run. Calls beneath have it as the name of their trace, at most
	// 256 characters, unless one is set.
	Name string
	// Type is the category of the workflow: at most 128 letters, digits, "_" and "-".
	// Calls beneath have it as the type of their trace, unless one is set.
	Type string

	_ struct{}
}

// AgentParams is what is known of a run of an agent.
type AgentParams struct {
	// Name is the agent's name. Calls beneath have it as their agent, unless one is
	// set; of agents inside each other the nearest counts.
	Name string
	// ID is the agent's id where it is kept somewhere, and Version its version (at
	// most 64 characters), which goes with the name.
	ID      string
	Version string

	_ struct{}
}

// ToolParams is what is known of the execution of a tool.
type ToolParams struct {
	// Name is the tool's name.
	Name string
	// CallID is the id that the model gave to its wish to have the tool executed.
	CallID string

	_ struct{}
}

// Step is a part of the work around calls: the run of a workflow or an agent, or
// the execution of a tool. Its span says who did what; it is never billed as a call.
// Its methods may be used by several goroutines at once; after End they do nothing.
type Step struct {
	span trace.Span
}

// StartWorkflow starts the span of a run of a workflow, and returns it with a
// context for the work. What is started with that context is beneath it: the name
// and the type of its trace in Revenium are those of the workflow, unless metadata
// or an outer workflow says otherwise. Every step must be ended with [Step.End].
func StartWorkflow(ctx context.Context, params WorkflowParams, opts ...Option) (context.Context, *Step) {
	// The outer workflow keeps its name: Revenium wants one for all of a trace.
	outer := FromContext(ctx)
	derived := Metadata{TraceName: params.Name, TraceType: params.Type}
	if outer.TraceName != "" {
		derived.TraceName = ""
	}
	if outer.TraceType != "" {
		derived.TraceType = ""
	}
	return startStep(ctx, semconv.GenAIOperationNameInvokeWorkflow, params.Name, derived, opts,
		semconv.GenAIWorkflowName(params.Name))
}

// StartAgent starts the span of a run of an agent, and returns it with a context
// for the work, whose calls have the agent's name and version unless metadata says
// otherwise.
func StartAgent(ctx context.Context, params AgentParams, opts ...Option) (context.Context, *Step) {
	if c := carriedBy(ctx); c != nil && params.Name != "" {
		// The version of an agent around this one is not this one's.
		version := fieldTable().byKey[semconv.GenAIAgentVersionKey]
		if c.slots[slotStep].set.has(version) {
			ctx = context.WithValue(ctx, carriedKey{}, c.without(slotStep, 1<<version))
		}
	}
	return startStep(ctx, semconv.GenAIOperationNameInvokeAgent, params.Name,
		Metadata{Agent: params.Name, AgentVersion: params.Version}, opts,
		semconv.GenAIAgentName(params.Name), semconv.GenAIAgentID(params.ID), semconv.GenAIAgentVersion(params.Version))
}

// StartTool starts the span of the execution of a tool, and returns it with a
// context for the work. What the tool is given and what it returns are not
// recorded.
func StartTool(ctx context.Context, params ToolParams, opts ...Option) (context.Context, *Step) {
	return startStep(ctx, semconv.GenAIOperationNameExecuteTool, params.Name, Metadata{}, opts,
		semconv.GenAIToolName(params.Name), semconv.GenAIToolCallID(params.CallID))
}

// startStep starts a step's span. Of attrs, those without a value are left out.
func startStep(ctx context.Context, operation attribute.KeyValue, name string, derived Metadata, opts []Option, attrs ...attribute.KeyValue) (context.Context, *Step) {
	c := newConfig(opts)
	ctx = withSlot(ctx, slotStep, &derived)
	if c.metadata.set != 0 {
		ctx = context.WithValue(ctx, carriedKey{}, carriedBy(ctx).with(slotContext, c.metadata))
	}
	start := make([]attribute.KeyValue, 0, 16)
	start = append(start, operation)
	for _, kv := range attrs {
		if kv.Value.AsString() != "" {
			start = append(start, kv)
		}
	}
	start = append(start, c.attributes...)
	start = append(start, carriedBy(ctx).besides(start)...)
	options := []trace.SpanStartOption{trace.WithAttributes(start...)}
	if !c.start.IsZero() {
		options = append(options, trace.WithTimestamp(c.start))
	}
	ctx, span := c.tracer().Start(ctx, spanName(operation.Value.AsString(), name), options...)
	return ctx, &Step{span: span}
}

// Span returns the step's span.
func (s *Step) Span() trace.Span { return s.span }

// SetAttributes adds attributes to the step's span.
func (s *Step) SetAttributes(attributes ...attribute.KeyValue) { s.span.SetAttributes(attributes...) }

// End ends the step. A nil err is success; otherwise the span gets the status
// Error and an error.type, found by [ErrorType]; the text of err is not recorded.
// The first End counts.
func (s *Step) End(err error) {
	if err != nil {
		kind := ErrorType(err)
		s.span.SetAttributes(semconv.ErrorTypeKey.String(kind))
		s.span.SetStatus(codes.Error, describe(err, kind))
	}
	s.span.End()
}

// during does the work of a step and ends it, also if the work panics.
func (s *Step) during(work func() error) error {
	var err error = &Error{Type: "panic"}
	defer func() { s.End(err) }()
	err = work()
	return err
}
