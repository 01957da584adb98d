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
	span ptrace.Span
	origin
}

var (
	_ convert.Span               = (*View)(nil)
	_ convert.ResourceIdentifier = (*View)(nil)
	_ convert.ScopeVersioner     = (*View)(nil)
)

// New returns a view of a span.
func New(span ptrace.Span, scope pcommon.InstrumentationScope, resource pcommon.Resource) *View {
	v := &View{}
	v.Reset(span, scope, resource)
	return v
}

// Reset makes the view show another span.
func (v *View) Reset(span ptrace.Span, scope pcommon.InstrumentationScope, resource pcommon.Resource) {
	v.span = span
	v.set(scope, resource)
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

// WalkAttributes shows the attributes of the span.
func (v *View) WalkAttributes(visit convert.AttributeVisitor) {
	v.walk.attributes(v.span.Attributes(), visit)
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
