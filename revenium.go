// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package revenium

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
)

// attributeCountLimit is the bound of attributes per span unless the environment
// says otherwise.
const attributeCountLimit = 512

// stopGrace is the time for further processors to stop when Shutdown's context
// has ended before it was their turn.
const stopGrace = time.Second

// SDK is what [Start] has started.
type SDK struct {
	provider *sdktrace.TracerProvider
	// metering is what sees every span: processor, or with WithForwarding a
	// forwarder.
	metering  sdktrace.SpanProcessor
	processor *exporter.Processor
	// batch is the processor in front of OTLP; nil without it.
	batch sdktrace.SpanProcessor
}

// Start sets metering up. See the package comment for the settings.
//
// It fails when the configuration makes metering impossible; no goroutine runs
// then and no global is changed. ctx bounds the start alone.
func Start(ctx context.Context, opts ...Option) (*SDK, error) {
	cfg := newConfig(opts)
	res, err := mergedResource(cfg.resource)
	if err != nil {
		return nil, err
	}
	sdk := &SDK{}
	if cfg.forward != nil {
		sdk.metering = exporter.NewForwarder(cfg.forward, cfg.forwardOptions...)
	} else {
		if sdk.processor, err = exporter.NewProcessor(cfg.exporter...); err != nil {
			return nil, fmt.Errorf("revenium: %w", err)
		}
		sdk.metering = sdk.processor
	}
	otlp, err := newOTLPExporter(ctx)
	if err != nil {
		// Nothing is queued yet: this only stops what has started.
		return nil, errors.Join(err, sdk.metering.Shutdown(ctx))
	}

	providerOpts := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(res),
		sdktrace.WithRawSpanLimits(spanLimits()),
		// Before all others, so that they see whom a span is for.
		sdktrace.WithSpanProcessor(instrument.NewSpanProcessor(cfg.metadata...)),
		// Next, so that nothing that another processor does to its own queue comes
		// before metering.
		sdktrace.WithSpanProcessor(sdk.metering),
	}
	if otlp != nil {
		sdk.batch = sdktrace.NewBatchSpanProcessor(otlp)
		providerOpts = append(providerOpts, sdktrace.WithSpanProcessor(sdk.batch))
	}
	providerOpts = append(providerOpts, cfg.provider...)
	// Last, because without this sampler unsampled calls would not be metered.
	providerOpts = append(providerOpts, sdktrace.WithSampler(exporter.NewSampler(baseSampler(cfg.sampler), cfg.samplerOptions...)))
	sdk.provider = sdktrace.NewTracerProvider(providerOpts...)

	if cfg.globals {
		otel.SetTracerProvider(sdk.provider)
		otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, baggagePropagator(cfg)))
	}
	return sdk, nil
}

func baggagePropagator(cfg config) propagation.TextMapPropagator {
	if cfg.propagates {
		return propagate.NewPropagator(cfg.baggage...)
	}
	return propagation.Baggage{}
}

// mergedResource adds the user's resource to the default one.
func mergedResource(user *resource.Resource) (*resource.Resource, error) {
	if user == nil {
		return resource.Default(), nil
	}
	merged, err := resource.Merge(resource.Default(), user)
	if err != nil && !errors.Is(err, resource.ErrSchemaURLConflict) {
		return nil, fmt.Errorf("revenium: merge the resource of WithResource: %w", err)
	}
	// After a conflict of schemas the attributes are merged all the same.
	return merged, nil
}

// spanLimits are the SDK's, with more attributes unless the environment says how
// many.
func spanLimits() sdktrace.SpanLimits {
	limits := sdktrace.NewSpanLimits()
	if env("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT") == "" {
		limits.AttributeCountLimit = attributeCountLimit
	}
	return limits
}

// TracerProvider returns the provider, for those who do not use the global one.
func (s *SDK) TracerProvider() *sdktrace.TracerProvider { return s.provider }

// Report returns the account of metering up to now. With [WithForwarding] it is
// empty: the Collector has the account.
func (s *SDK) Report() exporter.Report {
	if s.processor == nil {
		return exporter.Report{}
	}
	return s.processor.Report()
}

// ForceFlush waits until what is queued, for Revenium and for OTLP, has arrived
// or ctx ends. See [exporter.Processor.ForceFlush].
func (s *SDK) ForceFlush(ctx context.Context) error {
	flushed := s.flushOTLP(ctx)
	err := s.provider.ForceFlush(ctx)
	return errors.Join(err, flushed())
}

// Shutdown delivers what is queued until ctx ends, stops everything and returns
// the final account of metering. The error wraps an [exporter.ShutdownError] if a
// record was lost, and says if OTLP failed. Use a context of its own: that of the
// program is often cancelled by then.
func (s *SDK) Shutdown(ctx context.Context) (exporter.Report, error) {
	flushed := s.flushOTLP(ctx)
	meteringErr := s.metering.Shutdown(ctx)
	otlpErr := flushed()

	// The provider leaves processors running, and their errors out, once ctx has
	// ended. All that is left for them is to stop.
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
		defer cancel()
	}
	err := s.provider.Shutdown(ctx)
	if !errors.Is(err, meteringErr) {
		err = errors.Join(meteringErr, err)
	}
	if err = errors.Join(err, otlpErr); err != nil {
		err = fmt.Errorf("revenium: %w", err)
	}
	return s.Report(), err
}

// flushOTLP begins to flush what waits for OTLP. The provider asks one processor
// after the other, and an outage of Revenium would leave no time for the second.
// The returned function waits for the end.
func (s *SDK) flushOTLP(ctx context.Context) (wait func() error) {
	if s.batch == nil {
		return func() error { return nil }
	}
	var wg sync.WaitGroup
	var err error
	wg.Go(func() { err = s.batch.ForceFlush(ctx) })
	return func() error {
		wg.Wait()
		return err
	}
}
