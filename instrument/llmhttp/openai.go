// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

// openAIRequest is the format of requests to OpenAI's chat completions,
// completions and embeddings, and to all servers that are compatible with them.
var openAIRequest = &requestTable{content: openAIRequestContent, wanted: newTree([]want{
	{path: "model", field: reqModel},
	{path: "stream", field: reqStream},
	{path: "n", field: reqChoices},
	{path: "max_tokens", field: reqMaxTokens},
	{path: "max_completion_tokens", field: reqMaxTokensNewer},
	{path: "seed", field: reqSeed},
	{path: "random_seed", field: reqSeed}, // Mistral
	{path: "dimensions", field: reqDimensions},
	{path: "temperature", field: reqTemperature},
	{path: "top_p", field: reqTopP},
	{path: "top_k", field: reqTopK}, // vLLM, OpenRouter and others
	{path: "frequency_penalty", field: reqFrequencyPenalty},
	{path: "presence_penalty", field: reqPresencePenalty},
	{path: "stop", field: reqStop},
	{path: "stop[]", field: reqStop},
	{path: "encoding_format", field: reqEncoding},
	{path: "service_tier", field: reqServiceTier},
	{path: "reasoning_effort", field: reqEffort},
	{path: "reasoning.effort", field: reqEffort}, // OpenRouter
	{path: "messages", field: reqMessages, presence: true},
	{path: "prompt", field: reqInput, presence: true},
	{path: "input", field: reqInput, presence: true},
	{path: "stream_options", field: reqStreamOptions},
	{path: "stream_options[]"}, // to see that it is an array, which no server takes
	{path: "stream_options.include_usage", field: reqIncludeUsage, presence: true},
})}

// openAIReply is the format of answers to chat completions, completions and
// embeddings, plain or streamed.
var openAIReply = &replyTable{
	tokens: openAITokens, content: openAIReplyContent,
	wanted: newTree([]want{
		{path: "id", field: rspID},
		{path: "model", field: rspModel},
		{path: "service_tier", field: rspTier},
		{path: "system_fingerprint", field: rspFingerprint},
		{path: "object", field: rspObject},
		{path: "choices", field: rspChoices},
		{path: "choices[]", field: rspChoice},
		{path: "choices[].index", field: rspIndex},
		{path: "choices[].finish_reason", field: rspFinish},
		// The first content, whatever it is made of.
		{path: "choices[].text", field: rspContent, presence: true},
		{path: "choices[].delta.content", field: rspContent, presence: true},
		{path: "choices[].delta.refusal", field: rspContent, presence: true},
		{path: "choices[].delta.reasoning", field: rspContent, presence: true},
		{path: "choices[].delta.reasoning_content", field: rspContent, presence: true},
		{path: "choices[].delta.tool_calls", field: rspContent, presence: true},
		{path: "choices[].delta.function_call", field: rspContent, presence: true},
		{path: "choices[].delta.audio", field: rspContent, presence: true},
		{path: "choices[].message.content", field: rspContent, presence: true},
	}, openAIErrors, openAIUsageFields("usage", rspUsage), openAIUsageFields("x_groq.usage", rspUsageAside)),
}

// openAIErrors are the places of errors: OpenAI's object, a text, fields of the
// root.
var openAIErrors = []want{
	{path: "error", field: rspError},
	{path: "error.code", field: rspErrorCode},
	{path: "error.type", field: rspErrorType},
	{path: "error.status", field: rspErrorStatus},
	{path: "error.status_code", field: rspErrorHTTPStatus},
	{path: "code", field: rspRootCode},
	{path: "type", field: rspRootType},
}

