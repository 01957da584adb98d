// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumbedrock_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumbedrock"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
)

// Bedrock counts the cache beside the input; a span has all of it as input.
func Example() {
	llm, err := llmtest.NewServer(llmtest.WithAnswer(llmtest.Answer{
		Text: "It rains.", Usage: &llmtest.Usage{PromptTokens: 1200, CachedTokens: 1000, CompletionTokens: 3},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer llm.Close()
	recorder := tracetest.NewSpanRecorder() // stands for the exporter's processor
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))

	cfg := aws.Config{ // or config.LoadDefaultConfig
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("any", "any", ""),
		BaseEndpoint: aws.String(llm.URL()), HTTPClient: llm.Client(),
	}
	client := bedrockruntime.NewFromConfig(cfg,
		reveniumbedrock.WithMetering(llmhttp.WithTracerProvider(provider)), // the global one without this option
	)
	answer, err := client.Converse(context.Background(), &bedrockruntime.ConverseInput{
		ModelId: aws.String("amazon.nova-pro-v1:0"),
		Messages: []types.Message{{
			Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "And now?"}},
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.StopReason, *answer.Usage.InputTokens)

	span := recorder.Ended()[0]
	fmt.Println(span.Name())
	for _, kv := range span.Attributes() {
		switch kv.Key {
		case "gen_ai.usage.input_tokens", "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.output_tokens":
			fmt.Printf("  %s = %s\n", kv.Key, kv.Value.String())
		}
	}
	// Output:
	// end_turn 200
	// chat amazon.nova-pro-v1:0
	//   gen_ai.usage.input_tokens = 1200
	//   gen_ai.usage.output_tokens = 3
	//   gen_ai.usage.cache_read.input_tokens = 1000
}
