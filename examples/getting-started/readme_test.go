// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"log"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/revenium/revenium-otel-go/examples/internal/offline"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestReadme checks that every piece of Go in the README stands, word for word,
// in the file that is compiled and run here.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("snippets_test.go")
	if err != nil {
		t.Fatal(err)
	}
	compiled := unindented(string(source))
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) < 5 {
		t.Fatalf("the README has %d pieces of Go, want at least 5", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(compiled, unindented(block[1])) {
			t.Errorf("not in snippets_test.go:\n%s", block[1])
		}
	}
}

// unindented is the code without indentation and empty lines.
func unindented(code string) string {
	var lines []string
	for line := range strings.Lines(code) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// clearForTest clears the environment as the program does, and puts it back when
// the test ends, with a global provider that records nothing.
func clearForTest(t *testing.T) {
	t.Helper()
	for _, name := range offline.Variables() {
		t.Setenv(name, os.Getenv(name)) // puts it back
	}
	if err := offline.ClearEnvironment(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })
}

// services of the README's code, found through the environment as a user's would
// be.
func readmeServices(t *testing.T) (*llmtest.Server, *reveniumtest.Server) {
	t.Helper()
	clearForTest(t)
	llm, metering := llmtest.Start(t), reveniumtest.Start(t)
	t.Setenv("REVENIUM_METERING_API_KEY", "rev_mk_test_readme")
	t.Setenv("REVENIUM_METERING_BASE_URL", metering.URL())
	t.Setenv("OPENAI_BASE_URL", llm.BaseURL())
	t.Setenv("OPENAI_API_KEY", "sk-test-no-real-key")
	return llm, metering
}

func TestReadmeMeterClient(t *testing.T) {
	var logged bytes.Buffer
	log.SetOutput(&logged)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	_, metering := readmeServices(t)
	if err := meterClient(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := metering.Completions(); len(got) != 1 || got[0].Text("model") != "gpt-4o-mini" {
		t.Errorf("got %v, want one record of gpt-4o-mini", got)
	}
	if !strings.Contains(logged.String(), "1 records delivered") {
		t.Errorf("logged %q, want one record delivered", logged.String())
	}
}

func TestReadmeExistingProvider(t *testing.T) {
	llm, metering := readmeServices(t)
	yours := tracetest.NewSpanRecorder()
	provider, err := existingProvider(yours)
	if err != nil {
		t.Fatal(err)
	}
	otel.SetTracerProvider(provider)
	yourCode(t.Context(), llm.BaseURL())
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	records := metering.Completions()
	if len(records) != 1 || records[0].Text("productName") != "search" {
		t.Errorf("got %v, want one record of product search", records)
	}
}

func TestReadmeWhoPays(t *testing.T) {
	llm, metering := readmeServices(t)
	provider, err := existingProvider(tracetest.NewSpanRecorder())
	if err != nil {
		t.Fatal(err)
	}
	otel.SetTracerProvider(provider)
	whoPays(t.Context(), llm.BaseURL())
	if _, err := (service{}).attributed(t.Context(), question{Tenant: "Globex", BaseURL: llm.BaseURL()}); err != nil {
		t.Fatal(err)
	}
	shutdownProvider(t, provider)
	records := metering.Completions()
	slices.SortFunc(records, func(a, b reveniumtest.Record) int { // they are sent side by side
		return cmp.Compare(a.Text("organizationName"), b.Text("organizationName"))
	})
	if len(records) != 2 || records[1].Text("organizationName") != "Globex" || records[1].Text("agent") != "Lead Analyst" {
		t.Fatalf("got %v, want a second record of Globex", records)
	}
	if records[0].Text("organizationName") != "Acme" || records[0].Text("taskType") != "summarize" || records[0].Text("subscriber.id") != "user-4711" {
		t.Errorf("got %v, want a first record of Acme", records[0])
	}
}

func TestReadmeAnyClient(t *testing.T) {
	_, metering := readmeServices(t)
	provider, err := existingProvider(tracetest.NewSpanRecorder())
	if err != nil {
		t.Fatal(err)
	}
	otel.SetTracerProvider(provider)
	err = anyClient(t.Context(), func(context.Context) (answer, error) { return answer{InputTokens: 31, OutputTokens: 7}, nil })
	if err != nil {
		t.Fatal(err)
	}
	shutdownProvider(t, provider)
	records := metering.Completions()
	if len(records) != 1 || records[0].Text("inputTokenCount") != "31" || records[0].Text("provider") != "Mistral" {
		t.Errorf("got %v, want one record of Mistral with 31 input tokens", records)
	}
}

func shutdownProvider(t *testing.T, provider *sdktrace.TracerProvider) {
	t.Helper()
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}
