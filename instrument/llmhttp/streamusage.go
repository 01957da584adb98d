// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// mayAskForUsage says whether, and how, the request may be changed to ask for
// the usage of its stream.
func (e *exchange) mayAskForUsage() (splice, bool) {
	req, settings := e.original, e.transport.settings
	switch {
	case !e.transport.config.streamUsage, !e.target.streamUsage, !e.target.api.streamUsage, !e.call.IsRecording():
		return splice{}, false
	case req.GetBody == nil, isSigned(req.Header):
		return splice{}, false
	case !acceptsPlain(req.Header): // the chunk could not be taken out again
		return splice{}, false
	case settings.refusedUsage.has(e.usageKey()):
		return splice{}, false
	}
	return e.question.reader.options.askForUsage()
}

// acceptsPlain says that the caller did not ask for a compressed answer. What
// http.Transport asks for and unpacks by itself does not count.
func acceptsPlain(h http.Header) bool {
	encoding := strings.ToLower(strings.TrimSpace(h.Get("Accept-Encoding")))
	return encoding == "" || encoding == "identity"
}

// usageKey is by what a refusal to report usage is remembered: the host. Behind
// a LiteLLM proxy there are servers of many kinds, so there it is the model.
func (e *exchange) usageKey() string {
	if e.target.litellm {
		return e.target.hostPort + " " + e.model
	}
	return e.target.hostPort
}

// asking returns req, which has the caller's body, with the splice made in a
// body of its own.
func asking(req *http.Request, s splice) (*http.Request, error) {
	get := req.GetBody
	body, err := get()
	if err != nil {
		return nil, err
	}
	changed := req.Clone(req.Context())
	changed.Body = s.apply(body)
	changed.GetBody = func() (io.ReadCloser, error) {
		body, err := get()
		if err != nil {
			return nil, err
		}
		return s.apply(body), nil
	}
	if changed.ContentLength > 0 {
		changed.ContentLength += s.growth()
	}
	return changed, nil
}

// refusesStreamOptions says whether an answer is that of a server which does not
// know stream_options.
func refusesStreamOptions(resp *http.Response) bool {
	if resp.StatusCode != http.StatusBadRequest && resp.StatusCode != http.StatusUnprocessableEntity ||
		resp.Body == nil || resp.Body == http.NoBody {
		return false
	}
	ahead := readAhead(resp.Body)
	resp.Body = ahead
	text := ahead.beginning()
	return bytes.Contains(text, []byte("stream_options")) || bytes.Contains(text, []byte("include_usage"))
}
