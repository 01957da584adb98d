// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRun checks that 1 % of the traces sampled meters all calls, each once,
// though the spans of sampled traces reach the Collector twice.
func TestRun(t *testing.T) {
	var strayed atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	defer trap.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", trap.URL)
	t.Setenv("OTEL_TRACES_EXPORTER", "otlp")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "revenium.organization.name=Somebody Else")
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	const want = "200 requests, 1 % of the traces sampled, 200 records of LLM calls: map[Acme:100 Globex:100]\n"
	if out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
	if n := strayed.Load(); n != 0 {
		t.Errorf("%d requests went where the environment points", n)
	}
}
