// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

// answer takes the body of an answer apart as it passes: a JSON document or a
// stream of server-sent events with one in each. Which of them it is, the bytes
// say rather than the Content-Type, which servers get wrong and recordings lose.
type answer struct {
	reader responseReader
	scan   *scanner
	events *sseReader // nil unless the body is a stream of events
	shape  shape
	head   []byte // beginning of the current event's data
}

type shape uint8

const (
	shapeUnknown shape = iota
	shapeDocument
	shapeEvents
	shapeOther // neither; nothing is read
)

const maxHead = 16 // bytes; no mark is longer

func newAnswer(reader responseReader) *answer {
	a := &answer{reader: reader, head: make([]byte, 0, maxHead)}
	a.scan = newScanner(reader.wanted(), reader)
	reader.begin()
	return a
}

// write takes the next piece of the body.
func (a *answer) write(p []byte) {
	if a.shape == shapeUnknown {
		p = a.sniff(p)
	}
	switch a.shape {
	case shapeDocument:
		if a.scan.done() {
			return // what follows is not for us
		}
		a.scan.write(p)
		if a.scan.done() {
			a.reader.end(nil, true)
		}
	case shapeEvents:
		a.events.write(p)
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
			a.shape = shapeDocument
		case ':', 'd', 'e', 'i', 'r': // data, event, id, retry
			a.shape = shapeEvents
			a.events = newSSEReader(a)
		default:
			a.shape = shapeOther
		}
		return p[i:]
	}
	return nil
}

// end tells that the body is over.
func (a *answer) end() {
	switch a.shape {
	case shapeDocument:
		if !a.scan.done() {
			a.scan.end()
			a.reader.end(nil, a.scan.done())
		}
	case shapeEvents:
		a.events.end()
	}
}

// ended says that the answer has come to its end by its own account; nothing
// that matters follows.
func (a *answer) ended() bool {
	return a.reader.result().done || a.shape == shapeDocument && a.scan.done()
}

// whole says whether the answer may be considered complete when its body ends
// here. Some servers send no mark of the end, so that the end of generation must
// do; of bodies that were not understood, nothing else can be said.
func (a *answer) whole() bool {
	switch a.shape {
	case shapeDocument, shapeEvents:
		return a.ended() || a.shape == shapeEvents && a.reader.result().finished
	default:
		return a.shape == shapeOther
	}
}

// data, aside and dispatch implement eventSink.
func (a *answer) data(p []byte) {
	if room := maxHead - len(a.head); room > 0 {
		a.head = append(a.head, p[:min(room, len(p))]...)
	}
	a.scan.write(p)
}

func (a *answer) aside(int) {}

func (a *answer) dispatch(event []byte, _ int) {
	if len(a.head) == 0 && len(event) == 0 {
		return // blank lines between events
	}
	a.scan.end()
	whole := a.scan.complete()
	if !whole {
		a.reader.mark(a.head)
	}
	a.reader.end(event, whole)
	a.head = a.head[:0]
	a.scan.reset()
	a.reader.begin()
}
