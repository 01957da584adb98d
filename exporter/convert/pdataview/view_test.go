// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package pdataview_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/convert/pdataview"
)

var start = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

// traces returns n chat spans in one scope of one resource, read-only as a
// Collector hands them out.
func traces(n int) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("deployment.environment.name", "production")
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("example.com/app")
	ss.Scope().Attributes().PutStr("revenium.agent.name", "triage")
	for i := range n {
		s := ss.Spans().AppendEmpty()
		s.SetTraceID(pcommon.TraceID{1, 2})
		s.SetSpanID(pcommon.SpanID{byte(i + 1), byte((i + 1) >> 8)})
		s.SetParentSpanID(pcommon.SpanID{0xff})
		s.SetName("chat gpt-4o")
		s.SetKind(ptrace.SpanKindClient)
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Second)))
		a := s.Attributes()
		a.PutStr("gen_ai.operation.name", "chat")
		a.PutStr("gen_ai.provider.name", "openai")
		a.PutStr("gen_ai.request.model", "gpt-4o")
		a.PutInt("gen_ai.usage.input_tokens", 100)
		a.PutInt("gen_ai.usage.output_tokens", 20)
	}
	td.MarkReadOnly()
	return td
}

func Example() {
	converter, err := convert.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	for view := range pdataview.Spans(traces(2)) {
		for _, d := range converter.Convert(nil, view) {
			fmt.Println(d.SpanName, d.Kind, d.Reason)
		}
	}
	// Output:
	// chat gpt-4o billed usage
	// chat gpt-4o billed usage
}

// shown is what a view shows of attributes.
type shown struct {
	keys   []string
	values map[string]convert.Value
	lists  map[string][]string
	stopAt int
}

func (s *shown) Attribute(key string, v convert.Value) bool {
	if s.values == nil {
		s.values, s.lists = map[string]convert.Value{}, map[string][]string{}
	}
	s.keys = append(s.keys, key)
	s.values[key] = v
	s.lists[key] = v.Strings()
	return s.stopAt == 0 || len(s.keys) < s.stopAt
}

func TestValues(t *testing.T) {
	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	a := span.Attributes()
	a.PutStr("text", "x")
	a.PutInt("integer", -7)
	a.PutDouble("double", 0.5)
	a.PutBool("flag", true)
	a.PutEmpty("empty")
	a.PutEmptyBytes("bytes").Append(1, 2)
	a.PutEmptyMap("map").PutStr("k", "v")
	list := a.PutEmptySlice("list")
	list.AppendEmpty().SetStr("one")
	list.AppendEmpty().SetInt(2)
	list.AppendEmpty().SetStr("three")

	view := pdataview.New(span, pcommon.NewInstrumentationScope(), pcommon.NewResource())
	var got shown
	view.WalkAttributes(&got)
	if len(got.keys) != 8 {
		t.Fatalf("shown: %v", got.keys)
	}
	for key, kind := range map[string]convert.ValueKind{
		"text": convert.ValueString, "integer": convert.ValueInt, "double": convert.ValueFloat, "flag": convert.ValueBool,
		"empty": convert.ValueEmpty, "bytes": convert.ValueOther, "map": convert.ValueMap, "list": convert.ValueList,
	} {
		if v := got.values[key]; v.Kind() != kind {
			t.Errorf("%s is of kind %d, want %d", key, v.Kind(), kind)
		}
	}
	if v := got.values; v["text"].Text() != "x" || v["integer"].Int() != -7 || v["double"].Float() != 0.5 || !v["flag"].Bool() {
		t.Errorf("got %v", v)
	}
	if !slices.Equal(got.lists["list"], []string{"one", "three"}) {
		t.Errorf("list = %v, want its strings", got.lists["list"])
	}
	one := shown{stopAt: 1}
	view.WalkAttributes(&one)
	if len(one.keys) != 1 {
		t.Errorf("a visitor that wants no more was shown %v", one.keys)
	}
}

