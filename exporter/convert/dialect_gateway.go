// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

// liteLLM is LiteLLM's own callback, of version 1 and 2. The call is on a span of
// its own or on the root span of the proxy.
func liteLLM() dialect {
	return dialect{
		name: "litellm",
		recognition: recognition{
			keys:      []string{"litellm.*", "hidden_params", "metadata.user_api_key_*"},
			spanNames: []string{"litellm_request", "raw_gen_ai_request", "* Proxy Server Request"},
			scopes:    []string{"litellm"},
		},
		names: []nameRule{
			{"raw_gen_ai_request", "model_chunk"},
			{"Failed Proxy Server Request", "invoke_workflow"},
		},
		sources: all(
			from(fieldOperation, "gen_ai.operation.name", "litellm.call_type"),
			from(fieldProvider, "gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
			in(fieldProvider, unitVendor, "litellm.provider.model"),
			liteLLMUsage("metadata.usage_object"),
			liteLLMUsage("litellm.metadata.usage_object"),
			as("mediationLatency", inside(numCoreFields, "hidden_params", "litellm_overhead_time_ms")),
			from(fieldErrorMessage, "exception"),
			headerDocument("metadata.requester_custom_headers"),
			// What the proxy knows of the key that the request came with.
			named("organizationName", "metadata.user_api_key_team_alias", "litellm.team.alias",
				"metadata.user_api_key_org_alias", "litellm.metadata.user_api_key_org_alias"),
			optional("organizationName", "metadata.user_api_key_team_id", "litellm.team.id", "metadata.user_api_key_org_id"),
			named("subscriber.email", "metadata.user_api_key_user_email", "litellm.metadata.user_api_key_user_email"),
			named("subscriber.credential.name", "metadata.user_api_key_alias", "litellm.metadata.user_api_key_alias"),
			optional("subscriber.id", "metadata.user_api_key_end_user_id", "litellm.end_user.id",
				"metadata.user_api_key_user_id", "litellm.metadata.user_api_key_user_id"),
		),
	}
}

// liteLLMUsage is the provider's usage as LiteLLM keeps it: what Python prints of
// an object.
func liteLLMUsage(key string) []source {
	return all(
		inside(fieldCacheRead, key, "prompt_tokens_details.cached_tokens", "cache_read_input_tokens"),
		inside(fieldCacheCreation, key, "cache_creation_input_tokens", "prompt_tokens_details.cache_creation_tokens"),
		inside(fieldReasoning, key, "completion_tokens_details.reasoning_tokens"),
	)
}

// envoy is the Envoy AI Gateway in the words of the conventions. It passes on
// Anthropic's input as it comes.
func envoy() dialect {
	return dialect{
		name:        "envoy-ai-gateway",
		recognition: recognition{scopes: []string{"envoyproxy/ai-gateway"}},
		exclusive:   exclusiveClaude,
	}
}

// envoyOpenInference is the same gateway in the words of OpenInference.
func envoyOpenInference() dialect {
	d := openInference()
	d.name = "envoy-ai-gateway-openinference"
	d.recognition = recognition{scopes: []string{"envoyproxy/ai-gateway"}, requires: "openinference.span.kind"}
	d.quirks = firstTokenAtEnd
	return d
}

// kong is the Kong AI Gateway. The tool that the model asked for is on the span of
// the call.
func kong() dialect {
	return dialect{
		name:        "kong",
		recognition: recognition{spanNames: []string{"kong.gen_ai"}},
	}
}

// bifrost is the Bifrost gateway. It has a span for each attempt.
func bifrost() dialect {
	return dialect{
		name: "bifrost",
		recognition: recognition{
			keys:      []string{"bifrost.*"},
			resources: []keyValue{{"telemetry.sdk.name", "bifrost"}},
		},
		sources: all(
			in(fieldFirstToken, unitSeconds, "gen_ai.response.time_to_first_chunk"),
			in(fieldFirstToken, unitNanoseconds, "gen_ai.response.time_to_first_token"),
			named("retryNumber", "bifrost.attempt"),
			optional("organizationName", "bifrost.team.name", "bifrost.customer.name", "bifrost.team.id", "bifrost.customer.id"),
			optional("subscriber.credential.name", "bifrost.virtual_key.name", "bifrost.virtual_key.id"),
		),
	}
}

// openRouter are the spans that OpenRouter's cloud sends about calls that its
// callers have spans of their own for.
func openRouter() dialect {
	return dialect{
		name:        "openrouter",
		recognition: recognition{scopes: []string{"openrouter"}},
		gateway:     "openrouter",
	}
}
