// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// scopeName is the instrumentation scope of the exporter's own metrics.
const scopeName = "github.com/revenium/revenium-otel-go/exporter"

// Names of the exporter's own metrics; the package comment describes them.
const (
	metricConverted     = "revenium.exporter.spans.converted"
	metricDecided       = "revenium.exporter.spans.decided"
	metricHeld          = "revenium.exporter.spans.held"
	metricTruncated     = "revenium.exporter.spans.truncated"
	metricForgotten     = "revenium.exporter.spans.forgotten"
	metricRemembered    = "revenium.exporter.spans.remembered"
	metricLateCalls     = "revenium.exporter.calls.late"
	metricBilledTwice   = "revenium.exporter.calls.billed_twice"
	metricFinished      = "revenium.exporter.records.finished"
	metricPending       = "revenium.exporter.records.pending"
	metricRecovered     = "revenium.exporter.records.recovered"
	metricLate          = "revenium.exporter.records.late"
	metricSetAside      = "revenium.exporter.spool.files.set_aside"
	metricChanged       = "revenium.exporter.values.changed"
	metricAttempts      = "revenium.exporter.attempts"
	metricAttemptTime   = "revenium.exporter.attempt.duration"
	metricQueueSize     = "revenium.exporter.queue.size"
	metricQueueCapacity = "revenium.exporter.queue.capacity"
	metricQueueBytes    = "revenium.exporter.queue.bytes"
	metricQueueMaxBytes = "revenium.exporter.queue.bytes.capacity"
	metricQueueAge      = "revenium.exporter.queue.oldest.age"
)

// Attributes of the exporter's own metrics.
const (
	attrDecision = attribute.Key("revenium.decision")
	attrReason   = attribute.Key("revenium.reason")
	attrOutcome  = attribute.Key("revenium.outcome")
	attrState    = attribute.Key("revenium.state")
	attrTable    = attribute.Key("revenium.table")
	attrField    = attribute.Key("revenium.field")
	attrAction   = attribute.Key("revenium.action")
	attrStatus   = attribute.Key("http.response.status_code")
)

// meters holds the instruments. All but one are observed when they are
// collected, from one snapshot of the tally: the request path pays nothing for
// them, and the sums hold in every collection.
type meters struct {
	converted, decided, truncated, forgotten, finished metric.Int64ObservableCounter
	recovered, late, setAside, changed, attempts       metric.Int64ObservableCounter
	lateCalls, billedTwice                             metric.Int64ObservableCounter
	held, remembered, pending                          metric.Int64ObservableUpDownCounter
	queueSize, queueCapacity, queueBytes, maxBytes     metric.Int64ObservableUpDownCounter
	age                                                metric.Float64ObservableGauge
	duration                                           metric.Float64Histogram

	sets setCache
}

