// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import "github.com/revenium/revenium-otel-go/instrument"

// tokens is what a call consumed in the one model that everything is brought
// into: input holds what was cached, output holds what was spent on reasoning.
type tokens struct {
	input, cacheRead, cacheCreation  count
	cacheCreation5m, cacheCreation1h count
	output, reasoning                count
	inputAudio, outputAudio          count
	inputImage, outputImage          count
}

func (t tokens) reported() bool {
	return t.input.ok || t.output.ok || t.cacheRead.ok || t.cacheCreation.ok || t.reasoning.ok
}

// allZero says that counts were reported and every one of them is 0.
func (t tokens) allZero() bool {
	return t.reported() && !t.input.positive() && !t.output.positive() && !t.cacheRead.positive() &&
		!t.cacheCreation.positive() && !t.reasoning.positive()
}

func (t tokens) usage() instrument.Usage {
	return instrument.Usage{
		Input:           t.input.pointer(),
		CacheRead:       t.cacheRead.pointer(),
		CacheCreation:   t.cacheCreation.pointer(),
		CacheCreation5m: t.cacheCreation5m.pointer(),
		CacheCreation1h: t.cacheCreation1h.pointer(),
		Output:          t.output.pointer(),
		Reasoning:       t.reasoning.pointer(),
		InputAudio:      t.inputAudio.pointer(),
		OutputAudio:     t.outputAudio.pointer(),
		InputImage:      t.inputImage.pointer(),
		OutputImage:     t.outputImage.pointer(),
	}
}

// withoutOutput is the usage of an embedding: there is no output, and some
// servers send the total alone.
func (t tokens) withoutOutput(u *usage) tokens {
	if !t.input.ok {
		t.input = u[totalTokens]
	}
	t.output, t.reasoning = count{}, count{}
	return t
}

// openAITokens brings OpenAI-shaped counts into the one model.
func openAITokens(u *usage, q quirks) tokens {
	t := tokens{
		input: u[inputTokens], output: u[outputTokens],
		cacheRead: u[cacheReadTokens], cacheCreation: u[cacheWriteTokens],
		cacheCreation5m: u[cacheWrite5mTokens], cacheCreation1h: u[cacheWrite1hTokens],
		reasoning:  u[reasoningTokens],
		inputAudio: u[inputAudioTokens], outputAudio: u[outputAudioTokens],
		inputImage: u[inputImageTokens], outputImage: u[outputImageTokens],
	}
	if !t.reasoning.ok {
		t.reasoning = u[reasoningBesideTokens]
	}
	q.heard = q.heard || u[inputAudioSeconds].positive()
	switch prompt, completion, total := t.input, t.output, u[totalTokens]; {
	case prompt.ok && completion.ok:
		t.repair(u, q)
	case prompt.ok && total.ok && total.n > prompt.n:
		t.output = counted(total.n - prompt.n)
	case completion.ok && total.ok && total.n >= completion.n:
		t.input = counted(total.n - completion.n)
	}
	if t.output.ok && t.reasoning.ok && t.reasoning.n > t.output.n {
		t.reasoning.n = t.output.n // rounding; it is a part of the output
	}
	return t
}

// A repair brings one way of counting of OpenAI-compatible servers into the
// model of tokens. It applies where its condition holds.
type repair struct {
	name              string
	when              func(u repairable) bool
	input             func(u repairable) int64 // nil: leaves the input alone
	output, reasoning func(u repairable) int64
	audio             func(u repairable) int64 // of the input
}

// repairable is a usage with the counts as plain numbers, 0 where absent: P
// prompt, C completion, T total, R reasoning, H cache read, W cache creation, A
// audio of the prompt.
type repairable struct {
	P, C, T, R, H, W, A int64
	hasR                bool
	quirks              quirks
}

