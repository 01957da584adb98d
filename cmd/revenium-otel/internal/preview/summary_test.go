// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package preview

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSummary(t *testing.T) {
	s := newSummary()
	s.spans = 1234
	for _, line := range []Line{
		{Decision: "billed", Reason: "usage", Record: json.RawMessage(`{"model":"gpt-5-nano","provider":"OpenAI","operationType":"CHAT","organizationName":"Tulip Trading",
			"inputTokenCount":1200000,"cacheReadTokenCount":1024,"outputTokenCount":90,"reasoningTokenCount":64,"totalTokenCount":1200090,"stopReason":"END"}`)},
		{Decision: "billed", Reason: "usage", Record: json.RawMessage(`{"model":"gpt-5-nano","provider":"OpenAI","operationType":"CHAT","organizationName":"Tulip Trading",
			"inputTokenCount":3,"cacheCreationTokenCount":2,"outputTokenCount":1,"totalTokenCount":4,"stopReason":"TOKEN_LIMIT"}`)},
		{Decision: "billed", Reason: "error", Record: json.RawMessage(`{"model":"gpt-5-nano","provider":"OpenAI","operationType":"CHAT","organizationName":"Tulip Trading",
			"inputTokenCount":0,"outputTokenCount":0,"totalTokenCount":0,"stopReason":"ERROR"}`)},
		{Decision: "billed", Reason: "usage", Record: json.RawMessage(`{"model":"claude","provider":"Anthropic","operationType":"CHAT",
			"inputTokenCount":5,"outputTokenCount":6,"totalTokenCount":11,"stopReason":"END"}`)},
		{Decision: "suppressed", Reason: "replay"},
		{Decision: "skipped", Reason: "invalid record: model is blank"},
		{Decision: "skipped", Reason: "invalid record: requestTime is missing; model is blank"},
	} {
		if err := s.add(line); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := s.write(&out); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		`ORGANIZATION   PROVIDER   MODEL       OPERATION  RECORDS  FAILED      INPUT  CACHE READ  CACHE WRITE  OUTPUT  REASONING      TOTAL`,
		`-              Anthropic  claude      CHAT             1       0          5           0            0       6          0         11`,
		`Tulip Trading  OpenAI     gpt-5-nano  CHAT             3       1  1,200,003       1,024            2      91         64  1,200,094`,
		`all                                                    4       1  1,200,008       1,024            2      97         64  1,200,105`,
		``,
		`DECISION    REASON          SPANS`,
		`billed      error               1`,
		`billed      usage               3`,
		`skipped     invalid record      2`,
		`suppressed  replay              1`,
		`not GenAI                   1,227`,
		`all                         1,234`,
		``,
	}, "\n")
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestSummaryOfNothing(t *testing.T) {
	var out strings.Builder
	if err := newSummary().write(&out); err != nil {
		t.Fatal(err)
	}
	want := "DECISION   REASON  SPANS\nnot GenAI              0\nall                    0\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestSummaryBrokenRecord(t *testing.T) {
	if err := newSummary().add(Line{SpanID: "a1", Record: json.RawMessage(`{"model":7}`)}); err == nil || !strings.Contains(err.Error(), "span a1") {
		t.Errorf("add: %v, want an error that names the span", err)
	}
}
