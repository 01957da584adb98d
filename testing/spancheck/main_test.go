// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/convert/pdataview"
)

// run runs a command line.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = command(args, &out, &errs)
	return code, out.String(), errs.String()
}

// The project's own cases: one for each dialect and each way in which a call can
// be there more than once.
func TestOwnCases(t *testing.T) {
	code, out, _ := run(t, "--check", "testdata")
	if code != exitOK {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// Spans of many real libraries, where they are at hand.
func TestSharedCases(t *testing.T) {
	const shared = "../../../shared/spans"
	if _, err := os.Stat(shared); err != nil {
		t.Skipf("the shared cases are not here: %v", err)
	}
	code, out, _ := run(t, "--check", shared)
	if code != exitOK {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// writeCases writes an index of one case with an altered expectation of one of the
// project's own.
func writeCase(t *testing.T, name string, alter func(expected map[string]any)) string {
	t.Helper()
	data, err := os.ReadFile("testdata/index.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var c map[string]any
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		if c["name"] != name {
			continue
		}
		dir := t.TempDir()
		for _, file := range c["files"].([]any) {
			spans, err := os.ReadFile(filepath.Join("testdata", file.(string)))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, file.(string)), spans, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		alter(c["expected"].(map[string]any))
		altered, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		index := filepath.Join(dir, "index.jsonl")
		if err := os.WriteFile(index, altered, 0o644); err != nil {
			t.Fatal(err)
		}
		return index
	}
	t.Fatalf("no case %q", name)
	return ""
}

// A check that finds nothing is worth nothing: whatever is expected differently is
// told.
func TestDifferencesAreTold(t *testing.T) {
	first := func(expected map[string]any) map[string]any { return expected["calls"].([]any)[0].(map[string]any) }
	tests := map[string]struct {
		name  string
		alter func(expected map[string]any)
		want  string
	}{
		"number": {"otel-conventions", func(e map[string]any) { e["requests"] = 2 }, "records with usage: got 1, want 2"},
		"span":   {"otel-conventions", func(e map[string]any) { first(e)["spanId"] = "0102030405060708" }, "is no expected call"},
		"model":  {"otel-conventions", func(e map[string]any) { c := first(e); c["model"], c["modelAccept"] = "m", nil }, "model: got gpt-5-mini-2025-08-07, want m"},
		"provider": {"otel-conventions", func(e map[string]any) {
			c := first(e)
			c["provider"], c["providerAccept"] = "groq", nil
		}, "provider: got OpenAI, want groq"},
		"operation": {"otel-conventions", func(e map[string]any) { first(e)["operationType"] = "EMBED" }, "operationType: got CHAT"},
		"stop":      {"otel-conventions", func(e map[string]any) { first(e)["stopReason"] = "END" }, "stopReason: got TOKEN_LIMIT"},
		"stream":    {"otel-conventions", func(e map[string]any) { first(e)["streamed"] = false }, "streamed: got true"},
		"ttft":      {"otel-conventions", func(e map[string]any) { first(e)["ttftMs"] = 303 }, "timeToFirstToken: got 300, want 303"},
		"no ttft":   {"otel-conventions", func(e map[string]any) { first(e)["ttftMs"] = nil }, "timeToFirstToken: got 300, want none"},
		"input":     {"otel-conventions", func(e map[string]any) { first(e)["tokens"].(map[string]any)["input"] = 1 }, "tokens.input: got 900, want 1"},
		"output":    {"otel-conventions", func(e map[string]any) { first(e)["tokens"].(map[string]any)["output"] = 1 }, "tokens.output: got 77, want 1"},
		"cache":     {"otel-conventions", func(e map[string]any) { first(e)["tokens"].(map[string]any)["cacheRead"] = nil }, "tokens.cacheRead: got 640, want none"},
		"sum":       {"otel-conventions", func(e map[string]any) { e["sum"].(map[string]any)["output"] = 1 }, "sum of output: got 77, want 1"},
		"effort":    {"codex", func(e map[string]any) { first(e)["effort"] = "low" }, `effort: got "high", want "low"`},
		"duration":  {"codex", func(e map[string]any) { first(e)["durationMs"] = 29 }, "requestDuration: got 820, want 29"},
		"attribution": {"envoy-gen-ai", func(e map[string]any) {
			first(e)["attribution"].(map[string]any)["revenium.organization"] = "Crocus"
		}, `revenium.organization: got "Tulip Trading", want "Crocus"`},
		"errors":  {"genkit", func(e map[string]any) { e["calls"], e["requests"] = []any{}, 0 }, "is no expected call"},
		"failure": {"openinference-error", func(e map[string]any) { e["errorCalls"] = 0 }, "records of failed calls: got 1, want at most 0"},
		"status":  {"openinference-error", func(e map[string]any) { first(e)["httpStatus"] = 500 }, "errorCode: got 400, want 500"},
		"missing": {"no-calls", func(e map[string]any) {
			e["calls"] = []any{map[string]any{"kind": "usage", "spanId": "0102030405060708"}}
		}, "not billed: no decision about this span"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			code, out, _ := run(t, "--check", writeCase(t, tt.name, tt.alter))
			if code != exitFailed || !strings.Contains(out, tt.want) || !strings.HasSuffix(out, "0 passed, 1 failed\n") {
				t.Errorf("exit code %d, want %d and %q in:\n%s", code, exitFailed, tt.want, out)
			}
		})
	}
}

func TestOutcomeLines(t *testing.T) {
	code, out, errs := run(t, "--name", "ai-sdk-7", "testdata")
	if code != exitOK || errs != "" {
		t.Fatalf("exit code %d, %s", code, errs)
	}
	var got outcome
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "ai-sdk-7" || len(got.Records) != 2 || len(got.Others) != 3 {
		t.Errorf("got %s", out)
	}
}

func TestUsage(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.jsonl")
	if err := os.WriteFile(bad, []byte(`{"name": "x"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(dir, "gone.jsonl")
	if err := os.WriteFile(gone, []byte(`{"name": "x", "files": ["gone.json"], "expected": {}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		args []string
		code int
	}{
		"no arguments":      {nil, exitUsage},
		"help":              {[]string{"-h"}, exitOK},
		"unknown flag":      {[]string{"--nothing"}, exitUsage},
		"no such index":     {[]string{"nowhere"}, exitFailed},
		"bad index":         {[]string{bad}, exitFailed},
		"no such file":      {[]string{"--check", gone}, exitFailed},
		"a check of nobody": {[]string{"--check", "--name", "nobody", "testdata"}, exitFailed},
		"one dialect":       {[]string{"--check", "--dialect", "genkit,mastra", "testdata"}, exitOK},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if code, out, errs := run(t, tt.args...); code != tt.code {
				t.Errorf("exit code %d, want %d\n%s%s", code, tt.code, out, errs)
			}
		})
	}
}

// BenchmarkDialects converts the spans of each case, over and over as new ones.
func BenchmarkDialects(b *testing.B) {
	cases, err := loadIndex("testdata")
	if err != nil {
		b.Fatal(err)
	}
	for i := range cases {
		c := &cases[i]
		if c.Dialect == "duplicates" || len(c.Files) > 1 {
			continue
		}
		data, err := os.ReadFile(filepath.Join(c.dir, c.Files[0]))
		if err != nil {
			b.Fatal(err)
		}
		traces, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces(data)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.Name, func(b *testing.B) {
			converter, err := convert.New(options()...)
			if err != nil {
				b.Fatal(err)
			}
			var decisions []convert.Decision
			n := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				for span := range pdataview.Spans(traces) {
					n++
					decisions = converter.Convert(decisions[:0], renamed{View: span, round: n / uint64(traces.SpanCount())})
					for j := range decisions {
						decisions[j].Release()
					}
				}
				decisions = converter.Flush(decisions[:0])
				for j := range decisions {
					decisions[j].Release()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/span")
		})
	}
}

// renamed is a span of another trace in every round.
type renamed struct {
	*pdataview.View
	round uint64
}

// TraceID is that of the span, made another.
func (r renamed) TraceID() [16]byte {
	id := r.View.TraceID()
	for i := range 8 {
		id[i] ^= byte(r.round >> (8 * i))
	}
	return id
}
