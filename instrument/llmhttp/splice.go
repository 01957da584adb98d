// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"io"
	"net/http"
	"strings"
)

// A splice is the one change that is made to a request's body: text put in at an
// offset, in place of a number of bytes.
type splice struct {
	offset  int64
	replace int64
	text    string
}

// growth is by how much the body gets longer.
func (s splice) growth() int64 { return int64(len(s.text)) - s.replace }

// apply returns body with the splice made. The body is not held: it is changed
// as it is read.
func (s splice) apply(body io.ReadCloser) io.ReadCloser {
	return splicedBody{
		Reader: io.MultiReader(
			io.LimitReader(body, s.offset),
			strings.NewReader(s.text),
			&skippingReader{reader: body, skip: s.replace},
		),
		Closer: body,
	}
}

type splicedBody struct {
	io.Reader
	io.Closer
}

// skippingReader leaves out the first bytes of a reader.
type skippingReader struct {
	reader io.Reader
	skip   int64
}

// Read implements io.Reader.
func (r *skippingReader) Read(p []byte) (int, error) {
	if r.skip > 0 {
		n, err := io.CopyN(io.Discard, r.reader, r.skip)
		r.skip -= n
		if err != nil {
			return 0, err
		}
	}
	return r.reader.Read(p)
}

// streamOptions notes, while a request is scanned, where
// stream_options.include_usage would go.
type streamOptions struct {
	scan *scanner // nil: it is no JSON

	streams  int   // members "stream"
	stop     int64 // offset behind the value of "stream"
	yes      bool  // its value
	options  int   // members "stream_options"
	inside   int64 // offset behind the brace of its value
	isObject bool
	members  int
	isNull   bool
	null     int64 // offset behind that value
	explicit bool  // include_usage is there, whatever its value
}

const (
	includeUsageMember  = `"include_usage":true`
	streamOptionsObject = "{" + includeUsageMember + "}"
	streamOptionsMember = `,"stream_options":` + streamOptionsObject
)

func (o *streamOptions) stream(yes bool) {
	o.streams++
	o.yes, o.stop = yes, o.scan.offset()
}

func (o *streamOptions) begin() {
	o.options++
	o.isObject, o.inside = !o.scan.inArray(), o.scan.offset()+1
}

func (o *streamOptions) end() { o.members = o.scan.members }

// value takes a value of stream_options that is no object.
func (o *streamOptions) value(v value) {
	o.options++
	o.isNull, o.null = v.kind == nullValue, o.scan.offset()
}

// askForUsage returns how to ask for the usage of a stream, and false where the
// request is no stream or its caller has said what they want.
func (o *streamOptions) askForUsage() (splice, bool) {
	switch {
	case o.scan == nil, !o.scan.complete(), o.streams != 1, !o.yes, o.options > 1, o.explicit:
		return splice{}, false
	case o.options == 0:
		return splice{offset: o.stop, text: streamOptionsMember}, true
	case o.isNull:
		return splice{offset: o.null - int64(len("null")), replace: int64(len("null")), text: streamOptionsObject}, true
	case o.isObject && o.members == 0:
		return splice{offset: o.inside, text: includeUsageMember}, true
	case o.isObject:
		return splice{offset: o.inside, text: includeUsageMember + ","}, true
	default:
		return splice{}, false
	}
}

// signedHeaders are headers of requests that are signed over their body, or say
// what is in it.
var signedHeaders = [...]string{
	"X-Amz-Content-Sha256", "X-Amz-Date", "X-Amz-Security-Token",
	"Signature", "Signature-Input", "Content-Digest", "Repr-Digest", "Digest", "Content-Md5",
}

// isSigned says that a request's body must not change.
func isSigned(h http.Header) bool {
	for _, name := range signedHeaders {
		if h.Get(name) != "" {
			return true
		}
	}
	return strings.HasPrefix(h.Get("Authorization"), "AWS4-")
}
