// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCasePaths(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"plain/b.json", "plain/a.json", "plain/README.md", "indexed/z.json", "od[d/x.json", "empty/README.md"} {
		write(t, filepath.Join(dir, name), "{}")
	}
	write(t, filepath.Join(dir, "indexed", "index.jsonl"), "{\"name\":\"y\",\"file\":\"y.json\"}\n{\"file\":\"z.json\"}\n")
	write(t, filepath.Join(dir, "broken.jsonl"), "{\"file\":\"a.json\"}\n{\"name\":\"no file\"}\n")

	tests := map[string]struct {
		args []string
		want []string
		err  string
	}{
		"file":           {args: []string{"plain/b.json"}, want: []string{"plain/b.json"}},
		"directory":      {args: []string{"plain"}, want: []string{"plain/a.json", "plain/b.json"}},
		"indexed":        {args: []string{"indexed"}, want: []string{"indexed/y.json", "indexed/z.json"}},
		"index":          {args: []string{"indexed/index.jsonl"}, want: []string{"indexed/y.json", "indexed/z.json"}},
		"odd name":       {args: []string{"od[d"}, want: []string{"od[d/x.json"}},
		"several":        {args: []string{"plain/b.json", "od[d"}, want: []string{"plain/b.json", "od[d/x.json"}},
		"empty":          {args: []string{"empty", "plain"}, want: []string{"plain/a.json", "plain/b.json"}, err: "no .json files"},
		"missing":        {args: []string{"nowhere.json"}, want: []string{"nowhere.json"}},
		"index, no file": {args: []string{"broken.jsonl"}, want: []string{"a.json"}, err: "entry 2 names no file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var args, want []string
			for _, arg := range tt.args {
				args = append(args, filepath.Join(dir, arg))
			}
			for _, path := range tt.want {
				want = append(want, filepath.Join(dir, path))
			}
			got, err := casePaths(args)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
			checkError(t, err, tt.err)
		})
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("unexpected error: %v", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v, want one with %q", err, want)
	}
}

func TestLoadRecordingErrors(t *testing.T) {
	const good = `{"name":"n","request":{"method":"POST","url":"https://h/p","bodyEncoding":"utf8","body":""},"response":{"status":200,"bodyEncoding":"utf8","body":"x"}}`
	tests := map[string]struct{ text, want string }{
		"good":       {good, ""},
		"not JSON":   {"hello", "not a recorded exchange"},
		"something":  {"{}", "no name"},
		"no host":    {strings.Replace(good, "https://h/p", "/p", 1), `request.url "/p" has no host`},
		"no method":  {strings.Replace(good, `"POST"`, `""`, 1), "no request.method"},
		"odd status": {strings.Replace(good, "200", "99", 1), "response.status is 99"},
		"encoding":   {strings.Replace(good, `"utf8","body":"x"`, `"hex","body":"x"`, 1), `unknown bodyEncoding "hex"`},
		"base64":     {strings.Replace(good, `"utf8","body":"x"`, `"base64","body":"?"`, 1), "response body: illegal base64"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "case.json")
			write(t, path, tt.text)
			_, err := loadRecording(path)
			checkError(t, err, tt.want)
			if err != nil && !strings.Contains(err.Error(), path) {
				t.Errorf("error %q does not name the file", err)
			}
		})
	}
}

func TestLoadRecordingUnfoldsHeaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "case.json")
	write(t, path, `{"name":"n","request":{"method":"POST","url":"https://h/p","headers":{"user-agent":"Garden/1.0\n (folded)"}},"response":{"status":200}}`)
	rec, err := loadRecording(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rec.Request.Headers["user-agent"], "Garden/1.0 (folded)"; got != want {
		t.Errorf("user-agent = %q, want %q", got, want)
	}
}
