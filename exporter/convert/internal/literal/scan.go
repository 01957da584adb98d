// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package literal

import (
	"errors"
	"strings"
)

const (
	// MaxSize is the largest text that is read, in bytes.
	MaxSize = 1 << 20
	// maxDepth bounds how deep a document may be nested.
	maxDepth = 64
	// maxEncodings bounds how often a document may be encoded inside a string.
	maxEncodings = 2
)

// ErrSyntax says that a text is no literal, or not a whole one: attribute values
// may have been cut.
var ErrSyntax = errors.New("literal: not JSON and not a Python literal")

// Kind is the kind of a value.
type Kind uint8

// The kinds of scalar values.
const (
	Null Kind = iota
	Bool
	Number
	String
)

// Value is a scalar value of a document.
type Value struct {
	Kind Kind
	// Text is the number as it is written, or the string without quotes and
	// escapes.
	Text string
	// True is the value of a Bool.
	True bool
}

// Visitor is told values.
type Visitor interface {
	// Value is told a wanted value: the leaf of the tree, the key or index under
	// which it stands, and the value. Returning false ends the scan.
	Value(leaf int, key string, v Value) bool
}

// Begins reports whether a text can be a document at all: whether it begins like
// an object, a list or a string.
func Begins(text string) bool {
	for i := range len(text) {
		switch text[i] {
		case ' ', '\t', '\r', '\n':
		case '{', '[', '(', '"', '\'':
			return true
		default:
			return false
		}
	}
	return false
}

// Scan tells visit the wanted values of a document. What it has told before it
// fails belongs to no whole document and must not be used.
func Scan(text string, want *Tree, visit Visitor) error {
	if len(text) > MaxSize {
		return ErrSyntax
	}
	return scan(text, want, visit, 0)
}

func scan(text string, want *Tree, visit Visitor, encodings int) error {
	s := scanner{text: text, visit: visit, encodings: encodings}
	if !s.value(want, "", 0) {
		if s.stopped {
			return nil
		}
		return ErrSyntax
	}
	s.space()
	if s.at != len(s.text) {
		return ErrSyntax
	}
	return nil
}

// scanner reads one text. Its methods report false on a syntax error and when the
// visitor has had enough.
type scanner struct {
	text      string
	at        int
	visit     Visitor
	encodings int
	stopped   bool
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// take reads c if it comes next.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) value(want *Tree, key string, depth int) bool {
	s.space()
	if s.at >= len(s.text) || depth > maxDepth {
		return false
	}
	switch c := s.text[s.at]; c {
	case '{':
		s.at++
		return s.object(want, depth)
	case '[':
		s.at++
		return s.list(want, ']', depth)
	case '(':
		s.at++
		return s.list(want, ')', depth)
	case '"', '\'':
		return s.stringValue(want, key)
	default:
		return s.scalar(want, key)
	}
}

func (s *scanner) object(want *Tree, depth int) bool {
	if s.take('}') {
		return true
	}
	for {
		s.space()
		key, ok := s.quoted()
		if !ok || !s.take(':') {
			return false
		}
		var child *Tree
		if want != nil && len(want.Children) > 0 {
			key = unescape(key)
			child = want.Child(key)
		}
		if !s.value(child, key, depth+1) {
			return false
		}
		if s.take('}') {
			return true
		}
		if !s.take(',') {
			return false
		}
		if s.take('}') { // Python allows a comma at the end
			return true
		}
	}
}

func (s *scanner) list(want *Tree, end byte, depth int) bool {
	if s.take(end) {
		return true
	}
	for i := 0; ; i++ {
		child := want.element(i)
		key := ""
		if child != nil {
			key = child.Key
		}
		if !s.value(child, key, depth+1) {
			return false
		}
		if s.take(end) {
			return true
		}
		if !s.take(',') {
			return false
		}
		if s.take(end) {
			return true
		}
	}
}

// stringValue reads a string. One in which more is wanted may hold a document of
// its own.
func (s *scanner) stringValue(want *Tree, key string) bool {
	raw, ok := s.quoted()
	if !ok || want == nil {
		return ok
	}
	if len(want.Children) > 0 && s.encodings < maxEncodings {
		if inner := unescape(raw); Begins(inner) {
			// A text that is no document is an ordinary one.
			nested := nestedVisitor{s: s}
			_ = scan(inner, want, &nested, s.encodings+1)
			if s.stopped {
				return false
			}
		}
	}
	return want.Leaf == NoLeaf || s.tell(want.Leaf, key, Value{Kind: String, Text: unescape(raw)})
}

// nestedVisitor passes values on and remembers that the visitor had enough.
type nestedVisitor struct{ s *scanner }

func (v *nestedVisitor) Value(leaf int, key string, value Value) bool {
	return v.s.tell(leaf, key, value)
}

func (s *scanner) tell(leaf int, key string, v Value) bool {
	if !s.visit.Value(leaf, key, v) {
		s.stopped = true
		return false
	}
	return true
}

// quoted reads a string and returns what is between its quotes.
func (s *scanner) quoted() (string, bool) {
	if s.at >= len(s.text) {
		return "", false
	}
	quote := s.text[s.at]
	if quote != '"' && quote != '\'' {
		return "", false
	}
	start := s.at + 1
	for i := start; ; {
		n := strings.IndexByte(s.text[i:], quote)
		if n < 0 {
			return "", false
		}
		i += n
		if escapes(s.text[start:i])%2 == 0 {
			s.at = i + 1
			return s.text[start:i], true
		}
		i++ // the quote is escaped
	}
}

// escapes counts the backslashes at the end of a text.
func escapes(text string) int {
	n := 0
	for n < len(text) && text[len(text)-1-n] == '\\' {
		n++
	}
	return n
}

// scalar reads a word or a number.
func (s *scanner) scalar(want *Tree, key string) bool {
	start := s.at
	for s.at < len(s.text) && !delimiter(s.text[s.at]) {
		s.at++
	}
	word := s.text[start:s.at]
	var v Value
	switch word {
	case "null", "None":
	case "true", "True":
		v = Value{Kind: Bool, True: true}
	case "false", "False":
		v = Value{Kind: Bool}
	case "NaN", "nan", "Infinity", "inf", "-Infinity", "-inf":
		v = Value{Kind: Number, Text: "NaN"}
	default:
		if !isNumber(word) {
			return false
		}
		v = Value{Kind: Number, Text: word}
	}
	return want == nil || want.Leaf == NoLeaf || s.tell(want.Leaf, key, v)
}

func delimiter(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ':', '{', '}', '[', ']', '(', ')', '"', '\'':
		return true
	default:
		return false
	}
}

// isNumber reports whether a word looks like a decimal number.
func isNumber(word string) bool {
	digits := false
	for i := range len(word) {
		switch c := word[i]; {
		case '0' <= c && c <= '9':
			digits = true
		case c == '-' && i == 0, c == '+' && i > 0, c == '-', c == '.', (c == 'e' || c == 'E') && digits:
		default:
			return false
		}
	}
	return digits
}
