// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	contents     = `{"contents":[{"role":"user","parts":[{"text":"Hello "},{"text":"there"}]}],"systemInstruction":{"parts":[{"text":"Be brief."}]}}`
	generatePath = "/v1beta/models/gemini-2.5-flash:generateContent"
	streamPath   = "/v1beta/models/gemini-2.5-flash:streamGenerateContent"
	vertexPath   = "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:generateContent"
)

func generation(candidates, usage string) string {
	return `{"candidates":[` + candidates + `],"usageMetadata":{` + usage + `},"modelVersion":"gemini-2.5-flash","responseId":"gen-000001"}`
}

func TestGenerateContent(t *testing.T) {
	all := full()
	for name, tc := range map[string]struct {
		path   string
		answer Answer
		want   string
	}{
		"default": {generatePath, Answer{}, generation(`{"content":{"parts":[{"text":"You said: Hello there"}],"role":"model"},"finishReason":"STOP","index":0}`,
			`"promptTokenCount":17,"candidatesTokenCount":6,"totalTokenCount":23,"promptTokensDetails":[{"modality":"TEXT","tokenCount":17}]`)},
		"all": {generatePath, all, generation(`{"content":{"parts":[{"text":"Hm ok","thought":true},{"text":"Hi you"},{"functionCall":{"name":"weather","args":{"city":"Delft"}}}],"role":"model"},"finishReason":"STOP","index":0}`,
			`"promptTokenCount":1180,"cachedContentTokenCount":1000,"candidatesTokenCount":20,"toolUsePromptTokenCount":20,"thoughtsTokenCount":30,"totalTokenCount":1250,"promptTokensDetails":[{"modality":"TEXT","tokenCount":1180}]`)},
		"integers": {generatePath + "?$alt=json%3Benum-encoding%3Dint", Answer{Text: "a", FinishReason: "MALFORMED_FUNCTION_CALL"}, generation(`{"content":{"parts":[{"text":"a"}],"role":"model"},"finishReason":10,"index":0}`,
			`"promptTokenCount":17,"candidatesTokenCount":1,"totalTokenCount":18,"promptTokensDetails":[{"modality":1,"tokenCount":17}]`)},
		"Vertex": {vertexPath, Answer{Text: "a", FinishReason: "content_filter"}, generation(`{"content":{"parts":[{"text":"a"}],"role":"model"},"finishReason":"SAFETY","index":0}`,
			`"promptTokenCount":17,"candidatesTokenCount":1,"totalTokenCount":18,"promptTokensDetails":[{"modality":"TEXT","tokenCount":17}],"trafficType":"ON_DEMAND"`)},
		"Vertex, integers": {vertexPath + "?$alt=json;enum-encoding=int", Answer{Text: "a", FinishReason: "MALFORMED_FUNCTION_CALL"}, generation(`{"content":{"parts":[{"text":"a"}],"role":"model"},"finishReason":9,"index":0}`,
			`"promptTokenCount":17,"candidatesTokenCount":1,"totalTokenCount":18,"promptTokensDetails":[{"modality":1,"tokenCount":17}],"trafficType":1`)},
		"nothing said": {generatePath, Answer{Choices: []Choice{{ToolCalls: []ToolCall{}, FinishReason: "length"}}, Usage: &Usage{PromptTokens: 15, CompletionTokens: 2, ReasoningTokens: 2}}, generation(`{"content":{"role":"model"},"finishReason":"MAX_TOKENS","index":0}`,
			`"promptTokenCount":15,"thoughtsTokenCount":2,"totalTokenCount":17,"promptTokensDetails":[{"modality":"TEXT","tokenCount":15}]`)},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.Enqueue(tc.answer)
			got := post(t, s, tc.path, contents)
			if diff := cmp.Diff(tc.want, got.text); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if vertex := strings.Contains(tc.path, "projects"); (got.Header.Get("Server-Timing") == "") != vertex {
				t.Errorf("headers: %v", got.Header)
			}
			if r := s.Requests()[0]; r.API != APIGenerateContent || r.Model != "gemini-2.5-flash" || r.LastUserText != "Hello there" {
				t.Errorf("request: %+v", r)
			}
		})
	}
	s := start(t)
	s.Enqueue(Answer{OmitUsage: true})
	if got := post(t, s, generatePath, contents).text; strings.Contains(got, "usage") {
		t.Error(got)
	}
	two := strings.Replace(contents, `"contents"`, `"generationConfig":{"candidateCount":2,"maxOutputTokens":2},"contents"`, 1)
	got := post(t, s, generatePath, two).text
	if !strings.Contains(got, `"finishReason":"MAX_TOKENS","index":1`) || !strings.Contains(got, `"candidatesTokenCount":4`) {
		t.Error(got)
	}
}

