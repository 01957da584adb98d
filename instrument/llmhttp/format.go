// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import "strconv"

// A wire format is two tables: where its requests and its answers have what is
// wanted of them. Rows of apis name the two for each kind of call, and readers
// that know no format by name (requestReader, replyReader) work through them.

// A requestTable describes the requests of a wire format.
type requestTable struct {
	// wanted are the places in a request's body, JSON or a form, by the req...
	// fields.
	wanted *node
	// content are the places of what is asked, by the txt... fields; nil for none.
	content *node
}

// A replyTable describes the answers of a wire format. An answer is a sequence of
// JSON documents: one for a plain answer, one for each event, line, frame or
// element of a stream.
type replyTable struct {
	// wanted are the places in a document, by the rsp... fields and the counters.
	wanted *node
	// content are the places of what is answered, by the txt... fields; nil for none.
	content *node
	// kinds says what documents mean by their type or the name of their event.
	kinds map[string]kind
	// lines says that a body may be a sequence of documents, one per line.
	lines bool
	// frames says that a body may be frames of an AWS event stream; with chunks
	// their documents are in Base64, within another one.
	frames, chunks bool
	// cumulative says that the usages of a stream's documents complete each other,
	// count by count, instead of each one standing for itself.
	cumulative bool
	// settle takes in what is peculiar to the format of a whole document; nil for
	// nothing.
	settle func(r *replyReader)
	// tokens brings counts into the one model of tokens.
	tokens func(u *usage, q quirks) tokens
}

// kind is what a document of an answer is.
type kind uint8

const (
	kindOther kind = iota
	kindDone       // the mark of the end, which may hold the usage
	kindError
	kindImage // an image, whole
	kindIgnored
)

// failure is an error that a provider reports in a body.
type failure struct {
	code, kind, status string // the provider's words: code, type and status
	number             int    // a code that is a number, or a status code beside it
}

// errorType returns the value of error.type: the provider's code if it is a
// stable word, else its type, else its status, else "".
func (f *failure) errorType() string {
	if f == nil {
		return ""
	}
	for _, word := range [...]string{f.code, f.kind, f.status} {
		if stableWord(word) {
			return word
		}
	}
	return ""
}

// setNumber takes a number, also one written as a string ("401").
func (f *failure) setNumber(v value) {
	if v.long {
		return
	}
	if n, err := strconv.Atoi(string(v.raw)); err == nil && n >= 100 && n <= 599 {
		f.number = n
	}
}

const (
	maxWord   = 64
	maxDigits = 8 // more are an id rather than a word
)

// noWords look like words and say nothing. LiteLLM writes Python's None as a text.
var noWords = map[string]bool{"null": true, "None": true, "error": true}

// stableWord says whether s is a word that a provider would use for a kind of
// error, rather than a number, a sentence or an id.
func stableWord(s string) bool {
	if s == "" || len(s) > maxWord || noWords[s] {
		return false
	}
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case i == 0:
			return false
		case c == '_', c == '-', c == '.':
		case c >= '0' && c <= '9':
			digits++
		default:
			return false
		}
	}
	return digits <= maxDigits
}
