// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

// pieceBytes takes bytes of a string that is passed on as it comes.
func (s *scanner) pieceBytes(p []byte) int {
	i, ended := s.findQuote(p)
	f := s.node.field
	if text := s.text.decode(p[:i]); len(text) > 0 {
		s.pieces.piece(f, text)
	}
	if !ended {
		return i
	}
	s.pos += int64(i)
	s.valueEnded()
	s.sink.value(f, value{kind: stringValue, long: true})
	return i + 1
}

// containerBytes takes bytes of an object or array into which nobody looks. One
// that is wanted in pieces is passed on as it is.
func (s *scanner) containerBytes(p []byte) int {
	var n int
	if s.state == skipContainerString {
		n = s.skipStringBytes(p)
	} else {
		n = s.skipContainerBytes(p)
	}
	if s.raw == 0 {
		return n
	}
	s.pieces.piece(s.raw, p[:n])
	if s.state != skipContainer && s.state != skipContainerString {
		f := s.raw
		s.raw = 0
		s.sink.value(f, value{kind: stringValue, long: true})
	}
	return n
}

// tellUnknown tells of a member that nobody knows, whose key is still in the
// buffer, if its value may be one of counts.
func (s *scanner) tellUnknown(c byte) {
	s.unknown = false
	if c == '{' || c == '[' || c == '-' || c >= '0' && c <= '9' {
		s.unknowns.unknown(s.stack[s.depth-1].node.field, s.buf)
	}
}
