// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"log"
	"net/http"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	revenium "github.com/revenium/revenium-otel-go"
	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/wrap"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// This file is the code of the README, word for word; readme_test.go compares the
// two and runs what is here.

func meterClient(ctx context.Context) error {
	sdk, err := revenium.Start(ctx) // REVENIUM_METERING_API_KEY
	if err != nil {
		return err
	}
	defer shutdown(sdk)

	client := openai.NewClient(
		option.WithHTTPClient(&http.Client{Transport: llmhttp.NewTransport(nil)}),
	)
	_, err = client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:    "gpt-4o-mini",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello!")},
	})
	return err
}

func shutdown(sdk *revenium.SDK) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	report, err := sdk.Shutdown(ctx)
	if err != nil {
		log.Print(err) // says how many records were lost, and why
	}
	log.Print(report.Delivered, " records delivered")
}

func existingProvider(yours sdktrace.SpanProcessor) (*sdktrace.TracerProvider, error) {
	processor, err := exporter.NewProcessor(exporter.WithProduct("search"))
	if err != nil {
		return nil, err
	}
	return sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(instrument.NewSpanProcessor()), // says who pays, see below
		sdktrace.WithSpanProcessor(processor),
		// 1 % of the traces reach your backend, 100 % of the calls are metered.
		sdktrace.WithSampler(exporter.NewSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.01)))),
		sdktrace.WithSpanProcessor(yours),
	), nil
}

func whoPays(ctx context.Context, baseURL string) {
	ctx = instrument.WithMetadata(ctx, instrument.Metadata{
		Organization: "Acme",
		TaskType:     "summarize",
		Subscriber:   instrument.Subscriber{ID: "user-4711"},
	})
	yourCode(ctx, baseURL) // and all calls beneath it, by whatever instrumentation
}

type question struct{ Tenant, BaseURL string }

type service struct{}

func (service) answer(ctx context.Context, q question) (string, error) {
	yourCode(ctx, q.BaseURL)
	return "", nil
}

func (s service) attributed(ctx context.Context, q question) (string, error) {
	answer := wrap.Func1(s.answer, instrument.Metadata{Agent: "Lead Analyst"},
		wrap.Organization(func(q question) string { return q.Tenant }),
	)
	return answer(ctx, q)
}

type answer struct{ InputTokens, OutputTokens int64 }

func anyClient(ctx context.Context, ask func(context.Context) (answer, error)) error {
	ctx, call := instrument.StartCall(ctx, instrument.CallParams{
		Operation: "chat",
		Provider:  "mistral_ai",
		Model:     "mistral-large-latest",
	}, instrument.Metadata{Organization: "Acme"})
	answer, err := ask(ctx)
	if err == nil {
		call.SetUsage(instrument.Usage{Input: &answer.InputTokens, Output: &answer.OutputTokens})
	}
	call.End(err)
	return err
}

func yourCode(ctx context.Context, baseURL string) {
	client := openai.NewClient(option.WithBaseURL(baseURL), option.WithAPIKey("sk-test-no-real-key"),
		option.WithHTTPClient(&http.Client{Transport: llmhttp.NewTransport(nil)}))
	_, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:    "gpt-4o-mini",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello!")},
	})
	if err != nil {
		log.Print(err)
	}
}

func TestYourMetering(t *testing.T) {
	clearForTest(t)
	llm := llmtest.Start(t)
	metering := reveniumtest.Start(t) // fails the test on a record that the API would not take as it is
	sdk, err := revenium.Start(t.Context(), revenium.WithExporterOptions(
		exporter.WithAPIKey("rev_mk_test_readme"), exporter.WithBaseURL(metering.URL())))
	if err != nil {
		t.Fatal(err)
	}
	yourCode(t.Context(), llm.BaseURL())
	if _, err := sdk.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := metering.Records(); len(got) != 1 {
		t.Errorf("got %d records, want 1", len(got))
	}
}
