// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompletions(t *testing.T) {
	s := start(t)
	got := post(t, s, "/v1/completions", `{"model":"babbage-002","prompt":["one","two"],"n":2}`).text
	var choices []string
	for i, text := range []string{"one", "one", "two", "two"} {
		choices = append(choices, fmt.Sprintf(`{"text":"You said: %s","index":%d,"logprobs":null,"finish_reason":"stop"}`, text, i))
	}
	want := `{"id":"cmpl-000001","object":"text_completion","created":1795514400,"model":"babbage-002","choices":[` + strings.Join(choices, ",") +
		`],"usage":{"prompt_tokens":2,"completion_tokens":16,"total_tokens":18}}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	// Tokens as prompt, no prompt at all.
	for prompt, want := range map[string]float64{`"prompt":[1,2,3],`: 3, `"prompt":[[1,2],[3]],`: 3, `"prompt":null,`: 0, "": 0} {
		m := decoded(t, post(t, s, "/completions", `{`+prompt+`"model":"m"}`).text)
		if got := m["usage"].(map[string]any)["prompt_tokens"]; got != want {
			t.Errorf("%s: %v tokens", prompt, got)
		}
	}
}

func TestCompletionsStream(t *testing.T) {
	s := start(t)
	s.Enqueue(Answer{Pieces: []string{"a", " b"}, SystemFingerprint: "fp_1"})
	got := post(t, s, "/v1/completions", `{"model":"m","prompt":"x","stream":true,"stream_options":{"include_usage":true}}`)
	chunk := func(choices, usage string) string {
		return `{"id":"cmpl-000001","object":"text_completion","created":1795514400,"model":"m","system_fingerprint":"fp_1","choices":` + choices + `,"usage":` + usage + `}`
	}
	want := []string{
		chunk(`[{"text":"a","index":0,"logprobs":null,"finish_reason":null}]`, "null"),
		chunk(`[{"text":" b","index":0,"logprobs":null,"finish_reason":null}]`, "null"),
		chunk(`[{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}]`, "null"),
		chunk("[]", `{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}`),
		"[DONE]",
	}
	if diff := cmp.Diff(want, got.events(t)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func vectorOf(t *testing.T, embedding any) []float32 {
	t.Helper()
	var out []float32
	switch e := embedding.(type) {
	case []any:
		for _, f := range e {
			out = append(out, float32(f.(float64)))
		}
	case string:
		b, err := base64.StdEncoding.DecodeString(e)
		if err != nil {
			t.Fatal(err)
		}
		for ; len(b) >= 4; b = b[4:] {
			out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(b)))
		}
	}
	return out
}

func TestEmbeddings(t *testing.T) {
	s := start(t)
	embed := func(more string) map[string]any {
		t.Helper()
		return decoded(t, post(t, s, "/v1/embeddings", `{"model":"text-embedding-3-small",`+more+`}`).text)
	}
	vectors := func(m map[string]any) [][]float32 {
		t.Helper()
		var out [][]float32
		for i, d := range m["data"].([]any) {
			d := d.(map[string]any)
			if d["object"] != "embedding" || d["index"] != float64(i) {
				t.Errorf("item: %v", d)
			}
			out = append(out, vectorOf(t, d["embedding"]))
		}
		return out
	}
	one := embed(`"input":"Hello"`)
	v := vectors(one)[0]
	if one["object"] != "list" || one["model"] != "text-embedding-3-small" || len(v) != 1536 {
		t.Errorf("%v, %d dimensions", one["object"], len(v))
	}
	if diff := cmp.Diff(map[string]any{"prompt_tokens": 2.0, "total_tokens": 2.0}, one["usage"]); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
	var square float64
	for _, f := range v {
		square += float64(f) * float64(f)
	}
	if math.Abs(square-1) > 1e-5 {
		t.Errorf("length %v", math.Sqrt(square))
	}
	// The same text, the same vector, in both formats; another text, another.
	float := vectors(embed(`"input":["a","b","a"],"dimensions":5`))
	coded := vectors(embed(`"input":["a","b","a"],"dimensions":5,"encoding_format":"base64"`))
	if len(float) != 3 || len(float[0]) != 5 || !cmp.Equal(float[0], float[2]) || cmp.Equal(float[0], float[1]) {
		t.Errorf("vectors: %v", float)
	}
	if diff := cmp.Diff(float, coded); diff != "" {
		t.Errorf("formats differ (-float +base64):\n%s", diff)
	}
	if u := embed(`"input":[[1,2,3],[4]]`)["usage"].(map[string]any); u["prompt_tokens"] != 4.0 {
		t.Errorf("usage: %v", u)
	}
	s.Enqueue(Answer{Embeddings: [][]float32{{0.5, -1}}, Usage: &Usage{PromptTokens: 9}, Extra: map[string]any{"cost": 1}})
	m := embed(`"input":"x","stream":true`) // there are no streams of embeddings
	if diff := cmp.Diff([][]float32{{0.5, -1}}, vectors(m)); diff != "" || m["cost"] != 1.0 || m["usage"].(map[string]any)["total_tokens"] != 9.0 {
		t.Errorf("%v (-want +got):\n%s", m, diff)
	}
}

func TestPaths(t *testing.T) {
	const text = `{"messages":[{"role":"user","content":"x"}],"prompt":"x","input":"x"}`
	s := start(t, WithLiteLLM(LiteLLM{}))
	for path, want := range map[string]struct {
		api   API
		model string
	}{
		"/openai/deployments/my-gpt/chat/completions": {APIChat, "my-gpt"},
		"/openai/deployments/my-gpt/completions":      {APICompletions, "my-gpt"},
		"/openai/deployments/ada/embeddings":          {APIEmbeddings, "ada"},
		"/engines/openai/gpt-4o/chat/completions":     {APIChat, "openai/gpt-4o"},
		"/v1/engines/ada/embeddings":                  {APIEmbeddings, "ada"},
	} {
		s.Reset()
		if got := post(t, s, path+"?api-version=2024-10-21", text); got.StatusCode != http.StatusOK {
			t.Errorf("%s: %s %s", path, got.Status, got.text)
		}
		if r := s.Requests()[0]; r.API != want.api || r.Model != want.model || r.Query != "api-version=2024-10-21" {
			t.Errorf("%s: %+v", path, r)
		}
	}
	for _, path := range []string{"/", "/v1", "/v2/chat/completions", "/openai/deployments//chat/completions", "/engines/x", "/v1/nothing", "/v1/responses/x/y"} {
		got := post(t, s, path, text)
		if e := decoded(t, got.text)["error"].(map[string]any); got.StatusCode != http.StatusNotFound || e["message"] != "Invalid URL (POST "+path+")" {
			t.Errorf("%s: %s %s", path, got.Status, got.text)
		}
	}
}

// Azure's first chunk has no choice, no id and no model.
func TestAzureStream(t *testing.T) {
	s := start(t)
	got := post(t, s, "/openai/deployments/d/chat/completions", `{"messages":[{"role":"user","content":"x"}],"stream":true}`).events(t)
	want := `{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}`
	if got[0] != want || decoded(t, got[1])["model"] != "d" {
		t.Errorf("events:\n%s\n%s", got[0], got[1])
	}
}

func TestRefusals(t *testing.T) {
	s := start(t)
	s.Enqueue(Answer{Text: "kept"})
	for name, tc := range map[string]struct {
		path, body, want string
	}{
		"no JSON":        {"/v1/chat/completions", "x", `We could not parse the JSON body of your request: invalid character 'x' looking for beginning of value`},
		"no model":       {"/v1/chat/completions", `{"messages":[]}`, "you must provide a model parameter"},
		"no messages":    {"/v1/chat/completions", `{"model":"m"}`, "Missing required parameter: 'messages'."},
		"usage unasked":  {"/v1/chat/completions", `{"model":"m","messages":[{}],"stream_options":{"include_usage":true}}`, "The 'stream_options' parameter is only allowed when 'stream' is enabled."},
		"too many":       {"/v1/chat/completions", `{"model":"m","messages":[{}],"n":129}`, "129 is not between 1 and 128 - 'n'"},
		"bad prompt":     {"/v1/completions", `{"model":"m","prompt":{}}`, "Invalid type for 'prompt'."},
		"mixed prompt":   {"/v1/completions", `{"model":"m","prompt":["a",["b","c"]]}`, "Invalid type for 'prompt'."},
		"no input":       {"/v1/embeddings", `{"model":"m"}`, "'$.input' is invalid. Please check the API reference."},
		"empty input":    {"/v1/embeddings", `{"model":"m","input":[]}`, "'$.input' is invalid. Please check the API reference."},
		"bad dimensions": {"/v1/embeddings", `{"model":"m","input":"x","dimensions":-1}`, "-1 is not between 1 and 16384 - 'dimensions'"},
		"bad format":     {"/v1/embeddings", `{"model":"m","input":"x","encoding_format":"hex"}`, "encoding_format must be float or base64"},
	} {
		got := post(t, s, tc.path, tc.body)
		e := decoded(t, got.text)["error"].(map[string]any)
		if got.StatusCode != http.StatusBadRequest || e["message"] != tc.want || e["type"] != "invalid_request_error" {
			t.Errorf("%s: %s %s", name, got.Status, got.text)
		}
	}
	req := request(t, s, "/v1/chat/completions", "")
	req.Method = "GET"
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %s", resp.Status)
	}
	if s.Pending() != 1 {
		t.Error("a refused request took an answer")
	}
}
