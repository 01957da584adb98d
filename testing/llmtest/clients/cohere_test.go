// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"

	cohere "github.com/cohere-ai/cohere-go/v2"
	"github.com/cohere-ai/cohere-go/v2/client"
	"github.com/cohere-ai/cohere-go/v2/option"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wholeBodies is a transport whose answers come in one piece. This client stumbles over the empty line at the end of an
// event if it comes without the next event.
type wholeBodies struct{ http.RoundTripper }

func (w wholeBodies) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func newCohere(m *metertest.Meter) *client.Client {
	return client.NewClient(
		option.WithBaseURL(m.LLM.URL()), option.WithToken("no-real-key"),
		option.WithHTTPClient(llmhttp.Client(&http.Client{Transport: wholeBodies{m.LLM.Client().Transport}}, llmhttp.WithTracerProvider(m.Provider),
			llmhttp.WithProviderHosts(map[string]string{m.LLM.URL(): "cohere"}))),
	)
}

const model = "command-a-03-2025"

func messages() cohere.ChatMessages {
	return cohere.ChatMessages{{Role: "user", User: &cohere.UserMessageV2{Content: &cohere.UserMessageV2Content{String: "And now?"}}}}
}

func answer() llmtest.Answer {
	return llmtest.Answer{Text: "It rains.", Usage: &llmtest.Usage{PromptTokens: 7, CompletionTokens: 21}}
}

// facts are those of that answer: what is billed, and not what the model saw.
func facts() metertest.Facts {
	return metertest.Facts{
		"model": model, "provider": "Cohere", "modelSource": "DIRECT", "operationType": "CHAT", "costType": "AI", "isStreamed": "false",
		"stopReason": "END", "inputTokenCount": "7", "outputTokenCount": "21", "totalTokenCount": "28",
	}
}

func TestCohereChat(t *testing.T) {
	m := metertest.Start(t)
	m.LLM.Enqueue(answer())
	got, err := newCohere(m).V2.Chat(t.Context(), &cohere.V2ChatRequest{Model: model, Messages: messages()})
	if err != nil || got.Message.Content[0].Text.Text != "It rains." || *got.Usage.BilledUnits.InputTokens != 7 || *got.Usage.Tokens.InputTokens != 69 {
		t.Fatalf("%v, %v", got, err)
	}
	m.Want(facts())
}

func TestCohereStream(t *testing.T) {
	m := metertest.Start(t)
	m.LLM.Enqueue(answer())
	stream, err := newCohere(m).V2.ChatStream(t.Context(), &cohere.V2ChatStreamRequest{Model: model, Messages: messages()})
	if err != nil {
		t.Fatal(err)
	}
	text, finish := "", ""
	for {
		event, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case event.ContentDelta != nil:
			text += *event.ContentDelta.Delta.Message.Content.Text
		case event.MessageEnd != nil:
			finish = string(*event.MessageEnd.Delta.FinishReason)
		}
	}
	if err := stream.Close(); err != nil || text != "It rains." || finish != "COMPLETE" {
		t.Fatalf("%q, %s, %v", text, finish, err)
	}
	m.Want(facts().With("isStreamed", "true"))
}

// The client tries again by itself and does not count.
func TestCohereRetries(t *testing.T) {
	m := metertest.Start(t, exporter.WithErrorRecords(convert.ErrorPolicyNone))
	failed := llmtest.Fail(http.StatusTooManyRequests)
	failed.Header = http.Header{"Retry-After": {"0"}}
	m.LLM.Enqueue(failed, answer())
	if _, err := newCohere(m).V2.Chat(t.Context(), &cohere.V2ChatRequest{Model: model, Messages: messages()}); err != nil {
		t.Fatal(err)
	}
	if n := len(m.LLM.Requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
	m.Want(facts())
}

func TestCohereEmbed(t *testing.T) {
	m := metertest.Start(t)
	got, err := newCohere(m).V2.Embed(t.Context(), &cohere.V2EmbedRequest{
		Model: "embed-v4.0", Texts: []string{"Hello", "There you"}, InputType: cohere.EmbedInputTypeSearchQuery,
		EmbeddingTypes: []cohere.EmbeddingType{cohere.EmbeddingTypeFloat},
	})
	if err != nil || len(got.Embeddings.Float) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	m.Want(facts().With("model", "embed-v4.0", "operationType", "EMBED", "inputTokenCount", "5", "outputTokenCount", "0", "totalTokenCount", "5"))
}

// A rerank is billed by its searches.
func TestCohereRerank(t *testing.T) {
	m := metertest.Start(t)
	recorder := tracetest.NewSpanRecorder()
	m.Provider.RegisterSpanProcessor(recorder)
	m.LLM.Enqueue(llmtest.Answer{Ranking: []llmtest.Ranked{{Index: 1, Score: 0.9}}, Usage: &llmtest.Usage{SearchUnits: 2}})
	got, err := newCohere(m).V2.Rerank(t.Context(), &cohere.V2RerankRequest{Model: "rerank-v3.5", Query: "ruby", Documents: []string{"a", "b"}})
	if err != nil || len(got.Results) != 1 || got.Results[0].Index != 1 || *got.Meta.BilledUnits.SearchUnits != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	m.Records()
	for _, kv := range recorder.Ended()[0].Attributes() {
		if kv.Key == "revenium.usage.search_units" && kv.Value.AsInt64() == 2 {
			return
		}
	}
	t.Errorf("no search units: %v", recorder.Ended()[0].Attributes())
}
