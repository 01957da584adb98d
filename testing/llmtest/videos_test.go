// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"net/http"
	"strings"
	"testing"
)

// A video is promised, is looked at while it is made, and then is there, or failed.
func TestVideos(t *testing.T) {
	const veo = "models/veo-3.0:predictLongRunning"
	const vertexModels = "/v1/projects/p/locations/l/publishers/google/"
	ask := `{"instances":[{"prompt":"A cat"}],"parameters":{"sampleCount":2}}`
	for name, tc := range map[string]struct {
		create, body string
		fetch        string // what is asked for, {} being the id; POST if it has a body
		fetchBody    string
		states       [4]string // of the promise, of what is being made, of what is there, of what failed
	}{
		"OpenAI": {
			"/v1/videos", `{"prompt":"A cat","seconds":"8"}`, "/v1/videos/{}", "",
			[4]string{`"status":"queued"`, `"status":"in_progress"`, `"status":"completed","progress":100,"created_at":1795514400,"seconds":"8","size":"720x1280","error":null}`, `"status":"failed"`},
		},
		"Gemini": {
			"/v1beta/" + veo, ask, "/v1beta/{}", "",
			[4]string{`/operations/op-`, `{"name":"models/veo-3.0/operations/op-`, `"done":true,"response":{"generateVideoResponse":{"generatedSamples":[{"video":{"uri":"https://videos.example/op-`, `"done":true,"error":{"code":3`},
		},
		"Vertex AI": {
			vertexModels + veo, ask, vertexModels + "models/veo-3.0:fetchPredictOperation", `{"operationName":"{}"}`,
			[4]string{`/operations/op-`, `{"name":"projects/p/locations/l/publishers/google/models/veo-3.0/operations/op-`, `"done":true,"response":{"videos":[{"gcsUri":"gs://videos.example/op-`, `"done":true,"error":{"code":3`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.Enqueue(Answer{Polls: 1}, Answer{FinishReason: "failed"})
			create := func() (fetch func() answered) {
				t.Helper()
				first := post(t, s, tc.create, tc.body)
				if !strings.Contains(first.text, tc.states[0]) || strings.Contains(first.text, `"done"`) {
					t.Errorf("promise %s", first.text)
				}
				doc := decoded(t, first.text)
				id, _ := doc["id"].(string)
				if id == "" {
					id, _ = doc["name"].(string)
				}
				method := http.MethodGet
				if tc.fetchBody != "" {
					method = http.MethodPost
				}
				return func() answered {
					return send(t, s, method, strings.Replace(tc.fetch, "{}", id, 1), strings.Replace(tc.fetchBody, "{}", id, 1))
				}
			}
			fetch := create()
			for _, want := range []string{tc.states[1], tc.states[2], tc.states[2]} {
				if got := fetch(); !strings.Contains(got.text, want) || strings.Contains(got.text, `"done"`) != strings.Contains(want, `"done"`) {
					t.Errorf("%s, want %s", got.text, want)
				}
			}
			if got := create()(); !strings.Contains(got.text, tc.states[3]) {
				t.Errorf("%s, want %s", got.text, tc.states[3])
			}
			last := s.Requests()[len(s.Requests())-1]
			if last.API != APIRetrieveVideo || last.Model == "" || s.Pending() != 0 {
				t.Errorf("request %+v, %d pending", last, s.Pending())
			}
			unknown := send(t, s, last.Method, strings.Replace(tc.fetch, "{}", "models/m/operations/none", 1), strings.Replace(tc.fetchBody, "{}", "none", 1))
			if name == "OpenAI" {
				unknown = get(t, s, "/v1/videos/none")
			}
			if unknown.StatusCode != http.StatusNotFound {
				t.Errorf("what is not there: %s", unknown.Status)
			}
			for _, bad := range []string{"x", "{}", `{"instances":[{}],"parameters":{"sampleCount":1000}}`} {
				if got := post(t, s, tc.create, bad); got.StatusCode != http.StatusBadRequest {
					t.Errorf("%s: %s", bad, got.Status)
				}
			}
		})
	}
}
