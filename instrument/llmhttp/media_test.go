// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace/noop"

	"github.com/revenium/revenium-otel-go/instrument"
)

func TestImages(t *testing.T) {
	const url = "http://api.openai.com/v1/images/generations"
	image := func(more map[string]any) map[string]any {
		want := map[string]any{
			"gen_ai.operation.name": "image_generation", "gen_ai.provider.name": "openai", "gen_ai.output.type": "image",
			"gen_ai.request.model": "dall-e-3", "revenium.billing.unit": "PER_IMAGE", "revenium.image.requested_count": int64(1),
		}
		return attributesOf(want, more)
	}
	usage := map[string]any{
		"gen_ai.request.model": "gpt-image-1", "revenium.image.count": int64(1), "revenium.billing.unit": "PER_TOKEN",
		"gen_ai.usage.input_tokens": int64(333), "gen_ai.usage.output_tokens": int64(4160),
		"revenium.usage.input_image_tokens": int64(323), "revenium.usage.output_image_tokens": int64(4160),
	}
	with := func(more map[string]any) map[string]any { return attributesOf(image(usage), more) }
	const usageObject = `"usage":{"input_tokens":333,"input_tokens_details":{"text_tokens":10,"image_tokens":323},"output_tokens":4160,"output_tokens_details":{"image_tokens":4160,"text_tokens":0},"total_tokens":4493}`
	runFormats(t, []formatCase{
		{
			name: "by the image", url: url, span: "image_generation dall-e-3",
			request: `{"model":"dall-e-3","prompt":"secret","n":2,"size":"1024x1024","quality":"hd","style":"vivid","response_format":"url"}`,
			answer:  `{"created":1,"data":[{"url":"secret","revised_prompt":"secret"},{"url":"secret"}]}`,
			want: image(map[string]any{
				"gen_ai.request.choice.count": int64(2), "revenium.image.requested_count": int64(2), "revenium.image.count": int64(2),
				"revenium.image.resolution": "1024x1024", "revenium.image.quality": "hd", "revenium.image.style": "vivid", "revenium.image.format": "url",
			}),
		},
		{
			name: "by the token", url: url, request: `{"model":"gpt-image-1","prompt":"secret","size":"auto"}`,
			answer: `{"created":1,"data":[{"b64_json":"` + strings.Repeat("QUJD", 1000) + `"}],"quality":"high","size":"1024x1536",` + usageObject + `}`,
			want:   with(map[string]any{"revenium.image.resolution": "1024x1536", "revenium.image.quality": "high"}),
		},
		{
			name: "none came", url: url, request: `{"model":"dall-e-3","prompt":"secret"}`, answer: `{"created":1,"data":[]}`,
			want: image(map[string]any{"revenium.image.count": int64(0)}),
		},
		{
			name: "stream", url: url, request: `{"model":"gpt-image-1","prompt":"secret","stream":true,"partial_images":1}`, answerType: "text/event-stream", streamed: true,
			answer: sse(`image_generation.partial_image:{"type":"image_generation.partial_image","b64_json":"QUJD"}`,
				`image_generation.completed:{"type":"image_generation.completed","b64_json":"QUJD","size":"1024x1024",`+usageObject+`}`),
			want: with(map[string]any{"gen_ai.request.stream": true, "revenium.image.resolution": "1024x1024"}),
		},
		{
			name: "stream that breaks off", url: url, request: `{"model":"gpt-image-1","prompt":"secret","stream":true}`, answerType: "text/event-stream", streamed: true,
			answer: sse(`image_generation.partial_image:{"type":"image_generation.partial_image","b64_json":"QUJD"}`), failed: instrument.ErrorTypeUnexpectedEOF,
			want: image(map[string]any{"gen_ai.request.model": "gpt-image-1", "gen_ai.request.stream": true, "revenium.usage.missing": true}),
		},
		{
			name: "edit of an image, by a form", url: "http://api.openai.com/v1/images/edits", requestType: formType,
			request: form("image", "PNG", "model", "gpt-image-1", "prompt", "secret", "n", "1", "size", "512x512"),
			answer:  `{"data":[{"b64_json":"QUJD"}],` + usageObject + `}`,
			want:    with(map[string]any{"revenium.image.source_image_provided": true, "revenium.image.resolution": "512x512"}),
		},
		{
			name: "xAI", url: "http://api.x.ai/v1/images/generations", request: `{"model":"grok-image","prompt":"secret"}`,
			answer: `{"data":[{"url":"secret"}],"usage":{"cost_in_usd_ticks":200000000}}`,
			want: image(map[string]any{
				"gen_ai.provider.name": "x_ai", "gen_ai.request.model": "grok-image", "revenium.image.count": int64(1), "gen_ai.usage.cost": 0.02,
			}),
		},
		{
			name: "refused", url: url, request: `{"model":"dall-e-2","prompt":"secret"}`, status: 400, failed: "content_policy_violation",
			answer: `{"error":{"code":"content_policy_violation","type":"invalid_request_error"}}`,
			want:   image(map[string]any{"gen_ai.request.model": "dall-e-2"}),
		},
	})
}

