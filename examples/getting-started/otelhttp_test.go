// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestOtelhttp: around the transport or beneath it, otelhttp makes a span of its
// own for each request, and the call is billed once.
func TestOtelhttp(t *testing.T) {
	for name, compose := range map[string]func(provider *sdktrace.TracerProvider) http.RoundTripper{
		"around": func(p *sdktrace.TracerProvider) http.RoundTripper {
			return otelhttp.NewTransport(llmhttp.NewTransport(nil, llmhttp.WithTracerProvider(p)), otelhttp.WithTracerProvider(p))
		},
		"beneath": func(p *sdktrace.TracerProvider) http.RoundTripper {
			return llmhttp.NewTransport(otelhttp.NewTransport(http.DefaultTransport, otelhttp.WithTracerProvider(p)), llmhttp.WithTracerProvider(p))
		},
	} {
		t.Run(name, func(t *testing.T) {
			llm := llmtest.Start(t)
			revenium := reveniumtest.Start(t)
			processor, err := exporter.NewProcessor(exporter.WithAPIKey("rev_mk_test_otelhttp"), exporter.WithBaseURL(revenium.URL()))
			if err != nil {
				t.Fatal(err)
			}
			spans := tracetest.NewSpanRecorder()
			provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(processor), sdktrace.WithSpanProcessor(spans))

			client := &http.Client{Transport: compose(provider)}
			resp, err := client.Post(llm.BaseURL()+"/chat/completions", "application/json",
				strings.NewReader(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello!"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Fatal(err)
			}
			if err := resp.Body.Close(); err != nil {
				t.Fatal(err)
			}
			if err := provider.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := len(spans.Ended()); n != 2 {
				t.Errorf("%d spans, want one of the call and one of the request", n)
			}
			if n := len(revenium.Records()); n != 1 {
				t.Errorf("%d records, want 1", n)
			}
		})
	}
}