func TestSpan(t *testing.T) {
	td := traces(1)
	n := 0
	for view := range pdataview.Spans(td) {
		n++
		if view.TraceID() != [16]byte{1, 2} || view.SpanID() != [8]byte{1} || view.ParentSpanID() != [8]byte{0xff} ||
			view.Name() != "chat gpt-4o" || view.Kind() != convert.KindClient || view.ScopeName() != "example.com/app" ||
			!view.StartTime().Equal(start) || !view.EndTime().Equal(start.Add(time.Second)) ||
			view.StatusCode() != convert.StatusUnset || view.StatusMessage() != "" || view.Span().Name() != view.Name() {
			t.Errorf("the view shows another span: %s", view.Name())
		}
		var scope, resource shown
		view.WalkScopeAttributes(&scope)
		view.WalkResourceAttributes(&resource)
		if scope.values["revenium.agent.name"].Text() != "triage" || resource.values["deployment.environment.name"].Text() != "production" {
			t.Errorf("scope %v, resource %v", scope.keys, resource.keys)
		}
	}
	if n != 1 {
		t.Errorf("%d spans, want 1", n)
	}
	for range pdataview.Spans(traces(3)) {
		n++
		break
	}
	if n != 2 {
		t.Error("a loop that ends early goes on")
	}
}

func TestKindsStatusesAndMissingTimes(t *testing.T) {
	span := ptrace.NewSpan()
	view := pdataview.New(span, pcommon.NewInstrumentationScope(), pcommon.NewResource())
	if !view.StartTime().IsZero() || !view.EndTime().IsZero() {
		t.Error("a span without times has some")
	}
	for kind, want := range map[ptrace.SpanKind]convert.Kind{
		ptrace.SpanKindInternal: convert.KindInternal, ptrace.SpanKindServer: convert.KindServer, ptrace.SpanKindClient: convert.KindClient,
		ptrace.SpanKindProducer: convert.KindProducer, ptrace.SpanKindConsumer: convert.KindConsumer,
		ptrace.SpanKindUnspecified: convert.KindUnspecified, 99: convert.KindUnspecified,
	} {
		span.SetKind(kind)
		if got := view.Kind(); got != want {
			t.Errorf("kind %v is shown as %v", kind, got)
		}
	}
	for code, want := range map[ptrace.StatusCode]convert.StatusCode{
		ptrace.StatusCodeUnset: convert.StatusUnset, ptrace.StatusCodeOk: convert.StatusOK, ptrace.StatusCodeError: convert.StatusError, 99: convert.StatusUnset,
	} {
		span.Status().SetCode(code)
		if got := view.StatusCode(); got != want {
			t.Errorf("status %v is shown as %v", code, got)
		}
	}
}

// events collects what a view shows of events.
type events struct {
	names []string
	at    []time.Time
	types []string
}

func (e *events) Event(name string, at time.Time, attributes convert.Attributes) bool {
	var a shown
	attributes.Walk(&a)
	e.names, e.at = append(e.names, name), append(e.at, at)
	e.types = append(e.types, a.values["exception.type"].Text())
	return len(e.names) < 2
}

func TestEvents(t *testing.T) {
	span := ptrace.NewSpan()
	for i := range 3 {
		e := span.Events().AppendEmpty()
		e.SetName("exception")
		e.SetTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Duration(i) * time.Second)))
		e.Attributes().PutStr("exception.type", fmt.Sprint("E", i))
	}
	var got events
	pdataview.New(span, pcommon.NewInstrumentationScope(), pcommon.NewResource()).WalkEvents(&got)
	if !slices.Equal(got.types, []string{"E0", "E1"}) || !got.at[1].Equal(start.Add(time.Second)) {
		t.Errorf("got %+v, want the first two", got)
	}
}

// BenchmarkView is what a span costs that comes through the Collector: the view
// and the conversion.
func BenchmarkView(b *testing.B) {
	td := traces(1000)
	b.ReportAllocs()
	for b.Loop() {
		converter, err := convert.New()
		if err != nil {
			b.Fatal(err)
		}
		var decisions []convert.Decision
		for view := range pdataview.Spans(td) {
			decisions = converter.Convert(decisions[:0], view)
			for i := range decisions {
				if decisions[i].Kind != convert.Billed {
					b.Fatal(decisions[i].Reason)
				}
				decisions[i].Release()
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/span")
}
