// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumgenai_test

import (
	"context"
	"fmt"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/genai"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumgenai"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
)

// Google counts thoughts beside the answer; a span has both as output.
func Example() {
	llm, err := llmtest.NewServer(llmtest.WithAnswer(llmtest.Answer{
		Text: "It rains.", Usage: &llmtest.Usage{PromptTokens: 12, CompletionTokens: 50, ReasoningTokens: 47},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer llm.Close()
	recorder := tracetest.NewSpanRecorder() // stands for the exporter's processor
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))

	ctx := context.Background()
	client, err := reveniumgenai.NewClient(ctx, &genai.ClientConfig{
		Backend: genai.BackendGeminiAPI, APIKey: "any",
		HTTPClient: llm.Client(), HTTPOptions: genai.HTTPOptions{BaseURL: llm.URL()},
	}, llmhttp.WithTracerProvider(provider)) // the global one without this option
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := client.Models.GenerateContent(ctx, "gemini-2.5-flash", genai.Text("And now?"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Text(), answer.UsageMetadata.CandidatesTokenCount)

	span := recorder.Ended()[0]
	fmt.Println(span.Name())
	for _, kv := range span.Attributes() {
		switch kv.Key {
		case "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.reasoning.output_tokens":
			fmt.Printf("  %s = %s\n", kv.Key, kv.Value.String())
		}
	}
	// Output:
	// It rains. 3
	// generate_content gemini-2.5-flash
	//   gen_ai.usage.input_tokens = 12
	//   gen_ai.usage.output_tokens = 50
	//   gen_ai.usage.reasoning.output_tokens = 47
}
