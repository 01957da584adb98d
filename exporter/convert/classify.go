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
	// classMedia: a call that yields images, audio or video.
	classMedia
	// classCall: a call that is priced by tokens.
	classCall
)

// operation is what an operation name means.
type operation struct {
	// name is the word of the OpenTelemetry conventions for it.
	name  string
	class class
	typ   metering.OperationType
}

// operations is the table of operation names, in lower case. Only what is a call
// in this table is billed: instrumentations invent operations, and one that is
// billed by mistake costs somebody money.
func operations() map[string]operation {
	m := make(map[string]operation)
	add := func(name string, c class, typ metering.OperationType, words ...string) {
		for _, word := range append(words, name) {
			m[word] = operation{name: name, class: c, typ: typ}
		}
	}
	add("chat", classCall, metering.OperationChat,
		"chat.completions", "chat_completions", "chat_completion", "completion", "acompletion", "responses", "aresponses")
	add("generate_content", classCall, metering.OperationGenerate)
	add("text_completion", classCall, metering.OperationGenerate, "atext_completion")
	add("embeddings", classCall, metering.OperationEmbed, "embedding", "aembedding")
	add("rerank", classCall, metering.OperationRerank, "arerank")
	add("realtime_inference", classCall, metering.OperationChat, "realtime")

	add("image_generation", classMedia, metering.OperationImage, "image", "aimage_generation", "image_edit", "aimage_edit", "image_variation")
	add("speech", classMedia, metering.OperationAudio, "aspeech", "text_to_speech")
	add("transcription", classMedia, metering.OperationAudio, "atranscription", "speech_to_text")
	add("translation", classMedia, metering.OperationAudio)
	add("video_generation", classMedia, metering.OperationVideo, "video")

	add("invoke_agent", classAggregate, "", "agent", "agent_run", "agent_step")
	add("invoke_workflow", classAggregate, "", "workflow", "chain", "framework")
	add("orchestrate_tools", classAggregate, "", "model_generation",
		"execute_event_loop_cycle", "execute_agent_loop_cycle")

	add("execute_tool", classNever, "", "tool", "tools/call", "execute_task", "task")
	add("retrieval", classNever, "", "retrieve", "search", "query")
	add("create_agent", classNever, "", "plan")
	add("fetch_response", classNever, "", "tokenize", "count_tokens", "model_chunk")
	add("memory", classNever, "", "create_memory", "update_memory", "delete_memory", "search_memory",
		"create_memory_store", "delete_memory_store", "upsert_memory")
	add("evaluate", classNever, "", "evaluation", "guardrail", "moderation")
	return m
}

// requestTypes are the values of llm.request.type that mean something else than
// they do as an operation name.
func requestTypes() map[string]string { return map[string]string{"completion": "text_completion"} }

// outputMedia is what the values of gen_ai.output.type mean that are no text.
func outputMedia(outputType string) metering.OperationType {
	switch outputType {
	case "image":
		return metering.OperationImage
	case "speech", "audio":
		return metering.OperationAudio
	case "video":
		return metering.OperationVideo
	default:
		return ""
	}
}

// find looks a word up in a table whose keys are in lower case.
func find[V any](table map[string]V, word string) (V, bool) {
	if v, ok := table[word]; ok {
		return v, true
	}
	v, ok := table[strings.ToLower(strings.TrimSpace(word))]
	return v, ok
}

// classify says what the span is about, and the reason if that is nothing that is
// billed.
func (w *work) classify() (operation, Reason) {
	x := &w.extract
	op, known := w.operation()
	switch {
	case known:
	case x.get(fieldOperation) != nil || x.get(fieldRequestType) != nil:
		if w.c.cfg.unknown == "" || !w.hasProvider() || !w.hasModel() || !w.hasUsage() {
			return op, ReasonUnknownOperation
		}
		op = operation{name: "other", class: classCall, typ: w.c.cfg.unknown}
	case !w.looksLikeCall():
		return op, ReasonNoCall
	default:
		op = w.c.operations["chat"]
	}
	switch op.class {
	case classAggregate:
		return op, ReasonAggregate
	case classMedia:
		return op, ReasonMedia
	case classCall:
		if outputMedia(x.text(fieldOutputType)) != "" {
			return op, ReasonMedia
		}
		return op, ""
	default:
		return op, ReasonNotBillable
	}
}

// operation looks the span's operation up.
func (w *work) operation() (operation, bool) {
	if name := w.extract.text(fieldOperation); name != "" {
		op, ok := find(w.c.operations, name)
		return op, ok
	}
	if name := w.extract.text(fieldRequestType); name != "" {
		if word, ok := find(w.c.requestTypes, name); ok {
			name = word
		}
		op, ok := find(w.c.operations, name)
		return op, ok
	}
	// Some spans say it in their name alone.
	op, ok := w.c.operations[w.name]
	return op, ok && op.class == classAggregate
}

// looksLikeCall decides about a span that names no operation. Usage and a model
// of its own make a call; so do a provider and a model, unless the span is about
// a request of another kind, onto which a gateway copied them.
func (w *work) looksLikeCall() bool {
	if !w.hasModel() {
		return false
	}
	return w.hasUsage() || w.hasProvider() && w.extract.get(fieldOther) == nil
}

func (w *work) hasModel() bool {
	return w.extract.get(fieldResponseModel) != nil || w.extract.get(fieldRequestModel) != nil
}

func (w *work) hasProvider() bool { return w.extract.get(fieldProvider) != nil }

func (w *work) hasUsage() bool {
	return w.extract.get(fieldInput) != nil || w.extract.get(fieldOutput) != nil
}
