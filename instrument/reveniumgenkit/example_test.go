// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumgenkit_test

import (
	"context"
	"fmt"
	"os"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/genkit"
	"github.com/firebase/genkit/go/plugins/compat_oai/openai"
	"github.com/openai/openai-go/option"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumgenkit"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
)

func Example() {
	llm, err := llmtest.NewServer(llmtest.WithAnswer(llmtest.Answer{
		Text: "It rains.", Usage: &llmtest.Usage{PromptTokens: 1200, CompletionTokens: 3},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer llm.Close()
	if err := os.Setenv("GENKIT_ENV", "prod"); err != nil { // no server for developers
		fmt.Println(err)
		return
	}

	recorder := tracetest.NewSpanRecorder() // stands for your own exporter
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(reveniumgenkit.WithoutContent(recorder)))
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(provider) // Genkit uses the global one
	defer otel.SetTracerProvider(before)

	ctx := context.Background()
	g := genkit.Init(ctx, genkit.WithPlugins(&openai.OpenAI{
		APIKey: "any",
		Opts: []option.RequestOption{
			option.WithBaseURL(llm.BaseURL()), option.WithHTTPClient(llm.Client()), option.WithMiddleware(llmhttp.Middleware()),
		},
	}))
	text, err := genkit.GenerateText(ctx, g, ai.WithModelName("openai/gpt-4o"), ai.WithPrompt("And now?"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(text)
	for _, span := range recorder.Ended() {
		for _, kv := range span.Attributes() {
			switch kv.Key {
			case "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens":
				fmt.Printf("%s: %s = %s\n", span.Name(), kv.Key, kv.Value.String())
			case "genkit:input", "genkit:output":
				fmt.Println("content on", span.Name())
			}
		}
	}
	// Output:
	// It rains.
	// chat gpt-4o: gen_ai.usage.input_tokens = 1200
	// chat gpt-4o: gen_ai.usage.output_tokens = 3
}
