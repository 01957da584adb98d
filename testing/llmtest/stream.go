// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"encoding/json"
)

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
	chat := r.call.api == APIChat
	if chat && !r.litellm {
		role := roleDelta{Role: "assistant"}
		if c.ToolCalls == nil {
			role.Content = new(string)
		}
		out = append(out, step{choice: i, delta: role})
	}
	for n, p := range c.Pieces {
		d := textDelta{Content: p}
		if r.litellm && n == 0 {
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

// chunks works out the events of a stream, without [DONE].
func (r *reply) chunks() ([][]byte, error) {
	place := r.answer.Stream.Usage
	if place == UsageDefault {
		place = UsageOwnChunk
		if r.litellm {
			place = UsageEmptyDelta
		}
	}
	asked := r.call.includeUsage()
	own := place == UsageAlways || (asked && (place == UsageOwnChunk || place == UsageEmptyDelta))

	var out [][]byte
	add := func(c chunk) error {
		doc, err := json.Marshal(c)
		if err == nil {
			doc, err = withExtra(doc, r.answer.Extra)
		}
		out = append(out, doc)
		return err
	}
	if r.call.azure && !r.litellm {
		out = append(out, azureFirst())
	}
	var sofar int64
	for _, st := range r.steps() {
		c := r.chunk()
		c.Choices = []any{r.choice(st)}
		sofar += CountTokens(st.text)
		usage, err := r.chunkUsage(place, own, st, sofar)
		if err != nil {
			return nil, err
		}
		c.Usage = usage
		if err := add(c); err != nil {
			return nil, err
		}
	}
	if !own || r.answer.OmitUsage {
		return out, nil
	}
	usage, err := r.usage(r.completionTokens())
	if err != nil {
		return nil, err
	}
	c := r.chunk()
	if place == UsageEmptyDelta { // LiteLLM sends one more chunk without anything before it
		c.Choices = []any{liteChoice{Delta: struct{}{}}}
		if err := add(c); err != nil {
			return nil, err
		}
	}
	c.Usage = usage
	return out, add(c)
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
	case own && place != UsageEmptyDelta && r.call.includeUsage():
		return json.RawMessage("null"), nil
	}
	return nil, nil
}

// chunk is the envelope of a chunk.
func (r *reply) chunk() chunk {
	c := chunk{ID: r.id, Object: "text_completion", Created: r.created, Model: r.model, Choices: []any{}}
	if r.call.api == APIChat {
		c.Object = "chat.completion.chunk"
	}
	switch {
	case r.litellm:
		if r.call.StreamOptions != nil {
			c.StreamOptions = json.RawMessage(`{"include_usage":false}`)
			if r.call.includeUsage() {
				c.StreamOptions = json.RawMessage(`{"include_usage":true}`)
			}
		}
		if r.answer.SystemFingerprint != "" {
			c.SystemFingerprint = r.fingerprint()
		}
	default:
		c.SystemFingerprint = r.fingerprint()
		if r.call.api == APIChat {
			c.ServiceTier = r.serviceTier()
		}
	}
	return c
}

func (r *reply) choice(st step) any {
	switch {
	case r.call.api == APICompletions:
		return textChoice{Text: st.text, Index: st.choice, FinishReason: optional(st.finish)}
	case r.litellm:
		return liteChoice{FinishReason: st.finish, Index: st.choice, Delta: st.delta}
	}
	return deltaChoice{Index: st.choice, Delta: st.delta, FinishReason: optional(st.finish)}
}

// azureFirst is the chunk with which Azure begins: what its filter thought of the prompt.
func azureFirst() []byte {
	return []byte(`{"choices":[],"created":0,"id":"","model":"","object":"",` +
		`"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}`)
}

func quote(s string) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil { // cannot happen: every string can be marshalled
		return json.RawMessage("null")
	}
	return b
}

// newline is what ends a line of the stream.
func (st Stream) newline() string {
	if st.CRLF {
		return "\r\n"
	}
	return "\n"
}

// frame writes one SSE event.
func (st Stream) frame(event string, data []byte) []byte {
	nl := st.newline()
	b := make([]byte, 0, len(event)+len(data)+24)
	if event != "" {
		b = append(append(append(b, "event: "...), event...), nl...)
	}
	b = append(append(b, "data: "...), data...)
	return append(append(b, nl...), nl...)
}

// comment is a line that keeps idle connections open; clients ignore it.
func (st Stream) comment() []byte { return []byte(": keep-alive" + st.newline() + st.newline()) }

// failure is the error of an error event.
func (st Stream) failure() *Error {
	return cmp.Or(st.Error, &Error{})
}
