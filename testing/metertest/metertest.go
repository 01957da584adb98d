// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metertest

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// apiKey is one that the in-process Revenium takes.
const apiKey = "rev_mk_test_metertest" //nolint:gosec // no key of anybody

// drain bounds the end of a test: of its spans, and of the delivery of its records.
const drain = 15 * time.Second

// Meter is a provider, the way from its calls to their bills, and where the bills arrive.
type Meter struct {
	LLM      *llmtest.Server
	Revenium *reveniumtest.Server
	Provider *sdktrace.TracerProvider

	tb        testing.TB
	processor *exporter.Processor
	open      *openSpans
	stopped   bool
}

// Start starts a meter for the test tb, which stops it at its end and fails for a record that Revenium would not have
// taken as it was. The options are the exporter's.
func Start(tb testing.TB, opts ...exporter.Option) *Meter {
	tb.Helper()
	m := &Meter{LLM: llmtest.Start(tb), Revenium: reveniumtest.Start(tb), tb: tb, open: newOpenSpans()}
	opts = append([]exporter.Option{
		exporter.WithAPIKey(apiKey), exporter.WithBaseURL(m.Revenium.URL()),
		exporter.WithLogger(slog.New(slog.DiscardHandler)), // what it would say is in the report
		exporter.WithSenders(1),                            // so that records arrive in their order
	}, opts...)
	var err error
	if m.processor, err = exporter.NewProcessor(opts...); err != nil {
		tb.Fatal(err)
	}
	m.Provider = sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(m.processor), sdktrace.WithSpanProcessor(m.open),
		sdktrace.WithSampler(exporter.NewSampler(sdktrace.AlwaysSample())),
	)
	tb.Cleanup(m.stop)
	return m
}

// stop waits for open spans to end (that of a cancelled call does so a moment after the call) and delivers what is
// metered.
func (m *Meter) stop() {
	m.tb.Helper()
	if m.stopped {
		return
	}
	m.stopped = true
	// Not the test's own context, which has ended when this is a cleanup.
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	m.open.wait(ctx, m.tb)
	if err := m.Provider.Shutdown(ctx); err != nil {
		m.tb.Error(err)
	}
}

// Records ends metering and returns the records that arrived, in the order in which they were made.
func (m *Meter) Records() []reveniumtest.Record {
	m.tb.Helper()
	m.stop()
	return m.Revenium.Records()
}

// Report ends metering and returns its account.
func (m *Meter) Report() exporter.Report {
	m.tb.Helper()
	m.stop()
	return m.processor.Report()
}

// Facts are what a record says that is the same in every run: its fields without ids, times and what the machine and
// this project say about themselves, each as text.
type Facts map[string]string

// With returns a copy with changes: pairs of name and value, where "" takes a fact out.
func (f Facts) With(changes ...string) Facts {
	out := maps.Clone(f)
	for i := 0; i+1 < len(changes); i += 2 {
		if out[changes[i]] = changes[i+1]; changes[i+1] == "" {
			delete(out, changes[i])
		}
	}
	return out
}

// volatile are the fields that are no facts.
func volatile() []string {
	return []string{
		"transactionId", "parentTransactionId", "traceId", "requestTime", "completionStartTime", "responseTime",
		"requestDuration", "timeToFirstToken", "middlewareSource", "environment", "region", "attributes",
	}
}

// FactsOf returns the facts of a record.
func FactsOf(r reveniumtest.Record) Facts {
	f := make(Facts, len(r.Fields))
	for name := range r.Fields {
		f[name] = r.Text(name)
	}
	maps.DeleteFunc(f, func(name, _ string) bool { return slices.Contains(volatile(), name) })
	return f
}

// Want ends metering and fails the test unless the records that arrived have exactly these facts, in the order in
// which they were made.
func (m *Meter) Want(want ...Facts) {
	m.tb.Helper()
	got := []Facts{}
	for _, r := range m.Records() {
		got = append(got, FactsOf(r))
	}
	if diff := cmp.Diff(append([]Facts{}, want...), got); diff != "" {
		m.tb.Errorf("records (-want +got):\n%s\n%s", diff, m.Report())
	}
}
