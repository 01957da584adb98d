// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// TestEncode checks that a tenth of the spans are LLM calls.
func TestEncode(t *testing.T) {
	bodies, err := encode(options{spans: 1000, batch: 200})
	if err != nil || len(bodies) != 5 {
		t.Fatalf("%d requests, %v; want 5", len(bodies), err)
	}
	spans, calls := 0, 0
	for _, body := range bodies {
		req := ptraceotlp.NewExportRequest()
		if err := req.UnmarshalProto(body); err != nil {
			t.Fatal(err)
		}
		for _, rs := range req.Traces().ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					spans++
					if _, ok := s.Attributes().Get("gen_ai.usage.input_tokens"); ok {
						calls++
					}
				}
			}
		}
	}
	if spans != 1000 || calls != 100 {
		t.Errorf("%d spans, %d calls", spans, calls)
	}
}

func TestMedians(t *testing.T) {
	got := medians([]result{{cpu: 3 * time.Second, memory: 10}, {cpu: time.Second, memory: 30}, {cpu: 2 * time.Second, memory: 20}})
	if got.cpu != 2*time.Second || got.memory != 20 {
		t.Errorf("got %+v", got)
	}
}
