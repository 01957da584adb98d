// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// The JSON of the conventions.

type messageJSON struct {
	Role         string     `json:"role"`
	Parts        []partJSON `json:"parts"`
	FinishReason string     `json:"finish_reason,omitempty"`
}

type partJSON struct {
	Type      string          `json:"type"`
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name,omitempty"`
	Content   *string         `json:"content,omitempty"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
	Response  json.RawMessage `json:"response,omitempty"`
}

// json returns the part as the conventions have it, and false for an empty one.
func (p *part) json(redact func(string) string) (partJSON, bool) {
	text := string(p.text)
	if p.cut {
		text += cutMark
	}
	if redact != nil && text != "" {
		text = redact(text)
	}
	switch p.kind {
	case partCall:
		return partJSON{Type: "tool_call", ID: p.id, Name: p.name, Arguments: asJSON(text)}, p.name != ""
	case partResult:
		return partJSON{Type: "tool_call_response", ID: p.id, Response: asJSON(text)}, text != "" || p.id != ""
	case partReasoning:
		return partJSON{Type: "reasoning", Content: &text}, text != ""
	default:
		return partJSON{Type: "text", Content: &text}, text != ""
	}
}

// asJSON returns text as JSON: as it is, if it is some, or else as a string.
func asJSON(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	if raw := json.RawMessage(text); json.Valid(raw) {
		return raw
	}
	return quote(text)
}

func quote(text string) json.RawMessage {
	quoted, err := json.Marshal(text)
	if err != nil {
		return nil // no string is without JSON
	}
	return quoted
}

// instructions returns the system prompt as JSON of at most limit characters, ""
// for none.
func (c *conversation) instructions(limit int, redact func(string) string) string {
	return fit(limit, []*part{&c.system}, func() (any, bool) {
		p, ok := c.system.json(redact)
		return []partJSON{p}, ok
	})
}

// list returns the messages as JSON of at most limit characters, "" for none.
// finish are the reasons for the ends of choices.
func (c *conversation) list(limit int, redact func(string) string, finish []string) string {
	messages := c.messages
	if len(c.prompt.text) > 0 {
		messages = append(slices.Clip(messages), message{parts: []*part{&c.prompt}})
	}
	var parts []*part
	for i := range messages {
		messages[i].settle()
		parts = append(parts, messages[i].parts...)
	}
	return fit(limit, parts, func() (any, bool) {
		list := make([]messageJSON, 0, len(messages))
		for i := range messages {
			m := messageJSON{Role: messages[i].roleName(c.answer), Parts: []partJSON{}}
			for _, p := range messages[i].parts {
				if text, ok := p.json(redact); ok {
					m.Parts = append(m.Parts, text)
				}
			}
			if c.answer {
				m.FinishReason = finishWord(finish, i)
			}
			if len(m.Parts) > 0 || c.answer {
				list = append(list, m)
			}
		}
		return list, len(list) > 0
	})
}

// settle brings results together with the ids of their calls, which some formats
// have beside them.
func (m *message) settle() {
	id := m.resultOf
	for _, p := range m.parts {
		if p.kind == partCall && p.name == "" && id == "" {
			id = p.id
		}
	}
	for _, p := range m.parts {
		if strings.EqualFold(m.role, "tool") && p.kind == partText {
			p.kind = partResult
		}
		if p.kind == partResult && p.id == "" {
			p.id = id
		}
	}
}

// roleName returns the role of a message, which some formats do not name.
func (m *message) roleName(answer bool) string {
	role := strings.ToLower(m.role)
	switch {
	case answer, role == "chatbot", role == "model":
		return "assistant"
	case role != "":
		return role
	case slices.ContainsFunc(m.parts, func(p *part) bool { return p.kind == partCall && p.name != "" }):
		return "assistant"
	case slices.ContainsFunc(m.parts, func(p *part) bool { return p.kind == partResult }):
		return "tool"
	default:
		return "user"
	}
}

// finishWord returns the conventions' word for why a choice ended.
func finishWord(finish []string, i int) string {
	if i >= len(finish) || finish[i] == "" {
		return ""
	}
	if word, ok := finishWords[strings.ToLower(finish[i])]; ok {
		return word
	}
	return "stop"
}

// finishWords are the providers' reasons that are no ordinary end.
var finishWords = map[string]string{
	"length": "length", "max_tokens": "length", "max_output_tokens": "length", "model_context_window_exceeded": "length",
	"tool_calls": "tool_call", "tool_call": "tool_call", "tool_use": "tool_call", "function_call": "tool_call",
	"content_filter": "content_filter", "content_filtered": "content_filter", "guardrail_intervened": "content_filter", "refusal": "content_filter",
	"safety": "content_filter", "recitation": "content_filter", "blocklist": "content_filter", "prohibited_content": "content_filter", "spii": "content_filter",
	"model_armor": "content_filter", "image_safety": "content_filter",
	"error": "error", "failed": "error", "error_toxic": "content_filter", "malformed_function_call": "error",
}

// fit returns the JSON of what build returns, for which it cuts the longest of the
// parts until it has no more characters than limit. It is "" where there is
// nothing, or no room even without text.
func fit(limit int, parts []*part, build func() (any, bool)) string {
	for {
		v, ok := build()
		if !ok {
			return ""
		}
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if enc.Encode(v) != nil {
			return "" // the user's redaction may have made no JSON of it
		}
		text := strings.TrimSuffix(b.String(), "\n")
		over := utf8.RuneCountInString(text) - limit
		if over <= 0 {
			return text
		}
		if !shorten(parts, over) {
			return ""
		}
	}
}

// shorten cuts the longest part by about that many characters, and says whether
// there was anything to cut.
func shorten(parts []*part, by int) bool {
	var longest *part
	for _, p := range parts {
		if longest == nil || len(p.text) > len(longest.text) {
			longest = p
		}
	}
	if longest == nil || len(longest.text) == 0 {
		return false
	}
	if !longest.cut {
		by += len(cutMark)
	}
	n := characters(longest.text)
	// In JSON a character may be several.
	written := utf8.RuneCount(quote(string(longest.text)))
	by = max(by*n/max(written, n), 1)
	keep := max(n-by, 0)
	if keep == 0 {
		longest.text, longest.cut = nil, false
		return true
	}
	longest.text, longest.cut = longest.text[:prefix(longest.text, keep)], true
	return true
}
