// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Command multi-agent runs a crew of agents: a researcher and a writer with a task
// each, and an editor that lets two reviewers work at the same time. Every call is
// billed to the agent and the task that it was made in, and grouped under the
// workflow. The spans of agents, tools and the workflow are not billed.
package main

import (
	"context"
	"io"
	"log"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/revenium/revenium-otel-go/examples/internal/offline"
	"github.com/revenium/revenium-otel-go/instrument"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	records, err := offline.Run(ctx, func(ctx context.Context, llm *offline.Client) error {
		research := func(ctx context.Context, topic string) (string, error) {
			toolCtx, tool := instrument.StartTool(ctx, instrument.ToolParams{Name: "web_search"})
			found, err := search(toolCtx, topic)
			tool.End(err)
			if err != nil {
				return "", err
			}
			return llm.Ask(ctx, "Summarize: "+found)
		}
		edit := func(ctx context.Context, draft string) (string, error) {
			reviews, reviewsCtx := errgroup.WithContext(ctx)
			for _, name := range []string{"Fact checker", "Stylist"} {
				reviews.Go(func() error {
					ctx, reviewer := instrument.StartAgent(reviewsCtx, instrument.AgentParams{Name: name})
					_, err := llm.Ask(ctx, "Review: "+draft)
					reviewer.End(err)
					return err
				})
			}
			if err := reviews.Wait(); err != nil {
				return "", err
			}
			return llm.Ask(ctx, "Finish: "+draft)
		}
		crew := instrument.Crew[string]{
			Workflow: instrument.WorkflowParams{Name: "Market report", Type: "research"},
			Tasks: []instrument.Task[string]{
				{Agent: instrument.AgentParams{Name: "Researcher"}, Type: "find sources", Run: research},
				{Agent: instrument.AgentParams{Name: "Writer"}, Type: "write", Run: llm.Ask},
				{Agent: instrument.AgentParams{Name: "Editor"}, Type: "edit", Run: edit},
			},
		}
		_, err := crew.Run(ctx, "LLM prices", instrument.Metadata{Organization: "Acme", Product: "reports"})
		return err
	})
	if err != nil {
		return err
	}
	return offline.Expect(out, records,
		offline.Row{"agent", "taskType", "organizationName", "productName", "traceName", "traceType"},
		offline.Row{"Researcher", "find sources", "Acme", "reports", "Market report", "research"},
		offline.Row{"Writer", "write", "Acme", "reports", "Market report", "research"},
		offline.Row{"Fact checker", "edit", "Acme", "reports", "Market report", "research"},
		offline.Row{"Stylist", "edit", "Acme", "reports", "Market report", "research"},
		offline.Row{"Editor", "edit", "Acme", "reports", "Market report", "research"},
	)
}

// search stands for a tool.
func search(ctx context.Context, topic string) (string, error) { return "news of " + topic, ctx.Err() }
