// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/revenium/revenium-otel-go/tools/semconvgen/internal/registry"
)

// view is what the templates see.
type view struct {
	*registry.Registry
	// Sorted are the attributes that have Go names, by key.
	Sorted []*registry.Attribute
	// Fields are the settable fields in the order of the model.
	Fields []field
	// Headers and Env are all names, in the order of the alphabet.
	Headers []named
	Env     []named
	// Limits are the constants of the limits, by field.
	Limits []limit
}

type field struct {
	registry.FieldRef
	*registry.Attribute
}

// named is a header or an environment variable with what is said of it.
type named struct {
	Name string
	Text string
}

type limit struct {
	registry.FieldRef
	*registry.Limit
	// Known are the known values of an enumeration.
	Known []registry.Member
}

// HasBounds says whether the limit gives constants for a range. The lower bound
// alone is always zero and says no more than that a count is not negative.
func (l limit) HasBounds() bool { return l.Max != "" }

func newView(reg *registry.Registry) view {
	v := view{Registry: reg}
	for _, a := range reg.Attributes() {
		if !a.Excluded {
			v.Sorted = append(v.Sorted, a)
		}
		for _, ref := range a.Fields {
			v.Fields = append(v.Fields, field{ref, a})
			if a.Limit != nil {
				v.Limits = append(v.Limits, limit{ref, a.Limit, a.Type.Members})
			}
		}
		for i, name := range a.Headers {
			v.Headers = append(v.Headers, named{name, source(a, a.Headers, i)})
		}
		for i, name := range a.Env {
			v.Env = append(v.Env, named{name, source(a, a.Env, i)})
		}
	}
	for _, g := range reg.Groups {
		for _, s := range g.Headers {
			v.Headers = append(v.Headers, named{s.Name, "names a header. " + s.Brief})
		}
		for _, s := range g.Env {
			v.Env = append(v.Env, named{s.Name, "names an environment variable. " + settingText(s)})
		}
	}
	slices.SortFunc(v.Sorted, func(a, b *registry.Attribute) int { return cmp.Compare(a.ID, b.ID) })
	byName := func(a, b named) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortFunc(v.Headers, byName)
	slices.SortFunc(v.Env, byName)
	slices.SortFunc(v.Limits, func(a, b limit) int { return cmp.Compare(a.String(), b.String()) })
	return v
}

// source says what a header or an environment variable stands for: with the
// attribute, and with what goes before it.
func source(a *registry.Attribute, all []string, place int) string {
	var fields []string
	for _, ref := range a.Fields {
		fields = append(fields, ref.Name)
	}
	text := "gives the field " + strings.Join(fields, ", ")
	if place > 0 {
		text += " where " + all[place-1] + " gives none"
	}
	return text + "; its attribute is " + a.ID + "."
}

// names are the Go names of the attributes.
type names map[string]string

// nameAll finds the Go name of each attribute that has one.
func nameAll(reg *registry.Registry) (names, error) {
	all := names{}
	owners := map[string]string{}
	var problems []error
	claim := func(file, id, name string) {
		if owner, ok := owners[name]; ok {
			problems = append(problems, fmt.Errorf(
				"%s: %s: the Go name %s is that of %s already; set code_generation: {exclude: true} on the lesser of the two", file, id, name, owner,
			))
		}
		owners[name] = id
	}
	for _, a := range reg.Attributes() {
		if a.Excluded {
			continue
		}
		all[a.ID] = goName(a.ID)
		claim(a.File, a.ID, goName(a.ID))
		for _, m := range a.Type.Members {
			claim(a.File, a.ID, goName(a.ID)+goName(m.ID))
		}
	}
	for _, h := range newView(reg).Headers {
		claim("headers", h.Name, headerName(h.Name))
	}
	for _, e := range newView(reg).Env {
		claim("environment", e.Name, envName(e.Name))
	}
	return all, errors.Join(problems...)
}

func (n names) funcs() template.FuncMap {
	return template.FuncMap{
		"name":        goName,
		"envName":     envName,
		"headerName":  headerName,
		"key":         n.fieldKey,
		"keys":        n.keys,
		"comment":     comment,
		"doc":         docComment,
		"goType":      goType,
		"constructor": constructor,
		"anchor":      anchor,
		"join":        strings.Join,
		"quote":       strconv.Quote,
		"table":       table,
		"fields":      derivedTable,
		"settings":    settingsTable,
	}
}

// key is the Go expression of an attribute's key.
func (n names) key(id string) string {
	if name, ok := n[id]; ok {
		return name + "Key"
	}
	return strconv.Quote(id)
}

// fieldKey is the Go expression of the key of a field, of the prefix where the
// field has many keys.
func (n names) fieldKey(a *registry.Attribute) string {
	if a.Type.Template {
		return n[a.ID] + "Prefix"
	}
	return n.key(a.ID)
}

func (n names) keys(ids []string) string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = n.key(id)
	}
	return strings.Join(all, ", ")
}

// goType is the Go type of a value, the attribute package's method for it.
func goType(a *registry.Attribute) string {
	return map[string]string{
		"string": "string", "int": "int", "double": "float64", "boolean": "bool",
		"string[]": "...string", "int[]": "...int", "double[]": "...float64", "boolean[]": "...bool",
	}[a.Type.Name]
}

func constructor(a *registry.Attribute) string {
	return map[string]string{
		"string": "String", "int": "Int", "double": "Float64", "boolean": "Bool",
		"string[]": "StringSlice", "int[]": "IntSlice", "double[]": "Float64Slice", "boolean[]": "BoolSlice",
	}[a.Type.Name]
}

// comment wraps text to lines of a Go comment.
func comment(prefix, text string) string {
	const width = 78
	var b strings.Builder
	for i, paragraph := range strings.Split(text, "\n") {
		if i > 0 {
			b.WriteString("\n")
		}
		if paragraph == "" {
			b.WriteString(strings.TrimRight(prefix+"//", " "))
			continue
		}
		line := prefix + "//"
		for word := range strings.FieldsSeq(paragraph) {
			if len(line)+1+len(word) > width && line != prefix+"//" {
				b.WriteString(line + "\n")
				line = prefix + "//"
			}
			line += " " + word
		}
		b.WriteString(line)
	}
	return b.String()
}

// docComment says about an attribute what a user of its Go name wants to know.
func docComment(subject string, a *registry.Attribute) string {
	lines := []string{subject + " " + strconv.Quote(a.ID) + ", " + typeText(a) + ". " + a.Brief}
	if d := a.Deprecated; d != nil {
		older := "An older name: it is read, never written."
		if d.RenamedTo != "" {
			older = "An older name of " + strconv.Quote(d.RenamedTo) + ": it is read, never written."
		}
		lines = append(lines, "", strings.TrimSpace(older+" "+d.Note))
	}
	if a.Note != "" {
		lines = append(lines, "", a.Note)
	}
	return strings.Join(lines, "\n")
}

// typeText is the type of an attribute in words.
func typeText(a *registry.Attribute) string {
	if len(a.Type.Members) > 0 {
		return "a " + a.Type.Name + " with known values"
	}
	if elem, ok := strings.CutSuffix(a.Type.Name, "[]"); ok {
		return "a list of " + elem + "s"
	}
	if a.Type.Name == "int" {
		return "an int"
	}
	return "a " + a.Type.Name
}

// settingText is what a Go comment says of a setting.
func settingText(s registry.Setting) string {
	text := s.Brief
	if s.Default != "" {
		text += " The default is " + s.Default + "."
	}
	if s.Secret {
		text += " It is a secret."
	}
	return text
}
