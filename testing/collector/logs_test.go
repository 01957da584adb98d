// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"os"
	"slices"
	"testing"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestLogEvents has the production configuration take the log events of coding
// assistants, and the span of a call of which one of them tells, in either order
// and more than once. Each call is one record, and byte by byte that of a preview.
func TestLogEvents(t *testing.T) {
	events := root(t, "cmd", "revenium-otel", "internal", "preview", "testdata", "assistant-logs.json")
	spans := root(t, "cmd", "revenium-otel", "internal", "preview", "testdata", "assistant-spans.json")
	type export struct{ path, file string }
	logs, traces := export{"/v1/logs", events}, export{"/v1/traces", spans}
	for name, exports := range map[string][]export{
		"events":     {logs},
		"both":       {logs, traces, logs},
		"span first": {traces, logs, traces},
	} {
		t.Run(name, func(t *testing.T) {
			srv := reveniumtest.Start(t)
			p := launch(t, t.TempDir(), []string{withKey, "REVENIUM_METERING_BASE_URL=" + srv.URL()},
				"--config", root(t, "collector-config.yaml"), "--config", anyPorts(),
				"--config", "yaml:exporters::revenium::selection::settle_window: 1s")
			p.waitReady(t)
			var files []string
			for i, e := range exports {
				body, err := os.ReadFile(e.file)
				if err != nil {
					t.Fatal(err)
				}
				address := p.http["otlp"]
				if i%2 == 1 {
					address = p.http["otlp/metering"]
				}
				if err := post(t.Context(), address+e.path, "application/json", body); err != nil {
					t.Fatal(err)
				}
				files = append(files, e.file)
			}
			want := preview(t, files)
			wait(t, srv, len(want))
			p.stop(t)
			checkRecords(t, srv, want)
		})
	}
}

// TestKillBetweenSpanAndLogEvent kills the Collector as soon as it has taken the span
// of a call, or the log events of a session of which one tells of that call, and has
// the next process take the other. What the first remembered lies in the storage
// extension, so that each call is one record all the same.
func TestKillBetweenSpanAndLogEvent(t *testing.T) {
	logs := root(t, "cmd", "revenium-otel", "internal", "preview", "testdata", "assistant-logs.json")
	traces := root(t, "cmd", "revenium-otel", "internal", "preview", "testdata", "assistant-spans.json")
	for name, files := range map[string][]string{"span first": {traces, logs}, "event first": {logs, traces}} {
		t.Run(name, func(t *testing.T) {
			srv := reveniumtest.Start(t)
			dir := t.TempDir()
			want := preview(t, files)
			for i, file := range files {
				p := launch(t, dir, []string{withKey, "REVENIUM_METERING_BASE_URL=" + srv.URL()},
					"--config", root(t, "collector-config.yaml"), "--config", anyPorts(),
					"--config", "yaml:exporters::revenium::selection::settle_window: 1s")
				p.waitReady(t)
				body, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				path := "/v1/traces"
				if file == logs {
					path = "/v1/logs"
				}
				if err := post(t.Context(), p.http["otlp"]+path, "application/json", body); err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					p.kill(t)
					continue
				}
				wait(t, srv, len(want))
				p.stop(t)
			}
			checkRecords(t, srv, want)
		})
	}
}

// checkRecords checks that the records are the four of a preview, each once.
func checkRecords(t *testing.T, srv *reveniumtest.Server, want map[string][]byte) {
	t.Helper()
	var got []string
	for _, r := range srv.Records() {
		got = append(got, r.TransactionID)
		if string(r.Body) != string(want[r.TransactionID]) {
			t.Errorf("record %s\nof preview %s", r.Body, want[r.TransactionID])
		}
	}
	if slices.Sort(got); len(got) != 4 || len(want) != 4 || len(slices.Compact(got)) != 4 {
		t.Errorf("records %v, %d in a preview, want 4, each once", got, len(want))
	}
}
