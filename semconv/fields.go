// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package semconv

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"
)

// Field ties one field of a metering record to the names under which its value
// may be given. docs/attributes.md lists them all.
type Field struct {
	// Name is the JSON name in the metering record, dotted where it is nested:
	// "subscriber.email".
	Name string
	// Record is the kind of record that alone has the field; RecordCall for
	// completions and for what several kinds have in common.
	Record Record
	// Key is the name to write.
	Key attribute.Key
	// Aliases are other names that are read, in this order and after Key. Some
	// come in a unit or type of their own; docs/attributes.md says which.
	Aliases []attribute.Key
	// OptInAliases are read only where the user asks for it: they may hold
	// personal data or mean something else.
	OptInAliases []attribute.Key
	// Headers are the HTTP headers that give the value for a request, in order of
	// precedence.
	Headers []string
	// Env are the environment variables that give the value for a process, in
	// order of precedence.
	Env []string
	// RequestLevel says that a value may be given for all calls of a request: by
	// context, wrapper, baggage or header. Ids, counts and retry numbers are those
	// of a single call and come from its span alone.
	RequestLevel bool
	// ResourceLevel says that a value may be given for all calls of a process: by
	// an attribute of the instrumentation scope or the resource, by the exporter's
	// options or by the environment. It implies RequestLevel.
	ResourceLevel bool
	// Secret values are sent to Revenium and appear nowhere else.
	Secret bool
}

// Record is a kind of metering record.
type Record uint8

// The kinds of records.
const (
	RecordCall Record = iota
	RecordImage
	RecordAudio
	RecordVideo
	RecordTool
)

// Fields returns the fields of completions, most of which the other kinds of
// records have as well. The slice is the caller's.
func Fields() []Field { return RecordFields(RecordCall) }

// RecordFields returns the fields that only records of the given kind have. The
// slice is the caller's.
func RecordFields(record Record) []Field {
	var of []Field
	for _, f := range fields() {
		if f.Record == record {
			of = append(of, f)
		}
	}
	return of
}

// ReveniumKeys returns every key of the revenium namespace that means something:
// those to write, then other spellings that are read. One that ends in a dot stands
// for all keys that begin so. The slice is the caller's.
func ReveniumKeys() []attribute.Key {
	const namespace = "revenium."
	var list []attribute.Key
	seen := make(map[attribute.Key]bool)
	add := func(keys ...attribute.Key) {
		for _, key := range keys {
			if strings.HasPrefix(string(key), namespace) && !seen[key] {
				seen[key] = true
				list = append(list, key)
			}
		}
	}
	add(keys()...)
	for _, f := range fields() {
		add(f.Key)
		add(f.Aliases...)
	}
	return list
}

// FieldByName finds one of [Fields] by its name in the record.
func FieldByName(name string) (Field, bool) {
	for _, f := range fields() {
		if f.Record == RecordCall && f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}
