// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

const metricsScope = "github.com/revenium/revenium-otel-go/exporter"

// collection is what one reader saw: values by metric name and, in braces,
// attributes.
type collection map[string]float64

// sum adds all values of a metric.
func (c collection) sum(name string) int64 {
	var n float64
	for key, v := range c {
		if key == name || strings.HasPrefix(key, name+"{") {
			n += v
		}
	}
	return int64(n)
}

// collect reads all metrics of the exporter.
func collect(tb testing.TB, reader *sdkmetric.ManualReader) collection {
	tb.Helper()
	c := make(collection)
	add := func(name string, attrs string, v float64) {
		if attrs != "" {
			name += "{" + attrs + "}"
		}
		c[name] = v
	}
	for _, m := range metricsOf(tb, reader) {
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				add(m.Name, attributesText(p), float64(p.Value))
			}
		case metricdata.Gauge[float64]:
			for _, p := range data.DataPoints {
				add(m.Name, "", p.Value)
			}
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				var parts []string
				for it := p.Attributes.Iter(); it.Next(); {
					parts = append(parts, string(it.Attribute().Key)+"="+it.Attribute().Value.String())
				}
				add(m.Name, strings.Join(parts, ","), float64(p.Count))
			}
		default:
			tb.Errorf("metric %s has data of type %T", m.Name, m.Data)
		}
	}
	return c
}

// metricsOf are the metrics of the exporter's scope.
func metricsOf(tb testing.TB, reader *sdkmetric.ManualReader) []metricdata.Metrics {
	tb.Helper()
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &rm); err != nil {
		tb.Fatal(err)
	}
	for _, scope := range rm.ScopeMetrics {
		if scope.Scope.Name == metricsScope {
			return scope.Metrics
		}
	}
	tb.Fatal("no metrics of the exporter")
	return nil
}

func attributesText(p metricdata.DataPoint[int64]) string {
	var parts []string
	for it := p.Attributes.Iter(); it.Next(); {
		parts = append(parts, string(it.Attribute().Key)+"="+it.Attribute().Value.String())
	}
	return strings.Join(parts, ",")
}

// checkMetricSums checks the two sums in one collection.
func checkMetricSums(t *testing.T, c collection) {
	t.Helper()
	decided, held := c.sum("revenium.exporter.spans.decided"), c.sum("revenium.exporter.spans.held")
	if converted := c.sum("revenium.exporter.spans.converted"); converted != decided+held {
		t.Errorf("converted %d, but billed + suppressed + skipped = %d and held %d", converted, decided, held)
	}
	var billed float64
	for key, v := range c {
		if strings.HasPrefix(key, "revenium.exporter.spans.decided{revenium.decision=billed,") {
			billed += v
		}
	}
	finished, pending := c.sum("revenium.exporter.records.finished"), c.sum("revenium.exporter.records.pending")
	if got := int64(billed) + c.sum("revenium.exporter.records.recovered"); got != finished+pending {
		t.Errorf("billed + recovered = %d, but delivered + duplicate + dead + lost = %d and pending %d", got, finished, pending)
	}
}

