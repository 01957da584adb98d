// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "math"

// ValueKind says what a [Value] holds.
type ValueKind uint8

// The kinds of values. ValueOther is everything that no metering field can come
// from: bytes, maps and lists of anything but strings.
const (
	ValueEmpty ValueKind = iota
	ValueBool
	ValueInt
	ValueFloat
	ValueString
	ValueStrings
	ValueOther
)

// Value is the value of an attribute. It is cheap to copy, and scalars are made
// without an allocation.
type Value struct {
	kind ValueKind
	num  uint64
	str  string
	list StringList
}

// StringList is a list of strings that is built only when somebody asks for it.
type StringList interface {
	// Strings returns the list. It is called during the visit of the attribute, if
	// at all.
	Strings() []string
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
func StringsValue(v []string) Value { return Value{kind: ValueStrings, list: stringSlice(v)} }

// StringListValue returns the value for a list of strings that is built when it
// is needed. Few attributes are lists that anybody reads, and many spans carry
// lists that nobody does.
func StringListValue(v StringList) Value { return Value{kind: ValueStrings, list: v} }

// OtherValue returns the value for what is neither a scalar nor a list of
// strings.
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

// Strings returns the value of [ValueStrings], nil for other kinds.
func (v Value) Strings() []string {
	if v.list == nil {
		return nil
	}
	return v.list.Strings()
}
