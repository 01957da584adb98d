// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import "context"

// Crew is several agents that work on something, one task after the other: each
// task gets what the one before it made. Calls are attributed to the agent and the
// type of the task that they are made in, and grouped under the crew's name.
//
// Agents that work at the same time, or hand over to each other freely, are runs of
// [StartAgent] beneath one [StartWorkflow].
type Crew[T any] struct {
	// Workflow says what the crew is.
	Workflow WorkflowParams
	// Tasks are done in their order.
	Tasks []Task[T]

	_ struct{}
}

// Task is a task of a [Crew].
type Task[T any] struct {
	// Agent does the task. Without a name it is "unknown_agent".
	Agent AgentParams
	// Type is the class of the work, at most 255 characters.
	Type string
	// Run does the work. It uses ctx for its calls, gets what the task before it
	// made, and returns what it makes of that.
	Run func(ctx context.Context, in T) (T, error)

	_ struct{}
}

// unknownAgent is the name of an agent that has none, as the crews of the Python
// middleware know it.
const unknownAgent = "unknown_agent"

// Run does the tasks and returns what the last one made. A task that fails ends
// the run; with its error is returned what the task before it made.
//
// [Metadata] among the options is for all calls of the run. Runs in traces of
// their own are told apart in Revenium by these; for several runs within one, set
// Metadata.TraceID.
func (c Crew[T]) Run(ctx context.Context, in T, opts ...Option) (T, error) {
	ctx, step := StartWorkflow(ctx, c.Workflow, opts...)
	err := step.during(func() error {
		// What else the options say is of the workflow alone, or in ctx.
		spans := newConfig(opts)
		for _, task := range c.Tasks {
			out, err := task.run(ctx, in, WithTracerProvider(spans.provider), WithScope(spans.scopeName, spans.scopeVersion))
			if err != nil {
				return err
			}
			in = out
		}
		return nil
	})
	return in, err
}

func (t Task[T]) run(ctx context.Context, in T, opts ...Option) (out T, err error) {
	agent := t.Agent
	if agent.Name == "" {
		agent.Name = unknownAgent
	}
	ctx, step := StartAgent(ctx, agent, append(opts, Metadata{TaskType: t.Type})...)
	err = step.during(func() error {
		out, err = t.Run(ctx, in)
		return err
	})
	return out, err
}
