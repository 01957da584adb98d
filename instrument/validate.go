// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/revenium/revenium-otel-go/semconv/limits"
)

// MetadataError lists what is wrong with metadata, each value once.
type MetadataError struct {
	Fields []FieldError
}

// Error names all that is wrong.
func (e *MetadataError) Error() string {
	texts := make([]string, len(e.Fields))
	for i := range e.Fields {
		texts[i] = e.Fields[i].Error()
	}
	return "instrument: metadata: " + strings.Join(texts, "; ")
}

// Unwrap returns the errors of the fields, each a [FieldError].
func (e *MetadataError) Unwrap() []error {
	errs := make([]error, len(e.Fields))
	for i := range e.Fields {
		errs[i] = &e.Fields[i]
	}
	return errs
}

// FieldError says what is wrong with one value.
type FieldError struct {
	// Field is the name of the field in the metering record ("taskType"), or, where
	// there is no such field, the name that was given.
	Field string
	// Value is the value, quoted and shortened; of a secret "[REDACTED]".
	Value string
	// Problem is what is wrong with it: "is longer than 255 characters".
	Problem string
	// Limit is what is accepted, in words: "at most 255 characters". It is empty
	// where the problem says it all.
	Limit string
}

// Error says which value is not accepted, and what would be.
func (e *FieldError) Error() string {
	text := e.Field
	if e.Value != "" {
		text += " " + e.Value
	}
	text += " " + e.Problem
	if e.Limit != "" {
		text += " (accepted: " + e.Limit + ")"
	}
	return text
}

// metadataError returns the error for what is wrong, or nil.
func metadataError(problems []FieldError) error {
	if len(problems) == 0 {
		return nil
	}
	return &MetadataError{Fields: problems}
}

// Validate checks all values against Revenium's limits. The error is a
// [MetadataError] that names each bad field, its limit and its value.
func (m Metadata) Validate() error {
	_, err := m.Valid()
	return err
}

// check says what is wrong with the value that m has, if anything is.
func (f *field) check(m *Metadata) (problem FieldError, ok bool) {
	if f.number != nil {
		n := **f.number(m)
		switch {
		case math.IsNaN(n), math.IsInf(n, 0):
			return f.problem(formatNumber(n), "is not a finite number", f.limit), false
		case !f.limit.AcceptsNumber(n):
			return f.problem(formatNumber(n), "is out of range", f.limit), false
		}
		return FieldError{}, true
	}
	s := *f.text(m)
	limit := f.limit
	if limit.String() == "" {
		limit.MaxLen = limits.TextMaxLen
	}
	switch {
	case !utf8.ValidString(s):
		return f.problem(s, "is not valid UTF-8", limits.Limit{}), false
	case strings.ContainsFunc(s, unicode.IsControl):
		return f.problem(s, "has a control character", limits.Limit{}), false
	case limit.MaxLen > 0 && utf8.RuneCountInString(s) > limit.MaxLen:
		return f.problem(s, "is too long: "+strconv.Itoa(utf8.RuneCountInString(s))+" characters", limit), false
	case !limit.AcceptsText(s):
		return f.problem(s, "is not accepted", limit), false
	}
	return FieldError{}, true
}

// problem describes what is wrong with a value of the field.
func (f *field) problem(value, problem string, limit limits.Limit) FieldError {
	return FieldError{Field: f.Name, Value: f.shown(value), Problem: problem, Limit: limit.String()}
}

// maxShown is how much of a value people are shown.
const maxShown = 64

// shown is a value as people may see it.
func (f *field) shown(value string) string {
	if f.Secret {
		return redacted
	}
	short := limits.Truncate(value, maxShown)
	if f.number != nil {
		return short
	}
	if len(short) < len(value) {
		short += "…"
	}
	return strconv.Quote(short)
}

func formatNumber(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }
