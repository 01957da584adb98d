// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"fmt"
	"net/http"
)

// openAI is how OpenAI speaks, and who is compatible with it.
var openAI = &dialect{
	headers: openAIHeaders,
	usual:   usualOpenAI,
	failure: func(_ *call, e Error) any { return object{{"error", openAIFailure(e)}} },
}

type openAIError struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

// openAIFailure writes e as OpenAI does.
func openAIFailure(e Error) openAIError {
	return openAIError{Message: e.Message, Type: e.Type, Param: optional(e.Param), Code: optional(e.Code)}
}

// usualOpenAI is what OpenAI says with a status.
func usualOpenAI(status int) Error {
	switch status {
	case http.StatusUnauthorized:
		return Error{Type: "invalid_request_error", Code: "invalid_api_key", Message: "Incorrect API key provided."}
	case http.StatusForbidden:
		return Error{Type: "invalid_request_error", Code: "unsupported_country_region_territory", Message: "Country, region, or territory not supported"}
	case http.StatusNotFound:
		return Error{Type: "invalid_request_error", Code: "model_not_found", Message: "The model does not exist or you do not have access to it."}
	case http.StatusTooManyRequests:
		return Error{Type: "requests", Code: "rate_limit_exceeded", Message: "Rate limit reached for requests."}
	}
	if status >= http.StatusInternalServerError || status == 0 {
		return Error{Type: "server_error", Message: "The server had an error while processing your request. Sorry about that!"}
	}
	return Error{Type: "invalid_request_error", Message: http.StatusText(status)}
}

func requestID(seq int) string { return fmt.Sprintf("req_%06d", seq) }

// openAIHeaders sets what OpenAI sends with each answer.
func openAIHeaders(h http.Header, c *call) {
	h.Set("X-Request-Id", requestID(c.seq))
	h.Set("Openai-Processing-Ms", "12")
	h.Set("Openai-Version", "2020-10-01")
}
