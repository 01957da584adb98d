// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumgoopenai

import (
	"github.com/sashabaranov/go-openai"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
)

// WithMetering returns config with a client for HTTP that meters calls and sends
// them with the one that config has. The options are those of
// [llmhttp.NewTransport].
func WithMetering(config openai.ClientConfig, opts ...llmhttp.Option) openai.ClientConfig {
	config.HTTPClient = llmhttp.WrapDoer(config.HTTPClient, opts...)
	return config
}
