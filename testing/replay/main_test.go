// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// execute runs the command and returns what it wrote.
func execute(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = command(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestCheckOwnCases(t *testing.T) {
	code, out, errs := execute(t, "--check", "testdata")
	if code != exitOK || out != "32 passed, 0 failed\n" || errs != "" {
		t.Errorf("exit code %d, output:\n%s%s", code, out, errs)
	}
}

// A check that cannot fail checks nothing.
func TestCheckFails(t *testing.T) {
	code, out, errs := execute(t, "testdata/failing/wrong-count.json", "testdata/chat.json", "--check")
	want := strings.Join([]string{
		`FAIL wrong-count (openai.chat)`,
		`  provider: got "openai", want "azure.ai.openai"`,
		`  stopReason: got "END", want "TOKEN_LIMIT"`,
		`  tokens.output: got 90, want 91`,
		`  tokens.total: got 1290, want 1291`,
		`  record.stopReason: got END, want TOKEN_LIMIT`,
		`  record.outputTokenCount: got 90, want 91`,
		`  record.totalTokenCount: got 1290, want 1291`,
		`1 passed, 1 failed`,
		``,
	}, "\n")
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
	if code != exitFailed || errs != "" {
		t.Errorf("exit code %d, stderr %q", code, errs)
	}
}

// A case of an API that the transport does not know fails.
func TestCheckUnknownAPI(t *testing.T) {
	rec := load(t, "testdata/chat.json")
	rec.Request.URL = "https://api.garden.example/v9/tulips"
	path := filepath.Join(t.TempDir(), "case.json")
	text, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(text))
	code, out, _ := execute(t, "--check", path)
	if code != exitFailed || !strings.Contains(out, `  api: got null, want "openai.chat"`) || !strings.HasSuffix(out, "\n0 passed, 1 failed\n") {
		t.Errorf("exit code %d, output:\n%s", code, out)
	}
}

func TestReplayPrintsOneLine(t *testing.T) {
	code, out, errs := execute(t, "testdata/chat.json", "testdata/chat-stream-no-usage.json", "testdata/not-a-call.json")
	if code != exitOK || errs != "" {
		t.Fatalf("exit code %d, stderr %q", code, errs)
	}
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3:\n%s", len(lines), out)
	}
	want := `{"name":"chat","call":{"api":"openai.chat","provider":"openai","operation":"chat","billable":true,` +
		`"requestModel":"gpt-5-nano","responseModel":"gpt-5-nano-2025-08-07","streamed":false,"errorType":null,` +
		`"responseId":"chatcmpl-garden1","requestIds":{"x-request-id":"req_garden_1"},"finishReasons":["stop"],"stopReason":"END","usageReported":true,` +
		`"tokens":{"input":1200,"inputUncached":176,"cacheRead":1024,"cacheCreation":null,"output":90,"reasoning":64,"total":1290}},"record":{`
	if !strings.HasPrefix(lines[0], want) {
		t.Errorf("line:\n%s\nwant it to begin with:\n%s", lines[0], want)
	}
	if !strings.HasSuffix(lines[1], `"stopReason":"END","usageReported":false,"tokens":null},"record":null}`) {
		t.Errorf("line of a call without usage:\n%s", lines[1])
	}
	want = `{"name":"not-a-call","call":{"api":null,"provider":null,"operation":null,"billable":false,` +
		`"requestModel":null,"responseModel":null,"streamed":false,"errorType":null,` +
		`"responseId":null,"requestIds":{},"finishReasons":[],"stopReason":null,"usageReported":false,"tokens":null},"record":null}`
	if lines[2] != want {
		t.Errorf("line:\n%s\nwant:\n%s", lines[2], want)
	}
}

func TestChoosesCases(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--api", "openai.embeddings,openai.completions"}, "2 passed, 0 failed\n"},
		{[]string{"--api", "openai.embeddings", "--api", "openai.chat"}, "9 passed, 0 failed\n"},
		{[]string{"--name", "chat,embeddings"}, "2 passed, 0 failed\n"},
		{[]string{"--api", "openai.chat", "--name", "embeddings"}, "0 passed, 0 failed\n"},
	} {
		code, out, _ := execute(t, append([]string{"--check", "testdata"}, tt.args...)...)
		if out != tt.want {
			t.Errorf("%v: %q, want %q", tt.args, out, tt.want)
		}
		if wantCode := map[bool]int{true: exitFailed, false: exitOK}[strings.HasPrefix(tt.want, "0 passed")]; code != wantCode {
			t.Errorf("%v: exit code %d, want %d", tt.args, code, wantCode)
		}
	}
}

func TestCheckWithJSON(t *testing.T) {
	_, out, _ := execute(t, "--check", "--json", "testdata/chat.json")
	lines := strings.Split(out, "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], `{"name":"chat",`) || lines[1] != "1 passed, 0 failed" {
		t.Errorf("output:\n%s", out)
	}
}

func TestUsage(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.json")
	write(t, broken, "{")
	for name, tt := range map[string]struct {
		args []string
		code int
		want string // on stderr
	}{
		"no arguments": {nil, exitUsage, "Usage: replay"},
		"help":         {[]string{"-h"}, exitOK, "--check"},
		"unknown flag": {[]string{"--loud"}, exitUsage, "unknown flag: --loud"},
		"missing":      {[]string{"nowhere.json"}, exitFailed, "nowhere.json: no such file"},
		"broken":       {[]string{broken}, exitFailed, "not a recorded exchange"},
	} {
		code, _, errs := execute(t, tt.args...)
		if code != tt.code || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: exit code %d, want %d; stderr %q, want it to contain %q", name, code, tt.code, errs, tt.want)
		}
	}
	// What can be read is run all the same.
	code, out, _ := execute(t, "--check", broken, "testdata/chat.json", "nowhere.json")
	if code != exitFailed || out != "1 passed, 2 failed\n" {
		t.Errorf("exit code %d, output %q", code, out)
	}
}

// TestSharedRecordings runs the cases of real traffic, where they are at hand.
func TestSharedRecordings(t *testing.T) {
	dir := filepath.Join(workspace(t), "..", "shared", "recordings")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no recorded traffic here: %v", err)
	}
	if code, out, errs := execute(t, "--check", dir); code != 0 || errs != "" {
		t.Errorf("exit code %d, output:\n%s%s", code, out, errs)
	}
}

// workspace is the directory of go.work.
func workspace(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for !fileExists(filepath.Join(dir, "go.work")) {
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Skip("not in a workspace, hence no recorded traffic beside it")
		}
		dir = parent
	}
	return dir
}
