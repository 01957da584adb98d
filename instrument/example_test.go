// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument_test

import (
	"context"
	"fmt"
	"strings"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/semconv"
)

// answer is what some client of some provider returns.
type answer struct {
	id, model, why             string
	promptTokens, answerTokens int64
}

func ask(ctx context.Context, _ string) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	return answer{id: "r-1", model: "acme-large-2026", why: "stop", promptTokens: 12, answerTokens: 30}, nil
}

// A call of a provider that no instrumentation knows is metered by hand.
func Example() {
	recorder := tracetest.NewSpanRecorder() // stands for the exporter's processor
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))

	ctx, call := instrument.StartCall(context.Background(),
		instrument.CallParams{Operation: "chat", Provider: "acme", Model: "acme-large"},
		instrument.WithTracerProvider(provider),
		instrument.WithAttributes(semconv.ReveniumOrganizationName("Northwind")),
	)
	answer, err := ask(ctx, "What is a token?")
	if err == nil {
		call.SetResponse(instrument.Response{ID: answer.id, Model: answer.model, FinishReasons: []string{answer.why}})
		call.SetUsage(instrument.Usage{Input: &answer.promptTokens, Output: &answer.answerTokens})
	}
	call.End(err)

	span := recorder.Ended()[0]
	fmt.Println(span.Name())
	for _, kv := range span.Attributes() {
		fmt.Printf("  %s = %s\n", kv.Key, kv.Value.String())
	}
	// Output:
	// chat acme-large
	//   gen_ai.operation.name = chat
	//   gen_ai.provider.name = acme
	//   gen_ai.request.model = acme-large
	//   revenium.organization.name = Northwind
	//   gen_ai.response.id = r-1
	//   gen_ai.response.model = acme-large-2026
	//   gen_ai.response.finish_reasons = ["stop"]
	//   gen_ai.usage.input_tokens = 12
	//   gen_ai.usage.output_tokens = 30
}

// Metadata of a context is on every call made with it; that of a call is on that
// call alone.
func ExampleWithMetadata() {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))

	ctx := instrument.WithMetadata(context.Background(), instrument.Metadata{
		Organization: "Northwind",
		Subscriber:   instrument.Subscriber{ID: "user-4711", Email: "jo@example.com"},
	})
	for _, task := range []string{"classify", "summarize"} {
		_, call := instrument.StartCall(ctx, instrument.CallParams{Model: "acme-large"},
			instrument.Metadata{TaskType: task}, instrument.WithTracerProvider(provider))
		call.End(nil)
	}

	for _, span := range recorder.Ended() {
		for _, kv := range span.Attributes() {
			if strings.HasPrefix(string(kv.Key), "revenium.subscriber.") || kv.Key == semconv.ReveniumTaskTypeKey {
				fmt.Println(kv.Key, kv.Value.String())
			}
		}
	}
	// Output:
	// revenium.subscriber.id user-4711
	// revenium.subscriber.email jo@example.com
	// revenium.task.type classify
	// revenium.subscriber.id user-4711
	// revenium.subscriber.email jo@example.com
	// revenium.task.type summarize
}

// Maps such as callers of the Python middleware pass are read in their spellings.
func ExampleFromMap() {
	m, err := instrument.FromMap(map[string]any{
		"organization_id": "Northwind", // older name of organization_name
		"subscriber":      map[string]any{"id": 4711, "credential": map[string]any{"name": "team key", "value": "cred-1"}},
		"quality_score":   0.9,
		"taks_type":       "research",
	})
	fmt.Println(m)
	fmt.Println(err)
	// Output:
	// {organizationName:"Northwind" subscriber.id:"4711" subscriber.credential.name:"team key" subscriber.credential.value:[REDACTED] responseQualityScore:0.9}
	// instrument: metadata: taks_type is no field of metadata
}

// Structs say by tags which of their fields are metadata.
func ExampleFromStruct() {
	type ticket struct {
		Number string `revenium:"ticket_id"`
		Tenant string `revenium:"organization"`
		Text   string
	}
	m, err := instrument.FromStruct(ticket{Number: "T-1", Tenant: "Northwind", Text: "Help!"})
	fmt.Println(m, err)
	// Output:
	// {organizationName:"Northwind" ticketId:"T-1"} <nil>
}

// A crew is several agents with tasks. Calls are attributed to the agent and the
// task that they are made in.
func ExampleCrew() {
	ask := func(ctx context.Context, question string) (string, error) {
		m := instrument.FromContext(ctx) // stands for a call
		return fmt.Sprintf("%s\n%s does %s for %s", question, m.Agent, m.TaskType, m.Organization), nil
	}
	crew := instrument.Crew[string]{
		Workflow: instrument.WorkflowParams{Name: "Quarterly report", Type: "research"},
		Tasks: []instrument.Task[string]{
			{Agent: instrument.AgentParams{Name: "Researcher"}, Type: "find sources", Run: ask},
			{Agent: instrument.AgentParams{Name: "Writer"}, Type: "write", Run: ask},
		},
	}
	fmt.Println(crew.Run(context.Background(), "What happened?", instrument.Metadata{Organization: "Northwind"}))
	// Output:
	// What happened?
	// Researcher does find sources for Northwind
	// Writer does write for Northwind <nil>
}

// An error of a client says nothing of its kind by itself; Error does.
func ExampleError() {
	err := &instrument.Error{Type: "rate_limit_exceeded", StatusCode: 429}
	fmt.Println(instrument.ErrorType(err))
	fmt.Println(instrument.ErrorType(context.Canceled))
	fmt.Println(err)
	// Output:
	// rate_limit_exceeded
	// context_canceled
	// provider answered 429 Too Many Requests: rate_limit_exceeded
}
