// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import "strings"

// A route leads from a path to a kind of request.
type route struct {
	// path is the path, or, unless it is OpenAI's, its end. {model} stands for the model, which may have slashes in
	// it, {id} for the id of an answer, which has none.
	path string
	kind *kind
}

// openAIRoutes are the paths of OpenAI's API, after what stands before them: nothing or /v1, and Azure's /openai.
func openAIRoutes() []route {
	return []route{
		{"/chat/completions", chatKind},
		{"/completions", completionsKind},
		{"/embeddings", embeddingsKind},
		{"/responses", responsesKind},
		{"/responses/compact", compactKind},
		{"/responses/input_tokens", inputTokensKind},
		{"/responses/{id}", retrieveKind},
		{"/responses/{id}/cancel", cancelKind},
		{"/images/generations", imagesKind},
		{"/images/edits", imageEditsKind},
		{"/images/variations", imagesKind},
		{"/audio/transcriptions", transcriptionsKind},
		{"/audio/translations", translationsKind},
		{"/audio/speech", speechKind},
		{"/moderations", moderationsKind},
		{"/videos", videosKind},
		{"/videos/{id}", retrieveVideoKind},
	}
}

// otherRoutes are the ends of the paths of all other APIs, whatever stands before them.
func otherRoutes() []route {
	return []route{
		{"/v1/messages", messagesKind},
		{"/v1/messages/count_tokens", anthropicCountKind},
		{"/publishers/anthropic/models/count-tokens:rawPredict", anthropicCountKind},
		{"/publishers/anthropic/models/{model}:rawPredict", vertexMessagesKind},
		{"/publishers/anthropic/models/{model}:streamRawPredict", vertexMessagesKind},
		{"/models/{model}:generateContent", generateContentKind},
		{"/models/{model}:streamGenerateContent", streamContentKind},
		{"/models/{model}:countTokens", googleCountKind},
		{"/models/{model}:embedContent", embedContentKind},
		{"/models/{model}:batchEmbedContents", batchEmbedContentsKind},
		{"/models/{model}:predict", predictKind},
		{"/models/{model}:predictLongRunning", veoKind},
		{"/models/{model}:fetchPredictOperation", fetchOperationKind},
		{"/operations/{id}", operationKind},
		{"/model/{model}/converse", converseKind},
		{"/model/{model}/converse-stream", converseStreamKind},
		{"/model/{model}/invoke", invokeKind},
		{"/model/{model}/invoke-with-response-stream", invokeStreamKind},
		{"/v1/complete", anthropicCompleteKind},
		{"/v1/chat", cohereV1ChatKind},
		{"/v2/chat", cohereChatKind},
		{"/v2/embed", cohereEmbedKind},
		{"/v2/rerank", rerankKind},
		{"/api/chat", ollamaChatKind},
		{"/api/generate", ollamaGenerateKind},
		{"/api/embed", ollamaEmbedKind},
		{"/api/embeddings", ollamaEmbeddingsKind},
	}
}

// destination is where a path leads.
type destination struct {
	kind          *kind
	model         string // named by the path
	id            string // of an answer
	azure, vertex bool
}

// find finds out what a path wants.
func find(path string) (destination, bool) {
	if d, ok := findOpenAI(path); ok {
		return d, true
	}
	for _, r := range otherRoutes() {
		if d, ok := r.ends(path); ok {
			return d, true
		}
	}
	return destination{}, false
}

// findOpenAI knows OpenAI's paths with and without /v1, Azure's with the deployment and LiteLLM's older ones with the
// engine.
func findOpenAI(path string) (destination, bool) {
	rest, named := strings.CutPrefix(path, "/openai/deployments/")
	azure := named
	if !named {
		path = strings.TrimPrefix(path, "/openai")
		path = strings.TrimPrefix(path, "/v1")
		rest, named = strings.CutPrefix(path, "/engines/")
	}
	for _, r := range openAIRoutes() {
		if named {
			if model, ok := strings.CutSuffix(rest, r.path); ok {
				return destination{kind: r.kind, model: model, azure: azure}, model != ""
			}
			continue
		}
		if id, ok := r.is(path); ok {
			return destination{kind: r.kind, id: id}, true
		}
	}
	return destination{}, false
}

// is reports whether path is the route's, and the id in it.
func (r route) is(path string) (id string, ok bool) {
	before, after, holds := strings.Cut(r.path, "{id}")
	if !holds {
		return "", path == r.path
	}
	id, begins := strings.CutPrefix(path, before)
	id, ends := strings.CutSuffix(id, after)
	return id, begins && ends && id != "" && !strings.Contains(id, "/")
}

// ends reports whether path ends as the route's does, and what is in it.
func (r route) ends(path string) (destination, bool) {
	d := destination{kind: r.kind, vertex: strings.Contains(path, "/publishers/")}
	if before, _, holds := strings.Cut(r.path, "{id}"); holds {
		at := strings.LastIndexByte(path, '/') + 1
		d.id = path[at:]
		return d, d.id != "" && strings.HasSuffix(path[:at], before)
	}
	before, after, holds := strings.Cut(r.path, "{model}")
	if !holds {
		return d, strings.HasSuffix(path, r.path)
	}
	rest, ok := strings.CutSuffix(path, after)
	at := strings.LastIndex(rest, before)
	if !ok || at < 0 {
		return d, false
	}
	d.model = rest[at+len(before):]
	return d, d.model != ""
}
