// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"

	"go.opentelemetry.io/otel/attribute"

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
	reader requestReader
	scan   *scanner
	// read says that all of the body was seen before the request is sent.
	read bool
	// body is what to send in place of the request's own, or nil.
	body io.ReadCloser
	// fresh is one more copy of a body of which a copy was read, or nil.
	fresh io.ReadCloser
}

func newQuestion(f format) *question {
	q := &question{reader: f.request()}
	q.scan = newScanner(q.reader.wanted(), q.reader)
	if a, ok := q.reader.(asker); ok {
		a.scanWith(q.scan)
	}
	return q
}

// peek finds out what a request asks for. A body that can be had a second time
// is read through; a small one of known length is read and kept. All else is
// read along as it is sent (see along), which comes too late for the beginning of
// the span but costs nothing.
func peek(req *http.Request, f format) *question {
	q := newQuestion(f)
	switch {
	case req.Body == nil || req.Body == http.NoBody || req.Header.Get("Content-Encoding") != "":
		q.read = true
	case req.GetBody != nil:
		if !q.readCopy(req) {
			return newQuestion(f)
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

// params returns what the request asks for, as far as it is known.
func (q *question) params() *requestParams { return q.reader.params() }

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
	mu     sync.Mutex
	q      *question
	peeked int64
	told   bool
}

// Read implements io.Reader.
func (b *readingAlong) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 && n <= len(p) {
		b.mu.Lock()
		if b.peeked += int64(n); !b.told && b.peeked <= maxPeeked {
			b.q.scan.write(p[:n])
		}
		b.mu.Unlock()
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
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.told {
		return
	}
	b.told = true
	b.q.scan.end()
	p := b.q.params()
	b.call.SetModel(b.target.api.operation, p.model)
	attributes := p.attributes(nil, &b.target)
	if p.stream {
		attributes = append(attributes, semconv.GenAIRequestStreamKey.Bool(true))
	}
	b.call.SetAttributes(attributes...)
}

// attributes appends what the request asks for, in the words of the conventions.
// Prompts and users are not among it.
func (p *requestParams) attributes(to []attribute.KeyValue, t *target) []attribute.KeyValue {
	integer := func(key attribute.Key, n *int64) {
		if n != nil {
			to = append(to, key.Int64(*n))
		}
	}
	decimal := func(key attribute.Key, f *float64) {
		if f != nil {
			to = append(to, key.Float64(*f))
		}
	}
	text := func(key attribute.Key, s string) {
		if s != "" {
			to = append(to, key.String(s))
		}
	}
	if p.choices != nil && *p.choices != 1 {
		integer(semconv.GenAIRequestChoiceCountKey, p.choices)
	}
	integer(semconv.GenAIRequestMaxTokensKey, p.maxTokens)
	integer(semconv.GenAIRequestSeedKey, p.seed)
	integer(semconv.GenAIEmbeddingsDimensionCountKey, p.dimensions)
	decimal(semconv.GenAIRequestTemperatureKey, p.temperature)
	decimal(semconv.GenAIRequestTopPKey, p.topP)
	decimal(semconv.GenAIRequestFrequencyPenaltyKey, p.frequencyPenalty)
	decimal(semconv.GenAIRequestPresencePenaltyKey, p.presencePenalty)
	if len(p.stop) > 0 {
		to = append(to, semconv.GenAIRequestStopSequencesKey.StringSlice(p.stop))
	}
	if p.encoding != "" {
		to = append(to, semconv.GenAIRequestEncodingFormatsKey.StringSlice([]string{p.encoding}))
	}
	text(semconv.OpenAIRequestServiceTierKey, p.serviceTier)
	text(semconv.GenAIRequestReasoningLevelKey, p.effort)
	text(semconv.ReveniumModelSourceKey, t.source)
	if t.api.apiType != "" && (t.provider == providerOpenAI || t.provider == providerAzureOpenAI) {
		text(semconv.OpenAIAPITypeKey, t.api.apiType)
	}
	return to
}
