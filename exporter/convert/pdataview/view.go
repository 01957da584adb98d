// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package pdataview

import (
	"iter"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// View is a [convert.Span] over a span of pdata. It may be used for one span
// after the other, with [View.Reset], but not by several goroutines at once.
type View struct {
	span     ptrace.Span
	scope    pcommon.InstrumentationScope
	resource pcommon.Resource
	// identity is one for all spans of a resource that are shown in a row.
	identity *identity
	walk     walker
}

// identity must not be empty: pointers to empty values may be equal.
type identity struct{ _ byte }

var (
	_ convert.Span               = (*View)(nil)
	_ convert.ResourceIdentifier = (*View)(nil)
	_ convert.ScopeVersioner     = (*View)(nil)
)

// New returns a view of a span.
func New(span ptrace.Span, scope pcommon.InstrumentationScope, resource pcommon.Resource) *View {
	return &View{span: span, scope: scope, resource: resource, identity: new(identity)}
}

// Reset makes the view show another span.
func (v *View) Reset(span ptrace.Span, scope pcommon.InstrumentationScope, resource pcommon.Resource) {
	if v.identity == nil || v.resource != resource {
		v.identity = new(identity)
	}
	v.span, v.scope, v.resource = span, scope, resource
}

// Spans returns all spans of traces in order. The view is the same each time and
// shows the next span when the loop goes on.
func Spans(traces ptrace.Traces) iter.Seq[*View] {
	return func(yield func(*View) bool) {
		var v View
		resources := traces.ResourceSpans()
		for i := range resources.Len() {
			resource := resources.At(i)
			scopes := resource.ScopeSpans()
			for j := range scopes.Len() {
				scope := scopes.At(j)
				spans := scope.Spans()
				for k := range spans.Len() {
					v.Reset(spans.At(k), scope.Scope(), resource.Resource())
					if !yield(&v) {
						return
					}
				}
			}
		}
	}
}

// Span returns the span that the view shows.
func (v *View) Span() ptrace.Span { return v.span }

// TraceID is the trace id.
func (v *View) TraceID() [16]byte { return v.span.TraceID() }

// SpanID is the span id.
func (v *View) SpanID() [8]byte { return v.span.SpanID() }

// ParentSpanID is the id of the parent, zero for none.
func (v *View) ParentSpanID() [8]byte { return v.span.ParentSpanID() }

// Name is the name of the span.
func (v *View) Name() string { return v.span.Name() }

// Kind is the kind of the span.
func (v *View) Kind() convert.Kind {
	switch v.span.Kind() {
	case ptrace.SpanKindInternal:
		return convert.KindInternal
	case ptrace.SpanKindServer:
		return convert.KindServer
	case ptrace.SpanKindClient:
		return convert.KindClient
	case ptrace.SpanKindProducer:
		return convert.KindProducer
	case ptrace.SpanKindConsumer:
		return convert.KindConsumer
	default:
		return convert.KindUnspecified
	}
}

// StartTime is the start of the span, the zero time for none.
func (v *View) StartTime() time.Time { return timeOf(v.span.StartTimestamp()) }

// EndTime is the end of the span, the zero time for none.
func (v *View) EndTime() time.Time { return timeOf(v.span.EndTimestamp()) }

// timeOf knows that pdata has no other word for "none" than 1970.
func timeOf(t pcommon.Timestamp) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return t.AsTime()
}

// StatusCode is the status of the span.
func (v *View) StatusCode() convert.StatusCode {
	switch v.span.Status().Code() {
	case ptrace.StatusCodeOk:
		return convert.StatusOK
	case ptrace.StatusCodeError:
		return convert.StatusError
	default:
		return convert.StatusUnset
	}
}

// StatusMessage is the description of the status.
func (v *View) StatusMessage() string { return v.span.Status().Message() }

// ScopeName is the name of the span's instrumentation scope.
func (v *View) ScopeName() string { return v.scope.Name() }

// ScopeVersion is the version of the span's instrumentation scope.
func (v *View) ScopeVersion() string { return v.scope.Version() }

// ResourceIdentity is the same for spans of one resource that are shown one after
// the other.
func (v *View) ResourceIdentity() any { return v.identity }

// WalkAttributes shows the attributes of the span.
func (v *View) WalkAttributes(visit convert.AttributeVisitor) {
	v.walk.attributes(v.span.Attributes(), visit)
}

// WalkScopeAttributes shows the attributes of the scope.
func (v *View) WalkScopeAttributes(visit convert.AttributeVisitor) {
	v.walk.attributes(v.scope.Attributes(), visit)
}

// WalkResourceAttributes shows the attributes of the resource.
func (v *View) WalkResourceAttributes(visit convert.AttributeVisitor) {
	v.walk.attributes(v.resource.Attributes(), visit)
}

// WalkEvents shows the events of the span.
func (v *View) WalkEvents(visit convert.EventVisitor) {
	events := v.span.Events()
	for i := range events.Len() {
		e := events.At(i)
		if !visit.Event(e.Name(), timeOf(e.Timestamp()), &eventAttributes{attributes: e.Attributes(), walk: &v.walk}) {
			return
		}
	}
}

// eventAttributes are the attributes of an event.
type eventAttributes struct {
	attributes pcommon.Map
	walk       *walker
}

// Walk shows the attributes.
func (a *eventAttributes) Walk(visit convert.AttributeVisitor) {
	a.walk.attributes(a.attributes, visit)
}

// walker shows attributes. It holds the list and the map that are being shown, so
// that showing one needs no allocation.
type walker struct {
	list list
	node mapping
}

func (w *walker) attributes(m pcommon.Map, visit convert.AttributeVisitor) {
	for key, value := range m.All() {
		if !visit.Attribute(key, w.valueOf(value)) {
			return
		}
	}
}

func (w *walker) valueOf(v pcommon.Value) convert.Value {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return convert.StringValue(v.Str())
	case pcommon.ValueTypeInt:
		return convert.IntValue(v.Int())
	case pcommon.ValueTypeDouble:
		return convert.FloatValue(v.Double())
	case pcommon.ValueTypeBool:
		return convert.BoolValue(v.Bool())
	case pcommon.ValueTypeSlice:
		w.list.slice = v.Slice()
		return convert.ListValue(&w.list)
	case pcommon.ValueTypeMap:
		w.node.members = v.Map()
		return convert.MapValue(&w.node)
	case pcommon.ValueTypeEmpty:
		return convert.Value{}
	default:
		return convert.OtherValue()
	}
}

// list shows the elements of a list.
type list struct{ slice pcommon.Slice }

// WalkElements shows the elements. What is inside of them needs a walker of its
// own.
func (l *list) WalkElements(visit convert.ElementVisitor) {
	var inner walker
	for i := range l.slice.Len() {
		if !visit.Element(i, inner.valueOf(l.slice.At(i))) {
			return
		}
	}
}

// mapping shows the members of a map.
type mapping struct{ members pcommon.Map }

// Walk shows the members.
func (m *mapping) Walk(visit convert.AttributeVisitor) {
	var inner walker
	inner.attributes(m.members, visit)
}
