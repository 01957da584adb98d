// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"context"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

func TestOutageAndRecovery(t *testing.T) {
	for name, fault := range map[string]reveniumtest.Fault{
		"reset":       {Kind: reveniumtest.FaultReset},
		"503":         {Kind: reveniumtest.FaultStatus, Status: http.StatusServiceUnavailable},
		"500":         {Kind: reveniumtest.FaultStatus, Status: http.StatusInternalServerError},
		"401":         {Kind: reveniumtest.FaultUnauthorized},
		"403":         {Kind: reveniumtest.FaultStatus, Status: http.StatusForbidden},
		"hang":        {Kind: reveniumtest.FaultHang},
		"lost answer": {Kind: reveniumtest.FaultDropAfterStore},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const calls = 100
			srv := reveniumtest.Start(t)
			mend := srv.AddFault(fault)
			p := newParallelProcessor(t, srv, exporter.WithTimeout(100*time.Millisecond))
			tracer := newTracer(t, p)
			chats(t.Context(), tracer, calls)
			if err := srv.WaitRequests(within(t, 10*time.Second), 4); err != nil {
				t.Fatal(err)
			}
			if r := p.Report(); r.Lost != 0 || r.Delivered != 0 {
				t.Errorf("report during the outage:\n%s", r)
			}
			mend()
			flush(t, p)
			if got := len(srv.Completions()); got != calls {
				t.Errorf("%d of %d calls metered", got, calls)
			}
			r := p.Report()
			checkSums(t, r)
			if r.Delivered+r.Duplicate != calls || r.Lost != 0 {
				t.Errorf("report:\n%s", r)
			}
		})
	}
}

// newParallelProcessor is newProcessor for parallel tests, which cannot change
// the environment; their settings do not depend on it.
func newParallelProcessor(t *testing.T, srv *reveniumtest.Server, opts ...exporter.Option) *exporter.Processor {
	t.Helper()
	p, err := exporter.NewProcessor(append([]exporter.Option{
		exporter.WithAPIKey(testKey),
		exporter.WithBaseURL(srv.URL()),
		exporter.WithRetry(fastRetry),
		exporter.WithLogger((&logBuffer{}).logger()),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		_ = p.Shutdown(ctx)
	})
	return p
}

// TestHangingEndpointCostsLittle: an endpoint that accepts and never answers, 300
// events, then it recovers.
func TestHangingEndpointCostsLittle(t *testing.T) {
	const calls = 300
	srv := reveniumtest.Start(t)
	release := srv.Hang()
	p := newProcessor(t, srv, exporter.WithTimeout(300*time.Millisecond))
	tracer := newTracer(t, p)
	base := runtime.NumGoroutine()
	chats(t.Context(), tracer, calls)
	peak := 0
	for deadline := time.Now().Add(1500 * time.Millisecond); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		peak = max(peak, runtime.NumGoroutine()-base)
	}
	// The server runs in this process: its goroutines are among them.
	t.Logf("at most %d goroutines more than before", peak)
	if peak > 16 {
		t.Errorf("%d goroutines more than before, want at most 16", peak)
	}
	release()
	flush(t, p)
	if got := len(srv.Completions()); got != calls {
		t.Errorf("%d of %d calls metered", got, calls)
	}
}

// TestBurst: many calls at once at 20 ms round trip.
func TestBurst(t *testing.T) {
	const calls = 1000
	srv := reveniumtest.Start(t)
	srv.Latency(20 * time.Millisecond)
	p := newProcessor(t, srv)
	tracer := newTracer(t, p)
	base := runtime.NumGoroutine()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { chats(context.Background(), tracer, calls/4) })
	}
	wg.Wait()
	done := make(chan error, 1)
	go func() { done <- p.ForceFlush(context.Background()) }()
	peak := 0
	for open := true; open; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			open = false
		case <-time.After(5 * time.Millisecond):
			peak = max(peak, runtime.NumGoroutine()-base)
		}
	}
	t.Logf("at most %d goroutines more than before, server included; %d connections", peak, srv.Connections().Peak)
	if got := len(srv.Completions()); got != calls {
		t.Errorf("%d of %d calls metered", got, calls)
	}
	if n := srv.Connections().Peak; n > 12 {
		t.Errorf("%d connections, want one per sender at most", n)
	}
	if peak > 67 {
		t.Errorf("%d goroutines more than before, want 12 senders, 2 per connection here and there, and a few", peak)
	}
}

func TestRateLimitIsObeyed(t *testing.T) {
	const calls = 30
	srv := reveniumtest.Start(t)
	srv.AddFault(reveniumtest.Fault{
		Kind: reveniumtest.FaultStatus, Status: http.StatusTooManyRequests, RetryAfter: time.Second, Times: 1,
	})
	p := newProcessor(t, srv)
	start := time.Now()
	chats(t.Context(), newTracer(t, p), calls)
	flush(t, p)
	if took := time.Since(start); took < 900*time.Millisecond {
		t.Errorf("all delivered after %v although the service asked for a second:\n%s", took, p.Report())
	}
	if r := p.Report(); r.Delivered != calls {
		t.Errorf("report:\n%s", r)
	}
}
