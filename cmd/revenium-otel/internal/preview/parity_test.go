// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package preview

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// otlpSink is an OTLP endpoint that keeps what it gets as OTLP JSON, one export
// per line.
type otlpSink struct {
	t  *testing.T
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *otlpSink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	request := ptraceotlp.NewExportRequest()
	if err == nil {
		err = request.UnmarshalProto(body)
	}
	var line []byte
	if err == nil {
		line, err = (&ptrace.JSONMarshaler{}).MarshalTraces(request.Traces())
	}
	if err != nil {
		s.t.Error(err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b.Write(append(line, '\n'))
}

// TestSameRecordsAsTheProcessor sends the same spans through both doors: the
// processor of the SDK, and OTLP. Byte for byte the records are the same.
func TestSameRecordsAsTheProcessor(t *testing.T) {
	sink := &otlpSink{t: t}
	server := httptest.NewServer(sink)
	defer server.Close()
	otlp, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	revenium := reveniumtest.Start(t)
	processor, err := exporter.NewProcessor(exporter.WithAPIKey("rev_mk_test_parity"), exporter.WithBaseURL(revenium.URL()))
	if err != nil {
		t.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(processor), sdktrace.WithSyncer(otlp),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("deployment.environment.name", "production"), attribute.StringSlice("process.command_args", []string{"a", "b"}))))
	makeSpans(t.Context(), provider.Tracer("example.com/app", trace.WithInstrumentationAttributes(attribute.String("revenium.agent.name", "triage"))))
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}

	sent := map[string]string{}
	for _, r := range revenium.Records() {
		sent[r.TransactionID] = string(r.Body)
	}
	var out bytes.Buffer
	if err := Run([]string{Stdin}, strings.NewReader(sink.b.String()), &out, func(err error) { t.Error(err) }, Options{Billed: true}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for text := range strings.Lines(out.String()) {
		n++
		var line Line
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		id := line.TraceID + "-" + line.SpanID
		if got, want := string(line.Record), sent[id]; got != want {
			t.Errorf("%s:\npreview   %s\nprocessor %s", line.SpanName, got, want)
		}
		delete(sent, id)
	}
	if n != 4 || len(sent) > 0 {
		t.Errorf("%d records were previewed, want 4; not previewed: %v", n, sent)
	}
}

// makeSpans makes calls of every kind that the two doors could see differently.
func makeSpans(ctx context.Context, tracer trace.Tracer) {
	start := time.Date(2026, 11, 24, 10, 0, 0, 123456789, time.UTC)
	ctx, root := tracer.Start(ctx, "handle request", trace.WithTimestamp(start))
	call := func(name string, attributes ...attribute.KeyValue) {
		_, span := tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(start),
			trace.WithAttributes(attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.provider.name", "anthropic"),
				attribute.String("gen_ai.request.model", "claude-sonnet-4-5")))
		span.SetAttributes(attributes...)
		if name == "failed" {
			span.RecordError(context.DeadlineExceeded, trace.WithTimestamp(start.Add(time.Second)))
			span.SetStatus(codes.Error, "context deadline exceeded")
		}
		span.End(trace.WithTimestamp(start.Add(1987654321)))
	}
	call("cached", attribute.Int("gen_ai.usage.input_tokens", 1000), attribute.Int("gen_ai.usage.output_tokens", 7),
		attribute.Int("gen_ai.usage.cache_read.input_tokens", 900), attribute.Float64("gen_ai.request.temperature", 0.3))
	call("streamed", attribute.Bool("gen_ai.request.stream", true), attribute.Float64("gen_ai.response.time_to_first_chunk", 0.412345),
		attribute.Int("gen_ai.usage.input_tokens", 3), attribute.String("gen_ai.usage.output_tokens", "4"),
		attribute.StringSlice("gen_ai.response.finish_reasons", []string{"end_turn", "max_tokens"}))
	call("attributed", attribute.Int("gen_ai.usage.input_tokens", 1), attribute.Int("gen_ai.usage.output_tokens", 1),
		attribute.String("revenium.organization.name", "Größe & Söhne"), attribute.StringSlice("revenium.product.name", []string{"search"}),
		attribute.Int64Slice("revenium.task.type", []int64{1, 2}), attribute.ByteSlice("revenium.ticket.id", []byte("x")))
	call("failed", attribute.String("error.type", "timeout"), attribute.Int("http.response.status_code", 504))
	root.End(trace.WithTimestamp(start.Add(2 * time.Second)))
}
