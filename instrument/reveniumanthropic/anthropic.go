// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumanthropic

import (
	"net/http"
	"strings"

	"github.com/anthropics/anthropic-sdk-go/option"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/semconv"
)

// WithMetering meters the calls of a client, a service or a single call, and
// turns the client's own spans off. Given more than once, the first one counts.
// The options are those of [llmhttp.NewTransport].
func WithMetering(opts ...llmhttp.Option) option.RequestOption {
	return option.Join(
		option.WithMiddleware(skipOwnSpan),
		option.WithMiddleware(llmhttp.Middleware(opts...)), //nolint:bodyclose // there is no answer yet
		option.WithoutOpenTelemetry(),
	)
}

// ownSpanPrefix begins the names of the client's own spans
// ("anthropic.messages.create").
const ownSpanPrefix = "anthropic."

// skipOwnSpan marks the span that the client has made of the call itself, where
// its user has turned those on again, as one that is not to be billed: the span of
// the attempt is.
func skipOwnSpan(req *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	if call, ok := llmhttp.Recognize(req); ok && call.Billable {
		span := trace.SpanFromContext(req.Context())
		if named, ok := span.(interface{ Name() string }); ok && strings.HasPrefix(named.Name(), ownSpanPrefix) {
			span.SetAttributes(semconv.ReveniumMeteringSkip(true))
		}
	}
	return next(req)
}
