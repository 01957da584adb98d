// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/revenium/revenium-otel-go/tools/semconvgen/internal/registry"
)

// column is a column of the table of a group.
type column struct {
	title string
	cell  func(*registry.Attribute) string
}

// table is the Markdown table of a group's attributes, without the columns that
// would be empty.
func table(g *registry.Group) string {
	columns := []column{
		{"Attribute", func(a *registry.Attribute) string { return code(a.ID) }},
		{"Type", typeCell},
		{"Meaning", meaningCell},
		{"Field", fieldCell},
		{"Limit", limitCell},
		{"Set for", func(a *registry.Attribute) string { return string(a.Level) }},
		{"Read as well", aliasCell},
		{"Header", func(a *registry.Attribute) string { return codes(a.Headers) }},
		{"Environment", func(a *registry.Attribute) string { return codes(a.Env) }},
	}
	var titles []string
	rows := make([][]string, len(g.Attributes))
	for _, c := range columns {
		filled := false
		cells := make([]string, len(g.Attributes))
		for i, a := range g.Attributes {
			cells[i] = c.cell(a)
			filled = filled || cells[i] != ""
		}
		if !filled {
			continue
		}
		titles = append(titles, c.title)
		for i := range rows {
			rows[i] = append(rows[i], cells[i])
		}
	}
	return markdown(titles, rows)
}

func markdown(titles []string, rows [][]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(titles, " | "), strings.Repeat(" --- |", len(titles)))
	for _, row := range rows {
		for i, cell := range row {
			// A bar would end the cell, even within code.
			row[i] = strings.ReplaceAll(cell, "|", `\|`)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func code(s string) string { return "`" + s + "`" }

func codes(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = code(s)
	}
	return strings.Join(quoted, ", ")
}

func typeCell(a *registry.Attribute) string {
	text := a.Type.Name
	switch {
	case a.Type.Template:
		text += ", one for each element"
	case len(a.Type.Members) > 0:
		text += ", known values"
	}
	if a.Stability == "stable" {
		text += "; stable"
	}
	return text
}

// anchor is the fragment that GitHub gives to a heading.
func anchor(title string) string {
	keep := func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		default:
			return -1
		}
	}
	return strings.Map(keep, title)
}

func meaningCell(a *registry.Attribute) string {
	parts := []string{a.Brief}
	if d := a.Deprecated; d != nil {
		if d.RenamedTo != "" {
			parts = append(parts, "Older name of "+code(d.RenamedTo)+".")
		}
		if d.Note != "" {
			parts = append(parts, d.Note)
		}
	}
	if a.Note != "" {
		parts = append(parts, a.Note)
	}
	if a.Secret {
		parts = append(parts, "**Secret.**")
	}
	if len(a.Type.Members) > 0 {
		values := make([]string, len(a.Type.Members))
		for i, m := range a.Type.Members {
			values[i] = m.Value
		}
		parts = append(parts, "Values: "+codes(values)+".")
	} else {
		parts = append(parts, "Example: "+code(exampleText(a.Examples[0]))+".")
	}
	return strings.Join(parts, " ")
}

// exampleText is an example as one would type it.
func exampleText(example string) string {
	if text, err := strconv.Unquote(example); err == nil {
		return text
	}
	return example
}

func fieldCell(a *registry.Attribute) string {
	cells := make([]string, len(a.Fields))
	for i, ref := range a.Fields {
		cells[i] = fieldText(ref)
	}
	return strings.Join(cells, ", ")
}

func fieldText(ref registry.FieldRef) string {
	if ref.Record == "" {
		return code(ref.Name)
	}
	return code(ref.Name) + " (" + ref.Record + ")"
}

func limitCell(a *registry.Attribute) string {
	l := a.Limit
	if l == nil {
		return ""
	}
	var parts []string
	if l.MaxLength > 0 {
		parts = append(parts, fmt.Sprintf("%d characters", l.MaxLength))
	}
	if l.Pattern != "" {
		parts = append(parts, code(l.Pattern))
	}
	if len(l.Reserved) > 0 {
		parts = append(parts, "not "+codes(l.Reserved))
	}
	if l.Members {
		parts = append(parts, "the values listed")
	}
	switch {
	case l.Min != "" && l.Max != "":
		parts = append(parts, l.Min+" to "+l.Max)
	case l.Min != "":
		parts = append(parts, "at least "+l.Min)
	case l.Max != "":
		parts = append(parts, "at most "+l.Max)
	}
	return strings.Join(parts, ", ")
}

func aliasCell(a *registry.Attribute) string {
	text := codes(a.Aliases)
	if len(a.OptInAliases) == 0 {
		return text
	}
	if text != "" {
		text += "; "
	}
	return text + "on request " + codes(a.OptInAliases)
}

// derivedTable lists the fields that no attribute gives.
func derivedTable(all []registry.Derived) string {
	rows := make([][]string, len(all))
	for i, d := range all {
		rows[i] = []string{fieldText(d.Field), d.From}
	}
	return markdown([]string{"Field", "Derived from"}, rows)
}

func settingsTable(title string, all []registry.Setting) string {
	titles := []string{title, "Meaning"}
	defaults := false
	for _, s := range all {
		defaults = defaults || s.Default != ""
	}
	if defaults {
		titles = append(titles, "Default")
	}
	rows := make([][]string, len(all))
	for i, s := range all {
		meaning := s.Brief
		if s.Secret {
			meaning += " **Secret.**"
		}
		rows[i] = []string{code(s.Name), meaning}
		if !defaults {
			continue
		}
		value := ""
		if s.Default != "" {
			value = code(s.Default)
		}
		rows[i] = append(rows[i], value)
	}
	return markdown(titles, rows)
}
