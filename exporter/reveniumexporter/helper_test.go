// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/revenium/revenium-otel-go/exporter/reveniumexporter/internal/metadata"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// host is a Collector with extensions and a record of what components report.
type host struct {
	component.Host
	extensions map[component.ID]component.Component

	mu     sync.Mutex
	events []componentstatus.Status
}

func newHost(storages ...storage.Extension) *host {
	h := &host{Host: componenttest.NewNopHost(), extensions: make(map[component.ID]component.Component)}
	for _, s := range storages {
		h.extensions[storageID()] = s
	}
	return h
}

func storageID() component.ID { return component.MustNewID("file_storage") }

func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *host) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event.Status())
}

func (h *host) reported(status componentstatus.Status) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Contains(h.events, status)
}

// memoryStorage is a storage extension whose content survives its clients.
type memoryStorage struct {
	component.StartFunc
	component.ShutdownFunc

	mu     sync.Mutex
	stores map[string]map[string][]byte
}

func newMemoryStorage() *memoryStorage {
	return &memoryStorage{stores: make(map[string]map[string][]byte)}
}

func (m *memoryStorage) GetClient(_ context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := fmt.Sprint(kind, " ", id, " ", name)
	if m.stores[key] == nil {
		m.stores[key] = make(map[string][]byte)
	}
	return &memoryClient{storage: m, store: m.stores[key]}, nil
}

// values returns all that is stored.
func (m *memoryStorage) values() (values [][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.stores {
		for _, v := range s {
			values = append(values, slices.Clone(v))
		}
	}
	return values
}

// count is how many values the stores of a name have.
func (m *memoryStorage) count(name string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, s := range m.stores {
		if strings.HasSuffix(key, " "+name) {
			n += len(s)
		}
	}
	return n
}

// snapshot is a copy, as a crash would leave it.
func (m *memoryStorage) snapshot() *memoryStorage {
	m.mu.Lock()
	defer m.mu.Unlock()
	cp := newMemoryStorage()
	for name, s := range m.stores {
		cp.stores[name] = make(map[string][]byte)
		for k, v := range s {
			cp.stores[name][k] = slices.Clone(v)
		}
	}
	return cp
}

type memoryClient struct {
	storage *memoryStorage
	store   map[string][]byte
}

func (c *memoryClient) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := c.Batch(ctx, op)
	return op.Value, err
}

func (c *memoryClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c *memoryClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

func (c *memoryClient) Batch(_ context.Context, ops ...*storage.Operation) error {
	c.storage.mu.Lock()
	defer c.storage.mu.Unlock()
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = slices.Clone(c.store[op.Key])
		case storage.Set:
			c.store[op.Key] = slices.Clone(op.Value)
		case storage.Delete:
			delete(c.store, op.Key)
		default:
			return errors.New("unknown operation")
		}
	}
	return nil
}

func (*memoryClient) Close(context.Context) error { return nil }

// metered is an exporter under test, and what it needs.
type metered struct {
	exporter.Traces
	factory   exporter.Factory
	host      *host
	telemetry *componenttest.Telemetry
	engine    *engine
}

// start starts an exporter that sends to srv, as the factory makes it. The test
// ends with its shutdown.
func start(tb testing.TB, srv *reveniumtest.Server, h *host, change func(*Config)) *metered {
	tb.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.APIKey = testKey
	cfg.HTTP.Endpoint = srv.URL()
	cfg.RetryConfig.InitialInterval = 10 * time.Millisecond
	cfg.RetryConfig.MaxInterval = 50 * time.Millisecond
	cfg.UnauthorizedInterval = 50 * time.Millisecond
	if len(h.extensions) > 0 {
		id := storageID()
		cfg.QueueConfig.Get().StorageID = &id
	}
	if change != nil {
		change(cfg)
	}
	if err := cfg.Validate(); err != nil {
		tb.Fatal(err)
	}
	m := &metered{factory: NewFactory(), host: h, telemetry: componenttest.NewTelemetry()}
	set := exportertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type)
	set.TelemetrySettings = m.telemetry.NewTelemetrySettings()
	var err error
	if m.Traces, err = m.factory.CreateTraces(tb.Context(), set, cfg); err != nil {
		tb.Fatal(err)
	}
	m.engine = m.Traces.(*tracesDoor).engine
	if err := m.Start(tb.Context(), h); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { m.stop(tb) })
	return m
}

// stop shuts the exporter down. A second time does nothing.
func (m *metered) stop(tb testing.TB) {
	tb.Helper()
	if err := m.Shutdown(context.Background()); err != nil {
		tb.Errorf("shutdown: %v", err)
	}
}

