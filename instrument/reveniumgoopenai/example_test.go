// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumgoopenai_test

import (
	"context"
	"fmt"

	"github.com/sashabaranov/go-openai"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumgoopenai"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
)

func Example() {
	llm, err := llmtest.NewServer(llmtest.WithAnswer(llmtest.Answer{
		Text: "It rains.", Usage: &llmtest.Usage{PromptTokens: 12, CompletionTokens: 3},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer llm.Close()
	recorder := tracetest.NewSpanRecorder() // stands for the exporter's processor
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))

	config := openai.DefaultConfig("any")
	config.BaseURL, config.HTTPClient = llm.BaseURL(), llm.Client()
	client := openai.NewClientWithConfig(
		reveniumgoopenai.WithMetering(config, llmhttp.WithTracerProvider(provider)), // the global one without this option
	)
	answer, err := client.CreateChatCompletion(context.Background(), openai.ChatCompletionRequest{
		Model: "gpt-4o", Messages: []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: "And now?"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Choices[0].Message.Content)

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
