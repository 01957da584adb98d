// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
)

// provider answers every request with the recorded response: status, headers,
// bytes and, for streams, one flushed piece per event.
type provider struct {
	response recordedResponse
	body     []byte

	mu       sync.Mutex
	requests []receivedRequest
}

// receivedRequest is what reached the provider through the transport under test.
type receivedRequest struct {
	method, uri, host string
	header            http.Header
	body              []byte
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client is gone; there is nobody to answer
	}
	p.mu.Lock()
	p.requests = append(p.requests, receivedRequest{method: r.Method, uri: r.RequestURI, host: r.Host, header: r.Header, body: body})
	p.mu.Unlock()

	// nil values keep net/http from adding what was not recorded.
	w.Header()["Date"] = nil
	w.Header()["Content-Type"] = nil
	for name, value := range p.response.Headers {
		if !perConnection(name) {
			w.Header().Set(name, value)
		}
	}
	w.WriteHeader(p.response.Status)
	pieces, chunked := p.pieces()
	for _, piece := range pieces {
		if _, err := w.Write(piece); err != nil {
			panic(http.ErrAbortHandler)
		}
		if chunked {
			if err := http.NewResponseController(w).Flush(); err != nil {
				panic(http.ErrAbortHandler)
			}
		}
	}
	if p.cut(pieces) {
		panic(http.ErrAbortHandler) // closes the connection without an end
	}
}

// received returns the requests so far.
func (p *provider) received() []receivedRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]receivedRequest(nil), p.requests...)
}

// perConnection says whether a recorded header belongs to the recorded
// connection and is for net/http to set on this one.
func perConnection(name string) bool {
	switch strings.ToLower(name) {
	case "transfer-encoding", "connection", "keep-alive", "content-length":
		return true
	default:
		return false
	}
}

// framing is how a stream separates its events.
type framing int

const (
	notStreamed framing = iota
	sse                 // server-sent events: a blank line
	ndjson              // one JSON document per line
	eventStream         // AWS binary frames
	opaque              // streamed, but not to be looked into
)

const (
	opaquePiece = 256 // bytes per piece where events cannot be seen
	frameLength = 4   // bytes of a frame's leading total length
)

func (p *provider) framing() framing {
	headers := header(p.response.Headers)
	contentType, _, _ := mime.ParseMediaType(headers.Get("Content-Type")) // unreadable is unknown
	found := notStreamed
	switch contentType {
	case "text/event-stream":
		found = sse
	case "application/x-ndjson", "application/stream+json", "application/jsonl":
		found = ndjson
	case "application/vnd.amazon.eventstream":
		found = eventStream
	case "":
		// Some recordings lost their headers; the bytes speak for themselves.
		if bytes.HasPrefix(p.body, []byte("data:")) || bytes.HasPrefix(p.body, []byte("event:")) {
			found = sse
		}
	}
	if found == notStreamed && headers.Get("Transfer-Encoding") == "chunked" {
		return opaque
	}
	if found != notStreamed && headers.Get("Content-Encoding") != "" {
		return opaque
	}
	return found
}

// pieces cuts the body into what is written and flushed at once, and says
// whether it is flushed at all or goes out with a length.
func (p *provider) pieces() ([][]byte, bool) {
	switch p.framing() {
	case sse:
		return cutWith(p.body, endOfEvent), true
	case ndjson:
		return cutWith(p.body, func(b []byte) int { return bytes.IndexByte(b, '\n') + 1 }), true
	case eventStream:
		return cutWith(p.body, endOfFrame), true
	case opaque:
		return cutWith(p.body, func(b []byte) int { return min(len(b), opaquePiece) }), true
	default:
		return [][]byte{p.body}, false
	}
}

// cutWith cuts body where end says that its first piece ends; 0 means that
// there is no end and the rest is one piece.
func cutWith(body []byte, end func([]byte) int) [][]byte {
	var pieces [][]byte
	for len(body) > 0 {
		n := end(body)
		if n <= 0 || n > len(body) {
			n = len(body)
		}
		pieces = append(pieces, body[:n:n])
		body = body[n:]
	}
	return pieces
}

// endOfEvent finds the end of the first server-sent event.
func endOfEvent(b []byte) int {
	end := 0
	for _, blank := range []string{"\n\n", "\r\n\r\n", "\r\r"} {
		if i := bytes.Index(b, []byte(blank)); i >= 0 && (end == 0 || i+len(blank) < end) {
			end = i + len(blank)
		}
	}
	return end
}

// endOfFrame finds the end of the first AWS frame, which begins with its length.
func endOfFrame(b []byte) int {
	if len(b) < frameLength {
		return 0
	}
	return int(binary.BigEndian.Uint32(b))
}

// cut says whether the recorded stream stops in the middle of an event: then the
// connection broke, and it breaks here too. The last event of an intact stream
// may lack its blank line, but not a part of its JSON.
func (p *provider) cut(pieces [][]byte) bool {
	if len(pieces) == 0 {
		return false
	}
	last := pieces[len(pieces)-1]
	switch p.framing() {
	case sse:
		if endOfEvent(last) > 0 {
			return false
		}
		return !wholeLine(last)
	case ndjson:
		return len(bytes.TrimSpace(last)) > 0 && !json.Valid(last)
	case eventStream:
		return len(last) < frameLength || endOfFrame(last) > len(last)
	default:
		return false
	}
}

// wholeLine says whether the last line of an event without its blank line is one
// that a provider would have written: a comment, a field that is not data, data
// that is JSON, or the end marker.
func wholeLine(event []byte) bool {
	lines := bytes.FieldsFunc(event, func(r rune) bool { return r == '\n' || r == '\r' })
	if len(lines) == 0 {
		return true
	}
	field, value, found := bytes.Cut(lines[len(lines)-1], []byte(":"))
	if !found {
		return false
	}
	if !bytes.Equal(field, []byte("data")) {
		return true
	}
	value = bytes.TrimSpace(value)
	return json.Valid(value) || bytes.Equal(value, []byte("[DONE]"))
}
