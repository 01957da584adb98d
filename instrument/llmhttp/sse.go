// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import "bytes"

// An eventSink receives the server-sent events of a stream. The data of an event
// comes in pieces as it passes, so that an event of any size needs no memory.
type eventSink interface {
	// data is a piece of the current event's data, with the newlines between
	// several data lines put in.
	data(p []byte)
	// aside tells that what has come up to end, an offset in the bytes being
	// written, belongs to no event: a comment before the first field of one.
	aside(end int)
	// dispatch ends the current event; end is the offset behind its empty line in
	// the bytes being written.
	dispatch(event []byte, end int)
}

// sseReader takes a stream of server-sent events apart, byte for byte as the
// WHATWG HTML standard says: lines end in \n, \r\n or \r, a byte order mark may
// lead, lines without a colon are fields without a value, one space behind the
// colon is dropped, unknown fields and comments are ignored, an empty line ends
// an event. Reads may cut the stream anywhere.
type sseReader struct {
	sink eventSink

	line      lineState
	name      []byte // of the field that the line is about
	long      bool   // the name is longer than any known one
	afterCR   bool   // the last byte was \r: a \n would belong to it
	event     []byte
	dataLines int
	fields    int // lines of the current event that are neither empty nor a comment
	bom       int // bytes of a byte order mark seen; -1: past the beginning
}

type lineState uint8

const (
	lineStart lineState = iota
	inName
	behindColon
	inData
	inEvent
	inComment
	inIgnored
)

const maxEventName = 64

var byteOrderMark = [...]byte{0xEF, 0xBB, 0xBF}

func newSSEReader(sink eventSink) *sseReader {
	return &sseReader{sink: sink, name: make([]byte, 0, len("event")), event: make([]byte, 0, 16)}
}

// write reads the next piece of the stream.
func (r *sseReader) write(p []byte) {
	for i := 0; i < len(p); {
		c := p[i]
		if r.bom >= 0 {
			if r.bom < len(byteOrderMark) && c == byteOrderMark[r.bom] {
				r.bom++
				i++
				continue
			}
			r.endBOM(i)
		}
		if r.afterCR {
			r.afterCR = false
			if c == '\n' {
				i++
				continue
			}
		}
		if c == '\n' || c == '\r' {
			i++
			r.afterCR = c == '\r'
			if r.afterCR && i < len(p) && p[i] == '\n' {
				i++
				r.afterCR = false
			}
			r.endLine(i)
			continue
		}
		n := lineLength(p[i:])
		r.text(p[i : i+n])
		i += n
	}
}

// endBOM is where no byte order mark goes on; i is the offset in the bytes being
// written.
func (r *sseReader) endBOM(i int) {
	if r.bom == len(byteOrderMark) {
		r.sink.aside(i)
	} else if r.bom > 0 { // it only began like one
		r.text(byteOrderMark[:r.bom])
	}
	r.bom = -1
}

// commenting says that nothing but comments has come of the current event.
func (r *sseReader) commenting() bool {
	return r.fields == 0 && (r.line == lineStart || r.line == inComment)
}

// end ends the stream. Some servers end it without the last event's empty line,
// so what is pending is dispatched; whether it is whole is for the sink to tell.
func (r *sseReader) end() {
	if r.line != lineStart {
		r.endLine(0)
	}
	if r.dataLines > 0 {
		r.dispatch(0)
	}
}

func lineLength(p []byte) int {
	n := len(p)
	if i := bytes.IndexByte(p, '\n'); i >= 0 {
		n = i
	}
	if i := bytes.IndexByte(p[:n], '\r'); i >= 0 {
		n = i
	}
	return n
}

// text takes a piece of a line.
func (r *sseReader) text(p []byte) {
	for len(p) > 0 {
		switch r.line {
		case lineStart:
			r.name, r.long = r.name[:0], false
			r.line = inName
			if p[0] == ':' {
				r.line = inComment
			}
		case inName:
			colon := bytes.IndexByte(p, ':')
			name := p
			if colon >= 0 {
				name = p[:colon]
			}
			r.addName(name)
			if colon < 0 {
				return
			}
			p = p[colon+1:]
			r.line = behindColon
		case behindColon:
			if p[0] == ' ' {
				p = p[1:]
			}
			r.beginValue()
		case inData:
			r.sink.data(p)
			return
		case inEvent:
			r.event = append(r.event, p[:min(len(p), maxEventName-len(r.event))]...)
			return
		default:
			return
		}
	}
}

func (r *sseReader) addName(p []byte) {
	if r.long || len(r.name)+len(p) > len("event") {
		r.long = true // no field that matters has a longer name
		return
	}
	r.name = append(r.name, p...)
}

// beginValue is where the field's name is known and its value begins.
func (r *sseReader) beginValue() {
	r.fields++
	r.line = inIgnored
	switch {
	case r.long:
	case string(r.name) == "data":
		if r.dataLines > 0 {
			r.sink.data([]byte{'\n'})
		}
		r.dataLines++
		r.line = inData
	case string(r.name) == "event":
		r.event = r.event[:0]
		r.line = inEvent
	}
}

// endLine ends a line; end is the offset behind it in the bytes being written.
func (r *sseReader) endLine(end int) {
	switch r.line {
	case lineStart:
		r.dispatch(end)
	case inName, behindColon: // a field without a value, or with an empty one
		r.beginValue()
	case inComment:
		if r.fields == 0 {
			r.sink.aside(end)
		}
	}
	r.line = lineStart
}

func (r *sseReader) dispatch(end int) {
	r.sink.dispatch(r.event, end)
	r.event, r.dataLines, r.fields = r.event[:0], 0, 0
}
