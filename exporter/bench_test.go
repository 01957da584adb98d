// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/spool"
	"github.com/revenium/revenium-otel-go/semconv"
)

// sink accepts every record without a network.
var sink = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	return &http.Response{StatusCode: http.StatusCreated, Body: http.NoBody, Request: r, Header: http.Header{}}, err
})}

// stalled never answers.
var stalled = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
})}

func newBenchProcessor(b *testing.B, client *http.Client, opts ...exporter.Option) *exporter.Processor {
	b.Helper()
	clearEnv(b)
	p, err := exporter.NewProcessor(append([]exporter.Option{
		exporter.WithAPIKey(testKey),
		exporter.WithHTTPClient(client),
		exporter.WithQueueSize(1 << 24),
		exporter.WithQueueBytes(1 << 40),
		exporter.WithTimeout(time.Hour),
		exporter.WithLogger((&logBuffer{}).logger()),
	}, opts...)...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_ = p.Shutdown(ctx)
	})
	return p
}

// benchResource is what a service in Kubernetes reports.
var benchResource = resource.NewSchemaless(
	attribute.String("service.name", "answers"), attribute.String("service.version", "1.4.2"),
	attribute.String("service.instance.id", "f6a3c0de-0000-4000-8000-123456789abc"),
	attribute.String("deployment.environment.name", "production"), attribute.String("cloud.region", "eu-central-1"),
	attribute.String("k8s.pod.name", "answers-7d4b9c6f5-x2x7p"), attribute.String("k8s.namespace.name", "shop"),
	attribute.String("telemetry.sdk.name", "opentelemetry"), attribute.String("telemetry.sdk.language", "go"),
	attribute.StringSlice("process.command_args", []string{"/answers", "-v"}),
)

// chatStub is a typical chat span.
func chatStub() tracetest.SpanStub {
	end := time.Now()
	return tracetest.SpanStub{
		Name:                 "chat gpt-4o",
		Parent:               trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{9}}),
		SpanKind:             trace.SpanKindClient,
		StartTime:            end.Add(-1200 * time.Millisecond),
		EndTime:              end,
		Resource:             benchResource,
		InstrumentationScope: instrumentation.Scope{Name: "github.com/revenium/revenium-otel-go/instrument/llmhttp", Version: "0.1.0"},
		Attributes: []attribute.KeyValue{
			semconv.GenAIOperationNameChat,
			semconv.GenAIProviderNameOpenAI,
			semconv.GenAIRequestModel("gpt-4o"),
			semconv.GenAIRequestStream(true),
			semconv.GenAIRequestTemperature(0.7),
			semconv.ServerAddress("api.openai.com"),
			semconv.ServerPort(443),
			semconv.GenAIResponseID("chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx"),
			semconv.GenAIResponseModel("gpt-4o-2024-08-06"),
			semconv.GenAIResponseFinishReasons("stop"),
			semconv.GenAIUsageInputTokens(1200),
			semconv.GenAIUsageCacheReadInputTokens(1024),
			semconv.GenAIUsageOutputTokens(345),
			semconv.GenAIUsageReasoningOutputTokens(64),
			semconv.GenAIResponseTimeToFirstChunk(0.312),
			semconv.OpenAIResponseServiceTier("default"),
			semconv.ReveniumOrganizationName("Acme Corporation"),
			semconv.ReveniumProductName("support-bot"),
			semconv.ReveniumSubscriberID("user-4711"),
			semconv.ReveniumTaskType("summarize"),
		},
	}
}

// httpStub is a typical span that has nothing to do with an LLM.
func httpStub() tracetest.SpanStub {
	end := time.Now()
	return tracetest.SpanStub{
		Name:                 "GET /api/items/{id}",
		SpanContext:          trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}}),
		Parent:               trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{9}}),
		SpanKind:             trace.SpanKindServer,
		StartTime:            end.Add(-12 * time.Millisecond),
		EndTime:              end,
		Resource:             benchResource,
		InstrumentationScope: instrumentation.Scope{Name: "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", Version: "0.72.0"},
		Attributes: []attribute.KeyValue{
			attribute.String("http.request.method", "GET"), attribute.String("url.scheme", "https"),
			attribute.String("url.path", "/api/items/42"), attribute.String("http.route", "/api/items/{id}"),
			attribute.String("server.address", "shop.example"), attribute.Int("server.port", 443),
			attribute.String("network.protocol.version", "2"), attribute.String("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)"),
			attribute.String("client.address", "192.0.2.1"), attribute.String("network.peer.address", "192.0.2.1"),
			attribute.Int("network.peer.port", 51234), attribute.Int("http.response.status_code", 200),
			attribute.Int("http.response.body.size", 1234),
		},
	}
}

