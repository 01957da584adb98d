// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
)

// What one request may ask for.
const (
	maxChoices    = 128
	maxDimensions = 16_384
)

var chatKind = &kind{
	api: APIChat, dialect: openAI, id: "chatcmpl-", generates: true,
	read: readChat, plain: (*reply).chat, events: (*reply).chunks,
}

var completionsKind = &kind{
	api: APICompletions, dialect: openAI, id: "cmpl-", generates: true,
	read: readCompletions, plain: (*reply).chat, events: (*reply).chunks,
}

// openAIRequest is the body of a request for a chat, a legacy completion or embeddings.
type openAIRequest struct {
	Model         string          `json:"model"`
	Messages      chatMessages    `json:"messages"`
	Prompt        json.RawMessage `json:"prompt"`
	Input         json.RawMessage `json:"input"`
	Stream        bool            `json:"stream"`
	StreamOptions *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	N                   int    `json:"n"`
	MaxTokens           int64  `json:"max_tokens"`
	MaxCompletionTokens int64  `json:"max_completion_tokens"`
	ServiceTier         string `json:"service_tier"`
	Dimensions          *int   `json:"dimensions"`
	EncodingFormat      string `json:"encoding_format"`
}

const openAIComplaint = "We could not parse the JSON body of your request: "

// readOpenAI reads what these requests have in common. The error is what OpenAI says.
func (c *call) readOpenAI(in incoming) (*openAIRequest, *Error) {
	q := &openAIRequest{}
	if bad := readJSON(in, q, openAIComplaint); bad != nil {
		return nil, bad
	}
	if bad := c.name(q.Model); bad != nil {
		return nil, bad
	}
	if bad := c.choose(q.N); bad != nil {
		return nil, bad
	}
	if q.StreamOptions != nil && !q.Stream {
		return nil, badRequest("stream_options", "",
			"The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	}
	c.stream, c.serviceTier = q.Stream, q.ServiceTier
	c.streamOptions = q.StreamOptions != nil
	c.includeUsage = c.streamOptions && q.StreamOptions.IncludeUsage
	c.maxTokens = q.MaxTokens
	if q.MaxCompletionTokens > 0 {
		c.maxTokens = q.MaxCompletionTokens
	}
	return q, nil
}

// name notes which model is asked for. A path may have named it already.
func (c *call) name(model string) *Error {
	if c.model = cmp.Or(model, c.model); c.model == "" {
		return badRequest("", "", "you must provide a model parameter")
	}
	return nil
}

// choose notes how many choices are asked for.
func (c *call) choose(n int) *Error {
	if n < 0 || n > maxChoices {
		return badRequest("n", "", fmt.Sprintf("%d is not between 1 and %d - 'n'", n, maxChoices))
	}
	c.n = max(n, 1)
	return nil
}

func readChat(c *call, in incoming) *Error {
	q, bad := c.readOpenAI(in)
	if bad != nil {
		return bad
	}
	if len(q.Messages) == 0 {
		return missing("messages")
	}
	c.messages = q.Messages.messages("")
	return nil
}

func readCompletions(c *call, in incoming) *Error {
	q, bad := c.readOpenAI(in)
	if bad != nil {
		return bad
	}
	prompts, ok := items(q.Prompt)
	if !ok {
		if len(q.Prompt) > 0 && !isNull(q.Prompt) {
			return badRequest("prompt", "", "Invalid type for 'prompt'.")
		}
		prompts = []item{{}} // none is one that is empty
	}
	c.asked = prompts
	return nil
}

func badRequest(param, code, message string) *Error {
	return &Error{Status: http.StatusBadRequest, Type: "invalid_request_error", Code: code, Param: param, Message: message}
}

func missing(param string) *Error {
	return badRequest(param, "missing_required_parameter", "Missing required parameter: '"+param+"'.")
}
