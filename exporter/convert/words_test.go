// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"maps"
	"slices"
	"strings"
)

// Words are all that the tables of this package compare spans with, for tests that
// make spans of them.
type Words struct {
	// Keys are attribute keys.
	Keys []string
	// Values are values that mean something: operations, kinds, finish reasons,
	// providers, models.
	Values []string
	// Names are names of spans, Scopes those of instrumentations.
	Names, Scopes []string
	// Documents are attributes that hold a document, and the places in it that are
	// read.
	Documents []DocumentWord
}

// DocumentWord is a place in a document.
type DocumentWord struct{ Key, Path string }

// LinksSize is the number of bytes that the table of parents takes.
func (c *Converter) LinksSize() int { return c.selection.links.Size() }

// NewWords reads the tables.
func NewWords() Words {
	keys, values, names, scopes := wordSet{}, wordSet{}, wordSet{}, wordSet{}
	var documents []DocumentWord
	sources := func(list []source) {
		for _, s := range list {
			keys.add(s.key)
			if s.path != "" {
				documents = append(documents, DocumentWord{s.key, strings.ReplaceAll(s.path, "*", "any")})
			}
		}
	}
	a, _ := newAttribution(nil)
	for i := range a.fields {
		keys.add(a.fields[i].keys...)
	}
	sources(commonSources())
	for _, d := range dialects() {
		sources(d.sources)
		keys.add(d.keys...)
		keys.add(d.requires)
		for _, list := range [][]keyValue{d.values, d.resources} {
			for _, v := range list {
				keys.add(v.key)
				values.add(v.value)
			}
		}
		names.add(d.spanNames...)
		names.add(d.callSpan)
		scopes.add(d.scopes...)
		for _, rules := range [][]nameRule{d.names, d.refine} {
			for _, rule := range rules {
				names.add(rule.pattern)
			}
		}
		for word := range d.kinds {
			values.add(word)
		}
		for word := range d.streams {
			names.add(word)
		}
		values.add(d.provider)
	}
	for _, marker := range markers() {
		keys.add(marker + "*")
	}
	for word := range operations() {
		values.add(word)
	}
	for word := range requestTypes() {
		values.add(word)
	}
	for word := range finishReasons() {
		values.add(word)
	}
	values.add("gpt-4o", "claude-sonnet-4-5", "anthropic.claude-sonnet-4-5-20250929-v1:0", "openai/gpt-4o-2024-08-06", "gpt-image-1", "whisper-1",
		"openai", "anthropic", "aws.bedrock", "gcp.vertex_ai", "true", "false", "ERROR", "12", "-3", "1.5", "resp_1", "msg_1", "chatcmpl-1", "2026-11-24T10:00:00Z")
	return Words{Keys: keys.sorted(), Values: values.sorted(), Names: names.sorted(), Scopes: scopes.sorted(), Documents: documents}
}

// wordSet is a set of words; "*" in them stands for any text.
type wordSet map[string]bool

func (s wordSet) add(words ...string) {
	for _, word := range words {
		s[strings.ReplaceAll(word, "*", "any")] = true
	}
}

func (s wordSet) sorted() []string { return slices.Sorted(maps.Keys(s)) }
