// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumopenai

import (
	"github.com/openai/openai-go/v3/option"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
)

// WithMetering meters the calls of a client, a service or a single call. Given
// more than once, the first one counts. The options are those of
// [llmhttp.NewTransport].
func WithMetering(opts ...llmhttp.Option) option.RequestOption {
	return option.WithMiddleware(llmhttp.Middleware(opts...))
}
