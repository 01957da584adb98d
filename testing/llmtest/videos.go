// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
)

// Videos take their time: what asks for one is answered by a promise, which is looked at again until it is kept.

var (
	videosKind = &kind{
		api: APIVideos, dialect: openAI, id: "video_", stores: true, read: readVideo, plain: (*reply).video,
	}
	retrieveVideoKind = &kind{
		api: APIRetrieveVideo, dialect: openAI, method: http.MethodGet, retrieves: true, read: readNothing, plain: (*reply).video,
	}
	veoKind = &kind{
		api: APIVideos, dialect: google, id: "op-", stores: true, read: readVeo, plain: (*reply).operation,
	}
	operationKind = &kind{ // of Gemini's API
		api: APIRetrieveVideo, dialect: google, method: http.MethodGet, retrieves: true, read: readNothing, plain: (*reply).operation,
	}
	fetchOperationKind = &kind{ // of Vertex AI
		api: APIRetrieveVideo, dialect: google, retrieves: true, read: readOperation, plain: (*reply).operation,
	}
)

func readNothing(*call, incoming) *Error { return nil }

// readVideo reads a request for a video of OpenAI's.
func readVideo(c *call, in incoming) *Error {
	f, bad := readForm(in)
	if bad != nil {
		return bad
	}
	if bad := c.name(cmp.Or(f.fields["model"], "sora-2")); bad != nil {
		return bad
	}
	if f.fields["prompt"] == "" {
		return missing("prompt")
	}
	c.asked, c.background = texts(f.fields["prompt"]), true
	c.seconds, c.size = cmp.Or(f.fields["seconds"], "4"), cmp.Or(f.fields["size"], "720x1280")
	return nil
}

// video is a video of OpenAI's as it stands.
func (r *reply) video() (content, error) {
	status, progress := r.pending, 0
	var failed any
	switch {
	case status != "":
	case r.choice().FinishReason == statusFailed:
		status, failed = statusFailed, object{{"code", "video_generation_failed"}, {"message", "The video could not be made."}}
	default:
		status, progress = statusCompleted, 100
	}
	return r.jsonContent(object{
		{"id", r.id},
		{"object", "video"},
		{"model", r.model},
		{"status", status},
		{"progress", progress},
		{"created_at", r.created},
		{"seconds", r.call.seconds},
		{"size", r.call.size},
		{"error", failed},
	})
}

// readVeo reads a request for videos of Google's.
func readVeo(c *call, in incoming) *Error {
	var q struct {
		Instances []struct {
			Prompt string `json:"prompt"`
		} `json:"instances"`
		Parameters struct {
			SampleCount int `json:"sampleCount"`
		} `json:"parameters"`
	}
	if bad := c.readGoogle(in, &q); bad != nil {
		return bad
	}
	if len(q.Instances) == 0 {
		return googleBad("Invalid instances: instances is not specified")
	}
	if c.n = max(q.Parameters.SampleCount, 1); c.n > maxChoices {
		return googleBad("sampleCount is out of range")
	}
	c.asked, c.background = texts(q.Instances[0].Prompt), true
	return nil
}

// readOperation reads which operation is asked for.
func readOperation(c *call, in incoming) *Error {
	var q struct {
		Name string `json:"operationName"`
	}
	if bad := c.readGoogle(in, &q); bad != nil {
		return bad
	}
	c.responseID = q.Name[strings.LastIndexByte(q.Name, '/')+1:]
	return nil
}

// operation is one of Google's operations as it stands: its name, and what became of it once it is done.
func (r *reply) operation() (content, error) {
	model := strings.TrimSuffix(r.call.path, ":predictLongRunning")
	for _, root := range []string{"/projects/", "/models/"} {
		if at := strings.Index(model, root); at >= 0 {
			model = model[at+1:]
			break
		}
	}
	doc := object{{"name", model + "/operations/" + r.id}}
	switch {
	case r.pending != "":
	case r.choice().FinishReason == statusFailed:
		doc = append(doc, member{"done", true}, member{"error", object{{"code", 3}, {"message", "The video could not be made."}}})
	default:
		doc = append(doc, member{"done", true}, member{"response", r.veo()})
	}
	return r.jsonContent(doc)
}

// veo is what an operation has that is done: the places of its videos.
func (r *reply) veo() object {
	var list []object
	for i := range cmp.Or(r.answer.Videos, r.call.n) {
		uri := fmt.Sprintf("videos.example/%s-%d.mp4", r.id, i)
		if r.call.vertex {
			list = append(list, object{{"gcsUri", "gs://" + uri}, {"mimeType", "video/mp4"}})
		} else {
			list = append(list, object{{"video", object{{"uri", "https://" + uri}}}})
		}
	}
	if r.call.vertex {
		return object{{"videos", list}}
	}
	return object{{"generateVideoResponse", object{{"generatedSamples", list}}}}
}
