// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
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
			if err := post(t.Context(), client, llm.BaseURL()+"/chat/completions", `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello!"}]}`); err != nil {
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

// TestOtelhttpAttribution has a service say to another whom a request is for, with
// otelhttp on both sides and the middleware inside and outside of it: the call of
// the other is billed accordingly, in the trace of the first.
func TestOtelhttpAttribution(t *testing.T) {
	trusted := propagate.NewMiddleware(propagate.WithTrust(propagate.TrustNetworks(netip.MustParsePrefix("127.0.0.0/8"))))
	for name, compose := range map[string]func(http.Handler, ...otelhttp.Option) http.Handler{
		"inside": func(h http.Handler, opts ...otelhttp.Option) http.Handler {
			return otelhttp.NewHandler(trusted(h), "serve", opts...)
		},
		"outside": func(h http.Handler, opts ...otelhttp.Option) http.Handler {
			return trusted(otelhttp.NewHandler(h, "serve", opts...))
		},
		"without": func(h http.Handler, opts ...otelhttp.Option) http.Handler {
			return otelhttp.NewHandler(h, "serve", opts...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			llm, revenium := llmtest.Start(t), reveniumtest.Start(t)
			processor, err := exporter.NewProcessor(exporter.WithAPIKey("rev_mk_test_otelhttp"), exporter.WithBaseURL(revenium.URL()))
			if err != nil {
				t.Fatal(err)
			}
			provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(instrument.NewSpanProcessor()), sdktrace.WithSpanProcessor(processor))
			traced := []otelhttp.Option{
				otelhttp.WithTracerProvider(provider),
				otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagate.NewPropagator())),
			}
			model := &http.Client{Transport: llmhttp.NewTransport(nil, llmhttp.WithTracerProvider(provider), llmhttp.WithoutPropagation())}
			service := httptest.NewServer(compose(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := post(r.Context(), model, llm.BaseURL()+"/chat/completions", `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello!"}]}`); err != nil {
					http.Error(w, err.Error(), http.StatusBadGateway)
				}
			}), traced...))
			t.Cleanup(service.Close)

			ctx, span := provider.Tracer("first").Start(t.Context(), "work")
			ctx = instrument.WithMetadata(ctx, instrument.Metadata{Organization: "Acme"})
			client := &http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport, traced...)}
			if err := post(ctx, client, service.URL, "{}"); err != nil {
				t.Fatal(err)
			}
			span.End()
			if err := provider.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := "Acme"
			if name == "without" {
				want = "" // nobody was told to believe it
			}
			records := revenium.Records()
			if len(records) != 1 || records[0].Text("organizationName") != want || records[0].Text("traceId") != traceID(span) {
				t.Errorf("records %v, want one of %q in trace %s", records, want, traceID(span))
			}
		})
	}
}

// post sends a request and reads the answer.
func post(ctx context.Context, client *http.Client, url, body string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", resp.Status)
	}
	return nil
}
