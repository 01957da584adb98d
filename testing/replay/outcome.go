// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/semconv"
)

// run replays one recording through the instrumented transport and converts the
// span that comes of it. The differences are what is wrong whatever the call
// was: bytes that changed on the way, spans too many.
func run(ctx context.Context, rec *recording) (outcome, []difference, error) {
	spans := tracetest.NewSpanRecorder()
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans), sdktrace.WithSampler(sdktrace.AlwaysSample()))
	result := outcome{Name: rec.Name, Call: call{RequestIDs: map[string]string{}, FinishReasons: []string{}}}
	seen, server, err := play(ctx, rec, func(wire http.RoundTripper) http.RoundTripper {
		return llmhttp.NewTransport(wire, llmhttp.WithTracerProvider(tracers))
	})
	if err != nil {
		return result, nil, err
	}
	diffs := seen.changes(rec, server)
	ended := calls(spans.Ended())
	recognized, ok := llmhttp.Recognize(seen.request)
	switch {
	case !ok && len(ended) == 0:
		return result, diffs, nil
	case ok != (len(ended) == 1):
		diffs = append(diffs, difference{Field: "spans", Got: strconv.Itoa(len(ended)), Want: map[bool]string{true: "1", false: "0"}[ok]})
	}
	if len(ended) == 0 {
		return result, diffs, nil
	}
	result.Call = callOf(ended[0], recognized, seen)
	if result.Call.StopReason, err = stopReason(ended[0], recognized); err != nil {
		return result, diffs, err
	}
	result.Record, err = recordOf(ended[0])
	return result, diffs, err
}

// calls returns the spans of calls of their own: what the transport makes beneath
// one is a part of the call that another model ran.
func calls(spans []sdktrace.ReadOnlySpan) []sdktrace.ReadOnlySpan {
	return slices.DeleteFunc(slices.Clone(spans), func(s sdktrace.ReadOnlySpan) bool { return s.Parent().IsValid() })
}

// callOf reads the call off the span.
func callOf(span sdktrace.ReadOnlySpan, recognized llmhttp.Recognized, seen *exchange) call {
	attrs := attribute.NewSet(span.Attributes()...)
	c := call{
		API:           pointer(recognized.API),
		Provider:      text(attrs, semconv.GenAIProviderNameKey),
		Operation:     pointer(recognized.Operation),
		RequestModel:  text(attrs, semconv.GenAIRequestModelKey),
		ResponseModel: text(attrs, semconv.GenAIResponseModelKey),
		ErrorType:     providerError(attrs, seen),
		ResponseID:    text(attrs, semconv.GenAIResponseIDKey),
		RequestIDs:    requestIDs(attrs),
		FinishReasons: []string{},
		Tokens:        tokensOf(attrs),
	}
	if streamed, ok := attrs.Value(semconv.GenAIRequestStreamKey); ok {
		c.Streamed = streamed.AsBool()
	}
	if reasons, ok := attrs.Value(semconv.GenAIResponseFinishReasonsKey); ok {
		c.FinishReasons = append(c.FinishReasons, reasons.AsStringSlice()...)
	}
	if recognized.Operation != "" {
		c.Operation = text(attrs, semconv.GenAIOperationNameKey)
	}
	_, searched := attrs.Value(semconv.ReveniumUsageSearchUnitsKey)
	c.UsageReported = c.Tokens != nil || searched
	if searched && c.Tokens == nil {
		c.Tokens = &tokens{}
	}
	skipped, _ := attrs.Value(semconv.ReveniumMeteringSkipKey)
	c.Billable = recognized.Billable && c.ErrorType == nil && !skipped.AsBool()
	return c
}

// requestIDs are the ids that provider and gateway gave the request.
func requestIDs(attrs attribute.Set) map[string]string {
	ids := make(map[string]string)
	for _, kv := range attrs.ToSlice() {
		if header, ok := strings.CutPrefix(string(kv.Key), semconv.HTTPResponseHeaderPrefix); ok {
			ids[header] = strings.Join(kv.Value.AsStringSlice(), ", ")
		}
	}
	return ids
}

