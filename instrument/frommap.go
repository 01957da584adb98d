// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// FromMap reads metadata from a map such as callers of the Python middleware
// pass. A field may be spelt in several ways, of which the first that has a value
// counts:
//
//  1. the name of the metering record in snake case: organization_name,
//     task_type, response_quality_score;
//  2. the same as it is: organizationName;
//  3. older names in either form: organization_id, organizationId, product_id,
//     job_id, agent_name;
//  4. the name in [Metadata]: organization, quality_score, job.id;
//  5. the keys of the span attribute: revenium.organization.name.
//
// Parts of the subscriber stand in a map of their own ({"subscriber": {"id": ...,
// "email": ..., "credential": {"name": ..., "value": ...}}}), which goes first, or
// flat: subscriber_id, subscriber_email, subscriber_credential_name,
// subscriber_credential.
//
// Values are texts, numbers, booleans, anything with a String method, and
// pointers to those; nil and empty ones are unset. The error is a [MetadataError]
// that names every value that cannot be taken and every name that no field has;
// the result has all the others. Limits are checked by [Metadata.Validate].
func FromMap(values map[string]any) (Metadata, error) {
	flat, problems := flatten(values)
	m, more := fromFlat(flat)
	return m, metadataError(append(problems, more...))
}

// FromStruct reads metadata from the fields of a struct, or of a pointer to one,
// that say by a tag which field of metadata they are, in any of the spellings of
// [FromMap]:
//
//	type Ticket struct {
//		Tenant string `revenium:"organization"`
//		User   User   `revenium:"subscriber"` // its fields have tags id, email, ...
//	}
//
// Embedded structs are looked into. A value that is not a struct, and a tag on an
// unexported field, are errors.
func FromStruct(v any) (Metadata, error) {
	rv := indirect(reflect.ValueOf(v))
	if rv.IsValid() && rv.Kind() != reflect.Struct {
		return Metadata{}, fmt.Errorf("instrument: metadata from a struct: %s is no struct", rv.Type())
	}
	c := flattener{flat: map[string]any{}}
	if rv.IsValid() {
		c.structure("", rv)
	}
	m, more := fromFlat(c.flat)
	return m, metadataError(append(c.problems, more...))
}

// indirect is what a pointer or interface points to; invalid if that is nothing.
func indirect(v reflect.Value) reflect.Value {
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
		v = v.Elem()
	}
	return v
}