func TestTranscriptions(t *testing.T) {
	const url = "http://api.openai.com/v1/audio/transcriptions"
	audio := func(more map[string]any) map[string]any {
		want := map[string]any{
			"gen_ai.operation.name": "transcription", "gen_ai.provider.name": "openai", "gen_ai.output.type": "text",
			"gen_ai.request.model": "whisper-1", "revenium.billing.unit": "PER_MINUTE",
		}
		return attributesOf(want, more)
	}
	runFormats(t, []formatCase{
		{
			name: "by the second, as billed", url: url, requestType: formType, span: "transcription whisper-1",
			request: form("file", "RIFF\r\n--not the boundary\r\n", "model", "whisper-1", "language", "de", "response_format", "verbose_json", "temperature", "0.2", "prompt", "secret"),
			answer:  `{"task":"transcribe","language":"german","duration":3.64,"text":"secret","segments":[{"text":"secret"}],"usage":{"type":"duration","seconds":4}}`,
			want: audio(map[string]any{
				"revenium.audio.language": "german", "revenium.audio.response_format": "verbose_json", "gen_ai.request.temperature": 0.2,
				"revenium.audio.duration": 4.0,
			}),
		},
		{
			name: "by the second, as long as it is", url: "http://api.groq.com/openai/v1/audio/transcriptions", requestType: formType,
			request: form("file", "RIFF", "model", "whisper-1"), answer: `{"text":"secret","duration":3.5,"x_groq":{"id":"1"}}`,
			want: audio(map[string]any{"gen_ai.provider.name": "groq", "revenium.audio.duration": 3.5}),
		},
		{
			name: "by the token", url: url, requestType: formType, request: form("file", "RIFF", "model", "gpt-4o-transcribe"),
			answer: `{"text":"secret","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":0,"audio_tokens":14},"output_tokens":45,"total_tokens":59}}`,
			want: audio(map[string]any{
				"gen_ai.request.model": "gpt-4o-transcribe", "revenium.billing.unit": "PER_TOKEN", "gen_ai.usage.input_tokens": int64(14),
				"gen_ai.usage.output_tokens": int64(45), "revenium.usage.input_audio_tokens": int64(14),
			}),
		},
		{
			name: "stream", url: url, requestType: formType, request: form("file", "RIFF", "model", "gpt-4o-transcribe", "stream", "true"), answerType: "text/event-stream", streamed: true,
			answer: sse(`transcript.text.delta:{"type":"transcript.text.delta","delta":"x"}`,
				`transcript.text.done:{"type":"transcript.text.done","text":"x","usage":{"type":"tokens","input_tokens":14,"output_tokens":45,"total_tokens":59}}`),
			want: audio(map[string]any{
				"gen_ai.request.model": "gpt-4o-transcribe", "gen_ai.request.stream": true, "revenium.billing.unit": "PER_TOKEN",
				"gen_ai.usage.input_tokens": int64(14), "gen_ai.usage.output_tokens": int64(45),
			}),
		},
		{
			name: "text", url: url, requestType: formType, request: form("file", "RIFF", "model", "whisper-1", "response_format", "text"),
			answerType: "text/plain; charset=utf-8", answer: "data: is what they spoke of\n\n",
			want: audio(map[string]any{"revenium.audio.response_format": "text", "revenium.usage.missing": true}),
		},
		{
			name: "subtitles that nobody calls by their name", url: url, requestType: formType, request: form("file", "RIFF", "model", "whisper-1", "response_format", "srt"),
			answerType: "application/octet-stream", answer: "1\n00:00:00,000 --> 00:00:01,000\nx\n\n",
			want: audio(map[string]any{"revenium.audio.response_format": "srt", "revenium.usage.missing": true}),
		},
		{
			name: "Mistral", url: "http://api.mistral.ai/v1/audio/transcriptions", requestType: formType, request: form("file", "RIFF", "model", "voxtral"),
			answer: `{"model":"voxtral-2507","text":"secret","usage":{"prompt_audio_seconds":203,"prompt_tokens":4,"completion_tokens":635,"total_tokens":3264,"prompt_tokens_details":null}}`,
			want: audio(map[string]any{
				"gen_ai.provider.name": "mistral_ai", "gen_ai.request.model": "voxtral", "gen_ai.response.model": "voxtral-2507",
				"revenium.audio.duration": 203.0, "revenium.billing.unit": "PER_TOKEN", "gen_ai.usage.input_tokens": int64(2629),
				"gen_ai.usage.output_tokens": int64(635), "revenium.usage.input_audio_tokens": int64(2625),
			}),
		},
		{
			name: "Mistral, audio in tokens", url: "http://api.mistral.ai/v1/audio/transcriptions", requestType: formType, request: form("file", "RIFF", "model", "voxtral"),
			answer: `{"model":"voxtral-2507","text":"secret","usage":{"prompt_audio_seconds":21,"prompt_tokens":4,"completion_tokens":50,"total_tokens":429,"prompt_tokens_details":{"cached_tokens":352,"audio_tokens":375},"request_count":1}}`,
			want: audio(map[string]any{
				"gen_ai.provider.name": "mistral_ai", "gen_ai.request.model": "voxtral", "gen_ai.response.model": "voxtral-2507",
				"revenium.audio.duration": 21.0, "revenium.billing.unit": "PER_TOKEN", "gen_ai.usage.input_tokens": int64(379),
				"gen_ai.usage.output_tokens": int64(50), "gen_ai.usage.cache_read.input_tokens": int64(352), "revenium.usage.input_audio_tokens": int64(375),
			}),
		},
		{
			name: "translation", url: "http://api.openai.com/v1/audio/translations", requestType: formType, request: form("file", "RIFF", "model", "whisper-1"),
			answer: `{"text":"secret","usage":{"type":"duration","seconds":7}}`,
			want:   audio(map[string]any{"gen_ai.operation.name": "translation", "revenium.audio.duration": 7.0}),
		},
		{
			name: "a form without a boundary", url: url, requestType: "multipart/form-data", request: "model=whisper-1", answer: `{"usage":{"type":"duration","seconds":1}}`,
			span: "transcription",
			want: audio(map[string]any{"gen_ai.request.model": nil, "revenium.audio.duration": 1.0}),
		},
	})
}

