// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

var sandboxListens = regexp.MustCompile(`Revenium +(http://\S+)`)

// TestLocalConfig does what the head of collector-config.local.yaml says: the sandbox,
// the Collector, and the spans of a LiteLLM proxy by hand. The sandbox shows their
// records, and none that Revenium would misunderstand.
func TestLocalConfig(t *testing.T) {
	sandbox := launchProgram(t, binaries.tool, t.TempDir(), nil, "sandbox", "--revenium-addr", "127.0.0.1:0", "--llm-addr", "127.0.0.1:0", "--json")
	var address string
	eventually(t, "the start of the sandbox", func() bool {
		if m := sandboxListens.FindStringSubmatch(sandbox.log.text()); m != nil {
			address = m[1]
		}
		return address != ""
	})
	p := launch(t, t.TempDir(), nil, "--config", root(t, "collector-config.local.yaml"),
		"--config", `yaml:{receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}, `+
			`service: {telemetry: {metrics: {level: none, readers: []}}}}`,
		"--config", "yaml:exporters::revenium::http::endpoint: "+address)
	p.waitReady(t)
	spans, err := os.ReadFile(root(t, "examples", "litellm-collector", "spans.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := post(t.Context(), p.http["otlp"]+"/v1/traces", "application/json", spans); err != nil {
		t.Fatal(err)
	}
	const records = 5 // four calls and a failed one
	eventually(t, "the sandbox showing the records", func() bool { return len(shownRecords(t, sandbox)) >= records })
	p.stop(t)
	for _, r := range shownRecords(t, sandbox) {
		if r["organizationName"] == nil || r["inputTokenCount"] == nil {
			t.Errorf("record %v", r)
		}
	}
	if got := len(shownRecords(t, sandbox)); got != records || strings.Contains(sandbox.log.text(), `"type":"violation"`) {
		t.Errorf("%d records, want %d and no violation:\n%s", got, records, sandbox.log.text())
	}
}

// shownRecords are the records that the sandbox has printed.
func shownRecords(tb testing.TB, sandbox *process) (records []map[string]any) {
	tb.Helper()
	for line := range strings.Lines(sandbox.log.text()) {
		var entry struct {
			Type   string         `json:"type"`
			Record map[string]any `json:"record"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Type == "record" {
			records = append(records, entry.Record)
		}
	}
	return records
}

// TestMetricsOfProductionConfig looks at the metrics of the configuration of the
// repository's root as Prometheus does: under the names that the exporter's page has,
// and the two sums hold.
func TestMetricsOfProductionConfig(t *testing.T) {
	srv := reveniumtest.Start(t)
	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusUnprocessableEntity, Model: "poison"})
	config, err := os.ReadFile(root(t, "collector-config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	file := t.TempDir() + "/config.yaml"
	if err := os.WriteFile(file, []byte(strings.Replace(string(config), "port: 8888", "port: "+port, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, t.TempDir(), []string{withKey, "REVENIUM_METERING_BASE_URL=" + srv.URL()}, "--config", file,
		"--config", `yaml:{extensions: {health_check: {endpoint: "127.0.0.1:0"}}, receivers: {`+
			`otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}},`+
			`otlp/metering: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}}`)
	p.waitReady(t)
	td := calls(0, 30, "gpt-4o")
	calls(30, 1, "poison").ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
	for range 2 { // the second time they are replays
		if err := send(t.Context(), p.http["otlp"], td); err != nil {
			t.Fatal(err)
		}
	}
	if err := send(t.Context(), p.http["otlp"], one(40, 2, 1, failure)); err != nil { // waits
		t.Fatal(err)
	}
	var m map[string]float64
	eventually(t, "the delivery", func() bool {
		m = scrape(t, port)
		return m[`records_finished{outcome="delivered"}`] == 30 && m[`records_finished{outcome="dead"}`] == 1
	})
	for name, want := range map[string]float64{
		"spans_converted":                  63,
		`spans_decided{decision="billed"}`: 31,
		"spans_held":                       1,
		"records_pending":                  0,
		"spans_remembered":                 32,
	} {
		if m[name] != want {
			t.Errorf("%s is %v, want %v", name, m[name], want)
		}
	}
	if m["spans_converted"] != m["spans_decided"]+m["spans_held"] {
		t.Errorf("%v converted, but %v decided and %v held", m["spans_converted"], m["spans_decided"], m["spans_held"])
	}
	if in, out := m[`spans_decided{decision="billed"}`]+m["records_recovered"], m["records_finished"]+m["records_pending"]; in != out {
		t.Errorf("%v billed and recovered, but %v finished and pending", in, out)
	}
	p.stop(t)
}

var sample = regexp.MustCompile(`(?m)^otelcol_exporter_revenium_(\w+)\{(.*)\} (\S+)$`)

// scrape returns the exporter's own metrics, summed over all attributes, and also by
// outcome and decision.
func scrape(tb testing.TB, port string) map[string]float64 {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, "http://127.0.0.1:"+port+"/metrics", http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	m := make(map[string]float64)
	by := regexp.MustCompile(`\b(outcome|decision)="(\w+)"`)
	for _, s := range sample.FindAllStringSubmatch(string(text), -1) {
		value, err := strconv.ParseFloat(s[3], 64)
		if err != nil {
			tb.Fatal(err)
		}
		m[s[1]] += value
		if a := by.FindStringSubmatch(s[2]); a != nil {
			m[fmt.Sprintf("%s{%s=%q}", s[1], a[1], a[2])] += value
		}
	}
	return m
}
