// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
)

// String lists what is set, under the names of the metering record, without the
// value of the subscriber's credential.
func (m Metadata) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for name, value := range m.shown {
		if b.Len() > 1 {
			b.WriteByte(' ')
		}
		b.WriteString(name + ":" + value)
	}
	b.WriteByte('}')
	return b.String()
}

// GoString is [Metadata.String], for %#v.
func (m Metadata) GoString() string { return "instrument.Metadata" + m.String() }

// LogValue gives log/slog a group of what is set, without the value of the
// subscriber's credential.
func (m Metadata) LogValue() slog.Value {
	var attrs []slog.Attr
	for _, f := range fieldTable().fields {
		switch {
		case !f.isSet(&m):
		case f.Secret:
			attrs = append(attrs, slog.String(f.Name, redacted))
		case f.number != nil:
			attrs = append(attrs, slog.Float64(f.Name, **f.number(&m)))
		default:
			attrs = append(attrs, slog.String(f.Name, *f.text(&m)))
		}
	}
	return slog.GroupValue(attrs...)
}

// shown yields the names and values of what is set as people may see them.
func (m Metadata) shown(yield func(name, value string) bool) {
	for _, f := range fieldTable().fields {
		if !f.isSet(&m) {
			continue
		}
		value := ""
		if f.number != nil {
			value = formatNumber(**f.number(&m))
		} else {
			value = *f.text(&m)
		}
		if !yield(f.Name, f.shown(value)) {
			return
		}
	}
}

// MarshalJSON encodes what is set under the names of the metering record. The
// value of the subscriber's credential is part of it: JSON is for handing metadata
// on, String and LogValue are for people.
func (m Metadata) MarshalJSON() ([]byte, error) {
	object := map[string]any{}
	for _, f := range fieldTable().fields {
		if !f.isSet(&m) {
			continue
		}
		in := object
		parts := strings.Split(f.Name, ".")
		for _, part := range parts[:len(parts)-1] {
			inner, ok := in[part].(map[string]any)
			if !ok {
				inner = map[string]any{}
				in[part] = inner
			}
			in = inner
		}
		last := parts[len(parts)-1]
		if f.number != nil {
			in[last] = **f.number(&m)
		} else {
			in[last] = *f.text(&m)
		}
	}
	return json.Marshal(object)
}

// UnmarshalJSON decodes an object with any of the names that [FromMap] takes and
// replaces m by it. As is usual with JSON, names that no field has are ignored.
// Values that cannot be taken are a [MetadataError]; m then has all others.
func (m *Metadata) UnmarshalJSON(data []byte) error {
	var object map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		return fmt.Errorf("instrument: metadata: %w", err)
	}
	flat, problems := flatten(object)
	maps.DeleteFunc(flat, func(name string, _ any) bool {
		_, known := fieldTable().bySpelling[name]
		return !known
	})
	var more []FieldError
	*m, more = fromFlat(flat)
	return metadataError(append(problems, more...))
}
