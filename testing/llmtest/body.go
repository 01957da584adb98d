// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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
	litellm bool
}

func (s *Server) newReply(c *call, a Answer) *reply {
	prefix := "chatcmpl"
	if c.api == APICompletions {
		prefix = "cmpl"
	}
	return &reply{
		call:    c,
		answer:  a,
		id:      cmp.Or(a.ID, fmt.Sprintf("%s-%06d", prefix, c.seq)),
		created: s.cfg.now().Unix(),
		model:   cmp.Or(a.Model, c.Model),
		choices: c.choices(a),
		litellm: s.cfg.litellm != nil,
	}
}

// choices works out what each choice says.
func (c *call) choices(a Answer) []Choice {
	asked := []item{{text: c.lastUserText()}}
	if c.api == APICompletions {
		asked = c.prompts()
	}
	var out []Choice
	for i := range len(asked) * c.N {
		ch := Choice{Text: a.Text, Pieces: a.Pieces, ToolCalls: a.ToolCalls, FinishReason: a.FinishReason}
		if a.Choices != nil {
			if i >= len(a.Choices) {
				break
			}
			ch = a.Choices[i]
		}
		out = append(out, c.complete(ch, asked[i/c.N].text))
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

// usage is the answer's usage object; nil if there is none. completion counts the tokens so far.
func (r *reply) usage(completion int64) (json.RawMessage, error) {
	if r.answer.OmitUsage {
		return nil, nil
	}
	u := r.answer.Usage
	if u == nil {
		u = &Usage{PromptTokens: r.call.promptTokens(), CompletionTokens: completion}
	}
	return u.marshal(r.call.api)
}

// completionTokens counts what all choices say.
func (r *reply) completionTokens() int64 {
	var n int64
	for _, c := range r.choices {
		n += CountTokens(c.Text)
		for _, t := range c.ToolCalls {
			n += CountTokens(t.Name) + CountTokens(t.Arguments)
		}
	}
	return n
}

// tokens is all that the answer used, for the proxy's cost.
func (r *reply) tokens() int64 {
	if u := r.answer.Usage; u != nil {
		return cmp.Or(u.TotalTokens, u.PromptTokens+u.CompletionTokens)
	}
	if r.call.api == APIEmbeddings {
		return r.call.promptTokens()
	}
	return r.call.promptTokens() + r.completionTokens()
}

type usageBody struct {
	PromptTokens      int64              `json:"prompt_tokens"`
	CompletionTokens  *int64             `json:"completion_tokens,omitempty"`
	TotalTokens       int64              `json:"total_tokens"`
	PromptDetails     *promptDetails     `json:"prompt_tokens_details,omitempty"`
	CompletionDetails *completionDetails `json:"completion_tokens_details,omitempty"`
}

type promptDetails struct {
	Cached int64 `json:"cached_tokens"`
	Audio  int64 `json:"audio_tokens"`
}

type completionDetails struct {
	Reasoning int64 `json:"reasoning_tokens"`
	Audio     int64 `json:"audio_tokens"`
	Accepted  int64 `json:"accepted_prediction_tokens"`
	Rejected  int64 `json:"rejected_prediction_tokens"`
}

// marshal writes u as each kind of answer has it: the details are chat's, and embeddings have no completion.
func (u *Usage) marshal(api API) (json.RawMessage, error) {
	body := usageBody{PromptTokens: u.PromptTokens, TotalTokens: cmp.Or(u.TotalTokens, u.PromptTokens+u.CompletionTokens)}
	if api != APIEmbeddings {
		body.CompletionTokens = &u.CompletionTokens
	}
	if api == APIChat || u.CachedTokens != 0 || u.ReasoningTokens != 0 {
		body.PromptDetails = &promptDetails{Cached: u.CachedTokens}
		body.CompletionDetails = &completionDetails{Reasoning: u.ReasoningTokens}
	}
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

// merge puts extra's members into m; nil removes, objects are merged.
func merge(m, extra map[string]any) {
	for k, v := range extra {
		switch v := v.(type) {
		case nil:
			delete(m, k)
		case map[string]any:
			sub, ok := m[k].(map[string]any)
			if !ok {
				sub = make(map[string]any, len(v))
				m[k] = sub
			}
			merge(sub, v)
		default:
			m[k] = v
		}
	}
}

// withExtra appends extra's members, sorted by name, to the object doc.
func withExtra(doc []byte, extra map[string]any) ([]byte, error) {
	for _, k := range slices.Sorted(maps.Keys(extra)) {
		name, err := json.Marshal(k)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(extra[k])
		if err != nil {
			return nil, fmt.Errorf("llmtest: extra field %q: %w", k, err)
		}
		doc = doc[:len(doc)-1] // the brace
		doc = append(append(append(append(append(doc, ','), name...), ':'), value...), '}')
	}
	return doc, nil
}

type chatBody struct {
	ID                string          `json:"id"`
	Object            string          `json:"object"`
	Created           int64           `json:"created"`
	Model             string          `json:"model"`
	Choices           []any           `json:"choices"`
	Usage             json.RawMessage `json:"usage,omitempty"`
	ServiceTier       string          `json:"service_tier,omitempty"`
	SystemFingerprint json.RawMessage `json:"system_fingerprint,omitempty"`
}

type chatChoice struct {
	Index        int         `json:"index"`
	Message      chatMessage `json:"message"`
	Logprobs     *struct{}   `json:"logprobs"`
	FinishReason string      `json:"finish_reason"`
}

type chatMessage struct {
	Role        string     `json:"role"`
	Content     *string    `json:"content"`
	ToolCalls   []toolCall `json:"tool_calls,omitempty"`
	Refusal     *string    `json:"refusal"`
	Annotations []struct{} `json:"annotations"`
}

type toolCall struct {
	Index    *int         `json:"index,omitempty"` // in streams only
	ID       string       `json:"id,omitempty"`
	Type     string       `json:"type,omitempty"`
	Function toolFunction `json:"function"`
}

type toolFunction struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

type textChoice struct {
	Text         string    `json:"text"`
	Index        int       `json:"index"`
	Logprobs     *struct{} `json:"logprobs"`
	FinishReason *string   `json:"finish_reason"`
}

// toolID is the id of the n-th tool call of a choice.
func (t ToolCall) id(choice, n int) string {
	return cmp.Or(t.ID, fmt.Sprintf("call_%03d%03d", choice, n))
}

// optional returns nil for "".
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// body is the plain answer to a chat or legacy completion.
func (r *reply) body() ([]byte, error) {
	usage, err := r.usage(r.completionTokens())
	if err != nil {
		return nil, err
	}
	b := chatBody{
		ID: r.id, Object: "chat.completion", Created: r.created, Model: r.model, Usage: usage,
		SystemFingerprint: r.fingerprint(), Choices: []any{},
	}
	if r.call.api == APIChat {
		b.ServiceTier = r.serviceTier()
	}
	for i, c := range r.choices {
		if r.call.api == APICompletions {
			b.Object = "text_completion"
			b.Choices = append(b.Choices, textChoice{Text: c.Text, Index: i, FinishReason: &c.FinishReason})
			continue
		}
		b.Choices = append(b.Choices, chatChoice{Index: i, Message: c.message(i), FinishReason: c.FinishReason})
	}
	doc, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	return withExtra(doc, r.answer.Extra)
}

// fingerprint is the system fingerprint; chat says null if there is none, legacy completions say nothing.
func (r *reply) fingerprint() json.RawMessage {
	switch {
	case r.answer.SystemFingerprint != "":
		return quote(r.answer.SystemFingerprint)
	case r.call.api == APIChat:
		return json.RawMessage("null")
	}
	return nil
}

// serviceTier is what served the request: as asked for, save "auto".
func (r *reply) serviceTier() string {
	tier := r.call.ServiceTier
	if tier == "auto" {
		tier = ""
	}
	return cmp.Or(r.answer.ServiceTier, tier, "default")
}

func (c Choice) message(index int) chatMessage {
	m := chatMessage{Role: "assistant", Annotations: []struct{}{}}
	if c.Text != "" || c.ToolCalls == nil {
		m.Content = &c.Text
	}
	for n, t := range c.ToolCalls {
		m.ToolCalls = append(m.ToolCalls, toolCall{
			ID: t.id(index, n), Type: "function", Function: toolFunction{Name: t.Name, Arguments: t.Arguments},
		})
	}
	return m
}
