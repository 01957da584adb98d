// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// attr is an attribute of a test span.
type attr struct {
	key   string
	value convert.Value
}

type attrs []attr

func (a attrs) Walk(visit convert.AttributeVisitor) {
	for i := range a {
		if !visit.Attribute(a[i].key, a[i].value) {
			return
		}
	}
}

// event is an event of a test span.
type event struct {
	name  string
	at    time.Time
	attrs attrs
}

// span is a span as a table.
type span struct {
	trace         [16]byte
	id, parent    [8]byte
	name, scope   string
	kind          convert.Kind
	start, end    time.Time
	status        convert.StatusCode
	statusMessage string
	attrs         attrs
	scopeAttrs    attrs
	resource      attrs
	events        []event
	log           bool // it is the view of a log record
}

var (
	_ convert.Span     = (*span)(nil)
	_ convert.LogEvent = (*span)(nil)
)

func (s *span) IsLogEvent() bool { return s.log }

func (s *span) TraceID() [16]byte                                 { return s.trace }
func (s *span) SpanID() [8]byte                                   { return s.id }
func (s *span) ParentSpanID() [8]byte                             { return s.parent }
func (s *span) Name() string                                      { return s.name }
func (s *span) Kind() convert.Kind                                { return s.kind }
func (s *span) StartTime() time.Time                              { return s.start }
func (s *span) EndTime() time.Time                                { return s.end }
func (s *span) StatusCode() convert.StatusCode                    { return s.status }
func (s *span) StatusMessage() string                             { return s.statusMessage }
func (s *span) ScopeName() string                                 { return s.scope }
func (s *span) WalkAttributes(v convert.AttributeVisitor)         { s.attrs.Walk(v) }
func (s *span) WalkScopeAttributes(v convert.AttributeVisitor)    { s.scopeAttrs.Walk(v) }
func (s *span) WalkResourceAttributes(v convert.AttributeVisitor) { s.resource.Walk(v) }
func (s *span) WalkEvents(v convert.EventVisitor) {
	for _, e := range s.events {
		if !v.Event(e.name, e.at, e.attrs) {
			return
		}
	}
}

// value makes a value of a Go value.
func value(v any) convert.Value {
	switch v := v.(type) {
	case nil:
		return convert.Value{}
	case string:
		return convert.StringValue(v)
	case int:
		return convert.IntValue(int64(v))
	case int64:
		return convert.IntValue(v)
	case float64:
		return convert.FloatValue(v)
	case bool:
		return convert.BoolValue(v)
	case []string:
		return convert.StringsValue(v)
	default:
		return convert.OtherValue()
	}
}

// with returns attributes from keys and values in turn.
func with(keysAndValues ...any) attrs {
	list := make(attrs, 0, len(keysAndValues)/2)
	for i := 0; i+1 < len(keysAndValues); i += 2 {
		list = append(list, attr{keysAndValues[i].(string), value(keysAndValues[i+1])})
	}
	return list
}

// start is when test spans start; they take two seconds.
var start = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

var (
	traceID = [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	spanID  = [8]byte{0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8}
)

// call returns a span with the given attributes, keys and values in turn.
func call(keysAndValues ...any) *span {
	return &span{
		trace: traceID, id: spanID, name: "chat gpt-4o", scope: "example.com/app", kind: convert.KindClient,
		start: start, end: start.Add(2 * time.Second), attrs: with(keysAndValues...),
	}
}

// chat returns a span of a chat that is billed, with more attributes; one that
// has a value of nil takes the place of a standard one.
func chat(keysAndValues ...any) *span {
	more := with(keysAndValues...)
	standard := with(
		"gen_ai.operation.name", "chat",
		"gen_ai.provider.name", "openai",
		"gen_ai.request.model", "gpt-4o",
		"gen_ai.response.model", "gpt-4o-2024-08-06",
		"gen_ai.usage.input_tokens", 100,
		"gen_ai.usage.output_tokens", 20,
	)
	s := call()
	for _, a := range standard {
		replaced := false
		for _, m := range more {
			replaced = replaced || m.key == a.key
		}
		if !replaced {
			s.attrs = append(s.attrs, a)
		}
	}
	for _, m := range more {
		if m.value.Kind() != convert.ValueEmpty {
			s.attrs = append(s.attrs, m)
		}
	}
	return s
}

func newConverter(tb testing.TB, opts ...convert.Option) *convert.Converter {
	tb.Helper()
	c, err := convert.New(opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// decide converts one span that must give exactly one decision, and settles it: a
// span that is held is decided about when nothing more can come.
func decide(tb testing.TB, s convert.Span, opts ...convert.Option) convert.Decision {
	tb.Helper()
	c := newConverter(tb, opts...)
	decisions := c.Convert(nil, s)
	if len(decisions) != 1 {
		tb.Fatalf("got %d decisions, want 1: %+v", len(decisions), decisions)
	}
	if decisions[0].Kind != convert.Held {
		return decisions[0]
	}
	if decisions = c.Flush(nil); len(decisions) != 1 || !decisions[0].WasHeld {
		tb.Fatalf("got %d decisions after waiting, want 1: %+v", len(decisions), decisions)
	}
	return decisions[0]
}

// bill converts one span that must be billed and returns the record.
func bill(tb testing.TB, s convert.Span, opts ...convert.Option) *metering.Completion {
	tb.Helper()
	c, _ := billed(tb, s, opts...)
	return c
}

// billed is bill with the decision.
func billed(tb testing.TB, s convert.Span, opts ...convert.Option) (*metering.Completion, convert.Decision) {
	tb.Helper()
	d := decide(tb, s, opts...)
	if d.Kind != convert.Billed {
		tb.Fatalf("got %v (%s), want billed", d.Kind, d.Reason)
	}
	c, ok := d.Record.(*metering.Completion)
	if !ok {
		tb.Fatalf("got a record of %T, want *metering.Completion", d.Record)
	}
	return c, d
}