func TestMetrics(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	srv := reveniumtest.Start(t, reveniumtest.WithFaults(
		reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusServiceUnavailable, Times: 1},
		reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusBadRequest, Times: 1},
	))
	p := newProcessor(t, srv, exporter.WithMeterProvider(mp), exporter.WithQueueSize(100), exporter.WithSenders(1))
	tracer := newTracer(t, p)
	chats(t.Context(), tracer, 4)
	// No usage; and one that is no LLM call.
	_, span := tracer.Start(t.Context(), "chat m", trace.WithAttributes(semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("m")))
	span.End()
	_, span = tracer.Start(t.Context(), "GET /")
	span.End()
	flush(t, p)

	c := collect(t, reader)
	checkMetricSums(t, c)
	want := collection{
		"revenium.exporter.spans.converted":                                                            5,
		"revenium.exporter.spans.decided{revenium.decision=billed,revenium.reason=usage}":              4,
		"revenium.exporter.spans.decided{revenium.decision=skipped,revenium.reason=no usage}":          1,
		"revenium.exporter.spans.held":                                                                 0,
		"revenium.exporter.spans.truncated":                                                            0,
		"revenium.exporter.spool.files.set_aside":                                                      0,
		"revenium.exporter.records.late":                                                               0,
		"revenium.exporter.spans.forgotten{revenium.table=held}":                                       0,
		"revenium.exporter.spans.forgotten{revenium.table=recent}":                                     0,
		"revenium.exporter.spans.forgotten{revenium.table=links}":                                      0,
		"revenium.exporter.spans.remembered":                                                           5,
		"revenium.exporter.calls.late":                                                                 0,
		"revenium.exporter.calls.billed_twice":                                                         0,
		"revenium.exporter.records.recovered":                                                          0,
		"revenium.exporter.records.finished{revenium.outcome=delivered}":                               3,
		"revenium.exporter.records.finished{revenium.outcome=duplicate}":                               0,
		"revenium.exporter.records.finished{revenium.outcome=lost,revenium.reason=rejected}":           1,
		"revenium.exporter.records.pending{revenium.state=queued}":                                     0,
		"revenium.exporter.records.pending{revenium.state=on_disk}":                                    0,
		"revenium.exporter.records.pending{revenium.state=parked}":                                     0,
		"revenium.exporter.attempts{revenium.outcome=delivered}":                                       3,
		"revenium.exporter.attempts{revenium.outcome=retry}":                                           1,
		"revenium.exporter.attempts{revenium.outcome=rejected}":                                        1,
		"revenium.exporter.attempt.duration{http.response.status_code=201,revenium.outcome=delivered}": 3,
		"revenium.exporter.attempt.duration{http.response.status_code=400,revenium.outcome=rejected}":  1,
		"revenium.exporter.attempt.duration{http.response.status_code=503,revenium.outcome=retry}":     1,
		"revenium.exporter.queue.size":                                                                 0,
		"revenium.exporter.queue.capacity":                                                             100,
		"revenium.exporter.queue.bytes":                                                                0,
		"revenium.exporter.queue.bytes.capacity":                                                       48 << 20,
		"revenium.exporter.queue.oldest.age":                                                           0,
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// TestMetricDefinitions: name, unit, type and description are a contract with
// dashboards.
func TestMetricDefinitions(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	srv := reveniumtest.Start(t)
	p := newProcessor(t, srv, exporter.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))), exporter.WithOrganization("acme"))
	tracer := newTracer(t, p)
	chat(t.Context(), tracer)
	_, span := tracer.Start(t.Context(), "chat m", trace.WithAttributes(semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("m"),
		semconv.GenAIUsageInputTokens(1), semconv.GenAIUsageOutputTokens(1), semconv.ReveniumTraceType("not a type!")))
	span.End()
	flush(t, p)
	got := make(map[string]string)
	for _, m := range metricsOf(t, reader) {
		kind := ""
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			kind = "updowncounter"
			if data.IsMonotonic {
				kind = "counter"
			}
		case metricdata.Gauge[float64]:
			kind = "gauge"
		case metricdata.Histogram[float64]:
			kind = "histogram"
		}
		got[m.Name] = kind + " " + m.Unit
		if m.Description == "" || !strings.HasSuffix(m.Description, ".") {
			t.Errorf("description of %s is %q", m.Name, m.Description)
		}
	}
	want := map[string]string{
		"revenium.exporter.spans.converted":       "counter {span}",
		"revenium.exporter.spans.decided":         "counter {span}",
		"revenium.exporter.spans.held":            "updowncounter {span}",
		"revenium.exporter.spans.truncated":       "counter {span}",
		"revenium.exporter.spool.files.set_aside": "counter {file}",
		"revenium.exporter.records.late":          "counter {record}",
		"revenium.exporter.spans.forgotten":       "counter {span}",
		"revenium.exporter.spans.remembered":      "updowncounter {span}",
		"revenium.exporter.calls.late":            "counter {call}",
		"revenium.exporter.calls.billed_twice":    "counter {call}",
		"revenium.exporter.records.finished":      "counter {record}",
		"revenium.exporter.records.pending":       "updowncounter {record}",
		"revenium.exporter.records.recovered":     "counter {record}",
		"revenium.exporter.values.changed":        "counter {value}",
		"revenium.exporter.attempts":              "counter {attempt}",
		"revenium.exporter.attempt.duration":      "histogram s",
		"revenium.exporter.queue.size":            "updowncounter {record}",
		"revenium.exporter.queue.capacity":        "updowncounter {record}",
		"revenium.exporter.queue.bytes":           "updowncounter By",
		"revenium.exporter.queue.bytes.capacity":  "updowncounter By",
		"revenium.exporter.queue.oldest.age":      "gauge s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// TestMetricSumsHoldAtEveryMoment: collections in the middle of everything, with
// failures of all kinds, find sums that hold; so does the last one, after
// shutdown.
func TestMetricSumsHoldAtEveryMoment(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	srv := reveniumtest.Start(t)
	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusServiceUnavailable, Chance: 0.1})
	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusBadRequest, Chance: 0.1})
	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultDropAfterStore, Chance: 0.1})
	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultUnauthorized, Chance: 0.02})
	p := newProcessor(t, srv,
		exporter.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))),
		exporter.WithQueueSize(200),
		exporter.WithRejectedHandler(func(r exporter.Rejected) error {
			if strings.HasSuffix(r.Record.TransactionID, "0") {
				return fmt.Errorf("no room")
			}
			return nil
		}))
	tracer := newTracer(t, p)
	stop := meanwhile(func() {
		chats(context.Background(), tracer, 5)
		_, span := tracer.Start(context.Background(), "chat m", trace.WithAttributes(
			semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("m")))
		span.End()
	})
	for range 100 {
		checkMetricSums(t, collect(t, reader))
		checkSums(t, p.Report())
		time.Sleep(2 * time.Millisecond)
	}
	stop()
	_ = p.Shutdown(within(t, 50*time.Millisecond)) // losses are part of the test
	c := collect(t, reader)
	checkMetricSums(t, c)
	r := p.Report()
	checkSums(t, r)
	if c.sum("revenium.exporter.records.pending") != 0 || c.sum("revenium.exporter.queue.size") != 0 {
		t.Errorf("something is pending after shutdown: %v", c)
	}
	if r.Lost == 0 || r.DeadLettered == 0 || r.Delivered == 0 || r.Attempts["retry"] == 0 || r.Skipped == 0 {
		t.Errorf("not all that should happen has happened:\n%s", r)
	}
	t.Logf("\n%s", r)
}

