// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// discard makes spans record and keeps none.
type discard struct{}

func (discard) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (discard) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (discard) Shutdown(context.Context) error                  { return nil }
func (discard) ForceFlush(context.Context) error                { return nil }

// stub is a base transport that answers with body at once.
func stub(contentType string, body []byte) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {contentType}}, ContentLength: int64(len(body)),
			Body: io.NopCloser(bytes.NewReader(body)), Request: req,
		}, nil
	})
}

func benchmark(b *testing.B, rt http.RoundTripper, url, body string) {
	b.Helper()
	buf := make([]byte, 4<<10)
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		resp, err := rt.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.CopyBuffer(writerFunc(func([]byte) {}), resp.Body, buf); err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}

func benchTransport(base http.RoundTripper) *Transport {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(discard{}))
	return NewTransport(base, WithTracerProvider(provider))
}

// What a call costs: bare, through the transport, and through it when it is none.
func BenchmarkCall(b *testing.B) {
	base := stub("application/json", []byte(chatAnswer))
	b.Run("bare", func(b *testing.B) { benchmark(b, base, chatURL, chatBody) })
	b.Run("metered", func(b *testing.B) { benchmark(b, benchTransport(base), chatURL, chatBody) })
	b.Run("other", func(b *testing.B) { benchmark(b, benchTransport(base), "http://api.openai.com/v1/files", chatBody) })
}

const benchChunks = 10_000

func benchStream() []byte {
	var stream bytes.Buffer
	stream.WriteString(roleChunk)
	for range benchChunks {
		stream.WriteString(chunk(" token"))
	}
	stream.WriteString(finishChunk + usageEvent + doneEvent)
	return stream.Bytes()
}

// What a chunk of a stream costs: ns/op and allocs/op are of 10,000.
func BenchmarkStream(b *testing.B) {
	base := stub("text/event-stream", benchStream())
	run := func(name string, rt http.RoundTripper, body string) {
		b.Run(name, func(b *testing.B) {
			benchmark(b, rt, chatURL, body)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchChunks, "ns/chunk")
		})
	}
	run("bare", base, askingBody)
	run("metered", benchTransport(base), askingBody)
	run("hiding", benchTransport(base), streamBody)
}

// What it costs to skip what nobody wants.
func BenchmarkScanner(b *testing.B) {
	for name, piece := range map[string]string{
		"string":  `"` + strings.Repeat("QUJD", 1<<18) + `"`,
		"numbers": "[" + strings.Repeat("-0.0123456,", 1<<16) + "1]",
	} {
		b.Run(name, func(b *testing.B) {
			text := []byte(`{"data":` + piece + `,"id":"x"}`)
			var found findings
			s := newScanner(testTree, &found)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				found = found[:0]
				s.reset()
				s.write(text)
			}
		})
	}
}

// The memory of a stream does not depend on its length.
func TestStreamMemoryStaysFlat(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates by itself")
	}
	stream := benchStream()
	for name, body := range map[string]string{"metered": askingBody, "hiding": streamBody} {
		rt := benchTransport(stub("text/event-stream", stream))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, chatURL, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4<<10)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		if _, err := io.CopyBuffer(writerFunc(func([]byte) {}), resp.Body, buf); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		_ = resp.Body.Close()
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 {
			t.Errorf("%s: a stream of %d chunks allocated %d bytes", name, benchChunks, grown)
		}
	}
}
