// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"encoding/json"
)

// openAIUsage is the usage object of chats, legacy completions and embeddings.
type openAIUsage struct {
	PromptTokens      int64              `json:"prompt_tokens"`
	CompletionTokens  *int64             `json:"completion_tokens,omitempty"`
	TotalTokens       int64              `json:"total_tokens"`
	PromptDetails     *promptDetails     `json:"prompt_tokens_details,omitempty"`
	CompletionDetails *completionDetails `json:"completion_tokens_details,omitempty"`
}

type promptDetails struct {
	Cached     int64 `json:"cached_tokens"`
	Audio      int64 `json:"audio_tokens"`
	CacheWrite int64 `json:"cache_write_tokens,omitempty"`
}

type completionDetails struct {
	Reasoning int64 `json:"reasoning_tokens"`
	Audio     int64 `json:"audio_tokens"`
	Accepted  int64 `json:"accepted_prediction_tokens"`
	Rejected  int64 `json:"rejected_prediction_tokens"`
}

// openAI writes u as each kind of answer has it: the details are chat's, and embeddings have no completion.
func (u *Usage) openAI(api API) (json.RawMessage, error) {
	if u == nil {
		return nil, nil
	}
	body := openAIUsage{PromptTokens: u.PromptTokens, TotalTokens: u.total()}
	if api != APIEmbeddings {
		body.CompletionTokens = &u.CompletionTokens
	}
	if api == APIChat || u.CachedTokens != 0 || u.ReasoningTokens != 0 {
		body.PromptDetails = &promptDetails{Cached: u.CachedTokens, Audio: u.PromptAudioTokens, CacheWrite: u.CacheWriteTokens}
		body.CompletionDetails = &completionDetails{Reasoning: u.ReasoningTokens, Audio: u.CompletionAudioTokens}
	}
	return u.write(body)
}

// usage is the answer's usage object; nil if there is none. completion counts the tokens so far.
func (r *reply) usage(completion int64) (json.RawMessage, error) {
	return r.counts(completion).openAI(r.call.kind.api)
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
	Reasoning   string     `json:"reasoning_content,omitempty"` // DeepSeek's, vLLM's; OpenAI does not tell
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

// chat is the plain answer to a chat or legacy completion.
func (r *reply) chat() (content, error) {
	usage, err := r.usage(r.completionTokens())
	if err != nil {
		return content{}, err
	}
	b := chatBody{
		ID: r.id, Object: "chat.completion", Created: r.created, Model: r.model, Usage: usage,
		SystemFingerprint: r.fingerprint(), Choices: []any{},
	}
	if r.call.kind.api == APIChat {
		b.ServiceTier = r.serviceTier()
	}
	for i, c := range r.choices {
		if r.call.kind.api == APICompletions {
			b.Object = "text_completion"
			b.Choices = append(b.Choices, textChoice{Text: c.Text, Index: i, FinishReason: &c.FinishReason})
			continue
		}
		b.Choices = append(b.Choices, chatChoice{Index: i, Message: c.message(i), FinishReason: c.FinishReason})
	}
	return r.jsonContent(b)
}

// fingerprint is the system fingerprint; chat says null if there is none, legacy completions say nothing.
func (r *reply) fingerprint() json.RawMessage {
	switch {
	case r.answer.SystemFingerprint != "":
		return quote(r.answer.SystemFingerprint)
	case r.call.kind.api == APIChat:
		return json.RawMessage("null")
	}
	return nil
}

// serviceTier is what served the request: as asked for, save "auto".
func (r *reply) serviceTier() string {
	tier := r.call.serviceTier
	if tier == "auto" {
		tier = ""
	}
	return cmp.Or(r.answer.ServiceTier, tier, "default")
}

func (c Choice) message(index int) chatMessage {
	m := chatMessage{Role: "assistant", Reasoning: c.Reasoning, Annotations: []struct{}{}}
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
