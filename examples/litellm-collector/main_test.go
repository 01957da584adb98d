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

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// record is what is compared of a record.
type record struct {
	Model, Provider, Operation         string
	Organization, Product, Subscriber  string
	Agent, TaskType, Credential        string
	Input, Output, CacheRead, CacheNew int64
	Streamed                           bool
	Stop                               string
}

// TestReplay checks each record of the proxy's spans: who pays, from headers or
// from the key's team, and the provider's counts.
func TestReplay(t *testing.T) {
	records, err := replay(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]record)
	for _, r := range records {
		c := record{
			Model: r.Text("model"), Provider: r.Text("provider"), Operation: r.Text("operationType"),
			Organization: r.Text("organizationName"), Product: r.Text("productName"),
			Agent: r.Text("agent"), TaskType: r.Text("taskType"), Stop: r.Text("stopReason"),
		}
		if subscriber, ok := r.Fields["subscriber"].(map[string]any); ok {
			c.Subscriber, _ = subscriber["email"].(string)
			if credential, ok := subscriber["credential"].(map[string]any); ok {
				c.Credential, _ = credential["name"].(string)
			}
		}
		c.Input, _ = r.Int("inputTokenCount")
		c.Output, _ = r.Int("outputTokenCount")
		c.CacheRead, _ = r.Int("cacheReadTokenCount")
		c.CacheNew, _ = r.Int("cacheCreationTokenCount")
		c.Streamed, _ = r.Bool("isStreamed")
		got[r.Text("requestTime")[11:19]] = c
		if r.Text("environment") != "production" || r.Text("modelSource") != "LITELLM" {
			t.Errorf("record of %s: environment %q, source %q", c.Organization, r.Text("environment"), r.Text("modelSource"))
		}
	}
	want := map[string]record{
		"10:00:00": {
			Model: "gpt-4o-mini-2024-07-18", Provider: "OpenAI", Operation: "CHAT",
			Organization: "Tulip Trading", Product: "Ask the gardener", Subscriber: "ada@tulip.example", Credential: "garden-web",
			Input: 1200, Output: 85, CacheRead: 1024, Stop: "END",
		},
		// LiteLLM counts cached tokens as input, Revenium's Anthropic does not:
		// 2,050 - 1,800 - 200.
		"10:00:01": {
			Model: "claude-sonnet-4-5-20250929", Provider: "Anthropic", Operation: "CHAT",
			Organization: "Crocus Ltd", Subscriber: "bo@crocus.example", Agent: "bulb-adviser", Credential: "garden-agent",
			Input: 50, Output: 310, CacheRead: 1800, CacheNew: 200, Streamed: true, Stop: "END",
		},
		"10:00:04": {
			Model: "text-embedding-3-small", Provider: "OpenAI", Operation: "EMBED",
			Organization: "Tulip Trading", TaskType: "index", Credential: "catalogue-job", Input: 48, Stop: "END",
		},
		"10:00:06": {
			Model: "gpt-4o-mini", Provider: "OpenAI", Operation: "CHAT",
			Organization: "Tulip Trading", Credential: "garden-web", Stop: "ERROR",
		},
		// No headers: what the proxy knows of the key.
		"10:00:07": {
			Model: "gpt-4o-mini-2024-07-18", Provider: "OpenAI", Operation: "CHAT",
			Organization: "helpdesk", Subscriber: "cy@helpdesk.example", Credential: "helpdesk", Input: 90, Output: 12, Stop: "END",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, r := range records {
		if text := string(r.Body); strings.Contains(text, "plant") || strings.Contains(text, "Tulips.") {
			t.Errorf("the record has content: %s", text)
		}
	}
}

// TestRun checks what the command prints.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != records+1 {
		t.Errorf("%d lines, want a heading and %d records:\n%s", lines, records, out.String())
	}
}

// TestFiles checks that the page names every file, and that the spans are JSON.
func TestFiles(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		switch filepath.Ext(file) {
		case ".yaml", ".json":
			if !strings.Contains(string(page), "]("+file+")") {
				t.Errorf("the page does not name %s", file)
			}
		}
	}
	if !json.Valid(spans) {
		t.Error("spans.json is not JSON")
	}
}
