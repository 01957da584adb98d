// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumeino

import (
	"net/http"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
)

// Client returns a copy of client whose calls are metered, for the HTTPClient of
// the configuration of a model. A nil client counts as an empty one. Eino ignores
// the Timeout of such a configuration: set the client's. The options are those of
// [llmhttp.NewTransport].
func Client(client *http.Client, opts ...llmhttp.Option) *http.Client {
	return llmhttp.Client(client, opts...)
}
