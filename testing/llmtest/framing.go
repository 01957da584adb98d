// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import "slices"

// framing is how the events of a stream lie on the wire.
type framing struct {
	contentType string
	// frame writes the n-th event, from 0.
	frame func(st Stream, e event, n int) []byte
	// comments says that there are comments, which clients ignore.
	comments bool
}

// sseFraming is that of server-sent events.
var sseFraming = framing{contentType: "text/event-stream; charset=utf-8", frame: sseFrame, comments: true}

// bareSSEFraming is the same with the content type as Cohere has it.
var bareSSEFraming = framing{contentType: "text/event-stream", frame: sseFrame, comments: true}

// googleFraming is that of Google's server-sent events, whose lines end in \r\n.
var googleFraming = framing{contentType: "text/event-stream", comments: true, frame: func(st Stream, e event, n int) []byte {
	st.CRLF = true
	return sseFrame(st, e, n)
}}

// newline is what ends a line of the stream.
func (st Stream) newline() string {
	if st.CRLF {
		return "\r\n"
	}
	return "\n"
}

func sseFrame(st Stream, e event, _ int) []byte {
	nl := st.newline()
	b := make([]byte, 0, len(e.name)+len(e.data)+24)
	if e.name != "" {
		b = append(append(append(b, "event: "...), e.name...), nl...)
	}
	b = append(append(b, "data: "...), e.data...)
	return append(append(b, nl...), nl...)
}

// comment is a line that keeps idle connections open.
func (st Stream) comment() []byte { return []byte(": keep-alive" + st.newline() + st.newline()) }

// linesFraming has a JSON document on each line.
func linesFraming(contentType string) framing {
	return framing{contentType: contentType, frame: func(st Stream, e event, _ int) []byte {
		return append(slices.Clip(e.data), st.newline()...)
	}}
}

// arrayFraming is a JSON array that is sent one element at a time. Its end is an event without data.
var arrayFraming = framing{contentType: "application/json; charset=UTF-8", frame: func(_ Stream, e event, n int) []byte {
	var b []byte
	switch {
	case n == 0:
		b = append(b, '[')
	case len(e.data) > 0:
		b = append(b, ",\r\n"...)
	}
	if len(e.data) == 0 {
		return append(b, ']')
	}
	return append(b, e.data...)
}}
