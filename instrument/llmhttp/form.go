// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// formScanner finds what is wanted in a form (multipart/form-data) as it passes.
// Files are skipped, not held.
type formScanner struct {
	reader   *requestReader
	boundary string      // "" if it is no form, or over
	parts    *pushReader // nil before the first byte
}

// newFormScanner returns a scanner of a form of the given Content-Type that looks
// for the members of reader's table.
func newFormScanner(contentType string, reader *requestReader) *formScanner {
	f := &formScanner{reader: reader}
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		f.boundary = params["boundary"]
	}
	return f
}

func (f *formScanner) write(p []byte) {
	if f.boundary == "" {
		return
	}
	if f.parts == nil {
		f.parts = newPushReader(f.read)
	}
	f.parts.write(p)
}

func (f *formScanner) end() {
	f.boundary = ""
	if f.parts != nil {
		f.parts.end()
		f.parts = nil
	}
}

// read reads the parts of the form.
func (f *formScanner) read(body io.Reader) {
	parts := multipart.NewReader(body, f.boundary)
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return
		}
		f.reader.part(part)
	}
}

// part takes one part of a form.
func (r *requestReader) part(part *multipart.Part) {
	n := r.table.wanted.member([]byte(strings.TrimSuffix(part.FormName(), "[]")))
	if n == nil || n.field == 0 {
		return
	}
	if n.presence || part.FileName() != "" {
		r.present(n.field, true)
		return
	}
	text, err := io.ReadAll(io.LimitReader(part, maxScalar+1))
	if err != nil {
		return // cut; what it would have said is not known
	}
	v := value{kind: stringValue, raw: text, long: len(text) > maxScalar}
	switch {
	case v.long || len(text) == 0:
	case string(text) == "true", string(text) == "false":
		v.kind = boolValue
	case isLiteral(text[0]) && validLiteral(text):
		v.kind = literalKind(text[0])
	}
	r.value(n.field, v)
}
