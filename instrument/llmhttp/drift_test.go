// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// driftPoints returns the points of the counter of unknown usages, by field.
func driftPoints(t *testing.T, reader sdkmetric.Reader) map[string]int64 {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	points := make(map[string]int64)
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != metricUnknownUsage {
				continue
			}
			for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
				field, _ := p.Attributes.Value(attribute.Key("revenium.field"))
				points[field.AsString()] += p.Value
			}
		}
	}
	return points
}

// A count that nobody knows is told of once, and counted each time.
func TestUnknownUsage(t *testing.T) {
	tests := []struct{ name, url, request, answer, member string }{
		{"chat", chatURL, chatBody, `{"usage":{"prompt_tokens":1,"completion_tokens":1,"dream_tokens":7}}`, "dream_tokens"},
		{"chat, in the details", chatURL, chatBody, `{"usage":{"prompt_tokens":1,"completion_tokens_details":{"dream_tokens":7}}}`, "dream_tokens"},
		{"an object of counts", chatURL, chatBody, `{"usage":{"dream_details":{"deep":7}}}`, "dream_details"},
		{"Anthropic", "http://api.anthropic.com/v1/messages", chatBody, `{"type":"message","usage":{"input_tokens":1,"cache_creation":{"ephemeral_1d_input_tokens":0}}}`, "ephemeral_1d_input_tokens"},
		{"Gemini", geminiModels + "g:generateContent", `{"contents":[]}`, `{"usageMetadata":{"promptTokenCount":1,"dreamTokenCount":1}}`, "dreamTokenCount"},
		{"Bedrock", bedrockModels + "m/converse", `{"messages":[{}]}`, `{"usage":{"inputTokens":1,"dreamTokens":1}}`, "dreamTokens"},
		{"Cohere", "http://api.cohere.com/v2/chat", chatBody, `{"usage":{"billed_units":{"dream_units":1}}}`, "dream_units"},
		{"nothing new", chatURL, chatBody, `{"usage":{"prompt_tokens":1,"note":"x","flag":true,"nothing":null},"dream_tokens":1}`, ""},
		{"an error", chatURL, chatBody, `{"usage":"x"}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reader := sdkmetric.NewManualReader()
			meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
			h := newHarness(t, answering(200, "application/json", tt.answer), WithMeterProvider(meters))
			handled := handleErrors(t)
			for range 3 {
				h.exchange(tt.url, tt.request)
			}
			points := driftPoints(t, reader)
			if tt.member == "" {
				if len(*handled) != 0 || len(points) != 0 {
					t.Errorf("handled %v, counted %v", *handled, points)
				}
				return
			}
			if len(*handled) != 1 || !strings.Contains((*handled)[0].Error(), `"`+tt.member+`"`) {
				t.Errorf("handled errors: %v", *handled)
			}
			if len(points) != 1 || points[tt.member] != 3 {
				t.Errorf("counted %v", points)
			}
		})
	}
}

// A server that makes up ever new names is told of for a while.
func TestUnknownUsageIsBounded(t *testing.T) {
	var usage strings.Builder
	for i := range 3 * maxDriftKinds {
		fmt.Fprintf(&usage, `"x%d":1,"%d not a word":1,`, i, i)
	}
	h := newHarness(t, answering(200, "application/json", `{"usage":{`+usage.String()+`"prompt_tokens":1,"completion_tokens":2}}`))
	handled := handleErrors(t)
	h.exchange(chatURL, chatBody)
	h.exchange(chatURL, chatBody)
	if len(*handled) != maxDriftKinds {
		t.Errorf("%d errors handled, want %d", len(*handled), maxDriftKinds)
	}
	h.all()[0].want(t, map[string]any{"gen_ai.usage.input_tokens": int64(1), "gen_ai.usage.output_tokens": int64(2)})
}
