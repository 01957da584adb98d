// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"net/http"
)

// dialect is how a provider speaks apart from its answers: headers, errors and the reasons for which a model stops.
type dialect struct {
	// headers sets what every answer has.
	headers func(h http.Header, c *call)
	// usual is what the provider says with a status where the script does not.
	usual func(status int) Error
	// failure is the body of an error answer.
	failure func(c *call, e Error) any
	// failureHeaders sets what only errors have; may be nil.
	failureHeaders func(h http.Header, e Error)
	// streamFailure is the event that tells of an error in the middle of a stream; nil: the body of an error answer
	// in an event without a name.
	streamFailure func(c *call, e Error) (name string, doc any)
	// finish translates OpenAI's finish reasons; words that it does not have stay as they are.
	finish map[string]string
}

// resolve fills in what e leaves open.
func (d *dialect) resolve(e *Error) Error {
	out := *e
	u := d.usual(e.Status)
	if e.Type == "" { // the usual code belongs to the usual type
		out.Code = cmp.Or(e.Code, u.Code)
	}
	out.Status = cmp.Or(e.Status, http.StatusInternalServerError)
	out.Type = cmp.Or(e.Type, u.Type)
	out.Message = cmp.Or(e.Message, u.Message)
	return out
}

// finishReason is the provider's word for why a choice ended.
func (d *dialect) finishReason(word string) string { return cmp.Or(d.finish[word], word) }

// serverError is what a dialect's words for a status fall back to: a word for the client's mistakes, one for the
// server's.
func serverError(status int, client, server string) string {
	if status >= http.StatusInternalServerError || status == 0 {
		return server
	}
	return client
}
