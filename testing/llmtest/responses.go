// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// responses is OpenAI's dialect, whose streams of responses tell of errors in an event of their own.
var responses = &dialect{
	headers: openAIHeaders,
	usual:   usualOpenAI,
	failure: openAI.failure,
	streamFailure: func(_ *call, e Error) (string, any) {
		return "error", object{
			{"type", "error"},
			{"code", cmp.Or(e.Code, e.Type)},
			{"message", e.Message},
			{"param", optional(e.Param)},
		}
	},
}

var (
	responsesKind = &kind{
		api: APIResponses, dialect: responses, id: "resp_", generates: true, stores: true,
		read: readResponses, plain: (*reply).response, events: (*reply).responseEvents,
	}
	compactKind = &kind{
		api: APICompactResponses, dialect: responses, id: "resp_", generates: true,
		read: readResponses, plain: (*reply).compaction,
	}
	inputTokensKind = &kind{
		api: APICountTokens, dialect: responses, read: readResponses,
		plain: func(r *reply) (content, error) {
			return r.jsonContent(object{{"object", "response.input_tokens"}, {"input_tokens", r.counts(0).prompt()}})
		},
	}
	retrieveKind = &kind{
		api: APIRetrieveResponse, dialect: responses, method: http.MethodGet, retrieves: true,
		read: readRetrieval, plain: (*reply).response, events: (*reply).responseEvents,
	}
	cancelKind = &kind{
		api: APICancelResponse, dialect: responses, retrieves: true,
		read: readRetrieval, plain: (*reply).response,
	}
)

// readResponses reads a request for a response, its compaction or its count.
func readResponses(c *call, in incoming) *Error {
	var q struct {
		Model           string          `json:"model"`
		Input           json.RawMessage `json:"input"`
		Instructions    string          `json:"instructions"`
		Stream          bool            `json:"stream"`
		MaxOutputTokens int64           `json:"max_output_tokens"`
		ServiceTier     string          `json:"service_tier"`
		Background      bool            `json:"background"`
		Store           *bool           `json:"store"`
		Previous        string          `json:"previous_response_id"`
	}
	if bad := readJSON(in, &q, openAIComplaint); bad != nil {
		return bad
	}
	if bad := c.name(q.Model); bad != nil {
		return bad
	}
	var text string
	var list chatMessages
	switch {
	case json.Unmarshal(q.Input, &text) == nil && !isNull(q.Input):
		c.messages = []message{{role: "user", text: text}}
	case json.Unmarshal(q.Input, &list) == nil && len(list) > 0:
		c.messages = list.messages("")
	case q.Previous == "":
		return missing("input")
	}
	if q.Instructions != "" {
		c.messages = append([]message{{role: "system", text: q.Instructions}}, c.messages...)
	}
	c.stream = q.Stream && c.kind.events != nil
	c.maxTokens, c.serviceTier, c.background = q.MaxOutputTokens, q.ServiceTier, q.Background
	c.store, c.startingAfter = q.Store == nil || *q.Store, -1
	return nil
}

// readRetrieval reads which response is wanted again, and how.
func readRetrieval(c *call, _ incoming) *Error {
	q, err := url.ParseQuery(c.query)
	if err != nil {
		return badRequest("", "", "We could not parse the query: "+err.Error())
	}
	c.stream = q.Get("stream") == "true" && c.kind.events != nil
	c.startingAfter = -1
	if after := q.Get("starting_after"); after != "" {
		if c.startingAfter, err = strconv.Atoi(after); err != nil {
			return badRequest("starting_after", "", "Invalid type for 'starting_after': "+after)
		}
	}
	return nil
}

// Where a response stands.
const (
	statusCompleted  = "completed"
	statusIncomplete = "incomplete"
	statusFailed     = "failed"
	statusCancelled  = "cancelled"
	statusQueued     = "queued"
	statusInProgress = "in_progress"
)

// outcome is how a response ended: its status, and why where that needs a word.
func (c Choice) outcome() (status, incomplete string) {
	switch c.FinishReason {
	case "length":
		return statusIncomplete, "max_output_tokens"
	case "content_filter":
		return statusIncomplete, "content_filter"
	case statusFailed, statusCancelled:
		return c.FinishReason, ""
	}
	return statusCompleted, ""
}

// responsesUsage is the usage object of responses.
func (u *Usage) responses() (json.RawMessage, error) {
	if u == nil {
		return json.RawMessage("null"), nil
	}
	in := object{{"cached_tokens", u.CachedTokens}}.withCount("cache_write_tokens", u.CacheWriteTokens)
	return u.write(object{
		{"input_tokens", u.PromptTokens},
		{"input_tokens_details", in},
		{"output_tokens", u.CompletionTokens},
		{"output_tokens_details", object{{"reasoning_tokens", u.ReasoningTokens}}},
		{"total_tokens", u.total()},
	})
}

// prompt is the count of the prompt; 0 for none.
func (u *Usage) prompt() int64 {
	if u == nil {
		return 0
	}
	return u.PromptTokens
}

// envelope is a response in a state: with output and usage once it is at its end.
func (r *reply) envelope(status, incomplete string, output []object) (object, error) {
	usage := json.RawMessage("null")
	var failure, details any
	switch status {
	case statusCompleted, statusIncomplete, statusFailed:
		var err error
		if usage, err = r.counts(r.completionTokens()).responses(); err != nil {
			return nil, err
		}
	}
	if status == statusFailed {
		e := r.call.failure(cmp.Or(r.answer.Stream.Error, &Error{}))
		failure = object{{"code", cmp.Or(e.Code, e.Type)}, {"message", e.Message}}
	}
	if incomplete != "" {
		details = object{{"reason", incomplete}}
	}
	if output == nil {
		output = []object{}
	}
	tier := r.serviceTier()
	if status == statusQueued || status == statusInProgress {
		tier = cmp.Or(r.call.serviceTier, "auto")
	}
	return object{
		{"id", r.id},
		{"object", "response"},
		{"created_at", r.created},
		{"status", status},
		{"background", r.call.background},
		{"error", failure},
		{"incomplete_details", details},
		{"model", r.model},
		{"output", output},
		{"parallel_tool_calls", true},
		{"service_tier", tier},
		{"store", r.call.store},
		{"temperature", 1.0},
		{"tool_choice", "auto"},
		{"tools", []any{}},
		{"top_p", 1.0},
		{"truncation", "disabled"},
		{"usage", usage},
		{"metadata", struct{}{}},
	}, nil
}

// output lists the items of a response: what was thought, which tools the provider ran, text, which tools it wants.
func (r *reply) output() []object {
	c := r.choice()
	var out []object
	_, number, _ := strings.Cut(r.id, "_")
	itemID := func(prefix string) string { return fmt.Sprintf("%s_%s%03d", prefix, number, len(out)) }
	if c.Reasoning != "" {
		summary := object{{"type", "summary_text"}, {"text", c.Reasoning}}
		out = append(out, object{{"id", itemID("rs")}, {"type", "reasoning"}, {"summary", []object{summary}}})
	}
	for _, tool := range r.answer.HostedTools {
		out = append(out, object{{"id", itemID("ht")}, {"type", tool}, {"status", statusCompleted}})
	}
	if c.Text != "" || c.ToolCalls == nil {
		text := object{{"type", "output_text"}, {"annotations", []any{}}, {"logprobs", []any{}}, {"text", c.Text}}
		out = append(out, object{
			{"id", itemID("msg")},
			{"type", "message"},
			{"status", statusCompleted},
			{"content", []object{text}},
			{"role", "assistant"},
		})
	}
	for n, t := range c.ToolCalls {
		out = append(out, object{
			{"id", itemID("fc")},
			{"type", "function_call"},
			{"status", statusCompleted},
			{"arguments", t.Arguments},
			{"call_id", t.id(0, n)},
			{"name", t.Name},
		})
	}
	return out
}

// response is a response that is no stream.
func (r *reply) response() (content, error) {
	doc, err := r.state()
	if err != nil {
		return content{}, err
	}
	return r.jsonContent(doc)
}

// state is the response as it stands.
func (r *reply) state() (object, error) {
	if r.pending != "" {
		return r.envelope(r.pending, "", nil)
	}
	status, incomplete := r.choice().outcome()
	if status == statusCancelled {
		return r.envelope(status, "", nil)
	}
	return r.envelope(status, incomplete, r.output())
}

// compaction is the answer to a request to make a conversation shorter.
func (r *reply) compaction() (content, error) {
	usage, err := r.counts(r.completionTokens()).responses()
	if err != nil {
		return content{}, err
	}
	shorter := object{
		{"id", fmt.Sprintf("cmp_%06d", r.call.seq)},
		{"type", "compaction"},
		{"encrypted_content", encode(r.vector(0, r.choice().Text)[:8])},
	}
	return r.jsonContent(object{
		{"id", r.id},
		{"object", "response.compaction"},
		{"created_at", r.created},
		{"output", []object{shorter}},
		{"usage", usage},
	})
}
