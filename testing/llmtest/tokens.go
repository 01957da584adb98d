// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"strings"
	"unicode/utf8"
)

// charactersPerToken is the usual rule of thumb for English text.
const charactersPerToken = 4

// CountTokens counts as this server does: one token for every four characters that were begun. A chat prompt has
// moreover four tokens for each message and three for the answer's start. It is no tokenizer; it makes default
// answers plausible and predictable.
func CountTokens(text string) int64 {
	return int64((utf8.RuneCountInString(text) + charactersPerToken - 1) / charactersPerToken)
}

// promptTokens counts the request's input.
func (c *call) promptTokens() int64 {
	const perMessage, perAnswer = 4, 3
	switch c.api {
	case APIChat:
		n := int64(perAnswer)
		for _, m := range c.Messages {
			n += perMessage + CountTokens(m.text())
		}
		return n
	case APICompletions:
		return countItems(c.prompts())
	case APIEmbeddings:
		in, _ := items(c.Input) // checked when the request was read
		return countItems(in)
	}
	return 0
}

func countItems(in []item) int64 {
	var n int64
	for _, i := range in {
		n += i.count()
	}
	return n
}

// prompts returns the prompts of a legacy completion; one empty prompt if there is none.
func (c *call) prompts() []item {
	if in, ok := items(c.Prompt); ok {
		return in
	}
	return []item{{}}
}

// defaultText repeats what was asked, cut to the tokens that the request allows.
func (c *call) defaultText(asked string) (text, finish string) {
	text = "You said: " + asked
	limit := c.MaxCompletionTokens
	if limit <= 0 {
		limit = c.MaxTokens
	}
	if limit > 0 && CountTokens(text) > limit {
		return string([]rune(text)[:limit*charactersPerToken]), "length"
	}
	return text, "stop"
}

// words splits text into pieces, each word with the space before it.
func words(text string) []string {
	var out []string
	for len(text) > 0 {
		lead := len(text) - len(strings.TrimLeft(text, " "))
		end := strings.IndexByte(text[lead:], ' ')
		if end < 0 {
			return append(out, text)
		}
		out = append(out, text[:lead+end])
		text = text[lead+end:]
	}
	return out
}