// repairs is tried in order, and the first that applies to the input, and the
// first that applies to the output, hold. Each has answers of real servers
// behind it, named here.
var repairs = []repair{
	{
		// Mistral Voxtral: prompt 5, audio 375, completion 20, total 400. What it read
		// from the cache can be 368 of the audio, hence more than the prompt.
		name:  "prompt leaves out audio",
		when:  func(u repairable) bool { return u.A > 0 && !u.hasR && u.T == u.P+u.A+u.C },
		input: func(u repairable) int64 { return u.T - u.C },
	},
	{
		// Mistral's transcriptions: prompt 4, completion 635, total 3264, and 203
		// seconds of audio. It takes audio in pieces of 30 seconds, at 12.5 tokens a
		// second: seven of them are the 2625 that are in the total alone.
		name:  "prompt leaves out audio that is given in seconds",
		when:  func(u repairable) bool { return u.heardBeside() },
		input: func(u repairable) int64 { return u.T - u.C },
		audio: func(u repairable) int64 { return u.T - u.P - u.C },
	},
	{
		// Grok on Azure AI Foundry: prompt 208, cached 314.
		name:  "prompt leaves out what was read from the cache",
		when:  func(u repairable) bool { return u.H > u.P },
		input: func(u repairable) int64 { return u.P + u.H },
	},
	{
		// xAI chat completions, always: prompt 165, completion 2, reasoning 129, total 296.
		name:   "completion leaves out reasoning, total has it",
		when:   func(u repairable) bool { return u.R > 0 && (u.T == u.P+u.C+u.R || u.H > u.P && u.T == u.P+u.H+u.C+u.R) },
		output: func(u repairable) int64 { return u.C + u.R },
	},
	{
		// Gemini behind the Vercel gateway: completion 52, reasoning 232, total 61,
		// and the price is that of 284. OpenRouter's reasoning may exceed the
		// completion by rounding, which is no such thing.
		name:   "completion cannot hold its reasoning",
		when:   func(u repairable) bool { return u.R > u.C && !u.quirks.reasoningRounded },
		output: func(u repairable) int64 { return u.C + u.R },
	},
	{
		// Gateways that pass on Anthropic's way of counting: the total says so.
		name: "prompt leaves out the cache, total has it",
		when: func(u repairable) bool {
			return u.H+u.W > 0 && !u.hasR && u.H <= u.P && u.T == u.P+u.H+u.W+u.C
		},
		input: func(u repairable) int64 { return u.P + u.H + u.W },
	},
	{
		// Gemini's OpenAI-compatible endpoint: prompt 35, completion 12, total 109.
		name:      "total has thinking that is nowhere else",
		when:      func(u repairable) bool { return u.T > u.P+u.C && !u.hasR && u.H <= u.P && !u.inputExplainsTotal() },
		output:    func(u repairable) int64 { return u.T - u.P },
		reasoning: func(u repairable) int64 { return u.T - u.P - u.C },
	},
}

// inputExplainsTotal says that what the total has more than prompt and
// completion is input, by one of the repairs above.
func (u repairable) inputExplainsTotal() bool {
	rest := u.T - u.P - u.C
	return rest == u.A || rest == u.H+u.W || u.heardBeside()
}

// heardBeside says that the total has audio that no count tells of.
func (u repairable) heardBeside() bool {
	return u.quirks.heard && u.A == 0 && !u.hasR && u.T > u.P+u.C
}

// quirks are ways of counting that cannot be told from the numbers.
type quirks struct {
	// reasoningRounded: reasoning may exceed the completion by a token or two.
	reasoningRounded bool
	// reasoningApart: reasoning_tokens of the usage itself, which no details
	// repeat, are not in the completion (Perplexity's deep research).
	reasoningApart bool
	// heard: the input has audio.
	heard bool
}

// providerQuirks is keyed by provider name.
var providerQuirks = map[string]quirks{
	"openrouter": {reasoningRounded: true},
	"perplexity": {reasoningApart: true},
}

// repair applies the repairs.
func (t *tokens) repair(u *usage, q quirks) {
	r := repairable{
		P: u[inputTokens].n, C: u[outputTokens].n, T: u[totalTokens].n, R: t.reasoning.n,
		H: t.cacheRead.n, W: t.cacheCreation.n, A: u[inputAudioTokens].n,
		hasR: t.reasoning.positive(), quirks: q,
	}
	if q.reasoningApart && !u[reasoningTokens].ok && u[reasoningBesideTokens].positive() {
		t.output = counted(r.C + r.R)
		return
	}
	var input, output bool
	for _, rule := range repairs {
		if !rule.when(r) {
			continue
		}
		if rule.input != nil && !input {
			t.input, input = counted(rule.input(r)), true
			if rule.audio != nil {
				t.inputAudio = counted(rule.audio(r))
			}
		}
		if rule.output != nil && !output {
			t.output, output = counted(rule.output(r)), true
			if rule.reasoning != nil {
				t.reasoning = counted(rule.reasoning(r))
			}
		}
	}
}
