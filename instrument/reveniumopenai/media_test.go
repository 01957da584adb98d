// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumopenai_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/openai/openai-go/v3"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// spanAttributes ends metering and returns the attributes of the only span, as text.
func spanAttributes(t *testing.T, m *metertest.Meter, recorder *tracetest.SpanRecorder) map[string]string {
	t.Helper()
	m.Records()
	spans := recorder.Ended()
	if len(spans) != 1 {
		t.Fatalf("%d spans", len(spans))
	}
	out := make(map[string]string)
	for _, kv := range spans[0].Attributes() {
		out[string(kv.Key)] = kv.Value.String()
	}
	return out
}

func check(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: %q, want %q", name, got[name], value)
		}
	}
}

// checkRecord checks the only record: where it was sent and what it says.
func checkRecord(t *testing.T, m *metertest.Meter, path string, want metertest.Facts) {
	t.Helper()
	records := m.Records()
	if len(records) != 1 || records[0].Path != path {
		t.Fatalf("records %v, want one at %s\n%s", records, path, m.Report())
	}
	for field, value := range want {
		if got := records[0].Text(field); got != value {
			t.Errorf("%s: %q, want %q in %s", field, got, value, records[0].Body)
		}
	}
}

// start starts a meter, and a recorder of its spans.
func start(t *testing.T, opts ...exporter.Option) (*metertest.Meter, openai.Client, *tracetest.SpanRecorder) {
	t.Helper()
	m := metertest.Start(t, opts...)
	recorder := tracetest.NewSpanRecorder()
	m.Provider.RegisterSpanProcessor(recorder)
	return m, newClient(m, metering(m)), recorder
}

// generateImages has two images made by a model whose images are billed by the token.
func generateImages(t *testing.T, m *metertest.Meter, client *openai.Client) {
	t.Helper()
	m.LLM.Enqueue(llmtest.Answer{Usage: &llmtest.Usage{PromptTokens: 10, CompletionTokens: 4160}})
	got, err := client.Images.Generate(t.Context(), openai.ImageGenerateParams{
		Model: "gpt-image-1", Prompt: "a siamese cat", N: openai.Int(2), Size: openai.ImageGenerateParamsSize1024x1024, Quality: openai.ImageGenerateParamsQualityHigh,
	})
	if err != nil || len(got.Data) != 2 || got.Usage.OutputTokens != 4160 {
		t.Fatalf("%+v, %v", got, err)
	}
}

// The record of images has no place for tokens: it has their number, and that they are billed otherwise. Tokens are
// on the span.
func TestImages(t *testing.T) {
	m, client, recorder := start(t)
	generateImages(t, m, &client)
	check(t, spanAttributes(t, m, recorder), map[string]string{
		"gen_ai.request.model": "gpt-image-1", "revenium.image.count": "2", "revenium.image.resolution": "1024x1024",
		"revenium.image.quality": "high", "gen_ai.usage.input_tokens": "10", "gen_ai.usage.output_tokens": "4160",
		"revenium.usage.output_image_tokens": "4160",
	})
	m.Want(metertest.Facts{
		"operationType": "IMAGE", "operationSubtype": "generation", "actualImageCount": "2", "requestedImageCount": "2", "resolution": "1024x1024",
		"quality": "high", "billingUnit": "PER_TOKEN", "model": "gpt-image-1", "provider": "OpenAI", "modelSource": "DIRECT", "costType": "AI",
	})
	checkRecord(t, m, reveniumtest.PathImages, nil)
}

// Who bills images by their tokens has completions made of them, which have these and no number of images.
func TestImagesByToken(t *testing.T) {
	m, client, _ := start(t, exporter.WithConvertOptions(convert.WithMediaTokens()))
	generateImages(t, m, &client)
	m.Want(metertest.Facts{
		"operationType": "IMAGE", "operationSubtype": "generation", "inputTokenCount": "10", "outputTokenCount": "4160", "totalTokenCount": "4170",
		"model": "gpt-image-1", "provider": "OpenAI", "modelSource": "DIRECT", "costType": "AI", "isStreamed": "false", "stopReason": "END",
	})
	checkRecord(t, m, reveniumtest.PathCompletions, nil)
}

// TestImagesByThePiece: a model whose images are billed one by one.
func TestImagesByThePiece(t *testing.T) {
	m, client, _ := start(t)
	if _, err := client.Images.Generate(t.Context(), openai.ImageGenerateParams{
		Model: "dall-e-3", Prompt: "a siamese cat", Size: "1792x1024", Quality: "hd",
	}); err != nil {
		t.Fatal(err)
	}
	checkRecord(t, m, reveniumtest.PathImages, metertest.Facts{
		"operationSubtype": "generation", "actualImageCount": "1", "resolution": "1792x1024", "quality": "hd", "billingUnit": "PER_IMAGE", "model": "dall-e-3",
	})
}