// observe registers the metrics on mp. They stay registered after shutdown, so
// that a last collection shows how it ended.
func (e *engine) observe(mp metric.MeterProvider) error {
	m := &meters{}
	b := meterBuilder{meter: mp.Meter(scopeName, metric.WithInstrumentationVersion(version))}
	b.counter(&m.converted, metricConverted, "{span}", "Spans that look like GenAI and were decided about.")
	b.counter(&m.decided, metricDecided, "{span}", "Spans by decision and reason.")
	b.counter(&m.truncated, metricTruncated, "{span}", "GenAI spans that had lost attributes to the SDK's limits.")
	b.counter(&m.forgotten, metricForgotten, "{span}", "Spans that fell out of a bounded table before their time.")
	b.counter(&m.lateCalls, metricLateCalls, "{call}", "Calls that came after an aggregate around them had been billed, and are not billed themselves.")
	b.counter(&m.billedTwice, metricBilledTwice, "{call}", "Calls that turned out to have been billed with two spans.")
	b.counter(&m.finished, metricFinished, "{record}", "Metering records that reached their end, by outcome and reason.")
	b.counter(&m.recovered, metricRecovered, "{record}", "Metering records that an earlier process left in the queue.")
	b.counter(&m.late, metricLate, "{record}", "Delivered metering records that were older than the service remembers idempotency keys.")
	b.counter(&m.setAside, metricSetAside, "{file}", "Damaged files of the spool that are not used any more.")
	b.counter(&m.changed, metricChanged, "{value}", "Values that were dropped, truncated or replaced, by field of the record.")
	b.counter(&m.attempts, metricAttempts, "{attempt}", "Requests to the metering API by outcome.")
	b.upDown(&m.held, metricHeld, "{span}", "Spans that wait for a decision.")
	b.upDown(&m.remembered, metricRemembered, "{span}", "Calls, and spans around them, that are remembered.")
	b.upDown(&m.pending, metricPending, "{record}", "Metering records that wait for delivery.")
	b.upDown(&m.queueSize, metricQueueSize, "{record}", "Records in the queue, those being sent included.")
	b.upDown(&m.queueCapacity, metricQueueCapacity, "{record}", "Records that the queue may hold.")
	b.upDown(&m.queueBytes, metricQueueBytes, "By", "Size of the records in the queue.")
	b.upDown(&m.maxBytes, metricQueueMaxBytes, "By", "Size of the records that the queue may hold.")
	b.gauge(&m.age, metricQueueAge, "s", "Age of the oldest record in the queue.")
	b.histogram(&m.duration, metricAttemptTime, "s", "Duration of requests to the metering API.")
	if err := errors.Join(b.errs...); err != nil {
		return err
	}
	e.lanes.observe = m.attempt
	_, err := b.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		e.collect(m, o)
		return nil
	}, b.observables...)
	return err
}

// collect observes one snapshot.
func (e *engine) collect(m *meters, o metric.Observer) {
	e.takeIn()
	c := e.tally.snapshot()
	w := e.lanes.state()

	o.ObserveInt64(m.converted, c.converted)
	m.byReason(o, m.decided, attrDecision, "billed", c.billed)
	m.byReason(o, m.decided, attrDecision, "suppressed", c.suppressed)
	m.byReason(o, m.decided, attrDecision, "skipped", c.skipped)
	o.ObserveInt64(m.held, c.held)
	o.ObserveInt64(m.truncated, c.truncated)
	tables := e.converter.Stats()
	o.ObserveInt64(m.forgotten, tables.HeldOverflow, m.sets.get(attrTable, "held", "", ""))
	o.ObserveInt64(m.forgotten, tables.RecentForgotten, m.sets.get(attrTable, "recent", "", ""))
	o.ObserveInt64(m.forgotten, tables.LinksForgotten, m.sets.get(attrTable, "links", "", ""))
	o.ObserveInt64(m.remembered, int64(tables.Recent))
	o.ObserveInt64(m.lateCalls, tables.LateCalls)
	o.ObserveInt64(m.billedTwice, tables.BilledTwice)

	o.ObserveInt64(m.recovered, c.recovered)
	o.ObserveInt64(m.late, c.late)
	o.ObserveInt64(m.setAside, c.setAside)
	o.ObserveInt64(m.finished, c.delivered, m.sets.get(attrOutcome, "delivered", "", ""))
	o.ObserveInt64(m.finished, c.duplicate, m.sets.get(attrOutcome, "duplicate", "", ""))
	m.byReason(o, m.finished, attrOutcome, "dead", c.dead)
	m.byReason(o, m.finished, attrOutcome, "lost", c.lost)

	queued, onDisk, parked := w.states(c.pending)
	o.ObserveInt64(m.pending, queued, m.sets.get(attrState, "queued", "", ""))
	o.ObserveInt64(m.pending, onDisk, m.sets.get(attrState, "on_disk", "", ""))
	o.ObserveInt64(m.pending, parked, m.sets.get(attrState, "parked", "", ""))

	for outcome, n := range c.attempts {
		o.ObserveInt64(m.attempts, n, m.sets.get(attrOutcome, outcome.String(), "", ""))
	}
	for key, n := range c.changed {
		o.ObserveInt64(m.changed, n, m.sets.get(attrField, key.field, attrAction, key.action))
	}

	stats := w.stats
	if w.finished {
		stats.Bytes = 0
	}
	o.ObserveInt64(m.queueSize, int64(stats.Entries))
	o.ObserveInt64(m.queueBytes, stats.Bytes)
	o.ObserveInt64(m.queueCapacity, int64(stats.MaxEntries))
	o.ObserveInt64(m.maxBytes, stats.MaxBytes)
	age := 0.0
	if stats.Entries > 0 && !stats.OldestCreated.IsZero() {
		age = max(time.Since(stats.OldestCreated).Seconds(), 0)
	}
	o.ObserveFloat64(m.age, age)
}

