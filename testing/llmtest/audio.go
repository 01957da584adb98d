// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

var (
	transcriptionsKind = &kind{
		api: APITranscriptions, dialect: openAI, read: readTranscription,
		plain: (*reply).transcription, events: (*reply).transcriptionEvents,
	}
	translationsKind = &kind{
		api: APITranslations, dialect: openAI, read: readTranscription, plain: (*reply).transcription,
	}
	speechKind = &kind{
		api: APISpeech, dialect: openAI, read: readSpeech, plain: (*reply).speech, events: (*reply).speechEvents,
	}
)

const (
	// bytesPerSecond makes seconds of the bytes of an audio file, if the script does not say.
	bytesPerSecond = 16_000
	// audioTokensPerSecond is what gpt-4o-transcribe takes.
	audioTokensPerSecond = 10
)

// readTranscription reads a request to write down what is said in a file.
func readTranscription(c *call, in incoming) *Error {
	f, bad := readForm(in)
	if bad != nil {
		return bad
	}
	if bad := c.name(f.fields["model"]); bad != nil {
		return bad
	}
	if f.file == "" {
		return missing("file")
	}
	c.asked = texts(f.file)
	c.audioBytes = f.bytes
	c.format = cmp.Or(f.fields["response_format"], "json")
	c.stream = f.fields["stream"] == "true" && c.kind.events != nil && !c.byDuration()
	return nil
}

// byDuration says that the model is billed by the length of the audio.
func (c *call) byDuration() bool { return strings.HasPrefix(c.model, "whisper") }

// seconds is the length of the audio.
func (r *reply) seconds() float64 {
	if u := r.answer.Usage; u != nil && u.Seconds != 0 {
		return u.Seconds
	}
	return math.Ceil(float64(r.call.audioBytes) / bytesPerSecond)
}

// transcriptionUsage is the usage object of transcriptions, by tokens or by duration; nil if there is none.
func (r *reply) transcriptionUsage() (json.RawMessage, error) {
	u := r.answer.Usage
	switch {
	case r.answer.OmitUsage:
		return nil, nil
	case r.call.byDuration():
		if u == nil {
			u = &Usage{}
		}
		return u.write(object{{"type", "duration"}, {"seconds", r.seconds()}})
	case u == nil:
		audio := int64(r.seconds()) * audioTokensPerSecond
		u = &Usage{PromptTokens: audio, PromptAudioTokens: audio, CompletionTokens: CountTokens(r.choice().Text)}
	}
	return u.write(object{
		{"type", "tokens"},
		{"total_tokens", u.total()},
		{"input_tokens", u.PromptTokens},
		{"input_token_details", object{
			{"text_tokens", u.PromptTokens - u.PromptAudioTokens}, {"audio_tokens", u.PromptAudioTokens},
		}},
		{"output_tokens", u.CompletionTokens},
	})
}

// transcription is the text in the format that is asked for.
func (r *reply) transcription() (content, error) {
	text := r.choice().Text
	end := r.seconds()
	switch r.call.format {
	case "text":
		return content{body: []byte(text + "\n"), contentType: "text/plain; charset=utf-8"}, nil
	case "srt":
		body := fmt.Sprintf("1\n00:00:00,000 --> %s\n%s\n\n", timecode(end, ","), text)
		return content{body: []byte(body), contentType: "text/plain; charset=utf-8"}, nil
	case "vtt":
		body := fmt.Sprintf("WEBVTT\n\n00:00:00.000 --> %s\n%s\n\n", timecode(end, "."), text)
		return content{body: []byte(body), contentType: "text/plain; charset=utf-8"}, nil
	}
	usage, err := r.transcriptionUsage()
	if err != nil {
		return content{}, err
	}
	doc := object{{"text", text}}
	if r.call.format == "verbose_json" {
		task := "transcribe"
		if r.call.kind.api == APITranslations {
			task = "translate"
		}
		doc = object{{"task", task}, {"language", "english"}, {"duration", end}, {"text", text}, {"segments", []any{}}}
	}
	if usage != nil {
		doc = append(doc, member{"usage", usage})
	}
	return r.jsonContent(doc)
}

// timecode is a time as subtitles have it: 00:00:07,000.
func timecode(seconds float64, point string) string {
	ms := int(math.Round(seconds * 1000))
	return fmt.Sprintf("%02d:%02d:%02d%s%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, point, ms%1000)
}

// transcriptionEvents is a transcription as a stream, with the usage in its last event.
func (r *reply) transcriptionEvents() (stream, error) {
	usage, err := r.transcriptionUsage()
	if err != nil {
		return stream{}, err
	}
	s := r.script()
	const delta, done = "transcript.text.delta", "transcript.text.done"
	c := r.choice()
	for _, p := range c.Pieces {
		s.add("", object{{"type", delta}, {"delta", p}})
	}
	last := object{{"type", done}, {"text", c.Text}}
	if usage != nil {
		last = append(last, member{"usage", usage})
	}
	s.end("", last)
	return s.stream(sseFraming)
}

// readSpeech reads a request to speak a text.
func readSpeech(c *call, in incoming) *Error {
	var q struct {
		Model  string `json:"model"`
		Input  string `json:"input"`
		Voice  any    `json:"voice"`
		Format string `json:"response_format"`
		Stream string `json:"stream_format"`
	}
	if bad := readJSON(in, &q, openAIComplaint); bad != nil {
		return bad
	}
	if bad := c.name(q.Model); bad != nil {
		return bad
	}
	if q.Input == "" {
		return missing("input")
	}
	if q.Voice == nil {
		return missing("voice")
	}
	c.asked, c.format = texts(q.Input), cmp.Or(q.Format, "mp3")
	c.stream = q.Stream == "sse"
	return nil
}

// audio is what is spoken; without a script it is no audio that could be heard.
func (r *reply) audio() []byte {
	if r.answer.Audio != nil {
		return r.answer.Audio
	}
	return []byte("llmtest " + r.call.format + ": " + r.call.asked[0].text)
}

func (r *reply) speech() (content, error) {
	types := map[string]string{
		"mp3": "audio/mpeg", "opus": "audio/opus", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav", "pcm": "audio/pcm",
	}
	return content{body: r.audio(), contentType: cmp.Or(types[r.call.format], "application/octet-stream")}, nil
}

// speechEvents is speech as server-sent events, with the usage in the last.
func (r *reply) speechEvents() (stream, error) {
	s := r.script()
	const delta, done = "speech.audio.delta", "speech.audio.done"
	s.add("", object{{"type", delta}, {"audio", base64.StdEncoding.EncodeToString(r.audio())}})
	last := object{{"type", done}}
	if u := r.counts(CountTokens(r.call.asked[0].text) * audioTokensPerSecond); u != nil {
		usage, err := u.write(object{
			{"input_tokens", u.PromptTokens}, {"output_tokens", u.CompletionTokens}, {"total_tokens", u.total()},
		})
		if err != nil {
			return stream{}, err
		}
		last = append(last, member{"usage", usage})
	}
	s.end("", last)
	return s.stream(sseFraming)
}
