// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumanthropic_test

import (
	"context"
	"fmt"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumanthropic"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
)

// Anthropic counts the cache beside the input; a span has all of it as input.
func Example() {
	llm, err := llmtest.NewServer(llmtest.WithAnswer(llmtest.Answer{
		Text: "It rains.", Usage: &llmtest.Usage{PromptTokens: 1200, CachedTokens: 1000, CacheWriteTokens: 100, CompletionTokens: 3},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer llm.Close()
	recorder := tracetest.NewSpanRecorder() // stands for the exporter's processor
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))

	client := anthropic.NewClient(
		option.WithoutEnvironmentDefaults(),
		option.WithBaseURL(llm.URL()), option.WithAPIKey("any"), option.WithHTTPClient(llm.Client()),
		reveniumanthropic.WithMetering(llmhttp.WithTracerProvider(provider)), // the global one without this option
	)
	message, err := client.Messages.New(context.Background(), anthropic.MessageNewParams{
		Model: "claude-opus-4", MaxTokens: 100,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("And now?"))},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(message.Content[0].Text, message.Usage.InputTokens)

	span := recorder.Ended()[0]
	fmt.Println(span.Name())
	for _, kv := range span.Attributes() {
		switch kv.Key {
		case "gen_ai.usage.input_tokens", "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens":
			fmt.Printf("  %s = %s\n", kv.Key, kv.Value.String())
		}
	}
	// Output:
	// It rains. 100
	// chat claude-opus-4
	//   gen_ai.usage.input_tokens = 1200
	//   gen_ai.usage.cache_read.input_tokens = 1000
	//   gen_ai.usage.cache_creation.input_tokens = 100
}
