// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"fmt"
	"testing"
)

func (c count) String() string {
	if !c.ok {
		return "-"
	}
	return fmt.Sprint(c.n)
}

// openAIUsage is a usage object as OpenAI names its counts.
type openAIUsage struct {
	prompt, completion, total, cacheRead, cacheCreation, reasoning, reasoningBeside, promptAudio, audioSeconds count
}

func (u openAIUsage) normalize(q quirks) tokens {
	return openAITokens(&usage{
		inputTokens: u.prompt, outputTokens: u.completion, totalTokens: u.total,
		cacheReadTokens: u.cacheRead, cacheWriteTokens: u.cacheCreation,
		reasoningTokens: u.reasoning, reasoningBesideTokens: u.reasoningBeside, inputAudioTokens: u.promptAudio,
		inputAudioSeconds: u.audioSeconds,
	}, q)
}

// Every repair, what it must not be taken for, and usages with parts missing.
func TestRepairs(t *testing.T) {
	none := count{}
	n := counted
	tests := []struct {
		name   string
		usage  openAIUsage
		quirks quirks
		want   string // input, output, reasoning
	}{
		{name: "nothing to mend", usage: openAIUsage{prompt: n(10), completion: n(5), total: n(15)}, want: "10 5 -"},
		{name: "reasoning within", usage: openAIUsage{prompt: n(10), completion: n(5), total: n(15), reasoning: n(5)}, want: "10 5 5"},
		{name: "cache left out", usage: openAIUsage{prompt: n(208), completion: n(27), total: n(235), cacheRead: n(314)}, want: "522 27 -"},
		{name: "cache left out, but in the total", usage: openAIUsage{prompt: n(208), completion: n(27), total: n(549), cacheRead: n(314)}, want: "522 27 -"},
		{name: "cache and reasoning left out", usage: openAIUsage{prompt: n(208), completion: n(27), total: n(240), cacheRead: n(314), reasoning: n(5)}, want: "522 32 5"},
		{name: "cache and reasoning left out, both in the total", usage: openAIUsage{prompt: n(208), completion: n(27), total: n(554), cacheRead: n(314), reasoning: n(5)}, want: "522 32 5"},
		{name: "all of the prompt cached", usage: openAIUsage{prompt: n(10), completion: n(5), total: n(15), cacheRead: n(10)}, want: "10 5 -"},
		{name: "reasoning beside", usage: openAIUsage{prompt: n(165), completion: n(2), total: n(296), reasoning: n(129)}, want: "165 131 129"},
		{name: "reasoning beside, small", usage: openAIUsage{prompt: n(10), completion: n(50), total: n(65), reasoning: n(5)}, want: "10 55 5"},
		{name: "reasoning nowhere", usage: openAIUsage{prompt: n(9), completion: n(52), total: n(61), reasoning: n(232)}, want: "9 284 232"},
		{name: "reasoning rounded", usage: openAIUsage{prompt: n(9), completion: n(52), total: n(61), reasoning: n(53)}, quirks: quirks{reasoningRounded: true}, want: "9 52 52"},
		{name: "reasoning apart", usage: openAIUsage{prompt: n(9), completion: n(52), total: n(61), reasoningBeside: n(20)}, quirks: quirks{reasoningApart: true}, want: "9 72 20"},
		{name: "reasoning of the usage itself, elsewhere", usage: openAIUsage{prompt: n(9), completion: n(52), total: n(61), reasoningBeside: n(20)}, want: "9 52 20"},
		{name: "reasoning in both places", usage: openAIUsage{prompt: n(9), completion: n(52), total: n(61), reasoning: n(20), reasoningBeside: n(20)}, quirks: quirks{reasoningApart: true}, want: "9 52 20"},
		{name: "audio left out", usage: openAIUsage{prompt: n(5), completion: n(20), total: n(400), promptAudio: n(375)}, want: "380 20 -"},
		{name: "audio within", usage: openAIUsage{prompt: n(28), completion: n(17), total: n(45), promptAudio: n(20)}, want: "28 17 -"},
		{name: "audio left out, in seconds", usage: openAIUsage{prompt: n(5), completion: n(20), total: n(400), audioSeconds: n(27)}, want: "380 20 -"},
		{name: "audio left out, in seconds and tokens", usage: openAIUsage{prompt: n(5), completion: n(20), total: n(400), promptAudio: n(375), audioSeconds: n(27)}, want: "380 20 -"},
		{name: "audio left out, most of it cached", usage: openAIUsage{prompt: n(5), completion: n(20), total: n(400), promptAudio: n(375), cacheRead: n(368)}, want: "380 20 -"},
		{name: "audio left out, in seconds, most of it cached", usage: openAIUsage{prompt: n(5), completion: n(20), total: n(400), cacheRead: n(368), audioSeconds: n(27)}, want: "380 20 -"},
		{name: "audio within, in seconds", usage: openAIUsage{prompt: n(380), completion: n(20), total: n(400), audioSeconds: n(27)}, want: "380 20 -"},
		{name: "no audio, in seconds", usage: openAIUsage{prompt: n(35), completion: n(12), total: n(109), audioSeconds: n(0)}, want: "35 74 62"},
		{name: "audio in seconds, reasoning beside", usage: openAIUsage{prompt: n(165), completion: n(2), total: n(296), reasoning: n(129), audioSeconds: n(9)}, want: "165 131 129"},
		{name: "hidden thinking", usage: openAIUsage{prompt: n(35), completion: n(12), total: n(109)}, want: "35 74 62"},
		{name: "hidden thinking, reasoning said to be 0", usage: openAIUsage{prompt: n(35), completion: n(12), total: n(109), reasoning: n(0)}, want: "35 74 62"},
		{name: "hidden thinking beside a cache", usage: openAIUsage{prompt: n(35), completion: n(12), total: n(109), cacheRead: n(20)}, want: "35 74 62"},
		{name: "cache left out, as the total says", usage: openAIUsage{prompt: n(100), completion: n(5), total: n(165), cacheRead: n(40), cacheCreation: n(20)}, want: "160 5 -"},
		{name: "a total that explains nothing", usage: openAIUsage{prompt: n(10), completion: n(5), total: n(17), reasoning: n(1)}, want: "10 5 1"},
		{name: "a total too small", usage: openAIUsage{prompt: n(10), completion: n(5), total: n(3)}, want: "10 5 -"},
		{name: "no total", usage: openAIUsage{prompt: n(10), completion: n(5)}, want: "10 5 -"},
		{name: "no total, reasoning too large", usage: openAIUsage{prompt: n(10), completion: n(5), reasoning: n(7)}, want: "10 12 7"},
		{name: "prompt and total", usage: openAIUsage{prompt: n(10), total: n(15)}, want: "10 5 -"},
		{name: "prompt, total the same", usage: openAIUsage{prompt: n(10), total: n(10)}, want: "10 - -"},
		{name: "completion and total", usage: openAIUsage{completion: n(5), total: n(15)}, want: "10 5 -"},
		{name: "completion, total too small", usage: openAIUsage{completion: n(5), total: n(1)}, want: "- 5 -"},
		{name: "total alone", usage: openAIUsage{total: n(15)}, want: "- - -"},
		{name: "zeros", usage: openAIUsage{prompt: n(0), completion: n(0), total: n(0), reasoning: n(0)}, want: "0 0 0"},
		{name: "nothing", want: "- - -"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.usage.normalize(tt.quirks)
			if text := fmt.Sprint(got.input, " ", got.output, " ", got.reasoning); text != tt.want {
				t.Errorf("input, output, reasoning: %s, want %s", text, tt.want)
			}
			if got.cacheRead != tt.usage.cacheRead || got.cacheCreation != tt.usage.cacheCreation {
				t.Errorf("the cache's counts changed: %v, %v", got.cacheRead, got.cacheCreation)
			}
			if tt.name == "nothing" && got.reported() || got.input != none && !got.reported() {
				t.Errorf("reported: %t", got.reported())
			}
		})
	}
}