func TestSpeech(t *testing.T) {
	const url = "http://api.openai.com/v1/audio/speech"
	speech := func(more map[string]any) map[string]any {
		want := map[string]any{
			"gen_ai.operation.name": "speech", "gen_ai.provider.name": "openai", "gen_ai.output.type": "speech",
			"gen_ai.request.model": "tts-1", "revenium.billing.unit": "PER_CHARACTER", "revenium.audio.character_count": int64(7),
			"revenium.audio.voice": "alloy",
		}
		return attributesOf(want, more)
	}
	const request = `{"model":"tts-1","input":"a\"\u00e9ü\ud83d\ude00\n.","voice":"alloy"` // 7 characters
	runFormats(t, []formatCase{
		{
			name: "binary", url: url, request: request + `,"response_format":"opus","speed":1.25,"instructions":"secret"}`, answerType: "audio/ogg",
			answer: "data: \xff\x00{", span: "speech tts-1",
			want: speech(map[string]any{"revenium.audio.format": "opus", "revenium.audio.speed": 1.25}),
		},
		{name: "binary without a name", url: url, request: request + "}", answerType: " ", answer: "\x00\x01{", want: speech(nil)},
		{
			name: "events", url: url, request: request + `,"stream_format":"sse"}`, answerType: "text/event-stream", streamed: true,
			answer: sse(`{"type":"speech.audio.delta","audio":"QUJD"}`, `{"type":"speech.audio.done","usage":{"input_tokens":10,"output_tokens":80,"total_tokens":90}}`),
			want: speech(map[string]any{
				"gen_ai.request.stream": true, "revenium.billing.unit": "PER_TOKEN", "gen_ai.usage.input_tokens": int64(10), "gen_ai.usage.output_tokens": int64(80),
			}),
		},
		{
			name: "refused", url: url, request: request + "}", status: 401, failed: "invalid_api_key", answer: `{"error":{"code":"invalid_api_key"}}`,
			want: speech(nil),
		},
	})
}

