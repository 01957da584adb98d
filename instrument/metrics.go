// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/semconv"
)

// Names of the client metrics of the OpenTelemetry GenAI conventions.
const (
	metricUsage      = "gen_ai.client.token.usage"
	metricDuration   = "gen_ai.client.operation.duration"
	metricFirstChunk = "gen_ai.client.operation.time_to_first_chunk"
)

// Metrics are the client metrics of the OpenTelemetry GenAI conventions, made
// from the same calls as the spans: gen_ai.client.token.usage,
// gen_ai.client.operation.duration and, of streams,
// gen_ai.client.operation.time_to_first_chunk. Make one with [NewMetrics].
type Metrics struct {
	tokens     metric.Int64Histogram
	duration   metric.Float64Histogram
	firstChunk metric.Float64Histogram
}

// NewMetrics returns metrics of provider; a nil one is the global one
// (otel.GetMeterProvider) at this time.
func NewMetrics(provider metric.MeterProvider) (*Metrics, error) {
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	meter := provider.Meter(ScopeName, metric.WithInstrumentationVersion(Version))
	// The boundaries are those of the conventions.
	seconds := metric.WithExplicitBucketBoundaries(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
	tokens := metric.WithExplicitBucketBoundaries(1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
	m := &Metrics{}
	var tokensErr, durationErr, firstErr error
	m.tokens, tokensErr = meter.Int64Histogram(metricUsage, metric.WithUnit("{token}"),
		metric.WithDescription("Number of input and output tokens used."), tokens)
	m.duration, durationErr = meter.Float64Histogram(metricDuration, metric.WithUnit("s"),
		metric.WithDescription("GenAI operation duration."), seconds)
	m.firstChunk, firstErr = meter.Float64Histogram(metricFirstChunk, metric.WithUnit("s"),
		metric.WithDescription("Time to receive the first chunk of a stream."), seconds)
	if err := errors.Join(tokensErr, durationErr, firstErr); err != nil {
		return nil, err
	}
	return m, nil
}

// WithMetrics has the call recorded in metrics, whether or not its span is
// recorded. Default, also for nil: in none.
func WithMetrics(metrics *Metrics) Option {
	return optionFunc(func(c config) config {
		c.metrics = metrics
		return c
	})
}

// measurement is what metrics need to know of a call.
type measurement struct {
	metrics *Metrics
	ctx     context.Context // with the call's span, for exemplars
	params  CallParams
}

// labels are the attributes that all metrics of a call have.
func labels(operation string, params *CallParams) []attribute.KeyValue {
	set := make([]attribute.KeyValue, 0, 8)
	set = append(set, semconv.GenAIOperationNameKey.String(operation), semconv.GenAIProviderNameKey.String(params.Provider))
	if params.Model != "" {
		set = append(set, semconv.GenAIRequestModelKey.String(params.Model))
	}
	if params.ServerAddress != "" {
		set = append(set, semconv.ServerAddressKey.String(params.ServerAddress))
		if params.ServerPort > 0 {
			set = append(set, semconv.ServerPortKey.Int(params.ServerPort))
		}
	}
	return set
}

// record records the call, of which late are the attributes that it got after its
// start. Of several values of a key the last one counts.
func (m *measurement) record(late []attribute.KeyValue, took time.Duration) {
	operation := m.params.Operation
	if operation == "" {
		operation = semconv.GenAIOperationNameChat.Value.AsString()
	}
	set := labels(operation, &m.params)
	var input, output, first attribute.Value
	skipped := false
	for _, kv := range late {
		switch kv.Key {
		case semconv.GenAIOperationNameKey, semconv.GenAIProviderNameKey, semconv.GenAIRequestModelKey, semconv.GenAIResponseModelKey, semconv.ErrorTypeKey:
			set = append(set, kv)
		case semconv.GenAIUsageInputTokensKey:
			input = kv.Value
		case semconv.GenAIUsageOutputTokensKey:
			output = kv.Value
		case semconv.GenAIResponseTimeToFirstChunkKey:
			first = kv.Value
		case semconv.ReveniumMeteringSkipKey:
			skipped = kv.Value.AsBool()
		}
	}
	all := attribute.NewSet(slices.Clone(set)...) // which sorts what it gets
	m.metrics.duration.Record(m.ctx, took.Seconds(), metric.WithAttributeSet(all))
	if m.params.Stream && first.Type() == attribute.FLOAT64 {
		m.metrics.firstChunk.Record(m.ctx, first.AsFloat64(), metric.WithAttributeSet(all))
	}
	if skipped {
		return // what it tells of, another call has consumed
	}
	for _, tokens := range [...]struct {
		count attribute.Value
		kind  attribute.KeyValue
	}{{input, semconv.GenAITokenTypeInput}, {output, semconv.GenAITokenTypeOutput}} {
		if tokens.count.Type() == attribute.INT64 {
			m.metrics.tokens.Record(m.ctx, tokens.count.AsInt64(), metric.WithAttributeSet(attribute.NewSet(append(slices.Clone(set), tokens.kind)...)))
		}
	}
}

// measure makes ready for recording the call.
func measure(ctx context.Context, c *config, params *CallParams) *measurement {
	if c.metrics == nil {
		return nil
	}
	// Of the context nothing is needed but the span.
	return &measurement{metrics: c.metrics, ctx: trace.ContextWithSpan(context.Background(), trace.SpanFromContext(ctx)), params: *params}
}
