// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package semconv_test

import (
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/semconv"
)

func TestIsLLMSpan(t *testing.T) {
	for _, tt := range []struct {
		name string
		keys []attribute.Key
		want bool
	}{
		{"chat gpt-4o", nil, true},
		{"invoke_workflow", nil, true},
		{"execute_tool search", nil, true},
		{"ai.streamText.doStream", nil, true},
		{"anything", []attribute.Key{"http.request.method", "gen_ai.request.model"}, true},
		{"anything", []attribute.Key{"revenium.agent.name"}, true},
		{"anything", []attribute.Key{"openinference.span.kind"}, true},
		{"generate", []attribute.Key{"genkit:type"}, true},
		{"generate", []attribute.Key{"genkit:metadata:flow.name"}, true},
		{"tools/call weather", nil, true},
		{"weather", []attribute.Key{"mcp.method.name"}, true},
		{"video_generation sora-2", nil, true},
		{"GET /chat", []attribute.Key{"http.request.method"}, false},
		{"chatroom", []attribute.Key{"gen_ai", "gen_air.x", "air.x", ""}, false},
		{"", nil, false},
	} {
		var attrs []attribute.KeyValue
		for _, key := range tt.keys {
			attrs = append(attrs, key.String("x"))
		}
		if got := semconv.IsLLMSpan(tt.name, attrs); got != tt.want {
			t.Errorf("IsLLMSpan(%q, %v) = %t", tt.name, tt.keys, got)
		}
	}
}
