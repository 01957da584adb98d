// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv"
)

// settleInterval is how often held decisions are looked at while there are any.
const settleInterval = time.Second

// engine is what the processor and the exporter share: it decides about spans,
// freezes the records of those that are billed and delivers them.
type engine struct {
	cfg       config
	converter *convert.Converter
	lanes     *lanes
	storage   *storage
	holdback  *holdback
	held      heldTenants
	tally     *tally
	report    *reporter
	scratch   sync.Pool // of *scratch
	// open are the spans of the process; nil for an exporter, which sees them only
	// when they have ended.
	open *openSpans
	// intake takes spans out of the request path; nil where they are decided about at
	// once.
	intake *intake

	closing atomic.Bool
	// settling guards the timer that settles held decisions.
	settling    sync.Mutex
	settleTimer *time.Timer
	settleOn    bool

	shutdownBegun atomic.Bool
	shutdownDone  chan struct{}
	shutdownErr   error // valid when shutdownDone is closed
}

// scratch is what one call of convert needs and the next can use again.
type scratch struct {
	view      spanView
	decisions []convert.Decision
}

func newEngine(opts []Option) (*engine, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	converter, err := cfg.converter()
	if err != nil {
		return nil, err
	}
	e := &engine{
		cfg:          cfg,
		converter:    converter,
		tally:        newTally(),
		report:       newReporter(cfg.logger),
		shutdownDone: make(chan struct{}),
	}
	resources := &resourceCache{}
	e.scratch.New = func() any {
		return &scratch{view: spanView{resources: resources, open: e.open}, decisions: make([]convert.Decision, 0, 4)}
	}
	if e.storage, err = e.openStorage(); err != nil {
		return nil, err
	}
	if converter.HoldsBack() && e.cfg.deadLetters == nil {
		return nil, &ConfigError{
			Setting: "WithDeadLetter",
			Problem: "records that lack required fields are to be held back, and there is no place for them: set " +
				semconv.EnvDeadLetterDir + " or use WithDeadLetter",
		}
	}
	e.lanes = newLanes(e.cfg, e.storage.newQueue, e.tally, e.report)
	e.storage.lanes = e.lanes
	e.holdback = newHoldback(e.cfg, e.tally, e.report)
	if err := e.observe(cfg.meterProvider); err != nil {
		// Metering works without its own metrics.
		e.report.always(slog.LevelError, "revenium: registering metrics failed", slog.Any("error", err))
	}
	for _, problem := range cfg.ignored {
		e.report.always(slog.LevelWarn, "revenium: environment variable ignored", slog.String("problem", problem))
	}
	e.lanes.start(e.storage.tenants())
	return e, nil
}

// span takes one finished span. It never blocks and never panics: it runs in the
// application's request path. Of most spans a glance shows that they have nothing
// to do with calls; the others are decided about elsewhere, if there is room.
func (e *engine) span(s sdktrace.ReadOnlySpan) {
	if e.intake == nil {
		e.convert(s, e.all)
		return
	}
	// Behind spans that wait, this one waits, too: it may be the parent of one.
	if e.intake.idle() && e.convert(s, e.converter.Glance) {
		return
	}
	if !e.intake.put(s) {
		e.convert(s, e.all)
	}
}

// decider appends the decisions that come of a span, or returns false if it is not
// the one to decide.
type decider func([]convert.Decision, convert.Span) (decisions []convert.Decision, ok bool)

// all decides about any span.
func (e *engine) all(dst []convert.Decision, s convert.Span) ([]convert.Decision, bool) {
	return e.converter.Convert(dst, s), true
}

// convert has a span decided about and carries out what comes of it. It returns
// false if it was not decided about.
func (e *engine) convert(s sdktrace.ReadOnlySpan, decide decider) (ok bool) {
	sc := e.scratch.Get().(*scratch)
	sc.view.span = s
	defer func() {
		if p := recover(); p != nil {
			ok = true // it would go wrong again
			e.tally.decided(convert.Skipped, skipPanic, false)
			e.report.problem(slog.LevelError, skipPanic, "revenium: converting a span failed: it is not metered",
				slog.String("panic", fmt.Sprint(p)))
		}
	}()

	sc.decisions, ok = decide(sc.decisions[:0], &sc.view)
	if ok && e.open != nil {
		e.open.ended(s.SpanContext().SpanID())
	}
	if len(sc.decisions) > 0 {
		if e.decide(sc.decisions, e.tenantOfSpan(s), !e.closing.Load()) {
			e.settleLater()
		}
		if s.DroppedAttributes() > 0 {
			e.noteTruncated(s)
		}
		clear(sc.decisions)
	}
	sc.view.span = nil
	e.scratch.Put(sc)
	return ok
}