// openAIUsageFields lists what is wanted of the usage object at path, by the field
// of the object.
func openAIUsageFields(path string, object field) []want {
	return append(under(path, []want{
		{path: "prompt_tokens", field: counting(inputTokens)},
		{path: "completion_tokens", field: counting(outputTokens)},
		{path: "total_tokens", field: counting(totalTokens)},
		{path: "prompt_tokens_details", closed: true},
		{path: "completion_tokens_details", closed: true},
		{path: "prompt_tokens_details.cached_tokens", field: counting(cacheReadTokens)},
		{path: "prompt_cache_hit_tokens", field: counting(cacheReadTokens)},                            // DeepSeek
		{path: "num_cached_tokens", field: counting(cacheReadTokens)},                                  // Mistral
		{path: "cached_tokens", field: counting(cacheReadTokens)},                                      // Together, Moonshot
		{path: "cache_read_input_tokens", field: counting(cacheReadTokens)},                            // LiteLLM
		{path: "prompt_tokens_details.cache_write_tokens", field: counting(cacheWriteTokens)},          // OpenAI, OpenRouter
		{path: "prompt_tokens_details.cache_creation_tokens", field: counting(cacheWriteTokens)},       // LiteLLM
		{path: "prompt_tokens_details.cache_creation_input_tokens", field: counting(cacheWriteTokens)}, // Alibaba
		{path: "cache_creation_input_tokens", field: counting(cacheWriteTokens)},                       // LiteLLM, Vercel
		{path: "prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens", field: counting(cacheWrite5mTokens)},
		{path: "prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens", field: counting(cacheWrite1hTokens)},
		{path: "prompt_tokens_details.cache_creation.ephemeral_5m_input_tokens", field: counting(cacheWrite5mTokens)}, // Alibaba
		{path: "prompt_tokens_details.audio_tokens", field: counting(inputAudioTokens)},
		{path: "prompt_tokens_details.image_tokens", field: counting(inputImageTokens)},
		{path: "prompt_audio_seconds", field: counting(inputAudioSeconds)}, // Mistral
		{path: "completion_tokens_details.reasoning_tokens", field: counting(reasoningTokens)},
		{path: "completion_tokens_details.audio_tokens", field: counting(outputAudioTokens)},
		{path: "completion_tokens_details.image_tokens", field: counting(outputImageTokens)},
		{path: "reasoning_tokens", field: counting(reasoningBesideTokens)},                  // Perplexity
		{path: "num_search_queries", field: counting(webSearches)},                          // Perplexity
		{path: "server_tool_use.web_search_requests", field: counting(webSearches)},         // LiteLLM
		{path: "server_tool_use_details.web_search_requests", field: counting(webSearches)}, // OpenRouter
		{path: "num_sources_used", field: counting(sourcesUsed)},                            // xAI
		{path: "cost", field: rspCost},                                                      // OpenRouter, Vercel
		{path: "cost.total_cost", field: rspCost},                                           // Perplexity
		{path: "cost_in_usd_ticks", field: rspCostTicks},                                    // xAI
	}), append(known(path, openAIKnownUsage...), want{path: path, field: object, closed: true})...)
}

// openAIKnownUsage are members of usages that count nothing beyond what other
// members count: parts, times, prices and other words for the same.
var openAIKnownUsage = []string{
	"prompt_tokens_details.text_tokens", "prompt_tokens_details.video_tokens", "prompt_tokens_details.cache_creation_token_details",
	"completion_tokens_details.text_tokens", "completion_tokens_details.video_tokens",
	"completion_tokens_details.accepted_prediction_tokens", "completion_tokens_details.rejected_prediction_tokens",
	"prompt_cache_miss_tokens",                                   // DeepSeek
	"prompt_time", "completion_time", "total_time", "queue_time", // Groq
	"cost_details", "cost.input_tokens_cost", "cost.output_tokens_cost", "cost.request_cost", "market_cost", "estimated_cost",
	"citation_tokens", "search_context_size", // Perplexity
	"audio_prompt_tokens", // xAI on Azure
	"request_count",       // Mistral
	"extra_properties",    // Vertex AI
}

// known lists places that are known and not wanted.
func known(path string, members ...string) []want {
	wanted := make([]want, 0, len(members))
	for _, member := range members {
		wanted = append(wanted, want{path: path + "." + member})
	}
	return wanted
}
