// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
	"github.com/revenium/revenium-otel-go/instrument/wrap"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// eight is metadata with a value of each of the eight decorators of the Python
// middleware.
func eight() instrument.Metadata {
	return instrument.Metadata{
		Organization: "Acme Corp", Product: "assistant", Subscription: "sub-1042", Agent: "planner", TaskType: "summarize", TraceID: "ticket-4711",
		Subscriber: instrument.Subscriber{ID: "user-4711"}, QualityScore: new(0.75),
	}
}

// eightFields are the fields of the record of a call that eight is for.
func eightFields() map[string]string {
	return map[string]string{
		"organizationName": "Acme Corp", "productName": "assistant", "subscriptionId": "sub-1042", "agent": "planner", "taskType": "summarize",
		"traceId": "ticket-4711", "subscriber.id": "user-4711", "responseQualityScore": "0.75",
	}
}

// startingSpan stands for a span of the SDK at its start: it has the attributes of
// an LLM call, and copies those that are added, as the SDK does.
type startingSpan struct {
	sdktrace.ReadWriteSpan
	attrs []attribute.KeyValue
	added []attribute.KeyValue
}

func (*startingSpan) Name() string                       { return "chat gpt-4o-mini" }
func (s *startingSpan) Attributes() []attribute.KeyValue { return s.attrs }
func (s *startingSpan) SetAttributes(added ...attribute.KeyValue) {
	s.added = append(s.added[:0], added...)
}

// BenchmarkMetadata is what the metadata of eight fields costs: to set it for a
// context and to stamp it on one span; the stamp alone; and the start of a span
// where there is none.
func BenchmarkMetadata(b *testing.B) {
	processor, m := instrument.NewSpanProcessor(), eight()
	carrying := instrument.WithMetadata(b.Context(), m)
	for _, bench := range []struct {
		name   string
		start  func(span sdktrace.ReadWriteSpan)
		stamps int
	}{
		{"set+stamp", func(span sdktrace.ReadWriteSpan) {
			processor.OnStart(instrument.WithMetadata(b.Context(), m), span)
		}, 8},
		{"stamp", func(span sdktrace.ReadWriteSpan) { processor.OnStart(carrying, span) }, 8},
		{"none", func(span sdktrace.ReadWriteSpan) { processor.OnStart(b.Context(), span) }, 0},
	} {
		b.Run(bench.name, func(b *testing.B) {
			span := &startingSpan{
				attrs: []attribute.KeyValue{
					semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o-mini"),
					semconv.GenAIRequestTemperature(0.2), semconv.GenAIRequestMaxTokens(800), semconv.ServerAddress("api.openai.com"), semconv.ServerPort(443),
				},
				added: make([]attribute.KeyValue, 0, 16),
			}
			b.ReportAllocs()
			for b.Loop() {
				bench.start(span)
			}
			if len(span.added) != bench.stamps {
				b.Fatalf("%d fields were stamped, want %d", len(span.added), bench.stamps)
			}
		})
	}
}

// doFunc makes a call of a model.
type doFunc func(context.Context, ...instrument.Option) error

// ways are the ways in which a call can be attributed: each makes a call that is,
// by calling do.
func ways() []struct {
	name string
	call func(ctx context.Context, do doFunc) error
} {
	return []struct {
		name string
		call func(ctx context.Context, do doFunc) error
	}{
		{"call", func(ctx context.Context, do doFunc) error { return do(ctx, eight()) }},
		{"wrapper", func(ctx context.Context, do doFunc) error {
			return wrap.Err0(func(ctx context.Context) error { return do(ctx) }, eight())(ctx)
		}},
		{"context", func(ctx context.Context, do doFunc) error {
			return do(instrument.WithMetadata(ctx, eight()))
		}},
		{"nested", nested},
		{"goroutine", func(ctx context.Context, do doFunc) error {
			ctx, cancel := context.WithCancel(instrument.WithMetadata(ctx, eight()))
			defer cancel()
			done := make(chan error)
			go func() { done <- do(context.WithoutCancel(ctx)) }()
			return <-done
		}},
		{"remote service", byHeaders},
		{"remote service by baggage", byBaggage},
	}
}

// TestAttribution makes one call in each of the ways and compares the fields of the
// records that are right with the table of docs/benchmarks.md.
func TestAttribution(t *testing.T) {
	header, rule := "| Field |", "|---|"
	rows := map[string]string{}
	fields := slices.Sorted(maps.Keys(eightFields()))
	for _, way := range ways() {
		header, rule = header+" "+way.name+" |", rule+"---|"
		made := false
		_, right := attributed(t, way.call, func() bool { made = !made; return made })
		for _, field := range fields {
			if right[field] == 1 {
				rows[field] += " right |"
			} else {
				rows[field] += " wrong |"
			}
		}
	}
	table := header + "\n" + rule + "\n"
	for _, field := range fields {
		table += "| `" + field + "` |" + rows[field] + "\n"
	}
	page, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), table) {
		t.Errorf("docs/benchmarks.md has another table than\n%s", table)
	}
}

