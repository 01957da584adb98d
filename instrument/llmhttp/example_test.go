// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
)

// One line makes an http.Client that is metered. Here it streams from a proxy,
// without asking for usage, and sees none; the span has it all the same.
func Example() {
	server, err := llmtest.NewServer(llmtest.WithLiteLLM(llmtest.LiteLLM{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	server.Enqueue(llmtest.Answer{
		Pieces: []string{"Good ", "morning"}, Usage: &llmtest.Usage{PromptTokens: 9, CompletionTokens: 2},
		Stream: llmtest.Stream{Usage: llmtest.UsageOwnChunk},
	})
	recorder := tracetest.NewSpanRecorder() // stands for the exporter's processor
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))

	client := &http.Client{Transport: llmhttp.NewTransport(nil,
		llmhttp.WithTracerProvider(provider),
		llmhttp.WithLiteLLMHosts(server.URL()),
	)}
	body := `{"model":"anthropic/claude-sonnet-4","stream":true,"messages":[{"role":"user","content":"Hello"}]}`
	resp, err := client.Post(server.BaseURL()+"/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if text := lines.Text(); strings.Contains(text, `"prompt_tokens"`) {
			fmt.Println("the caller sees usage:", text)
		}
	}

	span := recorder.Ended()[0]
	fmt.Println(span.Name())
	for _, kv := range span.Attributes() {
		switch kv.Key {
		case semconv.GenAIProviderNameKey, semconv.ReveniumModelSourceKey, semconv.GenAIUsageInputTokensKey, semconv.GenAIUsageOutputTokensKey:
			fmt.Printf("  %s = %s\n", kv.Key, kv.Value.String())
		}
	}
	// Output:
	// chat anthropic/claude-sonnet-4
	//   gen_ai.provider.name = anthropic
	//   revenium.model.source = LITELLM
	//   gen_ai.usage.input_tokens = 9
	//   gen_ai.usage.output_tokens = 2
}

// Attributes that depend on the request say who pays for it.
func ExampleWithRequestAttributes() {
	server, err := llmtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	type tenant struct{}

	client := &http.Client{Transport: llmhttp.NewTransport(nil,
		llmhttp.WithTracerProvider(provider),
		llmhttp.WithRequestAttributes(func(req *http.Request) []attribute.KeyValue {
			name, _ := req.Context().Value(tenant{}).(string)
			return []attribute.KeyValue{semconv.ReveniumOrganizationName(name)}
		}),
	)}
	ctx := context.WithValue(context.Background(), tenant{}, "Northwind")
	body := `{"model":"text-embedding-3-small","input":"a sentence"}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.BaseURL()+"/embeddings", strings.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		fmt.Println(err)
		return
	}

	span := recorder.Ended()[0]
	fmt.Println(span.Name())
	for _, kv := range span.Attributes() {
		if kv.Key == semconv.ReveniumOrganizationNameKey {
			fmt.Println("  paid by", kv.Value.AsString())
		}
	}
	// Output:
	// embeddings text-embedding-3-small
	//   paid by Northwind
}

func ExampleRecognize() {
	for _, url := range []string{
		"https://api.openai.com/v1/chat/completions",
		"https://api.groq.com/openai/v1/chat/completions",
		"https://api.openai.com/v1/files",
	} {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, http.NoBody)
		if err != nil {
			fmt.Println(err)
			return
		}
		call, ok := llmhttp.Recognize(req)
		fmt.Println(ok, call.API, call.Provider, call.Operation)
	}
	// Output:
	// true openai.chat openai chat
	// true openai.chat groq chat
	// false
}
