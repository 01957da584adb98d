// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumollama_test

import (
	"context"
	"fmt"
	"net/url"

	"github.com/ollama/ollama/api"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumollama"
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
	base, err := url.Parse(llm.URL())
	if err != nil {
		fmt.Println(err)
		return
	}

	client := reveniumollama.NewClient(base, llm.Client(), llmhttp.WithTracerProvider(provider)) // the global one without this option
	err = client.Chat(context.Background(), &api.ChatRequest{
		Model: "llama3.2", Messages: []api.Message{{Role: "user", Content: "And now?"}},
	}, func(r api.ChatResponse) error {
		fmt.Print(r.Message.Content)
		return nil
	})
	fmt.Println()
	if err != nil {
		fmt.Println(err)
		return
	}

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
	// chat llama3.2
	//   gen_ai.usage.input_tokens = 12
	//   gen_ai.usage.output_tokens = 3
}
