// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

// cohereRequest is the format of requests to both versions of Cohere's API.
var cohereRequest = &requestTable{content: cohereRequestContent, wanted: newTree([]want{
	{path: "model", field: reqModel},
	{path: "stream", field: reqStream},
	{path: "max_tokens", field: reqMaxTokens},
	{path: "temperature", field: reqTemperature},
	{path: "p", field: reqTopP},
	{path: "k", field: reqTopK},
	{path: "seed", field: reqSeed},
	{path: "frequency_penalty", field: reqFrequencyPenalty},
	{path: "presence_penalty", field: reqPresencePenalty},
	{path: "num_generations", field: reqChoices},
	{path: "stop_sequences[]", field: reqStop},
	{path: "output_dimension", field: reqDimensions},
	{path: "embedding_types[]", field: reqEncoding},
	{path: "reasoning_effort", field: reqEffort},
	{path: "conversation_id", field: reqConversation},
	{path: "messages", field: reqMessages, presence: true},
	{path: "message", field: reqMessages, presence: true},
	{path: "prompt", field: reqInput, presence: true},
	{path: "texts", field: reqInput, presence: true},
	{path: "inputs", field: reqInput, presence: true},
	{path: "images", field: reqInput, presence: true},
	{path: "documents", field: reqInput, presence: true},
})}

// cohereReply is the format of answers of both versions: whole, in events (the
// second version) or in lines (the first).
var cohereReply = &replyTable{
	tokens: cohereTokens, content: cohereReplyContent, lines: true,
	kinds: map[string]kind{"message-end": kindDone, "stream-end": kindDone},
	wanted: newTree([]want{
		{path: "type", field: rspKind},
		{path: "event_type", field: rspKind},
		{path: "is_finished", field: rspDone},
		{path: "delta.finish_reason", field: rspFinish},
		{path: "delta.message.content", field: rspContent, presence: true},
		{path: "delta.message.tool_calls", field: rspContent, presence: true},
		{path: "delta.message.tool_plan", field: rspContent, presence: true},
		{path: "text", field: rspContent, presence: true},
		{path: "message.content", field: rspContent, presence: true},
		{path: "error", field: rspError},
	}, cohereFields, under("response", cohereFields), under("delta.usage", cohereUsage)),
}

// cohereFields are the members of an answer.
var cohereFields = append([]want{
	{path: "id", field: rspID},
	{path: "response_id", field: rspID},
	{path: "finish_reason", field: rspFinish},
	{path: "generations", field: rspChoices},
	{path: "generations[]", field: rspChoice},
	{path: "generations[].finish_reason", field: rspFinish},
	{path: "meta", closed: true},
	{path: "meta.api_version"},
	{path: "meta.warnings"},
	{path: "usage", closed: true},
	{path: "usage.total_tokens", field: counting(inputTokens)}, // rerank of others
	{path: "usage.prompt_tokens"},
}, append(under("meta", cohereUsage), under("usage", cohereUsage)...)...)

var cohereUsage = []want{
	{path: "billed_units", closed: true},
	{path: "billed_units.input_tokens", field: counting(inputTokens)},
	{path: "billed_units.output_tokens", field: counting(outputTokens)},
	{path: "billed_units.search_units", field: counting(searchUnits)},
	{path: "billed_units.images", field: counting(imageUnits)},
	{path: "billed_units.image_tokens", field: counting(inputImageTokens)},
	{path: "billed_units.classifications"},
	{path: "tokens", closed: true},
	{path: "tokens.input_tokens", field: counting(modelInputTokens)},
	{path: "tokens.output_tokens", field: counting(modelOutputTokens)},
	{path: "tokens.image_tokens"},
	{path: "cached_tokens"}, // a part of the model's tokens, not of those that are billed
}

// cohereTokens takes the tokens that are billed, which are fewer than those that
// the model sees; only where none are told, the model's.
func cohereTokens(u *usage, _ quirks) tokens {
	t := tokens{input: u[inputTokens], output: u[outputTokens], inputImage: u[inputImageTokens]}
	if !t.input.ok && !t.output.ok && !u[searchUnits].ok && !u[imageUnits].ok {
		t.input, t.output = u[modelInputTokens], u[modelOutputTokens]
	}
	return t
}
