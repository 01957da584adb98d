// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumollama

import (
	"net/http"
	"net/url"

	"github.com/ollama/ollama/api"
	"github.com/ollama/ollama/envconfig"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
)

// NewClient is [api.NewClient] for a client whose calls are metered. A nil client
// for HTTP counts as an empty one. The options are those of
// [llmhttp.NewTransport].
func NewClient(base *url.URL, client *http.Client, opts ...llmhttp.Option) *api.Client {
	return api.NewClient(base, llmhttp.Client(client, opts...))
}

// ClientFromEnvironment is [api.ClientFromEnvironment], which reads OLLAMA_HOST,
// for a client whose calls are metered.
func ClientFromEnvironment(opts ...llmhttp.Option) (*api.Client, error) {
	return NewClient(envconfig.Host(), http.DefaultClient, opts...), nil
}
