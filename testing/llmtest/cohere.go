// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// cohere is how Cohere speaks.
var cohere = &dialect{
	headers: func(h http.Header, c *call) {
		h.Set("X-Debug-Trace-Id", fmt.Sprintf("%032d", c.seq))
	},
	usual: usualCohere,
	failure: func(c *call, e Error) any {
		return object{{"id", fmt.Sprintf("00000000-0000-4000-8000-%012d", c.seq)}, {"message", e.Message}}
	},
	streamFailure: func(_ *call, e Error) (string, any) {
		return "message-end", object{
			{"type", "message-end"}, {"delta", object{{"error", e.Message}, {"finish_reason", "ERROR"}}},
		}
	},
	finish: map[string]string{
		"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL", "content_filter": "ERROR",
	},
}

// usualCohere is what Cohere says with a status.
func usualCohere(status int) Error {
	switch status {
	case http.StatusUnauthorized:
		return Error{Message: "Incorrect API key provided."}
	case http.StatusNotFound:
		return Error{Message: "model not found"}
	case http.StatusTooManyRequests:
		return Error{Message: "You have exceeded your rate limit."}
	}
	return Error{Message: serverError(status, "invalid request", "internal server error")}
}

var (
	cohereChatKind = &kind{
		api: APICohereChat, dialect: cohere, id: "00000000-0000-4000-8000-000000", generates: true,
		read: readCohereChat, plain: (*reply).cohereChat, events: (*reply).cohereEvents,
	}
	cohereEmbedKind = &kind{
		api: APICohereEmbed, dialect: cohere, id: "00000000-0000-4000-8000-000000",
		read: readCohereEmbed, plain: (*reply).cohereEmbed,
	}
	rerankKind = &kind{
		api: APIRerank, dialect: cohere, id: "00000000-0000-4000-8000-000000", read: readRerank, plain: (*reply).rerank,
	}
)

// coherePreamble is the tokens that Cohere adds to a chat and does not bill.
const coherePreamble = 62

func cohereBad(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Message: message}
}

func (c *call) nameCohere(model string) *Error {
	if c.model = cmp.Or(model, c.model); c.model == "" {
		return cohereBad("invalid request: model is required")
	}
	return nil
}

func readCohereChat(c *call, in incoming) *Error {
	var q struct {
		Model     string       `json:"model"`
		Messages  chatMessages `json:"messages"`
		Stream    bool         `json:"stream"`
		MaxTokens int64        `json:"max_tokens"`
	}
	if bad := readJSON(in, &q, "invalid request: "); bad != nil {
		return bad
	}
	if len(q.Messages) == 0 {
		return cohereBad("invalid request: messages must be at least one")
	}
	c.messages, c.stream, c.maxTokens = q.Messages.messages(""), q.Stream, q.MaxTokens
	return c.nameCohere(q.Model)
}

// cohere writes u as Cohere does for a chat: what is billed, and what the model saw.
func (u *Usage) cohere() (json.RawMessage, error) {
	if u == nil {
		return nil, nil
	}
	return u.write(object{
		{"billed_units", object{{"input_tokens", u.PromptTokens}, {"output_tokens", u.CompletionTokens}}},
		{"tokens", object{{"input_tokens", u.PromptTokens + coherePreamble}, {"output_tokens", u.CompletionTokens}}},
	}.withCount("cached_tokens", u.CachedTokens))
}

// cohereTool is a call of a tool; streams give the arguments later.
func cohereTool(t ToolCall, n int, arguments string) object {
	return object{
		{"id", t.id(0, n)},
		{"type", "function"},
		{"function", object{{"name", t.Name}, {"arguments", arguments}}},
	}
}

func (r *reply) cohereChat() (content, error) {
	usage, err := r.counts(r.completionTokens()).cohere()
	if err != nil {
		return content{}, err
	}
	c := r.choice()
	say := object{{"role", "assistant"}}
	if len(c.ToolCalls) > 0 {
		var calls []object
		for n, t := range c.ToolCalls {
			calls = append(calls, cohereTool(t, n, t.Arguments))
		}
		say = append(say, member{"tool_plan", c.Reasoning}, member{"tool_calls", calls})
	}
	if blocks := c.cohereBlocks(); len(blocks) > 0 {
		say = append(say, member{"content", blocks})
	}
	doc := object{{"id", r.id}, {"message", say}, {"finish_reason", r.finishReason(c)}}
	if usage != nil {
		doc = append(doc, member{"usage", usage})
	}
	return r.jsonContent(doc)
}

// cohereBlocks is the content of a message: thoughts, unless they are the plan for a tool, and text.
func (c Choice) cohereBlocks() []object {
	var out []object
	if c.Reasoning != "" && len(c.ToolCalls) == 0 {
		out = append(out, object{{"type", "thinking"}, {"thinking", c.Reasoning}})
	}
	if c.Text != "" {
		out = append(out, object{{"type", "text"}, {"text", c.Text}})
	}
	return out
}