// batch decides about spans that are exported together.
func (e *engine) batch(spans []sdktrace.ReadOnlySpan) {
	batch := e.converter.NewBatch()
	for _, s := range spans {
		e.convert(s, func(dst []convert.Decision, s convert.Span) ([]convert.Decision, bool) {
			return batch.Convert(dst, s), true
		})
	}
	e.decide(batch.End(nil), "", !e.closing.Load())
}

// decide carries out decisions and reports whether a span is held now. tenant is
// that of the span that has just ended. Without admit, records count as lost:
// shutdown would never end if it accepted more.
func (e *engine) decide(decisions []convert.Decision, tenant string, admit bool) (held bool) {
	now := time.Now()
	for i := range decisions {
		d := &decisions[i]
		tenant := tenant
		switch {
		case d.WasHeld:
			tenant = e.held.take(d)
		case d.Kind == convert.Held:
			e.held.note(d, tenant)
		}
		for j := range d.Notes {
			n := &d.Notes[j]
			e.noteChange(n.Field, n.Attribute, string(n.Action), n.Reason)
		}
		if d.Kind != convert.Billed {
			held = held || d.Kind == convert.Held
			e.tally.decided(d.Kind, string(d.Reason), d.WasHeld)
			continue
		}
		frozen, err := e.freeze(d.Record)
		d.Release()
		if err != nil {
			e.tally.decided(convert.Skipped, skipInvalid, d.WasHeld)
			e.report.problem(slog.LevelError, skipInvalid, "revenium: no valid record could be made of a span: it is not metered",
				slog.String("span", d.SpanName), slog.Any("error", err))
			continue
		}
		e.tally.decided(convert.Billed, string(d.Reason), d.WasHeld)
		if admit && d.HeldBack {
			e.holdback.put(tenant, frozen, d.Missing, now)
		} else {
			e.lanes.put(tenant, frozen, now, admit)
		}
	}
	return held
}

// freeze fixes the bytes of a record and counts the values that had to change.
func (e *engine) freeze(record metering.Record) (f metering.Frozen, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("exporter: panic while freezing a record: %v", p)
		}
	}()
	f, changes, err := metering.Freeze(record)
	for i := range changes {
		c := &changes[i]
		e.noteChange(c.Field, "", string(c.Action), c.Reason)
	}
	return f, err
}

// noteChange counts a value that was altered or left out, and logs it the first
// time.
func (e *engine) noteChange(field, attribute, action, reason string) {
	first := e.tally.changed(field, action)
	if action == string(convert.NoteIgnored) {
		// Of each attribute, since each is a mistake of its own.
		e.report.problem(slog.LevelWarn, "ignored "+attribute, "revenium: an attribute is ignored",
			slog.String("attribute", attribute), slog.String("reason", reason))
		return
	}
	if !first {
		return
	}
	if attribute == "" {
		attribute = attributeOf(field)
	}
	level, msg := slog.LevelWarn, "revenium: a value cannot be metered as it is"
	switch action {
	case string(convert.NoteGuessed):
		level, msg = slog.LevelDebug, "revenium: a value of a record is guessed"
	case string(convert.NoteDoubtful):
		level, msg = slog.LevelInfo, "revenium: a value of a record is uncertain"
	}
	e.report.always(level, msg+" (logged once per field and action; the metrics count all)",
		slog.String("field", field), slog.String("attribute", attribute),
		slog.String("action", action), slog.String("reason", reason))
}

// noteTruncated counts a GenAI span that the SDK's attribute limit has cut, and
// logs the first.
func (e *engine) noteTruncated(s sdktrace.ReadOnlySpan) {
	if !e.tally.truncated() {
		return
	}
	e.report.always(slog.LevelWarn,
		"revenium: a GenAI span has lost attributes to the SDK's limit, token counts may be among them: raise SpanLimits.AttributeCountLimit (OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT)",
		slog.String("span", s.Name()), slog.Int("dropped", s.DroppedAttributes()))
}

