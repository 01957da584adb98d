// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
)

// Client is the simplest of LLM clients. Its calls are metered because its
// transport is that of package llmhttp; any other client does as well.
type Client struct {
	baseURL string
	http    *http.Client
}

// NewClient returns a client of an OpenAI-compatible server.
func NewClient(baseURL string) *Client {
	return &Client{baseURL: baseURL, http: &http.Client{Transport: llmhttp.NewTransport(nil)}}
}

// BaseURL is that of the server.
func (c *Client) BaseURL() string { return c.baseURL }

// Ask asks a question and returns the answer.
func (c *Client) Ask(ctx context.Context, question string) (answer string, err error) {
	body, err := json.Marshal(map[string]any{
		"model":    "gpt-4o-mini",
		"messages": []map[string]string{{"role": "user", "content": question}},
	})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.baseURL+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	var completion struct {
		Choices []struct{ Message struct{ Content string } }
	}
	if err := json.NewDecoder(resp.Body).Decode(&completion); err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK || len(completion.Choices) == 0 {
		return "", fmt.Errorf("the provider answered %s without a choice", resp.Status)
	}
	return completion.Choices[0].Message.Content, nil
}
