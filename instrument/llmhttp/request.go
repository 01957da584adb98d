// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"runtime"
	"sync"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/semconv"
)

const (
	// maxBuffered bounds a request body that is read before it is sent, since it
	// cannot be had twice.
	maxBuffered = 256 << 10
	// maxPeeked bounds how much of a body is read along for its parameters. It is
	// not held; the bound is on time.
	maxPeeked = 256 << 20
	// maxPeekBuffer is the size of its pieces.
	maxPeekBuffer = 8 << 10
)

// question is what is known of a request's body.
type question struct {
	mu     sync.Mutex // of a body that is read while it is sent
	reader requestReader
	scan   bodyScanner
	// read says that all of the body was seen before the request is sent.
	read bool
	// body is what to send in place of the request's own, or nil.
	body io.ReadCloser
	// said is what is asked, nil unless capture is on.
	said *conversation
	// fresh is one more copy of a body of which a copy was read, or nil.
	fresh io.ReadCloser
}

// A bodyScanner finds what is wanted in a request's body as it passes.
type bodyScanner interface {
	write(p []byte)
	// end tells that no more of the body comes.
	end()
}

func newQuestion(req *http.Request, t *target, c *capture, free *scanners) *question {
	q := &question{reader: requestReader{table: t.api.request}}
	q.reader.p.stream = t.api.streams || t.api.streamsUnlessTold ||
		t.api.retrieves && req.URL.Query().Get("stream") == "true" // there is no body to say so
	if t.api.form && isForm(req.Header) {
		q.scan = newFormScanner(req.Header.Get("Content-Type"), &q.reader)
		return q
	}
	scan := free.take(t.api.request.wanted, &q.reader)
	q.reader.options.scan = scan
	q.scan = scan
	q.listen(c, t.api.request.content)
	return q
}

// peek finds out what a request asks for. A body that can be had a second time
// is read through; a small one of known length is read and kept. All else is
// read along as it is sent (see along), which comes too late for the beginning of
// the span but costs nothing.
func peek(req *http.Request, t *target, transport *Transport) *question {
	q := newQuestion(req, t, &transport.capture, &transport.reused.scanners)
	switch {
	case req.Body == nil || req.Body == http.NoBody || req.Header.Get("Content-Encoding") != "":
		q.read = true
	case req.GetBody != nil:
		if !q.readCopy(req) {
			q.scan.end()
			return newQuestion(req, t, &transport.capture, &transport.reused.scanners)
		}
	case req.ContentLength > 0 && req.ContentLength <= maxBuffered && req.Header.Get("Expect") == "":
		q.readAll(req.Body, req.ContentLength)
	}
	return q
}

// readCopy reads a copy of the body. It returns false if there was none to be
// had, which is for the base transport to report, should it need one.
func (q *question) readCopy(req *http.Request) bool {
	body, err := req.GetBody()
	if err != nil {
		return false
	}
	size := int64(maxPeekBuffer)
	if req.ContentLength > 0 {
		size = min(size, req.ContentLength+1) // one more, so that the end shows
	}
	buf := make([]byte, size)
	n := 0
	for peeked := 0; err == nil && peeked < maxPeeked; peeked += n {
		n, err = body.Read(buf)
		q.scan.write(buf[:n])
	}
	q.scan.end()
	q.read = err == nil || errors.Is(err, io.EOF)
	closeBody(body)
	if q.read {
		// There are clients (Anthropic's for Bedrock and Vertex AI) whose copies share
		// one reader with the body itself, which is at its end now. Asking for another
		// copy sets it back.
		if again, err := req.GetBody(); err == nil {
			q.fresh = again
		}
	}
	return q.read
}

// release gives back what read the body, if that is over.
func (q *question) release(to *scanners) {
	if scan, ok := q.scan.(*scanner); ok && q.read {
		q.scan, q.reader.options.scan = nil, nil
		to.give(scan)
	}
}

// toSend returns the body to send instead of the request's own, or nil.
func (q *question) toSend(own io.ReadCloser) io.ReadCloser {
	if q.fresh != nil {
		return readCloser{Reader: q.fresh, Closer: closers{q.fresh, own}}
	}
	return q.body
}

type closers []io.Closer

// Close implements io.Closer.
func (c closers) Close() error {
	var errs []error
	for _, one := range c {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// readAll reads the body and puts one in its place that is the same, errors
// included.
func (q *question) readAll(body io.ReadCloser, length int64) {
	var buf bytes.Buffer
	buf.Grow(int(length) + bytes.MinRead)
	_, err := buf.ReadFrom(io.LimitReader(body, length+1))
	q.scan.write(buf.Bytes())
	q.scan.end()
	q.read = err == nil
	var rest io.Reader = body
	if err != nil {
		rest = failingReader{err}
	}
	q.body = readCloser{Reader: io.MultiReader(bytes.NewReader(buf.Bytes()), rest), Closer: body}
}

// params returns what the request asks for, as far as it is known. It is for use
// before the request is sent.
func (q *question) params() *requestParams { return &q.reader.p }

// asked is params for use at any time.
func (q *question) asked() requestParams {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.reader.p
}

// plausible says that the body has what a request of this kind cannot do without;
// it tells calls from requests that only share their path.
func (q *question) plausible(t *target) bool {
	p := q.params()
	model := p.model != "" || t.found != ""
	if t.api.checked {
		return model && p.input
	}
	return model || p.input
}

type failingReader struct{ err error }

// Read implements io.Reader.
func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

type readCloser struct {
	io.Reader
	io.Closer
}

// readingAlong is a request body that is scanned while it is sent.
type readingAlong struct {
	io.ReadCloser
	target target
	call   *instrument.Call
	q      *question
	peeked int64
	told   bool
}

func newReadingAlong(body io.ReadCloser, t target, call *instrument.Call, q *question) *readingAlong {
	b := &readingAlong{ReadCloser: body, target: t, call: call, q: q}
	// Whoever throws the body away unread must not leave the scanner behind.
	runtime.AddCleanup(b, func(q *question) { q.end() }, q)
	return b
}

// end tells the scanner that no more of the body comes.
func (q *question) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.scan.end()
}

// Read implements io.Reader.
func (b *readingAlong) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 && n <= len(p) {
		b.q.mu.Lock()
		if b.peeked += int64(n); !b.told && b.peeked <= maxPeeked {
			b.q.scan.write(p[:n])
		}
		b.q.mu.Unlock()
	}
	if errors.Is(err, io.EOF) {
		b.tell()
	}
	return n, err
}

// Close implements io.Closer.
func (b *readingAlong) Close() error {
	b.tell()
	return b.ReadCloser.Close()
}

// tell puts on the span what came too late for its beginning.
func (b *readingAlong) tell() {
	b.q.mu.Lock()
	defer b.q.mu.Unlock()
	if b.told {
		return
	}
	b.told = true
	b.q.scan.end()
	p := b.q.params()
	b.call.SetModel(b.target.spanOperation(), p.model)
	attributes := p.attributes(nil, &b.target)
	if p.stream {
		attributes = append(attributes, semconv.GenAIRequestStreamKey.Bool(true))
	}
	b.call.SetAttributes(attributes...)
}
