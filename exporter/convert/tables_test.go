// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDialectsPage checks that docs/dialects.md has every dialect, and no other.
func TestDialectsPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/dialects.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## The dialects\n")
	section, _, _ = strings.Cut(section, "\n## ")
	named := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\|").FindAllStringSubmatch(section, -1) {
		words, _, _ := strings.Cut(row[1], ":") // names, and behind a colon what else is to be said
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(words, -1) {
			named[name[1]] = true
		}
	}
	for _, d := range dialects() {
		if !named[d.name] {
			t.Errorf("the page does not have %q", d.name)
		}
		delete(named, d.name)
	}
	for name := range named {
		t.Errorf("the page has %q, which is no dialect", name)
	}
}

// What the tables of dialects name must exist, since nothing at run time would tell.
func TestTablesOfDialects(t *testing.T) {
	c, err := New(WithDialectAttribution(), WithTrustedHeaders())
	if err != nil {
		t.Fatal(err)
	}
	known := func(word, where string) {
		if _, ok := c.operations[word]; !ok {
			t.Errorf("%s stands for an operation %q that is not in the table", where, word)
		}
	}
	sources := func(list []source, where string) {
		for _, s := range list {
			switch _, ok := c.attribution.byName[s.name]; {
			case s.key == "":
				t.Errorf("%s: a source of %q without an attribute", where, s.name)
			case s.field == numCoreFields && !ok:
				t.Errorf("%s: %s gives a field %q that no record has", where, s.key, s.name)
			case s.field != numCoreFields && s.name != "":
				t.Errorf("%s: %s gives two fields", where, s.key)
			}
		}
	}
	sources(commonSources(), "common")
	seen := make(map[string]bool)
	for _, d := range dialects() {
		if d.name == "" || seen[d.name] {
			t.Errorf("the name %q is not one dialect's", d.name)
		}
		seen[d.name] = true
		sources(d.sources, d.name)
		for word, operation := range d.kinds {
			if word != strings.ToLower(word) {
				t.Errorf("%s: kind %q is never found, since kinds are compared in lower case", d.name, word)
			}
			known(operation, d.name+": kind "+word)
		}
		for _, rules := range [][]nameRule{d.names, d.refine} {
			for _, rule := range rules {
				known(rule.operation, d.name+": span name "+rule.pattern)
			}
		}
	}
	for word := range c.operations {
		if word != strings.ToLower(word) {
			t.Errorf("operation %q is never found, since operations are compared in lower case", word)
		}
	}
	for _, word := range mediaTypes() {
		known(word, "operation type")
	}
	for _, word := range requestTypes() {
		known(word, "request type")
	}
	// Ranks must not run over into those of the next group.
	for i, v := range c.vocabularies {
		for field, n := range sourcesByField(v.dialect.sources) {
			if n >= commonRank {
				t.Errorf("%s: %d sources of field %d", c.vocabularies[i].dialect.name, n, field)
			}
		}
	}
	for field, n := range sourcesByField(commonSources()) {
		if field != numCoreFields && n >= attributionRank-commonRank {
			t.Errorf("%d common sources of field %d", n, field)
		}
	}
}

func sourcesByField(list []source) map[field]int {
	n := make(map[field]int)
	for _, s := range list {
		n[s.field]++
	}
	return n
}