// fromFlat reads metadata from values under dotted names.
func fromFlat(flat map[string]any) (Metadata, []FieldError) {
	var m Metadata
	var problems []FieldError
	table := fieldTable()
	for _, f := range table.fields {
		for _, name := range f.spellings {
			value, ok := flat[name]
			if !ok || f.isSet(&m) {
				continue
			}
			if problem := f.take(&m, value); problem != "" {
				problems = append(problems, FieldError{Field: f.Name, Value: f.shown(fmt.Sprint(value)), Problem: problem + ", given as " + name})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(flat)) {
		if _, ok := table.bySpelling[name]; !ok {
			problems = append(problems, FieldError{Field: name, Problem: notAField(name)})
		}
	}
	return m, problems
}

// notAField says why a name is not that of a field.
func notAField(name string) string {
	switch snake(strings.TrimPrefix(name, "revenium.")) {
	case "transaction_id", "parent_transaction_id", "retry_number":
		return "is that of a single call: pass WithTransactionID, WithParentTransactionID or WithRetryNumber to the call"
	default:
		return "is no field of metadata"
	}
}

// take sets the field to a value of any type, and says what is wrong with it.
func (f *field) take(m *Metadata, value any) (problem string) {
	if f.number != nil {
		return f.takeNumber(m, value)
	}
	s, ok := textOf(value)
	if !ok {
		return fmt.Sprintf("has type %T, which is no text", value)
	}
	if !blank(s) {
		*f.text(m) = s
	}
	return ""
}

func (f *field) takeNumber(m *Metadata, value any) (problem string) {
	var n float64
	switch v := reflect.ValueOf(value); {
	case v.CanFloat():
		n = v.Float()
	case v.CanInt():
		n = float64(v.Int())
	case v.CanUint():
		n = float64(v.Uint())
	case v.Kind() == reflect.String: // also a json.Number
		if blank(v.String()) {
			return ""
		}
		var err error
		if n, err = strconv.ParseFloat(strings.TrimSpace(v.String()), 64); err != nil {
			return "is not a number"
		}
	default:
		return fmt.Sprintf("has type %T, which is no number", value)
	}
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return "is not a finite number"
	}
	*f.number(m) = &n
	return ""
}

// textOf is a scalar value as a text.
func textOf(value any) (string, bool) {
	if s, ok := value.(fmt.Stringer); ok {
		if secret, ok := value.(Secret); ok {
			return string(secret), true
		}
		return s.String(), true
	}
	switch v := reflect.ValueOf(value); {
	case v.Kind() == reflect.String:
		return v.String(), true
	case v.CanInt(), v.CanUint(), v.CanFloat(), v.Kind() == reflect.Bool:
		return fmt.Sprint(value), true
	default:
		return "", false
	}
}

// flatten returns the values of nested maps and structs under dotted names.
func flatten(values map[string]any) (map[string]any, []FieldError) {
	c := flattener{flat: make(map[string]any, len(values))}
	for name, value := range values {
		c.value(name, reflect.ValueOf(value))
	}
	return c.flat, c.problems
}

// flattener collects values under dotted names.
type flattener struct {
	flat     map[string]any
	problems []FieldError
	depth    int
}

// maxDepth bounds the nesting of what is read; metadata needs three levels.
const maxDepth = 8

func (c *flattener) value(name string, v reflect.Value) {
	inner := indirect(v)
	if !inner.IsValid() {
		return
	}
	if !inner.CanInterface() {
		c.problems = append(c.problems, FieldError{Field: name, Problem: "is the tag of an unexported struct field"})
		return
	}
	isMap := inner.Kind() == reflect.Map && inner.Type().Key().Kind() == reflect.String
	isStruct := inner.Kind() == reflect.Struct && hasTags(inner.Type())
	if !isMap && !isStruct {
		c.flat[name] = scalar(v, inner)
		return
	}
	if c.depth == maxDepth {
		c.problems = append(c.problems, FieldError{Field: name, Problem: "is nested too deeply"})
		return
	}
	c.depth++
	if isStruct {
		c.structure(name+".", inner)
	} else {
		for key, value := range inner.Seq2() {
			c.value(name+"."+key.String(), value)
		}
	}
	c.depth--
}

// scalar is what v points to, or the pointer where only that has a String
// method.
func scalar(v, inner reflect.Value) any {
	if _, ok := reflect.TypeAssert[fmt.Stringer](inner); !ok && v.Kind() == reflect.Pointer {
		if s, ok := reflect.TypeAssert[fmt.Stringer](v); ok {
			return s
		}
	}
	return inner.Interface()
}

// structTag is the key of the struct tags that [FromStruct] reads.
const structTag = "revenium"

func hasTags(t reflect.Type) bool {
	for f := range t.Fields() {
		if f.Tag.Get(structTag) != "" || f.Anonymous {
			return true
		}
	}
	return false
}

// structure collects the tagged fields of a struct.
func (c *flattener) structure(prefix string, v reflect.Value) {
	for f, value := range v.Fields() {
		name := f.Tag.Get(structTag)
		switch {
		case name == "-":
		case name != "":
			if !value.IsZero() {
				c.value(prefix+name, value)
			}
		case f.Anonymous:
			if inner := indirect(value); inner.IsValid() && inner.Kind() == reflect.Struct {
				c.structure(prefix, inner)
			}
		}
	}
}
