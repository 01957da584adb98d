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
	parts *pushReader // nil if it is no form
}

// newFormScanner returns a scanner of a form of the given Content-Type that looks
// for the members of reader's table.
func newFormScanner(contentType string, reader *requestReader) *formScanner {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return &formScanner{}
	}
	return &formScanner{parts: newPushReader(func(body io.Reader) {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			part, err := parts.NextRawPart()
			if err != nil {
				return
			}
			reader.part(part)
		}
	})}
}

func (f *formScanner) write(p []byte) {
	if f.parts != nil {
		f.parts.write(p)
	}
}

func (f *formScanner) end() {
	if f.parts != nil {
		f.parts.end()
		f.parts = nil
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
