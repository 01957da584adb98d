// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"strconv"

	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/semconv"
)

// Fields of requests. Where a format has them, its requestTable says; what they
// mean is the same for all. No prompt is among them and no user.
const (
	reqModel field = iota + 1
	reqStream
	reqStreamFormat // of what is a stream anyway
	reqBackground
	reqChoices
	reqMaxTokens
	reqMaxTokensNewer // the name that goes before reqMaxTokens where both are there
	reqSeed
	reqDimensions
	reqTemperature
	reqTopP
	reqTopK
	reqFrequencyPenalty
	reqPresencePenalty
	reqStop
	reqEncoding
	reqServiceTier
	reqEffort
	reqConversation
	reqInput    // what the call is about; presence
	reqMessages // the same, as a conversation; presence
	reqImagePrompt
	reqStreamOptions
	reqIncludeUsage
	reqCharacters // text that is billed by its length; pieces
	reqSize
	reqAspectRatio
	reqQuality
	reqStyle
	reqFormat
	reqVoice
	reqLanguage
	reqSpeed
	reqSeconds
	reqSourceImage // presence
)

// requestParams is what a request's body asks for. Pointers are nil and strings
// empty where it says nothing.
type requestParams struct {
	model             string
	stream, streamSet bool
	background        bool
	choices           *int64
	maxTokens         *int64
	seed              *int64
	dimensions        *int64
	topK              *int64
	temperature, topP *float64
	frequencyPenalty  *float64
	presencePenalty   *float64
	stop              []string
	encoding          string
	serviceTier       string
	effort            string
	conversation      string // its id
	// input says that there is something that the call is about, messages that it
	// is a conversation, imagePrompt that it is the description of an image.
	input, messages, imagePrompt bool
	media                        mediaParams
}

// mediaParams is what a request for images, audio or video asks for.
type mediaParams struct {
	size, aspectRatio, quality, style, format, voice, language string
	speed, seconds                                             *float64
	characters                                                 count
	sourceImage                                                bool
}

// maxStop bounds the stop sequences kept; OpenAI takes 4.
const maxStop = 16

// requestReader finds the parameters of a call in the body of its request.
type requestReader struct {
	table   *requestTable
	p       requestParams
	options streamOptions
}

// open implements sink.
func (r *requestReader) open(f field) {
	switch f {
	case reqStreamOptions:
		r.options.begin()
	case reqInput, reqMessages:
		r.hasInput(f)
	}
}

// close implements sink.
func (r *requestReader) close(f field) {
	if f == reqStreamOptions {
		r.options.end()
	}
}

// present implements sink.
func (r *requestReader) present(f field, yes bool) {
	switch f {
	case reqIncludeUsage:
		r.options.explicit = true
	case reqSourceImage:
		r.p.media.sourceImage = r.p.media.sourceImage || yes
	case reqImagePrompt:
		r.p.imagePrompt = r.p.imagePrompt || yes
		r.p.input = true
	default:
		r.hasInput(f)
	}
}

func (r *requestReader) hasInput(f field) {
	r.p.input = true
	r.p.messages = r.p.messages || f == reqMessages
}

// piece implements pieceSink: it counts the characters of a text.
func (r *requestReader) piece(_ field, text []byte) {
	c := &r.p.media.characters
	*c = counted(c.n + int64(characters(text)))
}

// value implements sink.
func (r *requestReader) value(f field, v value) {
	p := &r.p
	switch f {
	case reqModel:
		p.model = v.text()
	case reqStream:
		p.stream, p.streamSet = v.isTrue(), true
		if r.options.scan != nil {
			r.options.stream(p.stream)
		}
	case reqStreamFormat:
		p.stream, p.streamSet = v.is("sse"), true
	case reqBackground:
		p.background = v.isTrue()
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
	case reqConversation:
		p.conversation = v.text()
	case reqInput, reqMessages, reqCharacters:
		if v.kind == stringValue {
			r.hasInput(f)
		}
	case reqSize, reqAspectRatio, reqQuality, reqStyle, reqFormat, reqVoice, reqLanguage, reqSpeed, reqSeconds:
		p.media.value(f, v)
	default:
		r.number(f, v)
	}
}

