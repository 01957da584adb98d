// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

// aiSDKLegacy are the spans of the Vercel AI SDK itself. A root goes around one
// span per step, which is the call.
func aiSDKLegacy() dialect {
	return dialect{
		name: "ai-sdk",
		recognition: recognition{
			keys:      []string{"ai.operationId"},
			values:    []keyValue{{"operation.name", "ai.*"}},
			spanNames: []string{"ai.generate*", "ai.stream*", "ai.embed*", "ai.toolCall*"},
		},
		kinds: map[string]string{
			"ai.generatetext": "invoke_agent", "ai.streamtext": "invoke_agent",
			"ai.generateobject": "invoke_agent", "ai.streamobject": "invoke_agent",
			"ai.embed": "invoke_agent", "ai.embedmany": "invoke_agent", "ai.rerank": "invoke_agent",
			"ai.generatetext.dogenerate": "chat", "ai.generateobject.dogenerate": "chat",
			"ai.streamtext.dostream": "chat", "ai.streamobject.dostream": "chat",
			"ai.embed.doembed": "embeddings", "ai.embedmany.doembed": "embeddings", "ai.rerank.dorerank": "rerank",
			"ai.generateimage": "image_generation", "ai.generateimage.dogenerate": "image_generation",
			"ai.generatespeech": "speech", "ai.transcribe": "transcription",
			"ai.toolcall": "execute_tool",
		},
		streams: map[string]bool{
			"ai.generatetext.dogenerate": false, "ai.generateobject.dogenerate": false,
			"ai.streamtext.dostream": true, "ai.streamobject.dostream": true,
		},
		sources: all(
			from(fieldKind, "ai.operationId"),
			in(fieldKind, unitFirstWord, "operation.name"),
			aiSDKMetadata(),
		),
		// Versions 4 and 5. Later ones write the part that was not cached beside the
		// input, which shows that the input is all of it.
		exclusive: exclusiveClaude,
	}
}

// aiSDK is the AI SDK's own package for the conventions, of version 7.
func aiSDK() dialect {
	return dialect{
		name:        "ai-sdk-otel",
		recognition: recognition{scopes: []string{"gen_ai"}},
		sources:     aiSDKMetadata(),
	}
}

// aiSDKMetadata is where the SDK keeps what the provider reported and it has no
// name for, and the headers that it was asked to send.
func aiSDKMetadata() []source {
	const metadata = "ai.response.providerMetadata"
	return all(
		inside(fieldUncached, metadata, "anthropic.usage.input_tokens", "bedrock.usage.inputTokens"),
		inside(fieldCacheRead, metadata,
			"anthropic.usage.cache_read_input_tokens", "anthropic.cacheReadInputTokens", "bedrock.usage.cacheReadInputTokens",
			"openai.cachedPromptTokens"),
		inside(fieldCacheCreation, metadata,
			"anthropic.usage.cache_creation_input_tokens", "anthropic.cacheCreationInputTokens", "bedrock.usage.cacheWriteInputTokens"),
		inside(fieldCacheCreation5m, metadata, "anthropic.usage.cache_creation.ephemeral_5m_input_tokens"),
		inside(fieldCacheCreation1h, metadata, "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"),
		inside(fieldReasoning, metadata, "openai.reasoningTokens"),
		requestHeaders("ai.request.headers."),
	)
}
