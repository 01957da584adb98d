// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// seen is one attribute as a visitor was shown it.
type seen struct {
	Key  string
	Kind convert.ValueKind
	V    any
}

// recorder collects what it is shown, and stops after limit attributes if that is
// not zero.
type recorder struct {
	limit int
	attrs []seen
}

func (r *recorder) Attribute(key string, v convert.Value) bool {
	s := seen{Key: key, Kind: v.Kind()}
	switch v.Kind() {
	case convert.ValueBool:
		s.V = v.Bool()
	case convert.ValueInt:
		s.V = v.Int()
	case convert.ValueFloat:
		s.V = v.Float()
	case convert.ValueString:
		s.V = v.Text()
	case convert.ValueStrings:
		s.V = v.Strings()
	case convert.ValueEmpty, convert.ValueOther:
	}
	r.attrs = append(r.attrs, s)
	return len(r.attrs) != r.limit
}

// eventRecorder collects events.
type eventRecorder struct {
	limit int
	names []string
	times []time.Time
	attrs [][]seen
}

func (r *eventRecorder) Event(name string, at time.Time, attributes convert.Attributes) bool {
	var rec recorder
	attributes.Walk(&rec)
	r.names, r.times, r.attrs = append(r.names, name), append(r.times, at), append(r.attrs, rec.attrs)
	return len(r.names) != r.limit
}

func TestSpanView(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	traceID, spanID, parentID := trace.TraceID{1, 2}, trace.SpanID{3}, trace.SpanID{4}
	stub := tracetest.SpanStub{
		Name:        "chat m",
		SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: spanID}),
		Parent:      trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: parentID, Remote: true}),
		SpanKind:    trace.SpanKindClient,
		StartTime:   start,
		EndTime:     start.Add(time.Second),
		Status:      sdktrace.Status{Code: codes.Error, Description: "boom"},
		Attributes: []attribute.KeyValue{
			attribute.Bool("b", true),
			attribute.Int64("i", math.MinInt64),
			attribute.Float64("f", 0.5),
			attribute.String("s", "text"),
			attribute.StringSlice("l", []string{"x", "y"}),
			attribute.Int64Slice("il", []int64{1}),
			{Key: "e"},
		},
		Events: []sdktrace.Event{
			{Name: "first", Time: start.Add(time.Millisecond), Attributes: []attribute.KeyValue{attribute.String("k", "v"), attribute.StringSlice("l", []string{"z"})}},
			{Name: "second", Time: start.Add(2 * time.Millisecond)},
		},
		Resource: resource.NewSchemaless(attribute.String("service.name", "svc"), attribute.StringSlice("args", []string{"a", "b"})),
		InstrumentationScope: instrumentation.Scope{
			Name: "scope", Attributes: attribute.NewSet(attribute.String("team", "blue")),
		},
	}
	v := &spanView{span: stub.Snapshot(), resources: &resourceCache{}}

	if v.TraceID() != traceID || v.SpanID() != spanID || v.ParentSpanID() != parentID {
		t.Errorf("ids = %x %x %x", v.TraceID(), v.SpanID(), v.ParentSpanID())
	}
	if v.Name() != "chat m" || v.ScopeName() != "scope" || v.StatusMessage() != "boom" {
		t.Errorf("texts = %q %q %q", v.Name(), v.ScopeName(), v.StatusMessage())
	}
	if !v.StartTime().Equal(start) || !v.EndTime().Equal(start.Add(time.Second)) {
		t.Errorf("times = %v %v", v.StartTime(), v.EndTime())
	}

	var attrs, scope, res recorder
	v.WalkAttributes(&attrs)
	v.WalkScopeAttributes(&scope)
	v.WalkResourceAttributes(&res)
	for name, diff := range map[string]string{
		"span": cmp.Diff([]seen{
			{"b", convert.ValueBool, true},
			{"i", convert.ValueInt, int64(math.MinInt64)},
			{"f", convert.ValueFloat, 0.5},
			{"s", convert.ValueString, "text"},
			{"l", convert.ValueStrings, []string{"x", "y"}},
			{"il", convert.ValueList, nil},
			{"e", convert.ValueEmpty, nil},
		}, attrs.attrs),
		"scope":    cmp.Diff([]seen{{"team", convert.ValueString, "blue"}}, scope.attrs),
		"resource": cmp.Diff([]seen{{"args", convert.ValueStrings, []string{"a", "b"}}, {"service.name", convert.ValueString, "svc"}}, res.attrs),
	} {
		if diff != "" {
			t.Errorf("%s attributes (-want +got):\n%s", name, diff)
		}
	}

	var events eventRecorder
	v.WalkEvents(&events)
	if diff := cmp.Diff([]string{"first", "second"}, events.names); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]seen{{"k", convert.ValueString, "v"}, {"l", convert.ValueStrings, []string{"z"}}}, events.attrs[0]); diff != "" {
		t.Errorf("event attributes (-want +got):\n%s", diff)
	}
	if !events.times[0].Equal(start.Add(time.Millisecond)) {
		t.Errorf("event at %v", events.times[0])
	}

	// A visitor that has seen enough is left alone.
	stopped, stoppedRes, stoppedEvents := recorder{limit: 2}, recorder{limit: 1}, eventRecorder{limit: 1}
	v.WalkAttributes(&stopped)
	v.WalkResourceAttributes(&stoppedRes)
	v.WalkEvents(&stoppedEvents)
	if len(stopped.attrs) != 2 || len(stoppedRes.attrs) != 1 || len(stoppedEvents.names) != 1 {
		t.Errorf("visited %d attributes, %d resource attributes, %d events after false", len(stopped.attrs), len(stoppedRes.attrs), len(stoppedEvents.names))
	}
}