func TestNewCount(t *testing.T) {
	tests := []struct {
		kind valueKind
		text string
		want string
	}{
		{numberValue, "0", "0"},
		{numberValue, "12", "12"},
		{numberValue, "12.0", "12"},
		{numberValue, "1.2e2", "120"},
		{numberValue, "12.5", "-"},
		{numberValue, "-1", "-"},
		{numberValue, "-0", "0"},
		{numberValue, "1e300", "-"},
		{numberValue, "99999999999999999999", "-"},
		{numberValue, "1099511627777", "-"},
		{stringValue, "12", "12"},
		{stringValue, "12.0", "-"},
		{stringValue, "", "-"},
		{stringValue, "many", "-"},
		{nullValue, "null", "-"},
		{boolValue, "true", "-"},
	}
	for _, tt := range tests {
		if got := newCount(value{kind: tt.kind, raw: []byte(tt.text)}).String(); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.text, got, tt.want)
		}
	}
	if got := newCount(value{kind: numberValue, raw: []byte("1"), long: true}); got.ok {
		t.Errorf("an over-long number: %v", got)
	}
}

// Whatever a server sends as usage, the counts make sense, and no part is larger
// than the whole for reasoning.
func FuzzUsage(f *testing.F) {
	f.Add([]byte(`{"usage":{"prompt_tokens":208,"completion_tokens":27,"total_tokens":235,"prompt_tokens_details":{"cached_tokens":314}}}`), true)
	f.Add([]byte(`{"usage":{"prompt_tokens":9,"completion_tokens":52,"total_tokens":61,"completion_tokens_details":{"reasoning_tokens":232}}}`), false)
	f.Add([]byte(`{"x_groq":{"usage":{"prompt_tokens":"1"}},"usage":{"prompt_tokens":-1,"total_tokens":1e9}}`), true)
	f.Add([]byte("data: {\"usage\":{\"total_tokens\":5}}\n\ndata: [DONE]\n\n"), true)
	f.Fuzz(func(t *testing.T, body []byte, gateway bool) {
		r := newReplyReader(targetOf(t, "openai.chat"), false)
		r.quirks = quirks{reasoningRounded: gateway, reasoningApart: !gateway}
		a := newAnswer(r)
		for piece := range chunks(body, 7) {
			a.write(piece)
		}
		a.end()
		u := r.res.tokens
		for name, c := range map[string]count{"input": u.input, "output": u.output, "read": u.cacheRead, "written": u.cacheCreation, "reasoning": u.reasoning} {
			if c.n < 0 || c.n > 4*maxCount || !c.ok && c.n != 0 {
				t.Errorf("%s: %d, %t", name, c.n, c.ok)
			}
		}
		if u.output.ok && u.reasoning.ok && u.reasoning.n > u.output.n {
			t.Errorf("reasoning %v of output %v", u.reasoning, u.output)
		}
		if len(r.res.finish) > maxChoices {
			t.Errorf("%d choices", len(r.res.finish))
		}
	})
}
