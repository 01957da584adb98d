// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumanthropic_test

import (
	"testing"

	"github.com/anthropics/anthropic-sdk-go/option"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumanthropic"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

const nativeScope = "com.anthropic.sdk.go"

// global makes the meter's provider the global one, as programs have it, and notes the scopes of its spans.
func global(t *testing.T, m *metertest.Meter) func() map[string]int {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	m.Provider.RegisterSpanProcessor(recorder)
	otel.SetTracerProvider(m.Provider)
	t.Setenv("ANTHROPIC_OPEN_TELEMETRY", "") // neither on nor off
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })
	return func() map[string]int {
		scopes := make(map[string]int)
		for _, s := range recorder.Ended() {
			scopes[s.InstrumentationScope().Name]++
		}
		return scopes
	}
}

// The client makes spans of its own where a global provider is registered. One call is one bill, whichever of the two
// kinds there are.
func TestOwnSpans(t *testing.T) {
	for name, tc := range map[string]struct {
		opts          []option.RequestOption
		native, adapt int
	}{
		"metering":                  {[]option.RequestOption{reveniumanthropic.WithMetering()}, 0, 1},
		"metering, own spans after": {[]option.RequestOption{reveniumanthropic.WithMetering(), option.WithOpenTelemetryTraces(true)}, 1, 1},
		"metering twice":            {[]option.RequestOption{reveniumanthropic.WithMetering(), reveniumanthropic.WithMetering()}, 0, 1},
		"own spans alone":           {nil, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := metertest.Start(t)
			scopes := global(t, m)
			client := newClient(m, tc.opts...)
			m.LLM.Enqueue(answer())
			if _, err := client.Messages.New(t.Context(), question()); err != nil {
				t.Fatal(err)
			}
			records := m.Records()
			if got := scopes(); got[nativeScope] != tc.native || got[llmhttp.ScopeName] != tc.adapt {
				t.Errorf("scopes: %v", got)
			}
			if len(records) != 1 {
				t.Fatalf("%d records: %v\n%s", len(records), records, m.Report())
			}
			for field, want := range map[string]string{
				"model": "claude-opus-4-20250514", "provider": "Anthropic", "inputTokenCount": "100", "cacheReadTokenCount": "1000",
				"cacheCreationTokenCount": "100", "outputTokenCount": "50", "totalTokenCount": "1250", "stopReason": "END",
			} {
				if got := records[0].Text(field); got != want {
					t.Errorf("%s: %q, want %q", field, got, want)
				}
			}
		})
	}
}

// The spans of the two make one trace, the client's own around that of the attempt.
func TestOwnSpanIsParent(t *testing.T) {
	m := metertest.Start(t)
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	client := newClient(m, reveniumanthropic.WithMetering(llmhttp.WithTracerProvider(provider)), option.WithOpenTelemetryTraces(true), option.WithTracerProvider(provider))
	if _, err := client.Messages.New(t.Context(), question()); err != nil {
		t.Fatal(err)
	}
	spans := recorder.Ended()
	if len(spans) != 2 || spans[0].Parent().SpanID() != spans[1].SpanContext().SpanID() || spans[1].InstrumentationScope().Name != nativeScope {
		t.Errorf("spans: %v", spans)
	}
}
