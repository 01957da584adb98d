// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"math"
)

// fact is the value of a field as the best of its attributes gives it.
type fact struct {
	set   bool
	level Origin
	rank  uint8
	// num is the value of typeCount, typeFlag as 0 and 1, typeSeconds and
	// typeInstant in nanoseconds, and the bits of a typeNumber.
	num int64
	// text is the value of typeText, and of typeList where there is only one.
	text string
	info *keyInfo
}

// key is the attribute's; "" for a default.
func (f *fact) key() string {
	if f.info == nil {
		return ""
	}
	return f.info.key
}

// float is the value of typeNumber.
func (f *fact) float() float64 { return math.Float64frombits(uint64(f.num)) }

// extractor reads the attributes of a span into facts. It is used for one span
// after the other.
type extractor struct {
	voc       *vocabulary
	table     *keyTable
	evidence  evidence
	types     *[maxFields]valueType
	names     []string
	providers *providers
	spelling  *spelling

	level   Origin
	facts   [maxFields]fact
	touched []field
	// finish is the list of fieldFinish where there are several.
	finish    []string
	documents []openDocument
	leaves    []leaf
	notes     []Note
}

var _ AttributeVisitor = (*extractor)(nil)

// use prepares the extractor for spans of a converter.
func (x *extractor) use(c *Converter) {
	x.types, x.names, x.providers = &c.types, c.names, c.providers
	x.evidence.r, x.spelling = c.recogniser, c.spelling
}

// Attribute takes an attribute of the level at hand.
func (x *extractor) Attribute(key string, v Value) bool {
	info := x.table.lookup(key)
	if info == nil {
		x.unknown(key)
		return true
	}
	if info.evidence != nil {
		x.evidence.take(info.evidence, v)
	}
	for i := range info.uses {
		x.take(info, &info.uses[i], v)
	}
	if info.document != nil && x.level == OriginSpan {
		x.open(info, v)
	}
	return true
}

// unknown looks at a key that no field is read from. Of a span it sees each once,
// before the dialect is known.
func (x *extractor) unknown(key string) {
	if x.level == OriginSpan {
		if x.voc != nil {
			return
		}
		x.evidence.unknown(key)
	}
	if note, ok := x.spelling.note(key); ok {
		x.notes = append(x.notes, note)
	}
}

// take keeps a value if it comes from a better source than what is there.
func (x *extractor) take(info *keyInfo, u *use, v Value) {
	level := x.level
	switch {
	case level == OriginSpan:
		level = u.level
	case !u.resource:
		return
	}
	f := &x.facts[u.field]
	if !f.worseThan(level, u.rank) {
		return
	}
	var read fact
	var list []string
	ok, problem := false, ""
	if typ := x.types[u.field]; typ == typeList {
		list, ok, problem = read.coerceList(v)
	} else {
		ok, problem = read.coerce(typ, u.unit, v)
	}
	if problem != "" {
		x.note(u.field, info.key, NoteDropped, problem)
	}
	if !ok || u.field == fieldProvider && x.providers.nobody(read.text) {
		return // names of frameworks stand where providers should
	}
	if !f.set {
		x.touched = append(x.touched, u.field)
	}
	// One by one: as a whole, a fact takes longer to copy than to read.
	f.set, f.level, f.rank = true, level, u.rank
	f.num, f.text, f.info = read.num, read.text, info
	if u.field == fieldFinish {
		x.finish = list
	}
}

// worseThan reports whether a source of this level and rank is better than the
// fact's.
func (f *fact) worseThan(level Origin, rank uint8) bool {
	return !f.set || f.level > level || f.level == level && f.rank > rank
}

// set gives a field a value unless it has a better one.
func (x *extractor) set(at field, value *fact) {
	f := &x.facts[at]
	if !f.worseThan(value.level, value.rank) {
		return
	}
	if !f.set {
		x.touched = append(x.touched, at)
	}
	*f = *value
}

// get returns a fact, or nil when no attribute gave it.
func (x *extractor) get(at field) *fact {
	if f := &x.facts[at]; f.set {
		return f
	}
	return nil
}

// text returns the text of a fact, "" for none.
func (x *extractor) text(at field) string { return x.facts[at].text }

// flag returns a fact of typeFlag, false for none.
func (x *extractor) flag(at field) bool { return x.facts[at].num != 0 }

// note reports what became of a value.
func (x *extractor) note(at field, key string, action NoteAction, reason string) {
	x.notes = append(x.notes, Note{Field: x.names[at], Attribute: key, Action: action, Reason: reason})
}

// reset forgets the span; its notes belong to the decision.
func (x *extractor) reset() {
	for _, at := range x.touched {
		x.facts[at] = fact{}
	}
	x.touched = x.touched[:0]
	clear(x.documents)
	x.documents = x.documents[:0]
	clear(x.leaves)
	x.leaves = x.leaves[:0]
	x.finish, x.notes = nil, nil
	x.level = OriginSpan
	x.voc = nil
	x.evidence = evidence{r: x.evidence.r}
}
