// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

func fieldRef(s string) FieldRef {
	if record, name, ok := strings.Cut(s, ":"); ok {
		return FieldRef{Record: record, Name: name}
	}
	return FieldRef{Name: s}
}

// records are the kinds of records that have fields of their own.
func records() []string { return []string{"image", "audio", "video", "tool"} }

func (p *parser) annotations(a *Attribute, node *yaml.Node) {
	keys := p.mapping(node, "code_generation", "revenium.field", "revenium.level", "revenium.limit",
		"revenium.aliases", "revenium.opt_in_aliases", "revenium.headers", "revenium.env", "revenium.secret")
	a.Excluded = p.flag(p.mapping(keys["code_generation"], "exclude")["exclude"])
	a.Fields = p.fields(keys["revenium.field"])
	a.Level = Level(p.text(keys["revenium.level"]))
	a.Limit = p.limit(keys["revenium.limit"], a)
	a.Aliases = p.texts(keys["revenium.aliases"])
	a.OptInAliases = p.texts(keys["revenium.opt_in_aliases"])
	a.Headers = p.texts(keys["revenium.headers"])
	a.Env = p.texts(keys["revenium.env"])
	a.Secret = p.flag(keys["revenium.secret"])

	switch a.Level {
	case "", LevelCall, LevelRequest, LevelProcess:
	default:
		p.fail(keys["revenium.level"], "revenium.level %q is none of call, request, process", a.Level)
	}
	if len(a.Fields) == 0 {
		for _, key := range []string{"revenium.level", "revenium.aliases", "revenium.opt_in_aliases", "revenium.headers", "revenium.env"} {
			if keys[key] != nil {
				p.fail(keys[key], "%s needs a revenium.field", key)
			}
		}
		return
	}
	if a.Level == "" {
		p.fail(node, "revenium.level is missing")
	}
	if len(a.Env) > 0 && a.Level != LevelProcess {
		p.fail(keys["revenium.env"], "an environment variable is valid for a whole process, level %s is not", a.Level)
	}
	if len(a.Headers) > 0 && a.Level == LevelCall {
		p.fail(keys["revenium.headers"], "a header is valid for a whole request, level call is not")
	}
}

func (p *parser) fields(node *yaml.Node) []FieldRef {
	if node == nil {
		return nil
	}
	names := []string{}
	if node.Kind == yaml.SequenceNode {
		names = p.texts(node)
	} else {
		names = append(names, p.text(node))
	}
	var refs []FieldRef
	for _, name := range names {
		ref := fieldRef(name)
		if ref.Record != "" && !slices.Contains(records(), ref.Record) {
			p.fail(node, "revenium.field %q: record %q is none of %s", name, ref.Record, strings.Join(records(), ", "))
		}
		if ref.Name == "" {
			p.fail(node, "revenium.field %q has no name", name)
		}
		refs = append(refs, ref)
	}
	return refs
}

func (p *parser) limit(node *yaml.Node, a *Attribute) *Limit {
	if node == nil {
		return nil
	}
	keys := p.mapping(node, "max_length", "pattern", "reserved", "members", "min", "max")
	l := &Limit{
		Pattern: p.text(keys["pattern"]), Reserved: p.texts(keys["reserved"]), Members: p.flag(keys["members"]),
		Min: p.number(keys["min"]), Max: p.number(keys["max"]),
	}
	if n := keys["max_length"]; n != nil {
		length, err := strconv.Atoi(n.Value)
		if err != nil || length < 1 {
			p.fail(n, "revenium.limit: max_length %q is not a positive whole number", n.Value)
		}
		l.MaxLength = length
	}
	if _, err := regexp.Compile(l.Pattern); err != nil {
		p.fail(keys["pattern"], "revenium.limit: %s", err)
	}
	text := l.MaxLength > 0 || l.Pattern != "" || len(l.Reserved) > 0
	ranged := l.Min != "" || l.Max != ""
	switch {
	case !text && !ranged && !l.Members:
		p.fail(node, "revenium.limit says nothing")
	case l.Members && len(a.Type.Members) == 0:
		p.fail(node, "revenium.limit: members is for enumerations, the type is %s", a.Type.Name)
	case text && a.Type.Name != "string":
		p.fail(node, "revenium.limit: length and pattern are for texts, the type is %s", a.Type.Name)
	case ranged && a.Type.Name != "int" && a.Type.Name != "double":
		p.fail(node, "revenium.limit: min and max are for numbers, the type is %s", a.Type.Name)
	case l.Min != "" && l.Max != "" && !less(l.Min, l.Max):
		p.fail(node, "revenium.limit: min %s is not below max %s", l.Min, l.Max)
	}
	return l
}

func less(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x < y
}
