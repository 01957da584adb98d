// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package semconv

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"
)

// IsLLMSpan reports whether a span shows, by the name and the attributes that it
// starts with, that it is about an LLM call or something around one, such as an
// agent or a tool. Spans that say so only later are not recognised.
func IsLLMSpan(name string, attributes []attribute.KeyValue) bool {
	for i := range attributes {
		if llmAttribute(string(attributes[i].Key)) {
			return true
		}
	}
	return llmName(name)
}

// llmAttribute reports whether a key shows that a span is about an LLM call or
// something around one: the OpenTelemetry GenAI conventions, our own, or those of
// the instrumentations whose spans package convert understands.
func llmAttribute(key string) bool {
	namespace, _, dotted := strings.Cut(key, ".")
	if !dotted {
		return strings.HasPrefix(namespace, "genkit:")
	}
	switch namespace {
	case "gen_ai", "revenium",
		"llm", "openinference", "traceloop", // OpenInference, OpenLLMetry
		"ai", // Vercel AI SDK
		"langfuse", "langsmith", "braintrust",
		"litellm", "bifrost", "genkit", "mastra", "openlit", "codex",
		"openai", "anthropic", "mcp":
		return true
	default:
		return strings.HasPrefix(namespace, "genkit:")
	}
}

// llmName reports whether a span's name is one that LLM calls have: the
// operations of the OpenTelemetry GenAI conventions, alone or in front of a model
// ("chat gpt-4o"), and the fixed names of older instrumentations.
func llmName(name string) bool {
	operation, _, _ := strings.Cut(name, " ")
	switch operation {
	case "chat", "text_completion", "generate_content", "embeddings",
		"invoke_agent", "invoke_workflow", "create_agent", "execute_tool",
		"image_generation", "image_edit", "speech", "transcription", "translation", "video_generation",
		"rerank", "moderation", "tools/call":
		return true
	case "openai.chat", "openai.completion", "openai.embeddings", "openai.response",
		"anthropic.chat", "anthropic.completion", "anthropic.messages.create",
		"litellm_request", "raw_gen_ai_request", "call_llm",
		"ChatCompletion", "CreateEmbeddings":
		return true
	default:
		return strings.HasPrefix(name, "ai.generateText") || strings.HasPrefix(name, "ai.streamText") ||
			strings.HasPrefix(name, "ai.generateObject") || strings.HasPrefix(name, "ai.streamObject") ||
			strings.HasPrefix(name, "ai.embed")
	}
}