// TestSpanViewNumbers: kinds and codes have other numbers in the SDK.
func TestSpanViewNumbers(t *testing.T) {
	for kind, want := range map[trace.SpanKind]convert.Kind{
		trace.SpanKindUnspecified: convert.KindUnspecified,
		trace.SpanKindInternal:    convert.KindInternal,
		trace.SpanKindServer:      convert.KindServer,
		trace.SpanKindClient:      convert.KindClient,
		trace.SpanKindProducer:    convert.KindProducer,
		trace.SpanKindConsumer:    convert.KindConsumer,
		trace.SpanKind(99):        convert.KindUnspecified,
	} {
		if got := (&spanView{span: tracetest.SpanStub{SpanKind: kind}.Snapshot()}).Kind(); got != want {
			t.Errorf("kind %v = %v, want %v", kind, got, want)
		}
	}
	for code, want := range map[codes.Code]convert.StatusCode{
		codes.Unset: convert.StatusUnset,
		codes.Ok:    convert.StatusOK,
		codes.Error: convert.StatusError,
	} {
		if got := (&spanView{span: tracetest.SpanStub{Status: sdktrace.Status{Code: code}}.Snapshot()}).StatusCode(); got != want {
			t.Errorf("code %v = %v, want %v", code, got, want)
		}
	}
}

// TestSpanViewOfEmptySpan: what is absent is zero, and nothing panics.
func TestSpanViewOfEmptySpan(t *testing.T) {
	v := &spanView{span: tracetest.SpanStub{}.Snapshot(), resources: &resourceCache{}}
	var attrs recorder
	v.WalkAttributes(&attrs)
	v.WalkScopeAttributes(&attrs)
	v.WalkResourceAttributes(&attrs)
	v.WalkEvents(&eventRecorder{})
	if len(attrs.attrs) != 0 {
		t.Errorf("attributes of an empty span: %v", attrs.attrs)
	}
	if v.TraceID() != [16]byte{} || v.ParentSpanID() != [8]byte{} {
		t.Error("ids of an empty span are not zero")
	}
}

// nothing visits and ignores.
type nothing struct{ n int }

func (v *nothing) Attribute(string, convert.Value) bool { v.n++; return true }

// TestSpanViewAllocations: looking at a span costs no memory, lists included that
// nobody reads.
func TestSpanViewAllocations(t *testing.T) {
	v := &spanView{resources: &resourceCache{}, span: tracetest.SpanStub{
		Attributes: []attribute.KeyValue{attribute.String("a", "b"), attribute.Int("n", 1), attribute.StringSlice("l", []string{"x", "y"})},
		Resource:   resource.NewSchemaless(attribute.String("service.name", "svc"), attribute.StringSlice("process.command_args", []string{"a"})),
	}.Snapshot()}
	visitor := &nothing{}
	allocs := testing.AllocsPerRun(100, func() {
		v.WalkAttributes(visitor)
		v.WalkResourceAttributes(visitor)
		_ = v.ParentSpanID()
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	if visitor.n == 0 {
		t.Error("nothing was visited")
	}
}

// TestResourceCache: spans of several providers each show their own resource.
func TestResourceCache(t *testing.T) {
	cache := &resourceCache{}
	a := resource.NewSchemaless(attribute.String("service.name", "a"))
	b := resource.NewSchemaless(attribute.String("service.name", "b"))
	for _, r := range []*resource.Resource{a, a, b, a, b, b} {
		want, _ := r.Set().Value("service.name")
		if got := cache.attributes(r); len(got) != 1 || got[0].Value != want {
			t.Errorf("attributes = %v, want service.name %s", got, want.AsString())
		}
	}
}
