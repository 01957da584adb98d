// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// backend is a trace backend that takes OTLP over HTTP.
type backend struct {
	*httptest.Server
	mu    sync.Mutex
	names []string
}

func newBackend(tb testing.TB) *backend {
	tb.Helper()
	b := &backend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		req := ptraceotlp.NewExportRequest()
		if err == nil {
			err = req.UnmarshalProto(body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, rs := range req.Traces().ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					b.names = append(b.names, s.Name())
				}
			}
		}
	}))
	tb.Cleanup(b.Close)
	return b
}

// received are the names of the spans, sorted.
func (b *backend) received() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(slices.Values(b.names))
}

// provider exports spans to a receiver with the SDK's own means.
func provider(tb testing.TB, address string, opts ...sdktrace.TracerProviderOption) *sdktrace.TracerProvider {
	tb.Helper()
	exporter, err := otlptracehttp.New(tb.Context(), otlptracehttp.WithEndpoint(address), otlptracehttp.WithInsecure(),
		otlptracehttp.WithCompression(otlptracehttp.NoCompression))
	if err != nil {
		tb.Fatal(err)
	}
	res := resource.NewSchemaless(attribute.String("service.name", "shop"), attribute.String("deployment.environment.name", "staging"))
	return sdktrace.NewTracerProvider(append(opts, sdktrace.WithBatcher(exporter), sdktrace.WithResource(res))...)
}

// ask makes the spans of a request with an LLM call and returns the id of the
// record that it must become.
func ask(ctx context.Context, tracer trace.Tracer, i int) string {
	ctx, request := tracer.Start(ctx, "POST /ask", trace.WithSpanKind(trace.SpanKindServer))
	defer request.End()
	_, call := tracer.Start(ctx, "chat gpt-4o", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("gen_ai.operation.name", "chat"),
		attribute.String("gen_ai.provider.name", "openai"),
		attribute.String("gen_ai.request.model", "gpt-4o"),
		attribute.String("revenium.organization.name", fmt.Sprint("customer ", i%3)),
	))
	call.SetAttributes(attribute.Int("gen_ai.usage.input_tokens", 100+i), attribute.Int("gen_ai.usage.output_tokens", 20))
	call.End()
	return call.SpanContext().TraceID().String() + "-" + call.SpanContext().SpanID().String()
}

// TestProductionConfig runs the configuration of the repository's root as it is:
// spans of an SDK come in on both receivers, all calls are metered, and the traces
// of the first receiver are handed on.
func TestProductionConfig(t *testing.T) {
	srv := reveniumtest.Start(t)
	traces := newBackend(t)
	p := launch(t, t.TempDir(), []string{
		withKey, "REVENIUM_METERING_BASE_URL=" + srv.URL(), "FORWARD_EXPORTER=otlp_http", "FORWARD_ENDPOINT=" + traces.URL,
	}, "--config", root(t, "collector-config.yaml"), "--config", anyPorts(), "--config", "yaml:exporters::otlp_http::compression: none")
	p.waitReady(t)

	var want []string
	sampled := provider(t, p.http["otlp"])
	metered := provider(t, p.http["otlp/metering"])
	for i := range 50 {
		want = append(want, ask(t.Context(), sampled.Tracer("test"), i), ask(t.Context(), metered.Tracer("test"), 50+i))
	}
	for _, tp := range []*sdktrace.TracerProvider{sampled, metered} {
		if err := tp.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	wait(t, srv, len(want))
	p.stop(t)

	var got []string
	for _, r := range srv.Completions() {
		got = append(got, r.TransactionID)
		if r.Text("environment") != "staging" || r.Text("organizationName") == "" {
			t.Errorf("record %s is attributed to %q in %q", r.TransactionID, r.Text("organizationName"), r.Text("environment"))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("records %v\nwant %v", got, want)
	}
	names := traces.received()
	if len(names) != 100 || names[0] != "POST /ask" || names[99] != "chat gpt-4o" {
		t.Errorf("%d spans were handed on, want those of the first receiver", len(names))
	}
}

// TestNothingIsHandedOnByDefault checks the same configuration without an
// endpoint.
func TestNothingIsHandedOnByDefault(t *testing.T) {
	srv := reveniumtest.Start(t)
	p := launch(t, t.TempDir(), []string{withKey, "REVENIUM_METERING_BASE_URL=" + srv.URL()},
		"--config", root(t, "collector-config.yaml"), "--config", anyPorts())
	p.waitReady(t)
	if err := send(t.Context(), p.http["otlp"], calls(0, 10, "gpt-4o")); err != nil {
		t.Fatal(err)
	}
	wait(t, srv, 10)
	p.stop(t)
	checkCalls(t, srv, 10)
}
