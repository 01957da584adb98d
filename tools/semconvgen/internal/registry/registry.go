// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package registry reads and checks the attribute registry in semconv/model.
//
// The files are in the registry format of OpenTelemetry's weaver. What weaver's
// format has no place for stands in annotations whose names begin with
// "revenium.".
package registry

// Registry is all that the model says.
type Registry struct {
	Groups []*Group
}

// Group is a topic.
type Group struct {
	File        string
	ID          string
	DisplayName string
	Brief       string
	Note        string
	Attributes  []*Attribute
	// Env and Headers are those that belong to no attribute.
	Env     []Setting
	Headers []Setting
	// Derived are the fields that are not read from an attribute.
	Derived []Derived
}

// Attribute is a key with all that is known about it.
type Attribute struct {
	File       string
	ID         string
	Type       Type
	Stability  string
	Brief      string
	Note       string
	Examples   []string
	Deprecated *Deprecated
	// Excluded attributes have no Go constant: their Go name would be that of
	// another attribute.
	Excluded bool

	Fields       []FieldRef
	Level        Level
	Limit        *Limit
	Aliases      []string
	OptInAliases []string
	Headers      []string
	Env          []string
	Secret       bool
}

// Type is the type of an attribute's value.
type Type struct {
	// Name is the scalar or list type: "string", "int", "double", "boolean",
	// "string[]" and so on. It is "string" for enumerations.
	Name string
	// Template says that the key is a prefix.
	Template bool
	// Members are the known values of an enumeration.
	Members []Member
}

// Member is a known value of an enumeration.
type Member struct {
	ID    string
	Value string
	Brief string
}

// Deprecated says that a name was given up.
type Deprecated struct {
	Reason    string
	RenamedTo string
	Note      string
}

// FieldRef names a metering field.
type FieldRef struct {
	// Record is the kind of record that alone has the field: "image", "audio",
	// "video", "tool", or "" for completions and what all have in common.
	Record string
	Name   string
}

// String is the form in which the model names the field.
func (f FieldRef) String() string {
	if f.Record == "" {
		return f.Name
	}
	return f.Record + ":" + f.Name
}

// Level says for how much a value may be set at once.
type Level string

// The levels. Each one includes those before it.
const (
	LevelCall    Level = "call"
	LevelRequest Level = "request"
	LevelProcess Level = "process"
)

// Limit is what the metering API accepts.
type Limit struct {
	// MaxLength is in characters; 0 is none.
	MaxLength int
	// Pattern is a regular expression in Go's syntax; "" is none.
	Pattern string
	// Reserved are values that the pattern cannot exclude.
	Reserved []string
	// Members says that the known values of the enumeration are the only ones.
	Members bool
	// Min and Max are as written in the model; "" is none.
	Min, Max string
}

// Setting is an environment variable or a header that belongs to no attribute.
type Setting struct {
	Name    string
	Brief   string
	Default string
	Secret  bool
}

// Derived is a field that is not read from an attribute.
type Derived struct {
	Field FieldRef
	From  string
}

// Attributes are the attributes of all groups, in the order of the model.
func (r *Registry) Attributes() []*Attribute {
	var all []*Attribute
	for _, g := range r.Groups {
		all = append(all, g.Attributes...)
	}
	return all
}
