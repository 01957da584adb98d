// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"maps"
	"math/bits"
	"strings"
	"sync"
	"sync/atomic"
)

// dialectSet is a set of dialects by their place in the table, which is their
// order of precedence.
type dialectSet uint64

func (s dialectSet) first() int { return bits.TrailingZeros64(uint64(s)) }

// recogniser is the dialects' recognition in the form in which spans are looked
// at.
type recogniser struct {
	// starts says which two bytes keys begin with that mean anything: a bit for the
	// second byte, modulo 64, by the first. Few of a service's attributes pass it.
	starts  [256]uint64
	markers [256][]marker
	exact   map[string]keyEvidence
	// prefixes are by the first byte of the key.
	prefixes [256][]prefixEvidence
	names    nameEvidence
	scopes   []patternEvidence
	resource map[string]keyEvidence
	// weak are the dialects that give way to another vocabulary's usage, and
	// required those that need a key.
	weak, required dialectSet
}

// marker is the beginning of keys by which a span shows that it has to do with
// GenAI.
type marker struct {
	prefix  string
	context bool
}

// keyEvidence is what the presence of a key, or its value, is evidence of.
type keyEvidence struct {
	present  dialectSet
	required dialectSet
	values   []patternEvidence
	usage    bool
}

type prefixEvidence struct {
	prefix string
	usage  bool
	of     dialectSet
}

type patternEvidence struct {
	pattern patterns[struct{}]
	of      dialectSet
}

// modelKey is the attribute by which spans without a marker show that it is worth
// to look at their name and scope.
const modelKey = "model"

func newRecogniser(list []dialect, contextMarkers []string) *recogniser {
	r := &recogniser{exact: make(map[string]keyEvidence), resource: make(map[string]keyEvidence)}
	for _, m := range markers() {
		r.start(m)
		r.markers[m[0]] = append(r.markers[m[0]], marker{prefix: m})
	}
	for _, m := range contextMarkers {
		r.start(m)
		r.markers[m[0]] = append(r.markers[m[0]], marker{prefix: m, context: true})
	}
	for _, usage := range []string{"gen_ai.usage.", "llm.token_count.", "llm.usage.", "ai.usage."} {
		r.start(usage)
		r.prefixes[usage[0]] = append(r.prefixes[usage[0]], prefixEvidence{prefix: usage, usage: true})
	}
	r.exact[modelKey] = keyEvidence{}
	r.start(modelKey)
	for i := range list {
		r.add(&list[i].recognition, 1<<i)
	}
	return r
}

func (r *recogniser) start(key string) { r.starts[key[0]] |= 1 << (key[1] & 63) }

func (r *recogniser) add(d *recognition, bit dialectSet) {
	for _, key := range d.keys {
		r.start(key)
		if prefix, ok := strings.CutSuffix(key, "*"); ok {
			r.prefixes[key[0]] = append(r.prefixes[key[0]], prefixEvidence{prefix: prefix, of: bit})
			continue
		}
		e := r.exact[key]
		e.present |= bit
		r.exact[key] = e
	}
	if key := d.requires; key != "" {
		r.start(key)
		e := r.exact[key]
		e.required |= bit
		r.exact[key] = e
		r.required |= bit
	}
	if d.weak {
		r.weak |= bit
	}
	for _, v := range d.values {
		r.start(v.key)
		r.exact[v.key] = withValue(r.exact[v.key], v.value, bit)
	}
	for _, v := range d.resources {
		r.resource[v.key] = withValue(r.resource[v.key], v.value, bit)
	}
	for _, name := range d.spanNames {
		r.names.add(name, bit)
	}
	for _, scope := range d.scopes {
		if strings.HasSuffix(scope, "*") {
			r.scopes = append(r.scopes, evidencePattern(bit, scope))
			continue
		}
		r.scopes = append(r.scopes, evidencePattern(bit, scope, scope+".*", scope+"/*"))
	}
}

func withValue(e keyEvidence, value string, bit dialectSet) keyEvidence {
	e.values = append(e.values, evidencePattern(bit, value))
	return e
}

func evidencePattern(bit dialectSet, names ...string) patternEvidence {
	rules := make([]rule[struct{}], 0, len(names))
	for _, name := range names {
		rules = append(rules, rule[struct{}]{pattern: name})
	}
	return patternEvidence{pattern: newPatterns(rules), of: bit}
}

// nameEvidence is what the names of spans are evidence of: whole names, names with
// a beginning, and others.
type nameEvidence struct {
	whole  map[string]dialectSet
	begins [256][]prefixEvidence
	others []patternEvidence
}

func (n *nameEvidence) add(name string, bit dialectSet) {
	prefix, isPrefix := strings.CutSuffix(name, "*")
	switch {
	case !strings.Contains(name, "*"):
		if n.whole == nil {
			n.whole = make(map[string]dialectSet)
		}
		n.whole[name] |= bit
	case isPrefix && prefix != "" && !strings.Contains(prefix, "*"):
		n.begins[prefix[0]] = append(n.begins[prefix[0]], prefixEvidence{prefix: prefix, of: bit})
	default:
		n.others = append(n.others, evidencePattern(bit, name))
	}
}

