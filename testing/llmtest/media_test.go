// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// postForm sends a multipart form: pairs of name and value, and a file of so many bytes if there are any.
func postForm(t *testing.T, s *Server, path string, file int, fields ...string) answered {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if file > 0 {
		part, err := w.CreateFormFile("file", "talk.wav")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(make([]byte, file)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return post(t, s, path, b.String(), "Content-Type", w.FormDataContentType())
}

func TestImages(t *testing.T) {
	const gpt, created = `{"model":"gpt-image-1","prompt":"A siamese cat","quality":"high","size":"512x512"}`, `{"created":1795514400,"data":[`
	const about = `],"background":"opaque","output_format":"png","quality":"high","size":"512x512"`
	pixel := `{"b64_json":"` + onePixel + `"}`
	s := start(t)
	for name, tc := range map[string]struct {
		path, body string
		answer     Answer
		want       string
		model      string
	}{
		"by tokens": {"generations", gpt, Answer{}, created + pixel + about + `,"usage":{"input_tokens":4,"input_tokens_details":{"image_tokens":0,"text_tokens":4},"output_tokens":272,"output_tokens_details":{"image_tokens":272,"text_tokens":0},"total_tokens":276}}`, "gpt-image-1"},
		"scripted": {
			"generations", gpt,
			Answer{Images: []Image{{Data: []byte("png")}}, Usage: &Usage{PromptTokens: 60, PromptImageTokens: 50, CompletionTokens: 1056}},
			created + `{"b64_json":"cG5n"}` + about + `,"usage":{"input_tokens":60,"input_tokens_details":{"image_tokens":50,"text_tokens":10},"output_tokens":1056,"output_tokens_details":{"image_tokens":1056,"text_tokens":0},"total_tokens":1116}}`, "gpt-image-1",
		},
		"no usage":         {"generations", gpt, Answer{OmitUsage: true}, created + pixel + about + `}`, "gpt-image-1"},
		"by the image":     {"generations", `{"model":"dall-e-3","prompt":"A cat","n":2}`, Answer{}, created + `{"url":"https://images.example/000001-0.png"},{"url":"https://images.example/000001-1.png"}]}`, "dall-e-3"},
		"default model":    {"generations", `{"prompt":"A cat","response_format":"b64_json"}`, Answer{}, created + pixel + `]}`, "dall-e-2"},
		"revised, by link": {"generations", `{"model":"dall-e-3","prompt":"A cat"}`, Answer{Images: []Image{{URL: "https://x.example/1", RevisedPrompt: "A cat, sitting"}}}, created + `{"url":"https://x.example/1","revised_prompt":"A cat, sitting"}]}`, "dall-e-3"},
	} {
		s.Reset()
		s.Enqueue(tc.answer)
		if diff := cmp.Diff(tc.want, post(t, s, "/v1/images/"+tc.path, tc.body).text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if r := s.Requests()[0]; r.API != APIImages || r.Model != tc.model {
			t.Errorf("request: %+v", r)
		}
	}
	for _, path := range []string{"/v1/images/edits", "/v1/images/variations"} {
		m := decoded(t, postForm(t, s, path, 10, "model", "gpt-image-1", "n", "2", "size", "auto").text)
		if len(m["data"].([]any)) != 2 || m["size"] != "1024x1024" || m["quality"] != "low" {
			t.Errorf("%s: %v", path, m)
		}
	}
}

func TestImagesStream(t *testing.T) {
	s := start(t)
	about := func(name string) string {
		return `{"type":"` + name + `","b64_json":"` + onePixel + `","created_at":1795514400,"size":"1024x1024","quality":"low","background":"opaque","output_format":"png"`
	}
	usage := `,"usage":{"input_tokens":2,"input_tokens_details":{"image_tokens":0,"text_tokens":2},"output_tokens":272,"output_tokens_details":{"image_tokens":272,"text_tokens":0},"total_tokens":274}}`
	got := post(t, s, "/v1/images/generations", `{"model":"gpt-image-1","prompt":"A cat","stream":true}`).named(t)
	const partial, completed = "image_generation.partial_image", "image_generation.completed"
	want := []string{partial + ": " + about(partial) + `,"partial_image_index":0}`, completed + ": " + about(completed) + usage}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	s.Enqueue(Answer{OmitUsage: true, Images: []Image{}})
	got = postForm(t, s, "/v1/images/edits", 10, "model", "gpt-image-1", "stream", "true").named(t)
	if len(got) != 2 || !strings.HasPrefix(got[0], "image_edit.partial_image: ") || !strings.HasPrefix(got[1], "image_edit.completed: ") || strings.Contains(got[1], "usage") {
		t.Errorf("events: %v", got)
	}
}

func TestTranscriptions(t *testing.T) {
	const tokens = `,"usage":{"type":"tokens","total_tokens":36,"input_tokens":30,"input_token_details":{"text_tokens":0,"audio_tokens":30},"output_tokens":6}}`
	s := start(t)
	for name, tc := range map[string]struct {
		path, model, format string
		answer              Answer
		want                string
	}{
		"by tokens":   {"transcriptions", "gpt-4o-transcribe", "json", Answer{}, `{"text":"You said: talk.wav"` + strings.NewReplacer("36", "35", ":6}", ":5}").Replace(tokens)},
		"by duration": {"transcriptions", "whisper-1", "", Answer{Text: "Hello."}, `{"text":"Hello.","usage":{"type":"duration","seconds":3}}`},
		"scripted": {
			"transcriptions", "gpt-4o-transcribe", "json",
			Answer{Text: "Hello.", Usage: &Usage{PromptTokens: 50, PromptAudioTokens: 40, CompletionTokens: 9}},
			`{"text":"Hello.","usage":{"type":"tokens","total_tokens":59,"input_tokens":50,"input_token_details":{"text_tokens":10,"audio_tokens":40},"output_tokens":9}}`,
		},
		"scripted time": {"transcriptions", "whisper-1", "json", Answer{Text: "Hello.", Usage: &Usage{Seconds: 7.5}}, `{"text":"Hello.","usage":{"type":"duration","seconds":7.5}}`},
		"no usage":      {"transcriptions", "whisper-1", "json", Answer{Text: "Hello.", OmitUsage: true}, `{"text":"Hello."}`},
		"verbose":       {"transcriptions", "whisper-1", "verbose_json", Answer{Text: "Hello."}, `{"task":"transcribe","language":"english","duration":3,"text":"Hello.","segments":[],"usage":{"type":"duration","seconds":3}}`},
		"translated":    {"translations", "whisper-1", "verbose_json", Answer{Text: "Hello."}, `{"task":"translate","language":"english","duration":3,"text":"Hello.","segments":[],"usage":{"type":"duration","seconds":3}}`},
		"text":          {"transcriptions", "whisper-1", "text", Answer{Text: "Hello."}, "Hello.\n"},
		"srt":           {"transcriptions", "whisper-1", "srt", Answer{Text: "Hello."}, "1\n00:00:00,000 --> 00:00:03,000\nHello.\n\n"},
		"vtt":           {"transcriptions", "whisper-1", "vtt", Answer{Text: "Hello.", Usage: &Usage{Seconds: 3725.5}}, "WEBVTT\n\n00:00:00.000 --> 01:02:05.500\nHello.\n\n"},
	} {
		s.Reset()
		s.Enqueue(tc.answer)
		fields := []string{"model", tc.model}
		if tc.format != "" {
			fields = append(fields, "response_format", tc.format)
		}
		got := postForm(t, s, "/v1/audio/"+tc.path, 40_000, fields...)
		if diff := cmp.Diff(tc.want, got.text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if plain := strings.HasPrefix(got.Header.Get("Content-Type"), "text/plain"); plain == strings.HasPrefix(tc.want, "{") {
			t.Errorf("%s: %v", name, got.Header)
		}
		if r := s.Requests()[0]; string(r.API) != tc.path || r.Model != tc.model || r.Stream {
			t.Errorf("request: %+v", r)
		}
	}
	s.Reset()
	got := postForm(t, s, "/v1/audio/transcriptions", 40_000, "model", "gpt-4o-transcribe", "stream", "true").named(t)
	want := []string{
		`{"type":"transcript.text.delta","delta":"You"}`, `{"type":"transcript.text.delta","delta":" said:"}`, `{"type":"transcript.text.delta","delta":" talk.wav"}`,
		`{"type":"transcript.text.done","text":"You said: talk.wav"` + strings.NewReplacer("36", "35", ":6}", ":5}").Replace(tokens),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	s.Enqueue(Answer{Text: "a", OmitUsage: true})
	if got := postForm(t, s, "/v1/audio/transcriptions", 1, "model", "gpt-4o-transcribe", "stream", "true").text; strings.Contains(got, "usage") {
		t.Error(got)
	}
	// The oldest model has no streams.
	if got := postForm(t, s, "/v1/audio/transcriptions", 1, "model", "whisper-1", "stream", "true").Header.Get("Content-Type"); got != "application/json" {
		t.Error(got)
	}
}

func TestSpeech(t *testing.T) {
	s := start(t)
	const body = `{"model":"gpt-4o-mini-tts","input":"Hello there","voice":"alloy"}`
	for format, contentType := range map[string]string{
		"": "audio/mpeg", "mp3": "audio/mpeg", "opus": "audio/opus", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav", "pcm": "audio/pcm", "x": "application/octet-stream",
	} {
		asked := body
		if format != "" {
			asked = strings.Replace(body, `"input"`, `"response_format":"`+format+`","input"`, 1)
		}
		got := post(t, s, "/v1/audio/speech", asked)
		if !strings.HasSuffix(got.text, ": Hello there") || got.Header.Get("Content-Type") != contentType {
			t.Errorf("%s: %v %q", format, got.Header, got.text)
		}
	}
	s.Enqueue(Answer{Audio: []byte{0, 1}}, Answer{Audio: []byte{0, 1}}, Answer{OmitUsage: true})
	if got := post(t, s, "/v1/audio/speech", body).text; got != "\x00\x01" {
		t.Errorf("%q", got)
	}
	streamed := strings.Replace(body, `"input"`, `"stream_format":"sse","input"`, 1)
	want := []string{`{"type":"speech.audio.delta","audio":"AAE="}`, `{"type":"speech.audio.done","usage":{"input_tokens":3,"output_tokens":30,"total_tokens":33}}`}
	if diff := cmp.Diff(want, post(t, s, "/v1/audio/speech", streamed).named(t)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if got := post(t, s, "/v1/audio/speech", streamed).named(t); got[1] != `{"type":"speech.audio.done"}` {
		t.Errorf("events: %v", got)
	}
}

func TestModeration(t *testing.T) {
	s := start(t)
	s.Enqueue(Answer{Flagged: []string{"violence"}}, Answer{})
	m := decoded(t, post(t, s, "/v1/moderations", `{"input":["one","two"]}`).text)
	results := m["results"].([]any)
	first := results[0].(map[string]any)
	if m["model"] != "omni-moderation-latest" || m["id"] != "modr-000001" || len(results) != 2 || first["flagged"] != true ||
		first["categories"].(map[string]any)["violence"] != true || first["categories"].(map[string]any)["hate"] != false || first["category_scores"].(map[string]any)["violence"] != 0.999 {
		t.Errorf("%v", m)
	}
	m = decoded(t, post(t, s, "/v1/moderations", `{"model":"m","input":[{"type":"text","text":"one"}]}`).text)
	if m["model"] != "m" || m["usage"] != nil || m["results"].([]any)[0].(map[string]any)["flagged"] != false {
		t.Errorf("%v", m)
	}
}

func TestMediaRefusals(t *testing.T) {
	bad := func(message, param, code string) string {
		return `{"error":{"message":"` + message + `","type":"invalid_request_error","param":` + param + `,"code":` + code + `}}`
	}
	missing := func(name string) string {
		return bad("Missing required parameter: '"+name+"'.", `"`+name+`"`, `"missing_required_parameter"`)
	}
	const model = "you must provide a model parameter"
	const noJSON = "We could not parse the JSON body of your request: invalid character 'x' looking for beginning of value"
	checkRefusals(t, map[string]refusal{
		"images, no JSON":      {"/v1/images/generations", "x", bad(noJSON, "null", "null")},
		"images, many":         {"/v1/images/generations", `{"n":500}`, bad("500 is not between 1 and 128 - 'n'", `"n"`, "null")},
		"images, no number":    {"/v1/images/generations", `{"n":"x"}`, bad("Invalid type for 'n'.", `"n"`, "null")},
		"transcription, file":  {"/v1/audio/transcriptions", `{"model":"m"}`, missing("file")},
		"transcription, model": {"/v1/audio/transcriptions", `{}`, bad(model, "null", "null")},
		"transcription, JSON":  {"/v1/audio/transcriptions", `x`, bad(noJSON, "null", "null")},
		"speech, JSON":         {"/v1/audio/speech", `x`, bad(noJSON, "null", "null")},
		"speech, model":        {"/v1/audio/speech", `{"input":"x","voice":"x"}`, bad(model, "null", "null")},
		"speech, input":        {"/v1/audio/speech", `{"model":"m","voice":"x"}`, missing("input")},
		"speech, voice":        {"/v1/audio/speech", `{"model":"m","input":"x"}`, missing("voice")},
		"moderation, JSON":     {"/v1/moderations", `x`, bad(noJSON, "null", "null")},
		"moderation, input":    {"/v1/moderations", `{}`, missing("input")},
	})
	s := start(t)
	got := post(t, s, "/v1/audio/transcriptions", "--x\r\nbroken", "Content-Type", "multipart/form-data; boundary=x")
	if got.StatusCode != http.StatusBadRequest || !strings.Contains(got.text, "Could not parse multipart form: ") {
		t.Errorf("%s %s", got.Status, got.text)
	}
}
