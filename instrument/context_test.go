// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument_test

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/semconv"
)

// called makes a call and returns what its span says of attribution.
func called(ctx context.Context) instrument.Metadata {
	provider, recorder := newRecorder()
	_, call := instrument.StartCall(ctx, instrument.CallParams{Model: "m"}, instrument.WithTracerProvider(provider))
	call.End(nil)
	values := map[string]any{}
	for _, kv := range recorder.Ended()[0].Attributes() {
		if f := string(kv.Key); f != "gen_ai.operation.name" && f != "gen_ai.request.model" && f != "revenium.usage.missing" {
			values[f] = kv.Value.AsInterface()
		}
	}
	m, err := instrument.FromMap(values)
	if err != nil {
		panic(err)
	}
	return m
}

func TestWithMetadata(t *testing.T) {
	ctx := t.Context()
	if m := instrument.FromContext(ctx); !m.IsZero() {
		t.Errorf("of an empty context: %v", m)
	}
	score := 0.5
	outer := instrument.WithMetadata(ctx, instrument.Metadata{
		Organization: "Acme", Agent: "outer", QualityScore: &score, Subscriber: instrument.Subscriber{ID: "u-1", Email: "jo@example.com"},
	})
	score = 0.9 // of the caller alone
	inner := instrument.WithMetadata(outer, instrument.Metadata{Agent: "inner", TaskType: "research", Subscriber: instrument.Subscriber{ID: "u-2"}})
	wantOuter := instrument.Metadata{Organization: "Acme", Agent: "outer", QualityScore: new(0.5), Subscriber: instrument.Subscriber{ID: "u-1", Email: "jo@example.com"}}
	wantInner := instrument.Metadata{Organization: "Acme", Agent: "inner", TaskType: "research", QualityScore: new(0.5), Subscriber: instrument.Subscriber{ID: "u-2", Email: "jo@example.com"}}
	for _, tt := range []struct {
		name string
		ctx  context.Context
		want instrument.Metadata
	}{
		{"outer", outer, wantOuter},
		{"inner", inner, wantInner},
		{"nothing set", instrument.WithMetadata(inner, instrument.Metadata{Agent: " "}), wantInner},
		{"without cancel", context.WithoutCancel(inner), wantInner},
	} {
		if diff := cmp.Diff(tt.want, instrument.FromContext(tt.ctx)); diff != "" {
			t.Errorf("%s: from the context (-want +got):\n%s", tt.name, diff)
		}
		if diff := cmp.Diff(tt.want, called(tt.ctx)); diff != "" {
			t.Errorf("%s: on the span (-want +got):\n%s", tt.name, diff)
		}
	}
	m := instrument.FromContext(inner)
	*m.QualityScore = 0.1
	if diff := cmp.Diff(wantInner, instrument.FromContext(inner)); diff != "" {
		t.Errorf("the context changed (-want +got):\n%s", diff)
	}
}

// TestOverlay lays every set of a few fields over every other.
func TestOverlay(t *testing.T) {
	fields := settable()[8:14]
	of := func(set int, value string) map[string]any {
		m := map[string]any{}
		for i, f := range fields {
			if set&(1<<i) != 0 {
				m[string(f.Key)] = value
			}
		}
		return m
	}
	metadata := func(m map[string]any) instrument.Metadata {
		got, err := instrument.FromMap(m)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for a := range 1 << len(fields) {
		for b := range 1 << len(fields) {
			ctx := instrument.WithMetadata(t.Context(), metadata(of(a, "a")))
			ctx = instrument.WithMetadata(ctx, metadata(of(b, "b")))
			want := of(a, "a")
			maps.Copy(want, of(b, "b"))
			if diff := cmp.Diff(want, attributes(instrument.FromContext(ctx).Attributes())); diff != "" {
				t.Fatalf("%b over %b (-want +got):\n%s", b, a, diff)
			}
		}
	}
}

// TestInbound shows that what a request brought along comes last, whenever it was
// set.
func TestInbound(t *testing.T) {
	set := []func(context.Context) context.Context{
		func(ctx context.Context) context.Context {
			return instrument.WithBaggageMetadata(ctx, instrument.Metadata{Agent: "baggage", Product: "baggage", Region: "baggage"})
		},
		func(ctx context.Context) context.Context {
			return instrument.WithHeaderMetadata(ctx, instrument.Metadata{Agent: "header", Product: "header", TaskType: "header"})
		},
		func(ctx context.Context) context.Context {
			return instrument.WithMetadata(ctx, instrument.Metadata{Agent: "context"})
		},
	}
	want := instrument.Metadata{Agent: "context", Product: "header", TaskType: "header", Region: "baggage"}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		ctx := t.Context()
		for _, i := range order {
			ctx = set[i](ctx)
		}
		if diff := cmp.Diff(want, called(ctx)); diff != "" {
			t.Errorf("in the order %v (-want +got):\n%s", order, diff)
		}
	}
}