func TestTranscription(t *testing.T) {
	m, client, recorder := start(t)
	m.LLM.Enqueue(llmtest.Answer{Text: "It rains.", Usage: &llmtest.Usage{Seconds: 7}})
	got, err := client.Audio.Transcriptions.New(t.Context(), openai.AudioTranscriptionNewParams{
		Model: "whisper-1", File: openai.File(bytes.NewReader(make([]byte, 2000)), "talk.wav", "audio/wav"),
	})
	if err != nil || got.Text != "It rains." {
		t.Fatalf("%+v, %v", got, err)
	}
	check(t, spanAttributes(t, m, recorder), map[string]string{"gen_ai.request.model": "whisper-1", "revenium.audio.duration": "7"})
	checkRecord(t, m, reveniumtest.PathAudio, metertest.Facts{
		"operationSubtype": "transcription", "durationSeconds": "7", "billingUnit": "PER_MINUTE", "model": "whisper-1",
	})
}

func TestTranscriptionStream(t *testing.T) {
	m, client, recorder := start(t)
	m.LLM.Enqueue(llmtest.Answer{Text: "It rains.", Usage: &llmtest.Usage{PromptTokens: 70, PromptAudioTokens: 60, CompletionTokens: 5}})
	stream := client.Audio.Transcriptions.NewStreaming(t.Context(), openai.AudioTranscriptionNewParams{
		Model: "gpt-4o-transcribe", File: openai.File(bytes.NewReader(make([]byte, 2000)), "talk.wav", "audio/wav"),
	})
	text := ""
	for stream.Next() {
		text += stream.Current().Delta
	}
	if err := errors.Join(stream.Err(), stream.Close()); err != nil || text != "It rains." {
		t.Fatalf("%q, %v", text, err)
	}
	check(t, spanAttributes(t, m, recorder), map[string]string{
		"gen_ai.request.model": "gpt-4o-transcribe", "gen_ai.usage.input_tokens": "70", "gen_ai.usage.output_tokens": "5",
	})
	checkRecord(t, m, reveniumtest.PathAudio, metertest.Facts{
		"operationSubtype": "transcription", "inputTokenCount": "10", "inputAudioTokenCount": "60", "outputTokenCount": "5", "billingUnit": "PER_TOKEN", "model": "gpt-4o-transcribe",
	})
}

func TestSpeech(t *testing.T) {
	m, client, recorder := start(t)
	m.LLM.Enqueue(llmtest.Answer{Audio: []byte("sound")})
	got, err := client.Audio.Speech.New(t.Context(), openai.AudioSpeechNewParams{Model: "gpt-4o-mini-tts", Input: "It rains.", Voice: openai.AudioSpeechNewParamsVoiceUnion{OfString: openai.String("alloy")}})
	if err != nil {
		t.Fatal(err)
	}
	sound, err := io.ReadAll(got.Body)
	if err := errors.Join(err, got.Body.Close()); err != nil || string(sound) != "sound" {
		t.Fatalf("%q, %v", sound, err)
	}
	check(t, spanAttributes(t, m, recorder), map[string]string{"gen_ai.request.model": "gpt-4o-mini-tts", "revenium.audio.character_count": "9"})
	checkRecord(t, m, reveniumtest.PathAudio, metertest.Facts{
		"operationSubtype": "speech", "characterCount": "9", "voice": "alloy", "billingUnit": "PER_CHARACTER", "model": "gpt-4o-mini-tts",
	})
}

// A video is billed once, when it is whole, by its seconds.
func TestVideo(t *testing.T) {
	m, client, _ := start(t)
	m.LLM.Enqueue(llmtest.Answer{Polls: 1})
	video, err := client.Videos.New(t.Context(), openai.VideoNewParams{ //nolint:staticcheck // compatible servers have it, OpenAI or not
		Prompt: "a siamese cat", Model: "sora-2", Seconds: openai.VideoSeconds8, Size: openai.VideoSize1280x720,
	})
	if err != nil || video.Status != openai.VideoStatusQueued {
		t.Fatalf("%+v, %v", video, err)
	}
	for _, want := range []openai.VideoStatus{openai.VideoStatusInProgress, openai.VideoStatusCompleted, openai.VideoStatusCompleted} {
		if video, err = client.Videos.Get(t.Context(), video.ID); err != nil || video.Status != want { //nolint:staticcheck // as above
			t.Fatalf("%+v, %v, want %s", video, err, want)
		}
	}
	m.Want(metertest.Facts{
		"operationType": "VIDEO", "operationSubtype": "generation", "durationSeconds": "8", "requestedDurationSeconds": "8", "resolution": "1280x720",
		"billingUnit": "PER_SECOND", "videoJobId": video.ID, "asyncOperation": "true", "completionStatus": "SUCCESS",
		"model": "sora-2", "provider": "OpenAI", "modelSource": "DIRECT", "costType": "AI",
	})
	checkRecord(t, m, reveniumtest.PathVideo, nil)
}
