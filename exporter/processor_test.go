// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

func TestProcessorMetersACall(t *testing.T) {
	srv := reveniumtest.Start(t, reveniumtest.WithAPIKeys(testKey))
	p := newProcessor(t, srv, exporter.WithOrganization("acme"), exporter.WithEnvironment("test"))
	tracer := newTracer(t, p)

	id := chat(t.Context(), tracer)
	_, other := tracer.Start(t.Context(), "GET /")
	other.End()
	flush(t, p)

	records := srv.Completions()
	if len(records) != 1 {
		t.Fatalf("%d records, want 1", len(records))
	}
	for name, want := range map[string]string{
		"transactionId":    id,
		"model":            "gpt-4o-2024-08-06",
		"provider":         "OpenAI",
		"inputTokenCount":  "120",
		"outputTokenCount": "30",
		"totalTokenCount":  "150",
		"stopReason":       "END",
		"organizationName": "acme",
		"environment":      "test",
	} {
		if got := records[0].Text(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	r := p.Report()
	checkSums(t, r)
	if r.Converted != 1 || r.Delivered != 1 {
		t.Errorf("report counts a span that is no LLM call, or not the one that is:\n%s", r)
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// TestMeteringIsIndependentOfSampling: whatever share of the traces is sampled,
// all calls are metered, and the tracing backend sees what it saw before.
func TestMeteringIsIndependentOfSampling(t *testing.T) {
	const calls = 200
	for name, base := range map[string]sdktrace.Sampler{
		"0 %":         sdktrace.NeverSample(),
		"0 %, parent": sdktrace.ParentBased(sdktrace.NeverSample()),
		"1 %":         sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.01)),
		"100 %":       sdktrace.ParentBased(sdktrace.AlwaysSample()),
		"SDK default": nil,
	} {
		t.Run(name, func(t *testing.T) {
			srv := reveniumtest.Start(t)
			p := newProcessor(t, srv)
			backend := tracetest.NewInMemoryExporter()
			tracer := newTracer(t, p, sdktrace.WithSyncer(backend), sdktrace.WithSampler(exporter.NewSampler(base)))
			sampled := 0
			for range calls {
				ctx, root := tracer.Start(t.Context(), "handle request")
				chat(ctx, tracer)
				root.End()
				if root.SpanContext().IsSampled() {
					sampled++
				}
			}
			flush(t, p)
			if got := len(srv.Completions()); got != calls {
				t.Errorf("%d of %d calls metered", got, calls)
			}
			if got := len(backend.GetSpans()); got != 2*sampled {
				t.Errorf("tracing backend got %d spans of %d sampled traces, want 2 of each", got, sampled)
			}
			switch name {
			case "0 %", "0 %, parent":
				if sampled != 0 {
					t.Errorf("%d traces sampled, want none", sampled)
				}
			case "100 %", "SDK default":
				if sampled != calls {
					t.Errorf("%d traces sampled, want all", sampled)
				}
			}
		})
	}
}

func TestRejectedRecordHoldsUpNothing(t *testing.T) {
	srv := reveniumtest.Start(t)
	srv.AddFault(reveniumtest.Fault{
		Kind: reveniumtest.FaultStatus, Status: http.StatusBadRequest, Times: 3,
		Body: `{"error":"validation_failed","message":"model is not known"}`,
	})
	var log logBuffer
	var mu sync.Mutex
	var rejected []exporter.Rejected
	p := newProcessor(t, srv, exporter.WithLogger(log.logger()), exporter.WithRejectedHandler(func(r exporter.Rejected) error {
		mu.Lock()
		defer mu.Unlock()
		rejected = append(rejected, r)
		return nil
	}))
	ids := chats(t.Context(), newTracer(t, p), 100)
	flush(t, p)
	r := p.Report()
	checkSums(t, r)
	if r.Delivered != 97 || r.DeadLettered != 3 || r.Lost != 0 {
		t.Errorf("report:\n%s", r)
	}
	known := make(map[string]bool)
	for _, id := range ids {
		known[id] = true
	}
	mu.Lock()
	defer mu.Unlock()
	for _, rej := range rejected {
		if !known[rej.Record.TransactionID] || rej.StatusCode != http.StatusBadRequest || rej.Code != "validation_failed" ||
			rej.Message != "model is not known" || len(rej.Record.Body) == 0 || rej.Record.Endpoint != metering.EndpointCompletions {
			t.Errorf("handler was given %+v", rej)
		}
	}
	if n := log.count("model is not known"); n != 1 {
		t.Errorf("the service's words were logged %d times, want once:\n%s", n, log.String())
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown = %v although nothing is lost", err)
	}
}

func TestOverflowIsCounted(t *testing.T) {
	for _, policy := range []spool.OverflowPolicy{spool.DropNewest, spool.DropOldest} {
		t.Run(policy.String(), func(t *testing.T) {
			srv := reveniumtest.Start(t)
			release := srv.Hang()
			var log logBuffer
			p := newProcessor(t, srv, exporter.WithQueueSize(20), exporter.WithOverflowPolicy(policy), exporter.WithLogger(log.logger()))
			ids := chats(t.Context(), newTracer(t, p), 50)
			if r := p.Report(); r.Billed != 50 {
				t.Fatalf("report:\n%s", r)
			}
			release()
			flush(t, p)
			r := p.Report()
			checkSums(t, r)
			if r.Delivered != 20 || r.Lost != 30 || r.LostBy[exporter.LossQueueFull] != 30 {
				t.Errorf("report:\n%s", r)
			}
			if _, last := srv.ByTransactionID(ids[49]); last != (policy == spool.DropOldest) {
				t.Errorf("newest record delivered: %v", last)
			}
			if n := log.count("queue full"); n != 1 {
				t.Errorf("overflow was logged %d times, want once:\n%s", n, log.String())
			}
			err := p.Shutdown(t.Context())
			var lost *exporter.ShutdownError
			if !errors.As(err, &lost) || lost.Report.Lost != 30 {
				t.Fatalf("Shutdown = %v, want a ShutdownError with 30 lost records", err)
			}
			if want := "exporter: shutdown: 30 records lost of 50 billed (queue full 30)"; err.Error() != want {
				t.Errorf("error is %q, want %q", err, want)
			}
		})
	}
}

// TestSpansThatLostAttributes are counted, since token counts may be missing.
func TestSpansThatLostAttributes(t *testing.T) {
	srv := reveniumtest.Start(t, reveniumtest.WithoutViolationCheck())
	var log logBuffer
	p := newProcessor(t, srv, exporter.WithLogger(log.logger()))
	tracer := newTracer(t, p, sdktrace.WithRawSpanLimits(sdktrace.SpanLimits{AttributeCountLimit: 5, AttributeValueLengthLimit: -1, EventCountLimit: -1, LinkCountLimit: -1, AttributePerEventCountLimit: -1, AttributePerLinkCountLimit: -1}))
	chats(t.Context(), tracer, 2)
	r := p.Report()
	if r.TruncatedSpans != 2 {
		t.Errorf("report:\n%s", r)
	}
	if n := log.count("SpanLimits.AttributeCountLimit"); n != 1 {
		t.Errorf("logged %d times, want once:\n%s", n, log.String())
	}
}

// TestOddSpansDoNotPanic: hostile and broken spans get a decision or none.
func TestOddSpansDoNotPanic(t *testing.T) {
	srv := reveniumtest.Start(t)
	p := newProcessor(t, srv)
	long := strings.Repeat("x", 1<<20)
	for _, stub := range []tracetest.SpanStub{
		{},
		{Name: "chat"},
		{Name: long, SpanKind: trace.SpanKind(99)},
	} {
		p.OnEnd(stub.Snapshot())
	}
	now := time.Now()
	for _, stub := range []tracetest.SpanStub{
		{Name: "chat m", StartTime: now, EndTime: now.Add(-time.Hour)},
		{Name: "chat m"},
	} {
		stub.Attributes = append(stub.Attributes,
			semconv.GenAIOperationNameChat,
			semconv.GenAIRequestModel("\xff\xfe"+long),
			semconv.GenAIUsageInputTokens(-5),
			semconv.GenAIUsageOutputTokensKey.String("many"),
		)
		p.OnEnd(stub.Snapshot())
	}
	flush(t, p)
	checkSums(t, p.Report())
}

// TestPanicStaysInside: an error in the code that reads a span costs that span's
// metering and nothing else.
func TestPanicStaysInside(t *testing.T) {
	srv := reveniumtest.Start(t)
	var log logBuffer
	p := newProcessor(t, srv, exporter.WithLogger(log.logger()))
	p.OnEnd(struct{ sdktrace.ReadOnlySpan }{}) // each method panics
	chat(t.Context(), newTracer(t, p))
	flush(t, p)
	r := p.Report()
	checkSums(t, r)
	if r.Delivered != 1 || r.SkippedBy["internal error"] != 1 {
		t.Errorf("report:\n%s", r)
	}
	if n := log.count("converting a span failed"); n != 1 {
		t.Errorf("logged %d times, want once:\n%s", n, log.String())
	}
}

// TestNoKeyInAnythingPrinted: the key appears neither in logs nor in what fmt and
// OpenTelemetry's logger print.
func TestNoKeyInAnythingPrinted(t *testing.T) {
	srv := reveniumtest.Start(t)
	srv.Unauthorized(true)
	var log logBuffer
	p := newProcessor(t, srv, exporter.WithLogger(log.logger()))
	tracer := newTracer(t, p)
	chat(t.Context(), tracer)
	err := p.ForceFlush(within(t, 5*time.Second))
	if err == nil {
		t.Error("ForceFlush succeeded with a refused key")
	}
	x, xerr := exporter.New(exporter.WithAPIKey(testKey), exporter.WithBaseURL(srv.URL()), exporter.WithLogger(log.logger()))
	if xerr != nil {
		t.Fatal(xerr)
	}
	if err := x.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	texts := []string{log.String(), err.Error()}
	for _, v := range []any{p, x, p.MarshalLog(), x.MarshalLog(), p.Report()} {
		for _, format := range []string{"%v", "%+v", "%s", "%#v"} {
			if format == "%#v" || format == "%+v" {
				if _, isStringer := v.(interface{ GoString() string }); format == "%#v" && !isStringer {
					continue
				}
			}
			texts = append(texts, fmt.Sprintf(format, v))
		}
	}
	for _, text := range texts {
		if strings.Contains(text, "test_0123456789abcdef") {
			t.Errorf("the key is printed: %s", text)
		}
	}
	if !strings.Contains(log.String(), "refuses the API key") {
		t.Errorf("no alarm about the key in the log:\n%s", log.String())
	}
}
