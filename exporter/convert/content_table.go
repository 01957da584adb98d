// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "github.com/revenium/revenium-otel-go/semconv"

// contentPart is what a text is of a call.
type contentPart uint8

const (
	contentSystem contentPart = iota
	contentInput
	contentOutput
	numContentParts
)

// contentSource is an attribute that holds content.
type contentSource struct {
	part contentPart
	// key is the attribute's key. With "*" it stands for a list whose items are spread
	// over attributes, as in "llm.input_messages.*.message.": a number stands for "*",
	// and what follows names a member of the item.
	key string
}

// contentSources are the attributes that hold content, the best of each part first:
// what the conventions say, what instrumentations write message by message, and
// last what holds the whole request or answer of whatever kind.
func contentSources() []contentSource {
	return []contentSource{
		{contentSystem, string(semconv.GenAISystemInstructionsKey)},
		{contentInput, string(semconv.GenAIInputMessagesKey)},
		{contentOutput, string(semconv.GenAIOutputMessagesKey)},
		{contentInput, "llm.input_messages.*.message."}, // OpenInference
		{contentOutput, "llm.output_messages.*.message."},
		{contentInput, "gen_ai.prompt.*."}, // OpenLLMetry, Traceloop
		{contentOutput, "gen_ai.completion.*."},
		{contentInput, "ai.prompt.messages"}, // Vercel AI SDK
		{contentInput, "ai.prompt"},
		{contentOutput, "ai.response.text"},
		{contentOutput, "ai.response.object"},
		{contentOutput, "ai.response.toolCalls"},
		{contentInput, "langfuse.observation.input"},
		{contentOutput, "langfuse.observation.output"},
		{contentInput, "genkit:input"},
		{contentOutput, "genkit:output"},
		{contentInput, "gen_ai.prompt"}, // OpenLIT, LangSmith, older conventions
		{contentOutput, "gen_ai.completion"},
		{contentInput, "request_data"}, // Logfire
		{contentOutput, "response_data"},
		{contentInput, "traceloop.entity.input"},
		{contentOutput, "traceloop.entity.output"},
		{contentInput, "input.value"},
		{contentOutput, "output.value"},
	}
}

// contentEvent is an event of a span that holds one message.
type contentEvent struct {
	name string
	part contentPart
	role string
	// keys are the attributes that hold it, the best first.
	keys []string
}

// contentEvents are the events of the older conventions.
func contentEvents() []contentEvent {
	message := []string{"content", "gen_ai.event.content", "tool_calls"}
	return []contentEvent{
		{"gen_ai.system.message", contentSystem, "system", message},
		{"gen_ai.user.message", contentInput, "user", message},
		{"gen_ai.assistant.message", contentInput, "assistant", message},
		{"gen_ai.tool.message", contentInput, "tool", message},
		{"gen_ai.choice", contentOutput, "assistant", append([]string{"message"}, message...)},
		{"gen_ai.content.prompt", contentInput, "user", []string{"gen_ai.prompt"}},
		{"gen_ai.content.completion", contentOutput, "assistant", []string{"gen_ai.completion"}},
	}
}

// contentDetails are events whose attributes are those of a span.
func contentDetails() []string { return []string{"gen_ai.client.inference.operation.details"} }
