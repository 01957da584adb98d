// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// failedChat makes the span of a call that was answered with 429.
func failedChat(ctx context.Context, tracer trace.Tracer) {
	_, span := tracer.Start(ctx, "chat gpt-4o", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o")))
	span.SetAttributes(semconv.ErrorTypeKey.String("429"), semconv.HTTPResponseStatusCode(http.StatusTooManyRequests))
	span.End()
}

// TestRepeatedCallIsBilledOnce: the failed attempt waits for the one that
// succeeds, and is counted then.
func TestRepeatedCallIsBilledOnce(t *testing.T) {
	srv := reveniumtest.Start(t)
	p := newProcessor(t, srv)
	tracer := newTracer(t, p)
	ctx, root := tracer.Start(t.Context(), "handle request")
	failedChat(ctx, tracer)
	if r := p.Report(); r.Held != 1 || r.Converted != 1 || r.Billed != 0 {
		t.Errorf("report after the failure:\n%s", r)
	}
	chat(ctx, tracer)
	root.End()
	flush(t, p)
	r := p.Report()
	checkSums(t, r)
	if r.Held != 0 || r.Converted != 2 || r.Billed != 1 || r.SuppressedBy["retried"] != 1 || r.Delivered != 1 {
		t.Errorf("report:\n%s", r)
	}
}

// TestFinalFailureIsBilledWhenItsParentEnds, without waiting for the window.
func TestFinalFailureIsBilledWhenItsParentEnds(t *testing.T) {
	srv := reveniumtest.Start(t)
	p := newProcessor(t, srv, exporter.WithConvertOptions(convert.WithSettleWindow(time.Hour)))
	tracer := newTracer(t, p)
	ctx, root := tracer.Start(t.Context(), "handle request")
	failedChat(ctx, tracer)
	root.End()
	if err := srv.Wait(within(t, 10*time.Second), 1); err != nil {
		t.Fatal(err)
	}
	if got := srv.Completions()[0].Text("stopReason"); got != "ERROR" {
		t.Errorf("stop reason is %q, want ERROR", got)
	}
	if r := p.Report(); r.Held != 0 || r.BilledBy["error"] != 1 {
		t.Errorf("report:\n%s", r)
	}
}

// TestHeldSpansSettle: a failure without a parent is billed when its time is over,
// without anybody asking, and the timer goes on for the next one.
func TestHeldSpansSettle(t *testing.T) {
	srv := reveniumtest.Start(t)
	p := newProcessor(t, srv, exporter.WithConvertOptions(convert.WithSettleWindow(time.Millisecond)))
	tracer := newTracer(t, p)
	for n := 1; n <= 2; n++ {
		failedChat(t.Context(), tracer)
		if err := srv.Wait(within(t, 20*time.Second), n); err != nil {
			t.Fatal(err)
		}
	}
	r := p.Report()
	checkSums(t, r)
	if r.Held != 0 || r.BilledBy["error"] != 2 {
		t.Errorf("report:\n%s", r)
	}
}

// TestFlushAndShutdownSettle: who flushes wants to see everything, as does who
// shuts down.
func TestFlushAndShutdownSettle(t *testing.T) {
	for name, end := range map[string]func(*exporter.Processor, context.Context) error{
		"ForceFlush": (*exporter.Processor).ForceFlush,
		"Shutdown":   (*exporter.Processor).Shutdown,
	} {
		t.Run(name, func(t *testing.T) {
			reader := sdkmetric.NewManualReader()
			srv := reveniumtest.Start(t)
			p := newProcessor(t, srv, exporter.WithConvertOptions(convert.WithSettleWindow(time.Hour)),
				exporter.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
			tracer := newTracer(t, p)
			for range 3 {
				failedChat(t.Context(), tracer)
			}
			if held := collect(t, reader)["revenium.exporter.spans.held"]; held != 3 {
				t.Errorf("%v spans held, want 3", held)
			}
			if err := end(p, within(t, 10*time.Second)); err != nil {
				t.Fatal(err)
			}
			if got := len(srv.Completions()); got != 3 {
				t.Errorf("%d records, want 3", got)
			}
			if r := p.Report(); r.Held != 0 || r.Delivered != 3 {
				t.Errorf("report:\n%s", r)
			}
			checkMetricSums(t, collect(t, reader))
		})
	}
}

// TestNothingIsHeldAfterShutdown: nobody would look at it again.
func TestNothingIsHeldAfterShutdown(t *testing.T) {
	srv := reveniumtest.Start(t)
	p := newProcessor(t, srv)
	tracer := newTracer(t, p)
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	failedChat(t.Context(), tracer)
	r := p.Report()
	checkSums(t, r)
	if r.Held != 0 || r.LostBy[exporter.LossAfterShutdown] != 1 {
		t.Errorf("report:\n%s", r)
	}
}

// TestErrorRecordsOff is the option's way to the converter.
func TestErrorRecordsOff(t *testing.T) {
	srv := reveniumtest.Start(t)
	p := newProcessor(t, srv, exporter.WithErrorRecords(convert.ErrorPolicyNone))
	failedChat(t.Context(), newTracer(t, p))
	flush(t, p)
	if r := p.Report(); r.SkippedBy["error records off"] != 1 || len(srv.Records()) != 0 {
		t.Errorf("report:\n%s", r)
	}
}

// TestChangedValuesAreCountedAndSaid once per kind, with the attribute to mend.
func TestChangedValuesAreCountedAndSaid(t *testing.T) {
	srv := reveniumtest.Start(t)
	var log logBuffer
	p := newProcessor(t, srv, exporter.WithLogger(log.logger()))
	tracer := newTracer(t, p)
	for range 3 {
		_, span := tracer.Start(t.Context(), "chat m", trace.WithAttributes(
			semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("m"),
			semconv.GenAIUsageInputTokens(1), semconv.GenAIUsageOutputTokens(1),
			semconv.ReveniumTraceType("not a type!"), semconv.GenAIUsageReasoningOutputTokens(-4)))
		span.End()
	}
	flush(t, p)
	r := p.Report()
	if r.Delivered != 3 || r.Changed["traceType dropped"] != 3 || r.Changed["reasoningTokenCount dropped"] != 3 {
		t.Errorf("report:\n%s", r)
	}
	for _, want := range []string{"field=traceType attribute=revenium.trace.type action=dropped", "attribute=gen_ai.usage.reasoning.output_tokens"} {
		if n := log.count(want); n != 1 {
			t.Errorf("%q was logged %d times, want once:\n%s", want, n, log.String())
		}
	}
}
