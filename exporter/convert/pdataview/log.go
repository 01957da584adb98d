// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package pdataview

import (
	"encoding/binary"
	"iter"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// LogView is a [convert.Span] over a log record of pdata, for the events by which
// coding assistants report their calls. It may be used for one record after the
// other, with [LogView.Reset], but not by several goroutines at once.
//
// A log record has no id of its own: its trace and span are those that it was
// written in, if any. The view shows that span as the parent, and as the span id,
// and as the trace id where there is none, a digest of what the record says: of its
// time, name, body, attributes, scope and place, in whatever order the attributes
// are. A record that is exported twice is thus one span. Two processes can say the
// same at the same time, so what a process says of itself in its resource, and no
// Collector on the way adds, has a part in the digest, too: see [processKeys].
type LogView struct {
	record plog.LogRecord
	origin
	// The ids are made when they are asked for: most log records are about something
	// else.
	identified bool
	trace      [16]byte
	span       [8]byte
}

var (
	_ convert.Span               = (*LogView)(nil)
	_ convert.LogEvent           = (*LogView)(nil)
	_ convert.ResourceIdentifier = (*LogView)(nil)
	_ convert.ScopeVersioner     = (*LogView)(nil)
)

// NewLog returns a view of a log record.
func NewLog(record plog.LogRecord, scope pcommon.InstrumentationScope, resource pcommon.Resource) *LogView {
	v := &LogView{}
	v.Reset(record, scope, resource)
	return v
}

// Reset makes the view show another log record.
func (v *LogView) Reset(record plog.LogRecord, scope pcommon.InstrumentationScope, resource pcommon.Resource) {
	v.record, v.identified = record, false
	v.set(scope, resource)
}

// Logs returns all log records in order. The view is the same each time and shows
// the next record when the loop goes on.
func Logs(logs plog.Logs) iter.Seq[*LogView] {
	return func(yield func(*LogView) bool) {
		var v LogView
		resources := logs.ResourceLogs()
		for i := range resources.Len() {
			resource := resources.At(i)
			scopes := resource.ScopeLogs()
			for j := range scopes.Len() {
				scope := scopes.At(j)
				records := scope.LogRecords()
				for k := range records.Len() {
					v.Reset(records.At(k), scope.Scope(), resource.Resource())
					if !yield(&v) {
						return
					}
				}
			}
		}
	}
}

// eventName is the name of an event: that of the record, or its attribute, or its
// body, whichever looks like one in full. Claude Code writes the full name into the
// body and the end of it into the attribute, Gemini CLI a sentence into the body.
func eventName(record plog.LogRecord) string {
	names := [3]string{record.EventName()}
	if attr, ok := record.Attributes().Get("event.name"); ok && attr.Type() == pcommon.ValueTypeStr {
		names[1] = attr.Str()
	}
	if body := record.Body(); body.Type() == pcommon.ValueTypeStr {
		names[2] = body.Str()
	}
	for _, name := range names {
		if strings.Contains(name, ".") && !strings.ContainsAny(name, " \t\r\n") {
			return name
		}
	}
	if names[0] != "" {
		return names[0]
	}
	return names[1]
}

// processKeys are the attributes of a resource that tell one process from another
// and that only the process itself sets. The others that could are added, or not,
// by Collectors on the way, so that one record would have two ids where it comes by
// two routes: host.id, host.name and container.id by resource detection, k8s.pod.uid
// and what else names a pod by the processor of Kubernetes' attributes.
func processKeys() [2]string { return [...]string{"service.instance.id", "process.pid"} }

// process is what the resource says of which process it is.
func (v *LogView) process() (p [2]string) {
	for i, key := range processKeys() {
		if value, ok := v.resource.Attributes().Get(key); ok {
			p[i] = value.AsString()
		}
	}
	return p
}

// identify makes the ids.
func (v *LogView) identify() {
	if v.identified {
		return
	}
	v.identified = true
	r := v.record
	trace, span := r.TraceID(), r.SpanID()
	var fixed [40]byte
	copy(fixed[:16], trace[:])
	copy(fixed[16:24], span[:])
	binary.LittleEndian.PutUint64(fixed[24:], uint64(v.timestamp()))
	binary.LittleEndian.PutUint64(fixed[32:], uint64(r.SeverityNumber()))
	process := v.process()
	var d xxhash.Digest
	for i, id := range [...][]byte{v.trace[:8], v.trace[8:], v.span[:]} {
		d.ResetWithSeed(uint64(i))
		_, _ = d.Write(fixed[:]) // never fails
		for _, text := range [...]string{v.ScopeName(), r.EventName(), r.Body().AsString()} {
			_, _ = d.WriteString(text)
			_, _ = d.Write([]byte{0})
		}
		for at, text := range process {
			if text != "" {
				_, _ = d.Write([]byte{1, byte(at)})
				_, _ = d.WriteString(text)
			}
		}
		sum := d.Sum64()
		for key, value := range r.Attributes().All() {
			d.ResetWithSeed(uint64(i))
			_, _ = d.WriteString(key)
			_, _ = d.Write([]byte{0, byte(value.Type())})
			_, _ = d.WriteString(value.AsString())
			sum += d.Sum64()
		}
		binary.BigEndian.PutUint64(id, max(sum, 1))
	}
	if !trace.IsEmpty() {
		v.trace = trace
	}
}

// LogRecord returns the log record that the view shows.
func (v *LogView) LogRecord() plog.LogRecord { return v.record }

// IsLogEvent reports that it is one.
func (*LogView) IsLogEvent() bool { return true }

// TraceID is the id of the trace that the record was written in, or one of its own.
func (v *LogView) TraceID() [16]byte {
	v.identify()
	return v.trace
}

// SpanID is the id of the record.
func (v *LogView) SpanID() [8]byte {
	v.identify()
	return v.span
}

// ParentSpanID is the id of the span that the record was written in, zero for none.
func (v *LogView) ParentSpanID() [8]byte {
	if v.record.TraceID().IsEmpty() {
		return [8]byte{}
	}
	return v.record.SpanID()
}

// Name is the name of the event.
func (v *LogView) Name() string { return eventName(v.record) }

// Kind is unspecified.
func (*LogView) Kind() convert.Kind { return convert.KindUnspecified }

// timestamp is when the event happened or, if that is not known, was noticed.
func (v *LogView) timestamp() pcommon.Timestamp {
	if t := v.record.Timestamp(); t != 0 {
		return t
	}
	return v.record.ObservedTimestamp()
}

// StartTime is the time of the record: how long the call had taken by then, its
// attributes say.
func (v *LogView) StartTime() time.Time { return timeOf(v.timestamp()) }

// EndTime is the time of the record.
func (v *LogView) EndTime() time.Time { return timeOf(v.timestamp()) }

// StatusCode is that of an error where the record's severity is one.
func (v *LogView) StatusCode() convert.StatusCode {
	if v.record.SeverityNumber() >= plog.SeverityNumberError {
		return convert.StatusError
	}
	return convert.StatusUnset
}

// StatusMessage is empty.
func (*LogView) StatusMessage() string { return "" }

// WalkAttributes shows the attributes of the record.
func (v *LogView) WalkAttributes(visit convert.AttributeVisitor) {
	v.walk.attributes(v.record.Attributes(), visit)
}

// WalkEvents shows nothing: a log record has no events.
func (*LogView) WalkEvents(convert.EventVisitor) {}
