// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter"
)

// application is the process that a side is measured in: it makes calls as it is
// told and answers what that cost.
type application struct {
	cfg        appConfig
	pipeline   *pipeline
	base       int // goroutines before there was a pipeline
	goroutines peakCount
}

// runApplication carries out the commands on in until it ends.
func runApplication(ctx context.Context, text string, in io.Reader, out io.Writer) error {
	var cfg appConfig
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		return fmt.Errorf("application: configuration: %w", err)
	}
	// What an exporter has to say is counted where it arrives, or does not.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	slog.SetDefault(slog.New(slog.DiscardHandler))
	a := &application{cfg: cfg, base: runtime.NumGoroutine()}
	stop := a.goroutines.watch()
	defer stop()
	a.base++ // the one that watches
	var err error
	if a.pipeline, err = newPipeline(ctx, cfg); err != nil {
		return err
	}
	answers := json.NewEncoder(out)
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return fmt.Errorf("application: command: %w", err)
		}
		if err := answers.Encode(a.carryOut(ctx, c)); err != nil {
			return fmt.Errorf("application: answer: %w", err)
		}
	}
	return nil
}

// carryOut does what a command says.
func (a *application) carryOut(ctx context.Context, c command) reply {
	var r reply
	var err error
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, max(c.Within, time.Millisecond))
	defer cancel()
	switch c.Do {
	case "make":
		a.end(c)
	case "burst":
		r, err = a.burst(ctx, c)
	case "sampled":
		a.sampled(c)
	case "calls":
		r, err = a.latency(context.WithoutCancel(ctx), c.N)
	case "bare":
		r, err = bareLoop(context.WithoutCancel(ctx), a.cfg.Service, c.N)
	case "flush":
		err = a.pipeline.processor.ForceFlush(ctx)
	case "shutdown":
		err = a.pipeline.processor.Shutdown(ctx)
	default:
		err = errors.New("unknown command " + c.Do)
	}
	r.Took = time.Since(begin)
	if err != nil {
		r.Error = err.Error()
	}
	r.Goroutines = a.goroutines.peak() - a.base
	r.Report = a.pipeline.reported()
	return r
}

// end ends spans of calls at a rate.
func (a *application) end(c command) {
	begin := time.Now()
	for i := range c.N {
		if c.Rate > 0 {
			time.Sleep(time.Until(begin.Add(time.Duration(i) * time.Second / time.Duration(c.Rate))))
		}
		a.pipeline.processor.OnEnd(chatSpan(c.First+i, c.Tenant, c.Rejected > 0 && i == c.Rejected))
	}
}

// burst ends calls that were made before, all at once, and takes what that costs for
// each until all have arrived or are given up.
func (a *application) burst(ctx context.Context, c command) (reply, error) {
	spans := make([]sdktrace.ReadOnlySpan, c.N)
	for i := range spans {
		spans[i] = chatSpan(c.First+i, "", false)
	}
	before := memory()
	for _, span := range spans {
		a.pipeline.processor.OnEnd(span)
	}
	var held float64
	if report := a.pipeline.reported(); report != nil && report.Queued+report.OnDisk > 0 {
		now := memory()
		held = (float64(now.HeapAlloc) - float64(before.HeapAlloc)) / float64(report.Queued+report.OnDisk)
	}
	err := a.pipeline.processor.ForceFlush(ctx)
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(spans)
	n := float64(c.N)
	return reply{
		Allocs: float64(after.Mallocs-before.Mallocs) / n,
		Bytes:  float64(after.TotalAlloc-before.TotalAlloc) / n,
		Held:   held,
	}, err
}

// memory is the memory in use after a collection.
func memory() runtime.MemStats {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

// sampled makes calls with a tracer, so that head sampling has its say.
func (a *application) sampled(c command) {
	tracer := a.pipeline.provider.Tracer("peers")
	for i := range c.N {
		_, span := tracer.Start(context.Background(), "chat gpt-4o", callStart())
		span.SetAttributes(callResult(c.First + i)...)
		span.End()
	}
}

// peakCount keeps the most goroutines that it saw.
type peakCount struct{ most atomic.Int64 }

// watch looks every few milliseconds until it is stopped.
func (p *peakCount) watch() (stop func()) {
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(3 * time.Millisecond):
				p.most.Store(max(p.most.Load(), int64(runtime.NumGoroutine())))
			}
		}
	}()
	return func() { close(done) }
}

func (p *peakCount) peak() int { return int(max(p.most.Load(), int64(runtime.NumGoroutine()))) }

// reported is the report of our exporter; nil if the pipeline has none.
func (p *pipeline) reported() *exporter.Report {
	if p.report == nil {
		return nil
	}
	r := p.report()
	return &r
}
