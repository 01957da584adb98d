// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Paths of the endpoints that the server has.
const (
	PathCompletions = "/meter/v2/ai/completions"
	PathImages      = "/meter/v2/ai/images"
	PathAudio       = "/meter/v2/ai/audio"
	PathVideo       = "/meter/v2/ai/video"
	PathToolEvents  = "/meter/v2/tool/events"
)

// Record is a metering record that the server accepted and stored.
type Record struct {
	Path           string    // endpoint, one of the Path constants
	TransactionID  string    // as sent; an id made by the server if the record had none
	IdempotencyKey string    // "" if the request had none
	Tenant         string    // account of the key
	Received       time.Time // by the server's clock
	Body           []byte    // exactly as received; do not modify. nil with WithoutBodies

	// Fields is the decoded body. Numbers are [json.Number], so that counts stay exact: use Int and Float, or
	// compare with json.Number("12"). Each call that returns a Record decodes anew.
	Fields map[string]any
}

// decode fills Fields from Body.
func (r Record) decode() Record {
	if r.Body == nil {
		return r
	}
	dec := json.NewDecoder(bytes.NewReader(r.Body))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err == nil { // a stored body is well-formed; anything else has no fields
		r.Fields = m
	}
	return r
}

// Value returns the field of that name; a dotted name reaches into objects ("subscriber.credential.name").
// Strings, bools, [json.Number], map[string]any and []any occur; JSON null is present with value nil.
func (r Record) Value(name string) (any, bool) {
	m := r.Fields
	for {
		if v, ok := m[name]; ok {
			return v, true
		}
		head, rest, dotted := strings.Cut(name, ".")
		if !dotted {
			return nil, false
		}
		sub, ok := m[head].(map[string]any)
		if !ok {
			return nil, false
		}
		m, name = sub, rest
	}
}

// Has reports whether the record has the field, be it zero or null.
func (r Record) Has(name string) bool {
	_, ok := r.Value(name)
	return ok
}

// String returns a string field; false if it is absent or no string.
func (r Record) String(name string) (string, bool) {
	v, _ := r.Value(name)
	s, ok := v.(string)
	return s, ok
}

// Int returns an integer field; false if it is absent or no integer that fits.
func (r Record) Int(name string) (int64, bool) {
	v, _ := r.Value(name)
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := strconv.ParseInt(n.String(), 10, 64)
	return i, err == nil
}

// Float returns a number field; false if it is absent or no number.
func (r Record) Float(name string) (float64, bool) {
	v, _ := r.Value(name)
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// Bool returns a bool field; false, false if it is absent or no bool.
func (r Record) Bool(name string) (value, ok bool) {
	v, _ := r.Value(name)
	value, ok = v.(bool)
	return value, ok
}

// Time returns a timestamp field; false if it is absent or no ISO 8601 timestamp.
func (r Record) Time(name string) (time.Time, bool) {
	s, ok := r.String(name)
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, err == nil
}

// Text returns the field as text for tables and simple comparisons: strings as they are, numbers as written,
// true or false, objects as JSON, "" if absent or null.
func (r Record) Text(name string) string {
	v, _ := r.Value(name)
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	default:
		b, err := json.Marshal(v)
		if err != nil { // cannot happen: it was decoded from JSON
			return err.Error()
		}
		return string(b)
	}
}
