// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumeino

import (
	"context"

	"github.com/cloudwego/eino/callbacks"
	"github.com/cloudwego/eino/components"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"

	"github.com/revenium/revenium-otel-go/instrument"
)

// Handler returns a callback that makes spans of runs of graphs, chains and
// workflows and of executions of tools. Calls of models made in them have these as
// parents, and the name of the outermost as the name of their trace in Revenium,
// unless metadata says otherwise. What goes into a run and what comes out of it is
// not recorded; a run whose output is a stream ends when the stream begins.
//
// The options are those of [instrument.StartWorkflow].
func Handler(opts ...instrument.Option) callbacks.Handler {
	h := &handler{opts: opts}
	return callbacks.NewHandlerBuilder().
		OnStartFn(func(ctx context.Context, info *callbacks.RunInfo, _ callbacks.CallbackInput) context.Context {
			return h.start(ctx, info)
		}).
		OnStartWithStreamInputFn(func(ctx context.Context, info *callbacks.RunInfo, input *schema.StreamReader[callbacks.CallbackInput]) context.Context {
			input.Close() // a copy, which nobody else closes
			return h.start(ctx, info)
		}).
		OnEndFn(func(ctx context.Context, info *callbacks.RunInfo, _ callbacks.CallbackOutput) context.Context {
			end(ctx, info, nil)
			return ctx
		}).
		OnEndWithStreamOutputFn(func(ctx context.Context, info *callbacks.RunInfo, output *schema.StreamReader[callbacks.CallbackOutput]) context.Context {
			output.Close()
			end(ctx, info, nil)
			return ctx
		}).
		OnErrorFn(func(ctx context.Context, info *callbacks.RunInfo, err error) context.Context {
			end(ctx, info, err)
			return ctx
		}).
		Build()
}

type handler struct{ opts []instrument.Option }

// stepKey is the context's key for the step that it belongs to.
type stepKey struct{}

// running is a step, and of which component it is.
type running struct {
	step *instrument.Step
	info callbacks.RunInfo
}

// start starts the step of a component that has one.
func (h *handler) start(ctx context.Context, info *callbacks.RunInfo) context.Context {
	if info == nil {
		return ctx
	}
	name := info.Name
	if name == "" {
		name = info.Type
	}
	var step *instrument.Step
	switch info.Component {
	case compose.ComponentOfGraph, compose.ComponentOfChain, compose.ComponentOfWorkflow:
		ctx, step = instrument.StartWorkflow(ctx, instrument.WorkflowParams{Name: name}, h.opts...)
	case components.ComponentOfTool:
		ctx, step = instrument.StartTool(ctx, instrument.ToolParams{Name: name, CallID: compose.GetToolCallID(ctx)}, h.opts...)
	default:
		return ctx
	}
	return context.WithValue(ctx, stepKey{}, running{step: step, info: *info})
}

// end ends the step of a component, if it is the one whose context this is.
func end(ctx context.Context, info *callbacks.RunInfo, err error) {
	if r, ok := ctx.Value(stepKey{}).(running); ok && info != nil && r.info == *info {
		r.step.End(err)
	}
}
