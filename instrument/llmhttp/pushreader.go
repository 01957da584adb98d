// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"io"
	"iter"
)

// pushReader lets a decoder that pulls read what is pushed piece by piece. The
// decoder runs as a coroutine that is resumed for each piece: nothing runs in
// between, nothing waits, and close ends it.
type pushReader struct {
	in   []byte
	eof  bool
	next func() (struct{}, bool)
	stop func()
	wait func(struct{}) bool // within the coroutine: gives control back
}

// newPushReader returns a reader of what decode reads from its argument.
func newPushReader(decode func(io.Reader)) *pushReader {
	r := &pushReader{}
	r.next, r.stop = iter.Pull(func(wait func(struct{}) bool) {
		r.wait = wait
		decode(r)
	})
	return r
}

// write has the next piece read.
func (r *pushReader) write(p []byte) {
	r.in = p
	r.next()
	r.in = nil
}

// end tells that there is no more, and close that no more is wanted. Both end the
// coroutine.
func (r *pushReader) end() {
	r.eof = true
	r.next()
	r.stop()
}

func (r *pushReader) close() { r.stop() }

// Read implements io.Reader for the decoder: it waits for the next piece.
func (r *pushReader) Read(p []byte) (int, error) {
	for len(r.in) == 0 {
		if r.eof || !r.wait(struct{}{}) {
			return 0, io.EOF
		}
	}
	n := copy(p, r.in)
	r.in = r.in[n:]
	return n, nil
}
