// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumopenai_test

import (
	"context"
	"fmt"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumopenai"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
)

func Example() {
	llm, err := llmtest.NewServer(llmtest.WithAnswer(llmtest.Answer{
		Text: "It rains.", Usage: &llmtest.Usage{PromptTokens: 1200, CachedTokens: 1024, CompletionTokens: 3},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer llm.Close()
	recorder := tracetest.NewSpanRecorder() // stands for the exporter's processor
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))

	client := openai.NewClient(
		option.WithBaseURL(llm.BaseURL()), option.WithAPIKey("any"), option.WithHTTPClient(llm.Client()),
		reveniumopenai.WithMetering(llmhttp.WithTracerProvider(provider)), // the global one without this option
	)
	completion, err := client.Chat.Completions.New(context.Background(), openai.ChatCompletionNewParams{
		Model: "gpt-4o", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("And now?")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(completion.Choices[0].Message.Content)

	span := recorder.Ended()[0]
	fmt.Println(span.Name())
	for _, kv := range span.Attributes() {
		switch kv.Key {
		case "gen_ai.usage.input_tokens", "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.output_tokens":
			fmt.Printf("  %s = %s\n", kv.Key, kv.Value.String())
		}
	}
	// Output:
	// It rains.
	// chat gpt-4o
	//   gen_ai.usage.input_tokens = 1200
	//   gen_ai.usage.output_tokens = 3
	//   gen_ai.usage.cache_read.input_tokens = 1024
}
