// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "strings"

// patterns finds the value of the first pattern that a name matches. A "*" in a
// pattern stands for any text; at its end it makes a prefix.
type patterns[V any] struct {
	exact map[string]V
	list  []pattern[V]
}

// pattern is one with a "*" in it.
type pattern[V any] struct {
	parts []string // what is between the stars
	value V
}

// rule is a pattern and its value.
type rule[V any] struct {
	pattern string
	value   V
}

func newPatterns[V any](rules []rule[V]) patterns[V] {
	p := patterns[V]{exact: make(map[string]V, len(rules))}
	for _, r := range rules {
		if !strings.Contains(r.pattern, "*") {
			p.exact[r.pattern] = r.value
			continue
		}
		p.list = append(p.list, pattern[V]{strings.Split(r.pattern, "*"), r.value})
	}
	return p
}

func ruleMap(rules []nameRule) []rule[string] {
	list := make([]rule[string], 0, len(rules))
	for _, r := range rules {
		list = append(list, rule[string]{r.pattern, r.operation})
	}
	return list
}

func patternMap[V any](m map[string]V) []rule[V] {
	list := make([]rule[V], 0, len(m))
	for key, value := range m {
		list = append(list, rule[V]{key, value})
	}
	return list
}

// find returns the value of the pattern that a name matches.
func (p *patterns[V]) find(name string) (V, bool) {
	if len(p.exact) > 0 {
		if v, ok := p.exact[name]; ok {
			return v, true
		}
	}
	for i := range p.list {
		if p.list[i].matches(name) {
			return p.list[i].value, true
		}
	}
	var none V
	return none, false
}

func (p *pattern[V]) matches(name string) bool {
	rest, ok := strings.CutPrefix(name, p.parts[0])
	if !ok {
		return false
	}
	last := len(p.parts) - 1
	for _, part := range p.parts[1:last] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, p.parts[last])
}
