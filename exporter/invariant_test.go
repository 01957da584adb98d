// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/spool"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestEveryRecordArrivesOrIsCounted: for random sequences of server answers, each
// transaction id is accepted at least once or counted as lost or dead, and is
// never sent with two different bodies or keys.
func TestEveryRecordArrivesOrIsCounted(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			srv := reveniumtest.Start(t, reveniumtest.WithSeed(seed+1))
			for range 1 + rng.IntN(5) {
				srv.AddFault(randomFault(rng))
			}
			var mu sync.Mutex
			dead := make(map[string]bool)
			p := newParallelProcessor(t, srv,
				exporter.WithTimeout(30*time.Millisecond),
				exporter.WithSenders(1+rng.IntN(8)),
				exporter.WithQueueSize(40+rng.IntN(200)),
				exporter.WithOverflowPolicy(spool.OverflowPolicy(rng.IntN(2))),
				exporter.WithRejectedHandler(func(r exporter.Rejected) error {
					mu.Lock()
					defer mu.Unlock()
					dead[r.Record.TransactionID] = true
					return nil
				}))
			tracer := newTracer(t, p)
			var ids []string
			for range 10 {
				ids = append(ids, chats(context.Background(), tracer, 15)...)
				time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
			}
			recovers := rng.IntN(3) > 0
			if recovers {
				srv.ClearFaults()
				flush(t, p)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			defer cancel()
			shutdownErr := p.Shutdown(ctx)

			r := p.Report()
			checkSums(t, r)
			if (shutdownErr != nil) != (r.Lost > 0) {
				t.Errorf("Shutdown = %v, report:\n%s", shutdownErr, r)
			}
			if recovers && r.LostBy[exporter.LossShutdown]+r.LostBy[exporter.LossKeyRefused] > 0 {
				t.Errorf("records were lost at shutdown although the service had recovered:\n%s", r)
			}
			mu.Lock()
			defer mu.Unlock()
			var missing int64
			for _, id := range ids {
				if _, stored := srv.ByTransactionID(id); !stored && !dead[id] {
					missing++
				}
			}
			// What is counted as lost may have been stored, when its answer got lost;
			// what is not counted must be there.
			if missing > r.Lost {
				t.Errorf("%d records are neither stored nor dead, but %d are counted as lost:\n%s", missing, r.Lost, r)
			}
			if int64(len(dead)) != r.DeadLettered {
				t.Errorf("%d dead letters, report says %d", len(dead), r.DeadLettered)
			}
			checkOneBody(t, srv)
		})
	}
}

// checkOneBody checks that all attempts for a record were the same request.
func checkOneBody(t *testing.T, srv *reveniumtest.Server) {
	t.Helper()
	first := make(map[string]reveniumtest.Request)
	for _, req := range srv.Requests() {
		if req.Body == nil || req.TransactionID == "" {
			continue // the connection broke before the body had arrived
		}
		seen, ok := first[req.TransactionID]
		if !ok {
			first[req.TransactionID] = req
			continue
		}
		if !bytes.Equal(seen.Body, req.Body) || seen.IdempotencyKey != req.IdempotencyKey || seen.Path != req.Path {
			t.Errorf("%s was sent in two forms:\n%s %s\n%s %s", req.TransactionID, seen.IdempotencyKey, seen.Body, req.IdempotencyKey, req.Body)
		}
	}
}

// randomFault is any fault that the server knows, now and then or for some time.
func randomFault(rng *rand.Rand) reveniumtest.Fault {
	kinds := []reveniumtest.Fault{
		{Kind: reveniumtest.FaultStatus, Status: http.StatusInternalServerError},
		{Kind: reveniumtest.FaultStatus, Status: http.StatusBadGateway},
		{Kind: reveniumtest.FaultStatus, Status: http.StatusTooManyRequests},
		{Kind: reveniumtest.FaultStatus, Status: http.StatusRequestTimeout},
		{Kind: reveniumtest.FaultStatus, Status: http.StatusConflict, Body: `{"error":"idempotency_key_mismatch"}`},
		{Kind: reveniumtest.FaultStatus, Status: http.StatusUnprocessableEntity},
		{Kind: reveniumtest.FaultStatus, Status: http.StatusNotFound},
		{Kind: reveniumtest.FaultUnauthorized},
		{Kind: reveniumtest.FaultReset},
		{Kind: reveniumtest.FaultDropAfterStore},
		{Kind: reveniumtest.FaultHang},
		{Kind: reveniumtest.FaultLatency, Latency: 5 * time.Millisecond},
		{Kind: reveniumtest.FaultLatency, Latency: 50 * time.Millisecond},
	}
	f := kinds[rng.IntN(len(kinds))]
	switch rng.IntN(3) {
	case 0:
		f.Chance = 0.05 + 0.4*rng.Float64()
	case 1:
		f.Times = 1 + rng.IntN(30)
	default:
		f.Attempt = 1
	}
	return f
}