// TestQueueMetricsWhileWaiting: size, bytes and age speak of what waits.
func TestQueueMetricsWhileWaiting(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	srv := reveniumtest.Start(t)
	release := srv.Hang()
	p := newProcessor(t, srv, exporter.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
	start := time.Now()
	chats(t.Context(), newTracer(t, p), 5)
	if n := p.Report().Queued; n != 5 { // and they are there when the clock starts
		t.Fatalf("%d records queued, want 5", n)
	}
	time.Sleep(20 * time.Millisecond)
	c := collect(t, reader)
	if n := c["revenium.exporter.queue.size"]; n != 5 {
		t.Errorf("queue size is %v, want 5", n)
	}
	if n := c["revenium.exporter.records.pending{revenium.state=queued}"]; n != 5 {
		t.Errorf("%v records queued, want 5", n)
	}
	if n := c["revenium.exporter.queue.bytes"]; n < 5*500 || n > 5*4096 {
		t.Errorf("queue holds %v bytes", n)
	}
	if age := c["revenium.exporter.queue.oldest.age"]; age < 0.02 || age > time.Since(start).Seconds() {
		t.Errorf("oldest record is %v s old", age)
	}
	release()
	flush(t, p)
	srv.Unauthorized(true)
	chats(t.Context(), newTracer(t, p), 3)
	if err := p.ForceFlush(within(t, 5*time.Second)); err == nil {
		t.Error("ForceFlush succeeded with a refused key")
	}
	if n := collect(t, reader)["revenium.exporter.records.pending{revenium.state=parked}"]; n != 3 {
		t.Errorf("%v records parked, want 3", n)
	}
}
