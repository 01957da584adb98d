// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/semconv"
)

// commonSources are the names that every dialect is read by: those of the
// OpenTelemetry GenAI conventions, their older names, and those that
// instrumentations put on spans beside them. Several vocabularies on one span are
// normal, which is why they are ranked and never added up.
func commonSources() []source {
	return all(
		commonIdentity(),
		commonInput(),
		commonOutput(),
		commonCourse(),
		commonAttribution(),
		commonUnits(),
	)
}

// keysOf is from with keys of the conventions.
func keysOf(f field, keys ...attribute.Key) []source {
	list := make([]source, 0, len(keys))
	for _, key := range keys {
		list = append(list, source{field: f, key: string(key)})
	}
	return list
}

// commonIdentity is what was called.
func commonIdentity() []source {
	return all(
		keysOf(fieldOperation, semconv.GenAIOperationNameKey, "openinference.span.kind", "traceloop.span.kind"),
		keysOf(fieldRequestType, semconv.LLMRequestTypeKey, "mcp.method.name"),
		keysOf(fieldOutputType, semconv.GenAIOutputTypeKey),
		keysOf(fieldSkip, semconv.ReveniumMeteringSkipKey),
		keysOf(fieldProvider,
			semconv.GenAIProviderNameKey, semconv.GenAISystemKey, semconv.LLMProviderKey, "ai.model.provider",
			"langsmith.metadata.ls_provider", "traceloop.association.properties.ls_provider",
			"llm.system", semconv.LLMVendorKey),
		keysOf(fieldResponseModel,
			semconv.GenAIResponseModelKey, "ai.response.model", "llm.response.model_name", semconv.LLMResponseModelKey,
			"langfuse.observation.model.name", "embedding.model_name", semconv.LLMModelNameKey),
		keysOf(fieldRequestModel,
			semconv.GenAIRequestModelKey, "ai.model.id", "llm.request.model_name", semconv.LLMRequestModelKey,
			"litellm.provider.model", "langsmith.metadata.ls_model_name"),
		keysOf(fieldResponseID, semconv.GenAIResponseIDKey, "ai.response.id"),
		keysOf(fieldRequestID, "anthropic.request.id", "aws.request_id", "aws.request.id", "gcp.vertex.agent.event_id"),
		keysOf(fieldCallID, "litellm.call_id"),
		keysOf(fieldToolCallID, semconv.GenAIToolCallIDKey, "ai.toolCall.id"),
		keysOf(fieldServer, semconv.ServerAddressKey),
		// LiteLLM's own instrumentation and its users show themselves by these.
		keysOf(fieldLiteLLM, "litellm.call_id", "litellm.provider.model", "litellm.call_type"),
		// What an HTTP or database span is about is not a call of a model, although
		// gateways copy the model's name onto it.
		keysOf(fieldOther, "db.system.name", "db.system", "http.request.method", "http.method", "mcp.method.name"),
		keysOf(fieldAggregated, "gen_ai.aggregated_usage.input_tokens", "gen_ai.aggregated_usage.output_tokens"),
	)
}

