// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

// responsesRequest is the format of requests to OpenAI's Responses API.
var responsesRequest = &requestTable{content: responsesRequestContent, wanted: newTree([]want{
	{path: "model", field: reqModel},
	{path: "stream", field: reqStream},
	{path: "background", field: reqBackground},
	{path: "max_output_tokens", field: reqMaxTokens},
	{path: "temperature", field: reqTemperature},
	{path: "top_p", field: reqTopP},
	{path: "service_tier", field: reqServiceTier},
	{path: "reasoning.effort", field: reqEffort},
	{path: "conversation", field: reqConversation},
	{path: "conversation.id", field: reqConversation},
	{path: "input", field: reqInput, presence: true},
	{path: "prompt", field: reqInput, presence: true}, // one that is kept by OpenAI
	{path: "previous_response_id", field: reqInput, presence: true},
})}

// responsesReply is the format of answers of the Responses API: a response, or
// events about one.
var responsesReply = &replyTable{
	tokens: openAITokens, content: responsesReplyContent,
	settle: settleResponse,
	kinds: map[string]kind{
		"response.completed": kindDone, "response.incomplete": kindDone, "response.failed": kindDone, "response.cancelled": kindDone,
		"error": kindError,
	},
	wanted: newTree([]want{
		{path: "type", field: rspKind},
		{path: "response", field: rspEnvelope},
		{path: "delta", field: rspContent, presence: true},
	}, responseFields, under("response", responseFields), []want{
		{path: "error", field: rspError}, // a text, or the object of which the fields above are
		{path: "code", field: rspRootCode},
	}),
}

// responseFields are the members of a response.
var responseFields = append([]want{
	{path: "id", field: rspID},
	{path: "model", field: rspModel},
	{path: "service_tier", field: rspTier},
	{path: "status", field: rspStatus},
	{path: "background", field: rspBackground},
	{path: "incomplete_details.reason", field: rspReason},
	{path: "output[].type", field: rspItem},
	{path: "error", field: rspError},
	{path: "error.code", field: rspErrorCode},
	{path: "error.type", field: rspErrorType},
	{path: "usage", field: rspUsage, closed: true},
}, append(under("usage", responsesUsage), known("usage", openAIKnownUsage...)...)...)

// responsesUsage is the usage object of responses, and of images.
var responsesUsage = []want{
	{path: "input_tokens", field: counting(inputTokens)},
	{path: "output_tokens", field: counting(outputTokens)},
	{path: "total_tokens", field: counting(totalTokens)},
	{path: "input_tokens_details", closed: true},
	{path: "output_tokens_details", closed: true},
	{path: "input_tokens_details.cached_tokens", field: counting(cacheReadTokens)},
	{path: "input_tokens_details.cache_write_tokens", field: counting(cacheWriteTokens)},
	{path: "input_tokens_details.cache_creation_tokens", field: counting(cacheWriteTokens)}, // LiteLLM
	{path: "cache_read_input_tokens", field: counting(cacheReadTokens)},                     // LiteLLM
	{path: "cache_creation_input_tokens", field: counting(cacheWriteTokens)},                // LiteLLM
	{path: "input_tokens_details.audio_tokens", field: counting(inputAudioTokens)},
	{path: "input_tokens_details.image_tokens", field: counting(inputImageTokens)},
	{path: "input_tokens_details.text_tokens"},
	{path: "output_tokens_details.reasoning_tokens", field: counting(reasoningTokens)},
	{path: "output_tokens_details.audio_tokens", field: counting(outputAudioTokens)},
	{path: "output_tokens_details.image_tokens", field: counting(outputImageTokens)},
	{path: "output_tokens_details.text_tokens"},
	{path: "num_sources_used", field: counting(sourcesUsed)}, // xAI
	{path: "num_server_side_tools_used"},                     // xAI
	{path: "server_side_tool_usage_details"},                 // xAI; their items are in the answer
	{path: "context_details"},                                // xAI
	{path: "cost", field: rspCost},                           // OpenRouter
	{path: "cost_in_usd_ticks", field: rspCostTicks},         // xAI
}

// settleResponse takes how far a response is. There is no finish reason: the
// status is one, or why the response is incomplete.
func settleResponse(r *replyReader) {
	d := &r.doc
	if d.status == "" {
		return
	}
	r.res.status = d.status
	r.res.background = r.res.background || d.background
	if d.enveloped && d.kind != kindDone && !final[d.status] {
		return // it goes on
	}
	reason := d.status
	if d.status == "incomplete" && d.reason != "" {
		reason = d.reason
	}
	d.finish = append(d.finish[:0], choiceEnd{reason: reason})
	d.done = d.done || d.enveloped
}
