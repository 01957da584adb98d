// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/convert/pdataview"
	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// tickInterval is how often held decisions and the backlog are looked at.
const tickInterval = time.Second

// logInterval is the shortest time between two lines of one text.
const logInterval = time.Minute

// engine is what the signals of one exporter share: what is known of spans, so
// that a call that comes as span and as log record is billed once, and one queue
// for each API key.
type engine struct {
	set       exporter.Settings
	cfg       *Config
	log       *zap.Logger // of each text at most one line per logInterval
	run       run
	converter *convert.Converter
	ledger    *ledger
	backlog   *backlog
	memory    *memory // nil without storage
	router    router
	accounts  []*account
	allowed   []clientAttribute
	telemetry *telemetry
	health    *health
	waiting   waitingAccounts
	// deadLetters is nil where no directory is set.
	deadLetters *deadletter.Store
	// synchronous: without a queue, senders learn what became of their data.
	synchronous bool

	// lifecycle guards what follows.
	lifecycle sync.Mutex
	doors     int // that are not shut down
	started   bool
	stop      context.CancelFunc
	stopped   sync.WaitGroup

	hostsMu sync.Mutex
	hosts   []component.Host
}

func newEngine(set exporter.Settings, cfg *Config) (*engine, error) {
	converter, err := convert.New(cfg.convertOptions()...)
	if err != nil {
		return nil, err
	}
	e := &engine{
		set: set,
		cfg: cfg,
		log: set.Logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
			return zapcore.NewSamplerWithOptions(core, logInterval, 1, 0)
		})),
		converter: converter,
		ledger:    newLedger(),
		backlog:   &backlog{},
		allowed:   cfg.Attribution.clientAttributes(),
	}
	e.health = newHealth(cfg.UnreachableAfter, set.Logger, e.reportStatus)
	if _, err := rand.Read(e.run[:]); err != nil {
		return nil, fmt.Errorf("reveniumexporter: name this run: %w", err)
	}
	queue := cfg.QueueConfig
	e.synchronous = !queue.HasValue() || queue.Get().WaitForResult
	if err := e.openAccounts(); err != nil {
		return nil, err
	}
	e.telemetry, err = newTelemetry(e)
	return e, err
}

// openAccounts makes the queue of each API key.
func (e *engine) openAccounts() error {
	open := func(name string, key apiKey) (*account, error) {
		a, err := newAccount(e, name, key)
		if err == nil {
			e.accounts = append(e.accounts, a)
		}
		return a, err
	}
	fallback, err := open("", apiKey{e.cfg.APIKey, e.cfg.APIKeyFile})
	if err != nil {
		return err
	}
	routing := &e.cfg.Routing
	e.router = router{
		attribute: routing.Attribute,
		metadata:  routing.ClientMetadata,
		accounts:  make(map[string]*account),
		fallback:  fallback,
	}
	for _, value := range sortedKeys(routing.Keys) {
		route := routing.Keys[value]
		if e.router.accounts[value], err = open(value, apiKey{route.APIKey, route.APIKeyFile}); err != nil {
			return err
		}
	}
	return nil
}

// open counts a door.
func (e *engine) open() {
	e.lifecycle.Lock()
	defer e.lifecycle.Unlock()
	e.doors++
}

// start begins with the first door and reports to the host of each.
func (e *engine) start(ctx context.Context, host component.Host) error {
	e.hostsMu.Lock()
	e.hosts = append(e.hosts, host)
	e.hostsMu.Unlock()

	e.lifecycle.Lock()
	defer e.lifecycle.Unlock()
	if e.started {
		return nil
	}
	e.started = true
	if err := e.openDeadLetters(); err != nil {
		return err
	}
	if storageID := e.cfg.storageID(); storageID != nil {
		if err := e.restore(ctx, host, *storageID); err != nil {
			return err
		}
	}
	for _, a := range e.accounts {
		if err := a.start(ctx, host); err != nil {
			return err
		}
	}
	ctx, e.stop = context.WithCancel(context.Background())
	e.stopped.Go(func() { e.tick(ctx) })
	return nil
}

// httpClient makes the client of one key. It is not traced: each record is a request
// of its own, and the exporter has its own metrics of them. One attempt is bounded
// by the metering client, from which it takes its timeout.
func (e *engine) httpClient(ctx context.Context, host component.Host) (*http.Client, error) {
	cfg, set := e.cfg.HTTP, e.set.TelemetrySettings
	cfg.Timeout = 0
	set.TracerProvider, set.MeterProvider = nil, nil
	busy := e.cfg.MaxConcurrentRequests
	if cfg.MaxConnsPerHost == 0 {
		// Without a bound a request that finds no idle connection dials one, and takes
		// another that becomes free meanwhile: twice as many would be open as are used.
		cfg.MaxConnsPerHost = busy
	}
	if cfg.Keepalive.HasValue() {
		// As many as there are requests at a time, or most would need a new connection.
		keepalive := *cfg.Keepalive.Get()
		keepalive.MaxIdleConns = max(keepalive.MaxIdleConns, busy)
		keepalive.MaxIdleConnsPerHost = max(keepalive.MaxIdleConnsPerHost, busy)
		cfg.Keepalive = configoptional.Some(keepalive)
	}
	return cfg.ToClient(ctx, host.GetExtensions(), set)
}

