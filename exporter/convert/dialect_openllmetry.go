// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

// openLLMetry are Traceloop's instrumentations for Python, JavaScript and Go.
func openLLMetry() dialect {
	return dialect{
		name: "openllmetry",
		recognition: recognition{
			keys: []string{"traceloop.*", "llm.request.type", "llm.usage.*"},
			scopes: []string{
				"@traceloop/*", "traceloop.tracer", "github.com/traceloop/*",
				"opentelemetry.instrumentation.openai", "opentelemetry.instrumentation.anthropic",
				"opentelemetry.instrumentation.bedrock", "opentelemetry.instrumentation.cohere",
				"opentelemetry.instrumentation.crewai", "opentelemetry.instrumentation.google_generativeai",
				"opentelemetry.instrumentation.groq", "opentelemetry.instrumentation.haystack",
				"opentelemetry.instrumentation.langchain", "opentelemetry.instrumentation.llamaindex",
				"opentelemetry.instrumentation.mcp", "opentelemetry.instrumentation.mistralai",
				"opentelemetry.instrumentation.ollama", "opentelemetry.instrumentation.openai_agents",
				"opentelemetry.instrumentation.replicate", "opentelemetry.instrumentation.sagemaker",
				"opentelemetry.instrumentation.together", "opentelemetry.instrumentation.transformers",
				"opentelemetry.instrumentation.vertexai", "opentelemetry.instrumentation.voyageai",
				"opentelemetry.instrumentation.watsonx", "opentelemetry.instrumentation.writer",
			},
		},
		sources:   named("tool:toolId", "traceloop.entity.name"),
		exclusive: exclusiveBedrock,
	}
}

// openInference are Arize's instrumentations.
func openInference() dialect {
	return dialect{
		name: "openinference",
		recognition: recognition{
			keys:   []string{"openinference.span.kind"},
			scopes: []string{"openinference.instrumentation", "@arizeai/*"},
		},
		names: []nameRule{
			// BeeAI makes a span of every event of a call.
			{"*.chat.success*", "model_chunk"},
			{"*.chat.finish*", "model_chunk"},
			{"*.newToken*", "model_chunk"},
		},
		refine: openInferenceNames(),
		sources: all(
			inside(fieldProvider, "metadata", "ls_provider"),
			inside(fieldRequestModel, "metadata", "ls_model_name"),
			inside(fieldRequestModel, "llm.invocation_parameters", "model", "model_name"),
			inside(fieldRequestModel, "embedding.invocation_parameters", "model"),
			inside(fieldRequestModel, "input.value", "model"),
			inside(fieldStream, "llm.invocation_parameters", "stream"),
			inside(fieldResponseID, "output.value", "id", "generations.0.0.message.kwargs.id", "response_id"),
			optional("subscriber.id", "user.id"),
			optionalInside("subscriber.id", "metadata", "user_id"),
			optional("traceId", "session.id"),
			optionalInside("traceId", "metadata", "session_id", "thread_id"),
		),
		// Bedrock's Converse API is reported as it comes; so is the total, which shows
		// it where there is one.
		exclusive: exclusiveNever,
	}
}

// openInferenceNames are the names of spans that tell what kind of a call an LLM
// span is.
func openInferenceNames() []nameRule {
	return []nameRule{
		{"Completion", "text_completion"},
		{"GenerateContent", "generate_content"},
		{"AsyncGenerateContent", "generate_content"},
		{"GenerateContentStream", "generate_content"},
		{"ImagesResponse", "image_generation"},
		{"ImageGeneration", "image_generation"},
		{"CreateEmbeddings", "embeddings"},
		{"CountTokens", "count_tokens"},
	}
}

// openLIT is OpenLIT for Python, JavaScript and Go. It often works on somebody
// else's tracer, and is known by what it writes onto each span.
func openLIT() dialect {
	return dialect{
		name: "openlit",
		recognition: recognition{
			keys:      []string{"openlit.*"},
			values:    []keyValue{{"telemetry.sdk.name", "openlit"}},
			scopes:    []string{"openlit*", "@openlit/*"},
			resources: []keyValue{{"telemetry.sdk.name", "openlit"}},
		},
		exclusive: exclusiveClaude,
	}
}
