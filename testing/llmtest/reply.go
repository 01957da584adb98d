// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
)

// reply is an answer worked out for one request.
type reply struct {
	call    *call
	answer  Answer
	id      string
	created int64
	model   string
	choices []Choice // with Pieces and FinishReason set
	// pending is the status of a response that is not done yet; "" if it is.
	pending string
}

func (s *Server) newReply(c *call, a Answer) *reply {
	return &reply{
		call:    c,
		answer:  a,
		id:      cmp.Or(a.ID, fmt.Sprintf("%s%06d", c.kind.id, c.seq)),
		created: s.cfg.now().Unix(),
		model:   cmp.Or(a.Model, c.model),
		choices: c.choices(a),
	}
}

// choices works out what each choice says.
func (c *call) choices(a Answer) []Choice {
	asked := c.questions()
	n := max(c.n, 1)
	var out []Choice
	for i := range len(asked) * n {
		ch := Choice{Text: a.Text, Pieces: a.Pieces, Reasoning: a.Reasoning, ToolCalls: a.ToolCalls, FinishReason: a.FinishReason}
		if a.Choices != nil {
			if i >= len(a.Choices) {
				break
			}
			ch = a.Choices[i]
		}
		out = append(out, c.complete(ch, asked[i/n].text))
	}
	return out
}

// complete fills in what a choice leaves open.
func (c *call) complete(ch Choice, asked string) Choice {
	finish := "stop"
	switch {
	case ch.Pieces != nil:
		ch.Text = strings.Join(ch.Pieces, "")
	case ch.Text == "" && ch.ToolCalls == nil:
		ch.Text, finish = c.defaultText(asked)
	}
	if ch.Pieces == nil {
		ch.Pieces = words(ch.Text)
	}
	if ch.ToolCalls != nil {
		finish = "tool_calls"
	}
	ch.FinishReason = cmp.Or(ch.FinishReason, finish)
	return ch
}

// choice is the one choice of an API that knows no more.
func (r *reply) choice() Choice {
	if len(r.choices) == 0 {
		return Choice{FinishReason: "stop"}
	}
	return r.choices[0]
}

// finishReason is the provider's word for why c ended.
func (r *reply) finishReason(c Choice) string {
	return r.call.kind.dialect.finishReason(c.FinishReason)
}

// counts is what the answer says about tokens, completion being the tokens so far; nil if it says nothing.
func (r *reply) counts(completion int64) *Usage {
	if r.answer.OmitUsage {
		return nil
	}
	if r.answer.Usage != nil {
		return r.answer.Usage
	}
	u := &Usage{PromptTokens: r.call.promptTokens(), CompletionTokens: completion}
	for _, c := range r.choices {
		u.ReasoningTokens += CountTokens(c.Reasoning)
	}
	u.ReasoningTokens = min(u.ReasoningTokens, completion)
	return u
}

// total is all that was used.
func (u *Usage) total() int64 { return cmp.Or(u.TotalTokens, u.PromptTokens+u.CompletionTokens) }

// uncached is the part of the prompt that was neither read from a cache nor written to one.
func (u *Usage) uncached() int64 { return u.PromptTokens - u.CachedTokens - u.CacheWriteTokens }

// write makes a usage object of body, which is how the provider writes u.
func (u *Usage) write(body any) (json.RawMessage, error) {
	b, err := json.Marshal(body)
	if err != nil || len(u.Extra) == 0 {
		return b, err
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, err
	}
	merge(m, u.Extra)
	return json.Marshal(m)
}

// completionTokens counts what all choices say.
func (r *reply) completionTokens() int64 {
	var n int64
	for _, c := range r.choices {
		n += c.tokens()
	}
	return n
}

// tokens counts what a choice says.
func (c Choice) tokens() int64 {
	n := CountTokens(c.Reasoning) + CountTokens(c.Text)
	for _, t := range c.ToolCalls {
		n += CountTokens(t.Name) + CountTokens(t.Arguments)
	}
	return n
}

// tokens is all that the answer used, for the proxy's cost.
func (r *reply) tokens() int64 {
	if u := r.answer.Usage; u != nil {
		return u.total()
	}
	if !r.call.kind.generates {
		return r.call.promptTokens()
	}
	return r.call.promptTokens() + r.completionTokens()
}

// toolID is the id of the n-th tool call of a choice.
func (t ToolCall) id(choice, n int) string {
	return cmp.Or(t.ID, fmt.Sprintf("call_%03d%03d", choice, n))
}

// arguments are the tool's arguments as a JSON object, where the provider sends one.
func (t ToolCall) arguments() json.RawMessage {
	if t.Arguments == "" {
		return json.RawMessage("{}")
	}
	return json.RawMessage(t.Arguments)
}

// parts cuts arguments as models stream them: a few characters at a time.
func parts(s string) []string {
	const size = 8
	var out []string
	r := []rune(s)
	for len(r) > size {
		out = append(out, string(r[:size]))
		r = r[size:]
	}
	return append(out, string(r))
}