func TestWithoutMetadata(t *testing.T) {
	ctx := instrument.WithHeaderMetadata(t.Context(), instrument.Metadata{Organization: "header", Region: "r", Subscriber: instrument.Subscriber{ID: "header"}})
	ctx = instrument.WithMetadata(ctx, instrument.Metadata{Organization: "context", Agent: "a"})
	for _, tt := range []struct {
		name string
		ctx  context.Context
		want instrument.Metadata
	}{
		{"some fields", instrument.WithoutMetadata(ctx, semconv.ReveniumOrganizationNameKey, semconv.ReveniumSubscriberIDKey), instrument.Metadata{Region: "r", Agent: "a"}},
		{"by an older key", instrument.WithoutMetadata(ctx, semconv.ReveniumOrganizationIDKey), instrument.Metadata{Region: "r", Agent: "a", Subscriber: instrument.Subscriber{ID: "header"}}},
		{"all fields", instrument.WithoutMetadata(ctx), instrument.Metadata{}},
		{"set again", instrument.WithMetadata(instrument.WithoutMetadata(ctx), instrument.Metadata{Agent: "b"}), instrument.Metadata{Agent: "b"}},
		{"of nothing", instrument.WithoutMetadata(t.Context(), semconv.ReveniumAgentNameKey), instrument.Metadata{}},
		{"what it does not have", instrument.WithoutMetadata(ctx, semconv.ReveniumTicketIDKey), instrument.FromContext(ctx)},
	} {
		if diff := cmp.Diff(tt.want, called(tt.ctx)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}

	var reported []error
	handler := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { reported = append(reported, err) }))
	t.Cleanup(func() { otel.SetErrorHandler(handler) })
	if got := instrument.WithoutMetadata(ctx, "revenium.organisation"); called(got) != called(ctx) {
		t.Error("an unknown key took something away")
	}
	if len(reported) != 1 {
		t.Errorf("reported %v, want the unknown key", reported)
	}
}

// TestCallOptions shows what goes before what where a call is started.
func TestCallOptions(t *testing.T) {
	ctx := instrument.WithMetadata(t.Context(), instrument.Metadata{Organization: "context", Agent: "context", TaskType: "context", Region: "context"})
	provider, recorder := newRecorder()
	inner, call := instrument.StartCall(ctx, instrument.CallParams{},
		instrument.WithTracerProvider(provider),
		instrument.Metadata{Organization: "call", Agent: "call", TaskType: "call", Product: "first"},
		instrument.Metadata{Product: "second"},
		instrument.WithQualityScore(0.25),
		// On the span itself, under the key to write and under an older one. A blank
		// one says nothing.
		instrument.WithAttributes(semconv.ReveniumOrganizationName("span"), attribute.String("revenium.agent", "span"), semconv.ReveniumTaskType(" ")),
		instrument.WithTransactionID("t-1"), instrument.WithParentTransactionID("p-1"), instrument.WithRetryNumber(2),
		instrument.WithMediationLatency(12*time.Millisecond+600*time.Microsecond),
	)
	call.End(nil)
	want := map[string]any{
		"gen_ai.operation.name": "chat", "revenium.usage.missing": true,
		"revenium.organization.name": "span", "revenium.agent": "span", "revenium.task.type": "call",
		"revenium.product.name": "second", "cloud.region": "context", "revenium.response.quality_score": 0.25,
		"revenium.transaction.id": "t-1", "revenium.parent_transaction.id": "p-1", "revenium.retry.number": int64(2), "revenium.mediation.latency": int64(13),
	}
	_, got := only(t, recorder)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	// What is for one call is not for those beneath it.
	if diff := cmp.Diff(instrument.FromContext(ctx), instrument.FromContext(inner)); diff != "" {
		t.Errorf("the context of the call (-want +got):\n%s", diff)
	}
}

