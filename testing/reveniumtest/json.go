// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep a document may nest.
const maxDepth = 64

// valueKind is the JSON type of a value.
type valueKind uint8

const (
	kindNull valueKind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

func (k valueKind) String() string {
	return [...]string{"null", "bool", "number", "string", "array", "object"}[k]
}

// member is one name and value of an object.
type member struct {
	name    string
	kind    valueKind
	raw     []byte   // the value as it stands in the body
	members []member // of an object
}

// document is a parsed body. The package has a parser of its own because encoding/json lets pass what a strict
// server must see: duplicate names, invalid UTF-8, halves of surrogate pairs.
type document struct {
	members    []member
	err        error    // the body is no well-formed JSON object
	duplicates []string // dotted names that occur twice in their object
	badText    []string // dotted names of values and objects with text that is no Unicode
}

// find returns the member of that name; the last one, as most parsers do, if there are several.
func find(members []member, name string) (member, bool) {
	for _, m := range slices.Backward(members) {
		if m.name == name {
			return m, true
		}
	}
	return member{}, false
}

// text returns a string member, "" if it is absent or no string.
func (d document) text(name string) string {
	m, ok := find(d.members, name)
	if !ok || m.kind != kindString {
		return ""
	}
	return m.text()
}

// text returns the value of a string.
func (m member) text() string {
	inner := m.raw[1 : len(m.raw)-1]
	if bytes.IndexByte(inner, '\\') >= 0 {
		return unescape(m.raw)
	}
	return string(inner)
}

func unescape(raw []byte) string {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil { // cannot happen: the parser has accepted it
		return string(raw)
	}
	return s
}

// appendJSONString appends s as a JSON string.
func appendJSONString(b []byte, s string) []byte {
	q, err := json.Marshal(s)
	if err != nil { // cannot happen: every string can be marshalled
		return append(b, `""`...)
	}
	return append(b, q...)
}

// parse parses body. Names that are in known do not cost memory.
func parse(body []byte, known map[string]string) document {
	p := parser{src: body, known: known}
	p.space()
	if p.pos >= len(p.src) || p.src[p.pos] != '{' {
		p.doc.err = errors.New("no JSON object")
		return p.doc
	}
	members, err := p.object("", 1)
	if err == nil {
		p.space()
		if p.pos < len(p.src) {
			err = p.bad("more after the object")
		}
	}
	p.doc.members, p.doc.err = members, err
	return p.doc
}

type parser struct {
	src   []byte
	pos   int
	known map[string]string
	doc   document
}

func (p *parser) bad(what string) error { return fmt.Errorf("%s at byte %d", what, p.pos) }

func (p *parser) space() {
	for p.pos < len(p.src) {
		switch p.src[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// next skips white space and takes c; false if something else comes.
func (p *parser) next(c byte) bool {
	p.space()
	if p.pos < len(p.src) && p.src[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// object parses an object whose brace is next.
func (p *parser) object(path string, depth int) ([]member, error) {
	if depth > maxDepth {
		return nil, p.bad("nested too deep")
	}
	p.pos++
	if p.next('}') {
		return nil, nil
	}
	var names nameSet
	members := make([]member, 0, room(depth))
	for {
		p.space()
		name, err := p.name(path)
		if err != nil {
			return nil, err
		}
		if !p.next(':') {
			return nil, p.bad("no colon")
		}
		if names.add(members, name) {
			p.doc.duplicates = append(p.doc.duplicates, join(path, name))
		}
		m, err := p.value(path, name, depth)
		if err != nil {
			return nil, err
		}
		members = append(members, m)
		if p.next(',') {
			continue
		}
		if p.next('}') {
			return members, nil
		}
		return nil, p.bad("no comma or brace")
	}
}

// room is for a whole record at the top and for little below.
func room(depth int) int {
	if depth == 1 {
		return 48
	}
	return 4
}

// nameSet finds duplicate names, by comparing while they are few.
type nameSet struct{ seen map[string]struct{} }

// add adds name to members' names and reports whether it was there already.
func (n *nameSet) add(members []member, name string) bool {
	const few = 64
	if len(members) < few {
		_, dup := find(members, name)
		return dup
	}
	if n.seen == nil {
		n.seen = make(map[string]struct{}, 2*few)
		for _, m := range members {
			n.seen[m.name] = struct{}{}
		}
	}
	_, dup := n.seen[name]
	n.seen[name] = struct{}{}
	return dup
}

func (p *parser) name(path string) (string, error) {
	if p.pos >= len(p.src) || p.src[p.pos] != '"' {
		return "", p.bad("no name")
	}
	start := p.pos
	fine, err := p.str()
	if err != nil {
		return "", err
	}
	m := member{raw: p.src[start:p.pos]}
	if known, ok := p.known[string(m.raw[1:len(m.raw)-1])]; ok {
		return known, nil
	}
	name := m.text()
	if !fine {
		p.doc.badText = append(p.doc.badText, strings.ToValidUTF8(join(path, name), "�"))
	}
	return name, nil
}

// value parses any value.
func (p *parser) value(path, name string, depth int) (member, error) {
	p.space()
	if p.pos >= len(p.src) {
		return member{}, p.bad("no value")
	}
	m := member{name: name}
	start := p.pos
	var err error
	switch c := p.src[p.pos]; {
	case c == '"':
		m.kind = kindString
		var fine bool
		if fine, err = p.str(); !fine {
			p.doc.badText = append(p.doc.badText, join(path, name))
		}
	case c == '{':
		m.kind = kindObject
		m.members, err = p.object(join(path, name), depth+1)
	case c == '[':
		m.kind = kindArray
		err = p.array(join(path, name), depth+1)
	case c == '-' || (c >= '0' && c <= '9'):
		m.kind = kindNumber
		err = p.number()
	case c == 't':
		m.kind = kindBool
		err = p.word("true")
	case c == 'f':
		m.kind = kindBool
		err = p.word("false")
	default:
		m.kind = kindNull
		err = p.word("null")
	}
	m.raw = p.src[start:p.pos]
	return m, err
}

func (p *parser) array(path string, depth int) error {
	if depth > maxDepth {
		return p.bad("nested too deep")
	}
	p.pos++
	if p.next(']') {
		return nil
	}
	for {
		if _, err := p.value(path, "[]", depth); err != nil {
			return err
		}
		if p.next(',') {
			continue
		}
		if p.next(']') {
			return nil
		}
		return p.bad("no comma or bracket")
	}
}

func (p *parser) word(w string) error {
	if !strings.HasPrefix(string(p.src[p.pos:min(p.pos+len(w), len(p.src))]), w) {
		return p.bad("no value")
	}
	p.pos += len(w)
	return nil
}

func (p *parser) digits() int {
	start := p.pos
	for p.pos < len(p.src) && p.src[p.pos] >= '0' && p.src[p.pos] <= '9' {
		p.pos++
	}
	return p.pos - start
}

func (p *parser) at(chars string) bool {
	return p.pos < len(p.src) && strings.IndexByte(chars, p.src[p.pos]) >= 0
}

func (p *parser) number() error {
	if p.at("-") {
		p.pos++
	}
	zero := p.at("0")
	if n := p.digits(); n == 0 || (zero && n > 1) {
		return p.bad("bad number")
	}
	if p.at(".") {
		p.pos++
		if p.digits() == 0 {
			return p.bad("bad number")
		}
	}
	if p.at("eE") {
		p.pos++
		if p.at("+-") {
			p.pos++
		}
		if p.digits() == 0 {
			return p.bad("bad number")
		}
	}
	return nil
}

// str parses a string whose quote is next; fine is false if its text is no Unicode.
func (p *parser) str() (fine bool, err error) {
	fine = true
	p.pos++
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == '"':
			p.pos++
			return fine, nil
		case c < ' ':
			return fine, p.bad("control character in a string")
		case c == '\\':
			ok, err := p.escape()
			if err != nil {
				return fine, err
			}
			fine = fine && ok
		case c < utf8.RuneSelf:
			p.pos++
		default:
			r, n := utf8.DecodeRune(p.src[p.pos:])
			if r == utf8.RuneError && n == 1 {
				fine = false
			}
			p.pos += n
		}
	}
	return fine, p.bad("unfinished string")
}

// escape parses a backslash and what belongs to it; fine is false for half a surrogate pair.
func (p *parser) escape() (fine bool, err error) {
	p.pos++
	if !p.at(`"\/bfnrtu`) {
		return true, p.bad("bad escape")
	}
	if p.src[p.pos] != 'u' {
		p.pos++
		return true, nil
	}
	r, err := p.hex4()
	if err != nil || !utf16.IsSurrogate(r) {
		return true, err
	}
	if !p.at(`\`) || p.pos+1 >= len(p.src) || p.src[p.pos+1] != 'u' {
		return false, nil
	}
	back := p.pos
	p.pos++
	low, err := p.hex4()
	if err != nil {
		return false, err
	}
	if utf16.DecodeRune(r, low) == utf8.RuneError {
		p.pos = back // the second escape stands for itself
		return false, nil
	}
	return true, nil
}

// hex4 parses u and four hex digits.
func (p *parser) hex4() (rune, error) {
	p.pos++
	var r rune
	for range 4 {
		if p.pos >= len(p.src) {
			return 0, p.bad("unfinished escape")
		}
		d := strings.IndexByte("0123456789abcdef", p.src[p.pos]|0x20)
		if d < 0 || (p.src[p.pos] < '0') {
			return 0, p.bad("bad escape")
		}
		r = r<<4 | rune(d)
		p.pos++
	}
	return r, nil
}
