// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"strings"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// class is what kind of a thing a span is about. Every span that looks like GenAI
// is of exactly one class.
type class uint8

const (
	// classNever: calls no model.
	classNever class = iota + 1
	// classAggregate: goes around calls, and repeats or sums their usage.
	classAggregate
	// classTool: the execution of a tool.
	classTool
	// classMedia: a call that yields images, audio or video.
	classMedia
	// classCall: a call that is priced by tokens.
	classCall
)

// isCall reports whether it is a call of a model.
func (c class) isCall() bool { return c == classCall || c == classMedia }

// classOf is the class of the calls that have an operation type.
func classOf(t metering.OperationType) class {
	if recordOf(t) == inCompletion {
		return classCall
	}
	return classMedia
}

// operation is what an operation name means.
type operation struct {
	// name is the word of the OpenTelemetry conventions for it.
	name  string
	class class
	typ   metering.OperationType
	// subtype refines the type of media.
	subtype string
	// withUsage: it is a call only where usage and a model are on the span.
	withUsage bool
}

// operations is the table of operation names, in lower case. Only what is a call
// in this table is billed: instrumentations invent operations, and one that is
// billed by mistake costs somebody money.
func operations() map[string]operation {
	m := make(map[string]operation)
	add := func(op operation, words ...string) {
		for _, word := range append(words, op.name) {
			m[word] = op
		}
	}
	callOperations(add)
	mediaOperations(add)

	add(operation{name: "invoke_agent", class: classAggregate},
		"agent", "agent_run", "agent_step", "agent_call", "orchestrate_tools", "process_thread_run", "start_thread_run")
	add(operation{name: "invoke_workflow", class: classAggregate},
		"workflow", "chain", "framework", "flow", "util", "span")
	add(operation{name: "model_generation", class: classAggregate})
	add(operation{name: "execute_event_loop_cycle", class: classAggregate}, "execute_agent_loop_cycle")

	add(operation{name: "execute_tool", class: classTool}, "tool", "tool_call", "tools/call")
	never := func(name string, words ...string) {
		add(operation{name: name, class: classNever}, words...)
	}
	never("execute_task", "task", "step", "function")
	never("retrieval", "retrieve", "retriever", "search", "query")
	never("create_agent", "plan", "create_thread", "create_message", "list_messages", "list_run_steps",
		"get_thread_run", "submit_tool_outputs", "update_agent", "delete_agent")
	never("fetch_response", "tokenize", "count_tokens", "token_counter", "model_chunk", "event", "prompt")
	never("mcp", "initialize", "ping", "tools/list", "resources/list", "resources/read", "resources/templates/list",
		"resources/subscribe", "resources/unsubscribe", "prompts/list", "prompts/get", "completion/complete",
		"logging/setlevel", "roots/list", "sampling/createmessage", "elicitation/create")
	never("memory", "create_memory", "update_memory", "delete_memory", "search_memory",
		"create_memory_store", "delete_memory_store", "upsert_memory")
	// What a guardrail asks of a model is a call of its own, beneath it.
	never("evaluate", "evaluation", "evaluator", "score", "guardrail")
	return m
}

// callOperations are priced by tokens.
func callOperations(add func(op operation, words ...string)) {
	call := func(name string, typ metering.OperationType, words ...string) {
		add(operation{name: name, class: classCall, typ: typ}, words...)
	}
	call("chat", metering.OperationChat,
		"chat.completions", "chat_completions", "chat_completion", "chat.completion", "completion", "completions", "acompletion",
		"responses", "response", "aresponses", "messages", "message", "anthropic_messages", "converse", "conversestream",
		"llm", "generation", "model", "llm.chat")
	call("generate_content", metering.OperationGenerate,
		"agenerate_content", "generate_content_stream", "agenerate_content_stream", "generatecontent", "llm_call", "call_llm")
	call("text_completion", metering.OperationGenerate, "atext_completion", "text.completion", "text_completions")
	call("embeddings", metering.OperationEmbed, "embedding", "aembedding", "embed", "embed_content", "embedder")
	call("rerank", metering.OperationRerank, "arerank", "reranker")
	call("realtime_inference", metering.OperationChat, "realtime", "arealtime", "_arealtime")
	call("moderation", metering.OperationModeration, "moderations", "amoderation")
	// Most guardrails are rules, not models.
	add(operation{name: "apply_guardrail", class: classCall, typ: metering.OperationGuardrail, withUsage: true},
		"guardrails")
}

// mediaOperations are priced by what they yield.
func mediaOperations(add func(op operation, words ...string)) {
	media := func(name string, typ metering.OperationType, subtype string, words ...string) {
		add(operation{name: name, class: classMedia, typ: typ, subtype: subtype}, words...)
	}
	media("image_generation", metering.OperationImage, "generation",
		"image", "images", "aimage_generation", "images.generate", "image_generate")
	media("image_edit", metering.OperationImage, "edit", "aimage_edit", "images.edit")
	media("image_variation", metering.OperationImage, "variation", "aimage_variation", "images.create_variation")
	media("speech", metering.OperationAudio, "speech", "aspeech", "text_to_speech", "audio.speech")
	media("transcription", metering.OperationAudio, "transcription", "atranscription", "speech_to_text", "audio.transcription")
	media("translation", metering.OperationAudio, "translation", "audio.translation")
	media("audio", metering.OperationAudio, "")
	media("video_generation", metering.OperationVideo, "generation", "video", "avideo_generation", "create_video")
}

// requestTypes are the values of llm.request.type that mean something else than
// they do as an operation name.
func requestTypes() map[string]string { return map[string]string{"completion": "text_completion"} }

// outputMedia is what the values of gen_ai.output.type mean that are no text.
func outputMedia(outputType string) string {
	switch outputType {
	case "image":
		return "image_generation"
	case "speech":
		return "speech"
	case "audio":
		return "audio"
	case "video":
		return "video_generation"
	default:
		return ""
	}
}

// mediaTypes are the operations that the types of media in revenium.operation.type
// stand for.
func mediaTypes() map[string]string {
	return map[string]string{"image": "image_generation", "audio": "audio", "video": "video_generation"}
}

// find looks a word up in a table whose keys are in lower case.
func find[V any](table map[string]V, word string) (V, bool) {
	if v, ok := table[word]; ok {
		return v, true
	}
	v, ok := table[strings.ToLower(strings.TrimSpace(word))]
	return v, ok
}