// consume has the exporter take spans that it must take.
func (m *metered) consume(tb testing.TB, td ptrace.Traces) {
	tb.Helper()
	td.MarkReadOnly()
	if err := m.ConsumeTraces(tb.Context(), td); err != nil {
		tb.Fatal(err)
	}
}

// collection is what one collection of the metrics shows, by name.
type collection map[string][]metricdata.DataPoint[int64]

func (m *metered) collect(tb testing.TB) collection {
	tb.Helper()
	var all metricdata.ResourceMetrics
	if err := m.telemetry.Reader.Collect(context.Background(), &all); err != nil {
		tb.Fatal(err)
	}
	c := make(collection)
	for _, scope := range all.ScopeMetrics {
		for _, metric := range scope.Metrics {
			if sum, ok := metric.Data.(metricdata.Sum[int64]); ok {
				c[metric.Name] = sum.DataPoints
			}
		}
	}
	return c
}

// sum is the value of one of the exporter's sums, over all attribute sets that
// contain those given.
func (c collection) sum(name string, with ...attribute.KeyValue) (total int64) {
	for _, point := range c["otelcol_exporter_revenium_"+name] {
		matches := true
		for _, kv := range with {
			v, ok := point.Attributes.Value(kv.Key)
			matches = matches && ok && v == kv.Value
		}
		if matches {
			total += point.Value
		}
	}
	return total
}

// sum is that of a collection made now.
func (m *metered) sum(tb testing.TB, name string, with ...attribute.KeyValue) int64 {
	tb.Helper()
	return m.collect(tb).sum(name, with...)
}

// checkSums checks the two sums that hold in every collection.
func (m *metered) checkSums(tb testing.TB) {
	tb.Helper()
	c := m.collect(tb)
	billed := c.sum("spans_decided", attrDecision.String("billed"))
	if converted, parts := c.sum("spans_converted"), c.sum("spans_decided")+c.sum("spans_held"); converted != parts {
		tb.Errorf("converted %d, but decided and held %d", converted, parts)
	}
	if in, out := billed+c.sum("records_recovered"), c.sum("records_finished")+c.sum("records_pending"); in != out {
		tb.Errorf("billed and recovered %d, but finished and pending %d", in, out)
	}
}

// eventually waits until a condition holds.
func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("%s did not happen", what)
		}
	}
}

// waitFor waits until srv has n records, and checks that they are all.
func waitFor(tb testing.TB, srv *reveniumtest.Server, n int) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Second)
	defer cancel()
	if err := srv.Wait(ctx, n); err != nil {
		tb.Fatal(err)
	}
	if got := len(srv.Records()); got != n {
		tb.Errorf("%d records, want %d", got, n)
	}
}

// calls returns the spans of n LLM calls, numbered from first.
func calls(first, n int, change ...func(i int, s ptrace.Span)) ptrace.Traces {
	td := ptrace.NewTraces()
	ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	ss.Scope().SetName("test")
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	for i := first; i < first+n; i++ {
		s := ss.Spans().AppendEmpty()
		s.SetTraceID(traceID(i))
		s.SetSpanID(pcommon.SpanID{1})
		s.SetName("chat gpt-4o")
		s.SetKind(ptrace.SpanKindClient)
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(at.Add(time.Duration(i) * time.Second)))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(time.Duration(i)*time.Second + 700*time.Millisecond)))
		a := s.Attributes()
		a.PutStr("gen_ai.operation.name", "chat")
		a.PutStr("gen_ai.provider.name", "openai")
		a.PutStr("gen_ai.request.model", "gpt-4o")
		a.PutInt("gen_ai.usage.input_tokens", int64(100+i))
		a.PutInt("gen_ai.usage.output_tokens", 20)
		for _, c := range change {
			c(i, s)
		}
	}
	return td
}

// traceID is the trace id of the call with that number.
func traceID(i int) (id pcommon.TraceID) {
	id[0] = 0xaa
	binary.BigEndian.PutUint64(id[8:], uint64(i))
	return id
}

// transactionIDs are the ids of the calls' records.
func transactionIDs(first, n int) (ids []string) {
	for i := first; i < first+n; i++ {
		ids = append(ids, fmt.Sprintf("%s-0100000000000000", traceID(i)))
	}
	return ids
}

// checkExactly checks that srv has the records with these ids and no others.
func checkExactly(tb testing.TB, srv *reveniumtest.Server, ids []string) {
	tb.Helper()
	var got []string
	for _, r := range srv.Records() {
		got = append(got, r.TransactionID)
	}
	slices.Sort(got)
	slices.Sort(ids)
	if !slices.Equal(got, ids) {
		tb.Errorf("records %v\nwant %v", got, ids)
	}
}

func model(name string) func(int, ptrace.Span) {
	return func(_ int, s ptrace.Span) { s.Attributes().PutStr("gen_ai.request.model", name) }
}
