// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"net/http"
	"time"
)

// API is a kind of request.
type API string

// The kinds.
const (
	APIChat        API = "chat"        // /chat/completions
	APICompletions API = "completions" // /completions, the legacy one
	APIEmbeddings  API = "embeddings"  // /embeddings

	APIResponses        API = "responses"          // /responses
	APICompactResponses API = "responses_compact"  // /responses/compact
	APIRetrieveResponse API = "responses_retrieve" // GET /responses/{id}
	APICancelResponse   API = "responses_cancel"   // /responses/{id}/cancel
	APIImages           API = "images"             // /images/generations, /images/edits, /images/variations
	APITranscriptions   API = "transcriptions"     // /audio/transcriptions
	APITranslations     API = "translations"       // /audio/translations
	APISpeech           API = "speech"             // /audio/speech
	APIModerations      API = "moderations"        // /moderations
	APIVideos           API = "videos"             // /videos; Google: :predictLongRunning
	APIRetrieveVideo    API = "videos_retrieve"    // GET /videos/{id}; Google: …/operations/{id}, :fetchPredictOperation

	APIMessages API = "messages" // Anthropic: /v1/messages; Vertex: :rawPredict, :streamRawPredict
	// APIAnthropicComplete is Anthropic's API before messages: /v1/complete.
	APIAnthropicComplete API = "anthropic_complete"
	APIGenerateContent   API = "generate_content" // Gemini, Vertex: :generateContent, :streamGenerateContent
	APIEmbedContent      API = "embed_content"    // Gemini: :embedContent, :batchEmbedContents
	APIPredict           API = "predict"          // Vertex: :predict
	APIConverse          API = "converse"         // Bedrock: /model/{model}/converse, …/converse-stream
	APIInvokeModel       API = "invoke_model"     // Bedrock: /model/{model}/invoke, …/invoke-with-response-stream
	APICohereChat        API = "cohere_chat"      // /v2/chat
	APICohereV1Chat      API = "cohere_v1_chat"   // /v1/chat
	APICohereEmbed       API = "cohere_embed"     // /v2/embed
	APIRerank            API = "rerank"           // /v2/rerank
	APIOllamaChat        API = "ollama_chat"      // /api/chat
	APIOllamaGenerate    API = "ollama_generate"  // /api/generate
	APIOllamaEmbed       API = "ollama_embed"     // /api/embed, /api/embeddings
	APICountTokens       API = "count_tokens"     // whoever's: tokens of a prompt, nothing generated
)

// Request is a request as the server saw it.
type Request struct {
	Seq    int // from 1, in order of arrival
	Time   time.Time
	Method string
	Path   string
	Query  string // raw
	Header http.Header
	Body   []byte // do not modify

	// What the server understood; zero if it did not.
	API          API
	Model        string // from the body, else from the path
	Stream       bool
	IncludeUsage bool // stream_options.include_usage
	LastUserText string

	// What became of it.
	Status       int  // of the answer; 0 if none was sent (yet)
	Events       int  // events of a stream that were sent, [DONE] included
	Ended        bool // the server is through with it
	Disconnected bool // the client left before the answer was sent completely
}
