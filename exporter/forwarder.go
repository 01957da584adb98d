// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/semconv"
)

// defaultForwardQueue is the number of spans that wait in memory unless an option
// says otherwise. It is more than a batch processor's default: what does not fit
// is not metered.
const defaultForwardQueue = 16384

// ForwarderOption configures [NewForwarder].
type ForwarderOption interface {
	applyForwarder(forwarderConfig) forwarderConfig
}

type forwarderOptionFunc func(forwarderConfig) forwarderConfig

func (f forwarderOptionFunc) applyForwarder(cfg forwarderConfig) forwarderConfig { return f(cfg) }

type forwarderConfig struct {
	batch  []sdktrace.BatchSpanProcessorOption
	filter func(sdktrace.ReadOnlySpan) bool
	logger *slog.Logger
}

// WithForwardBatch passes options to the batch processor that hands the spans
// on: size of the queue (16,384 spans by default) and of batches, delay, timeout.
func WithForwardBatch(opts ...sdktrace.BatchSpanProcessorOption) ForwarderOption {
	return forwarderOptionFunc(func(cfg forwarderConfig) forwarderConfig {
		cfg.batch = append(slices.Clip(cfg.batch), opts...)
		return cfg
	})
}

// WithForwardFilter hands on, besides LLM spans, each span for which keep returns
// true. It is called at the end of every span, concurrently, and has to be quick.
func WithForwardFilter(keep func(sdktrace.ReadOnlySpan) bool) ForwarderOption {
	return forwarderOptionFunc(func(cfg forwarderConfig) forwarderConfig {
		cfg.filter = keep
		return cfg
	})
}

// WithForwardLogger sets where losses are logged; the default is [slog.Default].
func WithForwardLogger(logger *slog.Logger) ForwarderOption {
	return forwarderOptionFunc(func(cfg forwarderConfig) forwarderConfig {
		cfg.logger = logger
		return cfg
	})
}

// Forwarder is a span processor for services that are metered by a Collector: it
// hands LLM spans, sampled or not, to a span exporter. So all calls are metered
// however few traces are sampled. Use it together with [NewSampler] and a receiver
// of the Collector that feeds nothing but the metering:
//
//	metering, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint("collector:4327"))
//	...
//	forwarder := exporter.NewForwarder(metering)
//	provider := sdktrace.NewTracerProvider(
//		sdktrace.WithSpanProcessor(forwarder),
//		sdktrace.WithSampler(exporter.NewSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.01)))),
//		sdktrace.WithBatcher(backend), // as before: 1 % of the traces
//	)
//
// With the spans of calls go those around them in this process, because the
// Collector has to know what belongs together, and who pays often stands on the
// outermost. OnEnd costs a fraction of a microsecond and never waits.
//
// The spans wait in memory, as those of any exporter do. What is lost is counted:
// see [Forwarder.Report].
type Forwarder struct {
	batch  sdktrace.SpanProcessor
	filter func(sdktrace.ReadOnlySpan) bool
	around ancestors
	report *reporter

	taken    atomic.Int64
	exported atomic.Int64
	failed   atomic.Int64
	stopped  atomic.Bool
}

var _ sdktrace.SpanProcessor = (*Forwarder)(nil)

// NewForwarder returns a forwarder to exp, which it owns from then on.
func NewForwarder(exp sdktrace.SpanExporter, opts ...ForwarderOption) *Forwarder {
	cfg := forwarderConfig{batch: []sdktrace.BatchSpanProcessorOption{sdktrace.WithMaxQueueSize(defaultForwardQueue)}}
	for _, opt := range opts {
		if opt != nil {
			cfg = opt.applyForwarder(cfg)
		}
	}
	f := &Forwarder{filter: cfg.filter, report: newReporter(cfg.logger)}
	f.batch = sdktrace.NewBatchSpanProcessor(&countingExporter{SpanExporter: exp, forwarder: f}, cfg.batch...)
	return f
}

// OnStart does nothing.
func (*Forwarder) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd hands s on if it is an LLM span or around one.
func (f *Forwarder) OnEnd(s sdktrace.ReadOnlySpan) {
	inside := f.around.ended(s.SpanContext())
	if !inside && !semconv.IsLLMSpan(s.Name(), s.Attributes()) && (f.filter == nil || !f.filter(s)) {
		return
	}
	if parent := s.Parent(); parent.IsValid() && !parent.IsRemote() {
		f.around.expect(parent)
	}
	f.taken.Add(1)
	if f.stopped.Load() {
		return
	}
	// The batch processor leaves out what is not sampled.
	f.batch.OnEnd(forwardedSpan{s})
}

