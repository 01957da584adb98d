// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"net/http"
	"strings"
)

// converseRequest is the format of requests to Bedrock's Converse API.
var converseRequest = &requestTable{content: converseRequestContent, wanted: newTree([]want{
	{path: "messages", field: reqMessages, presence: true},
	{path: "additionalModelRequestFields.top_k", field: reqTopK},
	{path: "serviceTier.type", field: reqServiceTier},
}, under("inferenceConfig", converseParams))}

var converseParams = []want{
	{path: "maxTokens", field: reqMaxTokens},
	{path: "max_new_tokens", field: reqMaxTokens}, // Nova, and what follows
	{path: "temperature", field: reqTemperature},
	{path: "topP", field: reqTopP},
	{path: "top_p", field: reqTopP},
	{path: "topK", field: reqTopK},
	{path: "top_k", field: reqTopK},
	{path: "stopSequences[]", field: reqStop},
}

// converseReply is the format of answers of the Converse API. In a stream the
// usage comes last, behind the end of the message.
var converseReply = &replyTable{
	tokens: netTokens, content: converseReplyContent, frames: true, cumulative: true,
	kinds: map[string]kind{"metadata": kindDone},
	wanted: newTree([]want{
		{path: "stopReason", field: rspFinish},
		{path: "output.message.content", field: rspContent, presence: true},
		{path: "delta", field: rspContent, presence: true},
		{path: "start.toolUse", field: rspContent, presence: true},
		{path: "serviceTier.type", field: rspTier},
		{path: "usage", field: rspUsage, closed: true},
	}, under("usage", converseUsage)),
}

var converseUsage = []want{
	{path: "inputTokens", field: counting(inputTokens)},
	{path: "outputTokens", field: counting(outputTokens)},
	{path: "totalTokens", field: counting(totalTokens)},
	{path: "cacheReadInputTokens", field: counting(cacheReadTokens)},
	{path: "cacheReadInputTokenCount", field: counting(cacheReadTokens)},
	{path: "cacheWriteInputTokens", field: counting(cacheWriteTokens)},
	{path: "cacheWriteInputTokenCount", field: counting(cacheWriteTokens)},
	{path: "cacheDetails"},
	{path: "cacheDetails[]", field: rspDetail},
	{path: "cacheDetails[].ttl", field: rspModality},
	{path: "cacheDetails[].inputTokens", field: rspModalityCount},
	{path: "serverToolUsage"},
}

// invokeRequest is the format of requests to models of all families by
// InvokeModel; each family finds its own names in it. The model and whether it
// streams are in the path, whatever the body says.
var invokeRequest = &requestTable{content: invokeRequestContent, wanted: newTree(anthropicParams, []want{
	{path: "inputText", field: reqInput, presence: true}, // Titan
	{path: "textGenerationConfig.maxTokenCount", field: reqMaxTokens},
	{path: "textGenerationConfig.temperature", field: reqTemperature},
	{path: "textGenerationConfig.topP", field: reqTopP},
	{path: "textGenerationConfig.stopSequences[]", field: reqStop},
	{path: "max_gen_len", field: reqMaxTokens}, // Llama
	{path: "max_completion_tokens", field: reqMaxTokensNewer},
	{path: "p", field: reqTopP}, // Cohere
	{path: "k", field: reqTopK},
	{path: "num_generations", field: reqChoices},
	{path: "message", field: reqMessages, presence: true},
	{path: "texts", field: reqInput, presence: true},
	{path: "query", field: reqInput, presence: true},
	{path: "stop", field: reqStop}, // Mistral and others
	{path: "stop[]", field: reqStop},
	{path: "n", field: reqChoices},
	{path: "seed", field: reqSeed},
	{path: "maxTokens", field: reqMaxTokens}, // AI21
	{path: "topP", field: reqTopP},
	{path: "stopSequences[]", field: reqStop},
	{path: "dimensions", field: reqDimensions},
	{path: "textToImageParams.text", field: reqImagePrompt, presence: true}, // Titan and Nova
	{path: "imageVariationParams.images", field: reqSourceImage, presence: true},
	{path: "imageGenerationConfig.numberOfImages", field: reqChoices},
	{path: "imageGenerationConfig.quality", field: reqQuality},
	{path: "text_prompts", field: reqImagePrompt, presence: true}, // Stability
	{path: "aspect_ratio", field: reqAspectRatio},
	{path: "samples", field: reqChoices},
}, under("inferenceConfig", converseParams))}