// BenchmarkAttribution makes calls in each of the ways, and counts the fields of
// their records that are right.
func BenchmarkAttribution(b *testing.B) {
	for _, way := range ways() {
		b.Run(way.name, func(b *testing.B) {
			calls, right := attributed(b, way.call, b.Loop)
			sum := 0
			for _, n := range right {
				sum += n
			}
			b.ReportMetric(float64(sum)/float64(calls), "right/8")
		})
	}
}

// attributed makes calls as long as more says so, and returns how many there were
// and in how many of their records each of the eight fields is right.
func attributed(tb testing.TB, call func(context.Context, doFunc) error, more func() bool) (calls int, right map[string]int) {
	tb.Helper()
	metering := reveniumtest.Start(tb)
	// Calls that nobody waits for are made faster than they are delivered.
	processor := newProcessor(tb, metering.URL(), exporter.WithQueueSize(1<<30), exporter.WithQueueBytes(1<<40))
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(instrument.NewSpanProcessor()), sdktrace.WithSpanProcessor(processor))
	in, out := int64(10), int64(5)
	do := func(ctx context.Context, opts ...instrument.Option) error {
		_, call := instrument.StartCall(ctx, instrument.CallParams{Provider: "openai", Model: "gpt-4o-mini"}, append(opts, instrument.WithTracerProvider(provider))...)
		call.SetUsage(instrument.Usage{Input: &in, Output: &out})
		call.End(nil)
		return nil
	}
	for more() {
		if err := call(tb.Context(), do); err != nil {
			tb.Fatal(err)
		}
		calls++
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), time.Minute)
	defer cancel()
	if err := provider.Shutdown(ctx); err != nil {
		tb.Fatal(err)
	}
	records := metering.Completions()
	right = make(map[string]int)
	for _, record := range records {
		for field, want := range eightFields() {
			if got := record.Text(field); got == want {
				right[field]++
			} else {
				tb.Errorf("%s is %q, want %q", field, got, want)
			}
		}
	}
	if len(records) != calls || calls == 0 {
		tb.Fatalf("%d records of %d calls", len(records), calls)
	}
	return calls, right
}

// nested says each thing in another layer.
func nested(ctx context.Context, do doFunc) error {
	m := eight()
	ctx = instrument.WithMetadata(ctx, instrument.Metadata{Organization: m.Organization, Agent: "outer", TaskType: "outer"})
	ctx, workflow := instrument.StartWorkflow(ctx, instrument.WorkflowParams{Name: "run"})
	inner := wrap.Err0(func(ctx context.Context) error {
		ctx = instrument.WithMetadata(ctx, instrument.Metadata{Subscription: m.Subscription, Agent: "yields to the wrapper"})
		return do(ctx, instrument.Metadata{TaskType: m.TaskType}, instrument.WithQualityScore(*m.QualityScore))
	}, instrument.Metadata{Agent: m.Agent})
	err := wrap.Err0(inner, instrument.Metadata{Product: m.Product, Agent: "outer", TraceID: m.TraceID, Subscriber: m.Subscriber})(ctx)
	workflow.End(err)
	return err
}

// byHeaders says it in one service and makes the call in another: as x-revenium-*
// headers.
func byHeaders(ctx context.Context, do doFunc) error {
	return remote(ctx, do, func(req *http.Request, client *http.Client) {
		client.Transport = propagate.NewTransport(client.Transport, []string{req.URL.Host})
	})
}

// byBaggage is the same with baggage, to which the fields were added that are not
// sent by default.
func byBaggage(ctx context.Context, do doFunc) error {
	return remote(ctx, do, func(req *http.Request, _ *http.Client) {
		propagate.NewPropagator(more()).Inject(req.Context(), propagation.HeaderCarrier(req.Header))
	})
}

func more() propagate.Option {
	return propagate.WithMoreBaggageFields(semconv.ReveniumSubscriptionIDKey, semconv.ReveniumSubscriberIDKey, semconv.ReveniumResponseQualityScoreKey)
}

// remote calls a service that makes the call; send has the request say whom it is
// for.
func remote(ctx context.Context, do doFunc, send func(*http.Request, *http.Client)) error {
	trusting := propagate.NewMiddleware(more(), propagate.WithTrust(propagate.TrustNetworks(netip.MustParsePrefix("127.0.0.0/8"))))
	service := httptest.NewServer(trusting(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := do(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})))
	defer service.Close()
	req, err := http.NewRequestWithContext(instrument.WithMetadata(ctx, eight()), http.MethodGet, service.URL, http.NoBody)
	if err != nil {
		return err
	}
	client := service.Client()
	send(req, client)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
