// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import "sync"

// answer takes the body of an answer apart as it passes: a JSON document, several
// of them in lines or in an array, a stream of server-sent events, or one of AWS
// frames, with a document in each. Which of them it is, the bytes say rather than
// the Content-Type, which servers get wrong and recordings lose.
type answer struct {
	reader *replyReader
	scan   *scanner
	events *sseReader   // nil unless the body is a stream of events
	frames *frameReader // nil unless it is one of frames
	chunks *chunkReader // nil unless the frames' documents are within others
	shape  shape
	head   []byte // beginning of the current event's data

	said    *conversation // what is answered, nil unless capture is on
	content *scanner      // that reads it

	lines  bool // documents follow each other
	list   bool // they are elements of an array
	begun  bool // the current document has begun
	closed bool // no document follows
}

type shape uint8

const (
	shapeUnknown shape = iota
	shapeDocuments
	shapeEvents
	shapeFrames
	shapeOther // none of these; nothing is read
)

const maxHead = 16 // bytes; no mark is longer

func newAnswer(reader *replyReader) *answer {
	a := &answer{reader: reader, head: make([]byte, 0, maxHead), scan: newScanner(reader.table.wanted, reader)}
	a.begin()
	return a
}

// begin makes ready for the first document.
func (a *answer) begin() {
	a.reader.scan = a.scan
	a.reader.begin()
}

// answers keeps the memory of answers that have been read, which is large, for
// those that come.
type answers struct{ pool sync.Pool } // of *answer

// take returns an answer to t that is to be read.
func (p *answers) take(t *target) *answer {
	a, ok := p.pool.Get().(*answer)
	if !ok {
		return newAnswer(newReplyReader(t, false))
	}
	a.reader.use(t, false)
	a.scan.use(a.reader.table.wanted, a.reader)
	a.begin()
	return a
}

// give takes an answer back to which nobody refers any more.
func (p *answers) give(a *answer) {
	a.reader.forget()
	*a = answer{reader: a.reader, scan: a.scan, head: a.head[:0]}
	p.pool.Put(a)
}

// write takes the next piece of the body.
func (a *answer) write(p []byte) {
	if a.shape == shapeUnknown {
		p = a.sniff(p)
	}
	switch a.shape {
	case shapeDocuments:
		a.documents(p)
	case shapeEvents:
		a.events.write(p)
	case shapeFrames:
		a.frames.write(p)
	}
}

// sniff finds out the shape from the first byte that is not white space: some
// servers send blank lines to keep the connection alive while they generate.
func (a *answer) sniff(p []byte) []byte {
	for i, c := range p {
		switch c {
		case ' ', '\t', '\r', '\n', byteOrderMark[0], byteOrderMark[1], byteOrderMark[2]:
			continue
		case '{', '[':
			a.shape = shapeDocuments
		case ':', 'd', 'e', 'i', 'r': // data, event, id, retry
			a.shape = shapeEvents
			a.events = newSSEReader(a)
		default:
			a.shape = shapeOther
			if a.reader.table.frames && c == 0 { // first byte of a length below 16 MiB
				a.beginFrames()
			}
		}
		return p[i:]
	}
	return nil
}

func (a *answer) beginFrames() {
	a.shape = shapeFrames
	a.frames = newFrameReader(a)
	if a.reader.table.chunks {
		a.chunks = newChunkReader(a.within)
	}
}

// documents reads documents that stand one behind the other.
func (a *answer) documents(p []byte) {
	for len(p) > 0 && !a.closed {
		if !a.begun && a.between(p[0]) {
			p = p[1:]
			continue
		}
		if a.closed {
			return
		}
		a.begun = true
		n := a.scan.take(p)
		a.hear(p[:n])
		p = p[n:]
		if a.scan.done() {
			a.endDocument(nil)
			a.begun, a.closed = false, !a.list && !a.lines
		}
	}
}

// between takes a byte before a document and says whether it is none of its own.
func (a *answer) between(c byte) bool {
	switch {
	case isSpace(c), a.list && c == ',':
		return true
	case c == '[' && !a.list && a.reader.documents == 0:
		a.list = true
		return true
	case c == ']' && a.list:
		a.closed = true
	}
	return false
}

// endDocument ends the current document; event is the name of the event that it
// came in.
func (a *answer) endDocument(event []byte) {
	a.scan.end()
	a.reader.end(event, a.scan.complete())
	a.scan.reset()
	a.reader.begin()
	if a.content != nil {
		a.content.reset()
		a.said.begin()
	}
}

// hear reads a piece of a document for its content.
func (a *answer) hear(p []byte) {
	if a.content != nil {
		a.content.write(p)
	}
}

// end tells that the body is over.
func (a *answer) end() {
	switch a.shape {
	case shapeDocuments:
		if a.begun {
			a.endDocument(nil)
			a.begun = false
		}
	case shapeEvents:
		a.events.end()
	}
}

// ended says that the answer has come to its end by its own account; nothing
// that matters follows.
func (a *answer) ended() bool { return a.reader.res.done || a.closed }

// whole says whether the answer may be considered complete when its body ends
// here. Some servers send no mark of the end, so that the end of generation must
// do; of bodies that were not understood, nothing else can be said.
func (a *answer) whole() bool {
	switch a.shape {
	case shapeUnknown:
		return false
	case shapeOther:
		return true
	default:
		return a.ended() || a.streamed() && a.reader.res.finished
	}
}

// streamed says that the answer comes in several documents.
func (a *answer) streamed() bool {
	return a.shape == shapeEvents || a.shape == shapeFrames || a.shape == shapeDocuments && (a.list || a.lines)
}

// data, aside and dispatch implement eventSink.
func (a *answer) data(p []byte) {
	if room := maxHead - len(a.head); room > 0 {
		a.head = append(a.head, p[:min(room, len(p))]...)
	}
	a.scan.write(p)
	a.hear(p)
}

func (a *answer) aside(int) {}

func (a *answer) dispatch(event []byte, _ int) {
	if len(a.head) == 0 && len(event) == 0 {
		return // blank lines between events
	}
	a.reader.mark(a.head)
	a.head = a.head[:0]
	a.endDocument(event)
}

// payload and endFrame implement frameSink.
func (a *answer) payload(p []byte) {
	if a.chunks != nil {
		a.chunks.write(p)
		return
	}
	a.within(p)
}

// within takes a piece of the document that a frame holds.
func (a *answer) within(p []byte) {
	a.scan.write(p)
	a.hear(p)
}

func (a *answer) endFrame(f *eventFrame) {
	if a.chunks != nil {
		a.chunks.end()
	}
	if len(f.exception) > 0 {
		a.reader.exception(f.exception)
	}
	a.endDocument(f.event)
}
