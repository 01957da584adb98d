// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"context"
	"errors"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestShutdownDeadline: the report says exactly what arrived.
func TestShutdownDeadline(t *testing.T) {
	const calls = 1000
	srv := reveniumtest.Start(t)
	srv.Latency(20 * time.Millisecond)
	var log logBuffer
	p := newProcessor(t, srv, exporter.WithLogger(log.logger()))
	chats(t.Context(), newTracer(t, p), calls)
	start := time.Now()
	err := p.Shutdown(within(t, 500*time.Millisecond))
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("Shutdown took %v with a deadline of 500ms", took)
	}
	var lost *exporter.ShutdownError
	if !errors.As(err, &lost) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Shutdown = %v, want a ShutdownError that wraps the context's error", err)
	}
	r := p.Report()
	checkSums(t, r)
	if r.Delivered == 0 || r.Lost == 0 || r.Delivered+r.Lost != calls || r.LostBy[exporter.LossShutdown] != r.Lost || r.Queued != 0 {
		t.Errorf("report:\n%s", r)
	}
	// What was under way when time ran out may have been stored or not.
	stored := int64(len(srv.Completions()))
	if stored < r.Delivered || stored > r.Delivered+12 { // the senders
		t.Errorf("%d records stored, report says %d", stored, r.Delivered)
	}
	if again := p.Shutdown(t.Context()); !errors.Is(again, err) {
		t.Errorf("second Shutdown = %v, want the same as the first", again)
	}
	if n := log.count("metering has ended"); n != 1 {
		t.Errorf("report was logged %d times, want once", n)
	}
}

// TestShutdownWithoutDeadline ends after the option's time.
func TestShutdownWithoutDeadline(t *testing.T) {
	srv := reveniumtest.Start(t)
	release := srv.Hang()
	defer release()
	p := newProcessor(t, srv, exporter.WithShutdownTimeout(100*time.Millisecond))
	chats(t.Context(), newTracer(t, p), 3)
	if err := p.ForceFlush(context.Background()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ForceFlush = %v, want that its time is over", err)
	}
	if err := p.Shutdown(context.Background()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown = %v, want that its time is over", err)
	}
	if r := p.Report(); r.Lost != 3 {
		t.Errorf("report:\n%s", r)
	}
}

func TestShutdownConcurrently(t *testing.T) {
	srv := reveniumtest.Start(t)
	p := newProcessor(t, srv)
	tracer := newTracer(t, p)
	stop := meanwhile(func() { chats(context.Background(), tracer, 3) })
	time.Sleep(20 * time.Millisecond)
	errs := make(chan error, 3)
	for range 3 {
		go func() { errs <- p.Shutdown(within(t, 10*time.Second)) }()
	}
	first := <-errs
	for range 2 {
		if err := <-errs; !errors.Is(err, first) && (err != nil || first != nil) {
			t.Errorf("Shutdown = %v and %v", first, err)
		}
	}
	stop()
	r := p.Report()
	checkSums(t, r)
	if r.Lost != r.LostBy[exporter.LossAfterShutdown] || r.Queued != 0 {
		t.Errorf("report:\n%s", r)
	}
	if stored := int64(len(srv.Completions())); stored != r.Delivered {
		t.Errorf("%d records stored, report says %d", stored, r.Delivered)
	}
}

func TestSpansAfterShutdownAreCounted(t *testing.T) {
	srv := reveniumtest.Start(t)
	var log logBuffer
	p := newProcessor(t, srv, exporter.WithLogger(log.logger()))
	tracer := newTracer(t, p)
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	chats(t.Context(), tracer, 5)
	r := p.Report()
	checkSums(t, r)
	if r.LostBy[exporter.LossAfterShutdown] != 5 {
		t.Errorf("report:\n%s", r)
	}
	if n := log.count("after shutdown"); n != 1 {
		t.Errorf("logged %d times, want once:\n%s", n, log.String())
	}
	if err := p.ForceFlush(t.Context()); err != nil {
		t.Errorf("ForceFlush after Shutdown: %v", err)
	}
	if n := len(srv.Requests()); n != 0 {
		t.Errorf("%d requests after Shutdown", n)
	}
}

// TestTracerProviderShutdown: the processor works as the SDK uses it.
func TestTracerProviderShutdown(t *testing.T) {
	srv := reveniumtest.Start(t)
	p := newProcessor(t, srv)
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(p))
	chats(t.Context(), tp.Tracer("test"), 20)
	if err := tp.Shutdown(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	if got := len(srv.Completions()); got != 20 {
		t.Errorf("%d of 20 calls metered", got)
	}
}
