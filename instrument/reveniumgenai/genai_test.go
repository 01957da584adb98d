// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumgenai_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/auth"
	"google.golang.org/genai"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumgenai"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

const model = "gemini-2.5-flash"

func gemini(m *metertest.Meter) *genai.ClientConfig {
	return &genai.ClientConfig{
		Backend: genai.BackendGeminiAPI, APIKey: "no-real-key", HTTPOptions: genai.HTTPOptions{BaseURL: m.LLM.URL()},
	}
}

// tokens are credentials that count how often they are asked for.
type tokens struct{ asked int }

func (p *tokens) Token(context.Context) (*auth.Token, error) {
	p.asked++
	return &auth.Token{Value: "no-real-token", Type: "Bearer", Expiry: time.Now().Add(time.Hour)}, nil
}

func vertex(m *metertest.Meter, provider auth.TokenProvider) *genai.ClientConfig {
	return &genai.ClientConfig{
		Backend: genai.BackendVertexAI, Project: "our-project", Location: "us-central1",
		Credentials: auth.NewCredentials(&auth.CredentialsOptions{TokenProvider: provider}),
		HTTPOptions: genai.HTTPOptions{BaseURL: m.LLM.URL()},
	}
}

func newClient(t *testing.T, m *metertest.Meter, config *genai.ClientConfig, opts ...llmhttp.Option) *genai.Client {
	t.Helper()
	for _, name := range []string{"GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"} {
		t.Setenv(name, "")
	}
	client, err := reveniumgenai.NewClient(t.Context(), config, append(opts, llmhttp.WithTracerProvider(m.Provider))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.ClientConfig().HTTPClient.CloseIdleConnections)
	return client
}

// answer is one that Google counts in five parts.
func answer() llmtest.Answer {
	return llmtest.Answer{Text: "It rains.", Reasoning: "Clouds.", Usage: &llmtest.Usage{
		PromptTokens: 1200, CachedTokens: 1000, ToolUsePromptTokens: 100, CompletionTokens: 50, ReasoningTokens: 20,
	}}
}

// facts are those of that answer.
func facts() metertest.Facts {
	return metertest.Facts{
		"model": model, "provider": "Google", "modelSource": "DIRECT", "operationType": "GENERATE", "costType": "AI",
		"isStreamed": "false", "stopReason": "END", "inputTokenCount": "1200", "cacheReadTokenCount": "1000",
		"outputTokenCount": "50", "reasoningTokenCount": "20", "totalTokenCount": "1250",
	}
}

func TestGenerateContent(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(t, m, gemini(m))
	m.LLM.Enqueue(answer())
	got, err := client.Models.GenerateContent(t.Context(), model, genai.Text("And now?"), nil)
	if err != nil || got.Text() != "It rains." || got.UsageMetadata.ThoughtsTokenCount != 20 {
		t.Fatalf("%+v, %v", got, err)
	}
	m.Want(facts())
}

func TestStream(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(t, m, gemini(m))
	m.LLM.Enqueue(answer())
	text := ""
	for chunk, err := range client.Models.GenerateContentStream(t.Context(), model, genai.Text("And now?"), nil) {
		if err != nil {
			t.Fatal(err)
		}
		text += chunk.Text()
	}
	if text != "It rains." {
		t.Errorf("text %q", text)
	}
	m.Want(facts().With("isStreamed", "true"))
}

// A caller who has read enough of a stream is billed for what was counted until then; one who never reads it has not
// called.
func TestStreamIsLeft(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(t, m, gemini(m))
	a := answer()
	a.Stream = llmtest.Stream{End: llmtest.EndHang, After: 2}
	m.LLM.Enqueue(a)
	_ = client.Models.GenerateContentStream(t.Context(), model, genai.Text("And now?"), nil)
	pieces := 0
	for _, err := range client.Models.GenerateContentStream(t.Context(), model, genai.Text("And now?"), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if pieces++; pieces == 2 {
			break
		}
	}
	records := m.Records()
	if len(records) != 1 || records[0].Text("stopReason") != "CANCELLED" || records[0].Text("inputTokenCount") != "1200" || records[0].Text("outputTokenCount") != "21" {
		t.Errorf("records: %v", records)
	}
}

