// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"cmp"
	"strings"
)

// geminiPaths are the paths of verbs: of models of the Gemini API and of publishers
// on Vertex AI, of tuned and dynamic models there, of endpoints here. A LiteLLM
// proxy takes names of models with a provider in front, models/openai/gpt-4o.
func geminiPaths(verbs ...string) []string {
	var paths []string
	for _, verb := range verbs {
		for _, models := range [...]string{"/models/**", "/tunedModels/*", "/dynamic/*", "/endpoints/*"} {
			paths = append(paths, models+":"+verb)
		}
	}
	return paths
}

// geminiRequest is the format of requests to Gemini and Vertex AI, for content and
// for embeddings. Both ways of writing names are accepted there.
var geminiRequest = &requestTable{content: geminiRequestContent, wanted: newTree([]want{
	{path: "contents", field: reqMessages, presence: true},
	{path: "content", field: reqInput, presence: true},
	{path: "requests[].content", field: reqInput, presence: true},
	{path: "outputDimensionality", field: reqDimensions},
	{path: "output_dimensionality", field: reqDimensions},
	{path: "requests[].outputDimensionality", field: reqDimensions},
	{path: "requests[].output_dimensionality", field: reqDimensions},
	{path: "serviceTier", field: reqServiceTier},
}, under("generationConfig", geminiParams), under("generation_config", geminiParams))}

var geminiParams = []want{
	{path: "temperature", field: reqTemperature},
	{path: "topP", field: reqTopP},
	{path: "top_p", field: reqTopP},
	{path: "topK", field: reqTopK},
	{path: "top_k", field: reqTopK},
	{path: "maxOutputTokens", field: reqMaxTokens},
	{path: "max_output_tokens", field: reqMaxTokens},
	{path: "candidateCount", field: reqChoices},
	{path: "candidate_count", field: reqChoices},
	{path: "seed", field: reqSeed},
	{path: "frequencyPenalty", field: reqFrequencyPenalty},
	{path: "frequency_penalty", field: reqFrequencyPenalty},
	{path: "presencePenalty", field: reqPresencePenalty},
	{path: "presence_penalty", field: reqPresencePenalty},
	{path: "stopSequences[]", field: reqStop},
	{path: "stop_sequences[]", field: reqStop},
	{path: "thinkingConfig.thinkingLevel", field: reqEffort},
	{path: "thinking_config.thinking_level", field: reqEffort},
}

// geminiReply is the format of answers of Gemini and Vertex AI. The usages of a
// stream are running totals.
var geminiReply = &replyTable{
	tokens: geminiTokens, content: geminiReplyContent,
	settle: settleCandidates,
	wanted: newTree([]want{
		{path: "responseId", field: rspID},
		{path: "modelVersion", field: rspModel},
		{path: "candidates", field: rspChoices},
		{path: "candidates[]", field: rspChoice},
		{path: "candidates[].index", field: rspIndex},
		{path: "candidates[].finishReason", field: rspFinish},
		{path: "candidates[].content.parts", field: rspContent, presence: true},
		{path: "candidates[].groundingMetadata.webSearchQueries", field: rspSearches},
		{path: "candidates[].groundingMetadata.webSearchQueries[]"},
		{path: "promptFeedback.blockReason", field: rspReason},
		{path: "usageMetadata", field: rspUsage, closed: true},
	}, googleErrors, under("usageMetadata", []want{
		{path: "promptTokenCount", field: counting(inputTokens)},
		{path: "toolUsePromptTokenCount", field: counting(toolUseTokens)},
		{path: "cachedContentTokenCount", field: counting(cacheReadTokens)},
		{path: "candidatesTokenCount", field: counting(outputTokens)},
		{path: "thoughtsTokenCount", field: counting(reasoningTokens)},
		{path: "totalTokenCount", field: counting(totalTokens)},
		{path: "serviceTier", field: rspTier},
		{path: "trafficType"},
		{path: "cacheTokensDetails"},
		{path: "toolUsePromptTokensDetails"},
		{path: "promptTokensDetails", field: rspInputDetails},
		{path: "promptTokensDetails[]", field: rspDetail},
		{path: "promptTokensDetails[].modality", field: rspModality},
		{path: "promptTokensDetails[].tokenCount", field: rspModalityCount},
		{path: "promptTokenDetails"}, // of embeddings
		{path: "candidatesTokensDetails", field: rspOutputDetails},
		{path: "candidatesTokensDetails[]", field: rspDetail},
		{path: "candidatesTokensDetails[].modality", field: rspModality},
		{path: "candidatesTokensDetails[].tokenCount", field: rspModalityCount},
	})),
}

