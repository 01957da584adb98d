// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
)

type errorBody struct {
	Error errorObject `json:"error"`
}

type errorObject struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

// usual is what OpenAI says with a status.
func usual(status int) Error {
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

func (e *Error) status() int { return cmp.Or(e.Status, http.StatusInternalServerError) }

// marshal writes e as OpenAI does. LiteLLM gives the status as the code.
func (e *Error) marshal(litellm bool) ([]byte, error) {
	u := usual(e.Status)
	code := cmp.Or(e.Code, u.Code)
	if e.Type != "" { // the usual code belongs to the usual type
		code = e.Code
	}
	if litellm {
		code = cmp.Or(e.Code, strconv.Itoa(e.status()))
	}
	return json.Marshal(errorBody{errorObject{
		Message: cmp.Or(e.Message, u.Message),
		Type:    cmp.Or(e.Type, u.Type),
		Param:   optional(e.Param),
		Code:    optional(code),
	}})
}
