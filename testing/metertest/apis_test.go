// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metertest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

const (
	openAIChat = `"messages":[{"role":"user","content":"And now?"}]`
	converse   = `{"messages":[{"role":"user","content":[{"text":"And now?"}]}]}`
	contents   = `{"contents":[{"role":"user","parts":[{"text":"And now?"}]}]}`
	prompt     = `{"prompt":"And now?"}`
	claude     = "/model/us.anthropic.claude-opus-4-20250514-v1%3A0/"
	vertex     = "/v1/projects/p/locations/l/publishers/"
)

// What an answer used is said once, and is billed the same whichever API it was written for: the providers' different
// ways of counting cancel out. Nothing that is written is unknown to the transport.
func TestOneAnswerAllAPIs(t *testing.T) {
	var drift []string
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { drift = append(drift, err.Error()) }))
	t.Cleanup(func() { otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {})) })

	for name, tc := range map[string]struct {
		path, body string
		stream     string // the path of a stream, or what its body has more; "" for none
		provider   string // of the host, where the path alone does not tell
		// What an API cannot tell.
		noCache, noWrites, noReasoning bool
	}{
		"OpenAI chat":        {path: "/v1/chat/completions", body: `{"model":"m",` + openAIChat + `}`, stream: `"stream":true,"stream_options":{"include_usage":true},`},
		"OpenAI responses":   {path: "/v1/responses", body: `{"model":"m","input":"And now?"}`, stream: `"stream":true,`},
		"OpenAI completions": {path: "/v1/completions", body: `{"model":"m","prompt":"And now?"}`, stream: `"stream":true,"stream_options":{"include_usage":true},`},
		"Anthropic":          {path: "/v1/messages", body: `{"model":"m","max_tokens":9,` + openAIChat + `}`, stream: `"stream":true,`},
		"Anthropic, Vertex":  {path: vertex + "anthropic/models/m:rawPredict", body: `{"max_tokens":9,` + openAIChat + `}`, stream: `"stream":true,`},
		"Gemini":             {path: "/v1beta/models/m:generateContent", body: contents, stream: "/v1beta/models/m:streamGenerateContent?alt=sse", noWrites: true},
		"Gemini, lists":      {path: "/v1beta/models/m:generateContent?$alt=json%3Benum-encoding%3Dint", body: contents, stream: "/v1beta/models/m:streamGenerateContent?$alt=json%3Benum-encoding%3Dint", noWrites: true},
		"Gemini, Vertex":     {path: vertex + "google/models/m:generateContent", body: contents, stream: vertex + "google/models/m:streamGenerateContent?alt=sse", noWrites: true},
		"Bedrock Converse":   {path: claude + "converse", body: converse, stream: claude + "converse-stream", noReasoning: true},
		"Bedrock Claude":     {path: claude + "invoke", body: `{"anthropic_version":"x","max_tokens":9,` + openAIChat + `}`, stream: claude + "invoke-with-response-stream"},
		"Bedrock Nova":       {path: "/model/amazon.nova-pro-v1%3A0/invoke", body: converse, stream: "/model/amazon.nova-pro-v1%3A0/invoke-with-response-stream", noReasoning: true},
		"Bedrock Mistral":    {path: "/model/mistral.mistral-7b-instruct-v0%3A2/invoke", body: prompt, stream: "/model/mistral.mistral-7b-instruct-v0%3A2/invoke-with-response-stream", noReasoning: true},
		"Bedrock Command":    {path: "/model/cohere.command-r-v1%3A0/invoke", body: prompt, stream: "/model/cohere.command-r-v1%3A0/invoke-with-response-stream", noReasoning: true},
		"Cohere":             {path: "/v2/chat", body: `{"model":"m",` + openAIChat + `}`, stream: `"stream":true,`, provider: "cohere", noCache: true, noWrites: true, noReasoning: true},
		"Cohere 1":           {path: "/v1/chat", body: `{"model":"m","message":"And now?"}`, stream: `"stream":true,`, provider: "cohere", noCache: true, noWrites: true, noReasoning: true},
		"Ollama chat":        {path: "/api/chat", body: `{"model":"m","stream":false,` + openAIChat + `}`, stream: `"stream":true,`, noCache: true, noWrites: true, noReasoning: true},
		"Ollama generate":    {path: "/api/generate", body: `{"model":"m","stream":false,"prompt":"And now?"}`, stream: `"stream":true,`, noCache: true, noWrites: true, noReasoning: true},
	} {
		for _, streamed := range []bool{false, true} {
			t.Run(name+map[bool]string{false: "", true: ", streamed"}[streamed], func(t *testing.T) {
				drift = nil
				m := metertest.Start(t)
				m.LLM.Enqueue(llmtest.Answer{Text: "It rains.", Usage: &llmtest.Usage{
					PromptTokens: 1200, CachedTokens: 1000, CacheWriteTokens: 100, CompletionTokens: 50, ReasoningTokens: 20,
				}})
				opts := []llmhttp.Option{llmhttp.WithTracerProvider(m.Provider)}
				if tc.provider != "" {
					opts = append(opts, llmhttp.WithProviderHosts(map[string]string{m.LLM.URL(): tc.provider}))
				}
				path, body := tc.path, tc.body
				switch {
				case streamed && strings.HasPrefix(tc.stream, "/"):
					path = tc.stream
				case streamed:
					body = "{" + tc.stream + strings.Replace(body[1:], `"stream":false,`, "", 1)
				}
				exchange(t, llmhttp.Client(m.LLM.Client(), opts...), m.LLM.URL()+path, body)

				records := m.Records()
				if len(records) != 1 {
					t.Fatalf("%d records\n%s", len(records), m.Report())
				}
				want := map[string]string{
					"outputTokenCount": "50", "totalTokenCount": "1250", "stopReason": "END", "cacheReadTokenCount": "1000",
					"cacheCreationTokenCount": "100", "reasoningTokenCount": "20", "isStreamed": map[bool]string{false: "false", true: "true"}[streamed],
				}
				if tc.noCache {
					want["cacheReadTokenCount"] = ""
				}
				if tc.noWrites {
					want["cacheCreationTokenCount"] = ""
				}
				if tc.noReasoning {
					want["reasoningTokenCount"] = ""
				}
				for field, value := range want {
					if got := records[0].Text(field); got != value {
						t.Errorf("%s: %q, want %q", field, got, value)
					}
				}
				if len(drift) > 0 {
					t.Errorf("not known to the transport: %q", drift)
				}
			})
		}
	}
}

// TestAnthropicComplete: the API before messages never says what was used, so that
// nothing can be billed, and the report says so.
func TestAnthropicComplete(t *testing.T) {
	for _, stream := range []string{"false", "true"} {
		m := metertest.Start(t)
		exchange(t, llmhttp.Client(m.LLM.Client(), llmhttp.WithTracerProvider(m.Provider)), m.LLM.URL()+"/v1/complete",
			`{"model":"claude-2.1","prompt":"\n\nHuman: And now?\n\nAssistant:","max_tokens_to_sample":20,"stream":`+stream+`}`)
		if records := m.Records(); len(records) != 0 {
			t.Errorf("stream %s: records %v", stream, records)
		}
		if r := m.Report(); r.Converted != 1 || r.SkippedBy["no usage"] != 1 {
			t.Errorf("stream %s: report\n%s", stream, r)
		}
	}
}

func exchange(t *testing.T, client *http.Client, url, body string) {
	t.Helper()
	resp, err := client.Post(url, "application/json", strings.NewReader(body)) //nolint:noctx // an in-process server
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %v\n%s", resp.Status, err, text)
	}
}
