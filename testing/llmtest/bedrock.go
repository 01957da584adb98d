// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// aws is how Amazon Bedrock speaks.
var aws = &dialect{
	headers: func(h http.Header, c *call) {
		h.Set("X-Amzn-Requestid", fmt.Sprintf("00000000-0000-4000-8000-%012d", c.seq))
	},
	usual:   usualAWS,
	failure: func(_ *call, e Error) any { return object{{"message", e.Message}} },
	failureHeaders: func(h http.Header, e Error) {
		h.Set("X-Amzn-Errortype", e.Type+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	},
	streamFailure: func(_ *call, e Error) (string, any) {
		// Exceptions in a stream begin with a small letter.
		return strings.ToLower(e.Type[:1]) + e.Type[1:], object{{"message", e.Message}}
	},
	finish: map[string]string{
		"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "content_filtered",
	},
}

// usualAWS is what Bedrock says with a status.
func usualAWS(status int) Error {
	switch status {
	case http.StatusForbidden, http.StatusUnauthorized:
		return Error{Type: "AccessDeniedException", Message: "You don't have access to the model with the specified model ID."}
	case http.StatusNotFound:
		return Error{Type: "ResourceNotFoundException", Message: "The model is not found."}
	case http.StatusRequestTimeout:
		return Error{Type: "ModelTimeoutException", Message: "The request took too long to process."}
	case 424: // an error of the model
		return Error{Type: "ModelErrorException", Message: "The model produced an error."}
	case http.StatusTooManyRequests:
		return Error{Type: "ThrottlingException", Message: "Too many requests, please wait before trying again."}
	case http.StatusServiceUnavailable:
		return Error{Type: "ServiceUnavailableException", Message: "Bedrock is unable to process your request."}
	}
	return Error{
		Type:    serverError(status, "ValidationException", "InternalServerException"),
		Message: serverError(status, "The provided request is not valid", "The system encountered an unexpected error."),
	}
}

var (
	converseKind = &kind{
		api: APIConverse, dialect: aws, generates: true, read: readConverse, plain: (*reply).converse,
	}
	converseStreamKind = &kind{
		api: APIConverse, dialect: aws, generates: true,
		read: readConverseStream, plain: (*reply).converse, events: (*reply).converseEvents,
	}
)

func awsBad(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Type: "ValidationException", Message: message}
}

// converseRequest is the body of a Converse request, and of one to invoke a Nova model.
type converseRequest struct {
	Messages chatMessages    `json:"messages"`
	System   json.RawMessage `json:"system"`
	Config   struct {
		MaxTokens int64 `json:"maxTokens"`
	} `json:"inferenceConfig"`
}

func readConverse(c *call, in incoming) *Error {
	var q converseRequest
	if bad := readAWS(in, &q); bad != nil {
		return bad
	}
	if len(q.Messages) == 0 {
		return awsBad("1 validation error detected: Value at 'messages' failed to satisfy constraint: Member must not be empty")
	}
	c.messages, c.maxTokens = q.Messages.messages(textOf(q.System)), q.Config.MaxTokens
	return nil
}

func readConverseStream(c *call, in incoming) *Error {
	c.stream = true
	return readConverse(c, in)
}

func readAWS(in incoming, into any) *Error {
	if err := json.Unmarshal(in.body, into); err != nil {
		return awsBad("Malformed input request: " + err.Error())
	}
	return nil
}

// converse writes u as Bedrock does: the input is what came beside the cache.
func (u *Usage) converse() (json.RawMessage, error) {
	if u == nil {
		return nil, nil
	}
	o := object{
		{"inputTokens", u.uncached()},
		{"outputTokens", u.CompletionTokens},
		{"totalTokens", u.total()},
	}.
		withCount("cacheReadInputTokens", u.CachedTokens).
		withCount("cacheWriteInputTokens", u.CacheWriteTokens)
	if u.CacheWriteTokens != 0 {
		details := []object{}
		if n := u.CacheWriteTokens - u.CacheWrite1hTokens; n != 0 {
			details = append(details, object{{"ttl", "5m"}, {"inputTokens", n}})
		}
		if n := u.CacheWrite1hTokens; n != 0 {
			details = append(details, object{{"ttl", "1h"}, {"inputTokens", n}})
		}
		o = append(o, member{"cacheDetails", details})
	}
	return u.write(o)
}

