// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/semconv"
)

// An api is a kind of request: the paths that make it and what understands it.
type api struct {
	name string
	// operation is the operation's name in the words of the conventions. For a
	// request that is no inference it is "", and aside is what its span has.
	operation, aside string
	billable         bool
	// method is POST where it is "".
	method string
	// paths are patterns, see pattern. What a * stands for is the model, or an id
	// in paths of retrievals.
	paths []string
	// provider is whose API it is: the provider of hosts that are not known.
	provider string
	// only says that the paths mean this on hosts of that provider alone.
	only bool
	// checked says that a body must name a model and what the call is about where
	// otherwise one of them would do to show that it is such a request, and strict
	// that it must show it even on hosts that are known.
	checked, strict bool
	// idPrefix begins ids of a retrieval, which tells it from others' paths.
	idPrefix string
	// form says that requests may be forms, anyType that their bodies are JSON
	// whatever they say (AWS's clients say application/octet-stream).
	form, anyType bool
	// opaque says that an answer that does not say to be JSON or events is none.
	opaque bool
	// apiType is the value of openai.api.type, where OpenAI serves it.
	apiType string
	// streamUsage says that streams report usage only when asked.
	streamUsage bool
	// streams says that it is a stream by its path, streamsUnlessTold that it is
	// one where the body does not say otherwise.
	streams, streamsUnlessTold bool
	// oneByDefault says that one choice is made where the request does not say.
	oneByDefault bool
	// operations gives other operations by the beginning of the model's name.
	operations []modelOperation
	// job says when an answer may be no more than the promise of one.
	job jobRule
	// retrieves says that it gets the answer of a job.
	retrieves bool

	request *requestTable
	reply   *replyTable
}

// jobRule says when an answer that is not final is the promise of one.
type jobRule uint8

const (
	jobNever jobRule = iota
	jobIfAsked
	jobAlways
)

// modelOperation is the operation of models by the beginning of their name.
type modelOperation struct{ prefix, operation string }

// requestTierKey and responseTierKey are the attributes of service tiers.
func (a *api) requestTierKey() attribute.Key {
	if a.provider == providerOpenAI {
		return semconv.OpenAIRequestServiceTierKey
	}
	return semconv.ReveniumServiceTierRequestedKey
}

func (a *api) responseTierKey() attribute.Key {
	if a.provider == providerOpenAI {
		return semconv.OpenAIResponseServiceTierKey
	}
	return semconv.ReveniumServiceTierActualKey
}

// Operations of requests that are no inference. What they report is no usage.
const (
	asideCount    = "count_tokens"
	asideRetrieve = "fetch_response"
	asideBatch    = "create_batch"
)