func (n *nameEvidence) of(name string) dialectSet {
	if name == "" {
		return 0
	}
	set := n.whole[name]
	for i := range n.begins[name[0]] {
		if p := &n.begins[name[0]][i]; strings.HasPrefix(name, p.prefix) {
			set |= p.of
		}
	}
	return set | matching(n.others, name)
}

// matching returns the dialects that a text is evidence of.
func matching(list []patternEvidence, text string) dialectSet {
	var set dialectSet
	for i := range list {
		if _, ok := list[i].pattern.find(text); ok {
			set |= list[i].of
		}
	}
	return set
}

// of returns what a key is evidence of.
func (r *recogniser) of(key string) keyEvidence {
	e := r.exact[key]
	if key == "" {
		return e
	}
	for i := range r.prefixes[key[0]] {
		if p := &r.prefixes[key[0]][i]; strings.HasPrefix(key, p.prefix) {
			e.present |= p.of
			e.usage = e.usage || p.usage
		}
	}
	return e
}

// none reports whether the key says nothing.
func (e *keyEvidence) none() bool {
	return e.present == 0 && e.required == 0 && len(e.values) == 0 && !e.usage
}

// evidence is what the attributes of a span say about its dialect.
type evidence struct {
	r              *recogniser
	seen, required dialectSet
	usage          bool
}

// take takes what a key and its value are evidence of.
func (e *evidence) take(k *keyEvidence, v Value) {
	e.seen |= k.present
	e.required |= k.required
	e.usage = e.usage || k.usage
	if len(k.values) > 0 && v.kind == ValueString {
		e.seen |= matching(k.values, v.str)
	}
}

// unknown takes a key that no field is read from.
func (e *evidence) unknown(key string) {
	if len(key) < 2 || e.r.starts[key[0]]&(1<<(key[1]&63)) == 0 {
		return
	}
	for i := range e.r.prefixes[key[0]] {
		if p := &e.r.prefixes[key[0]][i]; strings.HasPrefix(key, p.prefix) {
			e.seen |= p.of
			e.usage = e.usage || p.usage
		}
	}
}

// sniffer looks for attributes by which a span shows that it has to do with GenAI.
// Most spans of a service have none, so it does nothing else.
type sniffer struct {
	r *recogniser
	// found: it has. context: it says something about calls below. model: it names a
	// model without a marker.
	found, context, model bool
}

var _ AttributeVisitor = (*sniffer)(nil)

// Attribute looks at an attribute.
func (s *sniffer) Attribute(key string, _ Value) bool {
	if len(key) < 2 {
		return true
	}
	first := key[0]
	if s.r.starts[first]&(1<<(key[1]&63)) == 0 {
		return true
	}
	for i := range s.r.markers[first] {
		m := &s.r.markers[first][i]
		if !strings.HasPrefix(key, m.prefix) {
			continue
		}
		if !m.context {
			s.found = true
			return false
		}
		s.context = true
		return true
	}
	if key == modelKey {
		s.model = true
	}
	return true
}

// reset forgets the span.
func (s *sniffer) reset() { s.found, s.context, s.model = false, false, false }

// recognise returns the vocabulary of the span.
func (w *work) recognise() *vocabulary {
	e := &w.extract.evidence
	set := e.seen | w.c.scopes.get(w.scope) | e.r.names.of(w.name)
	set &^= e.r.required &^ e.required
	if e.usage {
		set &^= e.r.weak
	}
	if set&^w.c.general == 0 {
		w.resource = w.resourceOf(w.span)
		set |= w.resource.set
	}
	return w.c.vocabularies[min(set.first(), len(w.c.vocabularies)-1)]
}

// maxScopes bounds how many scopes are remembered; a service has some dozens.
const maxScopes = 1024

// scopeCache remembers which dialects a scope's name is evidence of.
type scopeCache struct {
	patterns []patternEvidence
	known    atomic.Pointer[map[string]dialectSet]
	grow     sync.Mutex
}

func newScopeCache(patterns []patternEvidence) *scopeCache {
	c := &scopeCache{patterns: patterns}
	c.known.Store(&map[string]dialectSet{})
	return c
}

func (c *scopeCache) get(scope string) dialectSet {
	if set, ok := (*c.known.Load())[scope]; ok {
		return set
	}
	return c.learn(scope)
}

func (c *scopeCache) learn(scope string) dialectSet {
	set := matching(c.patterns, scope)
	c.grow.Lock()
	defer c.grow.Unlock()
	if known := *c.known.Load(); len(known) < maxScopes {
		known = maps.Clone(known)
		known[strings.Clone(scope)] = set
		c.known.Store(&known)
	}
	return set
}
