// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// drops are the values that were left out, by "direction carrier reason".
type drops map[string]int64

// counted is a meter provider, as an option, and what was counted there.
func counted() (propagate.Option, func(testing.TB) drops) {
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	return propagate.WithMeterProvider(provider), func(tb testing.TB) drops {
		tb.Helper()
		var data metricdata.ResourceMetrics
		if err := reader.Collect(context.Background(), &data); err != nil {
			tb.Fatal(err)
		}
		got := drops{}
		for _, scope := range data.ScopeMetrics {
			for _, m := range scope.Metrics {
				if m.Name != "revenium.propagate.values.dropped" {
					tb.Errorf("metric %s", m.Name)
				}
				for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
					way, _ := point.Attributes.Value("revenium.direction")
					where, _ := point.Attributes.Value("revenium.carrier")
					why, _ := point.Attributes.Value("revenium.reason")
					got[fmt.Sprintf("%s %s %s", way.AsString(), where.AsString(), why.AsString())] += point.Value
				}
			}
		}
		return got
	}
}

// wantDrops fails the test unless exactly these were counted.
func wantDrops(tb testing.TB, got, want drops) {
	tb.Helper()
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Errorf("left out (-want +got):\n%s", diff)
	}
}

// wantMetadata fails the test unless calls made with ctx carry exactly that.
func wantMetadata(ctx context.Context, tb testing.TB, want instrument.Metadata) {
	tb.Helper()
	if diff := cmp.Diff(want, instrument.FromContext(ctx)); diff != "" {
		tb.Errorf("metadata (-want +got):\n%s", diff)
	}
}

// reported collects what is handed to OpenTelemetry's error handler.
func reported(tb testing.TB) func() []string {
	tb.Helper()
	var mu sync.Mutex
	var texts []string
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		mu.Lock()
		defer mu.Unlock()
		texts = append(texts, err.Error())
	}))
	tb.Cleanup(func() { otel.SetErrorHandler(before) })
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), texts...)
	}
}

// eight is metadata with eight fields, as many as a service usually sets.
func eight() instrument.Metadata {
	return instrument.Metadata{
		Organization: "Acme Corp", Product: "assistant", Subscription: "sub-1042", Agent: "planner", TaskType: "summarize", TraceID: "ticket-4711",
		Subscriber: instrument.Subscriber{ID: "user-4711", Email: "jo@example.com"},
	}
}

// remote says whether the trace context of another process is in ctx.
func remote(ctx context.Context) bool { return trace.SpanContextFromContext(ctx).IsRemote() }
