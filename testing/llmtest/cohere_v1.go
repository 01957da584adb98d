// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"encoding/json"
	"fmt"
)

// cohereV1ChatKind is Cohere's chat as it was before version 2 of its API.
var cohereV1ChatKind = &kind{
	api: APICohereV1Chat, dialect: cohere, id: "00000000-0000-4000-8000-000000", generates: true,
	read: readCohereV1Chat, plain: (*reply).cohereV1Chat, events: (*reply).cohereV1Events,
}

func readCohereV1Chat(c *call, in incoming) *Error {
	var q struct {
		Model       string `json:"model"`
		Message     string `json:"message"`
		Preamble    string `json:"preamble"`
		ChatHistory []struct {
			Role    string `json:"role"`
			Message string `json:"message"`
		} `json:"chat_history"`
		Stream    bool  `json:"stream"`
		MaxTokens int64 `json:"max_tokens"`
	}
	if bad := readJSON(in, &q, "invalid request: "); bad != nil {
		return bad
	}
	if q.Message == "" {
		return cohereBad("invalid request: message must be at least 1 token long or tool results must be specified.")
	}
	said := []string{q.Preamble}
	for _, m := range q.ChatHistory {
		said = append(said, m.Message)
	}
	c.asked, c.stream, c.maxTokens = texts(append(said, q.Message)...), q.Stream, q.MaxTokens
	return c.nameCohere(q.Model)
}

// cohereV1 is the answer as a document: plain, or within the last event of a stream.
func (r *reply) cohereV1() (object, error) {
	c := r.choice()
	doc := object{{"response_id", r.id}, {"text", c.Text}, {"generation_id", r.id}, {"chat_history", []any{}}, {"finish_reason", r.finishReason(c)}}
	if len(c.ToolCalls) > 0 {
		calls, err := cohereV1Tools(c.ToolCalls)
		if err != nil {
			return nil, err
		}
		doc = append(doc, member{"tool_calls", calls})
	}
	meta, err := r.counts(r.completionTokens()).cohereMeta()
	return append(doc, member{"meta", meta}), err
}

// cohereMeta writes u among what else version 1 says of an answer.
func (u *Usage) cohereMeta() (json.RawMessage, error) {
	meta := object{{"api_version", object{{"version", "1"}}}}
	if u == nil {
		return json.Marshal(meta)
	}
	return u.write(append(meta,
		member{"billed_units", object{{"input_tokens", u.PromptTokens}, {"output_tokens", u.CompletionTokens}}},
		member{"tokens", object{{"input_tokens", u.PromptTokens + coherePreamble}, {"output_tokens", u.CompletionTokens}}}))
}

// cohereV1Tools are calls of tools, whose arguments are JSON and no text of it.
func cohereV1Tools(calls []ToolCall) ([]object, error) {
	var out []object
	for _, t := range calls {
		if !json.Valid([]byte(t.Arguments)) {
			return nil, fmt.Errorf("llmtest: arguments %q of the tool %s are no JSON, as Cohere's have to be", t.Arguments, t.Name)
		}
		out = append(out, object{{"name", t.Name}, {"parameters", json.RawMessage(t.Arguments)}})
	}
	return out, nil
}

func (r *reply) cohereV1Chat() (content, error) {
	doc, err := r.cohereV1()
	if err != nil {
		return content{}, err
	}
	return r.jsonContent(doc)
}

// cohereV1Events is the answer as lines, of which the last holds all of it.
func (r *reply) cohereV1Events() (stream, error) {
	doc, err := r.cohereV1()
	if err != nil {
		return stream{}, err
	}
	c := r.choice()
	s := r.script()
	event := func(last bool, kind string, more ...member) object {
		return append(object{{"is_finished", last}, {"event_type", kind}}, more...)
	}
	s.add("", event(false, "stream-start", member{"generation_id", r.id}))
	for _, p := range c.Pieces {
		s.add("", event(false, "text-generation", member{"text", p}))
	}
	s.end("", event(true, "stream-end", member{"finish_reason", r.finishReason(c)}, member{"response", doc}))
	return s.stream(linesFraming("application/stream+json"))
}