// The usage grows with the stream; the thoughts stand in it from the beginning.
func TestGenerateContentStream(t *testing.T) {
	part := func(part, finish, usage string) string {
		if finish != "" {
			finish = `"finishReason":` + finish + `,`
		}
		return generation(`{"content":{"parts":[`+part+`],"role":"model"},`+finish+`"index":0}`, `"promptTokenCount":1180,"cachedContentTokenCount":1000,`+usage)
	}
	const prompt = `,"promptTokensDetails":[{"modality":"TEXT","tokenCount":1180}]`
	want := []string{
		part(`{"text":"Hm","thought":true}`, "", `"toolUsePromptTokenCount":20,"thoughtsTokenCount":30,"totalTokenCount":1230`+prompt),
		part(`{"text":" ok","thought":true}`, "", `"toolUsePromptTokenCount":20,"thoughtsTokenCount":30,"totalTokenCount":1230`+prompt),
		part(`{"text":"Hi"}`, "", `"candidatesTokenCount":1,"toolUsePromptTokenCount":20,"thoughtsTokenCount":30,"totalTokenCount":1231`+prompt),
		part(`{"text":" you"}`, "", `"candidatesTokenCount":2,"toolUsePromptTokenCount":20,"thoughtsTokenCount":30,"totalTokenCount":1232`+prompt),
		part(`{"functionCall":{"name":"weather","args":{"city":"Delft"}}}`, `"STOP"`, `"candidatesTokenCount":20,"toolUsePromptTokenCount":20,"thoughtsTokenCount":30,"totalTokenCount":1250`+prompt),
	}
	s := start(t)
	s.Enqueue(full())
	sent := post(t, s, streamPath+"?alt=sse", contents)
	if diff := cmp.Diff(want, sent.named(t)); diff != "" || !strings.HasSuffix(sent.text, "}\r\n\r\n") {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	s.Reset()
	s.Enqueue(full())
	list := post(t, s, streamPath, contents)
	if want := "[" + strings.Join(want, ",\r\n") + "]"; list.text != want || list.Header.Get("Content-Type") != "application/json; charset=UTF-8" {
		t.Errorf("%v (-want +got):\n%s", list.Header, cmp.Diff(want, list.text))
	}
	if r := s.Requests()[0]; !r.Stream || r.Events != 6 {
		t.Errorf("request: %+v", r)
	}
	s.Enqueue(Answer{OmitUsage: true}, Answer{Choices: []Choice{{ToolCalls: []ToolCall{}, FinishReason: "SAFETY"}}})
	if got := post(t, s, streamPath, contents).text; strings.Contains(got, "usage") || !json.Valid([]byte(got)) {
		t.Error(got)
	}
	if got := post(t, s, streamPath+"?alt=sse", contents).named(t); len(got) != 1 || !strings.Contains(got[0], `{"content":{"role":"model"},"finishReason":"SAFETY","index":0}`) {
		t.Errorf("events: %v", got)
	}
}

func TestGenerateContentStreamEnds(t *testing.T) {
	s := start(t)
	for name, tc := range map[string]struct {
		query  string
		stream Stream
		pieces int
		end    string
	}{
		"list, without the end": {"", Stream{End: EndWithoutDone}, 2, `"responseId":"gen-000001"}`},
		"list, cut":             {"", Stream{End: EndCut, After: 1}, 1, `"responseId":"gen-000001"}`},
		"list, error":           {"", Stream{End: EndError, After: 1, Error: &Error{Status: 503}}, 1, ",\r\n" + `{"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}}`},
		"events, without":       {"?alt=sse", Stream{End: EndWithoutDone}, 2, "}\r\n\r\n"},
		"events, error":         {"?alt=sse", Stream{End: EndError, After: 1, Error: &Error{}}, 1, `data: {"error":{"code":500,"message":"An internal error has occurred.","status":"INTERNAL"}}` + "\r\n\r\n"},
	} {
		s.Reset()
		s.Enqueue(Answer{Text: "a b", Stream: tc.stream})
		got := post(t, s, streamPath+tc.query, contents)
		if strings.Count(got.text, `"candidates"`) != tc.pieces || !strings.HasSuffix(got.text, tc.end) || (got.err != nil) != (tc.stream.End == EndCut) {
			t.Errorf("%s: %v %s", name, got.err, got.text)
		}
	}
}

func TestGoogleErrors(t *testing.T) {
	failed := func(code, message, status string) string {
		return `{"error":{"code":` + code + `,"message":"` + message + `","status":"` + status + `"}}`
	}
	checkFailures(t, generatePath, contents, map[string]failure{
		"400":      {Fail(400), 400, failed("400", "Request contains an invalid argument.", "INVALID_ARGUMENT")},
		"401":      {Fail(401), 401, failed("401", "Request had invalid authentication credentials.", "UNAUTHENTICATED")},
		"403":      {Fail(403), 403, failed("403", "Permission denied on resource.", "PERMISSION_DENIED")},
		"404":      {Fail(404), 404, failed("404", "The model is not found for this API version.", "NOT_FOUND")},
		"429":      {Fail(429), 429, failed("429", "Resource has been exhausted (e.g. check quota).", "RESOURCE_EXHAUSTED")},
		"500":      {Fail(500), 500, failed("500", "An internal error has occurred.", "INTERNAL")},
		"503":      {Fail(503), 503, failed("503", "The model is overloaded. Please try again later.", "UNAVAILABLE")},
		"504":      {Fail(504), 504, failed("504", "Deadline expired before operation could complete.", "DEADLINE_EXCEEDED")},
		"scripted": {Answer{Error: &Error{Status: 400, Code: "FAILED_PRECONDITION", Message: "m", Type: "X"}}, 400, failed("400", "m", "X")},
		"own code": {Answer{Error: &Error{Status: 400, Code: "FAILED_PRECONDITION", Message: "m"}}, 400, failed("400", "m", "INVALID_ARGUMENT")},
	})
	// The error of a list is in a list.
	checkFailures(t, streamPath, contents, map[string]failure{"list": {Fail(500), 500, "[" + failed("500", "An internal error has occurred.", "INTERNAL") + "]"}})
	checkFailures(t, streamPath+"?alt=sse", contents, map[string]failure{"events": {Fail(500), 500, failed("500", "An internal error has occurred.", "INTERNAL")}})

	bad := func(message string) string { return failed("400", message, "INVALID_ARGUMENT") }
	checkRefusals(t, map[string]refusal{
		"no JSON":       {generatePath, "x", bad("Invalid JSON payload received. invalid character 'x' looking for beginning of value")},
		"no contents":   {generatePath, "{}", bad(`* GenerateContentRequest.contents: contents is not specified\n`)},
		"bad query":     {generatePath + "?%zz", contents, bad(`Invalid query: invalid URL escape \"%zz\"`)},
		"candidates":    {generatePath, strings.Replace(contents, `"contents"`, `"generationConfig":{"candidateCount":129},"contents"`, 1), bad("candidate_count is out of range")},
		"no batch":      {"/v1beta/models/m:batchEmbedContents", "{}", bad(`* BatchEmbedContentsRequest.requests: requests is not specified\n`)},
		"no dimension":  {"/v1beta/models/m:embedContent", `{"content":{"parts":[{"text":"x"}]},"outputDimensionality":-1}`, bad("outputDimensionality is out of range")},
		"no instances":  {"/v1/projects/p/locations/l/publishers/google/models/m:predict", "{}", bad("Invalid instances: instances is not specified")},
		"many samples":  {"/v1/models/m:predict", `{"instances":[{"prompt":"x"}],"parameters":{"sampleCount":1000}}`, bad("sampleCount is out of range")},
		"no JSON, too":  {"/v1beta/models/m:embedContent", "x", bad("Invalid JSON payload received. invalid character 'x' looking for beginning of value")},
		"no JSON, list": {"/v1beta/models/m:batchEmbedContents", "x", bad("Invalid JSON payload received. invalid character 'x' looking for beginning of value")},
		"predict":       {"/v1/models/m:predict", "x", bad("Invalid JSON payload received. invalid character 'x' looking for beginning of value")},
	})
	s := start(t, WithAPIKeys("k"))
	for _, tc := range []struct {
		path, header string
		want         int
	}{{generatePath + "?key=k", "", 200}, {generatePath, "k", 200}, {generatePath, "x", 401}} {
		if got := post(t, s, tc.path, contents, "X-Goog-Api-Key", tc.header); got.StatusCode != tc.want {
			t.Errorf("%s: %s", tc.path, got.Status)
		}
	}
}

func TestGoogleEmbeddings(t *testing.T) {
	s := start(t)
	const one = `{"model":"models/m","content":{"parts":[{"text":"Hello"}]},"outputDimensionality":2}`
	vectors := Answer{Embeddings: [][]float32{{0.5, -1}, {1, 2}}}
	const usage = `"usageMetadata":{"promptTokenCount":`
	for _, tc := range []struct {
		model, path, body string
		answer            Answer
		want              string
	}{
		{"m", "m:embedContent", one, vectors, `{"embedding":{"values":[0.5,-1]},` + usage + `2,"promptTokenDetails":[{"modality":"TEXT","tokenCount":2}]}}`},
		{"m", "m:batchEmbedContents", `{"requests":[` + one + `,` + one + `]}`, vectors, `{"embeddings":[{"values":[0.5,-1]},{"values":[1,2]}],` + usage + `4,"promptTokenDetails":[{"modality":"TEXT","tokenCount":4}]}}`},
		{"gemini-embedding-001", "gemini-embedding-001:embedContent", one, vectors, `{"embedding":{"values":[0.5,-1]}}`},
		{"m", "m:embedContent", one, Answer{Embeddings: vectors.Embeddings, OmitUsage: true}, `{"embedding":{"values":[0.5,-1]}}`},
	} {
		s.Reset()
		s.Enqueue(tc.answer)
		if diff := cmp.Diff(tc.want, post(t, s, "/v1beta/models/"+tc.path, tc.body).text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.path, diff)
		}
		if r := s.Requests()[0]; r.Model != tc.model || r.API != APIEmbedContent {
			t.Errorf("request: %+v", r)
		}
	}
	if m := decoded(t, post(t, s, "/v1beta/models/m:embedContent", one).text); len(m["embedding"].(map[string]any)["values"].([]any)) != 2 {
		t.Errorf("%v", m)
	}
}

