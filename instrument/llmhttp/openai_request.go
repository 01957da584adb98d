// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import "strconv"

// openAIFormat is the format of OpenAI's chat completions, completions and
// embeddings, and of all servers that are compatible with them.
var openAIFormat format = openAI{}

type openAI struct{}

func (openAI) request() requestReader { return &openAIRequest{} }

func (openAI) response(t *target, refused bool) responseReader {
	return &openAIResponse{
		refused:   refused,
		embedding: t.api.operation == "embeddings",
		quirks:    providerQuirks[t.provider],
	}
}

// Fields of an OpenAI-shaped request.
const (
	reqModel field = iota + 1
	reqStream
	reqChoices
	reqMaxTokens
	reqMaxCompletionTokens
	reqSeed
	reqDimensions
	reqTemperature
	reqTopP
	reqFrequencyPenalty
	reqPresencePenalty
	reqStop
	reqEncoding
	reqServiceTier
	reqEffort
	reqInput
	reqStreamOptions
	reqIncludeUsage
)

// openAIQuestion is all that is wanted of a request: no prompt, no user.
var openAIQuestion = newTree([]want{
	{path: "model", field: reqModel},
	{path: "stream", field: reqStream},
	{path: "n", field: reqChoices},
	{path: "max_tokens", field: reqMaxTokens},
	{path: "max_completion_tokens", field: reqMaxCompletionTokens},
	{path: "seed", field: reqSeed},
	{path: "random_seed", field: reqSeed}, // Mistral
	{path: "dimensions", field: reqDimensions},
	{path: "temperature", field: reqTemperature},
	{path: "top_p", field: reqTopP},
	{path: "frequency_penalty", field: reqFrequencyPenalty},
	{path: "presence_penalty", field: reqPresencePenalty},
	{path: "stop", field: reqStop},
	{path: "stop[]", field: reqStop},
	{path: "encoding_format", field: reqEncoding},
	{path: "service_tier", field: reqServiceTier},
	{path: "reasoning_effort", field: reqEffort},
	{path: "reasoning.effort", field: reqEffort}, // OpenRouter
	{path: "messages", field: reqInput, presence: true},
	{path: "prompt", field: reqInput, presence: true},
	{path: "input", field: reqInput, presence: true},
	{path: "stream_options", field: reqStreamOptions},
	{path: "stream_options[]"}, // to see that it is an array, which no server takes
	{path: "stream_options.include_usage", field: reqIncludeUsage, presence: true},
})

// maxStop bounds the stop sequences kept; OpenAI takes 4.
const maxStop = 16

type openAIRequest struct {
	p       requestParams
	options streamOptions
}

func (r *openAIRequest) wanted() *node          { return openAIQuestion }
func (r *openAIRequest) params() *requestParams { return &r.p }

func (r *openAIRequest) scanWith(s *scanner)         { r.options.scan = s }
func (r *openAIRequest) askForUsage() (splice, bool) { return r.options.askForUsage() }

func (r *openAIRequest) open(f field) {
	if f == reqStreamOptions {
		r.options.begin()
	}
}

func (r *openAIRequest) close(f field) {
	if f == reqStreamOptions {
		r.options.end()
	}
}

func (r *openAIRequest) present(f field, _ bool) {
	switch f {
	case reqIncludeUsage:
		r.options.explicit = true
	case reqInput:
		r.p.plausible = true
	}
}

func (r *openAIRequest) value(f field, v value) {
	p := &r.p
	switch f {
	case reqModel:
		p.model = v.text()
		p.plausible = p.plausible || p.model != ""
	case reqStream:
		p.stream = v.isTrue()
		r.options.stream(p.stream)
	case reqStreamOptions:
		r.options.value(v)
	case reqStop:
		if s := v.text(); s != "" && len(p.stop) < maxStop {
			p.stop = append(p.stop, s)
		}
	case reqEncoding:
		p.encoding = v.text()
	case reqServiceTier:
		p.serviceTier = v.text()
	case reqEffort:
		p.effort = v.text()
	default:
		r.number(f, v)
	}
}

func (r *openAIRequest) number(f field, v value) {
	if v.kind != numberValue || v.long {
		return
	}
	p := &r.p
	switch f {
	case reqChoices:
		p.choices = integer(v)
	case reqMaxTokens:
		if p.maxTokens == nil { // max_completion_tokens replaced it
			p.maxTokens = integer(v)
		}
	case reqMaxCompletionTokens:
		if n := integer(v); n != nil {
			p.maxTokens = n
		}
	case reqSeed:
		p.seed = integer(v)
	case reqDimensions:
		p.dimensions = integer(v)
	case reqTemperature:
		p.temperature = decimal(v)
	case reqTopP:
		p.topP = decimal(v)
	case reqFrequencyPenalty:
		p.frequencyPenalty = decimal(v)
	case reqPresencePenalty:
		p.presencePenalty = decimal(v)
	}
}

// integer reads a whole number that fits in 64 bits, or returns nil.
func integer(v value) *int64 {
	n, err := strconv.ParseInt(string(v.raw), 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(string(v.raw), 64)
		if err != nil || f != float64(int64(f)) || f < -1<<53 || f > 1<<53 {
			return nil
		}
		n = int64(f)
	}
	return &n
}

func decimal(v value) *float64 {
	f, err := strconv.ParseFloat(string(v.raw), 64)
	if err != nil {
		return nil
	}
	return &f
}
