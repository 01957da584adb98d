// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package revenium

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// clearEnv takes every variable that matters out of the environment.
func clearEnv(t *testing.T) {
	t.Helper()
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "REVENIUM_") || strings.HasPrefix(name, "OTEL_") {
			t.Setenv(name, "")
		}
	}
}

// captureLog collects what goes to the default logger.
func captureLog(t *testing.T) *logBuffer {
	t.Helper()
	b := &logBuffer{}
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(b, nil)))
	t.Cleanup(func() { slog.SetDefault(old) })
	return b
}

type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// start starts metering to srv without touching the globals.
func start(t *testing.T, srv *reveniumtest.Server, opts ...Option) *SDK {
	t.Helper()
	sdk, err := Start(t.Context(), append([]Option{
		WithoutGlobals(),
		WithExporterOptions(exporter.WithAPIKey("rev_mk_test_0123456789"), exporter.WithBaseURL(srv.URL())),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, _ = sdk.Shutdown(ctx) // tests look at the result themselves
	})
	return sdk
}

// request makes the spans of a request with one LLM call.
func request(ctx context.Context, tp trace.TracerProvider) trace.SpanContext {
	tracer := tp.Tracer("test")
	ctx, root := tracer.Start(ctx, "GET /answer")
	defer root.End()
	_, span := tracer.Start(ctx, "chat gpt-4o", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o"),
	))
	span.SetAttributes(semconv.GenAIUsageInputTokens(10), semconv.GenAIUsageOutputTokens(5))
	span.End()
	return span.SpanContext()
}

// backend is an OTLP endpoint that counts what it is sent.
type backend struct {
	*httptest.Server
	requests    atomic.Int64
	contentType atomic.Value
}

func newBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/traces" {
			b.requests.Add(1)
			b.contentType.Store(r.Header.Get("Content-Type"))
		}
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		if r.Header.Get("Content-Type") == "application/json" {
			_, _ = w.Write([]byte("{}"))
		}
	}))
	t.Cleanup(b.Close)
	return b
}

