// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// verifier collects the violations of one request.
type verifier struct {
	found []Violation
	rules *rules
	cut   bool // the record says that its texts were cut
}

func (v *verifier) add(field string, rule Rule, rejects bool, format string, args ...any) {
	v.found = append(v.found, Violation{Field: field, Rule: rule, Detail: fmt.Sprintf(format, args...), rejects: rejects})
}

// verify holds the request against all rules.
func (s *Server) verify(x *exchange) {
	if !s.cfg.verify {
		return
	}
	var v verifier
	v.request(x.req.Method, x.r.Header)
	v.secrets(x)
	v.rules = s.book.endpoints[x.req.Path]
	switch {
	case v.rules == nil:
		v.add("", RulePath, true, "no endpoint has this path")
	case x.tooBig:
		v.add("", RuleBodySize, true, "more than %d bytes", s.cfg.maxBody)
	case x.doc.err != nil:
		v.add("", RuleJSON, true, "%v", x.doc.err)
	default:
		v.record(x.req.Path, x.doc)
	}
	if len(v.found) == 0 {
		return
	}
	x.found = v.found
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report(x, v.found...)
}

// request checks what every request has. What the service refuses of it, refuse answers.
func (v *verifier) request(method string, h http.Header) {
	if method != http.MethodPost {
		v.add("", RuleMethod, false, "%s instead of POST", method)
	}
	if n := len(h.Values("X-Api-Key")); n != 1 || h.Get("X-Api-Key") == "" {
		v.add("x-api-key", RuleAPIKey, false, "must be sent once, and is there %d times or empty", n)
	}
	contentType := h.Get("Content-Type")
	mediaType, params, err := mime.ParseMediaType(contentType)
	charset, other := params["charset"], len(params) > 1
	if err != nil || mediaType != "application/json" || other || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		v.add("Content-Type", RuleContentType, false, "%q instead of application/json", contentType)
	}
	if e := h.Get("Content-Encoding"); e != "" {
		v.add("Content-Encoding", RuleContentType, false, "%q: encoded bodies are not documented", e)
	}
	keys := h.Values("Idempotency-Key")
	switch {
	case len(keys) == 0:
		v.add("Idempotency-Key", RuleIdempotencyKey, false, "missing: an answer that is lost cannot be replayed")
	case len(keys) > 1:
		v.add("Idempotency-Key", RuleIdempotencyKey, false, "sent %d times", len(keys))
	case !validIdempotencyKey(keys[0]):
		v.add("Idempotency-Key", RuleIdempotencyKey, false,
			"%d bytes: 1 to 255 printable ASCII characters without spaces are allowed", len(keys[0]))
	}
}

// secrets looks for the key where it does not belong.
func (v *verifier) secrets(x *exchange) {
	const short = 8 // shorter ones would be found by chance
	if len(x.key) < short {
		return
	}
	if bytes.Contains(x.raw, []byte(x.key)) {
		v.add("", RuleSecret, false, "the body holds the API key")
	}
	if strings.Contains(x.r.URL.RequestURI(), x.key) {
		v.add("", RuleSecret, false, "the URL holds the API key")
	}
	for name, values := range x.r.Header {
		if name == "X-Api-Key" {
			continue
		}
		if slices.ContainsFunc(values, func(s string) bool { return strings.Contains(s, x.key) }) {
			v.add(name, RuleSecret, false, "the header holds the API key")
		}
	}
}

// record checks a well-formed record.
func (v *verifier) record(path string, doc document) {
	for _, name := range doc.duplicates {
		v.add(name, RuleDuplicateField, false, "the name occurs twice in its object")
	}
	for _, name := range doc.badText {
		v.add(name, RuleUTF8, true, "no valid UTF-8, or half a surrogate pair")
	}
	cut, _ := find(doc.members, "promptsTruncated")
	v.cut = cut.kind == kindBool && string(cut.raw) == "true"
	for _, m := range doc.members {
		f, ok := v.rules.byName[m.name]
		if !ok {
			v.unknown(m.name)
			continue
		}
		v.value(m.name, f, m)
	}
	for _, f := range v.rules.needed {
		if _, ok := find(doc.members, f.name); !ok {
			v.add(f.name, RuleMissing, f.need == required, "the field must be sent")
		}
	}
	v.relations(path, facts{doc.members})
}

