// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package pdataview_test

import (
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/convert/pdataview"
)

// apiRequest adds the event of a call of Claude Code.
func apiRequest(records plog.LogRecordSlice, at time.Time) plog.LogRecord {
	r := records.AppendEmpty()
	r.SetTimestamp(pcommon.NewTimestampFromTime(at))
	r.Body().SetStr("claude_code.api_request")
	a := r.Attributes()
	a.PutStr("event.name", "api_request")
	a.PutStr("session.id", "7c0f")
	a.PutStr("model", "claude-sonnet-4-5-20250929")
	a.PutStr("input_tokens", "12")
	a.PutStr("output_tokens", "340")
	a.PutStr("cache_read_tokens", "20100")
	a.PutStr("duration_ms", "4200")
	a.PutStr("request_id", "req_1")
	return r
}

// assistantLogs returns an export of Claude Code with the events that fill adds.
func assistantLogs(fill func(plog.LogRecordSlice)) plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "claude-code")
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName("com.anthropic.claude_code.events")
	fill(sl.LogRecords())
	logs.MarkReadOnly()
	return logs
}

func ExampleLogs() {
	converter, err := convert.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	logs := assistantLogs(func(records plog.LogRecordSlice) { apiRequest(records, start) })
	for view := range pdataview.Logs(logs) {
		for _, d := range converter.Convert(nil, view) {
			fmt.Println(d.SpanName, d.Kind, d.Reason)
		}
	}
	// Output: claude_code.api_request billed usage
}

// TestLogIdentity: what says the same is the same record, whatever the order of its
// attributes and whatever was added to its resource; what says anything else is
// another one.
func TestLogIdentity(t *testing.T) {
	base := func() (plog.LogRecord, pcommon.InstrumentationScope, pcommon.Resource) {
		return apiRequest(plog.NewLogRecordSlice(), start), pcommon.NewInstrumentationScope(), pcommon.NewResource()
	}
	record, scope, resource := base()
	first := pdataview.NewLog(record, scope, resource)
	if first.TraceID() == ([16]byte{}) || first.SpanID() == ([8]byte{}) || first.ParentSpanID() != ([8]byte{}) {
		t.Fatalf("ids %x, %x, %x", first.TraceID(), first.SpanID(), first.ParentSpanID())
	}
	same := func(v *pdataview.LogView) bool { return v.TraceID() == first.TraceID() && v.SpanID() == first.SpanID() }

	record, scope, resource = base()
	model, _ := record.Attributes().Get("model")
	text := model.Str()
	record.Attributes().Remove("model")
	record.Attributes().PutStr("model", text)
	for _, added := range []string{"host.id", "host.name", "container.id", "k8s.pod.uid", "k8s.pod.name", "service.name"} {
		resource.Attributes().PutStr(added, "by a Collector")
	}
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Minute)))
	if !same(pdataview.NewLog(record, scope, resource)) {
		t.Error("the same record has another id")
	}
	for name, change := range map[string]func(plog.LogRecord, pcommon.InstrumentationScope){
		"time":      func(r plog.LogRecord, _ pcommon.InstrumentationScope) { r.SetTimestamp(r.Timestamp() + 1) },
		"body":      func(r plog.LogRecord, _ pcommon.InstrumentationScope) { r.Body().SetStr("claude_code.other") },
		"name":      func(r plog.LogRecord, _ pcommon.InstrumentationScope) { r.SetEventName("claude_code.api_request") },
		"attribute": func(r plog.LogRecord, _ pcommon.InstrumentationScope) { r.Attributes().PutStr("input_tokens", "13") },
		"type":      func(r plog.LogRecord, _ pcommon.InstrumentationScope) { r.Attributes().PutInt("input_tokens", 12) },
		"key":       func(r plog.LogRecord, _ pcommon.InstrumentationScope) { r.Attributes().PutStr("prompt.id", "") },
		"scope":     func(_ plog.LogRecord, s pcommon.InstrumentationScope) { s.SetName("other") },
		"span":      func(r plog.LogRecord, _ pcommon.InstrumentationScope) { r.SetSpanID(pcommon.SpanID{1}) },
	} {
		record, scope, resource := base()
		change(record, scope)
		if v := pdataview.NewLog(record, scope, resource); v.SpanID() == first.SpanID() || v.TraceID() == first.TraceID() {
			t.Errorf("another %s, and the same id", name)
		}
	}
}

