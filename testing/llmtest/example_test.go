// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/revenium/revenium-otel-go/testing/llmtest"
)

// ask posts a chat request; a program does it with its LLM client, whose base URL is llm.BaseURL().
func ask(llm *llmtest.Server, body string) (*http.Response, error) {
	return llm.Client().Post(llm.BaseURL()+"/chat/completions", "application/json", strings.NewReader(body)) //nolint:noctx // an example
}

// A test uses llmtest.Start(t) instead of NewServer and Close.
func Example() {
	llm, err := llmtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer llm.Close()

	llm.Enqueue(
		llmtest.Fail(http.StatusTooManyRequests),
		llmtest.Answer{
			Text:  "It rains.",
			Model: "gpt-4o-2024-08-06",
			Usage: &llmtest.Usage{PromptTokens: 1200, CachedTokens: 1024, CompletionTokens: 3},
		},
	)
	for range 3 {
		resp, err := ask(llm, `{"model":"gpt-4o","messages":[{"role":"user","content":"And now?"}]}`)
		if err != nil {
			fmt.Println(err)
			return
		}
		var answer struct {
			Model   string
			Choices []struct{ Message struct{ Content string } }
			Usage   struct {
				Prompt     int `json:"prompt_tokens"`
				Completion int `json:"completion_tokens"`
			}
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			fmt.Println(err)
		}
		_ = resp.Body.Close()
		fmt.Println(resp.StatusCode, answer.Model, answer.Choices, answer.Usage)
	}
	for _, r := range llm.Requests() {
		fmt.Println(r.Path, r.Model, r.Status)
	}

	// Output:
	// 429  [] {0 0}
	// 200 gpt-4o-2024-08-06 [{{It rains.}}] {1200 3}
	// 200 gpt-4o [{{You said: And now?}}] {9 5}
	// /v1/chat/completions gpt-4o 429
	// /v1/chat/completions gpt-4o 200
	// /v1/chat/completions gpt-4o 200
}

// The gate gives each event of a stream into the test's hand; here the stream breaks after the second.
func ExampleAnswer_gate() {
	llm, err := llmtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer llm.Close()

	gate := make(chan struct{})
	llm.Enqueue(llmtest.Answer{
		Pieces: []string{"Hel", "lo"},
		Gate:   gate,
		Stream: llmtest.Stream{End: llmtest.EndCut, After: 2},
	})
	resp, err := ask(llm, `{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}],"stream":true}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	r := bufio.NewReader(resp.Body)
	for range 2 {
		gate <- struct{}{}
		line, err := r.ReadString('\n')
		_, content, _ := strings.Cut(line, `"content":`)
		content, _, _ = strings.Cut(content, "}")
		fmt.Println(content, err)
		_, _ = r.ReadString('\n') // the empty line
	}
	_, err = io.ReadAll(r)
	fmt.Println(err)

	// Output:
	// "","refusal":null <nil>
	// "Hel" <nil>
	// unexpected EOF
}

// One script serves every API, each in its own words and with its own arithmetic.
func ExampleAnswer() {
	llm, err := llmtest.NewServer(llmtest.WithAnswer(llmtest.Answer{
		Text:  "It rains.",
		Usage: &llmtest.Usage{PromptTokens: 1200, CachedTokens: 1024, CompletionTokens: 50, ReasoningTokens: 47},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer llm.Close()

	for _, api := range []struct{ path, body, usage string }{
		{"/v1/responses", `{"model":"gpt-5","input":"And now?"}`, "usage"},
		{"/v1/messages", `{"model":"claude-opus-4","max_tokens":99,"messages":[{"role":"user","content":"And now?"}]}`, "usage"},
		{"/v1beta/models/gemini-2.5-pro:generateContent", `{"contents":[{"parts":[{"text":"And now?"}]}]}`, "usageMetadata"},
		{"/model/amazon.nova-pro-v1%3A0/converse", `{"messages":[{"role":"user","content":[{"text":"And now?"}]}]}`, "usage"},
	} {
		resp, err := llm.Client().Post(llm.URL()+api.path, "application/json", strings.NewReader(api.body)) //nolint:noctx // an example
		if err != nil {
			fmt.Println(err)
			return
		}
		var answer map[string]json.RawMessage
		err = json.NewDecoder(resp.Body).Decode(&answer)
		_ = resp.Body.Close()
		if err != nil {
			fmt.Println(err)
			return
		}
		var usage map[string]any
		if err := json.Unmarshal(answer[api.usage], &usage); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(api.path)
		for _, name := range slices.Sorted(maps.Keys(usage)) {
			if count, ok := usage[name].(float64); ok && count > 0 {
				fmt.Printf("  %s %v\n", name, count)
			}
		}
	}

	// Output:
	// /v1/responses
	//   input_tokens 1200
	//   output_tokens 50
	//   total_tokens 1250
	// /v1/messages
	//   cache_read_input_tokens 1024
	//   input_tokens 176
	//   output_tokens 50
	// /v1beta/models/gemini-2.5-pro:generateContent
	//   cachedContentTokenCount 1024
	//   candidatesTokenCount 3
	//   promptTokenCount 1200
	//   thoughtsTokenCount 47
	//   totalTokenCount 1250
	// /model/amazon.nova-pro-v1%3A0/converse
	//   cacheReadInputTokens 1024
	//   inputTokens 176
	//   outputTokens 50
	//   totalTokens 1250
}

// A response that runs in the background is queued, and seen by asking again.
func ExampleAnswer_background() {
	llm, err := llmtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer llm.Close()

	llm.Enqueue(llmtest.Answer{ID: "resp_1", Text: "Done.", Polls: 1})
	resp, err := llm.Client().Post(llm.BaseURL()+"/responses", "application/json", //nolint:noctx // an example
		strings.NewReader(`{"model":"gpt-5","input":"A long story","background":true}`))
	for range 3 {
		if err != nil {
			fmt.Println(err)
			return
		}
		var answer struct {
			Status string
			Usage  *struct {
				Output int `json:"output_tokens"`
			}
		}
		err = json.NewDecoder(resp.Body).Decode(&answer)
		_ = resp.Body.Close()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(answer.Status, answer.Usage != nil)
		resp, err = llm.Client().Get(llm.BaseURL() + "/responses/resp_1") //nolint:noctx // an example
	}
	if err == nil {
		_ = resp.Body.Close()
	}

	// Output:
	// queued false
	// in_progress false
	// completed true
}
