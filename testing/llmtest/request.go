// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// What one request may ask for.
const (
	maxChoices    = 128
	maxDimensions = 16_384
)

// API is a kind of request.
type API string

// The kinds.
const (
	APIChat        API = "chat"        // /chat/completions
	APICompletions API = "completions" // /completions, the legacy one
	APIEmbeddings  API = "embeddings"  // /embeddings
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

// route finds out what the path wants: OpenAI's paths with and without /v1, Azure's with the deployment and
// LiteLLM's older ones with the engine.
func route(path string) (api API, model string, azure, ok bool) {
	rest, found := strings.CutPrefix(path, "/openai/deployments/")
	azure = found
	if !found {
		path = strings.TrimPrefix(path, "/openai")
		path = strings.TrimPrefix(path, "/v1")
		rest, found = strings.CutPrefix(path, "/engines/")
	}
	for _, a := range []struct {
		suffix string
		api    API
	}{
		{"/chat/completions", APIChat},
		{"/completions", APICompletions},
		{"/embeddings", APIEmbeddings},
	} {
		if !found && path == a.suffix {
			return a.api, "", false, true
		}
		if name, is := strings.CutSuffix("/"+rest, a.suffix); found && is {
			name = strings.TrimPrefix(name, "/")
			return a.api, name, azure, name != ""
		}
	}
	return "", "", false, false
}

// call is a request's body as far as an answer depends on it.
type call struct {
	Model         string          `json:"model"`
	Messages      []message       `json:"messages"`
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

	api   API
	azure bool
	seq   int
}

type message struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

// text returns the message's text: a string, or the texts of its parts.
func (m message) text() string {
	var s string
	if json.Unmarshal(m.Content, &s) == nil {
		return s
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(m.Content, &parts) != nil {
		return "" // no text
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

func (c *call) lastUserText() string {
	for _, m := range slices.Backward(c.Messages) {
		if m.Role == "user" {
			return m.text()
		}
	}
	return ""
}

func (c *call) includeUsage() bool { return c.StreamOptions != nil && c.StreamOptions.IncludeUsage }

// item is one prompt or input: text, or a list of tokens.
type item struct {
	text   string
	tokens int64 // of a list; 0 for text
}

func (i item) count() int64 {
	if i.tokens > 0 {
		return i.tokens
	}
	return CountTokens(i.text)
}

// items reads a prompt or input, which may be a string, a list of strings, a list of tokens, or a list of those.
func items(raw json.RawMessage) ([]item, bool) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return []item{{text: s}}, len(raw) > 0 && !isNull(raw)
	}
	var tokens []int64
	if json.Unmarshal(raw, &tokens) == nil {
		return []item{{text: string(raw), tokens: int64(len(tokens))}}, len(tokens) > 0
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil, false
	}
	var out []item
	for _, r := range list {
		sub, ok := items(r)
		if !ok || len(sub) != 1 {
			return nil, false
		}
		out = append(out, sub[0])
	}
	return out, len(out) > 0
}

func isNull(raw json.RawMessage) bool { return bytes.Equal(raw, []byte("null")) }

// understand reads body. The error is what OpenAI says to it.
func understand(body []byte, api API, pathModel string) (*call, *Error) {
	c := &call{api: api}
	if err := json.Unmarshal(body, c); err != nil {
		return nil, badRequest("", "", "We could not parse the JSON body of your request: "+err.Error())
	}
	if c.Model == "" {
		c.Model = pathModel
	}
	if c.Model == "" {
		return nil, badRequest("", "", "you must provide a model parameter")
	}
	if c.N < 0 || c.N > maxChoices {
		return nil, badRequest("n", "", fmt.Sprintf("%d is not between 1 and %d - 'n'", c.N, maxChoices))
	}
	c.N = max(c.N, 1)
	if c.StreamOptions != nil && !c.Stream {
		return nil, badRequest("stream_options", "",
			"The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	}
	return c, c.check()
}

// check says what is wrong with the fields that belong to one kind of request.
func (c *call) check() *Error {
	switch c.api {
	case APIChat:
		if len(c.Messages) == 0 {
			return badRequest("messages", "missing_required_parameter", "Missing required parameter: 'messages'.")
		}
	case APICompletions:
		if _, ok := items(c.Prompt); len(c.Prompt) > 0 && !isNull(c.Prompt) && !ok {
			return badRequest("prompt", "", "Invalid type for 'prompt'.")
		}
	case APIEmbeddings:
		if _, ok := items(c.Input); !ok {
			return badRequest("", "", "'$.input' is invalid. Please check the API reference.")
		}
		if d := c.Dimensions; d != nil && (*d < 1 || *d > maxDimensions) {
			return badRequest("", "", fmt.Sprintf("%d is not between 1 and %d - 'dimensions'", *d, maxDimensions))
		}
		if f := c.EncodingFormat; f != "" && f != "float" && f != "base64" {
			return badRequest("encoding_format", "invalid_value", "encoding_format must be float or base64")
		}
	}
	return nil
}

func badRequest(param, code, message string) *Error {
	return &Error{Status: http.StatusBadRequest, Type: "invalid_request_error", Code: code, Param: param, Message: message}
}
