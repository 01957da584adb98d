// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
)

const apiKey = "rev_mk_test_bench"

// newProcessor makes a processor that delivers to baseURL and is silent.
func newProcessor(tb testing.TB, baseURL string, opts ...exporter.Option) *exporter.Processor {
	tb.Helper()
	processor, err := exporter.NewProcessor(append([]exporter.Option{
		exporter.WithAPIKey(apiKey),
		exporter.WithBaseURL(baseURL),
		exporter.WithLogger(slog.New(slog.DiscardHandler)),
	}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	return processor
}

// spanContext gives every span an identity of its own, so that none is taken for
// a replay of another.
func spanContext(n uint64) trace.SpanContext {
	var traceID trace.TraceID
	var spanID trace.SpanID
	binary.BigEndian.PutUint64(traceID[:], 0xbe7c)
	binary.BigEndian.PutUint64(traceID[8:], n+1)
	binary.BigEndian.PutUint64(spanID[:], n+1)
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: spanID, TraceFlags: trace.FlagsSampled})
}

var (
	benchResource = resource.NewSchemaless(
		attribute.String("service.name", "checkout"),
		attribute.String("service.version", "1.4.2"),
		attribute.String("deployment.environment.name", "production"),
		attribute.String("cloud.region", "eu-central-1"),
		attribute.String("host.name", "node-17"),
		attribute.String("telemetry.sdk.language", "go"),
	)
	benchScope = instrumentation.Scope{Name: "github.com/revenium/revenium-otel-go/instrument/llmhttp", Version: "0.1.0"}
	benchStart = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
)

// chatSpan is a typical streamed chat call as llmhttp records it, with
// attribution.
func chatSpan(n uint64) sdktrace.ReadOnlySpan {
	return tracetest.SpanStub{
		Name:        "chat gpt-4o-mini",
		SpanContext: spanContext(n),
		SpanKind:    trace.SpanKindClient,
		StartTime:   benchStart,
		EndTime:     benchStart.Add(1834 * time.Millisecond),
		Attributes: []attribute.KeyValue{
			attribute.String("gen_ai.operation.name", "chat"),
			attribute.String("gen_ai.provider.name", "openai"),
			attribute.String("gen_ai.request.model", "gpt-4o-mini"),
			attribute.Bool("gen_ai.request.stream", true),
			attribute.Float64("gen_ai.request.temperature", 0.2),
			attribute.Int64("gen_ai.request.max_tokens", 800),
			attribute.String("server.address", "api.openai.com"),
			attribute.Int("server.port", 443),
			attribute.String("revenium.organization.name", "Acme Corp"),
			attribute.String("revenium.product.name", "assistant"),
			attribute.String("revenium.subscriber.id", "user-4711"),
			attribute.String("revenium.agent.name", "planner"),
			attribute.String("revenium.task.type", "summarize"),
			attribute.Int("http.response.status_code", 200),
			// An id of its own: spans that share one are about one call.
			attribute.String("gen_ai.response.id", fmt.Sprintf("chatcmpl-C4HqHBe4xca0k0EzsCnf%08d", n)),
			attribute.String("gen_ai.response.model", "gpt-4o-mini-2024-07-18"),
			attribute.StringSlice("gen_ai.response.finish_reasons", []string{"stop"}),
			attribute.Float64("gen_ai.response.time_to_first_chunk", 0.412),
			attribute.Int64("gen_ai.usage.input_tokens", 1310),
			attribute.Int64("gen_ai.usage.cache_read.input_tokens", 1152),
			attribute.Int64("gen_ai.usage.output_tokens", 217),
			attribute.Int64("gen_ai.usage.reasoning.output_tokens", 0),
		},
		Resource:             benchResource,
		InstrumentationScope: benchScope,
	}.Snapshot()
}

// httpSpan is a typical server span that has nothing to do with LLMs.
func httpSpan(n uint64) sdktrace.ReadOnlySpan {
	return tracetest.SpanStub{
		Name:        "GET /orders/{id}",
		SpanContext: spanContext(n),
		SpanKind:    trace.SpanKindServer,
		StartTime:   benchStart,
		EndTime:     benchStart.Add(12 * time.Millisecond),
		Attributes: []attribute.KeyValue{
			attribute.String("http.request.method", "GET"),
			attribute.String("url.scheme", "https"),
			attribute.String("url.path", "/orders/1234"),
			attribute.String("http.route", "/orders/{id}"),
			attribute.Int("http.response.status_code", 200),
			attribute.String("server.address", "shop.example.com"),
			attribute.Int("server.port", 443),
			attribute.String("network.protocol.version", "1.1"),
			attribute.String("client.address", "192.0.2.17"),
			attribute.String("user_agent.original", "curl/8.5.0"),
		},
		Resource:             benchResource,
		InstrumentationScope: instrumentation.Scope{Name: "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"},
	}.Snapshot()
}