// cohereEvents is a chat's answer as a stream, with the usage in its last event.
func (r *reply) cohereEvents() (stream, error) {
	usage, err := r.counts(r.completionTokens()).cohere()
	if err != nil {
		return stream{}, err
	}
	c := r.choice()
	s := r.script()
	said := func(m object) member { return member{"delta", object{{"message", m}}} }
	s.add("message-start", object{
		{"id", r.id},
		{"type", "message-start"},
		said(object{{"role", "assistant"}, {"content", []any{}}, {"tool_plan", ""}, {"tool_calls", []any{}}, {"citations", []any{}}}),
	})
	index := 0
	for _, b := range c.cohereBlocks() {
		kind, _ := b.get("type").(string)
		pieces := c.Pieces
		field := "text"
		if kind == "thinking" {
			pieces, field = words(c.Reasoning), kind
		}
		at := member{"index", index}
		s.typed("content-start", at, said(object{{"content", object{{"type", kind}, {field, ""}}}}))
		for _, p := range pieces {
			s.typed("content-delta", at, said(object{{"content", object{{field, p}}}}))
		}
		s.typed("content-end", at)
		index++
	}
	for n, t := range c.ToolCalls {
		at := member{"index", n}
		s.typed("tool-call-start", at, said(object{{"tool_calls", cohereTool(t, n, "")}}))
		for _, p := range parts(t.Arguments) {
			s.typed("tool-call-delta", at, said(object{{"tool_calls", object{{"function", object{{"arguments", p}}}}}}))
		}
		s.typed("tool-call-end", at)
	}
	end := object{{"finish_reason", r.finishReason(c)}}
	if usage != nil {
		end = append(end, member{"usage", usage})
	}
	s.end("message-end", object{{"type", "message-end"}, {"delta", end}})
	s.literal("[DONE]", true)
	return s.stream(bareSSEFraming)
}

func readCohereEmbed(c *call, in incoming) *Error {
	var q struct {
		Model      string   `json:"model"`
		Texts      []string `json:"texts"`
		Dimensions *int     `json:"output_dimension"`
	}
	if bad := readJSON(in, &q, "invalid request: "); bad != nil {
		return bad
	}
	if len(q.Texts) == 0 {
		return cohereBad("invalid request: at least one text is required")
	}
	if !c.resize(q.Dimensions) {
		return cohereBad("invalid request: output_dimension is out of range")
	}
	c.asked = texts(q.Texts...)
	return c.nameCohere(q.Model)
}

// cohereMeta is what embeddings and reranks say of their billing.
func (r *reply) cohereMeta(billed object) (object, error) {
	u := r.answer.Usage
	if u == nil {
		u = &Usage{}
	}
	meta := object{{"api_version", object{{"version", "2"}}}}
	if r.answer.OmitUsage {
		return meta, nil
	}
	units, err := u.write(billed)
	return append(meta, member{"billed_units", units}), err
}

func (r *reply) cohereEmbed() (content, error) {
	meta, err := r.cohereMeta(object{{"input_tokens", r.counts(0).prompt()}})
	if err != nil {
		return content{}, err
	}
	var list []string
	for _, i := range r.call.asked {
		list = append(list, strings.ToLower(i.text))
	}
	return r.jsonContent(object{
		{"id", r.id},
		{"texts", list},
		{"embeddings", object{{"float", r.vectors()}}},
		{"meta", meta},
		{"response_type", "embeddings_by_type"},
	})
}

func readRerank(c *call, in incoming) *Error {
	var q struct {
		Model     string            `json:"model"`
		Query     string            `json:"query"`
		Documents []json.RawMessage `json:"documents"`
		TopN      int               `json:"top_n"`
	}
	if bad := readJSON(in, &q, "invalid request: "); bad != nil {
		return bad
	}
	if q.Query == "" || len(q.Documents) == 0 {
		return cohereBad("invalid request: query and documents must not be empty")
	}
	c.asked = texts(q.Query)
	c.n = len(q.Documents)
	if q.TopN > 0 {
		c.n = min(c.n, q.TopN)
	}
	return c.nameCohere(q.Model)
}

// rerank gives the documents in their order, unless there is a script.
func (r *reply) rerank() (content, error) {
	units := int64(1)
	if u := r.answer.Usage; u != nil && u.SearchUnits != 0 {
		units = u.SearchUnits
	}
	meta, err := r.cohereMeta(object{{"search_units", units}})
	if err != nil {
		return content{}, err
	}
	ranking := r.answer.Ranking
	if ranking == nil {
		for i := range r.call.n {
			ranking = append(ranking, Ranked{Index: i, Score: 1 / float64(i+1)})
		}
	}
	results := []object{}
	for _, one := range ranking {
		results = append(results, object{{"index", one.Index}, {"relevance_score", one.Score}})
	}
	return r.jsonContent(object{{"id", r.id}, {"results", results}, {"meta", meta}})
}
