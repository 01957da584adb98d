// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"bytes"
	"encoding/json"
)

// The parts of the scanner that take many bytes at once: strings, literals and what
// nobody wants.

// stringBytes takes bytes of a key or of a wanted string and returns how many.
func (s *scanner) stringBytes(p []byte) int {
	limit := maxScalar
	if s.state == inKey {
		limit = maxKey
	}
	i, ended := s.findQuote(p)
	if !s.long {
		if len(s.buf)+i > limit {
			s.long = true
			s.buf = s.buf[:0]
		} else {
			s.buf = append(s.buf, p[:i]...)
			s.dirty = s.dirty || s.escaped
		}
	}
	if !ended {
		return i
	}
	s.pos += int64(i)
	if s.state == inKey {
		s.endKey()
	} else {
		f := s.node.field
		s.valueEnded()
		s.sink.value(f, value{kind: stringValue, raw: s.buf, long: s.long, escaped: s.dirty})
	}
	return i + 1
}

func (s *scanner) endKey() {
	s.node = nil
	parent := s.stack[s.depth-1].node
	switch {
	case s.long:
	case s.dirty:
		s.node = parent.member([]byte(decodeString(s.buf, true)))
	default:
		s.node = parent.member(s.buf)
		s.unknown = s.node == nil && parent.closed && s.unknowns != nil
	}
	s.state = beforeColon
}

// shortString is up to how many bytes a string is looked at byte by byte, which
// is faster for as long.
const shortString = 24

// findQuote returns how many bytes of p belong to the string that p goes on
// with, and whether the closing quote comes right behind them. escaped tells
// whether there are escapes among them.
func (s *scanner) findQuote(p []byte) (n int, ended bool) {
	i := 0
	s.escaped = s.escape
	if s.escape && len(p) > 0 {
		s.escape = false
		i = 1
	}
	for short := min(len(p), i+shortString); i < short; i++ {
		if p[i] == '"' {
			return i, true
		}
		if p[i] == '\\' {
			break
		}
	}
	for i < len(p) {
		quote := bytes.IndexByte(p[i:], '"')
		end := len(p)
		if quote >= 0 {
			end = i + quote
		}
		backslash := bytes.IndexByte(p[i:end], '\\')
		if backslash < 0 {
			return end, quote >= 0
		}
		s.escaped = true
		i += backslash + 2
		if i > len(p) {
			s.escape = true
			return len(p), false
		}
	}
	return i, false
}

// literalBytes takes bytes of a number, true, false or null.
func (s *scanner) literalBytes(p []byte) int {
	i := 0
	for i < len(p) && !endsLiteral(p[i]) {
		i++
	}
	if s.state == inLiteral && !s.long {
		if len(s.buf)+i > maxScalar {
			s.long = true
			s.buf = s.buf[:1] // keeps the kind
		} else {
			s.buf = append(s.buf, p[:i]...)
		}
	}
	if i < len(p) {
		s.pos += int64(i)
		s.endLiteral()
	}
	return i
}

func isLiteral(c byte) bool {
	return c == '-' || c >= '0' && c <= '9' || c == 't' || c == 'f' || c == 'n'
}

func endsLiteral(c byte) bool {
	return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t'
}

func (s *scanner) endLiteral() {
	wanted := s.state == inLiteral && s.node != nil && s.node.field != 0
	if s.state == inLiteral && !s.long && !validLiteral(s.buf) {
		s.state = broken
		return
	}
	var f field
	if wanted {
		f = s.node.field
	}
	s.valueEnded()
	if wanted {
		s.sink.value(f, value{kind: literalKind(s.buf[0]), raw: s.buf, long: s.long})
	}
}

func literalKind(c byte) valueKind {
	switch c {
	case 'n':
		return nullValue
	case 't', 'f':
		return boolValue
	default:
		return numberValue
	}
}

func validLiteral(b []byte) bool {
	switch b[0] {
	case 'n':
		return string(b) == "null"
	case 't':
		return string(b) == "true"
	case 'f':
		return string(b) == "false"
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return json.Valid(b)
		}
	}
	return b[0] != '0' || len(b) == 1
}

// skipStringBytes takes bytes of a string that nobody wants.
func (s *scanner) skipStringBytes(p []byte) int {
	i, ended := s.findQuote(p)
	if !ended {
		return i
	}
	if s.state == skipContainerString {
		s.state = skipContainer
	} else {
		s.valueEnded()
	}
	return i + 1
}

// skipContainerBytes takes bytes of an object or array that nobody wants. What
// is in it need not be JSON, as long as its brackets and quotes add up.
func (s *scanner) skipContainerBytes(p []byte) int {
	for i, c := range p {
		switch c {
		case '"':
			s.state, s.escape = skipContainerString, false
			return i + 1
		case '{', '[':
			s.nested++
		case '}', ']':
			s.nested--
			if s.nested == 0 {
				s.valueEnded()
				return i + 1
			}
		}
	}
	return len(p)
}
