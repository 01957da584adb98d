// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/semconv"
)

// A requestIDHeader is a header of answers with the id by which the support of a
// provider, or whoever runs a gateway, finds a request. Failures often have no
// other id.
type requestIDHeader struct {
	name string // as http.Header has it
	key  attribute.Key
}

var (
	requestIDHeaders = newRequestIDHeaders("",
		"X-Request-Id",     // OpenAI, Azure OpenAI, Groq, xAI and most compatible servers
		"Request-Id",       // Anthropic
		"X-Amzn-Requestid", // Bedrock
		"Apim-Request-Id",  // Azure
		"X-Debug-Trace-Id", // Cohere
		"X-Ds-Trace-Id",    // DeepSeek
		"Mistral-Correlation-Id",
		"X-Kong-Request-Id", // Mistral
		"X-Generation-Id",   // OpenRouter
		headerLiteLLMCallID,
	)
	// litellmRequestIDHeaders are those of the provider behind a LiteLLM proxy.
	litellmRequestIDHeaders = newRequestIDHeaders("Llm_provider-",
		"X-Request-Id", "Request-Id", "X-Amzn-Requestid", "Apim-Request-Id", "X-Debug-Trace-Id", "X-Ds-Trace-Id", "Mistral-Correlation-Id",
	)
)

func newRequestIDHeaders(prefix string, names ...string) []requestIDHeader {
	headers := make([]requestIDHeader, len(names))
	for i, name := range names {
		name = http.CanonicalHeaderKey(prefix + name)
		headers[i] = requestIDHeader{name, attribute.Key(semconv.HTTPResponseHeaderPrefix + strings.ToLower(name))}
	}
	return headers
}

// maxRequestID is far above the length of any id.
const maxRequestID = 256

// requestIDs appends the ids that an answer has.
func requestIDs(to attributeList, h http.Header, litellm bool) attributeList {
	to = idsIn(to, h, requestIDHeaders)
	if litellm {
		to = idsIn(to, h, litellmRequestIDHeaders)
	}
	return to
}

func idsIn(to attributeList, h http.Header, headers []requestIDHeader) attributeList {
	for i := range headers {
		header := &headers[i]
		values := h[header.name]
		length := 0
		for _, value := range values {
			length += len(value)
		}
		if length > 0 && length <= maxRequestID {
			to = append(to, header.key.StringSlice(values))
		}
	}
	return to
}
