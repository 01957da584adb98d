// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumgenkit_test

import (
	"context"
	"strings"
	"testing"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/genkit"
	oai "github.com/firebase/genkit/go/plugins/compat_oai/openai"
	"github.com/openai/openai-go/option"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumgenkit"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

// start makes the meter's provider the global one, as Genkit wants it, and starts Genkit.
func start(t *testing.T, m *metertest.Meter, opts ...option.RequestOption) *genkit.Genkit {
	t.Helper()
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(m.Provider)
	t.Cleanup(func() { otel.SetTracerProvider(before) })
	t.Setenv("GENKIT_ENV", "prod") // no server for developers
	return genkit.Init(t.Context(), genkit.WithPlugins(&oai.OpenAI{
		APIKey: "no-real-key",
		Opts:   append([]option.RequestOption{option.WithBaseURL(m.LLM.BaseURL()), option.WithHTTPClient(m.LLM.Client())}, opts...),
	}))
}

func transport(m *metertest.Meter) option.RequestOption {
	return option.WithMiddleware(llmhttp.Middleware(llmhttp.WithTracerProvider(m.Provider), llmhttp.WithStreamUsageHosts(m.LLM.URL())))
}

func answer() llmtest.Answer {
	return llmtest.Answer{Text: "It rains.", Usage: &llmtest.Usage{PromptTokens: 1200, CachedTokens: 1024, CompletionTokens: 50, ReasoningTokens: 20}}
}

// want checks what the one record has, which is the same whichever span it is made of.
func want(t *testing.T, m *metertest.Meter, more ...string) {
	t.Helper()
	records := m.Records()
	if len(records) != 1 {
		t.Fatalf("%d records\n%s", len(records), m.Report())
	}
	facts := metertest.Facts{
		"provider": "OpenAI", "operationType": "CHAT", "stopReason": "END", "inputTokenCount": "1200", "cacheReadTokenCount": "1024",
		"outputTokenCount": "50", "reasoningTokenCount": "20", "totalTokenCount": "1250",
	}.With(more...)
	for field, value := range facts {
		if got := records[0].Text(field); got != value {
			t.Errorf("%s: %q, want %q", field, got, value)
		}
	}
	if model := records[0].Text("model"); !strings.Contains(model, "gpt-4o") {
		t.Errorf("model %q", model)
	}
	if strings.Contains(string(records[0].Body), "It rains.") || strings.Contains(string(records[0].Body), "And now?") {
		t.Error("the record has content")
	}
}

// Genkit makes a span of the model's call and one of the work around it.
func TestGenerate(t *testing.T) {
	for name, metered := range map[string]bool{"Genkit's spans": false, "with a transport": true} {
		t.Run(name, func(t *testing.T) {
			m := metertest.Start(t)
			var opts []option.RequestOption
			if metered {
				opts = append(opts, transport(m))
			}
			g := start(t, m, opts...)
			m.LLM.Enqueue(answer())
			got, err := genkit.GenerateText(t.Context(), g, ai.WithModelName("openai/gpt-4o"), ai.WithPrompt("And now?"))
			if err != nil || got != "It rains." {
				t.Fatalf("%q, %v", got, err)
			}
			want(t, m)
		})
	}
}

// The plugin does not ask for a stream's usage, the transport does.
func TestStream(t *testing.T) {
	m := metertest.Start(t)
	g := start(t, m, transport(m))
	m.LLM.Enqueue(answer())
	text := ""
	_, err := genkit.Generate(t.Context(), g, ai.WithModelName("openai/gpt-4o"), ai.WithPrompt("And now?"),
		ai.WithStreaming(func(_ context.Context, chunk *ai.ModelResponseChunk) error {
			text += chunk.Text()
			return nil
		}))
	if err != nil || text != "It rains." {
		t.Fatalf("%q, %v", text, err)
	}
	want(t, m, "isStreamed", "true")
}

// Tracing backends see Genkit's spans without prompts and answers, and others' spans whole.
func TestWithoutContent(t *testing.T) {
	m := metertest.Start(t)
	whole, without := tracetest.NewSpanRecorder(), tracetest.NewSpanRecorder()
	m.Provider.RegisterSpanProcessor(whole)
	m.Provider.RegisterSpanProcessor(reveniumgenkit.WithoutContent(without))
	g := start(t, m)
	m.LLM.Enqueue(answer())
	flow := genkit.DefineFlow(g, "forecast", func(ctx context.Context, question string) (string, error) {
		return genkit.GenerateText(ctx, g, ai.WithModelName("openai/gpt-4o"), ai.WithPrompt(question))
	})
	if _, err := flow.Run(t.Context(), "And now?"); err != nil {
		t.Fatal(err)
	}
	_, other := m.Provider.Tracer("other").Start(t.Context(), "other")
	other.End()

	if text := all(whole.Ended()); !strings.Contains(text, "And now?") || !strings.Contains(text, "It rains.") {
		t.Error("Genkit's spans have no content any more")
	}
	text := all(without.Ended())
	for _, kept := range []string{"genkit:name=forecast", "genkit:state=success", "genkit:metadata:subtype=model", "genkit:path="} {
		if !strings.Contains(text, kept) {
			t.Errorf("%s is gone from:\n%s", kept, text)
		}
	}
	if len(without.Ended()) != len(whole.Ended()) || strings.Contains(text, "And now?") || strings.Contains(text, "It rains.") {
		t.Errorf("%d of %d spans:\n%s", len(without.Ended()), len(whole.Ended()), text)
	}
	want(t, m) // of spans as they are
}

// all is what spans say, as text.
func all(spans []sdktrace.ReadOnlySpan) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.Name() + "\n")
		for _, kv := range s.Attributes() {
			b.WriteString(string(kv.Key) + "=" + kv.Value.String() + "\n")
		}
	}
	return b.String()
}
