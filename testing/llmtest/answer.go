// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"net/http"
	"time"
)

// Answer is a scripted answer. Its zero value is the default answer: text that repeats what was asked, with
// plausible usage. Every field that is set replaces one thing of it.
type Answer struct {
	// What the model says. Choices gives each choice by itself; otherwise the other fields are the one choice,
	// repeated as often as the request's n (and its list of prompts) wants.
	Text         string     // split into words when streamed
	Pieces       []string   // text in the pieces in which it is streamed; replaces Text
	ToolCalls    []ToolCall // no text is made up beside them
	FinishReason string     // default "stop", "tool_calls" with tool calls, "length" when max_tokens cut the default text
	Choices      []Choice
	Embeddings   [][]float32 // one vector per input; default: unit vectors derived from the input

	// The envelope.
	ID                string         // default derived from the request's number
	Model             string         // response model; default: the request's
	SystemFingerprint string         // null by default
	ServiceTier       string         // default "default"
	Usage             *Usage         // default: counted, see [CountTokens]
	OmitUsage         bool           // no usage at all
	Extra             map[string]any // further fields of the body, or of every chunk

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
	// Gate, if not nil, holds back each event of a stream (chunks, the usage chunk, [DONE]) and the body of a
	// plain answer until one value comes from it. A test that sends on an unbuffered channel lets exactly one
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
	ToolCalls    []ToolCall
	FinishReason string
}

// ToolCall is a function that the model wants called.
type ToolCall struct {
	ID        string // default derived from its place
	Name      string
	Arguments string // JSON
}

// Usage is what an answer says about tokens.
type Usage struct {
	PromptTokens     int64 // all input, cached tokens included
	CompletionTokens int64 // all output, reasoning included
	TotalTokens      int64 // default: the sum
	CachedTokens     int64 // prompt_tokens_details.cached_tokens
	ReasoningTokens  int64 // completion_tokens_details.reasoning_tokens

	// Extra is merged into the usage object, objects member by member. It adds fields ("cost"), replaces
	// ("total_tokens": 7) and, with nil, removes them ("prompt_tokens_details": nil).
	Extra map[string]any
}

// Error is an error answer in OpenAI's shape. Type, Code and Message have defaults that fit the status.
type Error struct {
	Status  int // default 500
	Type    string
	Code    string
	Message string
	Param   string
}

// Fail is an answer with an HTTP error status and OpenAI's usual error body for it.
func Fail(status int) Answer { return Answer{Error: &Error{Status: status}} }

// Stream is how a streamed answer is sent.
type Stream struct {
	Delay time.Duration // before each event
	Usage UsagePlace
	End   End
	After int // chunks before an End other than EndDone; more than there are: after the last

	Error      *Error // EndError: what the error event says
	ErrorEvent string // EndError: the SSE event's name; none by default

	KeepAlive bool // a comment before each event
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
	EndDone        End = ""        // data: [DONE]
	EndWithoutDone End = "no-done" // the body just ends
	EndCut         End = "cut"     // the connection breaks
	EndError       End = "error"   // an error event, then the body ends
	EndHang        End = "hang"    // nothing more comes, until the client leaves or the server is closed
)
