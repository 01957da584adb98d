// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRun checks that 1 % of the traces sampled meters all calls, each once,
// though the spans of sampled traces reach the Collector twice.
func TestRun(t *testing.T) {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER"} {
		t.Setenv(name, "")
	}
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	const want = "200 requests, 1 % of the traces sampled, 200 records of LLM calls: map[Acme:100 Globex:100]\n"
	if out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
}
