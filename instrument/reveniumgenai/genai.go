// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumgenai

import (
	"context"

	"google.golang.org/genai"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
)

// NewClient is [genai.NewClient] for a client whose calls are metered. Unlike
// there, config is not changed; nil is allowed. The options are those of
// [llmhttp.NewTransport].
func NewClient(ctx context.Context, config *genai.ClientConfig, opts ...llmhttp.Option) (*genai.Client, error) {
	var own genai.ClientConfig
	if config != nil {
		own = *config
	}
	if own.HTTPClient != nil {
		own.HTTPClient = llmhttp.Client(own.HTTPClient, opts...)
		return genai.NewClient(ctx, &own)
	}
	client, err := genai.NewClient(ctx, &own)
	if err != nil {
		return nil, err
	}
	// Made just now for this client alone, with the credentials in its transport.
	made := client.ClientConfig().HTTPClient
	made.Transport = llmhttp.NewTransport(made.Transport, opts...)
	return client, nil
}