// googleErrors are the places of errors of Google's APIs.
var googleErrors = []want{
	{path: "error", field: rspError},
	{path: "error.status", field: rspErrorStatus},
	{path: "error.code", field: rspErrorCode},
}

// geminiTokens brings Gemini's counts into the one model of tokens. Prompts of
// tools are beside the prompt and thoughts beside the candidates. A count of 0 is
// left out, which the total tells from one that is not known.
func geminiTokens(u *usage, _ quirks) tokens {
	prompt, candidates, total := u[inputTokens], u[outputTokens], u[totalTokens]
	thoughts, tools := u[reasoningTokens], u[toolUseTokens]
	if total.ok {
		if !candidates.ok && prompt.ok {
			candidates = counted(max(total.n-prompt.n-tools.n-thoughts.n, 0))
		}
		if rest := total.n - candidates.n - thoughts.n - tools.n; !prompt.ok && candidates.ok && rest >= 0 {
			prompt = counted(rest)
		}
	}
	t := tokens{
		input: prompt, output: candidates, cacheRead: u[cacheReadTokens], reasoning: thoughts,
		inputAudio: u[inputAudioTokens], outputAudio: u[outputAudioTokens],
		inputImage: u[inputImageTokens], outputImage: u[outputImageTokens],
	}
	if t.input.ok {
		t.input.n += tools.n
	}
	if t.output.ok {
		t.output.n += thoughts.n
	}
	return t
}

// settleCandidates takes the reasons for the end of candidates, which older
// clients ask for as numbers, and the one for refusing a prompt.
func settleCandidates(r *replyReader) {
	d := &r.doc
	d.model = strings.TrimPrefix(d.model, "models/")
	names := geminiFinish
	if r.target.provider == providerVertexAI {
		names = vertexFinish
	}
	for i := range d.finish {
		if name, ok := names[d.finish[i].reason]; ok {
			d.finish[i].reason = name
		}
	}
	if d.reason != "" && len(d.finish) == 0 {
		d.finish = append(d.finish, choiceEnd{reason: cmp.Or(geminiBlocked[d.reason], d.reason)})
	}
}

// geminiBlocked are reasons for which a prompt is refused whose words, as those of
// an answer's end, would say that all went well.
var geminiBlocked = map[string]string{"OTHER": "BLOCKED_OTHER", "BLOCK_REASON_UNSPECIFIED": "BLOCKED_OTHER"}

// geminiFinish and vertexFinish are the reasons by their numbers, which differ.
var (
	geminiFinish = map[string]string{
		"0": "FINISH_REASON_UNSPECIFIED", "1": "STOP", "2": "MAX_TOKENS", "3": "SAFETY", "4": "RECITATION", "5": "OTHER",
		"6": "LANGUAGE", "7": "BLOCKLIST", "8": "PROHIBITED_CONTENT", "9": "SPII", "10": "MALFORMED_FUNCTION_CALL",
		"11": "IMAGE_SAFETY", "12": "UNEXPECTED_TOOL_CALL",
	}
	vertexFinish = map[string]string{
		"0": "FINISH_REASON_UNSPECIFIED", "1": "STOP", "2": "MAX_TOKENS", "3": "SAFETY", "4": "RECITATION", "5": "OTHER",
		"6": "BLOCKLIST", "7": "PROHIBITED_CONTENT", "8": "SPII", "9": "MALFORMED_FUNCTION_CALL", "10": "MODEL_ARMOR",
	}
)

// predictRequest is the format of requests to models on Vertex AI that are no
// Gemini: embeddings, Imagen and, as jobs, Veo.
var predictRequest = &requestTable{content: promptContent, wanted: newTree([]want{
	{path: "instances[].content", field: reqInput, presence: true},
	{path: "instances[].text", field: reqInput, presence: true}, // of multimodal embeddings
	{path: "instances[].image", field: reqSourceImage, presence: true},
	{path: "instances[].referenceImages", field: reqSourceImage, presence: true},
	{path: "instances[].prompt", field: reqImagePrompt, presence: true},
	{path: "parameters.sampleCount", field: reqChoices},
	{path: "parameters.sampleImageSize", field: reqSize},
	{path: "parameters.aspectRatio", field: reqAspectRatio},
	{path: "parameters.outputDimensionality", field: reqDimensions},
	{path: "parameters.durationSeconds", field: reqSeconds},
	{path: "parameters.resolution", field: reqSize},
})}

