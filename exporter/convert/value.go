// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "math"

// ValueKind says what a [Value] holds.
type ValueKind uint8

// The kinds of values. ValueStrings is a list of strings, ValueList a list of
// anything, ValueOther everything that no metering field can come from, such as
// bytes.
const (
	ValueEmpty ValueKind = iota
	ValueBool
	ValueInt
	ValueFloat
	ValueString
	ValueStrings
	ValueList
	ValueMap
	ValueOther
)

// Value is the value of an attribute. It is cheap to copy, and scalars are made
// without an allocation.
type Value struct {
	kind ValueKind
	num  uint64
	str  string
	// ref is what shows the content of lists and maps. It is one field for all of
	// them, because values are copied for every attribute of every span.
	ref any
}

// StringList is a list of strings that is built only when somebody asks for it.
type StringList interface {
	// Strings returns the list. It is called during the visit of the attribute, if
	// at all.
	Strings() []string
}

// List is a list that is shown only when somebody asks for it.
type List interface {
	// WalkElements shows the elements in order. It is called during the visit of
	// the attribute, if at all.
	WalkElements(visit ElementVisitor)
}

// ElementVisitor is shown the elements of a list.
type ElementVisitor interface {
	// Element is called for each element until it returns false.
	Element(index int, v Value) bool
}

// stringSlice is a list that is there already.
type stringSlice []string

func (s stringSlice) Strings() []string { return s }

// BoolValue returns the value for a bool.
func BoolValue(v bool) Value {
	if v {
		return Value{kind: ValueBool, num: 1}
	}
	return Value{kind: ValueBool}
}

// IntValue returns the value for an integer.
func IntValue(v int64) Value { return Value{kind: ValueInt, num: uint64(v)} }

// FloatValue returns the value for a float.
func FloatValue(v float64) Value { return Value{kind: ValueFloat, num: math.Float64bits(v)} }

// StringValue returns the value for a string.
func StringValue(v string) Value { return Value{kind: ValueString, str: v} }

// StringsValue returns the value for a list of strings that exists already. A
// view that would have to build the list uses [StringListValue].
func StringsValue(v []string) Value { return Value{kind: ValueStrings, ref: stringSlice(v)} }

// StringListValue returns the value for a list of strings that is built when it
// is needed. Few attributes are lists that anybody reads, and many spans carry
// lists that nobody does.
func StringListValue(v StringList) Value { return Value{kind: ValueStrings, ref: v} }

// ListValue returns the value for a list of anything.
func ListValue(v List) Value { return Value{kind: ValueList, ref: v} }

// MapValue returns the value for a map.
func MapValue(v Attributes) Value { return Value{kind: ValueMap, ref: v} }

// OtherValue returns the value for what is none of these.
func OtherValue() Value { return Value{kind: ValueOther} }

// Kind says what the value holds.
func (v Value) Kind() ValueKind { return v.kind }

// Bool returns the value of [ValueBool], false for other kinds.
func (v Value) Bool() bool { return v.kind == ValueBool && v.num != 0 }

// Int returns the value of [ValueInt], 0 for other kinds.
func (v Value) Int() int64 {
	if v.kind != ValueInt {
		return 0
	}
	return int64(v.num)
}

// Float returns the value of [ValueFloat], 0 for other kinds.
func (v Value) Float() float64 {
	if v.kind != ValueFloat {
		return 0
	}
	return math.Float64frombits(v.num)
}

// Text returns the value of [ValueString], "" for other kinds.
func (v Value) Text() string { return v.str }

// Strings returns the value of [ValueStrings], and those elements of a
// [ValueList] that are strings; nil for other kinds.
func (v Value) Strings() []string {
	switch ref := v.ref.(type) {
	case StringList:
		return ref.Strings()
	case List:
		var strings elementStrings
		ref.WalkElements(&strings)
		return strings
	default:
		return nil
	}
}

// WalkElements shows the elements of [ValueStrings] and [ValueList].
func (v Value) WalkElements(visit ElementVisitor) {
	switch ref := v.ref.(type) {
	case List:
		ref.WalkElements(visit)
	case StringList:
		for i, s := range ref.Strings() {
			if !visit.Element(i, StringValue(s)) {
				return
			}
		}
	}
}

// Walk shows the members of [ValueMap].
func (v Value) Walk(visit AttributeVisitor) {
	if m, ok := v.ref.(Attributes); ok {
		m.Walk(visit)
	}
}

// elementStrings collects the elements that are strings.
type elementStrings []string

func (e *elementStrings) Element(_ int, v Value) bool {
	if v.kind == ValueString {
		*e = append(*e, v.str)
	}
	return true
}