// A large form is read as it is sent, if anybody wants to know. Nothing of the
// reading is left behind, whatever becomes of the form (see TestMain).
func TestLargeForms(t *testing.T) {
	body := form("file", strings.Repeat("RIFF", maxBuffered), "model", "whisper-1", "language", "de")
	for name, tt := range map[string]struct {
		opts []Option
		base http.RoundTripper
	}{
		"sent":       {},
		"not wanted": {opts: []Option{WithTracerProvider(noop.NewTracerProvider())}},
		"half sent": {base: roundTripper(func(req *http.Request) (*http.Response, error) {
			_, _ = io.ReadFull(req.Body, make([]byte, 1000))
			_ = req.Body.Close()
			return nil, io.ErrUnexpectedEOF
		})},
	} {
		h := newHarness(t, answering(200, "application/json", `{"text":"x","usage":{"type":"duration","seconds":4}}`), tt.opts...)
		if tt.base != nil {
			h.transport.base = tt.base
		}
		req := h.request(t.Context(), "http://api.openai.com/v1/audio/transcriptions", body, "Content-Type", formType)
		req.GetBody = nil
		resp, err := h.client.Do(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		if name != "sent" {
			continue
		}
		span := h.only()
		span.want(t, map[string]any{"gen_ai.request.model": "whisper-1", "revenium.audio.language": "de", "revenium.audio.duration": 4.0})
		if span.Name != "transcription whisper-1" {
			t.Errorf("span %q", span.Name)
		}
	}
}

// Audio that breaks off has failed; what was to be spoken is known all the same.
func TestSpeechBreaksOff(t *testing.T) {
	h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "audio/mpeg")
		_, _ = io.WriteString(w, "ID3")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	resp := h.post("http://api.openai.com/v1/audio/speech", `{"model":"tts-1","input":"abc"}`)
	if _, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("reading: %v", err)
	}
	_ = resp.Body.Close()
	span := h.only()
	span.wantFailed(t, instrument.ErrorTypeUnexpectedEOF)
	span.want(t, map[string]any{"revenium.audio.character_count": int64(3), "revenium.usage.missing": nil})
}

// A video is metered when it is whole.
func TestVideos(t *testing.T) {
	redeem := func(t *testing.T, h *harness, name string, want map[string]any) {
		t.Helper()
		spans := h.all()
		spans[0].want(t, map[string]any{"revenium.metering.skip": true, "revenium.usage.missing": nil, "revenium.video.duration": nil})
		last := spans[len(spans)-1]
		last.want(t, map[string]any{
			"gen_ai.operation.name": "video_generation", "revenium.metering.skip": nil, "revenium.video.async": true,
			"revenium.billing.unit": "PER_SECOND", "revenium.usage.missing": nil,
		})
		last.want(t, want)
		if last.Name != name {
			t.Errorf("span %q, want %q", last.Name, name)
		}
	}
	t.Run("OpenAI", func(t *testing.T) {
		server := &jobServer{answers: []string{
			`{"id":"video_1","object":"video","model":"sora-2","status":"queued","progress":0,"seconds":"8","size":"1280x720","error":null}`,
			`{"id":"video_1","status":"in_progress","seconds":"8","size":"1280x720"}`,
			`{"id":"video_1","model":"sora-2","status":"completed","seconds":"8","size":"1280x720"}`,
		}}
		h := newHarness(t, server.ServeHTTP)
		req := h.request(t.Context(), "http://api.openai.com/v1/videos", form("input_reference", "JPG", "model", "sora-2", "prompt", "secret", "seconds", "8"), "Content-Type", formType)
		resp, err := h.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		h.get("http://api.openai.com/v1/videos/video_1")
		h.get("http://api.openai.com/v1/videos/video_1")
		redeem(t, h, "video_generation sora-2", map[string]any{
			"revenium.video.duration": 8.0, "revenium.video.requested_duration": 8.0, "revenium.video.resolution": "1280x720",
			"revenium.video.job.id": "video_1", "revenium.video.completion_status": "SUCCESS", "gen_ai.request.model": "sora-2",
		})
		h.get("http://api.openai.com/v1/videos/video_1")
		h.all()[3].want(t, map[string]any{"gen_ai.operation.name": "fetch_response", "revenium.metering.skip": true})
	})
	t.Run("OpenAI, failed", func(t *testing.T) {
		server := &jobServer{answers: []string{`{"id":"video_1","status":"queued","seconds":"8"}`, `{"id":"video_1","status":"failed","error":{"code":"moderation_blocked","message":"secret"}}`}}
		h := newHarness(t, server.ServeHTTP)
		h.exchange("http://api.openai.com/v1/videos", `{"model":"sora-2","prompt":"secret"}`)
		h.get("http://api.openai.com/v1/videos/video_1")
		redeem(t, h, "video_generation sora-2", map[string]any{"revenium.video.completion_status": "FAILED", "revenium.video.duration": nil})
		h.all()[1].wantFailed(t, "moderation_blocked")
	})
	t.Run("xAI", func(t *testing.T) {
		server := &jobServer{answers: []string{`{"request_id":"d9"}`, `{"status":"pending"}`, `{"video":{"url":"secret","duration":6},"model":"grok-video"}`}}
		h := newHarness(t, server.ServeHTTP)
		h.exchange("http://api.x.ai/v1/videos/generations", `{"model":"grok-video","prompt":"secret","duration":6,"resolution":"720p"}`)
		h.get("http://api.x.ai/v1/videos/d9")
		h.get("http://api.x.ai/v1/videos/d9")
		redeem(t, h, "video_generation grok-video", map[string]any{"revenium.video.duration": 6.0, "revenium.video.resolution": "720p", "gen_ai.provider.name": "x_ai"})
	})
}
