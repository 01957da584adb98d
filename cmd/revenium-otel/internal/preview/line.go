// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package preview

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv"
)

// Line is what is printed about one span, as one line of JSON. Every key is
// always there, so that jq and scripts need not ask.
type Line struct {
	File     string          `json:"file"`
	TraceID  string          `json:"trace_id"`
	SpanID   string          `json:"span_id"`
	SpanName string          `json:"span_name"`
	Decision string          `json:"decision"` // billed, suppressed or skipped
	Reason   string          `json:"reason"`
	Endpoint *string         `json:"endpoint"` // null unless billed
	Record   json.RawMessage `json:"record"`   // exact request body, null unless billed
	Notes    []Note          `json:"notes"`
	// Dialect is in whose words the span is, By the span that bills instead, and
	// Sources says where each value came from. Only with [Options.Explain].
	Dialect string   `json:"dialect,omitempty"`
	By      *SpanRef `json:"by,omitempty"`
	Sources []Source `json:"sources,omitempty"`
}

// SpanRef names a span.
type SpanRef struct {
	TraceID string `json:"trace_id"`
	SpanID  string `json:"span_id"`
}

// explain adds how the decision came about.
func (l *Line) explain(d convert.Decision, stamped map[string]string) {
	l.Dialect = d.Dialect
	l.Sources = newSources(d.Sources, stamped)
	if d.BySpanID != ([8]byte{}) {
		l.By = &SpanRef{TraceID: hex.EncodeToString(d.ByTraceID[:]), SpanID: hex.EncodeToString(d.BySpanID[:])}
	}
}

// Source says where a value of the record came from.
type Source struct {
	Field     string `json:"field"`     // of the record
	Attribute string `json:"attribute"` // "" for a default
	// Origin is span, scope, resource or default; for a value that metadata put on
	// the span, and that says so, call, wrapper, context, step, header or baggage.
	Origin string `json:"origin"`
}

// newSources tells where the values of a record came from. stamped are the
// origins of those that metadata put on the span, by field.
func newSources(sources []convert.Source, stamped map[string]string) []Source {
	lines := make([]Source, len(sources))
	for i, s := range sources {
		lines[i] = Source{Field: s.Field, Attribute: s.Attribute, Origin: s.Origin.String()}
		if origin := stamped[s.Field]; origin != "" && s.Origin == convert.OriginSpan {
			lines[i].Origin = origin
		}
	}
	return lines
}

// stampedBy reads what a span says of the origin of its metadata.
func stampedBy(attributes pcommon.Map) map[string]string {
	said, ok := attributes.Get(string(semconv.ReveniumAttributionOriginKey))
	if !ok || said.Type() != pcommon.ValueTypeSlice {
		return nil
	}
	stamped := make(map[string]string)
	for _, v := range said.Slice().All() {
		if field, origin, ok := strings.Cut(v.Str(), "="); ok {
			stamped[field] = origin
		}
	}
	return stamped
}

// Note says what was clamped, replaced or dropped on the way into the record.
type Note struct {
	Field     string `json:"field,omitempty"`     // of the record
	Attribute string `json:"attribute,omitempty"` // of the span
	Action    string `json:"action"`
	Reason    string `json:"reason"`
}

// Decisions of a line that are looked at here.
var (
	decisionBilled  = convert.Billed.String()
	decisionSkipped = convert.Skipped.String()
)

// newLine freezes what d decided. A record that cannot be mended is told as
// skipped, as the exporter counts it.
func newLine(file string, d convert.Decision) Line {
	line := Line{
		File:     file,
		TraceID:  hex.EncodeToString(d.TraceID[:]),
		SpanID:   hex.EncodeToString(d.SpanID[:]),
		SpanName: d.SpanName,
		Decision: d.Kind.String(),
		Reason:   string(d.Reason),
		Notes:    make([]Note, 0, len(d.Notes)),
	}
	for _, n := range d.Notes {
		line.Notes = append(line.Notes, Note{Field: n.Field, Attribute: n.Attribute, Action: string(n.Action), Reason: n.Reason})
	}
	if d.Kind != convert.Billed {
		return line
	}
	frozen, changes, err := metering.Freeze(d.Record)
	for _, c := range changes {
		line.Notes = append(line.Notes, Note{Field: c.Field, Attribute: attributeOf(c.Field, d.Sources), Action: string(c.Action), Reason: c.Reason})
	}
	if err != nil {
		line.Decision, line.Reason = decisionSkipped, invalidReason(err)
		return line
	}
	endpoint := string(frozen.Endpoint)
	line.Endpoint, line.Record = &endpoint, frozen.Body
	return line
}

// attributeOf returns the attribute that a field was taken from; "" for none.
func attributeOf(field string, sources []convert.Source) string {
	for _, s := range sources {
		if s.Field == field {
			return s.Attribute
		}
	}
	return ""
}

// invalidReason says what keeps a record from being sent.
func invalidReason(err error) string {
	var invalid *metering.InvalidRecordError
	if !errors.As(err, &invalid) {
		return "invalid record: " + err.Error()
	}
	problems := make([]string, 0, len(invalid.Problems))
	for _, p := range invalid.Problems {
		problems = append(problems, strings.TrimSpace(p.Field+" "+p.Reason))
	}
	return "invalid record: " + strings.Join(problems, "; ")
}
