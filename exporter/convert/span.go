// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "time"

// Span is a read-only view of a finished span. SDK spans and pdata spans can
// both be seen through it without copying an attribute.
//
// A view is used during a call of [Converter.Convert] only; what it shows may be
// overwritten afterwards. Strings are kept, so their bytes must not change.
type Span interface {
	// TraceID and SpanID name the span. A span without them cannot be billed.
	TraceID() [16]byte
	SpanID() [8]byte
	// ParentSpanID is zero for the root of a trace.
	ParentSpanID() [8]byte
	// Name is the name of the span.
	Name() string
	// Kind is the role of the span in its trace.
	Kind() Kind
	// StartTime and EndTime are zero when they are not known.
	StartTime() time.Time
	EndTime() time.Time
	// StatusCode and StatusMessage are the status of the span.
	StatusCode() StatusCode
	StatusMessage() string
	// ScopeName is the name of the instrumentation that made the span.
	ScopeName() string

	// WalkAttributes, WalkScopeAttributes and WalkResourceAttributes show the
	// attributes of the span, of its scope and of its resource in order.
	WalkAttributes(visit AttributeVisitor)
	WalkScopeAttributes(visit AttributeVisitor)
	WalkResourceAttributes(visit AttributeVisitor)
	// WalkEvents shows the events of the span in order.
	WalkEvents(visit EventVisitor)
}

// ResourceIdentifier is implemented by a [Span] that can tell without looking
// whether two spans have the same resource.
type ResourceIdentifier interface {
	// ResourceIdentity is equal for spans of the same resource. It must be
	// comparable and stay valid as long as it is reachable.
	ResourceIdentity() any
}

// ScopeVersioner is implemented by a [Span] that knows the version of its
// instrumentation.
type ScopeVersioner interface {
	ScopeVersion() string
}

// LogEvent is implemented by a [Span] that is the view of a log record: its name
// is that of the event, its end the time of the record, and its ids, which a log
// record need not have, are made of what the record says.
type LogEvent interface {
	// IsLogEvent reports whether it is one.
	IsLogEvent() bool
}

func isLogEvent(s Span) bool {
	l, ok := s.(LogEvent)
	return ok && l.IsLogEvent()
}

// OpenAncestors is implemented by a [Span] whose ancestors in the same process
// can be looked at although they have not ended.
type OpenAncestors interface {
	// WalkOpenAncestors shows the ancestors that have not ended, the nearest first.
	WalkOpenAncestors(visit AncestorVisitor)
}

// AncestorVisitor is shown ancestors.
type AncestorVisitor interface {
	// Ancestor is called for each ancestor until it returns false. The view is
	// valid during the call only.
	Ancestor(s Span) bool
}

// AttributeVisitor is shown attributes. It is an interface and not a function so
// that a view needs no closure, which would be an allocation per span.
type AttributeVisitor interface {
	// Attribute is called for each attribute until it returns false.
	Attribute(key string, v Value) bool
}

// EventVisitor is shown events.
type EventVisitor interface {
	// Event is called for each event until it returns false. The attributes are
	// valid during the call only.
	Event(name string, at time.Time, attributes Attributes) bool
}

// Attributes are the attributes of an event, or the members of a map.
type Attributes interface {
	// Walk shows the attributes in order.
	Walk(visit AttributeVisitor)
}

// Kind is the kind of a span, numbered as in OTLP.
type Kind uint8

// The kinds of spans.
const (
	KindUnspecified Kind = iota
	KindInternal
	KindServer
	KindClient
	KindProducer
	KindConsumer
)

// StatusCode is the status of a span, numbered as in OTLP. The SDK has other
// numbers.
type StatusCode uint8

// The status codes of spans.
const (
	StatusUnset StatusCode = iota
	StatusOK
	StatusError
)
