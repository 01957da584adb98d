// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument_test

import (
	"context"
	"fmt"

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
