// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package revenium

import (
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestSampling: the sampler of the environment or of the option decides what a
// tracing backend gets; metering gets everything.
func TestSampling(t *testing.T) {
	const requests = 300
	for name, test := range map[string]struct {
		sampler, arg string
		option       sdktrace.Sampler
		low, high    int // sampled traces
	}{
		"default":                 {low: requests, high: requests},
		"always_on":               {sampler: "always_on", low: requests, high: requests},
		"always_off":              {sampler: "always_off"},
		"parentbased_always_on":   {sampler: "parentbased_always_on", low: requests, high: requests},
		"parentbased_always_off":  {sampler: "ParentBased_Always_Off "},
		"1 %":                     {sampler: "parentbased_traceidratio", arg: "0.01", low: 0, high: 20},
		"50 %":                    {sampler: "traceidratio", arg: "0.5", low: 60, high: 280},
		"ratio without argument":  {sampler: "traceidratio", low: requests, high: requests},
		"ratio with bad argument": {sampler: "traceidratio", arg: "NaN", low: requests, high: requests},
		"unknown":                 {sampler: "jaeger_remote", low: requests, high: requests},
		"option outranks":         {sampler: "always_on", option: sdktrace.NeverSample()},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			log := captureLog(t)
			t.Setenv("OTEL_TRACES_SAMPLER", test.sampler)
			t.Setenv("OTEL_TRACES_SAMPLER_ARG", test.arg)
			srv := reveniumtest.Start(t)
			spans := tracetest.NewInMemoryExporter()
			sdk := start(t, srv, WithSampler(test.option), WithTracerProviderOptions(sdktrace.WithSyncer(spans)))
			for range requests {
				request(t.Context(), sdk.TracerProvider())
			}
			if err := sdk.ForceFlush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := len(srv.Completions()); got != requests {
				t.Errorf("%d of %d calls metered", got, requests)
			}
			for _, s := range spans.GetSpans() {
				if !s.SpanContext.IsSampled() {
					t.Fatal("the tracing backend got a span that is not sampled")
				}
			}
			// The number of spans differs by the sampler's rule for children.
			traces := make(map[trace.TraceID]bool)
			for _, s := range spans.GetSpans() {
				traces[s.SpanContext.TraceID()] = true
			}
			if n := len(traces); n < test.low || n > test.high {
				t.Errorf("%d traces sampled, want between %d and %d", n, test.low, test.high)
			}
			bad := test.arg == "NaN" || name == "unknown"
			if warned := strings.Contains(log.String(), "OTEL_TRACES_SAMPLER"); warned != bad {
				t.Errorf("warned of a bad value: %v; log:\n%s", warned, log.String())
			}
		})
	}
}

// TestSamplerOptions: spans that say nothing when they start are recorded on request.
func TestSamplerOptions(t *testing.T) {
	for want, opts := range map[int][]Option{
		0: {WithSampler(sdktrace.NeverSample())},
		1: {WithSampler(sdktrace.NeverSample()), WithSamplerOptions(exporter.WithRecordAll())},
	} {
		clearEnv(t)
		srv := reveniumtest.Start(t)
		sdk := start(t, srv, opts...)
		_, span := sdk.TracerProvider().Tracer("test").Start(t.Context(), "ask")
		span.SetAttributes(semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o"),
			semconv.GenAIUsageInputTokens(10), semconv.GenAIUsageOutputTokens(5))
		span.End()
		if err := sdk.ForceFlush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := len(srv.Completions()); got != want {
			t.Errorf("%d records with %d options, want %d", got, len(opts), want)
		}
	}
}
