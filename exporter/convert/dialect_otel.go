// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/semconv"
)

// otelConventions are the OpenTelemetry GenAI conventions, their older names, and
// the names that widely used instrumentations write beside them.
func otelConventions() dialect {
	var sources []source
	add := func(f field, keys ...attribute.Key) {
		for _, key := range keys {
			sources = append(sources, source{field: f, key: string(key)})
		}
	}
	add(fieldOperation, semconv.GenAIOperationNameKey)
	add(fieldRequestType, semconv.LLMRequestTypeKey)
	add(fieldOutputType, semconv.GenAIOutputTypeKey)
	add(fieldSkip, semconv.ReveniumMeteringSkipKey)
	add(fieldProvider, semconv.GenAIProviderNameKey, semconv.GenAISystemKey, semconv.LLMVendorKey, semconv.LLMProviderKey)
	add(fieldResponseModel, semconv.GenAIResponseModelKey, semconv.LLMResponseModelKey)
	add(fieldRequestModel, semconv.GenAIRequestModelKey, semconv.LLMRequestModelKey, semconv.LLMModelNameKey)
	add(fieldResponseID, semconv.GenAIResponseIDKey)

	add(fieldInput, semconv.GenAIUsageInputTokensKey, semconv.GenAIUsagePromptTokensKey,
		semconv.LLMUsagePromptTokensKey, semconv.LLMTokenCountPromptKey)
	add(fieldOutput, semconv.GenAIUsageOutputTokensKey, semconv.GenAIUsageCompletionTokensKey,
		semconv.LLMUsageCompletionTokensKey, semconv.LLMTokenCountCompletionKey)
	add(fieldTotal, semconv.GenAIUsageTotalTokensKey, semconv.LLMUsageTotalTokensKey, semconv.LLMTokenCountTotalKey)
	add(fieldCacheRead, semconv.GenAIUsageCacheReadInputTokensKey,
		"gen_ai.usage.cache_read_input_tokens", semconv.GenAIUsageCacheReadTokensKey)
	add(fieldCacheCreation, semconv.GenAIUsageCacheCreationInputTokensKey, semconv.GenAIUsageCacheWriteInputTokensKey,
		"gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.cache_write_input_tokens",
		semconv.GenAIUsageCacheCreationTokensKey)
	add(fieldCacheCreation5m, semconv.ReveniumUsageCacheCreation5mTokensKey)
	add(fieldCacheCreation1h, semconv.ReveniumUsageCacheCreation1hTokensKey)
	add(fieldReasoning, semconv.GenAIUsageReasoningOutputTokensKey, semconv.GenAIUsageReasoningTokensKey,
		semconv.GenAIUsageOutputTokensReasoningKey)
	add(fieldPartial, semconv.ReveniumUsagePartialKey)

	add(fieldFinish, semconv.GenAIResponseFinishReasonsKey, semconv.GenAIResponseFinishReasonKey,
		semconv.LLMResponseFinishReasonKey)
	add(fieldStream, semconv.GenAIRequestStreamKey, semconv.ReveniumRequestStreamKey,
		"gen_ai.request.is_stream", "gen_ai.is_streaming", semconv.LLMIsStreamingKey)
	sources = append(sources,
		source{fieldFirstToken, string(semconv.GenAIResponseTimeToFirstChunkKey), unitSeconds},
		source{fieldFirstToken, string(semconv.GenAIServerTimeToFirstTokenKey), unitSecondsFloat},
		source{fieldFirstToken, string(semconv.ReveniumTimeToFirstTokenKey), unitMilliseconds},
	)
	add(fieldErrorType, semconv.ErrorTypeKey)
	add(fieldHTTPStatus, semconv.HTTPResponseStatusCodeKey)
	add(fieldServer, semconv.ServerAddressKey)
	// LiteLLM's own instrumentation and its users show themselves by these.
	add(fieldLiteLLM, "litellm.call_id", "litellm.provider.model", "litellm.call_type")
	// What an HTTP or database span is about is not a call of a model, although
	// gateways copy the model's name onto it.
	add(fieldOther, "db.system.name", "db.system", "http.request.method", "http.method", "mcp.method.name")
	return dialect{name: "otel", sources: sources, basis: InputInclusive}
}

// otelCompileTime is OpenTelemetry's compile-time instrumentation of Go.
func otelCompileTime() dialect {
	return dialect{
		name:   "otel-go-compile-time",
		scopes: []string{"go.opentelemetry.io/otelc/"},
		sources: []source{
			{fieldFirstToken, "gen_ai.response.time_to_first_token", unitMicroseconds},
		},
		basis: InputInclusive,
	}
}
