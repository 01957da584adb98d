// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter"
)

// Keys of the service's tenants. A key says in the service's fault whose it is.
const (
	commonKey = "rev_mk_test_peers"
	keyPrefix = "rev_mk_test_tenant_"
)

// pipeline is what the application hands its finished spans to.
type pipeline struct {
	processor sdktrace.SpanProcessor
	provider  *sdktrace.TracerProvider
	report    func() exporter.Report
}

// pipelines make what the sides have in the application, with the defaults of each.
var pipelines = map[string]func(context.Context, appConfig) (*pipeline, error){
	"revenium":       newRevenium,
	"revenium-spool": newRevenium,
	"forward":        newForward,
	"batch":          newBatch,
}

func newPipeline(ctx context.Context, cfg appConfig) (*pipeline, error) {
	build, ok := pipelines[cfg.Pipeline]
	if !ok {
		return nil, fmt.Errorf("application: unknown pipeline %q", cfg.Pipeline)
	}
	p, err := build(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("application: pipeline %s: %w", cfg.Pipeline, err)
	}
	sampler := sdktrace.TraceIDRatioBased(cfg.Ratio)
	if cfg.Pipeline != "batch" {
		sampler = exporter.NewSampler(sampler)
	}
	p.provider = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(p.processor), sdktrace.WithSampler(sampler))
	return p, nil
}

func newRevenium(_ context.Context, cfg appConfig) (*pipeline, error) {
	opts := []exporter.Option{exporter.WithAPIKey(commonKey), exporter.WithBaseURL(cfg.URL)}
	if cfg.Spool != "" {
		opts = append(opts, exporter.WithSpool(cfg.Spool))
	}
	if cfg.Tenants {
		opts = append(opts, exporter.WithTenantAttribute(tenantKey),
			exporter.WithTenantKey("a", keyPrefix+"a"), exporter.WithTenantKey("b", keyPrefix+"b"))
	}
	processor, err := exporter.NewProcessor(opts...)
	if err != nil {
		return nil, err
	}
	return &pipeline{processor: processor, report: processor.Report}, nil
}

func newForward(ctx context.Context, cfg appConfig) (*pipeline, error) {
	exp, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(cfg.URL+"/v1/traces"))
	if err != nil {
		return nil, err
	}
	return &pipeline{processor: exporter.NewForwarder(exp)}, nil
}

func newBatch(ctx context.Context, cfg appConfig) (*pipeline, error) {
	exp, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(cfg.URL+"/v1/traces"))
	if err != nil {
		return nil, err
	}
	return &pipeline{processor: sdktrace.NewBatchSpanProcessor(exp)}, nil
}
