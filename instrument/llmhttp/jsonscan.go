// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

const (
	maxScalar = 512 // bytes kept of a wanted string or number
	maxKey    = 64  // bytes; no wanted key is longer
	maxDepth  = 16  // no tree is deeper
)

type scanState uint8

const (
	beforeValue scanState = iota
	beforeFirstElement
	beforeFirstKey
	beforeKey
	inKey
	beforeColon
	afterValue
	inString
	inPieces
	inLiteral
	atPresence // just behind the opening quote or bracket of a presence field
	skipString
	skipLiteral
	skipContainer
	skipContainerString
	documentDone
	broken
)

type frame struct {
	node    *node
	isArray bool
	members int
}

// scanner reads a JSON document piece by piece, as it passes. It holds no more
// than one wanted scalar, whatever the document's size, and cannot be made to
// fail: where the document is no JSON, it stops finding things. It accepts more
// than JSON where telling the difference would cost time and change nothing.
type scanner struct {
	sink     sink
	root     *node
	state    scanState
	stack    [maxDepth]frame
	depth    int
	node     *node // of the value that comes next; nil: not wanted
	buf      []byte
	long     bool
	escape   bool // the next byte is escaped
	escaped  bool // there are escapes in what was looked at last
	dirty    bool // the buffered string has escapes
	nested   int  // depth within a skipped container
	trailing bool // there is something behind the document
	closer   byte // what ends an empty presence container or string
	unknown  bool // the value that comes next is of an unknown member
	pos      int64
	// members is, within a sink's close, the number of members or elements.
	members int

	pieces   pieceSink   // nil unless the sink is one
	unknowns unknownSink // nil unless the sink is one
	text     unescaper   // of the string that is passed on in pieces
	raw      field       // of the container that is passed on in pieces, or 0
}

func newScanner(root *node, sink sink) *scanner {
	s := &scanner{buf: make([]byte, 0, maxKey)}
	s.use(root, sink)
	return s
}

// use makes a scanner as good as new for other documents.
func (s *scanner) use(root *node, sink sink) {
	*s = scanner{sink: sink, root: root, node: root, buf: s.buf[:0]}
	s.pieces, _ = sink.(pieceSink)
	s.unknowns, _ = sink.(unknownSink)
}

// reset makes the scanner ready for the next document.
func (s *scanner) reset() {
	s.state, s.depth, s.node, s.pos = beforeValue, 0, s.root, 0
	s.long, s.escape, s.dirty, s.trailing, s.unknown, s.nested, s.raw = false, false, false, false, false, 0, 0
}

// complete says whether a whole document has passed and nothing else behind it.
func (s *scanner) complete() bool { return s.state == documentDone && !s.trailing }

// done says whether a whole document has passed, whatever is behind it.
func (s *scanner) done() bool { return s.state == documentDone }

// end tells that no more of the document comes: a number at its very end has no
// other mark of its end.
func (s *scanner) end() {
	if (s.state == inLiteral || s.state == skipLiteral) && s.depth == 0 {
		s.endLiteral()
	}
}

// offset is the position in the document of the byte being looked at.
func (s *scanner) offset() int64 { return s.pos }

// inArray says, within a sink's open, that an array begins and no object.
func (s *scanner) inArray() bool { return s.stack[s.depth-1].isArray }

// write scans the next piece of the document.
func (s *scanner) write(p []byte) {
	for _, c := range p[s.take(p):] {
		s.pos++
		s.trailing = s.trailing || !isSpace(c)
	}
}

