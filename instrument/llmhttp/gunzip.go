// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"compress/gzip"
	"io"
	"iter"
)

// maxInflated bounds what a compressed body is unpacked to, so that a few bytes
// cannot cost hours.
const maxInflated = 1 << 30

// gunzip unpacks a gzip body that is pushed into it piece by piece. What a piece
// completes comes out before write returns, so that events flushed by the server
// are seen in time. The standard decoder, which pulls, runs as a coroutine that
// is resumed for each piece: nothing runs in between, nothing waits, and close
// ends it.
type gunzip struct {
	out  func([]byte)
	in   []byte
	eof  bool
	next func() (struct{}, bool)
	stop func()
	wait func(struct{}) bool // within the coroutine: gives control back
}

// newGunzip returns a decoder that hands what it unpacks to out.
func newGunzip(out func([]byte)) *gunzip {
	g := &gunzip{out: out}
	g.next, g.stop = iter.Pull(g.run)
	return g
}

// write unpacks the next piece.
func (g *gunzip) write(p []byte) {
	g.in = p
	g.next()
	g.in = nil
}

// end tells that the body is over, and close that no more of it is wanted. Both
// end the coroutine.
func (g *gunzip) end() {
	g.eof = true
	g.next()
	g.stop()
}

func (g *gunzip) close() { g.stop() }

// run is the coroutine. A body that is no gzip, or is cut, ends it early.
func (g *gunzip) run(wait func(struct{}) bool) {
	g.wait = wait
	reader, err := gzip.NewReader(g)
	if err != nil {
		return
	}
	buf := make([]byte, 8<<10)
	for total := 0; total < maxInflated; {
		n, err := reader.Read(buf)
		if n > 0 {
			g.out(buf[:n])
			total += n
		}
		if err != nil {
			return
		}
	}
}

// Read implements io.Reader for the decoder: it waits for the next piece.
func (g *gunzip) Read(p []byte) (int, error) {
	for len(g.in) == 0 {
		if g.eof || !g.wait(struct{}{}) {
			return 0, io.EOF
		}
	}
	n := copy(p, g.in)
	g.in = g.in[n:]
	return n, nil
}
