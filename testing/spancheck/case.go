// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// testCase is one entry of an index.
type testCase struct {
	Name     string      `json:"name"`
	Files    []string    `json:"files"` // export requests in order of arrival
	Dialect  string      `json:"dialect"`
	Expected expectation `json:"expected"`

	dir string
}

// expectation is what the spans of a case amount to.
type expectation struct {
	Requests       int              `json:"requests"` // records that carry usage
	RequestsAccept []int            `json:"requestsAccept"`
	ErrorCalls     int              `json:"errorCalls"`   // failed calls: at most one record each
	NoUsageCalls   int              `json:"noUsageCalls"` // calls whose tokens nobody knows
	Sum            map[string]int64 `json:"sum"`          // over the records that carry usage
	Calls          []expectedCall   `json:"calls"`
	Suppressed     []expectedSpan   `json:"suppressed"` // spans without a record of their own
}

// expectedSpan is a span of which no record must come.
type expectedSpan struct {
	SpanID string `json:"spanId"`
	Why    string `json:"why"`
}

// expectedCall is one call. A nil is something that no span says.
type expectedCall struct {
	Kind           string         `json:"kind"` // usage, error or noUsage
	SpanID         string         `json:"spanId"`
	SpanIDAccept   []string       `json:"spanIdAccept"` // spans of the call that may bill instead
	Provider       string         `json:"provider"`
	ProviderAccept []string       `json:"providerAccept"`
	Model          string         `json:"model"`
	ModelAccept    []string       `json:"modelAccept"`
	OperationType  string         `json:"operationType"`
	Tokens         *tokens        `json:"tokens"`
	TokensAccept   []tokens       `json:"tokensAccept"`
	Optional       []string       `json:"optional"` // paths that may be missing in a record
	Streamed       *bool          `json:"streamed"`
	TTFTMs         *int64         `json:"ttftMs"`
	StopReason     string         `json:"stopReason"`
	StopAccept     []string       `json:"stopAccept"`
	HTTPStatus     *int64         `json:"httpStatus"`
	RetryNumber    *int64         `json:"retryNumber"`
	DurationMs     *int64         `json:"durationMs"`
	Effort         string         `json:"effort"`
	ServiceTier    string         `json:"actualServiceTier"`
	Attribution    map[string]any `json:"attribution"`
}

// tokens are counts: input with the cached part, output with the reasoning.
type tokens struct {
	Input           *int64 `json:"input"`
	InputUncached   *int64 `json:"inputUncached"`
	CacheRead       *int64 `json:"cacheRead"`
	CacheCreation   *int64 `json:"cacheCreation"`
	CacheCreation5m *int64 `json:"cacheCreation5m"`
	CacheCreation1h *int64 `json:"cacheCreation1h"`
	Output          *int64 `json:"output"`
	Reasoning       *int64 `json:"reasoning"`
}

// loadIndex reads an index, or that of a directory.
func loadIndex(path string) ([]testCase, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "index.jsonl")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var cases []testCase
	dec := json.NewDecoder(bytes.NewReader(data))
	for n := 1; ; n++ {
		c := testCase{dir: filepath.Dir(path)}
		switch err := dec.Decode(&c); {
		case errors.Is(err, io.EOF):
			return cases, nil
		case err != nil:
			return cases, fmt.Errorf("%s: entry %d: %w", path, n, err)
		case c.Name == "" || len(c.Files) == 0:
			return cases, fmt.Errorf("%s: entry %d has no name or names no files", path, n)
		}
		cases = append(cases, c)
	}
}
