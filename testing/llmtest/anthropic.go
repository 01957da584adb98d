// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// StatusOverloaded is Anthropic's status for a server that is overloaded.
const StatusOverloaded = 529

// anthropic is how Anthropic speaks.
var anthropic = &dialect{
	headers: func(h http.Header, c *call) {
		h.Set("Request-Id", requestID(c.seq))
		h.Set("Anthropic-Ratelimit-Requests-Limit", "4000")
		h.Set("Anthropic-Ratelimit-Requests-Remaining", "3999")
	},
	usual: usualAnthropic,
	failure: func(c *call, e Error) any {
		return append(anthropicFailure(e), member{"request_id", requestID(c.seq)})
	},
	streamFailure: func(_ *call, e Error) (string, any) { return "error", anthropicFailure(e) },
	finish: map[string]string{
		"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal",
	},
}

func anthropicFailure(e Error) object {
	return object{{"type", "error"}, {"error", object{{"type", e.Type}, {"message", e.Message}}}}
}

// usualAnthropic is what Anthropic says with a status.
func usualAnthropic(status int) Error {
	switch status {
	case http.StatusUnauthorized:
		return Error{Type: "authentication_error", Message: "invalid x-api-key"}
	case http.StatusPaymentRequired:
		return Error{Type: "billing_error", Message: "Your credit balance is too low."}
	case http.StatusForbidden:
		return Error{Type: "permission_error", Message: "Your API key has no permission for this."}
	case http.StatusNotFound:
		return Error{Type: "not_found_error", Message: "model not found"}
	case http.StatusRequestEntityTooLarge:
		return Error{Type: "request_too_large", Message: "Request exceeds the maximum size"}
	case http.StatusTooManyRequests:
		return Error{Type: "rate_limit_error", Message: "This request would exceed your rate limit."}
	case http.StatusGatewayTimeout:
		return Error{Type: "timeout_error", Message: "Request timed out"}
	case StatusOverloaded:
		return Error{Type: "overloaded_error", Message: "Overloaded"}
	}
	return Error{
		Type:    serverError(status, "invalid_request_error", "api_error"),
		Message: serverError(status, "Invalid request", "Internal server error"),
	}
}

var (
	messagesKind = &kind{
		api: APIMessages, dialect: anthropic, id: "msg_", generates: true,
		read: readMessages, plain: (*reply).message, events: (*reply).messageEvents,
	}
	anthropicCountKind = &kind{
		api: APICountTokens, dialect: anthropic, read: readMessages,
		plain: func(r *reply) (content, error) {
			return r.jsonContent(object{{"input_tokens", r.counts(0).prompt()}})
		},
	}
	// vertexMessagesKind is Anthropic's API on Vertex AI; the stream has a path of its own.
	vertexMessagesKind = &kind{
		api: APIMessages, dialect: anthropic, id: "msg_vrtx_", generates: true,
		read: readMessages, plain: (*reply).message, events: (*reply).messageEvents,
	}
)

// readMessages reads a request for a message, or for its count.
func readMessages(c *call, in incoming) *Error {
	var q struct {
		Model         string          `json:"model"`
		MaxTokens     int64           `json:"max_tokens"`
		System        json.RawMessage `json:"system"`
		Messages      chatMessages    `json:"messages"`
		Stream        bool            `json:"stream"`
		StopSequences []string        `json:"stop_sequences"`
	}
	if bad := readJSON(in, &q, "The request body is not valid JSON: "); bad != nil {
		return bad
	}
	switch c.model = cmp.Or(q.Model, c.model); {
	case c.model == "":
		return anthropicBad("model: Field required")
	case q.MaxTokens <= 0 && c.kind.generates:
		return anthropicBad("max_tokens: Field required")
	case len(q.Messages) == 0:
		return anthropicBad("messages: Field required")
	}
	c.messages = q.Messages.messages(textOf(q.System))
	c.maxTokens, c.stops = q.MaxTokens, q.StopSequences
	c.stream = q.Stream && c.kind.events != nil
	return nil
}

func anthropicBad(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Type: "invalid_request_error", Message: message}
}

// anthropic writes u as Anthropic does: the input is what came after the cache.
func (u *Usage) anthropic(hosted []string) (json.RawMessage, error) {
	if u == nil {
		return nil, nil
	}
	o := object{
		{"input_tokens", u.uncached()},
		{"cache_creation_input_tokens", u.CacheWriteTokens},
		{"cache_read_input_tokens", u.CachedTokens},
		{"cache_creation", object{
			{"ephemeral_5m_input_tokens", u.CacheWriteTokens - u.CacheWrite1hTokens},
			{"ephemeral_1h_input_tokens", u.CacheWrite1hTokens},
		}},
		{"output_tokens", u.CompletionTokens},
	}
	if u.ReasoningTokens != 0 {
		o = append(o, member{"output_tokens_details", object{{"thinking_tokens", u.ReasoningTokens}}})
	}
	if len(hosted) > 0 {
		o = append(o, member{"server_tool_use", object{
			{"web_search_requests", countOf(hosted, "web_search")}, {"web_fetch_requests", countOf(hosted, "web_fetch")},
		}})
	}
	return u.write(append(o, member{"service_tier", "standard"}))
}

