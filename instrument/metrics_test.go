// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/revenium/revenium-otel-go/semconv"
)

// collected returns the metrics of the package's scope by name.
func collected(t *testing.T, reader sdkmetric.Reader) map[string]metricdata.Metrics {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	found := make(map[string]metricdata.Metrics)
	for _, scope := range rm.ScopeMetrics {
		if scope.Scope.Name != ScopeName || scope.Scope.Version != Version {
			t.Errorf("scope %s %s", scope.Scope.Name, scope.Scope.Version)
		}
		for _, m := range scope.Metrics {
			found[m.Name] = m
		}
	}
	return found
}

func TestMetrics(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	metrics, err := NewMetrics(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	// A span that nobody records is no reason for not measuring.
	opts := []Option{WithTracerProvider(noop.NewTracerProvider()), WithMetrics(metrics), WithStartTime(start)}
	_, call := StartCall(t.Context(), CallParams{Provider: "openai", Model: "m", Stream: true, ServerAddress: "h", ServerPort: 8080}, opts...)
	if !call.IsRecording() {
		t.Error("a call that is measured says that nobody will see it")
	}
	call.FirstTokenAt(start.Add(time.Second))
	call.SetResponse(Response{Model: "m-1"})
	call.SetUsage(Usage{Input: new(int64(7)), Output: new(int64(1))})
	call.SetUsage(Usage{Output: new(int64(5))})
	call.EndAt(nil, start.Add(3*time.Second))

	common := []attribute.KeyValue{
		semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("m"), semconv.GenAIResponseModel("m-1"),
		semconv.ServerAddress("h"), semconv.ServerPort(8080),
	}
	seconds := []float64{0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}
	tokens := []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}
	got := collected(t, reader)
	for _, want := range []metricdata.Metrics{
		{Name: metricDuration, Unit: "s", Description: "GenAI operation duration.", Data: one(seconds, 3.0, 9, common...)},
		{Name: metricFirstChunk, Unit: "s", Description: "Time to receive the first chunk of a stream.", Data: one(seconds, 1.0, 7, common...)},
		{
			Name: metricUsage, Unit: "{token}", Description: "Number of input and output tokens used.",
			Data: metricdata.Histogram[int64]{Temporality: metricdata.CumulativeTemporality, DataPoints: []metricdata.HistogramDataPoint[int64]{
				point(tokens, int64(7), 2, append(common, semconv.GenAITokenTypeInput)...), point(tokens, int64(5), 2, append(common, semconv.GenAITokenTypeOutput)...),
			}},
		},
	} {
		metricdatatest.AssertEqual(t, want, got[want.Name], metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	}
}

func one(bounds []float64, value float64, bucket int, attributes ...attribute.KeyValue) metricdata.Histogram[float64] {
	return metricdata.Histogram[float64]{
		Temporality: metricdata.CumulativeTemporality,
		DataPoints:  []metricdata.HistogramDataPoint[float64]{point(bounds, value, bucket, attributes...)},
	}
}

// point is what one value is.
func point[N int64 | float64](bounds []float64, value N, bucket int, attributes ...attribute.KeyValue) metricdata.HistogramDataPoint[N] {
	counts := make([]uint64, len(bounds)+1)
	counts[bucket] = 1
	return metricdata.HistogramDataPoint[N]{
		Attributes: attribute.NewSet(slices.Clone(attributes)...), Count: 1, Bounds: bounds, BucketCounts: counts,
		Min: metricdata.NewExtrema(value), Max: metricdata.NewExtrema(value), Sum: value,
	}
}

// What is not known is not recorded, nor the tokens of what is not to be metered.
func TestMetricsOfWhatIsKnown(t *testing.T) {
	for name, tt := range map[string]struct {
		params CallParams
		during func(*Call)
		err    error
		want   []string
		labels map[attribute.Key]string
	}{
		"no usage":  {during: func(*Call) {}, want: []string{metricDuration}, labels: map[attribute.Key]string{semconv.GenAIOperationNameKey: "chat", semconv.ErrorTypeKey: ""}},
		"no stream": {during: func(c *Call) { c.FirstToken() }, want: []string{metricDuration}},
		"failed": {
			during: func(*Call) {}, err: errors.New("boom"), want: []string{metricDuration},
			labels: map[attribute.Key]string{semconv.ErrorTypeKey: ErrorTypeOther},
		},
		"not to be metered": {
			during: func(c *Call) {
				c.SetUsage(Usage{Input: new(int64(7))})
				c.SetAttributes(semconv.ReveniumMeteringSkip(true))
			},
			want: []string{metricDuration},
		},
		"known later": {
			params: CallParams{Operation: "fetch_response", Provider: "openai"},
			during: func(c *Call) {
				c.SetModel("chat", "m")
				c.SetAttributes(semconv.GenAIOperationNameChat, semconv.GenAIProviderNameAnthropic)
			},
			want:   []string{metricDuration},
			labels: map[attribute.Key]string{semconv.GenAIOperationNameKey: "chat", semconv.GenAIProviderNameKey: "anthropic", semconv.GenAIRequestModelKey: "m"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			reader := sdkmetric.NewManualReader()
			metrics, err := NewMetrics(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
			if err != nil {
				t.Fatal(err)
			}
			_, call := StartCall(context.Background(), tt.params, WithTracerProvider(noop.NewTracerProvider()), WithMetrics(metrics))
			tt.during(call)
			call.End(tt.err)
			got := collected(t, reader)
			if len(got) != len(tt.want) {
				t.Errorf("metrics %v, want %v", got, tt.want)
			}
			for _, name := range tt.want {
				data, ok := got[name].Data.(metricdata.Histogram[float64])
				if !ok || len(data.DataPoints) != 1 {
					t.Fatalf("%s: %+v", name, got[name])
				}
				for key, want := range tt.labels {
					if value, _ := data.DataPoints[0].Attributes.Value(key); value.AsString() != want {
						t.Errorf("%s: %s is %q, want %q", name, key, value.AsString(), want)
					}
				}
			}
		})
	}
}
