// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumopenai_test

import (
	"errors"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"

	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

func responseParams() responses.ResponseNewParams {
	return responses.ResponseNewParams{
		Model: "gpt-4o", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("And now?")},
	}
}

func TestResponses(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(m, metering(m))
	a := answer()
	a.Reasoning, a.ToolCalls, a.HostedTools = "Clouds.", []llmtest.ToolCall{{Name: "weather", Arguments: `{"city":"Delft"}`}}, []string{"web_search_call"}
	m.LLM.Enqueue(a)
	got, err := client.Responses.New(t.Context(), responseParams())
	if err != nil || got.OutputText() != "It rains." || len(got.Output) != 4 || got.Output[3].Name != "weather" || got.Usage.OutputTokensDetails.ReasoningTokens != 20 {
		t.Fatalf("%+v, %v", got, err)
	}
	records := m.Records()
	if len(records) != 1 || records[0].Text("inputTokenCount") != "1200" || records[0].Text("cacheReadTokenCount") != "1024" ||
		records[0].Text("totalTokenCount") != "1250" || records[0].Text("stopReason") != "END" || records[0].Text("model") != "gpt-4o-2024-08-06" {
		t.Errorf("records: %v", records)
	}
}

// The usage of a response is in the last event of its stream, whether the answer is whole or not.
func TestResponsesStream(t *testing.T) {
	for finish, stop := range map[string]string{"stop": "END", "length": "TOKEN_LIMIT"} {
		m := metertest.Start(t)
		client := newClient(m, metering(m))
		a := answer()
		a.FinishReason = finish
		m.LLM.Enqueue(a)
		stream := client.Responses.NewStreaming(t.Context(), responseParams())
		text := ""
		for stream.Next() {
			text += stream.Current().AsResponseOutputTextDelta().Delta
		}
		if err := errors.Join(stream.Err(), stream.Close()); err != nil || text != "It rains." {
			t.Fatalf("%q, %v", text, err)
		}
		m.Want(facts().With("isStreamed", "true", "stopReason", stop))
	}
}

// A response in the background is billed when it is seen to be done, once.
func TestBackground(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(m, metering(m))
	a := answer()
	a.Polls = 2
	m.LLM.Enqueue(a)
	asked := responseParams()
	asked.Background = openai.Bool(true)
	got, err := client.Responses.New(t.Context(), asked)
	for range 4 {
		if err != nil {
			t.Fatal(err)
		}
		got, err = client.Responses.Get(t.Context(), got.ID, responses.ResponseGetParams{})
	}
	if got.Status != "completed" || got.OutputText() != "It rains." {
		t.Errorf("%+v", got)
	}
	m.Want(facts())
}

// Counting and moderating cost nothing.
func TestNotBilled(t *testing.T) {
	m := metertest.Start(t)
	client := newClient(m, metering(m))
	m.LLM.Enqueue(llmtest.Answer{Flagged: []string{"violence"}})
	moderation, err := client.Moderations.New(t.Context(), openai.ModerationNewParams{Input: openai.ModerationNewParamsInputUnion{OfString: openai.String("x")}})
	if err != nil || !moderation.Results[0].Flagged || !moderation.Results[0].Categories.Violence {
		t.Fatalf("%+v, %v", moderation, err)
	}
	m.Want()
}