// openDeadLetters opens the directory for records that are given up, if one is
// set.
func (e *engine) openDeadLetters() error {
	cfg := &e.cfg.DeadLetter
	if cfg.Directory == "" {
		e.set.Logger.Warn("dead_letter::directory is not set: records that the service refuses for good will be counted as lost")
		return nil
	}
	store, err := deadletter.Open(cfg.Directory, deadletter.WithMaxBytes(cfg.MaxBytes))
	if err != nil {
		return fmt.Errorf("reveniumexporter: dead_letter::directory: %w", err)
	}
	e.deadLetters = store
	return nil
}

// restore reads what an earlier run left outside of the queues.
func (e *engine) restore(ctx context.Context, host component.Host, storageID component.ID) error {
	s, err := openStore(ctx, host, storageID, e.set.ID, e.run, func(err error) {
		e.log.Warn("Updating the storage failed", zap.Error(err))
	})
	if err != nil {
		return err
	}
	entries, unreadable, err := s.loadEntries(ctx, e.router.named)
	if err != nil {
		return errors.Join(err, s.close(ctx))
	}
	for _, entry := range entries {
		e.ledger.recover(entry.of, 1)
	}
	e.backlog.restore(s, entries)
	for _, stored := range unreadable {
		if err := e.router.fallback.endUnreadable(stored); err != nil {
			return errors.Join(err, s.close(ctx))
		}
	}
	e.memory, err = openMemory(ctx, host, storageID, e)
	return err
}

// tick decides about what was held for long enough and puts the backlog back,
// until ctx ends.
func (e *engine) tick(ctx context.Context) {
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if e.converter.Held() > 0 {
				e.settle(ctx, e.converter.Settle(nil, now))
			}
			e.backlog.retry(ctx, now)
			e.memory.save(ctx)
		}
	}
}

// settle carries out decisions that no request of a sender waits for.
func (e *engine) settle(ctx context.Context, decisions []convert.Decision) {
	var b batch
	e.decide(&b, decisions, nil)
	// What the queue refuses is in the backlog.
	_ = e.submit(ctx, &b, time.Now())
}

// shutdown ends with the last door.
func (e *engine) shutdown(ctx context.Context) error {
	e.lifecycle.Lock()
	defer e.lifecycle.Unlock()
	e.doors--
	if e.doors > 0 {
		return nil
	}
	if e.stop != nil {
		e.stop()
		e.stopped.Wait()
		if e.memory == nil {
			e.settle(ctx, e.converter.Flush(nil))
		}
		e.memory.save(ctx) // what waits goes on waiting in the next run
	}
	var errs []error
	for _, a := range e.accounts {
		errs = append(errs, a.shutdown(ctx))
	}
	e.endUnstored()
	errs = append(errs, e.backlog.store.close(ctx), e.memory.close(ctx), e.telemetry.close())
	return errors.Join(errs...)
}

// endUnstored ends what nothing but memory holds.
func (e *engine) endUnstored() {
	if e.synchronous {
		return // the sender was told to repeat it
	}
	for _, entry := range e.backlog.drain() {
		entry.of.endForced(&entry.record, reasonShutdown)
	}
	if e.cfg.storageID() != nil {
		return // the next run delivers it
	}
	for _, a := range e.accounts {
		for _, rec := range a.undelivered() {
			a.endForced(&rec, reasonShutdown)
		}
	}
}

// batch collects the records of a request of a sender.
type batch struct {
	spans     *convert.Batch
	decisions []convert.Decision
	records   map[*account][]record
}

func (b *batch) add(of *account, rec record) {
	if b.records == nil {
		b.records = make(map[*account][]record, 1)
	}
	b.records[of] = append(b.records[of], rec)
}

func (e *engine) consumeTraces(ctx context.Context, td ptrace.Traces) error {
	return e.consume(ctx, func(yield func(arrival) bool) {
		for v := range pdataview.Spans(td) {
			if !yield(v) {
				return
			}
		}
	})
}

func (e *engine) consumeLogs(ctx context.Context, ld plog.Logs) error {
	return e.consume(ctx, func(yield func(arrival) bool) {
		for v := range pdataview.Logs(ld) {
			if !yield(v) {
				return
			}
		}
	})
}

// consume decides about spans or log records and queues the records of those that
// are billed. It fails, so that the sender repeats all, only while nothing can be
// taken; what was decided about is kept.
func (e *engine) consume(ctx context.Context, arrivals iter.Seq[arrival]) error {
	if !e.synchronous && !e.backlog.accepts() {
		return errBacklog
	}
	metadata := client.FromContext(ctx).Metadata
	view := &attributedView{given: given(metadata, e.allowed)}
	b := batch{spans: e.converter.NewBatch()}
	for view.arrival = range arrivals {
		e.convert(&b, view, metadata)
	}
	e.decide(&b, b.spans.End(nil), nil)
	return e.submit(ctx, &b, time.Now())
}

