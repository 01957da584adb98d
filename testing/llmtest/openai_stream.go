// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import "encoding/json"

// chunk is one chunk of a stream, chat's or legacy's. Legacy ones have no tier and, if there is none, no
// fingerprint; LiteLLM's repeat the request's stream options.
type chunk struct {
	ID                string          `json:"id"`
	Object            string          `json:"object"`
	Created           int64           `json:"created"`
	Model             string          `json:"model"`
	ServiceTier       string          `json:"service_tier,omitempty"`
	SystemFingerprint json.RawMessage `json:"system_fingerprint,omitempty"`
	Choices           []any           `json:"choices"`
	Usage             json.RawMessage `json:"usage,omitempty"`
	StreamOptions     json.RawMessage `json:"stream_options,omitempty"`
}

type deltaChoice struct {
	Index        int       `json:"index"`
	Delta        any       `json:"delta"`
	Logprobs     *struct{} `json:"logprobs"`
	FinishReason *string   `json:"finish_reason"`
}

// liteChoice is a choice as LiteLLM streams it: without what is null.
type liteChoice struct {
	FinishReason string `json:"finish_reason,omitempty"`
	Index        int    `json:"index"`
	Delta        any    `json:"delta"`
}

type roleDelta struct {
	Role    string  `json:"role"`
	Content *string `json:"content"`
	Refusal *string `json:"refusal"`
}

type textDelta struct {
	Content string `json:"content"`
	Role    string `json:"role,omitempty"` // LiteLLM, in the first chunk
}

type reasoningDelta struct {
	Reasoning string `json:"reasoning_content"`
}

type toolDelta struct {
	ToolCalls []toolCall `json:"tool_calls"`
}

// step is what one chunk says for one choice.
type step struct {
	choice int
	delta  any
	text   string // of a piece, for the legacy shape and for counting
	finish string
	last   bool // the last step that has a finish reason
}

// steps lists what a stream says, the choices taking turns.
func (r *reply) steps() []step {
	var perChoice [][]step
	most := 0
	for i, c := range r.choices {
		s := r.choiceSteps(i, c)
		perChoice = append(perChoice, s)
		most = max(most, len(s))
	}
	var out []step
	for n := range most {
		for _, s := range perChoice {
			if n < len(s) {
				out = append(out, s[n])
			}
		}
	}
	for i, c := range r.choices {
		out = append(out, step{choice: i, delta: struct{}{}, finish: c.FinishReason, last: i == len(r.choices)-1})
	}
	return out
}

func (r *reply) choiceSteps(i int, c Choice) []step {
	var out []step
	chat := r.call.kind.api == APIChat
	if chat && !r.call.litellm {
		role := roleDelta{Role: "assistant"}
		if c.ToolCalls == nil {
			role.Content = new(string)
		}
		out = append(out, step{choice: i, delta: role})
	}
	if chat {
		for _, p := range words(c.Reasoning) {
			out = append(out, step{choice: i, delta: reasoningDelta{p}, text: p})
		}
	}
	for n, p := range c.Pieces {
		d := textDelta{Content: p}
		if r.call.litellm && n == 0 {
			d.Role = "assistant"
		}
		out = append(out, step{choice: i, delta: d, text: p})
	}
	if !chat {
		return out
	}
	for n, t := range c.ToolCalls {
		first := toolCall{Index: &n, ID: t.id(i, n), Type: "function", Function: toolFunction{Name: t.Name}}
		out = append(out, step{choice: i, delta: toolDelta{[]toolCall{first}}, text: t.Name})
		for _, part := range parts(t.Arguments) {
			d := toolCall{Index: &n, Function: toolFunction{Arguments: part}}
			out = append(out, step{choice: i, delta: toolDelta{[]toolCall{d}}, text: part})
		}
	}
	return out
}

// chunks works out the events of a stream.
func (r *reply) chunks() (stream, error) {
	place := r.usagePlace()
	asked := r.call.includeUsage
	own := place == UsageAlways || (asked && (place == UsageOwnChunk || place == UsageEmptyDelta))

	out := r.script()
	if r.call.azure && !r.call.litellm {
		out.literal(azureFirst, false)
	}
	var sofar int64
	for _, st := range r.steps() {
		c := r.chunk()
		c.Choices = []any{r.chunkChoice(st)}
		sofar += CountTokens(st.text)
		usage, err := r.chunkUsage(place, own, st, sofar)
		if err != nil {
			return stream{}, err
		}
		c.Usage = usage
		out.add("", c)
	}
	if own && !r.answer.OmitUsage {
		c := r.chunk()
		if place == UsageEmptyDelta { // LiteLLM sends one more chunk without anything before it
			c.Choices = []any{liteChoice{Delta: struct{}{}}}
			out.add("", c)
		}
		usage, err := r.usage(r.completionTokens())
		if err != nil {
			return stream{}, err
		}
		c.Usage = usage
		out.add("", c)
	}
	out.literal("[DONE]", true)
	return out.stream(sseFraming)
}

// usagePlace is where the stream tells its usage.
func (r *reply) usagePlace() UsagePlace {
	place := r.answer.Stream.Usage
	if place != UsageDefault {
		return place
	}
	if r.call.litellm {
		return UsageEmptyDelta
	}
	return UsageOwnChunk
}

// chunkUsage is the usage member of an ordinary chunk.
func (r *reply) chunkUsage(place UsagePlace, own bool, st step, sofar int64) (json.RawMessage, error) {
	switch {
	case place == UsageInFinish && st.last:
		return r.usage(r.completionTokens())
	case place == UsageInEvery:
		all := r.completionTokens() // pieces are rounded up one by one, and may come to more
		if st.last {
			return r.usage(all)
		}
		return r.usage(min(sofar, all))
	case own && place != UsageEmptyDelta && r.call.includeUsage:
		return json.RawMessage("null"), nil
	}
	return nil, nil
}

// chunk is the envelope of a chunk.
func (r *reply) chunk() chunk {
	c := chunk{ID: r.id, Object: "text_completion", Created: r.created, Model: r.model, Choices: []any{}}
	if r.call.kind.api == APIChat {
		c.Object = "chat.completion.chunk"
	}
	switch {
	case r.call.litellm:
		if r.call.streamOptions {
			c.StreamOptions = json.RawMessage(`{"include_usage":false}`)
			if r.call.includeUsage {
				c.StreamOptions = json.RawMessage(`{"include_usage":true}`)
			}
		}
		if r.answer.SystemFingerprint != "" {
			c.SystemFingerprint = r.fingerprint()
		}
	default:
		c.SystemFingerprint = r.fingerprint()
		if r.call.kind.api == APIChat {
			c.ServiceTier = r.serviceTier()
		}
	}
	return c
}

func (r *reply) chunkChoice(st step) any {
	switch {
	case r.call.kind.api == APICompletions:
		return textChoice{Text: st.text, Index: st.choice, FinishReason: optional(st.finish)}
	case r.call.litellm:
		return liteChoice{FinishReason: st.finish, Index: st.choice, Delta: st.delta}
	}
	return deltaChoice{Index: st.choice, Delta: st.delta, FinishReason: optional(st.finish)}
}

// azureFirst is the chunk with which Azure begins: what its filter thought of the prompt.
const azureFirst = `{"choices":[],"created":0,"id":"","model":"","object":"",` +
	`"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}`
