// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import "net/http"

// Client returns a copy of client whose calls are metered: its transport is a
// [Transport] around the client's own. Timeout, cookies and the handling of
// redirects stay. A nil client counts as an empty one.
//
// It is for SDKs that take an *http.Client or an interface with its method Do.
// Idle connections are shared with the client that was copied.
func Client(client *http.Client, opts ...Option) *http.Client {
	var metered http.Client
	if client != nil {
		metered = *client
	}
	metered.Transport = NewTransport(metered.Transport, opts...)
	return &metered
}

// Doer is what most SDKs ask of an HTTP client. *http.Client is one.
type Doer interface {
	Do(req *http.Request) (*http.Response, error)
}

// WrapDoer returns a Doer whose calls are metered and which sends them with doer;
// of an *http.Client that is what [Client] returns. A nil doer counts as an empty
// client.
func WrapDoer(doer Doer, opts ...Option) Doer {
	switch doer := doer.(type) {
	case nil:
		return Client(nil, opts...)
	case *http.Client:
		return Client(doer, opts...)
	default:
		return meteredDoer{NewTransport(roundTripFunc(doer.Do), opts...)}
	}
}

type meteredDoer struct{ transport *Transport }

// Do implements [Doer].
func (d meteredDoer) Do(req *http.Request) (*http.Response, error) { return d.transport.RoundTrip(req) }

// Middleware returns a function that makes a span of every model call that goes
// through it, as a [Transport] does, and has next send the request.
//
// It is for SDKs that take middleware of this form, as those of OpenAI and
// Anthropic do, and leaves the choice of their HTTP client alone.
func Middleware(opts ...Option) func(req *http.Request, next func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	transport := NewTransport(nil, opts...)
	return func(req *http.Request, next func(*http.Request) (*http.Response, error)) (*http.Response, error) {
		through := *transport // shares what is learnt about hosts
		through.base = roundTripFunc(next)
		return through.RoundTrip(req)
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
