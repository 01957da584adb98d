// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "strings"

// fact is the value of a field as the best of its attributes gives it.
type fact struct {
	set   bool
	level Origin
	rank  uint8
	key   string

	text  string   // typeText, and typeList with one text
	list  []string // typeList
	num   int64    // typeCount; typeFlag as 0 and 1; typeSeconds in nanoseconds
	float float64  // typeAmount, typeNumber
}

// extractor reads the attributes of a span into facts. It is used for one span
// after the other.
type extractor struct {
	voc       *vocabulary
	types     *[maxFields]valueType
	names     []string
	providers *providers

	level   Origin
	facts   [maxFields]fact
	touched []field
	notes   []Note
}

var _ AttributeVisitor = (*extractor)(nil)

// Attribute takes an attribute of the level at hand.
func (x *extractor) Attribute(key string, v Value) bool {
	if info := x.voc.lookup(key); info != nil {
		for i := range info.uses {
			x.take(info.key, &info.uses[i], v)
		}
	}
	return true
}

// take keeps a value if it comes from a better source than what is there.
func (x *extractor) take(key string, u *use, v Value) {
	if x.level != OriginSpan && !u.resource {
		return
	}
	f := &x.facts[u.field]
	if f.set && (f.level < x.level || f.level == x.level && f.rank <= u.rank) {
		return
	}
	read := fact{set: true, level: x.level, rank: u.rank, key: key}
	ok, problem := read.coerce(x.types[u.field], u.unit, v)
	if problem != "" {
		x.note(u.field, key, NoteDropped, problem)
	}
	if !ok || u.field == fieldProvider && x.providers.nobody(read.text) {
		return // names of frameworks stand where providers should
	}
	if !f.set {
		x.touched = append(x.touched, u.field)
	}
	*f = read
}

// setDefault gives a field a value unless it has one.
func (x *extractor) setDefault(at field, value fact) {
	if f := &x.facts[at]; !f.set {
		*f = value
		x.touched = append(x.touched, at)
	}
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
	x.notes = nil
	x.level = OriginSpan
	x.voc = nil
}

// sniffer looks for an attribute by which a span shows that it has to do with
// GenAI. Most spans of a service have none, so it does nothing else.
type sniffer struct {
	markers []string
	first   [256]bool
	found   bool
}

var _ AttributeVisitor = (*sniffer)(nil)

func newSniffer(markers []string) *sniffer {
	s := &sniffer{markers: markers}
	for _, m := range markers {
		s.first[m[0]] = true
	}
	return s
}

// Attribute stops at the first marker.
func (s *sniffer) Attribute(key string, _ Value) bool {
	if key == "" || !s.first[key[0]] {
		return true
	}
	for _, m := range s.markers {
		if strings.HasPrefix(key, m) {
			s.found = true
			return false
		}
	}
	return true
}
