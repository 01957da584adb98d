// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

// A format understands the requests and answers of one wire format. A provider
// whose format is new is a format of its own and a row in the tables.
type format interface {
	// request returns a reader for one request.
	request() requestReader
	// response returns a reader for one answer. refused says that its status is
	// one of an error.
	response(t *target, refused bool) responseReader
}

// A requestReader finds the parameters of a call in its request's body.
type requestReader interface {
	sink
	wanted() *node
	// params returns what was found so far.
	params() *requestParams
}

// A responseReader finds out what an answer says. It gets an answer as a
// sequence of JSON documents: one for a plain answer, one for each event of a
// stream.
type responseReader interface {
	sink
	wanted() *node
	// begin is called before each document.
	begin()
	// end is called behind each document. event is the name of the server-sent
	// event that it came in, and whole says that it is complete: what an
	// incomplete one said may be wrong.
	end(event []byte, whole bool)
	// mark is a document that is no JSON, such as [DONE].
	mark(text []byte)
	// result returns what is known so far.
	result() *result
}

// requestParams is what a request's body asks for. Pointers are nil and strings
// empty where it says nothing.
type requestParams struct {
	model             string
	stream            bool
	choices           *int64
	maxTokens         *int64
	seed              *int64
	dimensions        *int64
	temperature, topP *float64
	frequencyPenalty  *float64
	presencePenalty   *float64
	stop              []string
	encoding          string
	serviceTier       string
	effort            string
	// plausible says that the body has what a request of this kind cannot do
	// without; it tells calls of unknown hosts from requests that only share
	// their path.
	plausible bool
}

// result is what an answer has said so far.
type result struct {
	id, model         string
	finish            []string
	tier, fingerprint string
	tokens            tokens
	// content says that some content of the answer has passed.
	content bool
	// done says that the answer's own mark of its end has passed, finished that
	// generation came to its end, whether or not a mark follows.
	done, finished bool
	// failure is set where the answer itself reports a failure.
	failure *failure
}

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

const (
	maxWord   = 64
	maxDigits = 8 // more are an id rather than a word
)

// stableWord says whether s is a word that a provider would use for a kind of
// error, rather than a number, a sentence or an id.
func stableWord(s string) bool {
	if s == "" || len(s) > maxWord || s == "null" || s == "error" {
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