// The client tries again if it is told to, and does not count; each attempt is a span.
func TestRetries(t *testing.T) {
	m := metertest.Start(t, exporter.WithErrorRecords(convert.ErrorPolicyAll))
	config := gemini(m)
	attempts, delay := int32(3), 1e-3
	config.HTTPOptions.RetryOptions = &genai.HTTPRetryOptions{Attempts: &attempts, InitialDelay: &delay}
	client := newClient(t, m, config)
	m.LLM.Enqueue(llmtest.Fail(http.StatusServiceUnavailable), answer())
	if _, err := client.Models.GenerateContent(t.Context(), model, genai.Text("And now?"), nil); err != nil {
		t.Fatal(err)
	}
	failed := facts().With("cacheReadTokenCount", "", "reasoningTokenCount", "", "inputTokenCount", "0", "outputTokenCount", "0",
		"totalTokenCount", "0", "stopReason", "ERROR", "errorCode", "503")
	m.Want(failed, facts())
}

func TestEmbeddings(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(t, m, gemini(m))
	got, err := client.Models.EmbedContent(t.Context(), "gemini-embedding-2", genai.Text("a sentence"), nil)
	if err != nil || len(got.Embeddings) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	m.Want(metertest.Facts{
		"model": "gemini-embedding-2", "provider": "Google", "modelSource": "DIRECT", "operationType": "EMBED", "costType": "AI",
		"isStreamed": "false", "stopReason": "END", "inputTokenCount": "3", "outputTokenCount": "0", "totalTokenCount": "3",
	})
}

// Counting tokens costs nothing.
func TestCountTokens(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(t, m, gemini(m))
	got, err := client.Models.CountTokens(t.Context(), model, genai.Text("And now?"), nil)
	if err != nil || got.TotalTokens != 9 {
		t.Fatalf("%+v, %v", got, err)
	}
	m.Want()
}

// On Vertex AI requests have the client's credentials, and the configuration stays as it was.
func TestVertex(t *testing.T) {
	m := metertest.Start(t)
	var provider tokens
	config := vertex(m, &provider)
	client := newClient(t, m, config, llmhttp.WithProviderHosts(map[string]string{m.LLM.URL(): "gcp.vertex_ai"}))
	if config.HTTPClient != nil || config.HTTPOptions.APIVersion != "" {
		t.Errorf("the configuration was changed: %+v", config)
	}
	m.LLM.Enqueue(answer(), answer())
	if _, err := client.Models.GenerateContent(t.Context(), model, genai.Text("And now?"), nil); err != nil {
		t.Fatal(err)
	}
	for _, err := range client.Models.GenerateContentStream(t.Context(), model, genai.Text("And now?"), nil) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range m.LLM.Requests() {
		if r.Header.Get("Authorization") != "Bearer no-real-token" || !strings.HasPrefix(r.Path, "/v1beta1/projects/our-project/locations/us-central1/publishers/google/models/"+model) {
			t.Errorf("%s: %v", r.Path, r.Header)
		}
	}
	if provider.asked == 0 {
		t.Error("the credentials were not used")
	}
	m.Want(facts(), facts().With("isStreamed", "true"))
}

// A client for HTTP that the configuration has is used, and stays as it is.
func TestOwnHTTPClient(t *testing.T) {
	m := metertest.Start(t)
	config := gemini(m)
	config.HTTPClient = m.LLM.Client()
	before := config.HTTPClient.Transport
	client := newClient(t, m, config)
	m.LLM.Enqueue(answer())
	if _, err := client.Models.GenerateContent(t.Context(), model, genai.Text("And now?"), nil); err != nil {
		t.Fatal(err)
	}
	if config.HTTPClient.Transport != before {
		t.Error("the client's transport was changed")
	}
	m.Want(facts())
}

func TestBadConfiguration(t *testing.T) {
	for _, name := range []string{"GOOGLE_API_KEY", "GEMINI_API_KEY"} {
		t.Setenv(name, "")
	}
	if _, err := reveniumgenai.NewClient(t.Context(), nil); err == nil {
		t.Error("no error without a key")
	}
}
