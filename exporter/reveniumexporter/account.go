// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// maxRequestRecords bounds the records of one request in the queue, so that
// several consumers share the work and a stored request stays small.
const maxRequestRecords = 256

// account is one API key with a queue of its own: an inner exporter.
type account struct {
	// name is the value that routing gives it; empty for the exporter's own key.
	name   string
	engine *engine
	key    apiKey
	client *metering.Client // from start on
	inner  exporter.Traces
	gate   gate
	// slots bounds the requests under way.
	slots chan struct{}
	// capacity is the queue's, in the unit of sizer; zero without a queue.
	capacity int64
	sizer    exporterhelper.RequestSizerType

	// quick: the last answer came within quickAnswer.
	quick    atomic.Bool
	attempts atomic.Uint64
	mu       sync.Mutex
	// underway holds what is left of the requests that are being delivered.
	underway map[uint64][]record
}

func newAccount(e *engine, name string, key apiKey) (*account, error) {
	a := &account{
		name:     name,
		engine:   e,
		key:      key,
		gate:     gate{unauthorizedInterval: e.cfg.UnauthorizedInterval},
		slots:    make(chan struct{}, e.cfg.MaxConcurrentRequests),
		underway: make(map[uint64][]record),
	}
	set := e.set
	if name != "" {
		// Storage and the helper's metrics go by the id.
		set.ID = component.NewIDWithName(set.ID.Type(), set.ID.Name()+":"+name)
	}
	queue := e.cfg.QueueConfig
	if queue.HasValue() {
		a.capacity, a.sizer = queue.Get().QueueSize, queue.Get().Sizer
	}
	retry := e.cfg.RetryConfig
	// The helper forgets what is too old. Here it ends as a dead letter: see expired.
	retry.MaxElapsedTime = 0
	c := &codec{run: e.run, recovered: func(n int) { e.ledger.recover(a, int64(n)) }}
	var err error
	a.inner, err = xexporterhelper.NewTracesRequest(context.Background(), set, fromContext, a.push,
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}), // each attempt has one
		exporterhelper.WithRetry(retry),
		xexporterhelper.WithQueueBatch(queue, xexporterhelper.QueueBatchSettings{Encoding: c}),
	)
	return a, err
}

// start builds the client and starts the queue.
func (a *account) start(ctx context.Context, host component.Host) error {
	transport, err := a.engine.httpClient(ctx, host)
	if err != nil {
		return err
	}
	cfg := &a.engine.cfg.HTTP
	opts := []metering.ClientOption{
		metering.WithBaseURL(cfg.Endpoint),
		metering.WithHTTPClient(transport),
		metering.WithTimeout(cfg.Timeout),
		metering.WithUserAgent(a.engine.userAgent()),
	}
	if cfg.TLS.Insecure {
		opts = append(opts, metering.WithPlainHTTP())
	}
	client, err := a.key.newClient(ctx, opts...)
	if err != nil {
		return err
	}
	a.client = client
	return a.inner.Start(ctx, host)
}

// shutdown ends the queue, and then the connections.
func (a *account) shutdown(ctx context.Context) error {
	err := a.inner.Shutdown(ctx)
	if a.client != nil {
		a.client.CloseIdleConnections()
	}
	return err
}

// requestKey carries a request through the context to fromContext: the queue has
// no other door than consuming spans.
type requestKey struct{}

func fromContext(ctx context.Context, _ ptrace.Traces) (xexporterhelper.Request, error) {
	req, ok := ctx.Value(requestKey{}).(*request)
	if !ok {
		return nil, errors.New("reveniumexporter: spans came to the queue without their records")
	}
	return req, nil
}

// enqueue puts records into the queue, or delivers them where there is none. It
// returns those that could not be put.
func (a *account) enqueue(ctx context.Context, records []record) (refused []record, err error) {
	var errs []error
	for _, part := range a.parts(records) {
		if a.capacity > 0 && int64(part.sizeBy(a.sizer)) > a.capacity {
			a.endForced(&part.records[0], reasonTooLarge)
			continue
		}
		if err := a.inner.ConsumeTraces(context.WithValue(ctx, requestKey{}, part), ptrace.NewTraces()); err != nil {
			refused = append(refused, part.records...)
			errs = append(errs, err)
		}
	}
	return refused, errors.Join(errs...)
}

// parts cuts records into requests that fit into the queue.
func (a *account) parts(records []record) []*request {
	whole := &request{records: records}
	if a.capacity > 0 && a.sizer == exporterhelper.RequestSizerTypeBytes {
		var parts []*request
		for _, part := range whole.split(maxRequestRecords, exporterhelper.RequestSizerTypeItems) {
			parts = append(parts, part.split(int(a.capacity), a.sizer)...)
		}
		return parts
	}
	limit := maxRequestRecords
	if a.capacity > 0 && a.sizer == exporterhelper.RequestSizerTypeItems {
		limit = int(min(int64(limit), a.capacity))
	}
	return whole.split(limit, exporterhelper.RequestSizerTypeItems)
}

// push makes one attempt on each record of a request. Its error holds the records
// that have to be sent again, and only those.
func (a *account) push(ctx context.Context, r xexporterhelper.Request) error {
	req, ok := r.(*request)
	if !ok {
		return fmt.Errorf("reveniumexporter: cannot send a request of type %T", r)
	}
	if req.unreadable != nil {
		return a.endUnreadable(req.unreadable)
	}
	id := req.attempt
	if id == 0 {
		id = a.attempts.Add(1)
	}
	a.track(id, req.records)
	left, wait, err := a.sendAll(ctx, req.records)
	a.track(id, left)
	if len(left) == 0 {
		return nil
	}
	err = &leftError{request: &request{records: left, attempt: id}, err: err}
	if wait > 0 {
		err = exporterhelper.NewThrottleRetry(err, wait)
	}
	return err
}