func countOf(list []string, s string) int {
	n := 0
	for _, l := range list {
		if l == s {
			n++
		}
	}
	return n
}

// blocks is the content of a message: what was thought, which tools the server ran, text, which tools it wants.
func (r *reply) blocks() []object {
	c := r.choice()
	out := []object{}
	if c.Reasoning != "" {
		out = append(out, object{{"type", "thinking"}, {"thinking", c.Reasoning}, {"signature", "c2lnbmVk"}})
	}
	for n, name := range r.answer.HostedTools {
		out = append(out, object{
			{"type", "server_tool_use"},
			{"id", fmt.Sprintf("srvtoolu_%03d", n)},
			{"name", name},
			{"input", json.RawMessage("{}")},
		})
	}
	if c.Text != "" {
		out = append(out, object{{"type", "text"}, {"text", c.Text}})
	}
	for n, t := range c.ToolCalls {
		out = append(out, object{{"type", "tool_use"}, {"id", t.id(0, n)}, {"name", t.Name}, {"input", t.arguments()}})
	}
	return out
}

// stopSequence is the sequence that stopped the message, if one did.
func (r *reply) stopSequence(c Choice) any {
	if c.FinishReason == "stop_sequence" && len(r.call.stops) > 0 {
		return r.call.stops[0]
	}
	return nil
}

// envelopeOf is a message with that content and the end of it.
func (r *reply) envelopeOf(blocks []object, stopReason, stopSequence any, usage json.RawMessage) object {
	o := object{
		{"model", r.model},
		{"id", r.id},
		{"type", "message"},
		{"role", "assistant"},
		{"content", blocks},
		{"stop_reason", stopReason},
		{"stop_sequence", stopSequence},
	}
	if usage != nil {
		o = append(o, member{"usage", usage})
	}
	return o
}

// message is the plain answer.
func (r *reply) message() (content, error) {
	usage, err := r.counts(r.completionTokens()).anthropic(r.answer.HostedTools)
	if err != nil {
		return content{}, err
	}
	c := r.choice()
	return r.jsonContent(r.envelopeOf(r.blocks(), r.finishReason(c), r.stopSequence(c), usage))
}

// messageEvents is a message as a stream: it begins with the usage of the prompt and ends with that of it all.
func (r *reply) messageEvents() (stream, error) {
	begin := r.answer.Stream.StartUsage
	all := r.counts(r.completionTokens())
	if begin == nil && all != nil {
		first := *all
		first.CompletionTokens, first.ReasoningTokens, first.Extra = 1, 0, nil
		begin = &first
	}
	first, err := begin.anthropic(nil)
	if err != nil {
		return stream{}, err
	}
	last, err := all.anthropic(r.answer.HostedTools)
	if err != nil {
		return stream{}, err
	}

	s := r.script()
	s.typed("message_start", member{"message", r.envelopeOf([]object{}, nil, nil, first)})
	for i, b := range r.blocks() {
		s.block(i, b, r.choice())
	}
	c := r.choice()
	end := []member{{"delta", object{{"stop_reason", r.finishReason(c)}, {"stop_sequence", r.stopSequence(c)}}}}
	if last != nil {
		end = append(end, member{"usage", last})
	}
	s.typed("message_delta", end...)
	s.end("message_stop", object{{"type", "message_stop"}})
	return s.stream(sseFraming)
}

// typed adds an event that says its type.
func (s *script) typed(name string, more ...member) {
	s.add(name, append(object{{"type", name}}, more...))
}

// block adds the events of one block of content.
func (s *script) block(i int, b object, c Choice) {
	index := member{"index", i}
	delta := func(d object) { s.typed("content_block_delta", index, member{"delta", d}) }
	start := func(o object) {
		s.typed("content_block_start", index, member{"content_block", o})
		if i == 0 {
			s.typed("ping")
		}
	}
	switch b.get("type") {
	case "thinking":
		start(b.with("thinking", "").with("signature", ""))
		for _, p := range words(c.Reasoning) {
			delta(object{{"type", "thinking_delta"}, {"thinking", p}})
		}
		delta(object{{"type", "signature_delta"}, {"signature", b.get("signature")}})
	case "text":
		start(b.with("text", ""))
		for _, p := range c.Pieces {
			delta(object{{"type", "text_delta"}, {"text", p}})
		}
	default: // a tool's use
		start(b.with("input", struct{}{}))
		input, _ := b.get("input").(json.RawMessage)
		for _, p := range slices.Concat([]string{""}, parts(string(input))) {
			delta(object{{"type", "input_json_delta"}, {"partial_json", p}})
		}
	}
	s.typed("content_block_stop", index)
}
