// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package preview

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// explained previews a span and a failed one, which is held before it is decided,
// and returns their lines.
func explained(t *testing.T, opts Options) []Line {
	t.Helper()
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("revenium.product.name", "assistant")
	spans := resource.ScopeSpans().AppendEmpty().Spans()
	for i, organization := range []string{"header", "context"} {
		span := spans.AppendEmpty()
		span.SetTraceID([16]byte{1, byte(i)})
		span.SetSpanID([8]byte{2, byte(i)})
		span.SetParentSpanID([8]byte{3})
		start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Second)))
		a := span.Attributes()
		a.PutStr("gen_ai.operation.name", "chat")
		a.PutStr("gen_ai.provider.name", "openai")
		a.PutStr("gen_ai.request.model", "gpt-4o")
		a.PutStr("revenium.organization.name", "Acme")
		a.PutStr("revenium.task.type", "research")
		origin := a.PutEmptySlice("revenium.attribution.origin")
		origin.AppendEmpty().SetStr("organizationName=" + organization)
		origin.AppendEmpty().SetStr("nonsense")
		if i == 0 {
			span.Status().SetCode(ptrace.StatusCodeError) // waits for its retry
			a.PutInt("http.response.status_code", 500)
			continue
		}
		a.PutInt("gen_ai.usage.input_tokens", 10)
		a.PutInt("gen_ai.usage.output_tokens", 5)
	}
	data, err := new(ptrace.JSONMarshaler).MarshalTraces(traces)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Run([]string{Stdin}, bytes.NewReader(data), &out, func(err error) { t.Error(err) }, opts); err != nil {
		t.Fatal(err)
	}
	var lines []Line
	for decoder := json.NewDecoder(&out); decoder.More(); {
		var line Line
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestExplain(t *testing.T) {
	want := map[string]string{"usage": "context", "error": "header"}
	for _, line := range explained(t, Options{Explain: true}) {
		got := map[string]Source{}
		for _, s := range line.Sources {
			got[s.Field] = s
		}
		for _, s := range []Source{
			{"organizationName", "revenium.organization.name", want[line.Reason]},
			{"taskType", "revenium.task.type", "span"}, // set on the span itself
			{"productName", "revenium.product.name", "resource"},
			{"model", "gen_ai.request.model", "span"},
		} {
			if diff := cmp.Diff(s, got[s.Field]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", line.Reason, diff)
			}
		}
		delete(want, line.Reason)
	}
	if len(want) > 0 {
		t.Errorf("no lines of %v", want)
	}
	for _, line := range explained(t, Options{}) {
		if line.Sources != nil {
			t.Errorf("sources that nobody asked for: %v", line.Sources)
		}
	}
}