// invokeReply is the format of answers of models of all families: each finds its
// own names in it. Where a model says nothing of its usage, the platform does.
var invokeReply = &replyTable{
	tokens: invokeTokens, content: invokeReplyContent, frames: true, chunks: true, cumulative: true, settle: settleMessage, kinds: anthropicKinds,
	wanted: newTree(anthropicAnswer, []want{
		{path: "results", field: rspChoices}, // Titan
		{path: "results[]", field: rspChoice},
		{path: "results[].completionReason", field: rspFinish},
		{path: "results[].tokenCount", field: counting(eachOutputTokens)},
		{path: "completionReason", field: rspFinish},
		{path: "inputTextTokenCount", field: counting(inputTokens)},
		{path: "totalOutputTextTokenCount", field: counting(outputTokens)},
		{path: "outputText", field: rspContent, presence: true},
		{path: "prompt_token_count", field: counting(inputTokens)}, // Llama
		{path: "generation_token_count", field: counting(outputTokens)},
		{path: "generation", field: rspContent, presence: true},
		{path: "stopReason", field: rspFinish}, // Nova
		{path: "messageStop.stopReason", field: rspFinish},
		{path: "contentBlockDelta", field: rspContent, presence: true},
		{path: "outputs", field: rspChoices}, // Mistral
		{path: "outputs[]", field: rspChoice},
		{path: "outputs[].stop_reason", field: rspFinish},
		{path: "outputs[].text", field: rspContent, presence: true},
		{path: "generations", field: rspChoices}, // Cohere
		{path: "generations[]", field: rspChoice},
		{path: "generations[].finish_reason", field: rspFinish},
		{path: "generations[].text", field: rspContent, presence: true},
		{path: "finish_reason", field: rspFinish},
		{path: "response_id", field: rspID},
		{path: "text", field: rspContent, presence: true},
		{path: "completions", field: rspChoices}, // AI21
		{path: "completions[]", field: rspChoice},
		{path: "completions[].finishReason.reason", field: rspFinish},
		{path: "choices", field: rspChoices}, // in OpenAI's shape
		{path: "choices[]", field: rspChoice},
		{path: "choices[].index", field: rspIndex},
		{path: "choices[].finish_reason", field: rspFinish},
		{path: "choices[].stop_reason", field: rspFinish}, // DeepSeek
		{path: "choices[].text", field: rspContent, presence: true},
		{path: "choices[].delta", field: rspContent, presence: true},
		{path: "usage.prompt_tokens", field: counting(grossInputTokens)},
		{path: "usage.completion_tokens", field: counting(outputTokens)},
		{path: "usage.total_tokens", field: counting(totalTokens)},
		{path: "usage.prompt_tokens_details.cached_tokens", field: counting(cacheReadTokens)},
		{path: "usage.completion_tokens_details.reasoning_tokens", field: counting(reasoningTokens)},
		{path: "images", field: rspImages}, // Titan, Nova, Stability
		{path: "images[]"},
		{path: "artifacts", field: rspImages},
		{path: "artifacts[]"},
		{path: "amazon-bedrock-invocationMetrics", field: rspMetrics},
		{path: "amazon-bedrock-invocationMetrics.inputTokenCount", field: counting(measuredInput)},
		{path: "amazon-bedrock-invocationMetrics.outputTokenCount", field: counting(measuredOutput)},
		{path: "amazon-bedrock-invocationMetrics.cacheReadInputTokenCount", field: counting(measuredCacheRead)},
		{path: "amazon-bedrock-invocationMetrics.cacheWriteInputTokenCount", field: counting(measuredCacheWrite)},
		{path: "amazon-bedrock-guardrailAction", field: rspGuardrail},
	}, under("usage", converseUsage), under("metadata.usage", converseUsage)),
}