func (v *verifier) unknown(name string) {
	if instead, ok := v.rules.dead[name]; ok {
		v.add(name, RuleDead, false, "send %s", instead)
		return
	}
	v.add(name, RuleUnknown, false, "the service ignores it silently")
}

// value checks one value against its field's rule; name is the dotted name.
func (v *verifier) value(name string, f field, m member) {
	if m.kind == kindNull {
		v.add(name, RuleNull, f.need == required, "leave the field out")
		return
	}
	if want := f.typ.kind(); m.kind != want {
		v.add(name, RuleType, true, "%s instead of %s", m.kind, want)
		return
	}
	switch f.typ {
	case typeInt32, typeInt64:
		v.integer(name, f, m)
	case typeDouble:
		n, err := strconv.ParseFloat(string(m.raw), 64)
		if err != nil {
			v.add(name, RuleRange, true, "%s is no finite number", m.raw)
			return
		}
		v.bounds(name, f, n)
	case typeTime:
		v.timestamp(name, m.text())
	case typeString, typeDocument:
		v.text(name, f, m.text())
	case typeRecord:
		v.nested(name, f, m)
	case typeBool, typeObject:
	}
}

func (t fieldType) kind() valueKind {
	switch t {
	case typeInt32, typeInt64, typeDouble:
		return kindNumber
	case typeBool:
		return kindBool
	case typeObject, typeRecord:
		return kindObject
	case typeString, typeTime, typeDocument:
	}
	return kindString
}

func (v *verifier) integer(name string, f field, m member) {
	bits := 64
	if f.typ == typeInt32 {
		bits = 32
	}
	n, err := strconv.ParseInt(string(m.raw), 10, bits)
	if err != nil {
		v.add(name, RuleType, true, "%s is no integer of %d bits", m.raw, bits)
		return
	}
	v.bounds(name, f, float64(n))
}

func (v *verifier) bounds(name string, f field, n float64) {
	if f.bounded && (n < f.low || n > f.high || math.IsNaN(n)) {
		v.add(name, RuleRange, f.refuses, "%v is not between %v and %v", n, f.low, f.high)
	}
}

func (v *verifier) text(name string, f field, s string) {
	if strings.TrimSpace(s) == "" {
		if !f.empty {
			v.add(name, RuleBlank, f.refuses, "blank text: leave the field out, or fill it")
		}
		return
	}
	if n := utf8.RuneCountInString(s); f.max > 0 && n > f.max {
		v.add(name, RuleLength, false, "%d characters, %d are kept", n, f.max)
	}
	if f.words != nil && !slices.Contains(f.words, s) {
		v.add(name, RuleEnum, f.refuses, "%q is none of %v", shorten(s), f.words)
	}
	if f.pattern != nil {
		if wrong := f.pattern(s); wrong != "" {
			v.add(name, RulePattern, f.refuses, "%q: %s", shorten(s), wrong)
		}
	}
	if f.typ == typeDocument && !v.cut && !json.Valid([]byte(s)) {
		v.add(name, RuleDocument, false, "the text is no JSON document")
	}
}

// shorten keeps details readable.
func shorten(s string) string {
	const limit = 60
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}

func (v *verifier) nested(name string, f field, m member) {
	if len(m.members) == 0 {
		v.add(name, RuleBlank, false, "empty object: leave the field out")
	}
	for _, sub := range m.members {
		i := slices.IndexFunc(f.fields, func(f field) bool { return f.name == sub.name })
		if i < 0 {
			v.add(join(name, sub.name), RuleUnknown, false, "the service ignores it silently")
			continue
		}
		v.value(join(name, sub.name), f.fields[i], sub)
	}
}

// timestamp wants 2006-01-02T15:04:05Z, with milliseconds at most.
func (v *verifier) timestamp(name, s string) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		v.add(name, RuleTimestamp, true, "%q is no ISO 8601 timestamp", shorten(s))
		return
	}
	switch {
	case !strings.HasSuffix(s, "Z"):
		v.add(name, RuleTimestamp, false, "%q is not in UTC with Z", s)
	case len(s) > len("2006-01-02T15:04:05.000Z"):
		v.add(name, RuleTimestamp, false, "%q is finer than milliseconds", s)
	case t.Year() < 2000 || t.Year() > 2200:
		v.add(name, RuleTimestamp, false, "%q is no time at which this was measured", s)
	}
}