// byReason observes a counter for each reason.
func (m *meters) byReason(o metric.Observer, counter metric.Int64Observable, key attribute.Key, value string, by map[string]int64) {
	for reason, n := range by {
		o.ObserveInt64(counter, n, m.sets.get(key, value, attrReason, reason))
	}
}

// attempt records the duration of an attempt.
func (m *meters) attempt(res metering.Result, took time.Duration) {
	m.duration.Record(context.Background(), took.Seconds(), m.sets.attempt(res.Outcome, res.StatusCode))
}

// setCache keeps the options that carry attribute sets. The sets are few:
// reasons, outcomes, fields and HTTP status codes.
type setCache struct {
	mu       sync.Mutex
	pairs    map[[4]string]metric.MeasurementOption
	attempts map[[2]int]metric.MeasurementOption
}

// get returns the set of one or two attributes; k2 may be empty.
func (s *setCache) get(k1 attribute.Key, v1 string, k2 attribute.Key, v2 string) metric.MeasurementOption {
	s.mu.Lock()
	defer s.mu.Unlock()

	key := [4]string{string(k1), v1, string(k2), v2}
	if opt, ok := s.pairs[key]; ok {
		return opt
	}
	attrs := []attribute.KeyValue{k1.String(v1)}
	if k2 != "" {
		attrs = append(attrs, k2.String(v2))
	}
	opt := metric.WithAttributeSet(attribute.NewSet(attrs...))
	if s.pairs == nil {
		s.pairs = make(map[[4]string]metric.MeasurementOption)
	}
	s.pairs[key] = opt
	return opt
}

// attempt returns the set of an attempt: its outcome and, if there was an
// answer, its status.
func (s *setCache) attempt(outcome metering.Outcome, status int) metric.MeasurementOption {
	s.mu.Lock()
	defer s.mu.Unlock()

	key := [2]int{int(outcome), status}
	if opt, ok := s.attempts[key]; ok {
		return opt
	}
	attrs := []attribute.KeyValue{attrOutcome.String(outcome.String())}
	if status != 0 {
		attrs = append(attrs, attrStatus.Int(status))
	}
	opt := metric.WithAttributeSet(attribute.NewSet(attrs...))
	if s.attempts == nil {
		s.attempts = make(map[[2]int]metric.MeasurementOption)
	}
	s.attempts[key] = opt
	return opt
}

// meterBuilder makes instruments and collects what goes wrong.
type meterBuilder struct {
	meter       metric.Meter
	observables []metric.Observable
	errs        []error
}

func (b *meterBuilder) counter(dst *metric.Int64ObservableCounter, name, unit, description string) {
	c, err := b.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
	*dst, b.observables, b.errs = c, append(b.observables, c), append(b.errs, err)
}

func (b *meterBuilder) upDown(dst *metric.Int64ObservableUpDownCounter, name, unit, description string) {
	c, err := b.meter.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
	*dst, b.observables, b.errs = c, append(b.observables, c), append(b.errs, err)
}

func (b *meterBuilder) gauge(dst *metric.Float64ObservableGauge, name, unit, description string) {
	g, err := b.meter.Float64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(description))
	*dst, b.observables, b.errs = g, append(b.observables, g), append(b.errs, err)
}

func (b *meterBuilder) histogram(dst *metric.Float64Histogram, name, unit, description string) {
	h, err := b.meter.Float64Histogram(name, metric.WithUnit(unit), metric.WithDescription(description),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10))
	*dst, b.errs = h, append(b.errs, err)
}