// TestLogsOfProcesses: what two processes say at the same time are two calls, even if
// they say the same; what one process says is one call, by whichever routes it comes
// and whatever Collectors add on the way. The events have no ids of their calls.
func TestLogsOfProcesses(t *testing.T) {
	event := func(resource map[string]any) plog.Logs {
		logs := assistantLogs(func(records plog.LogRecordSlice) {
			record := apiRequest(records, start)
			record.Attributes().Remove("request_id")
			record.Attributes().Remove("session.id")
		})
		again := plog.NewLogs()
		logs.CopyTo(again)
		for key, value := range resource {
			if err := again.ResourceLogs().At(0).Resource().Attributes().PutEmpty(key).FromRaw(value); err != nil {
				t.Fatal(err)
			}
		}
		return again
	}
	for name, tt := range map[string]struct {
		first, second map[string]any
		bills         int
	}{
		"two instances": {map[string]any{"service.instance.id": "a"}, map[string]any{"service.instance.id": "b"}, 2},
		"two processes": {map[string]any{"process.pid": 7}, map[string]any{"process.pid": 8}, 2},
		"an instance whose name is the other's number": {
			map[string]any{"service.instance.id": "7"}, map[string]any{"process.pid": 7}, 2,
		},
		"one process, of which a Collector knows more": {
			map[string]any{"service.instance.id": "a", "process.pid": 7},
			map[string]any{
				"service.instance.id": "a", "process.pid": 7, "host.id": "i-0a", "host.name": "node-1", "cloud.region": "eu-west-1",
				"container.id": "4f", "k8s.pod.uid": "9c", "k8s.node.name": "node-1",
			},
			1,
		},
		"a process that says nothing of itself": {nil, map[string]any{"host.id": "i-0a", "k8s.pod.uid": "9c"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			converter, err := convert.New()
			if err != nil {
				t.Fatal(err)
			}
			var decisions []convert.Decision
			for _, logs := range []plog.Logs{event(tt.first), event(tt.second)} {
				for view := range pdataview.Logs(logs) {
					decisions = converter.Convert(decisions, view)
				}
			}
			bills := 0
			for _, d := range converter.Flush(decisions) {
				if d.Kind == convert.Billed {
					bills++
				}
			}
			if bills != tt.bills {
				t.Errorf("%d bills, want %d: %v", bills, tt.bills, decisions)
			}
		})
	}
}

// TestLogInSpan: the span that a record was written in is its parent.
func TestLogInSpan(t *testing.T) {
	record := apiRequest(plog.NewLogRecordSlice(), start)
	record.SetTraceID(pcommon.TraceID{1, 2})
	record.SetSpanID(pcommon.SpanID{3})
	v := pdataview.NewLog(record, pcommon.NewInstrumentationScope(), pcommon.NewResource())
	if v.TraceID() != [16]byte{1, 2} || v.ParentSpanID() != [8]byte{3} || v.SpanID() == [8]byte{3} || v.SpanID() == ([8]byte{}) {
		t.Errorf("ids %x, %x, %x", v.TraceID(), v.SpanID(), v.ParentSpanID())
	}
}

func TestEventName(t *testing.T) {
	for _, tt := range []struct{ event, attribute, body, want string }{
		{"", "api_request", "claude_code.api_request", "claude_code.api_request"},
		{"api_request", "api_request", "claude_code.api_request", "claude_code.api_request"},
		{"claude_code.api_request", "api_request", "anything", "claude_code.api_request"},
		{"", "gemini_cli.api_response", "API response from gemini-2.5-pro. Status: 200.", "gemini_cli.api_response"},
		{"", "codex.sse_event", "", "codex.sse_event"},
		{"", "tick", "It is 12.30 now.", "tick"},
		{"", "", "see e.g. the manual", ""},
	} {
		record := plog.NewLogRecord()
		record.SetEventName(tt.event)
		if tt.attribute != "" {
			record.Attributes().PutStr("event.name", tt.attribute)
		}
		record.Body().SetStr(tt.body)
		if got := pdataview.NewLog(record, pcommon.NewInstrumentationScope(), pcommon.NewResource()).Name(); got != tt.want {
			t.Errorf("%+v: name %q", tt, got)
		}
	}
}

// TestLogView shows what there is, and errors by their severity.
func TestLogView(t *testing.T) {
	logs := assistantLogs(func(records plog.LogRecordSlice) {
		apiRequest(records, start)
		r := records.AppendEmpty()
		r.SetObservedTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Second)))
		r.SetSeverityNumber(plog.SeverityNumberError)
	})
	var views []string
	for v := range pdataview.Logs(logs) {
		views = append(views, fmt.Sprint(v.ScopeName(), " ", v.StatusCode(), " ", v.StartTime().Equal(v.EndTime()), " ", v.EndTime().Sub(start), " ", v.IsLogEvent()))
	}
	want := fmt.Sprint([]string{"com.anthropic.claude_code.events 0 true 0s true", "com.anthropic.claude_code.events 2 true 1s true"})
	if got := fmt.Sprint(views); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for range pdataview.Logs(logs) {
		break // stops
	}
}

// TestOtherLogsCostNothing: a log record that has nothing to do with calls leaves
// no trace, not even its ids.
func TestOtherLogsCostNothing(t *testing.T) {
	converter, err := convert.New()
	if err != nil {
		t.Fatal(err)
	}
	record := plog.NewLogRecord()
	record.SetTimestamp(pcommon.NewTimestampFromTime(start))
	record.Body().SetStr("order accepted")
	record.Attributes().PutStr("order.id", "17")
	v := pdataview.NewLog(record, pcommon.NewInstrumentationScope(), pcommon.NewResource())
	if allocs := testing.AllocsPerRun(100, func() {
		if d := converter.Convert(nil, v); len(d) != 0 {
			t.Errorf("decisions %v", d)
		}
	}); allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}
