// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumeino_test

import (
	"context"
	"fmt"

	"github.com/cloudwego/eino-ext/components/model/openai"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumeino"
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

	ctx := context.Background()
	model, err := openai.NewChatModel(ctx, &openai.ChatModelConfig{
		Model: "gpt-4o", APIKey: "any", BaseURL: llm.BaseURL(),
		HTTPClient: reveniumeino.Client(llm.Client(), llmhttp.WithTracerProvider(provider)), // the global one without this option
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	run, err := compose.NewChain[[]*schema.Message, *schema.Message]().AppendChatModel(model).
		Compile(ctx, compose.WithGraphName("forecast"))
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := run.Invoke(ctx, []*schema.Message{schema.UserMessage("And now?")},
		compose.WithCallbacks(reveniumeino.Handler(instrument.WithTracerProvider(provider)))) // or callbacks.AppendGlobalHandlers
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Content)

	for _, span := range recorder.Ended() {
		fmt.Println(span.Name())
		for _, kv := range span.Attributes() {
			switch kv.Key {
			case "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens":
				fmt.Printf("  %s = %s\n", kv.Key, kv.Value.String())
			}
		}
	}
	// Output:
	// It rains.
	// chat gpt-4o
	//   gen_ai.usage.input_tokens = 12
	//   gen_ai.usage.output_tokens = 3
	// invoke_workflow forecast
}
