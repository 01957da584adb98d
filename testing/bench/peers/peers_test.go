// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter"
)

func TestChoose(t *testing.T) {
	name := func(s side) string { return s.name }
	all, err := choose(sides(), "", name)
	if err != nil || len(all) != len(sides()) {
		t.Errorf("of an empty list: %d sides, %v", len(all), err)
	}
	some, err := choose(sides(), "otlp, revenium", name)
	if err != nil || len(some) != 2 || some[0].name != "otlp" || some[1].name != "revenium" {
		t.Errorf("%v, %v", some, err)
	}
	if _, err := choose(sides(), "nobody", name); err == nil || !strings.Contains(err.Error(), "revenium-spool") {
		t.Errorf("an unknown name: %v", err)
	}
}

func TestResult(t *testing.T) {
	for name, test := range map[string]struct {
		result       result
		lost         int
		share, brief string
	}{
		"all":          {result{made: 1000, delivered: 1000}, 0, "100 %", "1000 of 1000"},
		"kept counts":  {result{made: 1000, delivered: 999, kept: 1}, 0, "100 %", "1 kept"},
		"nearly all":   {result{made: 100_000, delivered: 99_999}, 1, "99.9 %", "1 lost"},
		"one of three": {result{made: 1500, delivered: 500}, 1000, "33.3 %", "1000 lost"},
		"none":         {result{made: 300}, 300, "0.0 %", "0 of 300"},
		"nothing made": {result{}, 0, "–", "0 of 0"},
		"failed":       {result{err: errors.New("no port")}, 0, "–", "no port"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.result.lost(); got != test.lost {
				t.Errorf("lost %d, want %d", got, test.lost)
			}
			if got := test.result.share(); got != test.share {
				t.Errorf("share %s, want %s", got, test.share)
			}
			if got := test.result.brief(); !strings.Contains(got, test.brief) {
				t.Errorf("brief %q, want %q in it", got, test.brief)
			}
		})
	}
}

func TestTables(t *testing.T) {
	some := sides()[:2]
	text := tables([]result{
		{scenario: "B7", side: "revenium", done: true, made: 1000, delivered: 999, memory: 21 << 20, notes: []string{"one", "two"}},
		{scenario: "B7", side: "revenium-spool", err: errors.New("no port")},
		{scenario: "B17", side: "revenium", skipped: true},
		{scenario: "B17", side: "revenium-spool", done: true, made: 500, delivered: 500, repeated: 500, allocs: 50, bytes: 2048, collectorMemory: 40 << 20},
	}, some)
	for _, want := range []string{
		"| | revenium, memory | revenium, spool |\n|---|---|---|\n",
		"| **B7** one of 1,000 is refused for good | 99.9 % | failed |\n",
		" | – | 100 % |\n",
		"| B7 | revenium | 1000 | 999 | 0 | 1 | 0 | 0 | 0 | 21 |  |  | one; two |\n",
		"failed: no port |\n",
		"| B17 | revenium-spool | 500 | 500 | 0 | 0 | 500 | 0 | 0 | 0 + 40 | 50 | 2.0 |  |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "| B17 | revenium |") {
		t.Errorf("what does not apply has figures:\n%s", text)
	}
}

// newTestService is a service that is closed in the end.
func newTestService(t *testing.T) *service {
	t.Helper()
	s, err := newService()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// TestServiceCounts: both sides' calls are counted by the same measure, what is
// refused for good is not, and what is sent again is a repetition.
func TestServiceCounts(t *testing.T) {
	s := newTestService(t)
	send := func(p sdktrace.SpanProcessor, calls ...int) {
		t.Helper()
		for _, n := range calls {
			p.OnEnd(chatSpan(n, "", n == 7))
		}
		if err := p.Shutdown(t.Context()); err != nil {
			t.Log(err) // of the one that is refused
		}
	}
	ours, err := exporter.NewProcessor(exporter.WithAPIKey(commonKey), exporter.WithBaseURL(s.url()))
	if err != nil {
		t.Fatal(err)
	}
	send(ours, 1, 2, 7)
	if got := s.arrived(); got != (arrived{2, 0}) {
		t.Errorf("of ours %+v", got)
	}
	for range 2 {
		exp, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(s.url()+"/v1/traces"), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
		if err != nil {
			t.Fatal(err)
		}
		send(sdktrace.NewBatchSpanProcessor(exp), 1, 2, 3, 7)
	}
	if got := s.arrived(); got != (arrived{5, 3}) {
		t.Errorf("of both %+v", got)
	}
	if s.peak.Load() == 0 {
		t.Error("no connections were counted")
	}
}

// TestServiceFaults: a fault begins, ends, and does not outlive its end.
func TestServiceFaults(t *testing.T) {
	s := newTestService(t)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	try := func(key string) string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url()+"/v1/traces", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Api-Key", key)
		resp, err := client.Do(req)
		if err != nil {
			return "no answer"
		}
		_ = resp.Body.Close()
		return resp.Status[:3]
	}
	for name, test := range map[string]struct {
		fault      fault
		ofA, other string
	}{
		"none":                  {fault{}, "200", "200"},
		"refused":               {fault{refuse: true}, "no answer", "no answer"},
		"unauthorized":          {fault{unauthorized: true}, "401", "401"},
		"unauthorized, one key": {fault{unauthorized: true, deny: "tenant_a"}, "401", "200"},
		"down, one key":         {fault{down: true, deny: "tenant_a"}, "503", "200"},
	} {
		if err := s.suffer(test.fault); err != nil {
			t.Fatal(name, err)
		}
		if a, b := try(keyPrefix+"a"), try(keyPrefix+"b"); a != test.ofA || b != test.other {
			t.Errorf("%s: %s and %s, want %s and %s", name, a, b, test.ofA, test.other)
		}
		if err := s.recover(); err != nil {
			t.Fatal(name, err)
		}
		if got := try(keyPrefix + "a"); got != "200" {
			t.Errorf("after %s: %s", name, got)
		}
	}
	if err := s.suffer(fault{hang: true}); err != nil {
		t.Fatal(err)
	}
	answered := make(chan string)
	before := s.requests.Load()
	go func() { answered <- try("") }()
	for s.requests.Load() == before {
		time.Sleep(time.Millisecond)
	}
	if err := s.recover(); err != nil {
		t.Fatal(err)
	}
	if got := <-answered; got != "200" {
		t.Errorf("what hung: %s", got)
	}
}

func TestCountLines(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"letters.jsonl": "{}\n{}\n", "lock": "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := countLines(dir); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := countLines(filepath.Join(dir, "none")); err == nil {
		t.Error("a directory that is not there has no lines")
	}
}

// TestCollectorVersion: the tables name the version that is measured.
func TestCollectorVersion(t *testing.T) {
	manifest, err := os.ReadFile("../../../cmd/otelcol-revenium/manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(manifest), "otlphttpexporter "+collectorVersion+"\n") {
		t.Errorf("the distribution has another otlphttpexporter than %s", collectorVersion)
	}
}
