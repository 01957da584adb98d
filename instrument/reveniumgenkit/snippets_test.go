// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumgenkit_test

import (
	"context"
	"testing"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/genkit"
	"github.com/firebase/genkit/go/plugins/compat_oai/openai"
	"github.com/openai/openai-go/option"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	revenium "github.com/revenium/revenium-otel-go"
	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumgenkit"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

// What follows is the code of docs/adapters.md, word for word.

func snippet(ctx context.Context, yours sdktrace.SpanProcessor, more ...revenium.Option) (*genkit.Genkit, *revenium.SDK, error) {
	opts := append(more, revenium.WithTracerProviderOptions(
		sdktrace.WithSpanProcessor(reveniumgenkit.WithoutContent(yours)),
	))
	sdk, err := revenium.Start(ctx, opts...)
	if err != nil {
		return nil, nil, err
	}
	g := genkit.Init(ctx, genkit.WithPlugins(&openai.OpenAI{
		Opts: []option.RequestOption{option.WithMiddleware(llmhttp.Middleware())},
	}))
	return g, sdk, nil
}

func TestSnippet(t *testing.T) {
	m := metertest.Start(t)
	for name, value := range map[string]string{"GENKIT_ENV": "prod", "OPENAI_API_KEY": "no-real-key", "OPENAI_BASE_URL": m.LLM.BaseURL()} {
		t.Setenv(name, value)
	}
	recorder := tracetest.NewSpanRecorder()
	g, sdk, err := snippet(t.Context(), recorder, revenium.WithExporterOptions(
		exporter.WithAPIKey("rev_mk_test_genkit"), exporter.WithBaseURL(m.Revenium.URL())))
	if err != nil {
		t.Fatal(err)
	}
	m.LLM.Enqueue(answer())
	if _, err := genkit.GenerateText(t.Context(), g, ai.WithModelName("openai/gpt-4o"), ai.WithPrompt("And now?")); err != nil {
		t.Fatal(err)
	}
	report, err := sdk.Shutdown(t.Context())
	if err != nil || report.Delivered != 1 {
		t.Errorf("%v\n%s", err, report)
	}
}
