// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

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
	read := reading(b, rt, url, body)
	b.ReportAllocs()
	for b.Loop() {
		read()
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

// perChunk measures what a chunk of a stream of 10,000 costs, and the same read
// without the transport, by turns: what else the machine does meets both alike.
// x-bare is the one time over the other; of a stream in memory the bare one is
// copying alone.
func perChunk(b *testing.B, bare, metered func()) {
	b.Helper()
	var spent, bareSpent time.Duration
	for b.Loop() {
		start := time.Now()
		bare()
		middle := time.Now()
		metered()
		spent, bareSpent = spent+time.Since(middle), bareSpent+middle.Sub(start)
	}
	allocs := testing.AllocsPerRun(1, metered) - testing.AllocsPerRun(1, bare)
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "ns/op")
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N)/benchChunks, "ns/chunk")
	b.ReportMetric(float64(bareSpent.Nanoseconds())/float64(b.N)/benchChunks, "bare-ns/chunk")
	b.ReportMetric(allocs/benchChunks, "allocs/chunk")
	b.ReportMetric(float64(spent)/float64(bareSpent), "x-bare")
}

// reading returns what reads the answer to a request as a client would.
func reading(tb testing.TB, rt http.RoundTripper, url, body string) func() {
	tb.Helper()
	buf := make([]byte, 4<<10)
	return func() {
		req, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			tb.Fatal(err)
		}
		resp, err := rt.RoundTrip(req)
		if err != nil {
			tb.Fatal(err)
		}
		readAll(tb, resp.Body, buf)
		_ = resp.Body.Close()
	}
}

// readAll reads by the buffer, also from a reader that could give all at once.
func readAll(tb testing.TB, from io.Reader, buf []byte) {
	tb.Helper()
	if _, err := io.CopyBuffer(writerFunc(func([]byte) {}), struct{ io.Reader }{from}, buf); err != nil {
		tb.Fatal(err)
	}
}

// overLoopback is a base transport to a server that sends a stream chunk by chunk,
// whatever host is asked.
func overLoopback(b *testing.B, stream []byte) http.RoundTripper {
	b.Helper()
	events := bytes.SplitAfter(stream, []byte("\n\n"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		flusher := http.NewResponseController(w)
		for _, event := range events {
			_, _ = w.Write(event)
			_ = flusher.Flush()
		}
	}))
	b.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.URL.Host = address
		return server.Client().Transport.RoundTrip(req)
	})
}

// What a chunk of a stream costs: of one that is in memory, so that nothing but
// the copying is beside it, and of one that comes from a server on this machine.
func BenchmarkStream(b *testing.B) {
	stream := benchStream()
	for _, base := range []struct {
		name string
		rt   http.RoundTripper
	}{{"memory", stub("text/event-stream", stream)}, {"loopback", overLoopback(b, stream)}} {
		for name, body := range map[string]string{"metered": askingBody, "hiding": streamBody} {
			b.Run(base.name+"/"+name, func(b *testing.B) {
				perChunk(b, reading(b, base.rt, chatURL, body), reading(b, benchTransport(base.rt), chatURL, body))
			})
		}
	}
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