// apis is tried in order.
var apis = []*api{
	{
		name: "openai.chat", operation: operationChat, billable: true, provider: providerOpenAI,
		paths: []string{"/chat/completions"}, apiType: "chat_completions", streamUsage: true,
		request: openAIRequest, reply: openAIReply,
	},
	{
		name: "openai.completions", operation: operationText, billable: true, provider: providerOpenAI,
		paths: []string{"/completions"}, streamUsage: true, request: openAIRequest, reply: openAIReply,
	},
	{
		name: "ollama.embed", operation: operationEmbeddings, billable: true, provider: providerOllama, checked: true,
		paths: []string{"/api/embeddings"}, request: ollamaRequest, reply: ollamaReply,
	},
	{
		name: "openai.embeddings", operation: operationEmbeddings, billable: true, provider: providerOpenAI,
		paths: []string{"/embeddings"}, request: openAIRequest, reply: openAIReply,
	},
	{
		name: "openai.responses", operation: operationChat, billable: true, provider: providerOpenAI,
		paths: []string{"/responses"}, apiType: "responses", job: jobIfAsked, request: responsesRequest, reply: responsesReply,
	},
	{
		name: "openai.responses.compact", operation: operationChat, billable: true, provider: providerOpenAI,
		paths: []string{"/responses/compact"}, apiType: "responses", request: responsesRequest, reply: responsesReply,
	},
	{
		name: "openai.responses.input_tokens", aside: asideCount, provider: providerOpenAI,
		paths: []string{"/responses/input_tokens"}, request: plainRequest, reply: plainReply,
	},
	{
		name: "openai.responses.retrieve", aside: asideRetrieve, provider: providerOpenAI, method: http.MethodGet,
		paths: []string{"/responses/*"}, idPrefix: "resp_", retrieves: true, request: plainRequest, reply: responsesReply,
	},
	{
		name: "openai.responses.cancel", aside: asideRetrieve, provider: providerOpenAI,
		paths: []string{"/responses/*/cancel"}, idPrefix: "resp_", retrieves: true, request: plainRequest, reply: responsesReply,
	},
	{
		name: "openai.chat.retrieve", aside: asideRetrieve, provider: providerOpenAI, method: http.MethodGet,
		paths: []string{"/chat/completions/*"}, idPrefix: "chatcmpl-", retrieves: true, request: plainRequest, reply: openAIReply,
	},
	{
		name: "openai.images", operation: operationImage, billable: true, provider: providerOpenAI,
		paths: []string{"/images/generations", "/images/edits", "/images/variations"}, form: true, oneByDefault: true,
		request: imagesRequest, reply: imagesReply,
	},
	{
		name: "openai.audio.transcription", operation: operationTranscription, billable: true, provider: providerOpenAI,
		paths: []string{"/audio/transcriptions"}, form: true, opaque: true, request: transcriptionRequest, reply: transcriptionReply,
	},
	{
		name: "openai.audio.translation", operation: operationTranslation, billable: true, provider: providerOpenAI,
		paths: []string{"/audio/translations"}, form: true, opaque: true, request: transcriptionRequest, reply: transcriptionReply,
	},
	{
		name: "openai.audio.speech", operation: operationSpeech, billable: true, provider: providerOpenAI,
		paths: []string{"/audio/speech"}, opaque: true, request: speechRequest, reply: speechReply,
	},
	{
		name: "openai.videos", operation: operationVideo, billable: true, provider: providerOpenAI, checked: true,
		paths: []string{"/videos", "/videos/generations", "/videos/edits", "/videos/extensions", "/videos/*/remix"},
		form:  true, job: jobAlways, request: videosRequest, reply: videosReply,
	},
	{
		name: "openai.videos.retrieve", aside: asideRetrieve, provider: providerOpenAI, method: http.MethodGet,
		paths: []string{"/videos/*"}, idPrefix: "video_", retrieves: true, request: plainRequest, reply: videosReply,
	},
	{
		name: "openai.moderation", operation: "moderation", provider: providerOpenAI,
		paths: []string{"/moderations"}, request: plainRequest, reply: plainReply,
	},
	{ // its path ends as that of the next
		name: "anthropic.batches", aside: asideBatch, provider: providerAnthropic,
		paths: []string{"/v1/messages/batches"}, request: plainRequest, reply: plainReply,
	},
	{
		name: "openai.batches", aside: asideBatch, provider: providerOpenAI, strict: true,
		paths: []string{"/batches", "/batch/jobs"}, request: plainRequest, reply: plainReply,
	},
	{
		name: "openai.chat", operation: operationChat, billable: true, provider: providerVertexAI,
		paths:   []string{"/publishers/mistralai/models/*:rawPredict", "/publishers/mistralai/models/*:streamRawPredict"},
		request: openAIRequest, reply: openAIReply,
	},

	{
		name: "anthropic.messages", operation: operationChat, billable: true, provider: providerAnthropic,
		paths: []string{"/v1/messages"}, checked: true, request: anthropicRequest, reply: anthropicReply,
	},
	{
		name: "anthropic.count_tokens", aside: asideCount, provider: providerVertexAI,
		paths: []string{"/publishers/anthropic/models/count-tokens:rawPredict"}, request: plainRequest, reply: plainReply,
	},
	{
		name: "anthropic.messages", operation: operationChat, billable: true, provider: providerVertexAI,
		paths: []string{"/publishers/anthropic/models/*:rawPredict"}, request: anthropicRequest, reply: anthropicReply,
	},
	{
		name: "anthropic.messages", operation: operationChat, billable: true, provider: providerVertexAI, streams: true,
		paths: []string{"/publishers/anthropic/models/*:streamRawPredict"}, request: anthropicRequest, reply: anthropicReply,
	},
	{
		name: "anthropic.count_tokens", aside: asideCount, provider: providerAnthropic,
		paths: []string{"/v1/messages/count_tokens"}, checked: true, request: plainRequest, reply: plainReply,
	},
	{
		name: "anthropic.complete", operation: operationText, billable: true, provider: providerAnthropic,
		paths: []string{"/v1/complete"}, checked: true, request: anthropicRequest, reply: anthropicReply,
	},

	{
		name: "gemini.generate_content", operation: "generate_content", billable: true, provider: providerGemini,
		paths: geminiPaths("generateContent"), request: geminiRequest, reply: geminiReply,
	},
	{
		name: "gemini.generate_content", operation: "generate_content", billable: true, provider: providerGemini, streams: true,
		paths: geminiPaths("streamGenerateContent"), request: geminiRequest, reply: geminiReply,
	},
	{
		name: "gemini.embed", operation: operationEmbeddings, billable: true, provider: providerGemini,
		paths: geminiPaths("embedContent", "batchEmbedContents"), request: geminiRequest, reply: geminiReply,
	},
	{
		name: "gemini.count_tokens", aside: asideCount, provider: providerGemini,
		paths: geminiPaths("countTokens", "computeTokens"), request: plainRequest, reply: plainReply,
	},
	{
		name: "gemini.batches", aside: asideBatch, provider: providerGemini,
		paths: geminiPaths("batchGenerateContent", "asyncBatchEmbedContent"), request: plainRequest, reply: plainReply,
	},
	{
		name: "gemini.interactions", operation: operationChat, billable: true, provider: providerGemini, only: true,
		paths: []string{"/interactions"}, job: jobIfAsked, request: interactionsRequest, reply: interactionsReply,
	},
	{
		name: "gemini.interactions", operation: operationChat, billable: true, provider: providerVertexAI, only: true,
		paths: []string{"/interactions"}, job: jobIfAsked, request: interactionsRequest, reply: interactionsReply,
	},
	{
		name: "gemini.interactions.retrieve", aside: asideRetrieve, provider: providerVertexAI, only: true, method: http.MethodGet,
		paths: []string{"/interactions/*"}, retrieves: true, request: plainRequest, reply: interactionsReply,
	},
	{
		name: "gemini.interactions.retrieve", aside: asideRetrieve, provider: providerGemini, only: true, method: http.MethodGet,
		paths: []string{"/interactions/*"}, retrieves: true, request: plainRequest, reply: interactionsReply,
	},
	{
		name: "vertex.predict", operation: operationEmbeddings, billable: true, provider: providerVertexAI, strict: true, checked: true,
		paths:      []string{"/models/*:predict"},
		operations: []modelOperation{{"imagen", operationImage}, {"imagegeneration", operationImage}, {"text", operationEmbeddings}, {"multimodalembedding", operationEmbeddings}, {"gemini-embedding", operationEmbeddings}},
		request:    predictRequest, reply: predictReply,
	},
	{
		name: "gemini.video", operation: operationVideo, billable: true, provider: providerGemini, strict: true, checked: true,
		paths: []string{"/models/*:predictLongRunning"}, job: jobAlways, request: predictRequest, reply: videoOperationReply,
	},
	{
		name: "gemini.video.retrieve", aside: asideRetrieve, provider: providerGemini, only: true, method: http.MethodGet,
		paths: []string{"/models/*/operations/*"}, retrieves: true, request: operationRequest, reply: videoOperationReply,
	},
	{
		name: "vertex.video.retrieve", aside: asideRetrieve, provider: providerVertexAI,
		paths: []string{"/models/*:fetchPredictOperation"}, retrieves: true, request: operationRequest, reply: videoOperationReply,
	},

	{
		name: "bedrock.converse", operation: operationChat, billable: true, provider: providerBedrock,
		paths: []string{"/model/*/converse"}, request: converseRequest, reply: converseReply,
	},
	{
		name: "bedrock.converse", operation: operationChat, billable: true, provider: providerBedrock, streams: true,
		paths: []string{"/model/*/converse-stream"}, request: converseRequest, reply: converseReply,
	},
	{
		name: "bedrock.invoke", operation: operationText, billable: true, provider: providerBedrock,
		paths: []string{"/model/*/invoke"}, anyType: true, operations: bedrockOperations, request: invokeRequest, reply: invokeReply,
	},
	{
		name: "bedrock.invoke", operation: operationText, billable: true, provider: providerBedrock, streams: true,
		paths: []string{"/model/*/invoke-with-response-stream"}, anyType: true, operations: bedrockOperations, request: invokeRequest, reply: invokeReply,
	},
	{
		name: "bedrock.video", operation: operationVideo, billable: true, provider: providerBedrock, only: true,
		paths: []string{"/async-invoke"}, operations: asyncOperations, job: jobAlways, request: asyncInvokeRequest, reply: asyncInvokeReply,
	},
	{
		name: "bedrock.video.retrieve", aside: asideRetrieve, provider: providerBedrock, only: true, method: http.MethodGet,
		paths: []string{"/async-invoke/*"}, retrieves: true, request: plainRequest, reply: asyncInvokeReply,
	},
	{
		name: "bedrock.count_tokens", aside: asideCount, provider: providerBedrock,
		paths: []string{"/model/*/count-tokens"}, request: plainRequest, reply: plainReply,
	},

	{
		name: "cohere.chat.v2", operation: operationChat, billable: true, provider: providerCohere, only: true,
		paths: []string{"/v2/chat"}, request: cohereRequest, reply: cohereReply,
	},
	{
		name: "cohere.chat.v1", operation: operationChat, billable: true, provider: providerCohere, only: true,
		paths: []string{"/v1/chat"}, request: cohereRequest, reply: cohereReply,
	},
	{
		name: "cohere.generate", operation: operationText, billable: true, provider: providerCohere, only: true,
		paths: []string{"/v1/generate"}, request: cohereRequest, reply: cohereReply,
	},
	{
		name: "cohere.embed", operation: operationEmbeddings, billable: true, provider: providerCohere, only: true,
		paths: []string{"/v2/embed", "/v1/embed"}, request: cohereRequest, reply: cohereReply,
	},
	{
		name: "cohere.rerank", operation: operationRerank, billable: true, provider: providerCohere,
		paths: []string{"/rerank"}, checked: true, request: cohereRequest, reply: cohereReply,
	},

	{
		name: "ollama.chat", operation: operationChat, billable: true, provider: providerOllama, streamsUnlessTold: true,
		paths: []string{"/api/chat"}, checked: true, request: ollamaRequest, reply: ollamaReply,
	},
	{
		name: "ollama.generate", operation: operationText, billable: true, provider: providerOllama, streamsUnlessTold: true,
		paths: []string{"/api/generate"}, checked: true, request: ollamaRequest, reply: ollamaReply,
	},
	{
		name: "ollama.embed", operation: operationEmbeddings, billable: true, provider: providerOllama,
		paths: []string{"/api/embed"}, checked: true, request: ollamaRequest, reply: ollamaReply,
	},
}

// apiIndex finds the candidates for a request by what its path ends with.
var apiIndex = newAPIIndex(apis)

// indexKey is the method and the end of a path: its last segment, or ":verb" of
// that, or its last segment but one where a pattern ends with a *.
type indexKey struct {
	method, end string
	parent      bool
}

type indexedPattern struct {
	api     *api
	pattern pattern
}

func newAPIIndex(apis []*api) map[indexKey][]indexedPattern {
	index := make(map[indexKey][]indexedPattern)
	for _, a := range apis {
		method := a.method
		if method == "" {
			method = http.MethodPost
		}
		for _, path := range a.paths {
			p := newPattern(path)
			key := p.key(method)
			index[key] = append(index[key], indexedPattern{a, p})
		}
	}
	return index
}