// providerError is the span's error.type where the provider sent the error. An
// answer that broke off is none of its: what it generated, it bills. An error that
// it has no word for is its all the same.
func providerError(attrs attribute.Set, seen *exchange) *string {
	kind := text(attrs, semconv.ErrorTypeKey)
	if kind == nil || seen.status >= http.StatusBadRequest {
		return kind
	}
	switch *kind {
	case instrument.ErrorTypeUnexpectedEOF, instrument.ErrorTypeConnectionReset, instrument.ErrorTypeCanceled,
		instrument.ErrorTypeTimeout:
		return nil
	default:
		return kind
	}
}

// tokensOf returns nil when the span has no count.
func tokensOf(attrs attribute.Set) *tokens {
	t := tokens{
		Input:         count(attrs, semconv.GenAIUsageInputTokensKey),
		CacheRead:     count(attrs, semconv.GenAIUsageCacheReadInputTokensKey),
		CacheCreation: count(attrs, semconv.GenAIUsageCacheCreationInputTokensKey),
		Output:        count(attrs, semconv.GenAIUsageOutputTokensKey),
		Reasoning:     count(attrs, semconv.GenAIUsageReasoningOutputTokensKey),

		CacheCreation5m: count(attrs, semconv.ReveniumUsageCacheCreation5mTokensKey),
		CacheCreation1h: count(attrs, semconv.ReveniumUsageCacheCreation1hTokensKey),
	}
	if t == (tokens{}) {
		return nil
	}
	if t.Input != nil {
		read, created := *orZero(t.CacheRead), *orZero(t.CacheCreation)
		cached := read + created
		if cached > *t.Input {
			// Some gateways report tokens that were written and read at once twice.
			cached = max(read, created)
		}
		uncached := *t.Input - cached
		t.InputUncached = &uncached
	}
	if t.Input != nil || t.Output != nil {
		total := *orZero(t.Input) + *orZero(t.Output)
		t.Total = &total
	}
	return &t
}

// recordOf converts the span as an exporter would that sees nothing else: a
// failure that waits for its retry is settled at the end.
func recordOf(span sdktrace.ReadOnlySpan) (json.RawMessage, error) {
	record, err := billed(clientSpan{span})
	if record == nil || err != nil {
		return nil, err
	}
	frozen, _, err := metering.Freeze(record)
	if err != nil {
		return nil, fmt.Errorf("freeze the record: %w", err)
	}
	return frozen.Body, nil
}

// billed returns the record of the span, nil for none.
func billed(span convert.Span, opts ...convert.Option) (metering.Record, error) {
	converter, err := convert.New(opts...)
	if err != nil {
		return nil, err
	}
	decisions := converter.Convert(nil, span)
	for _, d := range converter.Flush(decisions) {
		if d.Kind == convert.Billed {
			return d.Record, nil
		}
	}
	return nil, nil
}

// stopReason is Revenium's word for how the call ended. It stands in the record;
// for a call that has none since nobody knows its tokens, in the one that it
// would have with zero tokens. Records of media have no such word; what is told
// is the one that a completion with the same end would have.
func stopReason(span sdktrace.ReadOnlySpan, recognized llmhttp.Recognized) (*string, error) {
	if !recognized.Billable {
		return nil, nil
	}
	for _, view := range [...]convert.Span{clientSpan{span}, completionSpan{clientSpan{span}}} {
		record, err := billed(view, convert.WithZeroUsage())
		if err != nil {
			return nil, err
		}
		if completion, ok := record.(*metering.Completion); ok {
			return pointer(string(completion.StopReason)), nil
		}
	}
	return nil, nil
}

func text(attrs attribute.Set, key attribute.Key) *string {
	value, ok := attrs.Value(key)
	if !ok {
		return nil
	}
	return pointer(value.AsString())
}

func count(attrs attribute.Set, key attribute.Key) *int64 {
	value, ok := attrs.Value(key)
	if !ok {
		return nil
	}
	n := value.AsInt64()
	return &n
}

// pointer returns nil for "".
func pointer(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
