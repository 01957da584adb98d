// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package preview

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// documents splits a stream into JSON documents: one, one per line, or several
// pretty-printed ones after another, as the Collector's file exporter, curl and
// people write them. It reads no further than the document that it hands out
// needs, so a pipe is previewed while it is written to.
type documents struct {
	lines *lineReader
	dec   *json.Decoder
	base  int64 // offset of dec's first byte in the stream
}

// syntaxError is a document that is not JSON.
type syntaxError struct {
	line int
	err  error
}

func (e *syntaxError) Error() string { return fmt.Sprintf("line %d: not JSON: %v", e.line, e.err) }

func (e *syntaxError) Unwrap() error { return e.err }

// newDocuments fails for what is compressed, which a person is likely to have.
func newDocuments(r io.Reader) (*documents, error) {
	br := bufio.NewReader(r)
	if head, err := br.Peek(2); err == nil && bytes.Equal(head, []byte("\x1f\x8b")) {
		return nil, errors.New("compressed with gzip: pipe it in, as in zcat FILE | revenium-otel preview")
	}
	lines := &lineReader{r: skipBOM(br)}
	return &documents{lines: lines, dec: json.NewDecoder(lines)}, nil
}

// next returns the next document and the line on which it starts. The error is
// io.EOF at the end of the stream, a *syntaxError for a broken document, after
// which next goes on with the document behind it, and the reader's own error
// otherwise.
func (d *documents) next() (json.RawMessage, int, error) {
	var doc json.RawMessage
	err := d.dec.Decode(&doc)
	if err == nil {
		line := d.lines.at(d.base + d.dec.InputOffset() - int64(len(doc)))
		return doc, line, nil
	}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		line := d.lines.at(d.base + syntax.Offset - 1)
		d.resume()
		return nil, line, &syntaxError{line: line, err: err}
	case errors.Is(err, io.ErrUnexpectedEOF):
		line := d.lines.at(d.base + d.dec.InputOffset() + leadingSpace(d.dec.Buffered()))
		d.dec = json.NewDecoder(bytes.NewReader(nil)) // nothing is left
		return nil, line, &syntaxError{line: line, err: errors.New("the document that starts here has no end")}
	default:
		return nil, 0, err
	}
}

// resume continues behind a broken document. Where it ends nobody knows; the
// next line that begins with a brace is taken for the next document, which holds
// for one document per line and for pretty-printed ones (only their first line
// has no indent).
func (d *documents) resume() {
	offset := d.base + d.dec.InputOffset()
	rest := bufio.NewReader(io.MultiReader(d.dec.Buffered(), d.lines))
	for inside := false; ; {
		head, err := rest.Peek(1)
		if err != nil || inside && head[0] == '{' {
			break // the reader's error, io.EOF too, comes again from the new decoder
		}
		n, blank, err := skipLine(rest)
		offset += n
		if err != nil {
			break
		}
		inside = inside || !blank // the space in front of a document belongs to it
	}
	d.base = offset
	d.dec = json.NewDecoder(rest)
}

// leadingSpace counts the white space in front of a document.
func leadingSpace(r io.Reader) int64 {
	br, n := bufio.NewReader(r), int64(0)
	for {
		switch b, err := br.ReadByte(); {
		case err == nil && (b == ' ' || b == '\t' || b == '\r' || b == '\n'):
			n++
		default:
			return n
		}
	}
}

// skipLine reads past the next line feed, however far it is, and says how many
// bytes that were and whether there was only space in them.
func skipLine(r *bufio.Reader) (skipped int64, blank bool, err error) {
	blank = true
	for {
		part, err := r.ReadSlice('\n')
		skipped += int64(len(part))
		blank = blank && len(bytes.TrimSpace(part)) == 0
		if !errors.Is(err, bufio.ErrBufferFull) {
			return skipped, blank, err
		}
	}
}

// skipBOM drops the byte order mark that some editors write in front.
func skipBOM(br *bufio.Reader) io.Reader {
	if head, err := br.Peek(3); err == nil && bytes.Equal(head, []byte("\xef\xbb\xbf")) {
		// Peek has the three bytes in the buffer, so this cannot fail.
		_, _ = br.Discard(3)
	}
	return br
}

// lineReader remembers where lines begin in what was read, so that an offset can
// be told to a person as a line number.
type lineReader struct {
	r        io.Reader
	read     int64
	newlines []int64 // offsets of the line feeds that were read and not passed yet
	passed   int     // line feeds before newlines[0]
}

func (l *lineReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			l.newlines = append(l.newlines, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

// at returns the number of the line that holds the byte at offset, from 1.
// Offsets must not go back.
func (l *lineReader) at(offset int64) int {
	i := 0
	for i < len(l.newlines) && l.newlines[i] < offset {
		i++
	}
	l.passed += i
	l.newlines = l.newlines[i:]
	return l.passed + 1
}