// bedrockOperations are the operations of families of models. Others are chats
// where they are sent messages.
var bedrockOperations = []modelOperation{
	{"anthropic.claude", operationChat},
	{"amazon.titan-embed", operationEmbeddings},
	{"amazon.titan-image", operationImage},
	{"amazon.titan", operationText},
	{"amazon.nova-canvas", operationImage},
	{"amazon.nova-2-multimodal-embed", operationEmbeddings},
	{"amazon.nova", operationChat},
	{"amazon.rerank", operationRerank},
	{"cohere.embed", operationEmbeddings},
	{"cohere.rerank", operationRerank},
	{"cohere.command-r", operationChat},
	{"cohere.command", operationText},
	{"stability.", operationImage},
	{"twelvelabs.marengo", operationEmbeddings},
}

// asyncInvokeRequest and asyncInvokeReply are the format of jobs by InvokeModel,
// which make videos.
var (
	asyncInvokeRequest = &requestTable{wanted: newTree([]want{
		{path: "modelId", field: reqModel},
		{path: "modelInput", field: reqInput},
		{path: "modelInput.videoGenerationConfig.durationSeconds", field: reqSeconds},
		{path: "modelInput.videoGenerationConfig.dimension", field: reqSize},
		{path: "modelInput.resolution", field: reqSize},
	})}
	asyncInvokeReply = &replyTable{
		tokens: netTokens,
		settle: settleAsyncInvoke,
		wanted: newTree([]want{
			{path: "invocationArn", field: rspID},
			{path: "status", field: rspStatus},
		}),
	}
)

// asyncOperations are the operations of models that are no video.
var asyncOperations = []modelOperation{{"twelvelabs.marengo", operationEmbeddings}, {"amazon.nova-2-multimodal-embed", operationEmbeddings}}

// settleAsyncInvoke gives jobs the words that others have for how far they are.
func settleAsyncInvoke(r *replyReader) {
	switch d := &r.doc; d.status {
	case "":
		r.res.status = "queued"
	case "Failed":
		r.res.status, d.isError = "failed", true
		r.setFailure()
	default:
		r.res.status = strings.ToLower(d.status)
	}
}

// invokeTokens brings the counts of a model, or else those of the platform, into
// the one model of tokens.
func invokeTokens(u *usage, q quirks) tokens {
	v := *u
	if !v[outputTokens].ok {
		v[outputTokens] = v[eachOutputTokens]
	}
	if gross := v[grossInputTokens]; gross.ok { // in OpenAI's shape
		v[inputTokens] = gross
		return openAITokens(&v, q)
	}
	if !v[inputTokens].ok {
		v[inputTokens], v[cacheReadTokens], v[cacheWriteTokens] = v[measuredInput], v[measuredCacheRead], v[measuredCacheWrite]
	}
	if !v[outputTokens].ok {
		v[outputTokens] = v[measuredOutput]
	}
	return netTokens(&v, q)
}

// bedrockCounts are the headers of answers in which the platform counts.
var bedrockCounts = [...]struct {
	header  string
	counter counter
}{
	{"X-Amzn-Bedrock-Input-Token-Count", measuredInput},
	{"X-Amzn-Bedrock-Output-Token-Count", measuredOutput},
	{"X-Amzn-Bedrock-Cache-Read-Input-Token-Count", measuredCacheRead},
	{"X-Amzn-Bedrock-Cache-Write-Input-Token-Count", measuredCacheWrite},
}

// measure takes the platform's counts from the headers of an answer.
func (u *usage) measure(h http.Header) {
	for _, row := range bedrockCounts {
		if text := h.Get(row.header); text != "" {
			u[row.counter] = newCount(value{kind: stringValue, raw: []byte(text)})
		}
	}
}
