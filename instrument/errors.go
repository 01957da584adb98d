// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
)

// Values of error.type for failures that are no answer of the provider. An
// exporter of metering records tells a cancelled call and one that ran out of
// time from an ordinary error by the first two.
const (
	// ErrorTypeCanceled is for a call whose caller lost interest: its context
	// was cancelled, or the answer was closed before its end.
	ErrorTypeCanceled = "context_canceled"
	// ErrorTypeTimeout is for a call that ran out of time, by whoever's clock.
	ErrorTypeTimeout = "timeout"
	// ErrorTypeConnectionRefused, ErrorTypeConnectionReset,
	// ErrorTypeNameResolution and ErrorTypeTLS are failures to talk to the server.
	ErrorTypeConnectionRefused = "connection_refused"
	ErrorTypeConnectionReset   = "connection_reset"
	ErrorTypeNameResolution    = "name_resolution_error"
	ErrorTypeTLS               = "tls_error"
	// ErrorTypeUnexpectedEOF is for an answer that was cut before its end.
	ErrorTypeUnexpectedEOF = "unexpected_eof"
	// ErrorTypeOther is for everything else; the word is the one of the
	// OpenTelemetry conventions.
	ErrorTypeOther = "_OTHER"
)

// Error is an error that knows its kind: what [Call.End] wants to be told where
// an SDK's own error type means nothing to it.
type Error struct {
	// Type is the value for error.type: a stable word such as the provider's
	// error code ("rate_limit_exceeded"). "" lets the status code, then Err decide.
	Type string
	// StatusCode is the HTTP status code of the provider's answer; 0 for none.
	StatusCode int
	// Err is the error itself; it may be nil.
	Err error

	_ struct{}
}

// Error implements error.
func (e *Error) Error() string {
	switch {
	case e.Err != nil:
		return e.Err.Error()
	case e.StatusCode != 0:
		return "provider answered " + describe(e, ErrorType(e))
	default:
		return "call failed: " + ErrorType(e)
	}
}

// Unwrap returns the error that e is about.
func (e *Error) Unwrap() error { return e.Err }

// ErrorType returns the value of error.type for err: a word of few, which never
// holds text from outside. It is "" for nil.
//
// An [*Error] in err's chain decides first, then what the error is: cancelled
// context, timeout, network failure. Any other error is [ErrorTypeOther].
func ErrorType(err error) string {
	if err == nil {
		return ""
	}
	if typed, ok := errors.AsType[*Error](err); ok {
		switch {
		case typed.Type != "":
			return typed.Type
		case typed.StatusCode != 0:
			return strconv.Itoa(typed.StatusCode)
		}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return ErrorTypeCanceled
	case isTimeout(err):
		return ErrorTypeTimeout
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return ErrorTypeUnexpectedEOF
	}
	return networkErrorType(err)
}

func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

func networkErrorType(err error) string {
	var (
		dns         *net.DNSError
		record      tls.RecordHeaderError
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		invalid     x509.CertificateInvalidError
		alert       tls.AlertError
	)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return ErrorTypeConnectionRefused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return ErrorTypeConnectionReset
	case errors.As(err, &dns):
		return ErrorTypeNameResolution
	case errors.As(err, &record), errors.As(err, &certificate), errors.As(err, &authority),
		errors.As(err, &hostname), errors.As(err, &invalid), errors.As(err, &alert):
		return ErrorTypeTLS
	default:
		return ErrorTypeOther
	}
}

// statusCode returns the HTTP status code that err knows, or 0.
func statusCode(err error) int {
	if typed, ok := errors.AsType[*Error](err); ok {
		return typed.StatusCode
	}
	return 0
}

// describe is the span's status description: for people, of few words, and free
// of the error's text, in which providers echo prompts and parts of keys.
func describe(err error, kind string) string {
	status := statusCode(err)
	if status == 0 {
		return kind
	}
	code := strconv.Itoa(status)
	text := code
	if name := http.StatusText(status); name != "" {
		text += " " + name
	}
	if kind != code {
		text += ": " + kind
	}
	return text
}
