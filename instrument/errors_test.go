// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"go.opentelemetry.io/otel/codes"

	"github.com/revenium/revenium-otel-go/instrument"
)

func TestErrorType(t *testing.T) {
	wrap := func(err error) error {
		return fmt.Errorf("secret: %w", &url.Error{Op: "Post", URL: "https://llm.example.com?key=secret", Err: err})
	}
	tests := []struct {
		name        string
		err         error
		want        string
		description string // "" for the type itself
		status      int
	}{
		{name: "cancelled", err: context.Canceled, want: "context_canceled"},
		{name: "deadline", err: context.DeadlineExceeded, want: "timeout"},
		{name: "network timeout", err: &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, want: "timeout"},
		{name: "any timeout", err: slow{}, want: "timeout"},
		{name: "refused", err: &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, want: "connection_refused"},
		{name: "reset", err: &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, want: "connection_reset"},
		{name: "broken pipe", err: &net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}, want: "connection_reset"},
		{name: "no such host", err: &net.DNSError{Name: "secret.example.com", IsNotFound: true}, want: "name_resolution_error"},
		{name: "slow name server", err: &net.DNSError{Name: "x", IsTimeout: true}, want: "timeout"},
		{name: "certificate", err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, want: "tls_error"},
		{name: "host name of the certificate", err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}, want: "tls_error"},
		{name: "no TLS", err: tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, want: "tls_error"},
		{name: "alert", err: tls.AlertError(40), want: "tls_error"},
		{name: "cut", err: io.ErrUnexpectedEOF, want: "unexpected_eof"},
		{name: "ended", err: io.EOF, want: "unexpected_eof"},
		{name: "unknown", err: errors.New("secret"), want: "_OTHER"},
		{name: "the provider's word", err: &instrument.Error{Type: "rate_limit_exceeded", StatusCode: 429, Err: io.EOF}, want: "rate_limit_exceeded", description: "429 Too Many Requests: rate_limit_exceeded", status: 429},
		{name: "a status", err: &instrument.Error{StatusCode: 503}, want: "503", description: "503 Service Unavailable", status: 503},
		{name: "a status without a name", err: &instrument.Error{StatusCode: 529}, want: "529", description: "529", status: 529},
		{name: "nothing but an error", err: &instrument.Error{Err: context.DeadlineExceeded}, want: "timeout"},
		{name: "nothing at all", err: &instrument.Error{}, want: "_OTHER"},
	}
	for _, tt := range tests {
		for _, err := range []error{tt.err, wrap(tt.err)} {
			t.Run(tt.name, func(t *testing.T) {
				if got := instrument.ErrorType(err); got != tt.want {
					t.Errorf("type %q, want %q", got, tt.want)
				}
				provider, recorder := newRecorder()
				_, call := instrument.StartCall(t.Context(), instrument.CallParams{}, instrument.WithTracerProvider(provider))
				call.End(err)
				span, attributes := only(t, recorder)
				description := tt.description
				if description == "" {
					description = tt.want
				}
				if status := span.Status(); status.Code != codes.Error || status.Description != description {
					t.Errorf("status %v, want %q", status, description)
				}
				if attributes["error.type"] != tt.want {
					t.Errorf("error.type %v", attributes["error.type"])
				}
				if got, _ := attributes["http.response.status_code"].(int64); got != int64(tt.status) {
					t.Errorf("status code %v, want %d", got, tt.status)
				}
				if text := fmt.Sprint(attributes, span.Status(), span.Events()); strings.Contains(text, "secret") {
					t.Errorf("the error's text is on the span: %s", text)
				}
			})
		}
	}
	if got := instrument.ErrorType(nil); got != "" {
		t.Errorf("no error is of type %q", got)
	}
}

type slow struct{}

func (slow) Error() string { return "slow" }
func (slow) Timeout() bool { return true }

func TestErrorText(t *testing.T) {
	tests := []struct {
		err  *instrument.Error
		want string
	}{
		{&instrument.Error{Type: "x", Err: io.EOF}, "EOF"},
		{&instrument.Error{Type: "overloaded", StatusCode: 503}, "provider answered 503 Service Unavailable: overloaded"},
		{&instrument.Error{Type: "overloaded"}, "call failed: overloaded"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	if !errors.Is(&instrument.Error{Err: io.EOF}, io.EOF) {
		t.Error("the error does not unwrap")
	}
}