// commonInput is what went in.
func commonInput() []source {
	return all(
		keysOf(fieldInput,
			semconv.GenAIUsageInputTokensKey, semconv.GenAIUsagePromptTokensKey,
			"ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens",
			semconv.LLMUsagePromptTokensKey, semconv.LLMTokenCountPromptKey, "gen_ai.response.prompt_tokens"),
		keysOf(fieldTotal,
			semconv.GenAIUsageTotalTokensKey, "ai.usage.totalTokens", semconv.LLMUsageTotalTokensKey,
			semconv.LLMTokenCountTotalKey, "gen_ai.client.token.usage"),
		keysOf(fieldUncached, "ai.usage.inputTokenDetails.noCacheTokens"),
		keysOf(fieldCacheRead,
			semconv.GenAIUsageCacheReadInputTokensKey, "gen_ai.usage.cache_read_input_tokens", semconv.GenAIUsageCacheReadTokensKey,
			"ai.usage.inputTokenDetails.cacheReadTokens", "ai.usage.cachedInputTokens",
			"gen_ai.usage.prompt_token_details.cached_read_tokens", "gen_ai.usage.prompt_tokens_details.cache_read",
			"gen_ai.usage.input_cached_tokens", "gen_ai.usage.details.cache_read_tokens",
			"llm.token_count.prompt_details.cache_read",
			// Sentry's, and the providers' own words behind the prefix.
			"gen_ai.usage.input_tokens.cached", "gen_ai.usage.prompt_tokens_details.cached_tokens",
			"gen_ai.usage.input_tokens_details.cached_tokens", "gen_ai.usage.cached_tokens"),
		inside(fieldCacheRead, "gen_ai.usage.input_token_details", "cache_read"),
		keysOf(fieldCacheCreation,
			semconv.GenAIUsageCacheCreationInputTokensKey, semconv.GenAIUsageCacheWriteInputTokensKey,
			"gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.cache_write_input_tokens",
			semconv.GenAIUsageCacheCreationTokensKey, "ai.usage.inputTokenDetails.cacheWriteTokens",
			"gen_ai.usage.prompt_token_details.cached_write_tokens", "gen_ai.usage.prompt_tokens_details.cache_write",
			"gen_ai.usage.input_cache_creation", "gen_ai.usage.details.cache_write_tokens",
			"llm.token_count.prompt_details.cache_write", "llm.token_count.prompt_details.cache_creation",
			"gen_ai.usage.input_tokens.cache_write"),
		inside(fieldCacheCreation, "gen_ai.usage.input_token_details", "cache_creation"),
		keysOf(fieldCacheCreation5m,
			semconv.ReveniumUsageCacheCreation5mTokensKey, "anthropic.usage.cache_creation.ephemeral_5m_input_tokens"),
		inside(fieldCacheCreation5m, "gen_ai.usage.input_token_details", "ephemeral_5m_input_tokens"),
		keysOf(fieldCacheCreation1h,
			semconv.ReveniumUsageCacheCreation1hTokensKey, "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"),
		inside(fieldCacheCreation1h, "gen_ai.usage.input_token_details", "ephemeral_1h_input_tokens"),
	)
}

// commonOutput is what came out.
func commonOutput() []source {
	return all(
		keysOf(fieldOutput,
			semconv.GenAIUsageOutputTokensKey, semconv.GenAIUsageCompletionTokensKey,
			"ai.usage.outputTokens", "ai.usage.completionTokens",
			semconv.LLMUsageCompletionTokensKey, semconv.LLMTokenCountCompletionKey, "gen_ai.response.completion_tokens"),
		keysOf(fieldReasoning,
			semconv.GenAIUsageReasoningOutputTokensKey, semconv.GenAIUsageReasoningTokensKey, semconv.GenAIUsageOutputTokensReasoningKey,
			"ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens",
			"gen_ai.usage.completion_token_details.reasoning_tokens", "gen_ai.usage.completion_tokens_details.reasoning",
			"gen_ai.usage.details.reasoning_tokens", "gen_ai.usage.details.thoughts_tokens",
			"llm.token_count.completion_details.reasoning", "llm.usage.reasoning_tokens",
			"gen_ai.usage.completion_tokens_details.reasoning_tokens", "gen_ai.usage.output_tokens_details.reasoning_tokens"),
		inside(fieldReasoning, "gen_ai.usage.output_token_details", "reasoning"),
		keysOf(fieldPartial, semconv.ReveniumUsagePartialKey),
		keysOf(fieldMissing, semconv.ReveniumUsageMissingKey),
	)
}

