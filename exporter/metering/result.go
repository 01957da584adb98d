// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Outcome says what became of an attempt to deliver a record.
type Outcome uint8

// The outcomes. The zero value is none of them.
const (
	// Delivered: the service has accepted the record (2xx).
	Delivered Outcome = iota + 1
	// Duplicate: the service knows the record already, from an earlier attempt
	// with another body (409 idempotency_key_mismatch). It counts as recorded.
	Duplicate
	// Retry: there was no final answer. The same bytes can be sent again, not
	// before [Result.RetryAfter].
	Retry
	// Unauthorized: the service does not accept the API key (401, 403), or the
	// key is not one that can be sent. The record itself is well.
	Unauthorized
	// Rejected: the service refuses this record for good.
	Rejected
)

// String is the name in lower case.
func (o Outcome) String() string {
	switch o {
	case Delivered:
		return "delivered"
	case Duplicate:
		return "duplicate"
	case Retry:
		return "retry"
	case Unauthorized:
		return "unauthorized"
	case Rejected:
		return "rejected"
	default:
		return fmt.Sprintf("Outcome(%d)", uint8(o))
	}
}

// Result is the answer to one attempt.
type Result struct {
	Outcome Outcome
	// StatusCode is the HTTP status; 0 if there was no answer.
	StatusCode int
	// RetryAfter is the delay that the service asks for, at most an hour; 0 if it
	// asks for none.
	RetryAfter time.Duration
	// Code and Message are what the service says about a failure: shortened, and
	// without the API key and the credential of the record.
	Code, Message string
	// Err is nil if the record was delivered. It is a [*StatusError] if there was
	// an answer, else it says why there was none.
	Err error
}

// StatusError is an answer other than 2xx.
type StatusError struct {
	// StatusCode is the HTTP status.
	StatusCode int
	// Code and Message are those of the [Result].
	Code, Message string
}

// Error gives the status and what the service said.
func (e *StatusError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "metering: service answered %d", e.StatusCode)
	if text := http.StatusText(e.StatusCode); text != "" {
		b.WriteString(" " + text)
	}
	for _, s := range []string{e.Code, e.Message} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	return b.String()
}
