// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

const chatRequest = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Why meter LLM calls?"}],"temperature":0.2}`

const chatAnswer = `{"id":"chatcmpl-ANSWERID","object":"chat.completion","created":1764000000,"model":"gpt-4o-mini-2024-07-18",` +
	`"choices":[{"index":0,"message":{"role":"assistant","content":"Because every cent has a trace id."},"finish_reason":"stop"}],` +
	`"usage":{"prompt_tokens":14,"completion_tokens":9,"total_tokens":23,"prompt_tokens_details":{"cached_tokens":0},` +
	`"completion_tokens_details":{"reasoning_tokens":0}},"service_tier":"default","system_fingerprint":"fp_1"}`

// answerID stands in the answers for the id of each call: calls with one id would be
// one call.
const answerID = "chatcmpl-ANSWERID"

// stub is an LLM provider that takes a millisecond to answer. It notes how long
// it really took, so that what is measured around it is the transport alone.
type stub struct {
	answer      string
	contentType string
	took        time.Duration
	calls       int
}

func (s *stub) RoundTrip(req *http.Request) (*http.Response, error) {
	start := time.Now()
	if req.Body != nil {
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return nil, err
		}
		if err := req.Body.Close(); err != nil {
			return nil, err
		}
	}
	s.calls++
	answer := strings.ReplaceAll(s.answer, answerID, fmt.Sprintf("chatcmpl-%08d", s.calls))
	time.Sleep(time.Millisecond)
	resp := &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {s.contentType}},
		Body:          io.NopCloser(strings.NewReader(answer)),
		ContentLength: int64(len(answer)),
		Request:       req,
	}
	s.took = time.Since(start)
	return resp, nil
}

// streamAnswer is a stream of n pieces of text and the usage.
func streamAnswer(n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(`data: {"id":"chatcmpl-ANSWERID","object":"chat.completion.chunk","created":1764000000,"model":"gpt-4o-mini-2024-07-18",` +
			`"choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}],"usage":null}` + "\n\n")
	}
	b.WriteString(`data: {"id":"chatcmpl-ANSWERID","object":"chat.completion.chunk","created":1764000000,"model":"gpt-4o-mini-2024-07-18",` +
		`"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}` + "\n\n")
	fmt.Fprintf(&b, `data: {"id":"chatcmpl-ANSWERID","object":"chat.completion.chunk","created":1764000000,"model":"gpt-4o-mini-2024-07-18",`+
		`"choices":[],"usage":{"prompt_tokens":14,"completion_tokens":%d,"total_tokens":%d}}`+"\n\ndata: [DONE]\n\n", n, n+14)
	return b.String()
}

// BenchmarkTransport is the latency that the transport, the span and the
// processor add around a call to a provider that answers after 1 ms: the time
// from the request to the end of the body, less the time that the provider
// itself took.
func BenchmarkTransport(b *testing.B) {
	for _, bench := range []struct {
		name, contentType, request, answer string
		spanOnly                           bool // nothing is done with the span
		apart                              time.Duration
	}{
		{"chat", "application/json", chatRequest, chatAnswer, false, 0},
		// So far that the processor's goroutine has to be woken for each.
		{"chat-apart", "application/json", chatRequest, chatAnswer, false, 10 * time.Millisecond},
		{"chat-span-only", "application/json", chatRequest, chatAnswer, true, 0},
		{"stream100", "text/event-stream", strings.Replace(chatRequest, "{", `{"stream":true,"stream_options":{"include_usage":true},`, 1), streamAnswer(100), false, 0},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var opts []sdktrace.TracerProviderOption
			if !bench.spanOnly {
				revenium := reveniumtest.Start(b, reveniumtest.WithRecordLimit(0))
				opts = append(opts, sdktrace.WithSpanProcessor(newProcessor(b, revenium.URL())))
			}
			provider := sdktrace.NewTracerProvider(opts...)
			defer func() {
				if err := provider.Shutdown(b.Context()); err != nil {
					b.Error(err)
				}
			}()
			inner := &stub{answer: bench.answer, contentType: bench.contentType}
			transport := llmhttp.NewTransport(inner, llmhttp.WithTracerProvider(provider))

			var bare, metered, provided []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				time.Sleep(bench.apart)
				bare = append(bare, exchange(b, inner, bench.request)-inner.took)
				provided = append(provided, inner.took)
				metered = append(metered, exchange(b, transport, bench.request)-inner.took)
			}
			b.StopTimer()
			report(b, bare, metered)
			call := quantile(provided, 0.5) + quantile(bare, 0.5)
			b.ReportMetric(float64(call+quantile(metered, 0.5)-quantile(bare, 0.5))/float64(call), "x-bare")
		})
	}
}

// exchange makes one call and reads the answer to its end.
func exchange(b *testing.B, rt http.RoundTripper, body string) time.Duration {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "https://api.openai.com/v1/chat/completions", bytes.NewReader([]byte(body)))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	start := time.Now()
	resp, err := rt.RoundTrip(req)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		b.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

func report(b *testing.B, bare, metered []time.Duration) {
	b.Helper()
	for _, q := range []struct {
		name string
		at   float64
	}{{"p50", 0.50}, {"p99", 0.99}} {
		added := quantile(metered, q.at) - quantile(bare, q.at)
		b.ReportMetric(float64(added)/float64(time.Microsecond), "added-µs-"+q.name)
	}
}

func quantile(durations []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[int(q*float64(len(sorted)-1))]
}
