// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// spanView shows an SDK span to package convert without copying it. It is used
// for one span after the other; convert keeps nothing of it.
type spanView struct {
	span      sdktrace.ReadOnlySpan
	resources *resourceCache
	// open are the spans that have not ended; nil where nobody knows.
	open *openSpans
}

var (
	_ convert.Span               = (*spanView)(nil)
	_ convert.ResourceIdentifier = (*spanView)(nil)
	_ convert.ScopeVersioner     = (*spanView)(nil)
	_ convert.OpenAncestors      = (*spanView)(nil)
)

func (v *spanView) TraceID() [16]byte     { return v.span.SpanContext().TraceID() }
func (v *spanView) SpanID() [8]byte       { return v.span.SpanContext().SpanID() }
func (v *spanView) ParentSpanID() [8]byte { return v.span.Parent().SpanID() }
func (v *spanView) Name() string          { return v.span.Name() }
func (v *spanView) StartTime() time.Time  { return v.span.StartTime() }
func (v *spanView) EndTime() time.Time    { return v.span.EndTime() }
func (v *spanView) StatusMessage() string { return v.span.Status().Description }
func (v *spanView) ScopeName() string     { return v.span.InstrumentationScope().Name }

// ScopeVersion is the version of the span's instrumentation.
func (v *spanView) ScopeVersion() string { return v.span.InstrumentationScope().Version }

// ResourceIdentity is the resource, of which a provider has one.
func (v *spanView) ResourceIdentity() any { return v.span.Resource() }

// Kind translates the SDK's kinds, whose numbers are not those of OTLP.
func (v *spanView) Kind() convert.Kind {
	switch v.span.SpanKind() {
	case trace.SpanKindInternal:
		return convert.KindInternal
	case trace.SpanKindServer:
		return convert.KindServer
	case trace.SpanKindClient:
		return convert.KindClient
	case trace.SpanKindProducer:
		return convert.KindProducer
	case trace.SpanKindConsumer:
		return convert.KindConsumer
	default:
		return convert.KindUnspecified
	}
}

// StatusCode translates the SDK's codes, whose numbers are not those of OTLP.
func (v *spanView) StatusCode() convert.StatusCode {
	switch v.span.Status().Code {
	case codes.Ok:
		return convert.StatusOK
	case codes.Error:
		return convert.StatusError
	default:
		return convert.StatusUnset
	}
}

// WalkAttributes shows the attributes of the span.
func (v *spanView) WalkAttributes(visit convert.AttributeVisitor) {
	walk(v.span.Attributes(), visit)
}

// WalkScopeAttributes shows the attributes of the span's scope.
func (v *spanView) WalkScopeAttributes(visit convert.AttributeVisitor) {
	scope := v.span.InstrumentationScope()
	walkSet(&scope.Attributes, visit)
}

// WalkResourceAttributes shows the attributes of the span's resource.
func (v *spanView) WalkResourceAttributes(visit convert.AttributeVisitor) {
	if r := v.span.Resource(); r != nil {
		walk(v.resources.attributes(r), visit)
	}
}

// WalkEvents shows the events of the span.
func (v *spanView) WalkEvents(visit convert.EventVisitor) {
	events := v.span.Events()
	for i := range events {
		if !visit.Event(events[i].Name, events[i].Time, eventAttributes(events[i].Attributes)) {
			return
		}
	}
}

// resourceCache keeps the attributes of the resource that was seen last. All
// spans of a provider have the same one, and a resource gives its attributes away
// only as a copy or, slowly, one by one.
type resourceCache struct {
	last atomic.Pointer[resourceAttributes]
}

type resourceAttributes struct {
	resource *resource.Resource
	attrs    []attribute.KeyValue
}

