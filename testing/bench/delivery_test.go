// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

const senders = 12 // the exporter's default

// BenchmarkDelivery is the rate at which queued records reach the service, compared
// with a bare net/http loop that posts the same bytes under the same headers with
// the same bound of connections, by turns and to one server. The records are queued
// while the service hangs, and the clock starts when it no longer does. The ratio is
// that of the middle one of many rounds: what else the machine does meets one of the
// two.
func BenchmarkDelivery(b *testing.B) {
	const batch, rounds = 4000, 7
	revenium := reveniumtest.Start(b, reveniumtest.WithoutVerification(), reveniumtest.WithRecordLimit(batch))
	spans := make([]sdktrace.ReadOnlySpan, batch)
	for i := range spans {
		spans[i] = chatSpan(uint64(i))
	}
	var ours, bare time.Duration
	var ratios []float64
	for b.Loop() {
		for range rounds {
			took := deliver(b, revenium, spans)
			bareTook := repeat(b, revenium, batch)
			ours, bare = ours+took, bare+bareTook
			ratios = append(ratios, bareTook.Seconds()/took.Seconds())
		}
	}
	n := float64(len(ratios)) * batch
	b.ReportMetric(0, "ns/op") // of all the rounds, which nobody wants to know
	b.ReportMetric(n/ours.Seconds(), "records/s")
	b.ReportMetric(n/bare.Seconds(), "bare-records/s")
	slices.Sort(ratios)
	b.ReportMetric(ratios[(len(ratios)-1)/2], "ratio")
}

// deliver has a processor deliver the records of spans.
func deliver(b *testing.B, revenium *reveniumtest.Server, spans []sdktrace.ReadOnlySpan) time.Duration {
	b.Helper()
	revenium.Reset()
	processor := newProcessor(b, revenium.URL())
	release := revenium.Hang()
	for _, span := range spans {
		processor.OnEnd(span)
	}
	if got := processor.Report().Queued; got != int64(len(spans)) {
		b.Fatalf("%d of %d records are queued", got, len(spans))
	}
	runtime.GC()
	start := time.Now()
	release()
	if err := processor.ForceFlush(b.Context()); err != nil {
		b.Fatal(err)
	}
	took := time.Since(start)
	if err := processor.Shutdown(b.Context()); err != nil {
		b.Fatal(err)
	}
	return took
}

// repeat has the bare loop post the records that arrived.
func repeat(b *testing.B, revenium *reveniumtest.Server, want int) time.Duration {
	b.Helper()
	records := revenium.Records()
	if len(records) != want {
		b.Fatalf("%d of %d records arrived", len(records), want)
	}
	revenium.Reset()
	runtime.GC()
	start := time.Now()
	post(b, revenium.URL(), records)
	took := time.Since(start)
	if got := revenium.Stats().Stored; got != want {
		b.Fatalf("%d of %d records arrived from the bare loop", got, want)
	}
	return took
}

// post is the bare loop.
func post(b *testing.B, url string, records []reveniumtest.Record) {
	b.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxConnsPerHost, transport.MaxIdleConnsPerHost = senders, senders
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(records) {
					return
				}
				if err := postOne(b.Context(), client, url, records[i]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func postOne(ctx context.Context, client *http.Client, url string, record reveniumtest.Record) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+record.Path, bytes.NewReader(record.Body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Api-Key", apiKey)
	req.Header.Set("Idempotency-Key", record.IdempotencyKey)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

// BenchmarkHang is an endpoint that accepts and never answers while 300 calls
// end, and then recovers.
func BenchmarkHang(b *testing.B) {
	const records = 300
	var peak, delivered int
	for i := 0; b.Loop(); i++ {
		revenium := reveniumtest.Start(b, reveniumtest.WithRecordLimit(0))
		release := revenium.Hang()
		processor := newProcessor(b, revenium.URL(), exporter.WithTimeout(500*time.Millisecond))
		stop := watchGoroutines(&peak)
		for n := range records {
			processor.OnEnd(chatSpan(uint64(i*records + n)))
		}
		if err := revenium.WaitRequests(b.Context(), 4); err != nil {
			b.Fatal(err)
		}
		release()
		ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
		if err := processor.Shutdown(ctx); err != nil {
			b.Error(err)
		}
		cancel()
		stop()
		delivered += revenium.Stats().Stored
		revenium.Close()
	}
	b.ReportMetric(100*float64(delivered)/float64(b.N*records), "%delivered")
	b.ReportMetric(float64(peak), "goroutines")
}

// BenchmarkBurst is 5,000 calls that end at once while the service takes 50 ms
// for each record.
func BenchmarkBurst(b *testing.B) {
	const records = 5000
	var peak, connections int
	var perRecord float64
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		revenium := reveniumtest.Start(b, reveniumtest.WithRecordLimit(0))
		revenium.Latency(50 * time.Millisecond)
		spans := make([]sdktrace.ReadOnlySpan, records)
		for n := range spans {
			spans[n] = chatSpan(uint64(i*records + n))
		}
		processor := newProcessor(b, revenium.URL())
		before := heapInUse()
		stop := watchGoroutines(&peak)
		b.StartTimer()

		for _, span := range spans {
			processor.OnEnd(span)
		}
		queued := processor.Report().Queued
		perRecord = max(perRecord, float64(heapInUse()-before)/float64(queued))
		ctx, cancel := context.WithTimeout(b.Context(), 2*time.Minute)
		if err := processor.Shutdown(ctx); err != nil {
			b.Fatal(err)
		}
		cancel()
		b.StopTimer()
		stop()
		connections = max(connections, revenium.Connections().Peak)
		if got := revenium.Stats().Stored; got != records {
			b.Fatalf("%d of %d records arrived", got, records)
		}
		runtime.KeepAlive(spans)
		revenium.Close()
		b.StartTimer()
	}
	b.ReportMetric(perRecord, "B/queued-record")
	b.ReportMetric(float64(connections), "connections")
	b.ReportMetric(float64(peak), "goroutines")
}

// heapInUse is the live heap, measured after a collection.
func heapInUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// watchGoroutines samples the exporter's goroutines and keeps the most that it
// saw, until it is stopped.
func watchGoroutines(peak *int) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		stacks := make([]byte, 1<<20)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				*peak = max(*peak, exporterGoroutines(stacks[:runtime.Stack(stacks, true)]))
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}

// exporterGoroutines counts the senders and what their connections cost: the
// server's side of the connections is in this process, too, and does not count.
func exporterGoroutines(stacks []byte) int {
	n := 0
	for goroutine := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(goroutine, "created by github.com/revenium/revenium-otel-go/exporter") ||
			strings.Contains(goroutine, "created by net/http.(*Transport)") {
			n++
		}
	}
	return n
}
