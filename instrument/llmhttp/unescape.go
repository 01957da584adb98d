// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// unescaper decodes the escapes of a JSON string that comes in pieces, which may
// be cut within one.
type unescaper struct {
	escape []byte // begun and not complete
	high   rune   // first half of a surrogate pair, or 0
	out    []byte
}

const unicodeEscape = len(`\uXXXX`)

func (u *unescaper) reset() { u.escape, u.high = u.escape[:0], 0 }

// decode decodes the next piece. What it returns is valid until the next use and
// may be p itself.
func (u *unescaper) decode(p []byte) []byte {
	if len(u.escape) == 0 && u.high == 0 && bytes.IndexByte(p, '\\') < 0 {
		return p
	}
	u.out = u.out[:0]
	for len(p) > 0 {
		if len(u.escape) > 0 {
			u.escape = append(u.escape, p[0])
			p = p[1:]
			u.complete()
			continue
		}
		n := bytes.IndexByte(p, '\\')
		if n < 0 {
			n = len(p)
		}
		if n > 0 {
			u.flushHigh()
			u.out = append(u.out, p[:n]...)
		}
		if n < len(p) {
			u.escape = append(u.escape, '\\')
			n++
		}
		p = p[n:]
	}
	return u.out
}

// complete decodes the escape if it is complete.
func (u *unescaper) complete() {
	if u.escape[1] == 'u' {
		if len(u.escape) < unicodeEscape {
			return
		}
		n, err := strconv.ParseUint(string(u.escape[2:]), 16, 32)
		u.escape = u.escape[:0]
		if err != nil {
			n = utf8.RuneError
		}
		u.unicode(rune(n))
		return
	}
	u.flushHigh()
	u.out = append(u.out, simpleEscape(u.escape[1]))
	u.escape = u.escape[:0]
}

func simpleEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default:
		return c
	}
}

func (u *unescaper) unicode(r rune) {
	if u.high != 0 {
		if pair := utf16.DecodeRune(u.high, r); pair != utf8.RuneError {
			u.high = 0
			u.out = utf8.AppendRune(u.out, pair)
			return
		}
		u.flushHigh()
	}
	if r >= 0xD800 && r < 0xDC00 {
		u.high = r
		return
	}
	u.out = utf8.AppendRune(u.out, r)
}

// flushHigh writes the half of a pair whose other half does not come.
func (u *unescaper) flushHigh() {
	if u.high != 0 {
		u.high = 0
		u.out = utf8.AppendRune(u.out, utf8.RuneError)
	}
}
