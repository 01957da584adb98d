// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"slices"

	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/semconv"
)

// Fields lists the fields of [Metadata] as the registry describes them: the
// attributes, headers and environment variables of each. The slice is the caller's.
func Fields() []semconv.Field {
	table := fieldTable().fields
	list := make([]semconv.Field, len(table))
	for i, f := range table {
		list[i] = f.Field
	}
	return list
}

// FromAttributes reads metadata from attributes, those that [Metadata.Attributes]
// returns or others: a field's name to write goes before the older ones, in the
// order of docs/attributes.md, and of two attributes with one key the later counts.
// Attributes of no field are passed over.
//
// The error is a [MetadataError] that names every value that cannot be taken; the
// result has all the others. Limits are checked by [Metadata.Validate].
func FromAttributes(attrs ...attribute.KeyValue) (Metadata, error) {
	var m Metadata
	var problems []FieldError
	table := fieldTable()
	ranks := make(map[fieldIndex]int, len(attrs))
	for i := range attrs {
		key, value := attrs[i].Key, attrs[i].Value
		index, ok := table.byKey[key]
		if !ok || value.Type() == attribute.STRING && blank(value.AsString()) {
			continue
		}
		f := table.fields[index]
		rank := f.rank(key)
		if best, ok := ranks[index]; ok && best < rank {
			continue
		}
		if problem := f.take(&m, value.AsInterface()); problem != "" {
			problems = append(problems, FieldError{Field: f.Name, Value: f.shown(value.String()), Problem: problem + ", given as " + string(key)})
			continue
		}
		ranks[index] = rank
	}
	return m, metadataError(problems)
}

// rank is the place of a key among the field's names: 0 for the one to write.
func (f *field) rank(key attribute.Key) int {
	if key == f.Key {
		return 0
	}
	return 1 + slices.Index(f.Aliases, key)
}

// Valid returns m without the values outside Revenium's limits, and what
// [Metadata.Validate] says of them: for metadata that goes to or comes from another
// process, where nothing would report them later.
func (m Metadata) Valid() (Metadata, error) {
	var problems []FieldError
	for _, f := range fieldTable().fields {
		if !f.isSet(&m) {
			continue
		}
		if problem, ok := f.check(&m); !ok {
			problems = append(problems, problem)
			f.clear(&m)
		}
	}
	return m, metadataError(problems)
}
