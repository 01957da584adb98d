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
	if c.asked != nil {
		return countItems(c.asked)
	}
	n := int64(perAnswer)
	for _, m := range c.messages {
		n += perMessage + CountTokens(m.text)
	}
	return n
}

func countItems(in []item) int64 {
	var n int64
	for _, i := range in {
		n += i.count()
	}
	return n
}

// defaultText repeats what was asked, cut to the tokens that the request allows.
func (c *call) defaultText(asked string) (text, finish string) {
	text = "You said: " + asked
	if c.maxTokens > 0 && CountTokens(text) > c.maxTokens {
		return string([]rune(text)[:c.maxTokens*charactersPerToken]), "length"
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
