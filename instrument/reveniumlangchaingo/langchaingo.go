// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumlangchaingo

import (
	"net/http"

	"github.com/tmc/langchaingo/httputil"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
)

// Client returns a client for HTTP whose calls are metered and which sends them as
// LangChainGo's own does. It is what the WithHTTPClient of openai, anthropic,
// ollama and other providers takes. The options are those of
// [llmhttp.NewTransport].
func Client(opts ...llmhttp.Option) *http.Client {
	return llmhttp.Client(httputil.DefaultClient, opts...)
}

// ClientWithKey is [Client] for Google's Gemini API: requests get the API key,
// which Google's library leaves out when it is given a client. It is for
// googleai.WithHTTPClient, together with googleai.WithRest.
func ClientWithKey(key string, opts ...llmhttp.Option) *http.Client {
	return llmhttp.Client(&http.Client{
		Transport: &httputil.ApiKeyTransport{Transport: httputil.DefaultTransport, APIKey: key},
	}, opts...)
}
