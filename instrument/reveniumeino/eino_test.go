// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumeino_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/cloudwego/eino-ext/components/model/openai"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/components/tool/utils"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumeino"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

func newModel(t *testing.T, m *metertest.Meter) *openai.ChatModel {
	t.Helper()
	model, err := openai.NewChatModel(t.Context(), &openai.ChatModelConfig{
		Model: "gpt-4o", APIKey: "no-real-key", BaseURL: m.LLM.BaseURL(),
		HTTPClient: reveniumeino.Client(m.LLM.Client(), llmhttp.WithTracerProvider(m.Provider)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func question() []*schema.Message { return []*schema.Message{schema.UserMessage("And now?")} }

func answer() llmtest.Answer {
	return llmtest.Answer{Text: "It rains.", Usage: &llmtest.Usage{PromptTokens: 1200, CachedTokens: 1024, CompletionTokens: 50, ReasoningTokens: 20}}
}

// facts are those of that answer.
func facts() metertest.Facts {
	return metertest.Facts{
		"model": "gpt-4o", "provider": "OpenAI", "modelSource": "DIRECT", "operationType": "CHAT", "costType": "AI",
		"isStreamed": "false", "stopReason": "END", "actualServiceTier": "default", "inputTokenCount": "1200",
		"cacheReadTokenCount": "1024", "outputTokenCount": "50", "reasoningTokenCount": "20", "totalTokenCount": "1250",
	}
}

func TestGenerate(t *testing.T) {
	m := metertest.Start(t)
	m.LLM.Enqueue(answer())
	got, err := newModel(t, m).Generate(t.Context(), question())
	if err != nil || got.Content != "It rains." {
		t.Fatalf("%v, %v", got, err)
	}
	m.Want(facts())
}

func TestStream(t *testing.T) {
	m := metertest.Start(t)
	m.LLM.Enqueue(answer())
	stream, err := newModel(t, m).Stream(t.Context(), question())
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text += piece.Content
	}
	stream.Close()
	if text != "It rains." {
		t.Errorf("text %q", text)
	}
	m.Want(facts().With("isStreamed", "true"))
}

func TestCancelledStream(t *testing.T) {
	m := metertest.Start(t)
	a := answer()
	a.Stream = llmtest.Stream{End: llmtest.EndHang, After: 3}
	m.LLM.Enqueue(a)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := newModel(t, m).Stream(ctx, question())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	cancel()
	for err == nil {
		_, err = stream.Recv()
	}
	stream.Close()
	records := m.Records()
	if len(records) != 1 || records[0].Text("stopReason") != "CANCELLED" || records[0].Text("totalTokenCount") != "0" {
		t.Errorf("records: %v", records)
	}
}

// weather is a tool, which fails for one city.
func weather(t *testing.T) tool.BaseTool {
	t.Helper()
	type place struct {
		City string `json:"city"`
	}
	made, err := utils.InferTool("weather", "the weather of a city", func(_ context.Context, p place) (string, error) {
		if p.City == "Atlantis" {
			return "", errors.New("no such city")
		}
		return "rain", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// forecast is a graph: a call of the model, and of the tool that it wants.
func forecast(t *testing.T, m *metertest.Meter) compose.Runnable[[]*schema.Message, []*schema.Message] {
	t.Helper()
	tools, err := compose.NewToolNode(t.Context(), &compose.ToolsNodeConfig{Tools: []tool.BaseTool{weather(t)}})
	if err != nil {
		t.Fatal(err)
	}
	chain := compose.NewChain[[]*schema.Message, []*schema.Message]()
	chain.AppendChatModel(newModel(t, m)).AppendToolsNode(tools)
	run, err := chain.Compile(t.Context(), compose.WithGraphName("forecast"))
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func toolAnswer(city string) llmtest.Answer {
	a := answer()
	a.Text, a.ToolCalls = "", []llmtest.ToolCall{{ID: "call_1", Name: "weather", Arguments: `{"city":"` + city + `"}`}}
	return a
}

// spanOf finds the only span of that name.
func spanOf(t *testing.T, recorder *tracetest.SpanRecorder, name string) sdktrace.ReadOnlySpan {
	t.Helper()
	var found []sdktrace.ReadOnlySpan
	var names []string
	for _, s := range recorder.Ended() {
		if names = append(names, s.Name()); s.Name() == name {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans %q in %q", len(found), name, names)
	}
	return found[0]
}

// The handler's spans say what the calls belong to, and are not billed themselves.
func TestHandler(t *testing.T) {
	m := metertest.Start(t)
	recorder := tracetest.NewSpanRecorder()
	m.Provider.RegisterSpanProcessor(recorder)
	m.LLM.Enqueue(toolAnswer("Delft"))
	handler := reveniumeino.Handler(instrument.WithTracerProvider(m.Provider))
	got, err := forecast(t, m).Invoke(t.Context(), question(), compose.WithCallbacks(handler))
	if err != nil || len(got) != 1 || got[0].Content != `rain` {
		t.Fatalf("%v, %v", got, err)
	}
	workflow, call, execution := spanOf(t, recorder, "invoke_workflow forecast"), spanOf(t, recorder, "chat gpt-4o"), spanOf(t, recorder, "execute_tool weather")
	for _, s := range []sdktrace.ReadOnlySpan{call, execution} {
		if s.Parent().SpanID() != workflow.SpanContext().SpanID() {
			t.Errorf("%s is not in the workflow", s.Name())
		}
	}
	if id := attribute(execution, "gen_ai.tool.call.id"); id != "call_1" {
		t.Errorf("id of the tool's call: %q", id)
	}
	m.Want(facts().With("traceName", "forecast"))
}

func attribute(s sdktrace.ReadOnlySpan, key string) string {
	for _, kv := range s.Attributes() {
		if string(kv.Key) == key {
			return kv.Value.String()
		}
	}
	return ""
}

// Errors end the spans that they pass.
func TestHandlerErrors(t *testing.T) {
	m := metertest.Start(t)
	recorder := tracetest.NewSpanRecorder()
	m.Provider.RegisterSpanProcessor(recorder)
	handler := compose.WithCallbacks(reveniumeino.Handler(instrument.WithTracerProvider(m.Provider)))
	m.LLM.Enqueue(toolAnswer("Atlantis"))
	if _, err := forecast(t, m).Invoke(t.Context(), question(), handler); err == nil {
		t.Error("no error")
	}
	for _, name := range []string{"invoke_workflow forecast", "execute_tool weather"} {
		if kind := attribute(spanOf(t, recorder, name), "error.type"); kind != "_OTHER" {
			t.Errorf("%s: error.type %q", name, kind)
		}
	}
	recorder.Reset()
	m.LLM.Enqueue(llmtest.Fail(http.StatusTooManyRequests))
	if _, err := forecast(t, m).Invoke(t.Context(), question(), handler); err == nil {
		t.Error("no error")
	}
	if kind := attribute(spanOf(t, recorder, "invoke_workflow forecast"), "error.type"); kind == "" {
		t.Error("the workflow did not fail")
	}
}

// The output of a graph that is a stream reaches its caller whole; the handler holds nothing of it.
func TestHandlerStreams(t *testing.T) {
	m := metertest.Start(t)
	recorder := tracetest.NewSpanRecorder()
	m.Provider.RegisterSpanProcessor(recorder)
	m.LLM.Enqueue(answer())
	chain := compose.NewChain[[]*schema.Message, *schema.Message]()
	chain.AppendChatModel(newModel(t, m))
	run, err := chain.Compile(t.Context(), compose.WithGraphName("answer"))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := run.Stream(t.Context(), question(), compose.WithCallbacks(reveniumeino.Handler(instrument.WithTracerProvider(m.Provider))))
	if err != nil {
		t.Fatal(err)
	}
	message, err := schema.ConcatMessageStream(stream)
	if err != nil || message.Content != "It rains." {
		t.Fatalf("%v, %v", message, err)
	}
	records := m.Records()
	if len(records) != 1 || records[0].Text("traceName") != "answer" || records[0].Text("totalTokenCount") != "1250" || records[0].Text("isStreamed") != "true" {
		t.Errorf("records: %v", records)
	}
	spanOf(t, recorder, "invoke_workflow answer")
}
