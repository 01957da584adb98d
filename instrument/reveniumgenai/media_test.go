// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumgenai_test

import (
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/genai"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

const imagen = "imagen-4.0-generate-001"

// imageFacts are those of two images of Imagen.
func imageFacts() metertest.Facts {
	return metertest.Facts{
		"model": imagen, "provider": "Google", "modelSource": "DIRECT", "operationType": "IMAGE", "operationSubtype": "generation",
		"costType": "AI", "actualImageCount": "2", "requestedImageCount": "2", "billingUnit": "PER_IMAGE",
	}
}

// onVertex returns a client of Vertex AI, which alone has Imagen.
func onVertex(t *testing.T, m *metertest.Meter) *genai.Client {
	t.Helper()
	return newClient(t, m, vertex(m, new(tokens)), llmhttp.WithProviderHosts(map[string]string{m.LLM.URL(): "gcp.vertex_ai"}))
}

// wantPaths checks where the records went.
func wantPaths(t *testing.T, m *metertest.Meter, want string) {
	t.Helper()
	for _, r := range m.Records() {
		if r.Path != want {
			t.Errorf("a record went to %s, want %s", r.Path, want)
		}
	}
}

// Images of Imagen are billed one by one.
func TestGenerateImages(t *testing.T) {
	m := metertest.Start(t)
	client := onVertex(t, m)
	got, err := client.Models.GenerateImages(t.Context(), imagen, "a siamese cat", &genai.GenerateImagesConfig{
		NumberOfImages: 2, AspectRatio: "16:9", ImageSize: "2K",
	})
	if err != nil || len(got.GeneratedImages) != 2 || len(got.GeneratedImages[0].Image.ImageBytes) == 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	m.Want(imageFacts().With("resolution", "2K", "aspectRatio", "16:9"))
	wantPaths(t, m, reveniumtest.PathImages)
}

// Of two images that were asked for one was refused: one is billed.
func TestGenerateImagesRefused(t *testing.T) {
	m := metertest.Start(t)
	client := onVertex(t, m)
	m.LLM.Enqueue(llmtest.Answer{Raw: []byte(`{"predictions":[{"mimeType":"image/png","bytesBase64Encoded":"aQ=="},{"raiFilteredReason":"unsafe"}]}`)})
	got, err := client.Models.GenerateImages(t.Context(), imagen, "a siamese cat", &genai.GenerateImagesConfig{NumberOfImages: 2})
	if err != nil || len(got.GeneratedImages) != 2 || got.GeneratedImages[1].RAIFilteredReason != "unsafe" {
		t.Fatalf("%+v, %v", got, err)
	}
	m.Want(imageFacts().With("actualImageCount", "1"))
	wantPaths(t, m, reveniumtest.PathImages)
}

// An image that is edited comes with the images that it refers to.
func TestEditImage(t *testing.T) {
	m := metertest.Start(t)
	client := onVertex(t, m)
	got, err := client.Models.EditImage(t.Context(), imagen, "a hat", []genai.ReferenceImage{
		genai.NewRawReferenceImage(&genai.Image{ImageBytes: []byte("i"), MIMEType: "image/png"}, 1),
	}, &genai.EditImageConfig{NumberOfImages: 2})
	if err != nil || len(got.GeneratedImages) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	m.Want(imageFacts().With("sourceImageProvided", "true"))
}

// Images that Gemini makes are output like text, priced by the token; a record of images has no place for tokens, so
// that a completion has them. The span says how many were those of images.
func TestGeminiImages(t *testing.T) {
	const nanoBanana = "gemini-2.5-flash-image"
	asked := &genai.GenerateContentConfig{ResponseModalities: []string{"TEXT", "IMAGE"}}
	scripted := llmtest.Answer{Text: "A cat.", Images: []llmtest.Image{{}}, Usage: &llmtest.Usage{
		PromptTokens: 12, CompletionTokens: 1296, CompletionImageTokens: 1290,
	}}
	hasImage := func(r *genai.GenerateContentResponse) bool {
		for _, part := range r.Candidates[0].Content.Parts {
			if part.InlineData != nil && len(part.InlineData.Data) > 0 {
				return true
			}
		}
		return false
	}
	want := facts().With("model", nanoBanana, "inputTokenCount", "12", "cacheReadTokenCount", "", "reasoningTokenCount", "",
		"outputTokenCount", "1296", "totalTokenCount", "1308")
	start := func(t *testing.T) (*metertest.Meter, *genai.Client, *tracetest.SpanRecorder) {
		t.Helper()
		m := metertest.Start(t)
		recorder := tracetest.NewSpanRecorder()
		m.Provider.RegisterSpanProcessor(recorder)
		m.LLM.Enqueue(scripted)
		return m, newClient(t, m, gemini(m)), recorder
	}
	check := func(t *testing.T, m *metertest.Meter, recorder *tracetest.SpanRecorder, want metertest.Facts) {
		t.Helper()
		m.Want(want)
		wantPaths(t, m, reveniumtest.PathCompletions)
		attributes := attribute.NewSet(recorder.Ended()[0].Attributes()...)
		if n, _ := attributes.Value("revenium.usage.output_image_tokens"); n.AsInt64() != 1290 {
			t.Errorf("image tokens: %v", n.String())
		}
	}

	t.Run("plain", func(t *testing.T) {
		m, client, recorder := start(t)
		got, err := client.Models.GenerateContent(t.Context(), nanoBanana, genai.Text("a siamese cat"), asked)
		if err != nil || !hasImage(got) {
			t.Fatalf("%+v, %v", got, err)
		}
		check(t, m, recorder, want)
	})
	t.Run("streamed", func(t *testing.T) {
		m, client, recorder := start(t)
		images := 0
		for chunk, err := range client.Models.GenerateContentStream(t.Context(), nanoBanana, genai.Text("a siamese cat"), asked) {
			if err != nil {
				t.Fatal(err)
			}
			if hasImage(chunk) {
				images++
			}
		}
		if images != 1 {
			t.Errorf("%d images", images)
		}
		check(t, m, recorder, want.With("isStreamed", "true"))
	})
}

// Videos are billed once, when they are whole, by their seconds.
func TestGenerateVideos(t *testing.T) {
	const veo = "veo-3.0-generate-001"
	seconds := int32(8)
	for name, newClient := range map[string]func(*testing.T, *metertest.Meter) *genai.Client{
		"Gemini":    func(t *testing.T, m *metertest.Meter) *genai.Client { t.Helper(); return newClient(t, m, gemini(m)) },
		"Vertex AI": onVertex,
	} {
		t.Run(name, func(t *testing.T) {
			m := metertest.Start(t)
			client := newClient(t, m)
			m.LLM.Enqueue(llmtest.Answer{Polls: 1})
			operation, err := client.Models.GenerateVideosFromSource(t.Context(), veo, &genai.GenerateVideosSource{Prompt: "a siamese cat"},
				&genai.GenerateVideosConfig{NumberOfVideos: 2, DurationSeconds: &seconds, Resolution: "1080p"})
			if err != nil || operation.Done {
				t.Fatalf("%+v, %v", operation, err)
			}
			for _, want := range []bool{false, true, true} {
				if operation, err = client.Operations.GetVideosOperation(t.Context(), operation, nil); err != nil || operation.Done != want {
					t.Fatalf("%+v, %v", operation, err)
				}
			}
			if len(operation.Response.GeneratedVideos) != 2 {
				t.Errorf("%+v", operation.Response)
			}
			m.Want(metertest.Facts{
				"operationType": "VIDEO", "operationSubtype": "generation", "durationSeconds": "16", "requestedDurationSeconds": "8", "resolution": "1080p",
				"billingUnit": "PER_SECOND", "videoJobId": operation.Name, "asyncOperation": "true", "completionStatus": "SUCCESS",
				"model": veo, "provider": "Google", "modelSource": "DIRECT", "costType": "AI",
			})
			wantPaths(t, m, reveniumtest.PathVideo)
		})
	}
}
