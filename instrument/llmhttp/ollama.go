// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

// ollamaRequest is the format of requests to Ollama's own API.
var ollamaRequest = &requestTable{content: ollamaRequestContent, wanted: newTree([]want{
	{path: "model", field: reqModel},
	{path: "stream", field: reqStream},
	{path: "dimensions", field: reqDimensions},
	{path: "messages", field: reqMessages, presence: true},
	{path: "prompt", field: reqInput, presence: true},
	{path: "input", field: reqInput, presence: true},
	{path: "think", field: reqEffort},
	{path: "options.num_predict", field: reqMaxTokens},
	{path: "options.temperature", field: reqTemperature},
	{path: "options.top_p", field: reqTopP},
	{path: "options.top_k", field: reqTopK},
	{path: "options.seed", field: reqSeed},
	{path: "options.frequency_penalty", field: reqFrequencyPenalty},
	{path: "options.presence_penalty", field: reqPresencePenalty},
	{path: "options.stop", field: reqStop},
	{path: "options.stop[]", field: reqStop},
})}

// ollamaReply is the format of its answers, in lines unless they were asked for
// whole.
var ollamaReply = &replyTable{
	tokens: plainTokens, content: ollamaReplyContent, lines: true, settle: settleOllama,
	wanted: newTree([]want{
		{path: "model", field: rspModel},
		{path: "done", field: rspDone},
		{path: "done_reason", field: rspFinish},
		{path: "message.content", field: rspContent, presence: true},
		{path: "message.thinking", field: rspContent, presence: true},
		{path: "message.tool_calls", field: rspContent, presence: true},
		{path: "response", field: rspContent, presence: true},
		{path: "thinking", field: rspContent, presence: true},
		{path: "prompt_eval_count", field: counting(inputTokens)},
		{path: "eval_count", field: counting(outputTokens)},
		{path: "error", field: rspError},
	}),
}

// plainTokens takes input and output as they are.
func plainTokens(u *usage, _ quirks) tokens {
	return tokens{input: u[inputTokens], output: u[outputTokens]}
}

// settleOllama notes requests that only load or unload a model.
func settleOllama(r *replyReader) {
	for _, end := range r.doc.finish {
		r.res.free = r.res.free || end.reason == "load" || end.reason == "unload"
	}
}
