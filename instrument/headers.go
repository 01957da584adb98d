// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/revenium/revenium-otel-go/semconv/limits"
)

// FromHeaders reads metadata from the x-revenium-* headers of a request, of
// which docs/attributes.md lists those of each field in order of precedence: the
// -name headers of organization and product go before the older -id ones. It
// reads no other header but x-claude-code-session-id, for the trace.
//
// Headers are what a stranger says. Values outside Revenium's limits are left out;
// the error, a [MetadataError], names each of them, and the result has all the
// others. Whether the stranger is to be believed at all is for the caller to
// decide: whoever can set them decides who pays.
func FromHeaders(h http.Header) (Metadata, error) {
	var m Metadata
	var problems []FieldError
	for _, f := range fieldTable().fields {
		for _, name := range f.headers {
			value, ok := firstValue(h[name])
			if !ok || f.isSet(&m) {
				continue
			}
			if problem := f.take(&m, value); problem != "" {
				problems = append(problems, FieldError{Field: f.Name, Value: f.shown(value), Problem: problem})
				continue
			}
			if problem, ok := f.check(&m); !ok {
				problems = append(problems, problem)
				f.clear(&m)
			}
		}
	}
	return m, metadataError(problems)
}

// firstValue is the first of a header's values that is not blank. Bytes that are
// not UTF-8 are ISO 8859-1, as they are by HTTP's older rule.
func firstValue(values []string) (string, bool) {
	for _, value := range values {
		if !utf8.ValidString(value) {
			value = fromLatin1(value)
		}
		if value = strings.TrimSpace(value); !blank(value) {
			return value, true
		}
	}
	return "", false
}

func fromLatin1(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

// Headers returns what is set as x-revenium-* headers of a request to a LiteLLM
// proxy, each field under the first of its header names. Fields for which there
// is no header (parts of the skill, ids of coding assistants) are not among them;
// the subscriber's credential is.
//
// A header cannot hold control characters, line breaks among them: such a value
// is left out and named by the error, a [MetadataError], instead of failing the
// request. Other values are sent as UTF-8.
func (m Metadata) Headers() (http.Header, error) {
	h := http.Header{}
	var problems []FieldError
	for _, f := range fieldTable().fields {
		if len(f.headers) == 0 || !f.isSet(&m) {
			continue
		}
		value := ""
		if f.number != nil {
			value = formatNumber(**f.number(&m))
		} else {
			value = strings.TrimSpace(*f.text(&m))
		}
		if strings.ContainsFunc(value, notInHeader) {
			problems = append(problems, f.problem(value, "cannot be sent in a header: it has a control character", limits.Limit{}))
			continue
		}
		h[f.headers[0]] = []string{value}
	}
	return h, metadataError(problems)
}

// notInHeader says whether a header's value cannot have the character.
func notInHeader(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
