// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"math"
	"strings"
)

// fact is the value of a field as the best of its attributes gives it.
type fact struct {
	set   bool
	level Origin
	rank  uint8
	// num is the value of typeCount, typeFlag as 0 and 1, typeSeconds in
	// nanoseconds, and the bits of a typeNumber.
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
	types     *[maxFields]valueType
	names     []string
	providers *providers
	spelling  *spelling

	level   Origin
	facts   [maxFields]fact
	touched []field
	// finish is the list of fieldFinish where there are several.
	finish []string
	notes  []Note
}

var _ AttributeVisitor = (*extractor)(nil)

// Attribute takes an attribute of the level at hand.
func (x *extractor) Attribute(key string, v Value) bool {
	info := x.voc.keys.lookup(key)
	if info == nil {
		if note, ok := x.spelling.note(key); ok {
			x.notes = append(x.notes, note)
		}
		return true
	}
	for i := range info.uses {
		x.take(info, &info.uses[i], v)
	}
	return true
}

// take keeps a value if it comes from a better source than what is there.
func (x *extractor) take(info *keyInfo, u *use, v Value) {
	if x.level != OriginSpan && !u.resource {
		return
	}
	f := &x.facts[u.field]
	if f.set && (f.level < x.level || f.level == x.level && f.rank <= u.rank) {
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
	f.set, f.level, f.rank = true, x.level, u.rank
	f.num, f.text, f.info = read.num, read.text, info
	if u.field == fieldFinish {
		x.finish = list
	}
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
	x.finish, x.notes = nil, nil
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