// predictReply is the format of their answers.
var predictReply = &replyTable{
	tokens: eachTokens,
	wanted: newTree([]want{
		{path: "predictions", field: rspImageList},
		{path: "predictions[].bytesBase64Encoded", field: rspImage, presence: true},
		{path: "predictions[].gcsUri", field: rspImage, presence: true},
		{path: "predictions[].embeddings.statistics.token_count", field: counting(eachInputTokens)},
	}, googleErrors),
}

// eachTokens is the usage of several inputs that were counted one by one.
func eachTokens(u *usage, _ quirks) tokens { return tokens{input: u[eachInputTokens]} }

// videoOperationReply is the format of Google's long-running operations: a
// promise, and how far it is.
var videoOperationReply = &replyTable{
	tokens: eachTokens,
	settle: settleOperation,
	wanted: newTree([]want{
		{path: "name", field: rspID},
		{path: "done", field: rspDone},
		{path: "response.generateVideoResponse.generatedSamples", field: rspVideos},
		{path: "response.generateVideoResponse.generatedSamples[]"},
		{path: "response.videos", field: rspVideos},
		{path: "response.videos[]"},
	}, googleErrors),
}

// settleOperation gives operations the words that other jobs have for how far they
// are.
func settleOperation(r *replyReader) {
	switch d := &r.doc; {
	case !d.done:
		r.res.status = "running"
	case d.failed:
		r.res.status = "failed"
	default:
		r.res.status = "completed"
	}
}

// operationRequest is the format of requests that ask how far an operation is.
var operationRequest = &requestTable{wanted: newTree([]want{
	{path: "operationName", field: reqInput, presence: true},
})}

// interactionsRequest and interactionsReply are the format of Gemini's
// Interactions API.
var (
	interactionsRequest = &requestTable{content: promptContent, wanted: newTree([]want{
		{path: "model", field: reqModel},
		{path: "agent", field: reqModel},
		{path: "stream", field: reqStream},
		{path: "background", field: reqBackground},
		{path: "input", field: reqInput, presence: true},
	}, under("generation_config", geminiParams))}

	interactionsReply = &replyTable{
		tokens: interactionTokens,
		settle: settleResponse,
		kinds: map[string]kind{
			"interaction.complete": kindDone, "interaction.completed": kindDone, "error": kindError,
			"interaction.status_update": kindIgnored, // what it says, the interaction says at its end
		},
		wanted: newTree([]want{
			{path: "event_type", field: rspKind},
			{path: "interaction", field: rspEnvelope},
			{path: "delta", field: rspContent, presence: true},
			{path: "step.content", field: rspContent, presence: true},
		}, googleErrors, interactionFields, under("interaction", interactionFields)),
	}
)

var interactionFields = append([]want{
	{path: "id", field: rspID},
	{path: "model", field: rspModel},
	{path: "status", field: rspStatus},
	{path: "service_tier", field: rspTier},
	{path: "outputs", field: rspContent, presence: true},
	{path: "steps", field: rspContent, presence: true},
	{path: "usage", field: rspUsage, closed: true},
}, under("usage", []want{
	{path: "total_input_tokens", field: counting(inputTokens)},
	{path: "total_output_tokens", field: counting(outputTokens)},
	{path: "total_thought_tokens", field: counting(reasoningTokens)},
	{path: "total_reasoning_tokens", field: counting(reasoningTokens)},
	{path: "total_cached_tokens", field: counting(cacheReadTokens)},
	{path: "total_tool_use_tokens", field: counting(toolUseTokens)},
	{path: "total_tokens", field: counting(totalTokens)},
	{path: "input_tokens_by_modality"},
	{path: "output_tokens_by_modality"},
	{path: "cached_tokens_by_modality"},
	{path: "tool_use_tokens_by_modality"},
	{path: "grounding_tool_count"},
	{path: "grounding_tool_count[].search_query_count", field: counting(webSearches)},
	// What a tool found is in these too, and not billed as input.
	{path: "raw_prompt_token"},
	{path: "model_invocation_token_counts"},
	{path: "non_grounding_model_invocation_token_counts"},
})...)

// interactionTokens brings the counts of the Interactions API into the one model
// of tokens. Whether thoughts are in the output the total tells; otherwise they
// are beside it as in Gemini's other API.
func interactionTokens(u *usage, q quirks) tokens {
	if u[totalTokens].ok && u[outputTokens].ok && u[inputTokens].ok &&
		u[totalTokens].n == u[inputTokens].n+u[toolUseTokens].n+u[outputTokens].n {
		t := geminiTokens(u, q)
		t.output = u[outputTokens]
		return t
	}
	return geminiTokens(u, q)
}