func TestStartMeters(t *testing.T) {
	clearEnv(t)
	srv := reveniumtest.Start(t)
	sdk := start(t, srv)
	sc := request(t.Context(), sdk.TracerProvider())
	if err := sdk.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := srv.ByTransactionID(sc.TraceID().String() + "-" + sc.SpanID().String()); !ok {
		t.Errorf("the call is not metered; records: %v", srv.Records())
	}
	if r := sdk.Report(); r.Delivered != 1 {
		t.Errorf("report:\n%s", r)
	}
	report, err := sdk.Shutdown(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if report.Delivered != 1 || report.Lost != 0 {
		t.Errorf("report at shutdown:\n%s", report)
	}
}

func TestOTLP(t *testing.T) {
	otlp := newBackend(t)
	for name, test := range map[string]struct {
		env         map[string]string
		want        bool
		contentType string
	}{
		"off without variables": {},
		"endpoint":              {env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": otlp.URL}, want: true, contentType: "application/x-protobuf"},
		"endpoint for traces":   {env: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": otlp.URL + "/v1/traces"}, want: true, contentType: "application/x-protobuf"},
		"none outranks":         {env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": otlp.URL, "OTEL_TRACES_EXPORTER": "none"}},
		"unsupported exporter":  {env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": otlp.URL, "OTEL_TRACES_EXPORTER": "zipkin"}},
		"json": {env: map[string]string{
			"OTEL_EXPORTER_OTLP_ENDPOINT": otlp.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_TRACES_EXPORTER": "console, otlp",
		}, want: true, contentType: "application/json"},
		"unknown protocol": {env: map[string]string{
			"OTEL_EXPORTER_OTLP_ENDPOINT": otlp.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "carrier/pigeon",
		}, want: true, contentType: "application/x-protobuf"},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			captureLog(t)
			for k, v := range test.env {
				t.Setenv(k, v)
			}
			before := otlp.requests.Load()
			srv := reveniumtest.Start(t)
			sdk := start(t, srv)
			request(t.Context(), sdk.TracerProvider())
			if _, err := sdk.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := otlp.requests.Load() > before; got != test.want {
				t.Errorf("exported over OTLP: %v, want %v", got, test.want)
			}
			if test.want && otlp.contentType.Load() != test.contentType {
				t.Errorf("content type is %v, want %s", otlp.contentType.Load(), test.contentType)
			}
			if n := len(srv.Completions()); n != 1 {
				t.Errorf("%d records, want 1", n)
			}
		})
	}
}

// TestOTLPGRPC: the protocol is taken from the environment; nobody needs to
// answer for that.
func TestOTLPGRPC(t *testing.T) {
	clearEnv(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	first := make(chan []byte, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		preface := make([]byte, 3)
		_, _ = conn.Read(preface)
		first <- preface
	}()
	t.Cleanup(func() { _ = l.Close() })
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+l.Addr().String())
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
	srv := reveniumtest.Start(t)
	sdk := start(t, srv)
	request(t.Context(), sdk.TracerProvider())
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	report, err := sdk.Shutdown(ctx)
	if err == nil {
		t.Error("Shutdown reports no failure of the dead OTLP endpoint")
	}
	if report.Delivered != 1 {
		t.Errorf("report:\n%s", report)
	}
	select {
	case preface := <-first:
		if string(preface) != "PRI" { // the beginning of HTTP/2
			t.Errorf("first bytes are %q, want those of HTTP/2", preface)
		}
	case <-time.After(5 * time.Second):
		t.Error("nothing was sent")
	}
}

// TestOutageOfReveniumLeavesTimeForOTLP: both get the whole deadline.
func TestOutageOfReveniumLeavesTimeForOTLP(t *testing.T) {
	clearEnv(t)
	captureLog(t)
	otlp := newBackend(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", otlp.URL)
	srv := reveniumtest.Start(t)
	release := srv.Hang()
	defer release()
	sdk := start(t, srv)
	request(t.Context(), sdk.TracerProvider())
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	report, err := sdk.Shutdown(ctx)
	var lost *exporter.ShutdownError
	if !errors.As(err, &lost) || report.Lost != 1 {
		t.Errorf("Shutdown = %v, want a ShutdownError; report:\n%s", err, report)
	}
	if otlp.requests.Load() != 1 {
		t.Errorf("%d OTLP requests, want 1", otlp.requests.Load())
	}
}

func TestDoubleMeteringIsNoticed(t *testing.T) {
	for endpoint, want := range map[string]bool{
		"https://api.revenium.ai/meter/v2/otlp": true,
		"https://API.Revenium.io":               true,
		"https://revenium.ai.example.com":       false,
		"http://collector:4318":                 false,
		"::not a url":                           false,
	} {
		log := captureLog(t)
		warnOfDoubleMetering(endpoint)
		if got := strings.Contains(log.String(), "billed twice"); got != want {
			t.Errorf("%s: warned %v, want %v", endpoint, got, want)
		}
	}
}

func TestStartFailsEarly(t *testing.T) {
	clearEnv(t)
	before := otel.GetTracerProvider()
	_, err := Start(t.Context())
	var problem *exporter.ConfigError
	if !errors.As(err, &problem) || problem.Setting != "REVENIUM_METERING_API_KEY" {
		t.Errorf("Start = %v, want a ConfigError about the key", err)
	}
	if want := "revenium: exporter: no API key: set REVENIUM_METERING_API_KEY or use WithAPIKey"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %q", err, want)
	}
	if otel.GetTracerProvider() != before {
		t.Error("a failed start has changed the global provider")
	}
}

func TestGlobals(t *testing.T) {
	clearEnv(t)
	captureLog(t)
	oldProvider, oldPropagator := otel.GetTracerProvider(), otel.GetTextMapPropagator()
	t.Cleanup(func() {
		otel.SetTracerProvider(oldProvider)
		otel.SetTextMapPropagator(oldPropagator)
	})
	srv := reveniumtest.Start(t)
	opts := WithExporterOptions(exporter.WithAPIKey("rev_mk_test_0123456789"), exporter.WithBaseURL(srv.URL()))

	without, err := Start(t.Context(), opts, WithoutGlobals())
	if err != nil {
		t.Fatal(err)
	}
	if otel.GetTracerProvider() == trace.TracerProvider(without.TracerProvider()) {
		t.Error("WithoutGlobals has set the global provider")
	}
	if _, err := without.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}

	with, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if otel.GetTracerProvider() != trace.TracerProvider(with.TracerProvider()) {
		t.Error("Start has not set the global provider")
	}
	fields := otel.GetTextMapPropagator().Fields()
	slices.Sort(fields)
	if !slices.Equal(fields, []string{"baggage", "traceparent", "tracestate"}) {
		t.Errorf("propagated fields are %v", fields)
	}
	if _, err := with.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestResource(t *testing.T) {
	clearEnv(t)
	srv := reveniumtest.Start(t)
	spans := tracetest.NewInMemoryExporter()
	sdk := start(t, srv,
		WithResource(resource.NewSchemaless(attribute.String("service.name", "answers"), attribute.String("deployment.environment.name", "staging"))),
		WithTracerProviderOptions(sdktrace.WithSyncer(spans)))
	request(t.Context(), sdk.TracerProvider())
	if err := sdk.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := spans.GetSpans()[0].Resource
	for key, want := range map[attribute.Key]string{
		"service.name": "answers", "telemetry.sdk.language": "go", "deployment.environment.name": "staging",
	} {
		if v, _ := got.Set().Value(key); v.AsString() != want {
			t.Errorf("resource attribute %s = %q, want %q", key, v.AsString(), want)
		}
	}
	if got := srv.Completions()[0].Text("environment"); got != "staging" {
		t.Errorf("environment of the record is %q, want that of the resource", got)
	}
}

func TestSpanLimits(t *testing.T) {
	for name, test := range map[string]struct {
		variable, value string
		want            int
	}{
		"default": {want: attributeCountLimit},
		"span":    {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "200", 200},
		"lower":   {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "16", 16},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			if test.variable != "" {
				t.Setenv(test.variable, test.value)
			}
			if got := spanLimits().AttributeCountLimit; got != test.want {
				t.Errorf("limit is %d, want %d", got, test.want)
			}
		})
	}
}

// TestUsageSetLateSurvives: with the SDK's own limit the token counts of this
// span would be dropped.
func TestUsageSetLateSurvives(t *testing.T) {
	clearEnv(t)
	srv := reveniumtest.Start(t)
	sdk := start(t, srv)
	_, span := sdk.TracerProvider().Tracer("test").Start(t.Context(), "chat gpt-4o", trace.WithAttributes(
		semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o")))
	for i := range 300 {
		span.SetAttributes(attribute.Int("gen_ai.prompt."+string(rune('a'+i%26))+strings.Repeat("x", i), i))
	}
	span.SetAttributes(semconv.GenAIUsageInputTokens(10), semconv.GenAIUsageOutputTokens(5))
	span.End()
	report, err := sdk.Shutdown(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if report.Delivered != 1 || report.TruncatedSpans != 0 {
		t.Errorf("report:\n%s", report)
	}
}

// forwardSink keeps the names of the spans that it gets.
type forwardSink struct {
	mu    sync.Mutex
	names []string
}

func (s *forwardSink) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, span := range spans {
		s.names = append(s.names, span.Name())
	}
	return nil
}

func (*forwardSink) Shutdown(context.Context) error { return nil }

// TestForwarding checks that a service without a key hands its LLM spans on though
// no trace is sampled.
func TestForwarding(t *testing.T) {
	clearEnv(t)
	var to forwardSink
	sdk, err := Start(t.Context(), WithForwarding(&to), WithoutGlobals(),
		WithSampler(sdktrace.NeverSample()))
	if err != nil {
		t.Fatal(err)
	}
	tracer := sdk.TracerProvider().Tracer("test")
	_, call := tracer.Start(t.Context(), "chat gpt-4o")
	call.End()
	_, other := tracer.Start(t.Context(), "GET /")
	other.End()
	report, err := sdk.Shutdown(t.Context())
	if err != nil || report.Converted != 0 {
		t.Errorf("report %v, %v", report, err)
	}
	if len(to.names) != 1 || to.names[0] != "chat gpt-4o" {
		t.Errorf("handed on: %v", to.names)
	}
}