// take scans the next piece up to the end of the document and returns how much
// of it belongs to the document.
func (s *scanner) take(p []byte) int {
	start, i := s.pos, 0
	for i < len(p) && s.state != documentDone {
		s.pos = start + int64(i)
		switch s.state {
		case skipString:
			i += s.skipStringBytes(p[i:])
		case skipContainer, skipContainerString:
			i += s.containerBytes(p[i:])
		case inPieces:
			i += s.pieceBytes(p[i:])
		case inString, inKey:
			i += s.stringBytes(p[i:])
		case inLiteral, skipLiteral:
			i += s.literalBytes(p[i:])
		case broken:
			i = len(p)
		default:
			c := p[i]
			i++
			if !isSpace(c) {
				s.structure(c)
			} else if s.state == atPresence && s.closer == '"' {
				s.structure(c) // white space in a string is content
			}
		}
	}
	s.pos = start + int64(i)
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// structure takes one byte that is neither within a string nor a literal.
func (s *scanner) structure(c byte) {
	switch s.state {
	case beforeFirstElement:
		if c == ']' {
			s.pop(c)
			return
		}
		s.beginValue(c)
	case beforeValue:
		s.beginValue(c)
	case beforeFirstKey:
		if c == '}' {
			s.pop(c)
			return
		}
		s.beginKey(c)
	case beforeKey:
		s.beginKey(c)
	case beforeColon:
		if c != ':' {
			s.state = broken
			return
		}
		s.state = beforeValue
	case afterValue:
		s.next(c)
	default: // atPresence
		s.presence(c)
	}
}

func (s *scanner) beginKey(c byte) {
	if c != '"' {
		s.state = broken
		return
	}
	s.state = inKey
	s.beginBuffer()
}

func (s *scanner) beginBuffer() {
	s.buf, s.long, s.dirty, s.escape = s.buf[:0], false, false, false
}

// next takes what follows a value.
func (s *scanner) next(c byte) {
	top := s.stack[s.depth-1]
	switch {
	case c == ',' && top.isArray:
		s.state, s.node = beforeValue, top.node.element
	case c == ',':
		s.state = beforeKey
	default:
		s.pop(c)
	}
}

// pop closes the innermost container.
func (s *scanner) pop(c byte) {
	top := s.stack[s.depth-1]
	if top.isArray != (c == ']') || (c != ']' && c != '}') {
		s.state = broken
		return
	}
	s.depth--
	s.members = top.members
	if top.node.field != 0 {
		s.sink.close(top.node.field)
	}
	s.valueEnded()
}

func (s *scanner) valueEnded() {
	if s.depth == 0 {
		s.state = documentDone
		return
	}
	s.state = afterValue
}

// beginValue takes the first byte of a value.
func (s *scanner) beginValue(c byte) {
	if s.depth > 0 {
		s.stack[s.depth-1].members++
	}
	wanted := s.node != nil
	if s.unknown {
		s.tellUnknown(c)
	}
	switch {
	case wanted && s.node.presence:
		s.beginPresence(c)
	case c == '"':
		s.escape = false
		s.state = skipString
		switch {
		case !wanted || s.node.field == 0:
		case s.node.pieces && s.pieces != nil:
			s.state = inPieces
			s.text.reset()
		default:
			s.state = inString
			s.beginBuffer()
		}
	case c == '{' || c == '[':
		s.beginContainer(c)
	case isLiteral(c):
		s.state = skipLiteral
		if wanted && s.node.field != 0 || s.depth == 0 {
			s.state = inLiteral
			s.beginBuffer()
			s.buf = append(s.buf, c)
		}
	default:
		s.state = broken
	}
}

func (s *scanner) beginContainer(c byte) {
	n := s.node
	isArray := c == '['
	if n == nil || isArray && n.element == nil || !isArray && n.keys == nil || s.depth == maxDepth {
		s.state, s.nested = skipContainer, 1
		if n != nil && n.pieces && s.pieces != nil {
			s.raw = n.field
			s.pieces.piece(s.raw, []byte{c})
		}
		return
	}
	s.stack[s.depth] = frame{node: n, isArray: isArray}
	s.depth++
	if n.field != 0 {
		s.sink.open(n.field)
	}
	if isArray {
		s.state, s.node = beforeFirstElement, n.element
	} else {
		s.state = beforeFirstKey
	}
}

func (s *scanner) beginPresence(c byte) {
	switch c {
	case '"':
		s.state, s.closer = atPresence, '"'
	case '[':
		s.state, s.closer = atPresence, ']'
	case '{':
		s.state, s.closer = atPresence, '}'
	default:
		if !isLiteral(c) {
			s.state = broken
			return
		}
		s.sink.present(s.node.field, c != 'n' && c != 'f')
		s.state = skipLiteral
	}
}

// presence takes the first byte behind the opening of a presence field.
func (s *scanner) presence(c byte) {
	empty := c == s.closer
	s.sink.present(s.node.field, !empty)
	if empty {
		s.valueEnded()
		return
	}
	switch {
	case s.closer == '"':
		s.state, s.escape = skipString, c == '\\'
	case c == '"':
		s.state, s.nested, s.escape = skipContainerString, 1, false
	default:
		s.state, s.nested = skipContainer, 1
		if c == '{' || c == '[' {
			s.nested = 2
		}
	}
}
