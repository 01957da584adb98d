// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package literal

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unescape resolves the escapes of JSON and Python. One that neither knows stays
// as it is, as Python has it.
func unescape(s string) string {
	at := strings.IndexByte(s, '\\')
	if at < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for at >= 0 {
		b.WriteString(s[:at])
		s = s[at+1:]
		n := appendEscaped(&b, s)
		s = s[n:]
		at = strings.IndexByte(s, '\\')
	}
	b.WriteString(s)
	return b.String()
}

// appendEscaped writes what an escape stands for and returns how many bytes of s,
// which begins behind the backslash, it takes.
func appendEscaped(b *strings.Builder, s string) int {
	if s == "" {
		b.WriteByte('\\')
		return 0
	}
	switch s[0] {
	case 'n':
		b.WriteByte('\n')
	case 't':
		b.WriteByte('\t')
	case 'r':
		b.WriteByte('\r')
	case 'b':
		b.WriteByte('\b')
	case 'f':
		b.WriteByte('\f')
	case '"', '\'', '\\', '/':
		b.WriteByte(s[0])
	case 'u', 'x', 'U':
		return appendCodePoint(b, s)
	default:
		b.WriteByte('\\')
		return 0
	}
	return 1
}

// appendCodePoint resolves \uXXXX, a pair of them, \xXX and \UXXXXXXXX.
func appendCodePoint(b *strings.Builder, s string) int {
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[0]]
	r, ok := hexRune(s[1:], digits)
	if !ok {
		b.WriteByte('\\')
		return 0
	}
	n := 1 + digits
	if utf16.IsSurrogate(r) {
		rest := s[n:]
		if low, ok := hexRune(strings.TrimPrefix(rest, `\u`), 4); ok && strings.HasPrefix(rest, `\u`) {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				b.WriteRune(pair)
				return n + 6
			}
		}
		r = utf8.RuneError
	}
	b.WriteRune(r)
	return n
}

func hexRune(s string, digits int) (rune, bool) {
	if len(s) < digits {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:digits], 16, 32)
	if err != nil || n > utf8.MaxRune {
		return 0, false
	}
	return rune(n), true
}
