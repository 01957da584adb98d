// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A recording is one recorded HTTP exchange with a provider and what is known
// about the call in it.
type recording struct {
	Name     string                     `json:"name"`
	Request  recordedRequest            `json:"request"`
	Response recordedResponse           `json:"response"`
	Expected map[string]json.RawMessage `json:"expected"`
}

type recordedRequest struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	recordedBody
}

type recordedResponse struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	recordedBody
}

// recordedBody is a body as text (utf8) or, where it is none, as base64.
type recordedBody struct {
	Encoding string `json:"bodyEncoding"`
	Body     string `json:"body"`
}

func (b recordedBody) bytes() ([]byte, error) {
	switch b.Encoding {
	case "utf8", "":
		return []byte(b.Body), nil
	case "base64":
		return base64.StdEncoding.DecodeString(b.Body)
	default:
		return nil, fmt.Errorf("unknown bodyEncoding %q: use utf8 or base64", b.Encoding)
	}
}

// expectation is the text value of a key of expected, for choosing cases.
func (r *recording) expectation(key string) string {
	var text string
	_ = json.Unmarshal(r.Expected[key], &text) // not a string is no match
	return text
}

// validate finds what would make a replay meaningless.
func (r *recording) validate() error {
	var problems []error
	if r.Name == "" {
		problems = append(problems, errors.New("no name"))
	}
	if r.Request.Method == "" {
		problems = append(problems, errors.New("no request.method"))
	}
	if u, err := url.Parse(r.Request.URL); err != nil {
		problems = append(problems, fmt.Errorf("request.url: %w", err))
	} else if u.Host == "" {
		problems = append(problems, fmt.Errorf("request.url %q has no host", r.Request.URL))
	}
	if r.Response.Status < 200 || r.Response.Status > 599 {
		problems = append(problems, fmt.Errorf("response.status is %d: want 200 to 599", r.Response.Status))
	}
	if _, err := r.Request.bytes(); err != nil {
		problems = append(problems, fmt.Errorf("request body: %w", err))
	}
	if _, err := r.Response.bytes(); err != nil {
		problems = append(problems, fmt.Errorf("response body: %w", err))
	}
	return errors.Join(problems...)
}

// loadRecording reads one case.
func loadRecording(path string) (*recording, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r recording
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%s: not a recorded exchange: %w", path, err)
	}
	if err := r.validate(); err != nil {
		return nil, fmt.Errorf("%s: not a recorded exchange: %w", path, err)
	}
	oneLine(r.Request.Headers)
	oneLine(r.Response.Headers)
	return &r, nil
}

// oneLine joins header values that a recorder folded, which HTTP no longer
// allows, into one line.
func oneLine(headers map[string]string) {
	for name, value := range headers {
		if strings.ContainsAny(value, "\r\n") {
			headers[name] = strings.Join(strings.Fields(value), " ")
		}
	}
}

// casePaths turns the arguments into files: a file stands for itself, an index
// (index.jsonl) for the files that it names, a directory for its index or, where
// it has none, for the .json files in it.
func casePaths(args []string) ([]string, error) {
	var paths []string
	var problems []error
	for _, arg := range args {
		found, err := expand(arg)
		if err != nil {
			problems = append(problems, err)
		}
		paths = append(paths, found...)
	}
	return paths, errors.Join(problems...)
}

func expand(arg string) ([]string, error) {
	info, err := os.Stat(arg)
	switch {
	case err != nil:
		return []string{arg}, nil // reading it will say why, and counts it as failed
	case !info.IsDir() && strings.HasSuffix(arg, ".jsonl"):
		return readIndex(arg)
	case !info.IsDir():
		return []string{arg}, nil
	}
	if index := filepath.Join(arg, "index.jsonl"); fileExists(index) {
		return readIndex(index)
	}
	found, err := filepath.Glob(filepath.Join(escapeGlob(arg), "*.json"))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: no .json files in this directory", arg)
	}
	slices.Sort(found)
	return found, nil
}

// readIndex returns the files that an index names, one JSON object per line with
// a field "file" relative to the index.
func readIndex(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var paths []string
	dec := json.NewDecoder(bytes.NewReader(data))
	for n := 1; ; n++ {
		var entry struct {
			File string `json:"file"`
		}
		err := dec.Decode(&entry)
		switch {
		case errors.Is(err, io.EOF):
			return paths, nil
		case err != nil:
			return paths, fmt.Errorf("%s: entry %d: %w", path, n, err)
		case entry.File == "":
			return paths, fmt.Errorf("%s: entry %d names no file", path, n)
		}
		paths = append(paths, filepath.Join(filepath.Dir(path), entry.File))
	}
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// escapeGlob keeps a directory's own name from being read as a pattern.
func escapeGlob(dir string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(dir)
}

// header returns h as an http.Header.
func header(h map[string]string) http.Header {
	out := make(http.Header, len(h))
	for name, value := range h {
		out.Set(name, value)
	}
	return out
}
