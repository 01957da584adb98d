// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// A field is a number that stands for a wanted place in a JSON document. What
// the numbers mean is the business of who wants them; 0 is nothing.
type field uint8

// A node is a place in a JSON document. The scanner goes down only where there
// are nodes; everything else is skipped without being held.
type node struct {
	field field
	// presence asks whether the value is there and not empty, instead of the
	// value itself, which may then be of any size.
	presence bool
	// pieces asks for a string of any size as it passes, or for the text of an
	// object or array into which no wanted place leads (see pieceSink).
	pieces bool
	// closed says that every member of the object is known: another one whose
	// value is a number or holds some is told (see unknownSink).
	closed  bool
	keys    []member // members of an object, by the length of their names
	byLen   [maxKey + 2]uint8
	element *node // elements of an array
}

// member is a member of an object.
type member struct {
	name string
	node *node
}

// member returns the member of that name, or nil. Comparing the one or two names
// of the same length is faster than a map.
func (n *node) member(name []byte) *node {
	if len(name) > maxKey {
		return nil
	}
	for _, m := range n.keys[n.byLen[len(name)]:n.byLen[len(name)+1]] {
		if m.name == string(name) {
			return m.node
		}
	}
	return nil
}

// add adds a member.
func (n *node) add(name string) *node {
	at, _ := slices.BinarySearchFunc(n.keys, len(name), func(m member, size int) int { return m.size(size) })
	added := &node{}
	n.keys = slices.Insert(n.keys, at, member{name: name, node: added})
	for size := len(name) + 1; size < len(n.byLen); size++ {
		n.byLen[size]++
	}
	return added
}

func (m member) size(than int) int { return len(m.name) - than }

// want is one wanted place: "usage.prompt_tokens", "choices[].finish_reason".
type want struct {
	path                     string
	field                    field
	presence, pieces, closed bool
}

// under returns the wanted places as members of the object at path.
func under(path string, wanted []want) []want {
	moved := make([]want, 0, len(wanted))
	for _, w := range wanted {
		w.path = path + "." + w.path
		moved = append(moved, w)
	}
	return moved
}

// newTree builds the tree of the wanted places.
func newTree(wanted ...[]want) *node {
	root := &node{}
	for _, w := range slices.Concat(wanted...) {
		n := root
		for step := range strings.SplitSeq(w.path, ".") {
			key, isArray := strings.CutSuffix(step, "[]")
			next := n.member([]byte(key))
			if next == nil {
				next = n.add(key)
			}
			n = next
			if isArray {
				if n.element == nil {
					n.element = &node{}
				}
				n = n.element
			}
		}
		n.field, n.presence, n.pieces, n.closed = w.field, w.presence, w.pieces, w.closed
	}
	return root
}

// A sink receives what a scanner finds. open and close frame a wanted object or
// array, value is a wanted string, number, true, false or null, present tells
// whether the value of a presence field is there and not empty.
type sink interface {
	open(f field)
	close(f field)
	value(f field, v value)
	present(f field, yes bool)
}

// A pieceSink receives strings of any size as they pass, decoded, and objects and
// arrays as they are: piece is called with one piece after the other, then value
// with a long string.
type pieceSink interface {
	piece(f field, p []byte)
}

// An unknownSink is told of members that nobody knows of the closed object f.
type unknownSink interface {
	unknown(f field, key []byte)
}

type valueKind uint8

const (
	nullValue valueKind = iota
	boolValue
	numberValue
	stringValue
)

// A value is a scalar of a JSON document; raw is only valid during the call
// that it is passed to.
type value struct {
	kind valueKind
	raw  []byte // without quotes
	// long says that a string or number was over the limit and is not in raw.
	long    bool
	escaped bool
}

// text returns a string value decoded, or "" for any other or over-long value.
func (v value) text() string {
	if v.kind != stringValue || v.long {
		return ""
	}
	return decodeString(v.raw, v.escaped)
}

// same returns what text does, without a copy where that is old.
func (v value) same(old string) string {
	if v.kind == stringValue && !v.escaped && !v.long && string(v.raw) == old {
		return old
	}
	return v.text()
}

// is says whether v is the string s, which needs no escapes.
func (v value) is(s string) bool {
	return v.kind == stringValue && !v.long && string(v.raw) == s
}

func (v value) isTrue() bool { return v.kind == boolValue && v.raw[0] == 't' }

func decodeString(raw []byte, escaped bool) string {
	if !escaped && utf8.Valid(raw) {
		return string(raw)
	}
	quoted := make([]byte, 0, len(raw)+2)
	quoted = append(append(append(quoted, '"'), raw...), '"')
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return "" // no JSON string after all
	}
	return s
}
