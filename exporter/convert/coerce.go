// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Why a value was not taken.
const (
	problemType       = "has a type that the field cannot have"
	problemNotInteger = "is not a whole number"
	problemNotNumber  = "is not a number"
	problemNotFinite  = "is not a finite number"
	problemNegative   = "is negative"
	problemTooLarge   = "is above 2^53"
	problemNotFlag    = "is neither true nor false"
	problemNotTime    = "is not a positive time"
	problemUnit       = "is a number in a unit that nobody knows"
	problemNotInstant = "is not a point in time"
)

// maxCount is the largest count that is taken: above it a float64, through which
// some instrumentations count, skips integers.
const maxCount = 1 << 53

// coerce reads v as a value of the given type. It reports whether there is a
// value, and what is wrong with one that cannot be taken. An empty one is absent,
// which is no problem.
func (f *fact) coerce(typ valueType, u unit, v Value) (ok bool, problem string) {
	if v.kind == ValueEmpty {
		return false, ""
	}
	switch typ {
	case typeText:
		if ok, problem = f.coerceText(v); ok && u != unitNone {
			ok = f.cutText(u)
		}
		return ok, problem
	case typeCount:
		ok, problem = f.coerceCount(v)
		if u == unitOrdinal && f.num > 0 {
			f.num--
		}
		return ok, problem
	case typeNumber:
		return f.coerceNumber(v)
	case typeFlag:
		return f.coerceFlag(v)
	case typeSeconds:
		return f.coerceSeconds(u, v)
	case typeInstant:
		return f.coerceInstant(v)
	case typePresence:
		f.text = v.str
		return v.kind != ValueString || !blank(v.str), ""
	default:
		return false, problemType
	}
}

// cutText takes the part of a text that is wanted; false for none.
func (f *fact) cutText(u unit) bool {
	switch u {
	case unitFirstWord:
		f.text, _, _ = strings.Cut(f.text, " ")
	case unitQuoted:
		if n := len(f.text); n > 2 && f.text[0] == '"' && f.text[n-1] == '"' {
			f.text = f.text[1 : n-1]
		}
	case unitVendor:
		vendor, rest, found := strings.Cut(f.text, "/")
		f.text = vendor
		return found && !blank(vendor) && !blank(rest)
	case unitAfterVendor:
		if _, rest, found := strings.Cut(f.text, "/"); found && !blank(rest) {
			f.text = rest
		}
	default:
	}
	return true
}

func (f *fact) coerceText(v Value) (bool, string) {
	switch v.kind {
	case ValueString:
		f.text = v.str
	case ValueInt:
		f.text = strconv.FormatInt(v.Int(), 10)
	case ValueFloat:
		f.text = strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case ValueBool:
		f.text = strconv.FormatBool(v.Bool())
	case ValueStrings, ValueList:
		// Instrumentations that copy headers write lists.
		list := v.Strings()
		if len(list) == 0 {
			return false, ""
		}
		if len(list) > 1 {
			return false, problemType
		}
		f.text = list[0]
	default:
		return false, problemType
	}
	return !blank(f.text), ""
}

func (f *fact) coerceCount(v Value) (bool, string) {
	switch v.kind {
	case ValueInt:
		f.num = v.Int()
	case ValueFloat:
		n := v.Float()
		switch {
		case math.IsNaN(n), math.IsInf(n, 0):
			return false, problemNotFinite
		case n != math.Trunc(n):
			return false, problemNotInteger
		case n < 0:
			return false, problemNegative
		case n > maxCount:
			return false, problemTooLarge
		}
		f.num = int64(n)
	case ValueString:
		text := strings.TrimSpace(v.str)
		if absentText(text) {
			return false, ""
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return false, problemNotInteger
		}
		f.num = n
	default:
		return false, problemType
	}
	switch {
	case f.num < 0:
		return false, problemNegative
	case f.num > maxCount:
		return false, problemTooLarge
	}
	return true, ""
}

func (f *fact) coerceNumber(v Value) (bool, string) {
	n, ok, problem := number(v)
	if !ok {
		return false, problem
	}
	f.num = int64(math.Float64bits(n))
	return true, ""
}

