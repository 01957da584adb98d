// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"net/http"
	"time"
)

// Answer is a scripted answer, to whichever API it is that the request uses: what the model says and what it used is
// said once, in words that hold for all, and written as the provider of that API would. Its zero value is the default
// answer: text that repeats what was asked, with plausible usage. Every field that is set replaces one thing of it.
type Answer struct {
	// What the model says. Choices gives each choice by itself; otherwise the other fields are the one choice,
	// repeated as often as the request's n (and its list of prompts) wants. APIs that know one choice send the first.
	Text      string     // split into words when streamed; a transcript
	Pieces    []string   // text in the pieces in which it is streamed; replaces Text
	Reasoning string     // thoughts before the text, where the API tells them; streamed in words
	ToolCalls []ToolCall // no text is made up beside them
	// FinishReason is said in OpenAI's words, which are translated: "stop" (the default), "length" (when max_tokens
	// cut the default text), "tool_calls" (with tool calls), "content_filter". Other words are sent as they are
	// ("refusal", "MALFORMED_FUNCTION_CALL"). For OpenAI's responses, "failed" and "cancelled" are words too, for videos "failed".
	FinishReason string
	Choices      []Choice

	// What other models say.
	Embeddings [][]float32 // one vector per input; default: unit vectors derived from the input
	Images     []Image     // default: as many of one pixel as the request wants; Gemini's first candidate has them behind the text, none by default
	Videos     int         // of Google; default: as many as the request wants
	Audio      []byte      // speech; default: a few bytes that are derived from the input
	Ranking    []Ranked    // rerank; default: the documents in their order
	Flagged    []string    // moderation: the categories that hold ("violence"); default: none

	// HostedTools are tools that the provider runs by itself, in its own words: OpenAI's responses have an item of
	// each type ("web_search_call"), Anthropic a block for each name ("web_search") and a count in its usage.
	HostedTools []string
	// Polls is how many retrievals of a background response (OpenAI) or of a video find it still in progress; then it
	// is done.
	Polls int

	// The envelope.
	ID                string         // default derived from the request's number
	Model             string         // response model; default: the request's
	SystemFingerprint string         // null by default
	ServiceTier       string         // default "default"
	Usage             *Usage         // default: counted, see [CountTokens]
	OmitUsage         bool           // no usage at all
	Extra             map[string]any // further fields of the body, or of every event

	// HTTP.
	Status     int           // default 200, or the error's
	Error      *Error        // answers with an error body; with Status 200 too
	Header     http.Header   // added to, and replacing, the usual headers; an empty list removes one
	RetryAfter time.Duration // Retry-After in seconds, rounded up
	// RetryAfterMs is retry-after-ms, which some SDKs prefer.
	RetryAfterMs time.Duration //nolint:staticcheck // named as the header
	Raw          []byte        // this body instead of any other; Content-Type from Header, else sniffed
	Gzip         bool          // compressed if the client accepts it

	// Timing and mishaps.
	Delay time.Duration // before anything is sent
	// Gate, if not nil, holds back each event of a stream (with OpenAI's: chunks, the usage chunk, [DONE]) and the
	// body of a plain answer until one value comes from it. A test that sends on an unbuffered channel lets exactly one
	// event out; closing the channel opens the gate for good. Headers are not held back.
	Gate   <-chan struct{}
	Hang   bool   // sends nothing until the client leaves or the server is closed
	Reset  bool   // breaks the connection before anything is sent
	Cut    bool   // plain answers: breaks the connection in the middle of the body
	Stream Stream // how a streamed answer is sent
}

// Choice is one choice of an answer.
type Choice struct {
	Text         string
	Pieces       []string
	Reasoning    string
	ToolCalls    []ToolCall
	FinishReason string
}

// ToolCall is a function that the model wants called.
type ToolCall struct {
	ID        string // default derived from its place
	Name      string
	Arguments string // JSON
}

// Image is an image of an answer.
type Image struct {
	URL           string // sent instead of Data; default where the API prefers URLs
	Data          []byte // default: a PNG of one pixel
	RevisedPrompt string
}

// Ranked is one result of a rerank.
type Ranked struct {
	Index int
	Score float64
}