// attributes returns the attributes of r, which must not be changed.
func (c *resourceCache) attributes(r *resource.Resource) []attribute.KeyValue {
	if last := c.last.Load(); last != nil && last.resource == r {
		return last.attrs
	}
	attrs := r.Attributes()
	c.last.Store(&resourceAttributes{resource: r, attrs: attrs})
	return attrs
}

func walk(attrs []attribute.KeyValue, visit convert.AttributeVisitor) {
	for i := range attrs {
		if !show(&attrs[i], visit) {
			return
		}
	}
}

func walkSet(set *attribute.Set, visit convert.AttributeVisitor) {
	for it := set.Iter(); it.Next(); {
		kv := it.Attribute()
		if !show(&kv, visit) {
			return
		}
	}
}

// show shows an attribute, and reports whether another one is wanted. It takes a
// pointer, and each case makes its own call, because values are large and spans
// have many: one that is put together in memory first takes twice as long.
func show(kv *attribute.KeyValue, visit convert.AttributeVisitor) bool {
	key, v := string(kv.Key), &kv.Value
	switch v.Type() {
	case attribute.STRING:
		return visit.Attribute(key, convert.StringValue(v.AsString()))
	case attribute.INT64:
		return visit.Attribute(key, convert.IntValue(v.AsInt64()))
	case attribute.FLOAT64:
		return visit.Attribute(key, convert.FloatValue(v.AsFloat64()))
	case attribute.BOOL:
		return visit.Attribute(key, convert.BoolValue(v.AsBool()))
	case attribute.STRINGSLICE:
		return visit.Attribute(key, convert.StringListValue((*stringList)(v)))
	case attribute.EMPTY:
		return visit.Attribute(key, convert.Value{})
	case attribute.MAP:
		return visit.Attribute(key, convert.MapValue((*mapping)(v)))
	case attribute.SLICE, attribute.INT64SLICE, attribute.FLOAT64SLICE, attribute.BOOLSLICE:
		return visit.Attribute(key, convert.ListValue((*list)(v)))
	default:
		return visit.Attribute(key, convert.OtherValue())
	}
}

// mapping shows the members of a map.
type mapping attribute.Value

// Walk shows the members.
func (m *mapping) Walk(visit convert.AttributeVisitor) {
	walk(attribute.Value(*m).AsMap(), visit)
}

// list shows the elements of a list that is not one of strings.
type list attribute.Value

// WalkElements shows the elements. Each is shown as an attribute without a key is.
func (l *list) WalkElements(visit convert.ElementVisitor) {
	v := attribute.Value(*l)
	element := elementVisitor{visit: visit}
	switch v.Type() {
	case attribute.SLICE:
		for _, e := range v.AsSlice() {
			if !show(&attribute.KeyValue{Value: e}, &element) {
				return
			}
		}
	case attribute.INT64SLICE:
		for i, n := range v.AsInt64Slice() {
			if !visit.Element(i, convert.IntValue(n)) {
				return
			}
		}
	case attribute.FLOAT64SLICE:
		for i, n := range v.AsFloat64Slice() {
			if !visit.Element(i, convert.FloatValue(n)) {
				return
			}
		}
	default:
		for i, b := range v.AsBoolSlice() {
			if !visit.Element(i, convert.BoolValue(b)) {
				return
			}
		}
	}
}

// elementVisitor counts the elements that it passes on.
type elementVisitor struct {
	visit convert.ElementVisitor
	index int
}

// Attribute passes an element on.
func (e *elementVisitor) Attribute(_ string, v convert.Value) bool {
	e.index++
	return e.visit.Element(e.index-1, v)
}

// stringList is a list of strings that is copied out of the SDK's form only when
// somebody reads it.
type stringList attribute.Value

// Strings copies the list.
func (l *stringList) Strings() []string { return attribute.Value(*l).AsStringSlice() }

// eventAttributes shows the attributes of an event.
type eventAttributes []attribute.KeyValue

// Walk shows the attributes.
func (a eventAttributes) Walk(visit convert.AttributeVisitor) { walk(a, visit) }