// ForceFlush waits until all spans that have ended were exported, or ctx ends.
func (f *Forwarder) ForceFlush(ctx context.Context) error { return f.batch.ForceFlush(ctx) }

// Shutdown exports what is waiting until ctx ends and stops. It logs, and returns
// an error that says, how many spans were not exported.
func (f *Forwarder) Shutdown(ctx context.Context) error {
	if f.stopped.Swap(true) {
		return nil
	}
	err := f.batch.Shutdown(ctx)
	r := f.Report()
	if lost := r.Taken - r.Exported; lost > 0 {
		f.report.always(slog.LevelError, "revenium: LLM spans were not handed on and are not metered",
			slog.Int64("lost", lost), slog.Int64("failed", r.Failed), slog.Int64("exported", r.Exported))
		return fmt.Errorf("exporter: %d of %d LLM spans were not handed on: %w", lost, r.Taken, errForward(err))
	}
	return err
}

// errForward is why spans were not exported.
func errForward(err error) error {
	if err == nil {
		return errNotExported
	}
	return err
}

// ForwardReport is the account of a [Forwarder].
type ForwardReport struct {
	// Taken is the number of spans that were to be handed on.
	Taken int64
	// Exported were taken by the exporter without an error.
	Exported int64
	// Failed were given to the exporter, which returned an error. All others are
	// waiting or, after Shutdown, did not fit into the queue or came too late.
	Failed int64
}

// Report returns the account up to now. After Shutdown it is final.
func (f *Forwarder) Report() ForwardReport {
	// In this order no span counts as exported that does not as taken.
	r := ForwardReport{Exported: f.exported.Load(), Failed: f.failed.Load()}
	r.Taken = f.taken.Load()
	return r
}

// forwardedSpan is a span that looks sampled.
type forwardedSpan struct{ sdktrace.ReadOnlySpan }

func (s forwardedSpan) SpanContext() trace.SpanContext {
	sc := s.ReadOnlySpan.SpanContext()
	return sc.WithTraceFlags(sc.TraceFlags().WithSampled(true))
}

// countingExporter hands the spans on as they are and counts them.
type countingExporter struct {
	sdktrace.SpanExporter
	forwarder *Forwarder
}

func (e *countingExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	// The batch processor uses its slice again.
	whole := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		if forwarded, ok := s.(forwardedSpan); ok {
			s = forwarded.ReadOnlySpan
		}
		whole[i] = s
	}
	err := e.SpanExporter.ExportSpans(ctx, whole)
	if err != nil {
		e.forwarder.failed.Add(int64(len(spans)))
		e.forwarder.report.problem(slog.LevelError, "forward", "revenium: handing LLM spans on failed: they may not be metered",
			slog.Int("spans", len(spans)), slog.Any("error", err))
		return err
	}
	e.forwarder.exported.Add(int64(len(spans)))
	return nil
}

// Bounds of the table of spans that are still open around others.
const (
	ancestorShards = 16
	// maxAncestors bounds each of two generations of a shard.
	maxAncestors = 1024
)

// ancestors knows which open spans have an LLM span beneath them. A span ends
// after those beneath it, so that each is named before its end. Spans that never
// end are forgotten when others take their place.
type ancestors struct {
	shards [ancestorShards]ancestorShard
}

type ancestorShard struct {
	mu         sync.Mutex
	young, old map[ancestorKey]struct{}
}

type ancestorKey struct {
	trace trace.TraceID
	span  trace.SpanID
}

func (a *ancestors) shard(span trace.SpanID) *ancestorShard {
	return &a.shards[span[7]%ancestorShards]
}

// expect notes an open span.
func (a *ancestors) expect(sc trace.SpanContext) {
	s := a.shard(sc.SpanID())
	key := ancestorKey{sc.TraceID(), sc.SpanID()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.young) >= maxAncestors {
		s.old, s.young = s.young, nil
	}
	if s.young == nil {
		s.young = make(map[ancestorKey]struct{})
	}
	s.young[key] = struct{}{}
}

// ended reports whether a span was expected, and forgets it.
func (a *ancestors) ended(sc trace.SpanContext) bool {
	s := a.shard(sc.SpanID())
	key := ancestorKey{sc.TraceID(), sc.SpanID()}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, young := s.young[key]
	_, old := s.old[key]
	delete(s.young, key)
	delete(s.old, key)
	return young || old
}
