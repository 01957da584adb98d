// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"encoding/base64"
	"encoding/binary"
)

// A frameSink receives the frames of an AWS event stream. The payload of a frame
// comes in pieces as it passes.
type frameSink interface {
	payload(p []byte)
	// endFrame ends the current frame, which is valid during the call alone.
	endFrame(f *eventFrame)
}

// eventFrame is what the headers of a frame say.
type eventFrame struct {
	event     []byte // its :event-type
	exception []byte // its :exception-type or :error-code
}

// Sizes of application/vnd.amazon.eventstream, in bytes. A frame is a prelude
// (total length, length of the headers, checksum), headers, payload, checksum.
const (
	preludeSize   = 12
	checksumSize  = 4
	maxFrame      = 24 << 20 // by the specification
	maxHeaders    = 128 << 10
	maxHeaderKept = 1 << 10 // of the headers, which are some 100 bytes
)

// frameReader takes an AWS event stream apart as it passes. It needs no
// checksums: it reads along, and whoever reads the stream checks them. Where the
// lengths make no sense it stops.
type frameReader struct {
	sink  frameSink
	state frameState
	buf   []byte // prelude or headers, as far as they have come
	left  int    // bytes of the current part that have not come
	body  int    // bytes of payload behind the headers
	frame eventFrame
}

type frameState uint8

const (
	inPrelude frameState = iota
	inHeaders
	inPayload
	inChecksum
	framesBroken
)

func newFrameReader(sink frameSink) *frameReader {
	return &frameReader{sink: sink, buf: make([]byte, 0, 256), left: preludeSize}
}

// write reads the next piece of the stream.
func (r *frameReader) write(p []byte) {
	for len(p) > 0 && r.state != framesBroken {
		n := min(r.left, len(p))
		r.part(p[:n])
		p = p[n:]
		r.left -= n
		for r.left == 0 && r.state != framesBroken {
			r.next()
		}
	}
}

// part takes bytes of the current part of a frame.
func (r *frameReader) part(p []byte) {
	switch r.state {
	case inPrelude:
		r.buf = append(r.buf, p...)
	case inHeaders:
		r.buf = append(r.buf, p[:min(len(p), maxHeaderKept-len(r.buf))]...)
	case inPayload:
		r.sink.payload(p)
	}
}

// next is where one part has ended and another one begins.
func (r *frameReader) next() {
	switch r.state {
	case inPrelude:
		total, headers := binary.BigEndian.Uint32(r.buf), binary.BigEndian.Uint32(r.buf[4:])
		r.buf = r.buf[:0]
		if total > maxFrame || headers > maxHeaders || total < headers+preludeSize+checksumSize {
			r.state = framesBroken
			return
		}
		r.left, r.body = int(headers), int(total-headers)-preludeSize-checksumSize
		r.state = inHeaders
	case inHeaders:
		r.frame.read(r.buf)
		r.left, r.state = r.body, inPayload
	case inPayload:
		r.left, r.state = checksumSize, inChecksum
	default:
		r.sink.endFrame(&r.frame)
		r.buf, r.left, r.state = r.buf[:0], preludeSize, inPrelude
	}
}

const headerString = 7 // the type of a header's value

// headerSizes are the sizes of the other types of values, by type; -1 is for a
// size of two bytes in front of the value.
var headerSizes = [...]int{0, 0, 1, 2, 4, 8, -1, -1, 8, 16}

// read reads the headers of a frame: name, type and value of each.
func (f *eventFrame) read(headers []byte) {
	f.event, f.exception = f.event[:0], f.exception[:0]
	for len(headers) > 0 {
		size := int(headers[0])
		if len(headers) < size+2 {
			return
		}
		name, kind := headers[1:1+size], int(headers[1+size])
		headers = headers[size+2:]
		if kind >= len(headerSizes) {
			return
		}
		if size = headerSizes[kind]; size < 0 {
			if len(headers) < 2 {
				return
			}
			size = int(binary.BigEndian.Uint16(headers))
			headers = headers[2:]
		}
		if len(headers) < size {
			return
		}
		if kind == headerString {
			f.header(name, headers[:size])
		}
		headers = headers[size:]
	}
}

func (f *eventFrame) header(name, value []byte) {
	switch string(name) {
	case ":event-type":
		f.event = append(f.event, value...)
	case ":exception-type", ":error-code":
		f.exception = append(f.exception, value...)
	}
}

// chunkReader finds the Base64 in documents of the form {"bytes":"..."} and hands
// on what it stands for.
type chunkReader struct {
	outer   *scanner
	inner   func(p []byte)
	in      []byte // characters that make no group of four yet
	over    bool   // no more of the Base64 counts
	out     [768]byte
	decoded int // bytes of out
}

const rspBytes field = 1

var chunkTree = newTree([]want{{path: "bytes", field: rspBytes, pieces: true}})

func newChunkReader(inner func(p []byte)) *chunkReader {
	c := &chunkReader{inner: inner, in: make([]byte, 0, 1024)}
	c.outer = newScanner(chunkTree, c)
	return c
}

func (c *chunkReader) write(p []byte) { c.outer.write(p) }

// end ends the document.
func (c *chunkReader) end() {
	c.outer.reset()
	c.in, c.over = c.in[:0], false
}

// piece implements pieceSink.
func (c *chunkReader) piece(_ field, p []byte) {
	for len(p) > 0 && !c.over {
		n := min(len(p), cap(c.in)-len(c.in))
		c.in = append(c.in, p[:n]...)
		p = p[n:]
		groups := len(c.in) &^ 3
		for at := 0; at < groups && !c.over; at += 4 {
			c.group(c.in[at : at+4])
		}
		c.inner(c.out[:c.decoded])
		c.decoded = 0
		c.in = append(c.in[:0], c.in[groups:]...)
	}
}

// group decodes four characters. Where they are no Base64, the document within
// will not be complete.
func (c *chunkReader) group(four []byte) {
	n, err := base64.StdEncoding.Decode(c.out[c.decoded:], four)
	c.over = err != nil || n < 3 // padding ends it
	if err == nil {
		c.decoded += n
	}
}

// The rest implements sink.

func (c *chunkReader) open(field)          {}
func (c *chunkReader) close(field)         {}
func (c *chunkReader) value(field, value)  {}
func (c *chunkReader) present(field, bool) {}
