// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumbedrock

import (
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
)

// WithMetering meters the calls of a client, or a single call. Given more than
// once, the last one counts. An option that sets Options.HTTPClient must come
// before it. The options are those of [llmhttp.NewTransport].
func WithMetering(opts ...llmhttp.Option) func(*bedrockruntime.Options) {
	return func(o *bedrockruntime.Options) {
		o.HTTPClient = llmhttp.WrapDoer(o.HTTPClient, opts...)
	}
}
