// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

// hider takes the usage chunk out of a stream: the event whose choices are
// empty and whose usage is not, together with its empty line. It is the one
// event that a server sends more because usage was asked for, and code that
// takes the first of a chunk's choices would fail on it.
//
// All else passes, byte for byte and at once: an event is held back only until
// it is seen to be another one, which is where its choices begin.
type hider struct {
	events *sseReader
	scan   *scanner

	held []byte // of the current event, not passed on yet
	out  []byte
	pass bool // the current event is known to be none to hide

	noChoices bool // the current event has choices, which are none
	used      bool // and usage

	tail tail // what to do with a \n that comes first
	// from is where, in the bytes being written, those begin that were neither
	// passed on nor hidden nor held.
	from int
	in   []byte
	cut  bool // something of in was hidden or held back before
}

// tail is what is due for a \n at the beginning of the next piece, where the
// empty line of the event before ended in \r at the end of the last one.
type tail uint8

const (
	noTail tail = iota
	passTail
	hideTail
)

// maxHeld bounds what is held back. A usage chunk is far smaller.
const maxHeld = 64 << 10

const (
	hideChoices field = iota + 1
	hideChoice
	hideUsage
	hideError
)

var usageChunk = newTree([]want{
	{path: "choices", field: hideChoices},
	{path: "choices[]", field: hideChoice},
	{path: "choices[].index"}, // a choice is an object
	{path: "usage", field: hideUsage, presence: true},
	{path: "error", field: hideError, presence: true},
})

func newHider() *hider {
	h := &hider{}
	h.events = newSSEReader(h)
	h.scan = newScanner(usageChunk, h)
	return h
}

// write takes the next piece of the stream and returns what may be passed on,
// which is valid until the next use and may be p itself.
func (h *hider) write(p []byte) []byte {
	h.in, h.from, h.out, h.cut = p, 0, h.out[:0], len(h.held) > 0
	if len(p) > 0 && h.tail != noTail {
		if p[0] == '\n' {
			h.from = 1
			if h.tail == passTail {
				h.emit(p[:1])
			} else {
				h.cut = true
			}
		}
		h.tail = noTail
	}
	h.events.write(p)
	rest := p[h.from:]
	switch {
	case h.pass || len(h.held)+len(rest) > maxHeld:
		h.pass = true
		h.emit(rest)
	case h.events.commenting(): // keeps the connection alive, perhaps
		h.emit(rest)
	case len(rest) > 0:
		h.cut = true
		h.held = append(h.held, rest...)
	}
	h.in = nil
	return h.result(p)
}

// emit passes on what is held and then p, which is a part of in.
func (h *hider) emit(p []byte) {
	h.out = append(h.out, h.held...)
	h.held = h.held[:0]
	h.out = append(h.out, p...)
}

func (h *hider) result(p []byte) []byte {
	if !h.cut {
		return p
	}
	return h.out
}

// end tells that the stream is over and returns out together with what was
// held: an event cut short, or a usage chunk without its empty line.
func (h *hider) end(out []byte) []byte {
	h.scan.end()
	if len(h.held) == 0 || h.isUsageChunk() {
		return out
	}
	return append(append([]byte(nil), out...), h.held...)
}

// data, aside and dispatch implement eventSink.
func (h *hider) data(p []byte) {
	if h.pass {
		return
	}
	h.scan.write(p)
}

func (h *hider) aside(end int) {
	h.emit(h.in[h.from:max(end, h.from)])
	h.from = max(end, h.from)
	h.due(passTail)
}

// due says what is to become of a \n that comes first in the next piece, if the
// line that ended last ended in \r there.
func (h *hider) due(t tail) {
	if h.from > 0 && h.from == len(h.in) && h.in[h.from-1] == '\r' {
		h.tail = t
	}
}

func (h *hider) dispatch(_ []byte, end int) {
	h.scan.end()
	due := passTail
	if len(h.held)+end-h.from > maxHeld {
		h.pass = true
	}
	if h.isUsageChunk() {
		h.held = h.held[:0]
		h.cut = true
		due = hideTail
	} else {
		h.emit(h.in[h.from:end])
	}
	h.from = end
	h.due(due)
	h.pass, h.noChoices, h.used = false, false, false
	h.scan.reset()
}

func (h *hider) isUsageChunk() bool {
	return !h.pass && h.noChoices && h.used && h.scan.complete()
}

// The rest implements sink.

func (h *hider) open(f field) { h.pass = h.pass || f == hideChoice }

func (h *hider) close(f field) {
	if f == hideChoices {
		h.noChoices = h.scan.members == 0
	}
}

func (h *hider) value(field, value) {}

func (h *hider) present(f field, yes bool) {
	switch f {
	case hideUsage:
		h.used = yes
	case hideError:
		h.pass = h.pass || yes
	}
}