// sendAll sends records concurrently, as far as slots allow.
func (a *account) sendAll(ctx context.Context, records []record) (left []record, wait time.Duration, err error) {
	tries := make([]try, len(records))
	var next atomic.Int64
	work := func() {
		for i := next.Add(1) - 1; i < int64(len(records)); i = next.Add(1) - 1 {
			rec := records[i]
			tries[i] = a.send(ctx, &rec)
			tries[i].record = rec
		}
	}
	var workers sync.WaitGroup
	for range min(len(records), a.concurrency()) - 1 {
		workers.Go(work)
	}
	work()
	workers.Wait()
	for i := range tries {
		t := &tries[i]
		if t.err == nil {
			continue
		}
		left = append(left, t.record)
		wait = max(wait, t.wait)
		if err == nil || !t.stopped {
			err = t.err
		}
	}
	return left, wait, err
}

// A service that answers within quickAnswer, because it is near, is kept as busy by
// quickWorkers for each request of the queue as by more, which would only cost
// goroutines and connections.
const (
	quickAnswer  = 5 * time.Millisecond
	quickWorkers = 4
)

// concurrency is how many records of one request are sent at a time.
func (a *account) concurrency() int {
	if a.quick.Load() {
		return min(quickWorkers, cap(a.slots))
	}
	return cap(a.slots)
}

// try is what came of one attempt on one record.
type try struct {
	record record
	// err is not nil if the record has to be sent again, after wait.
	err  error
	wait time.Duration
	// stopped: the gate was closed, so that nothing was sent.
	stopped bool
}

var errNotAsked = errors.New("the service is not available; nothing was sent")

// send makes one attempt on one record and settles what follows from the answer.
func (a *account) send(ctx context.Context, rec *record) try {
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return try{err: ctx.Err(), stopped: true}
	}
	started := time.Now()
	if rec.incomplete != "" {
		if a.end(rec, deadletter.ReasonIncomplete, metering.Result{Message: rec.incomplete}) {
			return try{}
		}
		return try{err: errNotBuried}
	}
	if wait, ok := a.gate.enter(started); !ok {
		if a.expired(rec, started) && a.end(rec, deadletter.ReasonExpired, metering.Result{}) {
			return try{}
		}
		return try{err: errNotAsked, wait: wait, stopped: true}
	}
	res := a.client.Send(ctx, rec.Frozen)
	now := time.Now()
	if ctx.Err() != nil && res.Outcome == metering.Retry {
		// The caller has gone: that says nothing about the service.
		a.gate.abandon()
		return try{err: res.Err, stopped: true}
	}
	a.quick.Store(now.Sub(started) < quickAnswer)
	a.engine.observeAttempt(ctx, res, now.Sub(started))
	a.gate.leave(now, res)
	a.engine.health.attempted(a, now, res)

	switch res.Outcome {
	case metering.Delivered, metering.Duplicate:
		a.engine.ledger.finish(a, res.Outcome.String(), "", 1)
		return try{}
	case metering.Rejected:
		if a.end(rec, deadletter.ReasonRejected, res) {
			return try{}
		}
	default:
		if a.expired(rec, now) && a.end(rec, deadletter.ReasonExpired, res) {
			return try{}
		}
	}
	rec.attempts++
	if rec.firstFailed.IsZero() {
		rec.firstFailed = now
	}
	if !a.engine.synchronous && a.stubborn(rec, res) && a.engine.backlog.setAside(a, *rec) {
		return try{}
	}
	return try{err: res.Err, wait: res.RetryAfter}
}

// attemptsInQueue is how often a record is tried before it is set aside.
const attemptsInQueue = 5

// sendAside makes one attempt on a record that is in no queue.
func (a *account) sendAside(ctx context.Context, rec *record) try {
	again := *rec
	again.attempts = 0 // or it would be set aside once more
	return a.send(ctx, &again)
}

// stubborn reports whether a record keeps failing by itself. In the queue it
// would keep a consumer busy for ever; some of them would hold back all.
func (a *account) stubborn(rec *record, res metering.Result) bool {
	return rec.attempts >= attemptsInQueue && !aboutService(res)
}

// expired reports whether a record is older than the user wants to keep it.
func (a *account) expired(rec *record, now time.Time) bool {
	limit := a.engine.cfg.RetryConfig.MaxElapsedTime
	return limit > 0 && now.Sub(rec.created) >= limit
}

// track notes what is left of an attempt.
func (a *account) track(id uint64, left []record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(left) == 0 {
		delete(a.underway, id)
		return
	}
	a.underway[id] = left
}

// oldest is the time at which the oldest record under way was made. Queues hand
// out the oldest first.
func (a *account) oldest() (oldest time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, records := range a.underway {
		for i := range records {
			if created := records[i].created; oldest.IsZero() || created.Before(oldest) {
				oldest = created
			}
		}
	}
	return oldest
}

// undelivered returns what was left under way, once the queue is shut down.
func (a *account) undelivered() (records []record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, left := range a.underway {
		records = append(records, left...)
	}
	clear(a.underway)
	return records
}