func TestPredict(t *testing.T) {
	s := start(t)
	const path = "/v1beta1/projects/p/locations/l/publishers/google/models/text-embedding-004:predict"
	two := [][]float32{{1}, {2}}
	s.Enqueue(Answer{Embeddings: two}, Answer{Embeddings: two, Usage: &Usage{PromptTokens: 10}}, Answer{Embeddings: two, OmitUsage: true}, Answer{}, Answer{Images: []Image{{Data: []byte("png")}}})
	statistics := func(n string) string { return `,"statistics":{"token_count":` + n + `,"truncated":false}` }
	predictions := func(first, second string) string {
		return `{"predictions":[{"embeddings":{"values":[1]` + first + `}},{"embeddings":{"values":[2]` + second + `}}],"metadata":{"billableCharacterCount":10}}`
	}
	for _, want := range []string{predictions(statistics("2"), statistics("2")), predictions(statistics("10"), statistics("0")), predictions("", "")} {
		got := post(t, s, path, `{"instances":[{"content":"a b c d"},{"content":"efghij"}]}`).text
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("predictions (-want +got):\n%s", diff)
		}
	}
	const image = `{"instances":[{"prompt":"a cat"}],"parameters":{"sampleCount":2}}`
	if got := decoded(t, post(t, s, path, image).text)["predictions"].([]any); len(got) != 2 || got[0].(map[string]any)["bytesBase64Encoded"] != onePixel {
		t.Errorf("%v", got)
	}
	if got := post(t, s, path, image).text; got != `{"predictions":[{"mimeType":"image/png","bytesBase64Encoded":"cG5n"}]}` {
		t.Error(got)
	}
	if r := s.Requests()[4]; r.API != APIPredict || r.Model != "text-embedding-004" || r.Status != http.StatusOK {
		t.Errorf("request: %+v", r)
	}
}

func TestGoogleCountTokens(t *testing.T) {
	s := start(t)
	const want = `{"totalTokens":17,"promptTokensDetails":[{"modality":"TEXT","tokenCount":17}]}`
	if got := post(t, s, "/v1beta/models/m:countTokens", contents).text; got != want {
		t.Error(got)
	}
	if got := decoded(t, post(t, s, "/v1beta/models/m:countTokens", `{"generateContentRequest":`+contents+`}`).text); got["totalTokens"] != 10.0 {
		t.Error(got)
	}
}
