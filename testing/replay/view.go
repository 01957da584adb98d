// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/semconv"
)

// clientSpan shows a span of the transport to package convert. The exporter has
// a view of its own, and reads defaults from the environment on top, which a
// replay must not depend on.
type clientSpan struct {
	span sdktrace.ReadOnlySpan
}

var _ convert.Span = clientSpan{}

func (s clientSpan) TraceID() [16]byte     { return s.span.SpanContext().TraceID() }
func (s clientSpan) SpanID() [8]byte       { return s.span.SpanContext().SpanID() }
func (s clientSpan) ParentSpanID() [8]byte { return s.span.Parent().SpanID() }
func (s clientSpan) Name() string          { return s.span.Name() }
func (s clientSpan) Kind() convert.Kind    { return convert.KindClient }
func (s clientSpan) StartTime() time.Time  { return s.span.StartTime() }
func (s clientSpan) EndTime() time.Time    { return s.span.EndTime() }
func (s clientSpan) StatusMessage() string { return s.span.Status().Description }
func (s clientSpan) ScopeName() string     { return s.span.InstrumentationScope().Name }

func (s clientSpan) StatusCode() convert.StatusCode {
	switch s.span.Status().Code {
	case codes.Ok:
		return convert.StatusOK
	case codes.Error:
		return convert.StatusError
	default:
		return convert.StatusUnset
	}
}

func (s clientSpan) WalkAttributes(visit convert.AttributeVisitor) {
	for _, kv := range s.span.Attributes() {
		if !visit.Attribute(string(kv.Key), valueOf(kv.Value)) {
			return
		}
	}
}

// completionSpan is a span of a call for media, shown as one of a completion,
// whose model may not have been on the wire.
type completionSpan struct{ clientSpan }

func (s completionSpan) WalkAttributes(visit convert.AttributeVisitor) {
	if !visit.Attribute(string(semconv.LLMRequestModelKey), convert.StringValue("unnamed")) {
		return
	}
	for _, kv := range s.span.Attributes() {
		switch kv.Key {
		case semconv.GenAIOutputTypeKey:
			continue
		case semconv.GenAIOperationNameKey:
			kv = semconv.GenAIOperationNameChat
		}
		if !visit.Attribute(string(kv.Key), valueOf(kv.Value)) {
			return
		}
	}
}

// The transport sets neither scope attributes nor a resource nor events that
// belong into a record.

func (s clientSpan) WalkScopeAttributes(convert.AttributeVisitor)    {}
func (s clientSpan) WalkResourceAttributes(convert.AttributeVisitor) {}
func (s clientSpan) WalkEvents(convert.EventVisitor)                 {}

func valueOf(v attribute.Value) convert.Value {
	switch v.Type() {
	case attribute.BOOL:
		return convert.BoolValue(v.AsBool())
	case attribute.INT64:
		return convert.IntValue(v.AsInt64())
	case attribute.FLOAT64:
		return convert.FloatValue(v.AsFloat64())
	case attribute.STRING:
		return convert.StringValue(v.AsString())
	case attribute.STRINGSLICE:
		return convert.StringsValue(v.AsStringSlice())
	default:
		return convert.OtherValue()
	}
}
