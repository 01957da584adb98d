// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// manifest is weaver's description of the registry, not a part of the model.
const manifest = "registry_manifest.yaml"

// Load reads the YAML files of a folder, in the order of their names, and checks
// them. The error joins all that is wrong; each problem names the file, the line
// and the id.
func Load(root fs.FS, folder string) (*Registry, error) {
	files, err := fs.Glob(root, path.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	files = slices.DeleteFunc(files, func(name string) bool { return path.Base(name) == manifest })
	if len(files) == 0 {
		return nil, fmt.Errorf("no .yaml file in %s", folder)
	}
	p := parser{}
	reg := &Registry{}
	for _, name := range files {
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return nil, err
		}
		reg.Groups = append(reg.Groups, p.file(name, content)...)
	}
	// References between attributes are judged only when all were read.
	if len(p.problems) == 0 {
		p.check(reg)
	}
	if err := errors.Join(p.problems...); err != nil {
		return nil, err
	}
	return reg, nil
}

// parser collects problems instead of stopping at the first.
type parser struct {
	name     string // file that is being read
	id       string // innermost id
	problems []error
}

func (p *parser) fail(node *yaml.Node, format string, args ...any) {
	where := p.name
	if node != nil && node.Line > 0 {
		where += ":" + strconv.Itoa(node.Line)
	}
	if p.id != "" {
		where += ": " + p.id
	}
	p.problems = append(p.problems, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

func (p *parser) file(name string, content []byte) []*Group {
	p.name, p.id = name, ""
	var doc yaml.Node
	if err := yaml.Unmarshal(content, &doc); err != nil {
		p.fail(nil, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return nil
	}
	if len(doc.Content) == 0 {
		p.fail(nil, "the file is empty")
		return nil
	}
	top := p.mapping(doc.Content[0], "groups")
	var groups []*Group
	for _, node := range p.list(top["groups"]) {
		groups = append(groups, p.group(node))
	}
	return groups
}

func (p *parser) group(node *yaml.Node) *Group {
	p.id = idOf(node)
	keys := p.mapping(node, "id", "type", "display_name", "brief", "note", "stability", "attributes", "annotations")
	g := &Group{File: p.name, ID: p.required(node, keys, "id")}
	if kind := p.required(node, keys, "type"); kind != "" && kind != "attribute_group" {
		p.fail(keys["type"], "type %q is not attribute_group", kind)
	}
	g.Brief = p.required(node, keys, "brief")
	g.Note = p.text(keys["note"])
	g.DisplayName = p.required(node, keys, "display_name")
	notes := p.mapping(keys["annotations"], "revenium.env", "revenium.headers", "revenium.derived")
	g.Env = p.settings(notes["revenium.env"])
	g.Headers = p.settings(notes["revenium.headers"])
	for _, n := range p.list(notes["revenium.derived"]) {
		d := p.mapping(n, "field", "from")
		g.Derived = append(g.Derived, Derived{Field: fieldRef(p.required(n, d, "field")), From: p.required(n, d, "from")})
	}
	for _, n := range p.list(keys["attributes"]) {
		g.Attributes = append(g.Attributes, p.attribute(n))
		p.id = g.ID
	}
	if len(g.Attributes) == 0 {
		p.fail(node, "the group has no attributes")
	}
	return g
}

func (p *parser) settings(node *yaml.Node) []Setting {
	var all []Setting
	for _, n := range p.list(node) {
		keys := p.mapping(n, "name", "brief", "default", "secret")
		all = append(all, Setting{
			Name:    p.required(n, keys, "name"),
			Brief:   p.required(n, keys, "brief"),
			Default: p.text(keys["default"]),
			Secret:  p.flag(keys["secret"]),
		})
	}
	return all
}

func (p *parser) attribute(node *yaml.Node) *Attribute {
	p.id = idOf(node)
	keys := p.mapping(node, "id", "type", "stability", "brief", "note", "examples", "deprecated", "requirement_level", "annotations")
	a := &Attribute{File: p.name, ID: p.required(node, keys, "id")}
	a.Brief = p.required(node, keys, "brief")
	a.Note = p.text(keys["note"])
	a.Stability = p.required(node, keys, "stability")
	if a.Stability != "" && !slices.Contains(stabilities(), a.Stability) {
		p.fail(keys["stability"], "stability %q is none of %s", a.Stability, strings.Join(stabilities(), ", "))
	}
	a.Type = p.typ(node, keys["type"])
	a.Examples = p.examples(node, keys["examples"], a.Type)
	a.Deprecated = p.deprecated(keys["deprecated"])
	p.annotations(a, keys["annotations"])
	return a
}

func stabilities() []string {
	return []string{"stable", "development", "alpha", "beta", "release_candidate"}
}

func types() []string {
	return []string{"string", "int", "double", "boolean", "string[]", "int[]", "double[]", "boolean[]"}
}

func (p *parser) typ(owner, node *yaml.Node) Type {
	if node == nil {
		p.fail(owner, "type is missing")
		return Type{}
	}
	if node.Kind == yaml.MappingNode {
		return p.enum(node)
	}
	name := p.text(node)
	t := Type{Name: name}
	if inner, ok := strings.CutPrefix(name, "template["); ok && strings.HasSuffix(inner, "]") {
		t = Type{Name: strings.TrimSuffix(inner, "]"), Template: true}
	}
	if !slices.Contains(types(), t.Name) {
		p.fail(node, "type %q is none of %s, template[...] or members", name, strings.Join(types(), ", "))
	}
	return t
}

func (p *parser) enum(node *yaml.Node) Type {
	t := Type{Name: "string"}
	keys := p.mapping(node, "members")
	for _, n := range p.list(keys["members"]) {
		m := p.mapping(n, "id", "value", "brief", "note", "stability")
		member := Member{ID: p.required(n, m, "id"), Value: p.required(n, m, "value"), Brief: p.text(m["brief"])}
		if s := p.required(n, m, "stability"); s != "" && !slices.Contains(stabilities(), s) {
			p.fail(m["stability"], "member %s: stability %q is none of %s", member.ID, s, strings.Join(stabilities(), ", "))
		}
		t.Members = append(t.Members, member)
	}
	if len(t.Members) == 0 {
		p.fail(node, "the enumeration has no members")
	}
	return t
}

func (p *parser) deprecated(node *yaml.Node) *Deprecated {
	if node == nil {
		return nil
	}
	keys := p.mapping(node, "reason", "renamed_to", "note")
	d := &Deprecated{Reason: p.required(node, keys, "reason"), RenamedTo: p.text(keys["renamed_to"]), Note: p.text(keys["note"])}
	switch d.Reason {
	case "", "obsoleted", "uncategorized":
	case "renamed":
		if d.RenamedTo == "" {
			p.fail(node, "deprecated: renamed_to is missing")
		}
	default:
		p.fail(keys["reason"], "deprecated: reason %q is none of renamed, obsoleted, uncategorized", d.Reason)
	}
	return d
}
