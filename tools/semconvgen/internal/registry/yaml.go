// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mapping indexes a YAML mapping. A key that is not allowed or stands there twice
// is a problem: a misspelt key would otherwise be a silent loss.
func (p *parser) mapping(node *yaml.Node, allowed ...string) map[string]*yaml.Node {
	if node == nil {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		p.fail(node, "a mapping is expected, with any of %s", strings.Join(allowed, ", "))
		return nil
	}
	keys := make(map[string]*yaml.Node, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		switch {
		case !slices.Contains(allowed, key.Value):
			p.fail(key, "unknown key %q; allowed are %s", key.Value, strings.Join(allowed, ", "))
		case keys[key.Value] != nil:
			p.fail(key, "key %q stands there twice", key.Value)
		default:
			keys[key.Value] = node.Content[i+1]
		}
	}
	return keys
}

// idOf finds the id of a mapping before the mapping is checked, so that problems
// can name it.
func idOf(node *yaml.Node) string {
	if node.Kind != yaml.MappingNode {
		return ""
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == "id" {
			return node.Content[i+1].Value
		}
	}
	return ""
}

func (p *parser) list(node *yaml.Node) []*yaml.Node {
	if node == nil {
		return nil
	}
	if node.Kind != yaml.SequenceNode {
		p.fail(node, "a list is expected")
		return nil
	}
	return node.Content
}

func (p *parser) text(node *yaml.Node) string {
	if node == nil {
		return ""
	}
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" {
		p.fail(node, "a text is expected")
		return ""
	}
	return strings.TrimSpace(node.Value)
}

func (p *parser) required(owner *yaml.Node, keys map[string]*yaml.Node, key string) string {
	if keys == nil {
		return "" // not a mapping: already reported
	}
	value := p.text(keys[key])
	if value == "" {
		p.fail(owner, "%s is missing", key)
	}
	return value
}

func (p *parser) flag(node *yaml.Node) bool {
	if node == nil {
		return false
	}
	if node.Kind != yaml.ScalarNode || node.Tag != "!!bool" {
		p.fail(node, "true or false is expected")
		return false
	}
	return node.Value == "true"
}

func (p *parser) texts(node *yaml.Node) []string {
	var all []string
	for _, n := range p.list(node) {
		all = append(all, p.text(n))
	}
	return all
}

func (p *parser) number(node *yaml.Node) string {
	if node == nil {
		return ""
	}
	if _, err := strconv.ParseFloat(node.Value, 64); node.Kind != yaml.ScalarNode || err != nil {
		p.fail(node, "a number is expected")
		return ""
	}
	return node.Value
}

// examples checks that the examples are of the attribute's type and gives them in
// a form for people.
func (p *parser) examples(owner, node *yaml.Node, t Type) []string {
	if len(t.Members) > 0 && node == nil {
		return nil // the members are the examples
	}
	if node == nil {
		p.fail(owner, "examples are missing")
		return nil
	}
	var all []string
	for _, n := range p.list(node) {
		if elem, ok := strings.CutSuffix(t.Name, "[]"); ok {
			var parts []string
			for _, e := range p.list(n) {
				parts = append(parts, p.example(e, elem))
			}
			all = append(all, "["+strings.Join(parts, ", ")+"]")
			continue
		}
		all = append(all, p.example(n, t.Name))
	}
	if len(all) == 0 {
		p.fail(node, "examples are missing")
	}
	return all
}

func (p *parser) example(node *yaml.Node, typ string) string {
	want := map[string][]string{
		"string":  {"!!str"},
		"int":     {"!!int"},
		"double":  {"!!float", "!!int"},
		"boolean": {"!!bool"},
	}[typ]
	if node.Kind != yaml.ScalarNode || !slices.Contains(want, node.Tag) {
		p.fail(node, "example %q is not of type %s", node.Value, typ)
	}
	if typ == "string" {
		return strconv.Quote(node.Value)
	}
	return node.Value
}