// spanIDs makes spans distinct, since a span that comes twice is a replay.
var spanIDs atomic.Uint64

// spansOf returns n spans like stub with ids of their own.
func spansOf(stub tracetest.SpanStub, n int) []sdktrace.ReadOnlySpan {
	spans := make([]sdktrace.ReadOnlySpan, n)
	for i := range spans {
		id := spanIDs.Add(1)
		s := stub
		s.Attributes = withResponseID(stub.Attributes, id)
		s.SpanContext = trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{1, byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)},
			SpanID:  trace.SpanID{2, byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)},
		})
		spans[i] = s.Snapshot()
	}
	return spans
}

// withResponseID gives a call the id of an answer of its own, since a call that has
// been billed is not billed again.
func withResponseID(attrs []attribute.KeyValue, id uint64) []attribute.KeyValue {
	attrs = slices.Clone(attrs)
	for i := range attrs {
		if attrs[i].Key == "gen_ai.response.id" {
			attrs[i] = attribute.String("gen_ai.response.id", fmt.Sprintf("chatcmpl-%d", id))
		}
	}
	return attrs
}

// BenchmarkOnEnd is what metering costs in the application's request path:
// convert, freeze and enqueue.
func BenchmarkOnEnd(b *testing.B) {
	b.Run("chat", func(b *testing.B) {
		p := newBenchProcessor(b, stalled)
		benchOnEnd(b, p, chatStub())
	})
	b.Run("chat delivered meanwhile", func(b *testing.B) {
		p := newBenchProcessor(b, sink)
		benchOnEnd(b, p, chatStub())
	})
	b.Run("chat, spool", func(b *testing.B) {
		p := newBenchProcessor(b, stalled, exporter.WithSpool(b.TempDir()))
		benchOnEnd(b, p, chatStub())
	})
	b.Run("chat delivered meanwhile, spool", func(b *testing.B) {
		p := newBenchProcessor(b, sink, exporter.WithSpool(b.TempDir()))
		benchOnEnd(b, p, chatStub())
	})
	b.Run("other span", func(b *testing.B) {
		p := newBenchProcessor(b, sink)
		span := httpStub().Snapshot()
		b.ReportAllocs()
		for b.Loop() {
			p.OnEnd(span)
		}
	})
	b.Run("other span, parallel", func(b *testing.B) {
		p := newBenchProcessor(b, sink)
		span := httpStub().Snapshot()
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				p.OnEnd(span)
			}
		})
	})
}

func benchOnEnd(b *testing.B, p *exporter.Processor, stub tracetest.SpanStub) {
	b.Helper()
	const batch = 1000
	spans := spansOf(stub, batch)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if i == len(spans) {
			b.StopTimer()
			spans, i = spansOf(stub, batch), 0
			b.StartTimer()
		}
		p.OnEnd(spans[i])
		i++
	}
}

// TestOnEndBudget keeps the number of allocations in the request path; its time
// is for the benchmark.
func TestOnEndBudget(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	t.Run("memory", func(t *testing.T) { checkOnEndBudget(t) })
	t.Run("spool", func(t *testing.T) {
		// Written once an hour, so that what the committer allocates does not count.
		checkOnEndBudget(t, exporter.WithSpool(t.TempDir(), spool.WithCommitInterval(time.Hour)))
	})
}

func checkOnEndBudget(t *testing.T, opts ...exporter.Option) {
	t.Helper()
	clearEnv(t)
	p, err := exporter.NewProcessor(append([]exporter.Option{
		exporter.WithAPIKey(testKey), exporter.WithHTTPClient(stalled),
		exporter.WithTimeout(time.Hour), exporter.WithLogger((&logBuffer{}).logger()),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Shutdown(within(t, time.Millisecond)) }()
	other := httpStub().Snapshot()
	if n := testing.AllocsPerRun(1000, func() { p.OnEnd(other) }); n != 0 {
		t.Errorf("%v allocations for a span that is no LLM call, want none", n)
	}
	spans := spansOf(chatStub(), 2002)
	i := 0
	n := testing.AllocsPerRun(2000, func() {
		p.OnEnd(spans[i])
		i++
	})
	t.Logf("%v allocations for a chat span", n)
	if n > 25 {
		t.Errorf("%v allocations for a chat span, want at most 25", n)
	}
	if r := p.Report(); r.Queued != 2001 || r.Converted != 2001 {
		t.Errorf("report:\n%s", r)
	}
	if strings.Contains(p.Report().String(), "noted") {
		t.Errorf("a typical span had values changed:\n%s", p.Report())
	}
}