// Usage is what an answer says about tokens. Providers count in different ways; here the prompt includes what was
// cached and the completion what was spent on reasoning, and the answer has the provider's own arithmetic.
type Usage struct {
	PromptTokens     int64 // all input, cached tokens included
	CompletionTokens int64 // all output, reasoning included
	TotalTokens      int64 // default: the sum

	// Parts of PromptTokens.
	CachedTokens        int64 // read from a cache
	CacheWriteTokens    int64 // written to a cache
	CacheWrite1hTokens  int64 // part of CacheWriteTokens that lives an hour (Anthropic, also on Bedrock)
	ToolUsePromptTokens int64 // came from tools (Gemini)
	PromptAudioTokens   int64
	PromptImageTokens   int64
	// Parts of CompletionTokens.
	ReasoningTokens       int64
	CompletionAudioTokens int64
	CompletionImageTokens int64 // said by Gemini; of OpenAI's images all tokens are theirs

	Seconds     float64 // of audio, where it is billed by time; default: a second for every 16,000 bytes of it
	SearchUnits int64   // of a rerank; default 1

	// Extra is merged into the usage object as the provider writes it, objects member by member. It adds fields
	// ("cost"), replaces ("total_tokens": 7) and, with nil, removes them ("prompt_tokens_details": nil).
	Extra map[string]any
}

// Error is an error answer in the shape that the API has for it. Type, Code and Message have defaults that fit the
// status. Anthropic has a Type and no Code, as have Google, whose status word it is, and AWS, whose exception it is;
// Cohere and Ollama have a Message alone.
type Error struct {
	Status  int // default 500
	Type    string
	Code    string
	Message string
	Param   string
}

// Fail is an answer with an HTTP error status and the provider's usual error body for it.
func Fail(status int) Answer { return Answer{Error: &Error{Status: status}} }

// Stream is how a streamed answer is sent.
type Stream struct {
	Delay time.Duration // before each event
	Usage UsagePlace    // of OpenAI's chat and legacy completions; others have one way
	// StartUsage is the usage with which Anthropic's stream begins; default: the prompt's, and one token of output.
	StartUsage *Usage
	End        End
	After      int // events before an End other than EndDone; more than there are: after the last

	Error      *Error // EndError: what the error event says
	ErrorEvent string // EndError: the SSE event's name; default: the API's, if it names events

	KeepAlive bool // a comment before each event, where streams have comments (SSE)
	CRLF      bool // lines end in \r\n
}

// UsagePlace is where a stream tells its usage.
type UsagePlace string

// The places.
const (
	// UsageDefault is UsageOwnChunk, or UsageEmptyDelta of a server that is a LiteLLM proxy.
	UsageDefault UsagePlace = ""
	// UsageOwnChunk is OpenAI's: with stream_options.include_usage every chunk has "usage":null and one more,
	// without choices, has the usage; without it there is none.
	UsageOwnChunk UsagePlace = "own-chunk"
	// UsageAlways sends that chunk unasked.
	UsageAlways UsagePlace = "always"
	// UsageInFinish puts it into the last chunk with a finish reason, unasked, as Mistral and DeepSeek do.
	UsageInFinish UsagePlace = "finish"
	// UsageInEvery puts running totals into every chunk, unasked, as Perplexity does.
	UsageInEvery UsagePlace = "every"
	// UsageNever ignores stream_options, as some relays do.
	UsageNever UsagePlace = "never"
	// UsageEmptyDelta is LiteLLM's: as asked, in a chunk that has a choice with an empty delta, after another one
	// without usage.
	UsageEmptyDelta UsagePlace = "empty-delta"
)

// End is how a stream ends.
type End string

// The ends.
const (
	EndDone End = "" // as it should
	// EndWithoutDone leaves out what marks the end in this format ([DONE], response.completed, message_stop, metadata
	// of Bedrock, message-end, "done":true); the body just ends. Gemini's has no mark.
	EndWithoutDone End = "no-done"
	EndCut         End = "cut"   // the connection breaks
	EndError       End = "error" // an error event, then the body ends
	EndHang        End = "hang"  // nothing more comes, until the client leaves or the server is closed
)
