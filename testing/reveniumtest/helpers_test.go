// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

const testKey = "rev_mk_test_1234567890"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fields is a record that is being written.
type fields map[string]any

// with returns a copy with changes; the value removed takes a field out.
func (f fields) with(changes fields) fields {
	out := maps.Clone(f)
	for k, v := range changes {
		if v == removed {
			delete(out, k)
			continue
		}
		out[k] = v
	}
	return out
}

type removal struct{}

var removed = removal{}

func (f fields) json(tb testing.TB) []byte {
	tb.Helper()
	b, err := json.Marshal(f)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func completion(id string) fields {
	return fields{
		"model": "gpt-4o", "provider": "OpenAI",
		"inputTokenCount": 12, "outputTokenCount": 5, "totalTokenCount": 17,
		"requestTime": "2026-11-24T10:00:00.000Z", "completionStartTime": "2026-11-24T10:00:00.250Z",
		"responseTime": "2026-11-24T10:00:01.500Z", "requestDuration": 1500,
		"stopReason": "END", "transactionId": id, "isStreamed": true, "costType": "AI",
	}
}

// fullCompletion is a completion as large as they usually are.
func fullCompletion(id string) []byte {
	return []byte(`{"model":"gpt-4o-2024-08-06","provider":"OpenAI","inputTokenCount":1200,"outputTokenCount":90,"totalTokenCount":1290,` +
		`"cacheReadTokenCount":1024,"reasoningTokenCount":64,"requestTime":"2026-11-24T10:00:00.000Z",` +
		`"completionStartTime":"2026-11-24T10:00:00.250Z","responseTime":"2026-11-24T10:00:01.500Z","requestDuration":1500,` +
		`"timeToFirstToken":250,"stopReason":"END","transactionId":"` + id + `","traceId":"0af7651916cd43dd8448eb211c80319c",` +
		`"parentTransactionId":"0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7","isStreamed":true,"costType":"AI",` +
		`"operationType":"CHAT","organizationName":"Tulip Trading","productName":"Assistant","taskType":"summary",` +
		`"agent":"support","environment":"production","region":"eu-west-1","middlewareSource":"revenium-otel-go",` +
		`"subscriber":{"id":"u-17","email":"ann@example.com","credential":{"name":"prod"}}}`)
}

// post sends body as a well-behaved client does; change may spoil the request.
func post(tb testing.TB, s *Server, path string, body []byte, change ...func(*http.Request)) (int, string, http.Header) {
	tb.Helper()
	resp, err := send(tb, s, path, body, change...)
	if err != nil {
		tb.Fatal(err)
	}
	return resp.status, resp.body, resp.header
}

type response struct {
	status int
	body   string
	header http.Header
	proto  int
}

func send(tb testing.TB, s *Server, path string, body []byte, change ...func(*http.Request)) (response, error) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, s.URL()+path, bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("X-Api-Key", testKey)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", "key-"+strings.ReplaceAll(parse(body, nil).text("transactionId"), " ", ""))
	for _, c := range change {
		c(req)
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		return response{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return response{resp.StatusCode, string(b), resp.Header, resp.ProtoMajor}, err
}

// header sets a header, or removes it.
func header(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Del(name)
		for _, v := range values {
			r.Header.Add(name, v)
		}
	}
}
