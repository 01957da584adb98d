// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

func newExporter(t *testing.T, srv *reveniumtest.Server, opts ...exporter.Option) *exporter.Exporter {
	t.Helper()
	clearEnv(t)
	x, err := exporter.New(append([]exporter.Option{
		exporter.WithAPIKey(testKey),
		exporter.WithBaseURL(srv.URL()),
		exporter.WithRetry(fastRetry),
		exporter.WithLogger(slog.New(slog.DiscardHandler)),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Shutdown(within(t, 10*time.Millisecond)) })
	return x
}

func TestExporterBehindBatcher(t *testing.T) {
	const calls = 700 // more than one batch
	srv := reveniumtest.Start(t)
	x := newExporter(t, srv)
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(x))
	ids := chats(t.Context(), tp.Tracer("test"), calls)
	if err := tp.ForceFlush(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	flush(t, x)
	for _, id := range ids {
		if _, ok := srv.ByTransactionID(id); !ok {
			t.Fatalf("%s is not metered", id)
		}
	}
	if err := tp.Shutdown(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	r := x.Report()
	checkSums(t, r)
	if r.Delivered != calls || r.Lost != 0 {
		t.Errorf("report:\n%s", r)
	}
}

// TestExporterShutdownDrains: the provider's Shutdown alone delivers everything.
func TestExporterShutdownDrains(t *testing.T) {
	srv := reveniumtest.Start(t)
	srv.Latency(5 * time.Millisecond)
	x := newExporter(t, srv)
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(x))
	chats(t.Context(), tp.Tracer("test"), 100)
	if err := tp.Shutdown(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	if got := len(srv.Completions()); got != 100 {
		t.Errorf("%d of 100 calls metered", got)
	}
	stub := tracetest.SpanStub{Name: "GET /"}
	if err := x.ExportSpans(t.Context(), []sdktrace.ReadOnlySpan{stub.Snapshot()}); !errors.Is(err, exporter.ErrShutdown) {
		t.Errorf("ExportSpans after Shutdown = %v, want ErrShutdown", err)
	}
}

// TestExporterKeepsNothingOfTheSlice: batch processors use it again.
func TestExporterKeepsNothingOfTheSlice(t *testing.T) {
	srv := reveniumtest.Start(t)
	release := srv.Hang()
	x := newExporter(t, srv)
	recorder := tracetest.NewSpanRecorder()
	ids := chats(t.Context(), newTracer(t, recorder), 10)
	spans := recorder.Ended()
	if err := x.ExportSpans(t.Context(), spans); err != nil {
		t.Fatal(err)
	}
	clear(spans)
	release()
	flush(t, x)
	for _, id := range ids {
		if _, ok := srv.ByTransactionID(id); !ok {
			t.Errorf("%s is not metered", id)
		}
	}
}

// TestExporterDoesNotWait: ExportSpans returns although nobody answers.
func TestExporterDoesNotWait(t *testing.T) {
	srv := reveniumtest.Start(t)
	release := srv.Hang()
	defer release()
	x := newExporter(t, srv, exporter.WithShutdownTimeout(50*time.Millisecond))
	recorder := tracetest.NewSpanRecorder()
	chats(t.Context(), newTracer(t, recorder), 300)
	done := make(chan error, 1)
	go func() { done <- x.ExportSpans(t.Context(), recorder.Ended()) }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("ExportSpans waits for the service")
	}
	if r := x.Report(); r.Queued != 300 {
		t.Errorf("report:\n%s", r)
	}
}
