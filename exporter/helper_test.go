// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

const testKey = "rev_mk_test_0123456789abcdef"

// clearEnv takes every variable that the exporter reads out of the environment.
func clearEnv(tb testing.TB) {
	tb.Helper()
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "REVENIUM_") || strings.HasPrefix(name, "OTEL_") {
			setenv(tb, name, "")
		}
	}
	for _, field := range semconv.Fields() {
		for _, name := range field.Env {
			setenv(tb, name, "")
		}
	}
}

// setenv is tb.Setenv for tests and benchmarks.
func setenv(tb testing.TB, name, value string) {
	tb.Helper()
	tb.(interface{ Setenv(name, value string) }).Setenv(name, value)
}

// fastRetry makes the waits of a test short.
var fastRetry = exporter.RetryConfig{
	InitialInterval:      5 * time.Millisecond,
	MaxInterval:          40 * time.Millisecond,
	UnauthorizedInterval: 20 * time.Millisecond,
}

// newProcessor returns a processor that sends to srv, whose log goes to the test
// and which is shut down in the end.
func newProcessor(tb testing.TB, srv *reveniumtest.Server, opts ...exporter.Option) *exporter.Processor {
	tb.Helper()
	clearEnv(tb)
	p, err := exporter.NewProcessor(append([]exporter.Option{
		exporter.WithAPIKey(testKey),
		exporter.WithBaseURL(srv.URL()),
		exporter.WithRetry(fastRetry),
		exporter.WithLogger(slog.New(slog.DiscardHandler)),
	}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		_ = p.Shutdown(ctx) // tests look at the report themselves
	})
	return p
}

// newTracer returns a tracer whose spans go to p.
func newTracer(tb testing.TB, p sdktrace.SpanProcessor, opts ...sdktrace.TracerProviderOption) trace.Tracer {
	tb.Helper()
	return sdktrace.NewTracerProvider(append([]sdktrace.TracerProviderOption{sdktrace.WithSpanProcessor(p)}, opts...)...).Tracer("test")
}

// chat makes the span of one chat call and returns its transaction id.
func chat(ctx context.Context, tracer trace.Tracer, more ...attribute.KeyValue) string {
	_, span := tracer.Start(ctx, "chat gpt-4o", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		semconv.GenAIOperationNameChat,
		semconv.GenAIProviderNameOpenAI,
		semconv.GenAIRequestModel("gpt-4o"),
	))
	span.SetAttributes(
		semconv.GenAIResponseModel("gpt-4o-2024-08-06"),
		semconv.GenAIResponseFinishReasons("stop"),
		semconv.GenAIUsageInputTokens(120),
		semconv.GenAIUsageOutputTokens(30),
	)
	span.SetAttributes(more...)
	span.End()
	sc := span.SpanContext()
	return sc.TraceID().String() + "-" + sc.SpanID().String()
}

// chats makes n chat spans.
func chats(ctx context.Context, tracer trace.Tracer, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = chat(ctx, tracer)
	}
	return ids
}

// meanwhile calls do from four goroutines, again and again, until stop is called.
func meanwhile(do func()) (stop func()) {
	var wg sync.WaitGroup
	ended := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-ended:
					return
				case <-time.After(time.Millisecond):
					do()
				}
			}
		})
	}
	return func() {
		close(ended)
		wg.Wait()
	}
}

// within is a context that ends after d at the latest.
func within(tb testing.TB, d time.Duration) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	tb.Cleanup(cancel)
	return ctx
}

// flush waits until all is delivered.
func flush(tb testing.TB, p interface{ ForceFlush(context.Context) error }) {
	tb.Helper()
	if err := p.ForceFlush(within(tb, 30*time.Second)); err != nil {
		tb.Fatal(err)
	}
}

// checkSums checks the two sums of a report.
func checkSums(tb testing.TB, r exporter.Report) {
	tb.Helper()
	if want := r.Billed + r.Suppressed + r.Skipped + r.Held; r.Converted != want {
		tb.Errorf("converted %d, but billed + suppressed + skipped + held = %d\n%s", r.Converted, want, r)
	}
	if got, want := r.Billed+r.Recovered, r.Delivered+r.Duplicate+r.Queued+r.OnDisk+r.Parked+r.DeadLettered+r.Lost; got != want {
		tb.Errorf("billed + recovered = %d, but what became of the records = %d\n%s", got, want, r)
	}
}

// logBuffer collects log lines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// count is the number of lines that contain text.
func (b *logBuffer) count(text string) int { return strings.Count(b.String(), text) }