// convert decides about one span. A panic in the conversion costs that span, not
// the Collector.
func (e *engine) convert(b *batch, s convert.Span, metadata client.Metadata) {
	defer func() {
		if p := recover(); p != nil {
			const reason = "internal error"
			e.ledger.decide(convert.Skipped, reason, false, nil)
			e.log.Error("Converting a span failed: it is not metered", zap.String("panic", fmt.Sprint(p)))
		}
	}()
	b.decisions = b.spans.Convert(b.decisions[:0], s)
	if len(b.decisions) == 0 {
		return
	}
	e.decide(b, b.decisions, func() *account { return e.router.route(s, metadata) })
	clear(b.decisions)
}

// decide carries out decisions. route tells the account of the span that was
// converted now.
func (e *engine) decide(b *batch, decisions []convert.Decision, route func() *account) {
	now := time.Now()
	for i := range decisions {
		d := &decisions[i]
		for j := range d.Notes {
			n := &d.Notes[j]
			e.noteChange(n.Field, n.Attribute, string(n.Action), n.Reason)
		}
		span := spanKey{d.TraceID, d.SpanID}
		var of *account
		switch {
		case d.WasHeld || route == nil:
			of = e.waiting.take(span, e.router.fallback)
		case d.Kind == convert.Billed || d.Kind == convert.Held:
			of = route()
		}
		switch d.Kind {
		case convert.Billed:
			e.bill(b, d, span, of, now)
		case convert.Held:
			if of != e.router.fallback {
				e.waiting.put(span, of)
				if e.memory != nil {
					e.converter.Tag(d.TraceID, d.SpanID, of.name)
				}
			}
			e.ledger.decide(d.Kind, string(d.Reason), d.WasHeld, nil)
		default:
			e.ledger.decide(d.Kind, string(d.Reason), d.WasHeld, nil)
			if d.Reason == convert.ReasonReplay && e.synchronous {
				e.repeat(b, span)
			}
		}
	}
}

// bill freezes the record of a billed span.
func (e *engine) bill(b *batch, d *convert.Decision, span spanKey, of *account, now time.Time) {
	incomplete := ""
	if d.HeldBack {
		incomplete = "missing " + strings.Join(d.Missing, ", ")
	}
	frozen, changes, err := metering.Freeze(d.Record)
	d.Release()
	for i := range changes {
		e.noteChange(changes[i].Field, "", string(changes[i].Action), changes[i].Reason)
	}
	if err != nil {
		e.ledger.decide(convert.Skipped, skipInvalid, d.WasHeld, nil)
		e.log.Error("No valid record can be made of a span: it is not metered",
			zap.String("span", d.SpanName), zap.Error(err))
		return
	}
	e.ledger.decide(convert.Billed, string(d.Reason), d.WasHeld, of)
	b.add(of, record{Frozen: frozen, created: now, incomplete: incomplete, span: span})
}

// repeat takes up the record of a span whose sender was told to repeat it.
func (e *engine) repeat(b *batch, span spanKey) {
	if of, rec, ok := e.backlog.take(span); ok {
		b.add(of, rec)
	}
}

// submit queues records. What the queue refuses is kept in the backlog, since
// decisions cannot be made twice. Without a queue the sender learns of it, too,
// and can repeat the data. In the end what the converter remembers is on disk, where
// there is one.
func (e *engine) submit(ctx context.Context, b *batch, now time.Time) error {
	var errs []error
	due := now
	if e.synchronous {
		due = now.Add(patience)
	}
	for of, records := range b.records {
		refused, err := of.enqueue(ctx, records)
		if len(refused) == 0 {
			continue
		}
		errs = append(errs, err)
		if err := e.backlog.refuse(of, refused, due); err != nil {
			e.log.Error("Records wait in memory for room in the queue", zap.Error(err))
		}
	}
	// Only now: a crash in between repeats records, which is harmless, and loses none.
	e.memory.save(ctx)
	if !e.synchronous {
		return nil
	}
	return errors.Join(errs...)
}

// noteChange counts a value that was altered or is uncertain, and logs the first
// of its kind.
func (e *engine) noteChange(field, attribute, action, reason string) {
	if !e.ledger.change(field, action) {
		return
	}
	level := zapcore.InfoLevel
	if action == string(convert.NoteGuessed) {
		level = zapcore.DebugLevel
	}
	e.set.Logger.Log(level, "A value of a record is not the span's (logged once per field and action; the metrics count all)",
		zap.String("field", field), zap.String("attribute", attribute), zap.String("action", action), zap.String("reason", reason))
}

// reportStatus tells the host of each signal.
func (e *engine) reportStatus(event *componentstatus.Event) {
	e.hostsMu.Lock()
	hosts := e.hosts
	e.hostsMu.Unlock()
	for _, host := range hosts {
		componentstatus.ReportStatus(host, event)
	}
}

// userAgent is the product of the Collector.
func (e *engine) userAgent() string {
	clean := strings.NewReplacer(" ", "-", "\t", "-", "\n", "-").Replace
	return clean(e.set.BuildInfo.Command) + "/" + clean(e.set.BuildInfo.Version)
}
