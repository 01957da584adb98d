// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
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