func TestSetQualityScore(t *testing.T) {
	provider, recorder := newRecorder()
	_, call := instrument.StartCall(t.Context(), instrument.CallParams{}, instrument.WithTracerProvider(provider))
	answered := time.Now()
	if err := call.SetQualityScore(0.8); err != nil {
		t.Fatal(err)
	}
	for _, score := range []float64{-0.1, 1.1, 80} {
		err := call.SetQualityScore(score)
		if field, ok := errors.AsType[*instrument.FieldError](err); !ok || field.Field != "responseQualityScore" || field.Limit != "0 to 1" {
			t.Errorf("score %v: error %v", score, err)
		}
	}
	call.EndAt(nil, answered)
	if err := call.SetQualityScore(0.1); err != nil { // too late
		t.Error(err)
	}
	if _, got := only(t, recorder); got["revenium.response.quality_score"] != 0.8 {
		t.Errorf("attributes %v", got)
	}
}

// TestWorkers has many goroutines use and extend contexts that share a parent,
// while the caller changes what they were made from.
func TestWorkers(t *testing.T) {
	provider, recorder := newRecorder()
	values := map[string]any{"organization": "Acme", "trace_id": "batch-1"}
	m, err := instrument.FromMap(values)
	if err != nil {
		t.Fatal(err)
	}
	score := 0.5
	m.QualityScore = &score
	ctx := instrument.WithMetadata(t.Context(), m)
	jobs := make(chan int)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for job := range jobs {
				ctx := instrument.WithMetadata(ctx, instrument.Metadata{TicketID: strconv.Itoa(job)})
				_, call := instrument.StartCall(ctx, instrument.CallParams{}, instrument.WithTracerProvider(provider))
				call.End(nil)
			}
		})
	}
	for job := range 200 {
		values["organization"], m.Organization, score = "changed", "changed", 0.1
		jobs <- job
	}
	close(jobs)
	wg.Wait()
	tickets := map[string]bool{}
	for _, span := range recorder.Ended() {
		got := attributes(span.Attributes())
		if got["revenium.organization.name"] != "Acme" || got["revenium.trace.id"] != "batch-1" || got["revenium.response.quality_score"] != 0.5 {
			t.Fatalf("attributes %v", got)
		}
		tickets[got["revenium.ticket.id"].(string)] = true
	}
	if len(tickets) != 200 {
		t.Errorf("%d tickets, want 200", len(tickets))
	}
}

// TestCallOptionsOfContext has something else start the span of a call.
func TestCallOptionsOfContext(t *testing.T) {
	provider, recorder := newRecorder()
	outer := instrument.WithWrapperMetadata(t.Context(), instrument.Metadata{Agent: "wrapper", Product: "wrapper"})
	ctx := instrument.WithCallOptions(outer, instrument.Metadata{Agent: "call"}, instrument.WithTransactionID("t"), instrument.WithRetryNumber(0))
	ctx = instrument.WithCallOptions(ctx, instrument.Metadata{TaskType: "call"})
	if got, want := instrument.FromContext(ctx), (instrument.Metadata{Agent: "call", Product: "wrapper", TaskType: "call"}); !cmp.Equal(want, got) {
		t.Errorf("the context carries %v, want %v", got, want)
	}
	for i, id := range []string{"t", "t-2", "t-3"} {
		inner, call := instrument.StartCall(ctx, instrument.CallParams{}, instrument.WithTracerProvider(provider), instrument.WithRetryNumber(i))
		call.End(nil)
		got := attributes(recorder.Ended()[i].Attributes())
		want := map[string]any{
			"gen_ai.operation.name": "chat", "revenium.usage.missing": true, "revenium.transaction.id": id, "revenium.retry.number": int64(i),
			"revenium.agent.name": "call", "revenium.task.type": "call", "revenium.product.name": "wrapper",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("call %d (-want +got):\n%s", i, diff)
		}
		// Nothing of it is for calls beneath.
		if got, want := called(inner), called(outer); !cmp.Equal(want, got) {
			t.Errorf("a call beneath call %d has %v, want %v", i, got, want)
		}
	}
	want := map[string]any{"revenium.agent.name": "call", "revenium.task.type": "call", "revenium.product.name": "wrapper"}
	if diff := cmp.Diff(want, stamped(ctx, "chat", nil)); diff != "" {
		t.Errorf("span of another instrumentation (-want +got):\n%s", diff)
	}
}
