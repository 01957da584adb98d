// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/semconv"
)

// media says which attributes have the units of an operation that yields or takes
// images, audio or video. An empty key is for what it does not have.
type media struct {
	unit                                 attribute.KeyValue // by which it is billed unless tokens are reported
	output                               attribute.KeyValue
	size, aspect, quality, style, format attribute.Key
	voice, language, speed, sourceImage  attribute.Key
	requested, requestedSeconds          attribute.Key
	images, seconds, characters, job     attribute.Key
}

// Operations that more than one place knows.
const (
	operationChat          = "chat"
	operationText          = "text_completion"
	operationEmbeddings    = "embeddings"
	operationRerank        = "rerank"
	operationImage         = "image_generation"
	operationSpeech        = "speech"
	operationTranscription = "transcription"
	operationTranslation   = "translation"
	operationVideo         = "video_generation"
)

// mediaOperations is keyed by operation.
var mediaOperations = map[string]*media{
	operationImage: {
		unit: semconv.ReveniumBillingUnitPerImage, output: semconv.GenAIOutputTypeImage,
		size: semconv.ReveniumImageResolutionKey, aspect: semconv.ReveniumImageAspectRatioKey, quality: semconv.ReveniumImageQualityKey,
		style: semconv.ReveniumImageStyleKey, format: semconv.ReveniumImageFormatKey,
		sourceImage: semconv.ReveniumImageSourceImageProvidedKey,
		requested:   semconv.ReveniumImageRequestedCountKey, images: semconv.ReveniumImageCountKey,
	},
	operationSpeech: {
		unit: semconv.ReveniumBillingUnitPerCharacter, output: semconv.GenAIOutputTypeSpeech,
		format: semconv.ReveniumAudioFormatKey, voice: semconv.ReveniumAudioVoiceKey, speed: semconv.ReveniumAudioSpeedKey,
		language: semconv.ReveniumAudioLanguageKey, characters: semconv.ReveniumAudioCharacterCountKey,
	},
	operationTranscription: {
		unit: semconv.ReveniumBillingUnitPerMinute, output: semconv.GenAIOutputTypeText,
		format: semconv.ReveniumAudioResponseFormatKey, language: semconv.ReveniumAudioLanguageKey,
		seconds: semconv.ReveniumAudioDurationKey,
	},
	operationTranslation: {
		unit: semconv.ReveniumBillingUnitPerMinute, output: semconv.GenAIOutputTypeText,
		format: semconv.ReveniumAudioResponseFormatKey, seconds: semconv.ReveniumAudioDurationKey,
	},
	operationVideo: {
		unit: semconv.ReveniumBillingUnitPerSecond,
		size: semconv.ReveniumVideoResolutionKey, requestedSeconds: semconv.ReveniumVideoRequestedDurationKey,
		seconds: semconv.ReveniumVideoDurationKey, job: semconv.ReveniumVideoAsyncKey,
	},
}

// asked appends what a request asks for.
func (m *media) asked(a attributeList, p *requestParams, t *target) attributeList {
	a.known(m.unit)
	a.known(m.output)
	q := &p.media
	requested := p.choices
	if requested == nil && t.api.oneByDefault {
		requested = new(int64)
		*requested = 1
	}
	if m.requested != "" {
		a.integer(m.requested, requested)
	}
	for _, member := range [...]struct {
		key   attribute.Key
		value string
	}{{m.size, q.size}, {m.aspect, q.aspectRatio}, {m.quality, q.quality}, {m.style, q.style}, {m.format, q.format}, {m.voice, q.voice}, {m.language, q.language}} {
		if member.key != "" {
			a.text(member.key, member.value)
		}
	}
	if m.speed != "" {
		a.decimal(m.speed, q.speed)
	}
	if m.requestedSeconds != "" {
		a.decimal(m.requestedSeconds, q.seconds)
	}
	if m.characters != "" {
		a.count(m.characters, q.characters)
	}
	if m.sourceImage != "" {
		a.flag(m.sourceImage, q.sourceImage)
	}
	if m.job != "" {
		a.flag(m.job, true)
	}
	return a
}

// answered appends what an answer has.
func (m *media) answered(a attributeList, u *units) attributeList {
	for _, member := range [...]struct {
		key   attribute.Key
		value string
	}{{m.size, u.size}, {m.quality, u.quality}, {m.language, u.language}} {
		if member.key != "" {
			a.text(member.key, member.value)
		}
	}
	if m.images != "" {
		a.count(m.images, u.images)
	}
	if m.seconds != "" {
		a.amount(m.seconds, u.length())
	}
	return a
}

// counted says whether it is known by what the call is billed.
func (m *media) counted(p *requestParams, u *units) bool {
	return m.images != "" && u.images.ok || m.seconds != "" && u.length().ok || m.characters != "" && p.media.characters.ok
}

func (a *attributeList) known(kv attribute.KeyValue) {
	if kv.Valid() {
		*a = append(*a, kv)
	}
}

// isOpaque says that an answer holds nothing that could be read: audio, or a
// transcript that is plain text.
func isOpaque(a *api, q *question, h http.Header) bool {
	if !a.opaque {
		return false
	}
	switch contentType := strings.ToLower(h.Get("Content-Type")); {
	case strings.Contains(contentType, "json"), strings.HasPrefix(contentType, "text/event-stream"):
		return false
	case contentType != "":
		return true
	}
	p := q.asked()
	return a.operation == operationSpeech && !p.stream || textFormats[p.media.format]
}

// textFormats are the formats of transcripts that are no JSON.
var textFormats = map[string]bool{"text": true, "srt": true, "vtt": true}