// settleLater makes sure that held decisions are looked at again.
func (e *engine) settleLater() {
	e.settling.Lock()
	defer e.settling.Unlock()

	switch {
	case e.closing.Load():
		// Nobody will look again.
		e.release(false)
	case e.settleOn:
	case e.settleTimer == nil:
		e.settleOn = true
		e.settleTimer = time.AfterFunc(settleInterval, e.settle)
	default:
		e.settleOn = true
		e.settleTimer.Reset(settleInterval)
	}
}

// settle releases what was held for long enough. It holds the lock meanwhile, so
// that a shutdown waits for the records that come of it.
func (e *engine) settle() {
	e.settling.Lock()
	defer e.settling.Unlock()

	if e.closing.Load() {
		return
	}
	e.decide(e.converter.Settle(nil, time.Now()), "", true)
	e.settleOn = e.converter.Held() > 0
	if e.settleOn {
		e.settleTimer.Reset(settleInterval)
	}
}

// release decides about all that is held, at once.
func (e *engine) release(admit bool) {
	e.decide(e.converter.Flush(nil), "", admit)
}

// forceFlush settles what is held and waits until all that is queued has reached
// its end.
func (e *engine) forceFlush(ctx context.Context) error {
	if e.closing.Load() {
		return nil
	}
	ctx, cancel := e.bounded(ctx)
	defer cancel()
	e.takeIn()
	e.release(true)
	err := errors.Join(e.lanes.flush(ctx), e.holdback.flush(ctx))
	syncErr := e.storage.sync()
	if flush, ok := errors.AsType[*FlushError](err); ok {
		flush.Report = e.snapshot()
	}
	return syncError(err, syncErr)
}

// takeIn decides about the spans that have ended before.
func (e *engine) takeIn() {
	if e.intake != nil {
		e.intake.drain()
	}
}

// bounded gives ctx a deadline if it has none: a service that does not answer
// must not keep its host from ending.
func (e *engine) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, e.cfg.shutdownTimeout)
}

// shutdown delivers what it can until ctx ends, then stops everything. Only the
// first call does so; others wait for it and return the same.
func (e *engine) shutdown(ctx context.Context) error {
	if e.shutdownBegun.CompareAndSwap(false, true) {
		e.shutdownErr = e.drain(ctx)
		close(e.shutdownDone)
		return e.shutdownErr
	}
	select {
	case <-e.shutdownDone:
		return e.shutdownErr
	case <-ctx.Done():
		return fmt.Errorf("exporter: waiting for another shutdown to end: %w", context.Cause(ctx))
	}
}

func (e *engine) drain(ctx context.Context) error {
	ctx, cancel := e.bounded(ctx)
	defer cancel()

	e.lanes.stopBlocking()
	if e.intake != nil {
		e.intake.close()
	}
	e.settling.Lock()
	e.closing.Store(true)
	if e.settleTimer != nil {
		e.settleTimer.Stop()
	}
	e.settling.Unlock()

	e.release(true)
	var cause error
	for cause == nil && e.lanes.state().stats.Entries > 0 {
		// Once more for what was put while the flush was waiting.
		cause = e.lanes.flush(ctx)
	}
	cause = errors.Join(cause, e.holdback.flush(ctx))
	e.holdback.close()
	e.lanes.stop()
	// A span that ended while this went on may have been held since.
	e.release(false)
	e.storage.close()
	e.cfg.closeIdle()

	r := e.snapshot()
	if r.Lost == 0 {
		e.report.always(slog.LevelInfo, "revenium: metering has ended", slog.Any("report", r))
		return nil
	}
	e.report.always(slog.LevelError, "revenium: metering has ended and records were lost", slog.Any("report", r))
	if flush, ok := errors.AsType[*FlushError](cause); ok {
		cause = flush.Err
	}
	return &ShutdownError{Report: r, Err: cause}
}

// snapshot is the report at this moment.
func (e *engine) snapshot() Report {
	e.takeIn()
	return newReport(e.tally.snapshot(), e.lanes.state())
}

// attributeOf is the attribute from which a field of the record comes, for the
// people who have to mend its value.
func attributeOf(field string) string {
	if f, ok := semconv.FieldByName(field); ok {
		return string(f.Key)
	}
	return ""
}