func (r *requestReader) number(f field, v value) {
	if v.kind != numberValue || v.long {
		return
	}
	p := &r.p
	switch f {
	case reqChoices:
		p.choices = integer(v)
	case reqMaxTokens:
		if p.maxTokens == nil {
			p.maxTokens = integer(v)
		}
	case reqMaxTokensNewer:
		if n := integer(v); n != nil {
			p.maxTokens = n
		}
	case reqSeed:
		p.seed = integer(v)
	case reqDimensions:
		p.dimensions = integer(v)
	case reqTopK:
		p.topK = integer(v)
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

func (m *mediaParams) value(f field, v value) {
	switch f {
	case reqSize:
		m.size = v.text()
	case reqAspectRatio:
		m.aspectRatio = v.text()
	case reqQuality:
		m.quality = v.text()
	case reqStyle:
		m.style = v.text()
	case reqFormat:
		m.format = v.text()
	case reqVoice:
		m.voice = v.text()
	case reqLanguage:
		m.language = v.text()
	case reqSpeed:
		m.speed = decimal(v)
	case reqSeconds:
		m.seconds = decimal(v)
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

// decimal reads a number, also one in a string.
func decimal(v value) *float64 {
	if v.long || v.kind != numberValue && v.kind != stringValue {
		return nil
	}
	f, err := strconv.ParseFloat(string(v.raw), 64)
	if err != nil {
		return nil
	}
	return &f
}

// attributes appends what the request asks for, in the words of the conventions.
// Prompts and users are not among it.
func (p *requestParams) attributes(to []attribute.KeyValue, t *target) []attribute.KeyValue {
	a := attributeList(to)
	if p.choices != nil && *p.choices != 1 {
		a.integer(semconv.GenAIRequestChoiceCountKey, p.choices)
	}
	a.integer(semconv.GenAIRequestMaxTokensKey, p.maxTokens)
	a.integer(semconv.GenAIRequestSeedKey, p.seed)
	a.integer(semconv.GenAIEmbeddingsDimensionCountKey, p.dimensions)
	a.integer(semconv.GenAIRequestTopKKey, p.topK)
	a.decimal(semconv.GenAIRequestTemperatureKey, p.temperature)
	a.decimal(semconv.GenAIRequestTopPKey, p.topP)
	a.decimal(semconv.GenAIRequestFrequencyPenaltyKey, p.frequencyPenalty)
	a.decimal(semconv.GenAIRequestPresencePenaltyKey, p.presencePenalty)
	if len(p.stop) > 0 {
		a = append(a, semconv.GenAIRequestStopSequencesKey.StringSlice(p.stop))
	}
	if p.encoding != "" {
		a = append(a, semconv.GenAIRequestEncodingFormatsKey.StringSlice([]string{p.encoding}))
	}
	a.text(t.api.requestTierKey(), p.serviceTier)
	a.text(semconv.GenAIRequestReasoningLevelKey, p.effort)
	a.text(semconv.GenAIConversationIDKey, p.conversation)
	a.text(semconv.ReveniumModelSourceKey, t.source)
	if t.api.apiType != "" && (t.provider == providerOpenAI || t.provider == providerAzureOpenAI) {
		a.text(semconv.OpenAIAPITypeKey, t.api.apiType)
	}
	if m := t.media(); m != nil {
		a = m.asked(a, p, t)
	}
	return a
}

// attributeList is a list of attributes that only what is known is appended to.
type attributeList []attribute.KeyValue

func (a *attributeList) integer(key attribute.Key, n *int64) {
	if n != nil {
		*a = append(*a, key.Int64(*n))
	}
}

func (a *attributeList) decimal(key attribute.Key, f *float64) {
	if f != nil {
		*a = append(*a, key.Float64(*f))
	}
}

func (a *attributeList) text(key attribute.Key, s string) {
	if s != "" {
		*a = append(*a, key.String(s))
	}
}

func (a *attributeList) count(key attribute.Key, c count) {
	if c.ok {
		*a = append(*a, key.Int64(c.n))
	}
}

func (a *attributeList) amount(key attribute.Key, n amount) {
	if n.ok {
		*a = append(*a, key.Float64(n.n))
	}
}

func (a *attributeList) flag(key attribute.Key, yes bool) {
	if yes {
		*a = append(*a, key.Bool(true))
	}
}
