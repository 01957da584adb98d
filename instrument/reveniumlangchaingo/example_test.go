// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumlangchaingo_test

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumlangchaingo"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
)

func Example() {
	server, err := llmtest.NewServer(llmtest.WithAnswer(llmtest.Answer{
		Text: "It rains.", Usage: &llmtest.Usage{PromptTokens: 12, CompletionTokens: 3},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	recorder := tracetest.NewSpanRecorder() // stands for the exporter's processor
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))

	client := reveniumlangchaingo.Client(llmhttp.WithTracerProvider(provider)) // the global one without this option
	defer client.CloseIdleConnections()
	llm, err := openai.New(
		openai.WithBaseURL(server.BaseURL()), openai.WithToken("any"), openai.WithModel("gpt-4o"), openai.WithHTTPClient(client),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := llms.GenerateFromSinglePrompt(context.Background(), llm, "And now?")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer)

	span := recorder.Ended()[0]
	fmt.Println(span.Name())
	for _, kv := range span.Attributes() {
		switch kv.Key {
		case "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens":
			fmt.Printf("  %s = %s\n", kv.Key, kv.Value.String())
		}
	}
	// Output:
	// It rains.
	// chat gpt-4o
	//   gen_ai.usage.input_tokens = 12
	//   gen_ai.usage.output_tokens = 3
}