// number reads any kind of number.
func number(v Value) (n float64, ok bool, problem string) {
	switch v.kind {
	case ValueInt:
		n = float64(v.Int())
	case ValueFloat:
		n = v.Float()
	case ValueString:
		text := strings.TrimSpace(v.str)
		if absentText(text) {
			return 0, false, ""
		}
		var err error
		if n, err = strconv.ParseFloat(text, 64); err != nil {
			return 0, false, problemNotNumber
		}
	default:
		return 0, false, problemType
	}
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, false, problemNotFinite
	}
	return n, true, ""
}

func (f *fact) coerceFlag(v Value) (bool, string) {
	switch v.kind {
	case ValueBool:
		f.num = int64(v.num)
		return true, ""
	case ValueString:
		text := strings.TrimSpace(v.str)
		switch {
		case strings.EqualFold(text, "true"):
			f.num = 1
			return true, ""
		case strings.EqualFold(text, "false"):
			return true, ""
		case absentText(text):
			return false, ""
		default:
			return false, problemNotFlag
		}
	default:
		return false, problemNotFlag
	}
}

// maxSeconds bounds times so that they fit in nanoseconds.
const maxSeconds = 1e9

func (f *fact) coerceSeconds(u unit, v Value) (bool, string) {
	if u == unitSecondsFloat && v.kind != ValueFloat || u == unitMillisecondsInt && v.kind != ValueInt {
		return false, problemUnit
	}
	n, ok, problem := number(v)
	if !ok {
		return false, problem
	}
	var scale float64
	switch u {
	case unitMilliseconds, unitMillisecondsInt:
		scale = 1e-3
	case unitMicroseconds:
		scale = 1e-6
	case unitNanoseconds:
		scale = 1e-9
	default:
		scale = 1
	}
	if n *= scale; n <= 0 || n > maxSeconds {
		return false, problemNotTime
	}
	f.num = int64(math.Round(n * float64(time.Second)))
	return true, ""
}

// coerceInstant reads a time as ISO 8601 has it, also with the quotes of JSON.
func (f *fact) coerceInstant(v Value) (bool, string) {
	if v.kind != ValueString {
		return false, problemType
	}
	text := strings.Trim(v.str, "\" \t")
	if absentText(text) {
		return false, ""
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || !writable(at) {
		return false, problemNotInstant
	}
	f.num = at.UnixNano()
	return true, ""
}

// coerceList accepts a list, the text of one as JSON or Python writes it, a text
// with commas, and a single text.
func (f *fact) coerceList(v Value) (list []string, ok bool, problem string) {
	switch v.kind {
	case ValueEmpty:
		return nil, false, ""
	case ValueStrings, ValueList:
		list = v.Strings()
		if len(list) == 1 {
			f.text = list[0]
			return nil, !blank(f.text), ""
		}
		return list, len(list) > 0, ""
	case ValueString:
		text := strings.TrimSpace(v.str)
		if inner, ok := strings.CutPrefix(text, "["); ok {
			text = strings.TrimSuffix(inner, "]")
		}
		if !strings.Contains(text, ",") {
			f.text = unquoted(text)
			return nil, !blank(f.text), ""
		}
		for part := range strings.SplitSeq(text, ",") {
			if part = unquoted(part); !blank(part) {
				list = append(list, part)
			}
		}
		return list, len(list) > 0, ""
	default:
		return nil, false, problemType
	}
}

// unquoted is s without space and quotes around it.
func unquoted(s string) string { return strings.Trim(s, " \t\r\n\"'") }

// absentText reports whether a text stands for a number or flag that is not
// there.
func absentText(s string) bool {
	switch s {
	case "", "None", "null", "none", "nil", "undefined":
		return true
	default:
		return false
	}
}

// blank reports whether nothing is left of s when white space and control
// characters are removed, which the metering API does not take.
func blank(s string) bool {
	if s != "" && s[0] > ' ' && s[0] < 0x7f {
		return false
	}
	for _, r := range s {
		if !unicode.IsSpace(r) && !unicode.IsControl(r) {
			return false
		}
	}
	return true
}
