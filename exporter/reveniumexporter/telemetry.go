// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/reveniumexporter/internal/metadata"
)

// Attributes of the exporter's own metrics; metadata.yaml describes them.
const (
	attrExporter = attribute.Key("exporter")
	attrDecision = attribute.Key("decision")
	attrReason   = attribute.Key("reason")
	attrOutcome  = attribute.Key("outcome")
	attrState    = attribute.Key("state")
	attrField    = attribute.Key("field")
	attrAction   = attribute.Key("action")
	attrTable    = attribute.Key("table")
	attrStatus   = attribute.Key("http.response.status_code")
)

// telemetry reports the ledger. All counts of one collection come from one
// snapshot, so that the sums hold in it.
type telemetry struct {
	engine       *engine
	builder      *metadata.TelemetryBuilder
	registration metric.Registration
	exporter     attribute.KeyValue

	mu sync.Mutex
	// attempts are the attributes of attempts by outcome and status, which are few.
	attempts map[[2]int]metric.MeasurementOption
}

func newTelemetry(e *engine) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(e.set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	t := &telemetry{engine: e, builder: builder, exporter: attrExporter.String(e.set.ID.String())}
	t.registration, err = metadata.Meter(e.set.TelemetrySettings).RegisterCallback(t.observe,
		builder.ExporterReveniumSpansConverted, builder.ExporterReveniumSpansDecided,
		builder.ExporterReveniumSpansHeld, builder.ExporterReveniumSpansForgotten,
		builder.ExporterReveniumSpansRemembered, builder.ExporterReveniumCallsLate, builder.ExporterReveniumCallsBilledTwice,
		builder.ExporterReveniumRecordsFinished, builder.ExporterReveniumRecordsPending,
		builder.ExporterReveniumRecordsRecovered, builder.ExporterReveniumRecordsOldestAge,
		builder.ExporterReveniumValuesChanged, builder.ExporterReveniumAttempts)
	return t, err
}

// close ends the reports.
func (t *telemetry) close() error {
	err := t.registration.Unregister()
	t.builder.Shutdown()
	return err
}

// with returns the attributes of a measurement.
func (t *telemetry) with(attrs ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(append(attrs, t.exporter)...))
}

// observe reports one snapshot.
func (t *telemetry) observe(_ context.Context, o metric.Observer) error {
	e, b := t.engine, t.builder
	c := e.ledger.snapshot()
	o.ObserveInt64(b.ExporterReveniumSpansConverted, c.converted, t.with())
	o.ObserveInt64(b.ExporterReveniumSpansHeld, c.held, t.with())
	for key, n := range c.decided {
		o.ObserveInt64(b.ExporterReveniumSpansDecided, n, t.with(attrDecision.String(key[0]), attrReason.String(key[1])))
	}
	tables := e.converter.Stats()
	o.ObserveInt64(b.ExporterReveniumSpansForgotten, tables.HeldOverflow, t.with(attrTable.String("held")))
	o.ObserveInt64(b.ExporterReveniumSpansForgotten, tables.RecentForgotten, t.with(attrTable.String("recent")))
	o.ObserveInt64(b.ExporterReveniumSpansForgotten, tables.LinksForgotten, t.with(attrTable.String("links")))
	o.ObserveInt64(b.ExporterReveniumSpansRemembered, int64(tables.Recent), t.with())
	o.ObserveInt64(b.ExporterReveniumCallsLate, tables.LateCalls, t.with())
	o.ObserveInt64(b.ExporterReveniumCallsBilledTwice, tables.BilledTwice, t.with())
	o.ObserveInt64(b.ExporterReveniumRecordsRecovered, c.recovered, t.with())
	for key, n := range c.finished {
		attrs := []attribute.KeyValue{attrOutcome.String(key[0])}
		if key[1] != "" {
			attrs = append(attrs, attrReason.String(key[1]))
		}
		o.ObserveInt64(b.ExporterReveniumRecordsFinished, n, t.with(attrs...))
	}
	t.observePending(o, c.pending)
	for key, n := range c.changed {
		o.ObserveInt64(b.ExporterReveniumValuesChanged, n, t.with(attrField.String(key[0]), attrAction.String(key[1])))
	}
	for outcome, n := range c.attempts {
		o.ObserveInt64(b.ExporterReveniumAttempts, n, t.with(attrOutcome.String(outcome.String())))
	}
	return nil
}

// observePending says where records wait, and for how long.
func (t *telemetry) observePending(o metric.Observer, pending map[*account]int64) {
	var queued, parked, setAside int64
	var oldest time.Time
	for _, a := range t.engine.accounts {
		aside := min(t.engine.backlog.count(a), pending[a])
		setAside += aside
		if a.gate.isParked() {
			parked += pending[a] - aside
		} else {
			queued += pending[a] - aside
		}
		if created := a.oldest(); !created.IsZero() && (oldest.IsZero() || created.Before(oldest)) {
			oldest = created
		}
	}
	b := t.builder
	o.ObserveInt64(b.ExporterReveniumRecordsPending, queued, t.with(attrState.String("queued")))
	o.ObserveInt64(b.ExporterReveniumRecordsPending, parked, t.with(attrState.String("parked")))
	o.ObserveInt64(b.ExporterReveniumRecordsPending, setAside, t.with(attrState.String("set_aside")))
	age := 0.0
	if !oldest.IsZero() {
		age = max(time.Since(oldest).Seconds(), 0)
	}
	o.ObserveFloat64(b.ExporterReveniumRecordsOldestAge, age, t.with())
}

// observeAttempt counts an attempt and its duration.
func (e *engine) observeAttempt(ctx context.Context, res metering.Result, took time.Duration) {
	e.ledger.attempt(res.Outcome)
	e.telemetry.builder.ExporterReveniumAttemptDuration.Record(ctx, took.Seconds(), e.telemetry.attempt(res))
}

// attempt returns the attributes of an attempt.
func (t *telemetry) attempt(res metering.Result) metric.MeasurementOption {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := [2]int{int(res.Outcome), res.StatusCode}
	if opt, ok := t.attempts[key]; ok {
		return opt
	}
	attrs := []attribute.KeyValue{attrOutcome.String(res.Outcome.String())}
	if res.StatusCode != 0 {
		attrs = append(attrs, attrStatus.Int(res.StatusCode))
	}
	if t.attempts == nil {
		t.attempts = make(map[[2]int]metric.MeasurementOption)
	}
	t.attempts[key] = t.with(attrs...)
	return t.attempts[key]
}
