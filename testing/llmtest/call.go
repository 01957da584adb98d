// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// call is a request as far as an answer depends on it, whatever the API.
type call struct {
	kind *kind
	seq  int
	// What the path and the server's options say.
	azure, litellm, vertex bool
	path, query            string
	// responseID is the answer that is to be retrieved.
	responseID string

	model    string
	stream   bool
	messages []message // of a chat, with the system's
	asked    []item    // what is answered: the prompts, inputs or documents of requests that are no chat
	n        int       // choices for each
	// maxTokens bounds the answer; 0: no bound.
	maxTokens int64

	// What only some requests have.
	includeUsage  bool
	streamOptions bool // something is said of them
	serviceTier   string
	dimensions    *int
	encoding      string // of vectors
	stops         []string
	background    bool
	store         bool
	startingAfter int    // the last event that the client has of a stream; -1: none
	format        string // of the answer: response_format, an audio format
	size, quality string // of images and videos
	seconds       string // of videos
	audioBytes    int64  // length of the audio sent
	intEnums      bool   // Google: enumerations as integers
	serverSent    bool   // Google: server-sent events
	family        *family
	batch         bool // embeddings: the answer has a list of them
}

// message is one message of a chat: who says what.
type message struct{ role, text string }

// item is one prompt or input: text, or a list of tokens.
type item struct {
	text   string
	tokens int64 // of a list; 0 for text
}

func (i item) count() int64 {
	if i.tokens > 0 {
		return i.tokens
	}
	return CountTokens(i.text)
}

// texts are items of text.
func texts(list ...string) []item {
	out := make([]item, len(list))
	for i, s := range list {
		out[i].text = s
	}
	return out
}

// items reads a prompt or input, which may be a string, a list of strings, a list of tokens, or a list of those.
func items(raw json.RawMessage) ([]item, bool) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return []item{{text: s}}, len(raw) > 0 && !isNull(raw)
	}
	var tokens []int64
	if json.Unmarshal(raw, &tokens) == nil {
		return []item{{text: string(raw), tokens: int64(len(tokens))}}, len(tokens) > 0
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil, false
	}
	var out []item
	for _, r := range list {
		sub, ok := items(r)
		if !ok || len(sub) != 1 {
			return nil, false
		}
		out = append(out, sub[0])
	}
	return out, len(out) > 0
}

func isNull(raw json.RawMessage) bool { return bytes.Equal(raw, []byte("null")) }

// textOf returns the text of a message's content: a string, or the texts of its parts.
func textOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return "" // no text
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

// chatMessages are messages as most chats have them: with a role and content, which is text or parts.
type chatMessages []struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

// messages returns the messages, after the system's if there is one.
func (m chatMessages) messages(system string) []message {
	out := make([]message, 0, len(m)+1)
	if system != "" {
		out = append(out, message{role: "system", text: system})
	}
	for _, one := range m {
		out = append(out, message{role: one.Role, text: textOf(one.Content)})
	}
	return out
}

// lastUserText is what a chat's user said last.
func (c *call) lastUserText() string {
	for _, m := range slices.Backward(c.messages) {
		if m.role == "user" {
			return m.text
		}
	}
	return ""
}

// questions are what is answered: the prompts, or a chat's last message.
func (c *call) questions() []item {
	if c.asked != nil {
		return c.asked
	}
	return []item{{text: c.lastUserText()}}
}

// readJSON decodes a request's body; complaint is how the provider says that it cannot.
func readJSON(in incoming, into any, complaint string) *Error {
	if err := json.Unmarshal(in.body, into); err != nil {
		return badRequest("", "", complaint+err.Error())
	}
	return nil
}
