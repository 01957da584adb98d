// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// The methods here write what encoding/json with SetEscapeHTML(false) would
// write, byte for byte, which a test proves. They exist because encoding/json
// takes several times as long for these wide, sparse structs: see BenchmarkFreeze
// and BenchmarkEncodingJSON.

// appendKey starts a member of an object. Names need no escaping.
func appendKey(buf []byte, name string) []byte {
	if buf[len(buf)-1] != '{' {
		buf = append(buf, ',')
	}
	buf = append(buf, '"')
	buf = append(buf, name...)
	return append(buf, '"', ':')
}

func (w *walker) appendString(name, v string) {
	w.buf = appendString(appendKey(w.buf, name), v)
}

func (w *walker) appendInt(name string, v int64) {
	w.buf = strconv.AppendInt(appendKey(w.buf, name), v, 10)
}

func (w *walker) appendFloat(name string, v float64) {
	w.buf = appendFloat(appendKey(w.buf, name), v)
}

func (w *walker) appendBool(name string, v bool) {
	w.buf = strconv.AppendBool(appendKey(w.buf, name), v)
}

func (w *walker) appendTime(name string, v Timestamp) {
	w.buf = appendTimestamp(appendKey(w.buf, name), v)
}

func (w *walker) appendSubscriber(name string, s *Subscriber) {
	w.buf = append(appendKey(w.buf, name), '{')
	if s.ID != "" {
		w.appendString("id", s.ID)
	}
	if s.Email != "" {
		w.appendString("email", s.Email)
	}
	if c := s.Credential; c != nil {
		w.buf = append(appendKey(w.buf, "credential"), '{')
		if c.Name != "" {
			w.appendString("name", c.Name)
		}
		if c.Value != "" {
			w.appendString("value", string(c.Value))
		}
		w.buf = append(w.buf, '}')
	}
	w.buf = append(w.buf, '}')
}

const hexDigits = "0123456789abcdef"

// appendString quotes valid UTF-8.
func appendString(buf []byte, s string) []byte {
	buf = append(buf, '"')
	if isUnescaped(s) {
		buf = append(buf, s...)
		return append(buf, '"')
	}
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			// Legal in JSON, but not in JavaScript before 2019.
			if r != '\u2028' && r != '\u2029' {
				i += size
				continue
			}
			buf = append(buf, s[start:i]...)
			buf = append(buf, `\u202`...)
			buf = append(buf, hexDigits[r&0xf])
		} else {
			buf = append(buf, s[start:i]...)
			buf = appendEscaped(buf, c)
		}
		i += size
		start = i
	}
	buf = append(buf, s[start:]...)
	return append(buf, '"')
}

// isUnescaped reports whether s is ASCII that stands in JSON as it is.
func isUnescaped(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		x := eightBytes(s)
		if (beyondASCII(x)|below(x, ' ')|equal(x, '"')|equal(x, '\\'))&highBits != 0 {
			return false
		}
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// Texts are looked through eight bytes at a time, each of a byte's questions being
// answered in its high bit. An answer can be wrong only above a byte that has
// been answered with yes, which is all that matters here.
const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// eightBytes are the first eight bytes of s; the compiler makes one load of it.
func eightBytes(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// beyondASCII is about bytes above 0x7f.
func beyondASCII(x uint64) uint64 { return x }

// below is about bytes below c.
func below(x uint64, c byte) uint64 { return (x - lowBits*uint64(c)) &^ x }

// equal is about bytes that are c.
func equal(x uint64, c byte) uint64 { return below(x^lowBits*uint64(c), 1) }

// plainBytes reports whether eight bytes are printable ASCII without quotes and
// backslashes. It is the questions above, shortened by what they have in common: a
// byte beyond ASCII is answered with yes, and of others 0x7f alone gets its high bit
// from adding one.
func plainBytes(x uint64) bool {
	special := x | (x - lowBits*' ') | (x + lowBits) | ((x ^ lowBits*'"') - lowBits) | ((x ^ lowBits*'\\') - lowBits)
	return special&highBits == 0
}

// appendEscaped escapes a control character, quote or backslash.
func appendEscaped(buf []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(buf, '\\', c)
	case '\b':
		return append(buf, `\b`...)
	case '\f':
		return append(buf, `\f`...)
	case '\n':
		return append(buf, `\n`...)
	case '\r':
		return append(buf, `\r`...)
	case '\t':
		return append(buf, `\t`...)
	default:
		return append(buf, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
	}
}

// appendFloat writes a finite number as ECMAScript does.
func appendFloat(buf []byte, v float64) []byte {
	format := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	buf = strconv.AppendFloat(buf, v, format, -1, 64)
	if n := len(buf); format == 'e' && n >= 4 && buf[n-4] == 'e' && (buf[n-3] == '-' || buf[n-3] == '+') && buf[n-2] == '0' {
		// e-09 becomes e-9.
		buf[n-2] = buf[n-1]
		buf = buf[:n-1]
	}
	return buf
}

// timestampLayout is the API's.
const timestampLayout = "2006-01-02T15:04:05.000Z"

func fourDigitYear(v Timestamp) bool {
	year := v.UTC().Year()
	return year >= 0 && year <= 9999
}

// appendTimestamp writes a quoted instant whose year has four digits. It does
// what t.UTC().Format(timestampLayout) does, in a third of the time.
func appendTimestamp(buf []byte, t Timestamp) []byte {
	u := t.UTC()
	if !fourDigitYear(t) {
		buf = append(buf, '"')
		buf = u.AppendFormat(buf, timestampLayout)
		return append(buf, '"')
	}
	year, month, day := u.Date()
	hour, minute, second := u.Clock()
	buf = append(buf, '"')
	buf = appendTwoDigits(buf, year/100)
	buf = appendTwoDigits(buf, year%100)
	buf = append(buf, '-')
	buf = appendTwoDigits(buf, int(month))
	buf = append(buf, '-')
	buf = appendTwoDigits(buf, day)
	buf = append(buf, 'T')
	buf = appendTwoDigits(buf, hour)
	buf = append(buf, ':')
	buf = appendTwoDigits(buf, minute)
	buf = append(buf, ':')
	buf = appendTwoDigits(buf, second)
	ms := u.Nanosecond() / 1e6
	buf = append(buf, '.', byte('0'+ms/100))
	buf = appendTwoDigits(buf, ms%100)
	return append(buf, 'Z', '"')
}

func appendTwoDigits(buf []byte, n int) []byte {
	return append(buf, byte('0'+n/10), byte('0'+n%10))
}
