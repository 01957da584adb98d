// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

// counter is a count that usages have.
type counter uint8

const (
	inputTokens counter = iota
	outputTokens
	cacheReadTokens
	cacheWriteTokens
	cacheWrite5mTokens
	cacheWrite1hTokens
	reasoningTokens
	totalTokens
	grossInputTokens      // where inputTokens is without the cache, this is with it
	reasoningBesideTokens // of the usage itself, not of its details
	inputAudioTokens
	outputAudioTokens
	inputImageTokens
	outputImageTokens
	inputAudioSeconds // no tokens, but a sign that the input has some of audio
	toolUseTokens     // input that tools made, beside the input
	eachInputTokens   // of one of several inputs or outputs: they add up
	eachOutputTokens
	// measured counts are those that the platform around a model reports.
	measuredInput
	measuredOutput
	measuredCacheRead
	measuredCacheWrite
	modelInputTokens // what the model saw where something else is billed
	modelOutputTokens
	searchUnits
	imageUnits
	webSearches
	webFetches
	codeExecutions
	fileSearches
	imageGenerations
	sourcesUsed
	numCounters
)

// counting returns the field of a counter.
func counting(c counter) field { return firstCount + field(c) }

// usage is what a usage object counts, as sent.
type usage [numCounters]count

func (u *usage) reported() bool {
	if u == nil {
		return false
	}
	for i := range u {
		if u[i].ok {
			return true
		}
	}
	return false
}

// complete overwrites what v has.
func (u *usage) complete(v *usage) {
	for i := range v {
		if v[i].ok {
			u[i] = v[i]
		}
	}
}

// add takes in a count. Of several places for one thing the largest counts, since
// they never mean different things.
func (u *usage) add(at counter, c count) {
	switch at {
	case cacheReadTokens, cacheWriteTokens:
		u[at] = u[at].larger(c)
	case eachInputTokens, eachOutputTokens, webSearches, webFetches, codeExecutions, fileSearches, imageGenerations:
		if c.ok {
			u[at] = count{n: u[at].n + c.n, ok: true}
		}
	case inputAudioTokens, outputAudioTokens, inputImageTokens, outputImageTokens:
		if c.positive() { // every call without any reports 0
			u[at] = c
		}
	default:
		u[at] = c
	}
}

// modality is what tokens stand for, or how long what they were written to lives.
type modality uint8

const (
	modalityOther modality = iota
	modalityImage
	modalityAudio
	modality5m
	modality1h
)

// modalityNames are the words for modalities, and Google's numbers for them.
var modalityNames = map[string]modality{
	"IMAGE": modalityImage, "image": modalityImage, "2": modalityImage,
	"AUDIO": modalityAudio, "audio": modalityAudio, "4": modalityAudio,
	"5m": modality5m, "1h": modality1h,
}

// splitByModality takes the count of one modality.
func (r *replyReader) splitByModality() {
	if !r.split.ok {
		return
	}
	switch r.modality {
	case modalityImage:
		r.add(r.details+inputImageTokens-inputAudioTokens, r.split)
	case modalityAudio:
		r.add(r.details, r.split)
	case modality5m:
		r.add(cacheWrite5mTokens, r.split)
	case modality1h:
		r.add(cacheWrite1hTokens, r.split)
	}
}

// hostedTools are the types of items that tools of the provider leave in an
// answer, each of which has a price of its own.
var hostedTools = map[string]counter{
	"web_search_call":       webSearches,
	"file_search_call":      fileSearches,
	"code_interpreter_call": codeExecutions,
	"image_generation_call": imageGenerations,
}
