// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package limits

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limit is what the service accepts as the value of a field; see [Of]. The zero
// Limit accepts everything.
type Limit struct {
	// MaxLen is the greatest length in characters; 0 where none is known.
	MaxLen int
	// Pattern is a regular expression that values match.
	Pattern string
	// Reserved are values that are refused although they match.
	Reserved []string
	// Values are the only values accepted.
	Values []string
	// Min and Max bound a number; nil where there is no bound.
	Min, Max *float64

	// valid says what Pattern says, and faster.
	valid func(string) bool
}

// AcceptsText reports whether the service takes s as it is.
func (l Limit) AcceptsText(s string) bool {
	switch {
	case l.MaxLen > 0 && len(s) > l.MaxLen && utf8.RuneCountInString(s) > l.MaxLen:
		return false
	case l.valid != nil && !l.valid(s):
		return false
	case len(l.Values) > 0 && !slices.Contains(l.Values, s):
		return false
	default:
		return true
	}
}

// AcceptsNumber reports whether the service takes n as it is. It takes no NaN
// where there is a bound.
func (l Limit) AcceptsNumber(n float64) bool {
	return (l.Min == nil || n >= *l.Min) && (l.Max == nil || n <= *l.Max)
}

// String says in words what is accepted: "at most 255 characters", "0 to 1". It
// is empty for the zero Limit.
func (l Limit) String() string {
	var parts []string
	if l.MaxLen > 0 {
		parts = append(parts, "at most "+strconv.Itoa(l.MaxLen)+" characters")
	}
	if l.Pattern != "" {
		parts = append(parts, "matching "+l.Pattern)
	}
	if len(l.Reserved) > 0 {
		parts = append(parts, "not "+strings.Join(l.Reserved, " or "))
	}
	if len(l.Values) > 0 {
		parts = append(parts, "one of "+strings.Join(l.Values, ", "))
	}
	switch {
	case l.Min != nil && l.Max != nil:
		parts = append(parts, number(*l.Min)+" to "+number(*l.Max))
	case l.Min != nil:
		parts = append(parts, "at least "+number(*l.Min))
	case l.Max != nil:
		parts = append(parts, "at most "+number(*l.Max))
	}
	return strings.Join(parts, ", ")
}

func number(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }
