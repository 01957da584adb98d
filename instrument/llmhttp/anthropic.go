// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

// anthropicRequest is the format of requests to Anthropic's Messages API, and to
// the Text Completions that came before it.
var anthropicRequest = &requestTable{content: anthropicRequestContent, wanted: newTree(anthropicParams, []want{
	{path: "model", field: reqModel},
	{path: "stream", field: reqStream},
})}

var anthropicParams = []want{
	{path: "max_tokens", field: reqMaxTokens},
	{path: "max_tokens_to_sample", field: reqMaxTokens},
	{path: "temperature", field: reqTemperature},
	{path: "top_p", field: reqTopP},
	{path: "top_k", field: reqTopK},
	{path: "stop_sequences[]", field: reqStop},
	{path: "service_tier", field: reqServiceTier},
	{path: "output_config.effort", field: reqEffort},
	{path: "messages", field: reqMessages, presence: true},
	{path: "prompt", field: reqInput, presence: true},
}

// anthropicReply is the format of answers of the Messages API: a message, or
// events, of which the first has a message with the usage of the input and later
// ones overwrite what they report. Nothing is added up.
var anthropicReply = &replyTable{
	tokens: netTokens, content: anthropicReplyContent, cumulative: true, settle: settleMessage, kinds: anthropicKinds,
	wanted: newTree(anthropicAnswer),
}

var anthropicKinds = map[string]kind{"message_stop": kindDone, "error": kindError}

var anthropicAnswer = append(append([]want{
	{path: "type", field: rspKind},
	{path: "delta.stop_reason", field: rspFinish},
	// The first content, whatever it is made of.
	{path: "delta.text", field: rspContent, presence: true},
	{path: "delta.thinking", field: rspContent, presence: true},
	{path: "delta.partial_json", field: rspContent, presence: true},
	{path: "content_block.name", field: rspContent, presence: true},
	{path: "completion", field: rspContent, presence: true},
	{path: "error", field: rspError},
	{path: "error.type", field: rspErrorType},
}, messageFields...), under("message", messageFields)...)

// messageFields are the members of a message.
var messageFields = append([]want{
	{path: "id", field: rspID},
	{path: "model", field: rspModel},
	{path: "stop_reason", field: rspFinish},
	{path: "content[].type", field: rspItem},
	{path: "usage", field: rspUsage, closed: true},
	{path: "usage.service_tier", field: rspTier},
	{path: "usage.speed", field: rspSpeed},
	{path: "usage.server_tool_use", closed: true},
	{path: "usage.server_tool_use.web_search_requests", field: counting(webSearches)},
	{path: "usage.server_tool_use.web_fetch_requests", field: counting(webFetches)},
	{path: "usage.server_tool_use.code_execution_requests", field: counting(codeExecutions)},
	{path: "usage.server_tool_use.tool_search_requests"}, // free of charge
	{path: "usage.iterations[]", field: rspPass, closed: true},
	{path: "usage.iterations[].type", field: rspPassKind},
	{path: "usage.iterations[].model", field: rspPassModel},
}, append(under("usage", messageCounts), under("usage.iterations[]", messageCounts)...)...)

var messageCounts = []want{
	{path: "input_tokens", field: counting(inputTokens)},
	{path: "output_tokens", field: counting(outputTokens)},
	{path: "cache_read_input_tokens", field: counting(cacheReadTokens)},
	{path: "cache_creation_input_tokens", field: counting(cacheWriteTokens)},
	{path: "cache_creation", closed: true},
	{path: "cache_creation.ephemeral_5m_input_tokens", field: counting(cacheWrite5mTokens)},
	{path: "cache_creation.ephemeral_1h_input_tokens", field: counting(cacheWrite1hTokens)},
	{path: "output_tokens_details", closed: true},
	{path: "output_tokens_details.thinking_tokens", field: counting(reasoningTokens)},
}

// netTokens brings counts into the one model of tokens that have the cache beside
// the input.
func netTokens(u *usage, _ quirks) tokens {
	t := tokens{
		input: u[inputTokens], output: u[outputTokens], reasoning: u[reasoningTokens],
		cacheRead: u[cacheReadTokens], cacheCreation: u[cacheWriteTokens],
		cacheCreation5m: u[cacheWrite5mTokens], cacheCreation1h: u[cacheWrite1hTokens],
	}
	if !t.cacheCreation.ok && (t.cacheCreation5m.ok || t.cacheCreation1h.ok) {
		t.cacheCreation = counted(t.cacheCreation5m.n + t.cacheCreation1h.n)
	}
	if t.input.ok {
		t.input.n += t.cacheRead.n + t.cacheCreation.n
	}
	return t
}

// Kinds of the passes that a call can consist of (usage.iterations).
const (
	passCompaction = "compaction"
	passFallback   = "fallback_message"
	passAdvisor    = "advisor_message"
)

// settleMessage takes the passes of a message.
func settleMessage(r *replyReader) {
	if len(r.doc.passes) > 0 {
		r.res.passes = r.doc.passes
	}
}

// withPasses adds to a usage what it leaves out: the tokens of compaction, which
// are those of the same model. Where a fallback has answered, the usage is that of
// the answer already.
func (u *usage) withPasses(passes []pass) usage {
	sum := *u
	for i := range passes {
		switch p := &passes[i]; p.kind {
		case passFallback:
			return *u
		case passCompaction:
			for c := inputTokens; c <= reasoningTokens; c++ {
				if p.usage[c].ok {
					sum[c] = counted(sum[c].n + p.usage[c].n)
				}
			}
		}
	}
	return sum
}
