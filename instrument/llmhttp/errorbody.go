// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// maxErrorBody bounds what is read of the body of an error answer.
	maxErrorBody = 8 << 10
	// maxErrorWait bounds how long the answer is kept from the caller for it.
	// Servers send such a body together with its headers.
	maxErrorWait = 250 * time.Millisecond
)

// errorBody is the body of an error answer whose beginning is read ahead, since
// clients that try again close it unread. The caller gets all of it.
type errorBody struct {
	source io.ReadCloser
	ready  chan struct{} // closed when head and err are there
	head   []byte
	err    error // that ended the reading ahead, nil if there is more to read
	read   int
}

// readAhead begins reading body's beginning and waits a moment for it. The
// reading ends with the body: at the latest when the caller closes it.
func readAhead(source io.ReadCloser) *errorBody {
	b := &errorBody{source: source, ready: make(chan struct{})}
	go func() {
		defer close(b.ready)
		head := make([]byte, maxErrorBody)
		n := 0
		for n < len(head) && b.err == nil {
			var read int
			read, b.err = source.Read(head[n:])
			n += read
		}
		b.head = head[:n]
	}()
	timer := time.NewTimer(maxErrorWait)
	defer timer.Stop()
	select {
	case <-b.ready:
	case <-timer.C:
	}
	return b
}

// beginning returns what was read in time.
func (b *errorBody) beginning() []byte {
	select {
	case <-b.ready:
		return b.head
	default:
		return nil
	}
}

// Read implements io.Reader.
func (b *errorBody) Read(p []byte) (int, error) {
	<-b.ready
	if b.read < len(b.head) {
		n := copy(p, b.head[b.read:])
		b.read += n
		return n, nil
	}
	if b.err != nil {
		return 0, b.err
	}
	return b.source.Read(p)
}

// Close implements io.Closer.
func (b *errorBody) Close() error { return b.source.Close() }

// hasErrorBody says whether an error answer may hold a provider's words: HTML
// of some intermediary does not.
func hasErrorBody(resp *http.Response) bool {
	if resp.Body == nil || resp.Body == http.NoBody || resp.ContentLength == 0 {
		return false
	}
	contentType := strings.ToLower(resp.Header.Get("Content-Type"))
	return contentType == "" || strings.Contains(contentType, "json") || strings.HasPrefix(contentType, "text/plain") ||
		strings.HasPrefix(contentType, "text/event-stream")
}

// readError returns what the beginning of an error answer's body says, or nil.
func readError(reader *replyReader, body []byte, encoding string) *failure {
	a := newAnswer(reader)
	switch encoding {
	case "", "identity":
		a.write(body)
		a.end()
	case "gzip", "x-gzip":
		if !bytes.HasPrefix(body, gzipMagic) {
			return nil
		}
		unpack := newGunzip(a.write)
		unpack.write(body)
		unpack.end()
		a.end()
	}
	return reader.res.failure
}
