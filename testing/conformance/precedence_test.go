// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/wrap"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// levels are the places where a case sets values.
type levels struct {
	Span, Call         metadata
	Wrappers, Contexts []metadata
	Header, Baggage    metadata
	Scope, Resource    metadata
	Default            metadata
	Environment        map[string]string
}

func (m metadata) attributes() []attribute.KeyValue {
	var attrs []attribute.KeyValue
	for key, value := range m {
		attrs = append(attrs, key.String(string(value)))
	}
	return attrs
}

func TestPrecedence(t *testing.T) {
	type precedence struct {
		Name   string
		Levels levels
		Record map[string]text
	}
	for _, c := range casesOf[precedence](t, "precedence.json") {
		t.Run(c.Name, func(t *testing.T) {
			record := c.Levels.record(t)
			for field, want := range c.Record {
				if got := record.Text(field); got != string(want) {
					t.Errorf("%s is %q, want %q", field, got, want)
				}
			}
		})
	}
}

// record makes a call and returns its record.
func (l *levels) record(t *testing.T) reveniumtest.Record {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "REVENIUM_") {
			t.Setenv(name, "")
		}
	}
	for name, value := range l.Environment {
		t.Setenv(name, value)
	}
	srv := reveniumtest.Start(t)
	opts := []exporter.Option{
		exporter.WithAPIKey("rev_mk_test_conformance"), exporter.WithBaseURL(srv.URL()), exporter.WithLogger(slog.New(slog.DiscardHandler)),
	}
	for key, value := range l.Default {
		opts = append(opts, exporter.WithDefault(fieldOf(t, key).Name, string(value)))
	}
	processor, err := exporter.NewProcessor(opts...)
	if err != nil {
		t.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithResource(resource.NewSchemaless(l.Resource.attributes()...)),
		sdktrace.WithSpanProcessor(instrument.NewSpanProcessor()), sdktrace.WithSpanProcessor(processor))
	l.call(t, provider)
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	records := srv.Completions()
	if len(records) != 1 {
		t.Fatalf("%d records, want 1", len(records))
	}
	return records[0]
}

// call makes the call.
func (l *levels) call(t *testing.T, provider trace.TracerProvider) {
	t.Helper()
	do := func(ctx context.Context) error {
		for _, m := range l.Contexts {
			ctx = instrument.WithMetadata(ctx, m.of(t))
		}
		in, out := int64(10), int64(5)
		_, call := instrument.StartCall(ctx, instrument.CallParams{Provider: "openai", Model: "gpt-4o"},
			instrument.WithTracerProvider(scoped{provider, l.Scope.attributes()}), l.Call.of(t), instrument.WithAttributes(l.Span.attributes()...))
		call.SetUsage(instrument.Usage{Input: &in, Output: &out})
		call.End(nil)
		return ctx.Err()
	}
	for _, m := range slices.Backward(l.Wrappers) {
		do = wrap.Err0(do, m.of(t))
	}
	ctx := instrument.WithBaggageMetadata(instrument.WithHeaderMetadata(t.Context(), l.Header.of(t)), l.Baggage.of(t))
	if err := do(ctx); err != nil {
		t.Fatal(err)
	}
}

// scoped gives the scopes of its spans attributes.
type scoped struct {
	trace.TracerProvider
	attrs []attribute.KeyValue
}

// Tracer returns a tracer of a scope with the attributes.
func (s scoped) Tracer(name string, opts ...trace.TracerOption) trace.Tracer {
	return s.TracerProvider.Tracer(name, append(opts, trace.WithInstrumentationAttributes(s.attrs...))...)
}
