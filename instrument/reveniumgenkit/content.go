// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumgenkit

import (
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace" //nolint:depguard // Genkit's spans exist in the SDK alone
)

// The attributes of Genkit's spans that have what went into an action and what came
// out of it.
const (
	inputKey  = attribute.Key("genkit:input")
	outputKey = attribute.Key("genkit:output")
)

// WithoutContent returns a span processor that passes spans on to next without what
// Genkit says of inputs and outputs. All else stays, and spans of others stay as
// they are. It is for the processors of tracing backends:
//
//	provider := trace.NewTracerProvider(
//		trace.WithSpanProcessor(metering), // reads the counts in the outputs
//		trace.WithSpanProcessor(reveniumgenkit.WithoutContent(trace.NewBatchSpanProcessor(exporter))),
//	)
//
// The text of an error that an action returned remains: it is the span's status and
// its event.
func WithoutContent(next trace.SpanProcessor) trace.SpanProcessor { return withoutContent{next} }

type withoutContent struct{ trace.SpanProcessor }

// OnEnd implements [trace.SpanProcessor].
func (p withoutContent) OnEnd(s trace.ReadOnlySpan) {
	if slices.ContainsFunc(s.Attributes(), isContent) {
		s = contentFree{s}
	}
	p.SpanProcessor.OnEnd(s)
}

// contentFree is a span without content.
type contentFree struct{ trace.ReadOnlySpan }

// Attributes returns the span's attributes without those that have content.
func (s contentFree) Attributes() []attribute.KeyValue {
	return slices.DeleteFunc(slices.Clone(s.ReadOnlySpan.Attributes()), isContent)
}

func isContent(kv attribute.KeyValue) bool { return kv.Key == inputKey || kv.Key == outputKey }