// commonCourse is how the call went.
func commonCourse() []source {
	return all(
		keysOf(fieldFinish,
			semconv.GenAIResponseFinishReasonsKey, semconv.GenAIResponseFinishReasonKey, "anthropic.message.stop_reason",
			"ai.response.finishReason", "llm.finish_reason", semconv.LLMResponseFinishReasonKey, "gen_ai.completion.0.finish_reason"),
		inside(fieldFinish, "gen_ai.output.messages", "*.finish_reason"),
		keysOf(fieldStream,
			semconv.GenAIRequestStreamKey, semconv.ReveniumRequestStreamKey,
			"gen_ai.request.is_stream", "gen_ai.is_streaming", semconv.LLMIsStreamingKey, "litellm.request.streaming"),
		in(fieldFirstToken, unitSeconds, string(semconv.GenAIResponseTimeToFirstChunkKey)),
		in(fieldFirstToken, unitSeconds, "gen_ai.client.operation.time_to_first_chunk"),
		in(fieldFirstToken, unitSecondsFloat, string(semconv.GenAIServerTimeToFirstTokenKey)),
		in(fieldFirstToken, unitSecondsFloat, "gen_ai.server.ttft"),
		in(fieldFirstToken, unitMilliseconds, string(semconv.ReveniumTimeToFirstTokenKey)),
		in(fieldFirstToken, unitMilliseconds, "ai.response.msToFirstChunk"),
		keysOf(fieldErrorType, semconv.ErrorTypeKey),
		keysOf(fieldHTTPStatus, semconv.HTTPResponseStatusCodeKey, "http.status_code", "status_code"),
	)
}

// commonUnits is what calls of media and executions of tools are about.
func commonUnits() []source {
	const parameters = "llm.invocation_parameters"
	return all(
		named("tool:toolId", "ai.toolCall.name", "tool.name", "mcp.tool.name"),
		as("image:requestedImageCount", inside(numCoreFields, parameters, "n")),
		as("image:resolution", inside(numCoreFields, parameters, "size")),
		named("image:resolution", "gen_ai.request.image_size"),
		as("image:quality", inside(numCoreFields, parameters, "quality")),
		named("image:quality", "gen_ai.request.image_quality"),
		as("image:style", inside(numCoreFields, parameters, "style")),
		named("image:style", "gen_ai.request.image_style"),
		named("audio:voice", "gen_ai.request.audio_voice"),
		named("audio:audioFormat", "gen_ai.request.audio_response_format"),
		named("audio:speed", "gen_ai.request.audio_speed"),
		named("audio:inputAudioTokenCount", "gen_ai.usage.input_audio_tokens", "llm.token_count.prompt_details.audio"),
		named("audio:outputAudioTokenCount", "gen_ai.usage.output_audio_tokens", "llm.token_count.completion_details.audio"),
	)
}

// commonAttribution is what instrumentations say about a call that has a field of
// the record, and about whom it was made for.
func commonAttribution() []source {
	return all(
		named("effort", "gen_ai.request.reasoning.level", "gen_ai.request.reasoning_effort", "codex.request.reasoning_effort"),
		named("actualServiceTier", "anthropic.response.service_tier", "gen_ai.response.service_tier"),
		optional("subscriber.id", "traceloop.association.properties.user_id", "langfuse.user.id",
			"ai.telemetry.metadata.userId", "ai.settings.context.userId", "langsmith.metadata.user_id", "mastra.metadata.userId"),
		optional("organizationName", "traceloop.association.properties.organization", "ai.telemetry.metadata.organization",
			"ai.settings.context.tenant", "langsmith.metadata.organization"),
		optional("traceId", "langfuse.session.id", "traceloop.association.properties.session_id",
			"ai.telemetry.metadata.sessionId", "ai.settings.context.sessionId", "langsmith.metadata.session_id", "mastra.metadata.sessionId"),
		optional("traceName", "langfuse.trace.name", "traceloop.workflow.name"),
		optional("agent", "ai.telemetry.functionId", "langgraph_node"),
		optional("taskType", "traceloop.entity.name"),
		requestHeaders("http.request.header."),
	)
}
