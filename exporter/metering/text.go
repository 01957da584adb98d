// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/revenium/revenium-otel-go/semconv/limits"
)

// label is a text of one line.
func (w *walker) label(name string, v *string, limit int) {
	if *v == "" || w.plain(name, *v, limit) {
		return
	}
	if w.checking {
		*v = w.cleanLine(name, *v)
		*v = w.truncate(name, *v, limit)
	}
	w.writeText(name, *v)
}

// required is a label that must not be blank.
func (w *walker) required(name string, v *string, limit int) {
	w.label(name, v, limit)
	if w.checking && *v == "" {
		w.problem(name, reasonBlank)
	}
}

// text is a label that may have several lines.
func (w *walker) text(name string, v *string, limit int) {
	if *v == "" {
		return
	}
	if w.checking {
		*v = w.trimmed(name, w.clean(name, *v, true))
		*v = w.truncate(name, *v, limit)
	}
	w.writeText(name, *v)
}

// truncationMark ends content that was cut. Revenium's own software uses it.
const truncationMark = "...[TRUNCATED]"

// content is a prompt or an answer. White space around it is part of it.
func (w *walker) content(name string, v *string, limit int) {
	if *v == "" {
		return
	}
	if w.checking {
		*v = w.truncateContent(name, w.clean(name, *v, true), limit)
	}
	w.writeText(name, *v)
}

// document is content that is a JSON document. Another text becomes one, as a JSON
// string, unless it was a document before somebody cut it.
func (w *walker) document(name string, v *string, limit int, cut bool) {
	if w.checking && *v != "" && !cut {
		*v = w.clean(name, *v, true)
		if !json.Valid([]byte(*v)) && !strings.HasSuffix(*v, truncationMark) {
			*v = string(appendString(nil, *v))
			w.change(name, Replaced, "is not a JSON document")
		}
	}
	w.content(name, v, limit)
}

func (w *walker) truncateContent(name, s string, limit int) string {
	if !runesExceed(s, limit) {
		return s
	}
	w.change(name, Truncated, tooLong(limit))
	w.truncatedContent = true
	return limits.Truncate(s, limit-len(truncationMark)) + truncationMark
}

// name is an id that is meaningless when cut.
func (w *walker) name(name string, v *string, limit int) {
	if *v == "" || w.plain(name, *v, limit) {
		return
	}
	if w.checking {
		*v = w.cleanLine(name, *v)
		if runesExceed(*v, limit) {
			*v = ""
			w.change(name, Dropped, tooLong(limit))
		}
	}
	w.writeText(name, *v)
}

// link is an id that other records refer to. One that is too long is replaced by
// a digest: whoever refers to it comes to the same.
func (w *walker) link(name string, v *string, limit int) {
	if *v == "" || w.plain(name, *v, limit) {
		return
	}
	if w.checking {
		*v = w.cleanLine(name, *v)
		if runesExceed(*v, limit) {
			sum := sha256.Sum256([]byte(*v))
			*v = "sha256:" + hex.EncodeToString(sum[:])
			w.change(name, Replaced, tooLong(limit))
		}
	}
	w.writeText(name, *v)
}

// requiredLink is a link that must not be blank.
func (w *walker) requiredLink(name string, v *string, limit int) {
	w.link(name, v, limit)
	if w.checking && *v == "" {
		w.problem(name, reasonBlank)
	}
}

// secret is an id whose type hides it from printing.
func (w *walker) secret(name string, v *Secret, limit int) {
	w.name(name, (*string)(v), limit)
}

// pattern is a label that is dropped unless it is valid.
func (w *walker) pattern(name string, v *string, valid func(string) bool) {
	if *v == "" {
		return
	}
	if w.checking {
		*v = w.cleanLine(name, *v)
		if *v != "" && !valid(*v) {
			*v = ""
			w.change(name, Dropped, reasonPattern)
		}
	}
	w.writeText(name, *v)
}

// plain writes a text that nothing is to be mended or escaped of, as nearly all are,
// and reports whether v is one.
func (w *walker) plain(name, v string, limit int) bool {
	if !w.encoding || len(v) > limit || !isPlain(v) {
		return false
	}
	buf := append(appendKey(w.buf, name), '"')
	buf = append(buf, v...)
	w.buf = append(buf, '"')
	return true
}

// writeText writes what is left of a text.
func (w *walker) writeText(name, v string) {
	if w.encoding && v != "" {
		w.appendString(name, v)
	}
}

// cleanLine is clean for a text of one line, without the white space around it.
func (w *walker) cleanLine(name, s string) string {
	return w.trimmed(name, w.clean(name, s, false))
}

// trimmed is s without the white space around it.
func (w *walker) trimmed(name, s string) string {
	trimmed := strings.TrimSpace(s)
	if len(trimmed) != len(s) {
		w.change(name, Replaced, reasonWhiteSpace)
	}
	return trimmed
}

// clean makes s valid UTF-8 without control characters, except, where there may
// be several lines, tabulators and line ends.
func (w *walker) clean(name, s string, lines bool) string {
	if isPrintable(s) {
		return s
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, string(utf8.RuneError))
		w.change(name, Replaced, reasonUTF8)
	}
	control := func(r rune) bool {
		return unicode.IsControl(r) && (!lines || r != '\t' && r != '\n' && r != '\r')
	}
	if strings.ContainsFunc(s, control) {
		s = strings.Map(func(r rune) rune {
			if control(r) {
				return ' '
			}
			return r
		}, s)
		w.change(name, Replaced, reasonControl)
	}
	return s
}

// isPlain reports whether s, which is not empty, is printable ASCII that stands in
// JSON as it is and has no space around it.
func isPlain(s string) bool {
	last := len(s) - 1
	if s[0] == ' ' || s[last] == ' ' {
		return false
	}
	if len(s) < 8 {
		for i := range len(s) {
			if c := s[i]; c-' ' > '~'-' ' || c == '"' || c == '\\' {
				return false
			}
		}
		return true
	}
	// The last eight may have been looked at in part before.
	for ; len(s) > 8; s = s[min(8, len(s)-8):] {
		if !plainBytes(eightBytes(s)) {
			return false
		}
	}
	return plainBytes(eightBytes(s))
}

// isPrintable reports whether s is printable ASCII.
func isPrintable(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		x := eightBytes(s)
		if (beyondASCII(x)|below(x, ' ')|equal(x, 0x7f))&highBits != 0 {
			return false
		}
	}
	for i := range len(s) {
		if s[i]-' ' > '~'-' ' {
			return false
		}
	}
	return true
}

// truncate cuts s at a limit in characters.
func (w *walker) truncate(name, s string, limit int) string {
	if !runesExceed(s, limit) {
		return s
	}
	w.change(name, Truncated, tooLong(limit))
	return strings.TrimRightFunc(limits.Truncate(s, limit), unicode.IsSpace)
}

func tooLong(limit int) string { return fmt.Sprintf("is longer than %d characters", limit) }

// runesExceed reports whether s has more than limit characters.
func runesExceed(s string, limit int) bool {
	return len(s) > limit && utf8.RuneCountInString(s) > limit
}