func reasoningBlock(text string) object {
	return object{{"reasoningContent", object{{"reasoningText", object{{"text", text}}}}}}
}

// converseMessage is what the model says, in Bedrock's blocks.
func (r *reply) converseMessage() object {
	c := r.choice()
	blocks := []object{}
	if c.Reasoning != "" {
		blocks = append(blocks, reasoningBlock(c.Reasoning))
	}
	if c.Text != "" {
		blocks = append(blocks, textPart(c.Text))
	}
	for n, t := range c.ToolCalls {
		use := object{{"toolUseId", t.id(0, n)}, {"name", t.Name}, {"input", t.arguments()}}
		blocks = append(blocks, object{{"toolUse", use}})
	}
	return object{{"content", blocks}, {"role", "assistant"}}
}

// converse is the plain answer.
func (r *reply) converse() (content, error) {
	usage, err := r.counts(r.completionTokens()).converse()
	if err != nil {
		return content{}, err
	}
	doc := object{
		{"metrics", object{{"latencyMs", 12}}},
		{"output", object{{"message", r.converseMessage()}}},
		{"stopReason", r.finishReason(r.choice())},
	}
	if usage != nil {
		doc = append(doc, member{"usage", usage})
	}
	return r.jsonContent(doc)
}

// converseEvents is an answer as frames of an event stream, with the usage after the end of the message.
func (r *reply) converseEvents() (stream, error) {
	s := r.script()
	if err := r.converseScript(s.add); err != nil {
		return stream{}, err
	}
	if s.err == nil {
		s.events[len(s.events)-1].terminal = true
	}
	return s.stream(eventStreamFraming)
}

// converseScript says the events of an answer, each with its name.
func (r *reply) converseScript(add func(name string, doc any)) error {
	usage, err := r.counts(r.completionTokens()).converse()
	if err != nil {
		return err
	}
	c := r.choice()
	index := 0
	block := func(deltas []object) {
		for _, d := range deltas {
			add("contentBlockDelta", object{{"contentBlockIndex", index}, {"delta", d}})
		}
		add("contentBlockStop", object{{"contentBlockIndex", index}})
		index++
	}
	add("messageStart", object{{"role", "assistant"}})
	if c.Reasoning != "" {
		var deltas []object
		for _, p := range words(c.Reasoning) {
			deltas = append(deltas, object{{"reasoningContent", textPart(p)}})
		}
		block(deltas)
	}
	if c.Text != "" {
		var deltas []object
		for _, p := range c.Pieces {
			deltas = append(deltas, textPart(p))
		}
		block(deltas)
	}
	for n, t := range c.ToolCalls {
		use := object{{"toolUseId", t.id(0, n)}, {"name", t.Name}}
		add("contentBlockStart", object{{"contentBlockIndex", index}, {"start", object{{"toolUse", use}}}})
		var deltas []object
		for _, p := range parts(t.Arguments) {
			deltas = append(deltas, object{{"toolUse", object{{"input", p}}}})
		}
		block(deltas)
	}
	add("messageStop", object{{"stopReason", r.finishReason(c)}})
	end := object{{"metrics", object{{"latencyMs", 12}}}}
	if usage != nil {
		end = append(end, member{"usage", usage})
	}
	add("metadata", end)
	return nil
}

// padding hides the length of what is said, as Bedrock's events do.
func padding(n int) member {
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return member{"p", alphabet[:1+n*7%len(alphabet)]}
}

// eventStreamFraming is that of AWS event streams.
var eventStreamFraming = framing{contentType: eventStreamType, frame: func(_ Stream, e event, n int) []byte {
	if e.exception {
		return exceptionFrame(e)
	}
	data := e.data
	if p, err := json.Marshal(object{padding(n)}); err == nil { // always: it is one string
		data = append(append(data[:len(data)-1:len(data)-1], ','), p[1:]...)
	}
	return eventStreamFrame(data, ":event-type", e.name, ":content-type", "application/json", ":message-type", "event")
}}

const eventStreamType = "application/vnd.amazon.eventstream"

func exceptionFrame(e event) []byte {
	return eventStreamFrame(e.data, ":exception-type", e.name, ":content-type", "application/json", ":message-type", "exception")
}
