// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"io"
	"runtime"
)

// body is the body of an answer as the caller reads it: the bytes of the server,
// passed on as they come, with a recorder watching.
type body struct {
	source   io.ReadCloser
	recorder *recorder

	// hider is nil unless usage was asked for that the caller must not see. Then
	// rest from restAt on are bytes that were passed on by it but did not fit the
	// caller's buffer, and err is the error that comes behind them.
	hider  *hider
	rest   []byte
	restAt int
	err    error
}

func newBody(source io.ReadCloser, r *recorder, h *hider) *body {
	b := &body{source: source, recorder: r, hider: h}
	runtime.AddCleanup(b, func(r *recorder) { r.finish(endedByNobody, nil) }, r)
	return b
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.hider != nil {
		return b.readHiding(p)
	}
	n, err := b.source.Read(p)
	b.observe(p, n, err)
	return n, err
}

func (b *body) observe(p []byte, n int, err error) {
	if n >= 0 && n <= len(p) { // a broken reader is the caller's to find out
		b.recorder.observe(p[:n], err)
	}
}

// readHiding reads until there is something that the caller may see.
func (b *body) readHiding(p []byte) (int, error) {
	for {
		if b.restAt < len(b.rest) {
			n := copy(p, b.rest[b.restAt:])
			b.restAt += n
			return n, nil
		}
		if b.err != nil || len(p) == 0 {
			return 0, b.err
		}
		n, err := b.source.Read(p)
		b.observe(p, n, err)
		out := b.hider.write(p[:n])
		if err != nil {
			b.err = err
			out = b.hider.end(out)
		}
		if n == 0 && len(out) == 0 && err == nil {
			return 0, nil // a reader that has nothing to say is not to be pressed
		}
		n = copy(p, out)
		b.rest, b.restAt = append(b.rest[:0], out[n:]...), 0
		if n > 0 {
			return n, nil
		}
	}
}

// Close implements io.Closer. Closing an answer before its end ends the call,
// unless all of it that matters was seen.
func (b *body) Close() error {
	b.recorder.finish(endedByClose, nil)
	return b.source.Close()
}
