// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"
)

// registered is what the registry says of an attribute.
type registered struct {
	kind       string // string, int, double, boolean, string[]; those of a template in the same words
	deprecated bool
}

// registry reads the attributes of the registry in semconv/model: the files have
// one form, which its generator checks.
var registry = sync.OnceValues(func() (map[string]registered, error) {
	files, err := filepath.Glob("../../semconv/model/*.yaml")
	if err != nil {
		return nil, err
	}
	entry := regexp.MustCompile(`(?m)^      - id: (\S+)\n        type:(?: (\S+))?\n((?:        .*\n|\n)*)`)
	found := make(map[string]registered)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, m := range entry.FindAllStringSubmatch(string(text), -1) {
			kind := strings.TrimSuffix(strings.TrimPrefix(m[2], "template["), "]")
			if strings.HasPrefix(m[2], "string[") {
				kind = m[2]
			}
			if kind == "" { // members
				kind = "string"
			}
			found[m[1]] = registered{kind: kind, deprecated: strings.Contains(m[3], "        deprecated:")}
		}
	}
	return found, nil
})

var kinds = map[string]attribute.Type{
	"string": attribute.STRING, "int": attribute.INT64, "double": attribute.FLOAT64, "boolean": attribute.BOOL, "string[]": attribute.STRINGSLICE,
}

// checkConvention checks that a span is one that the conventions describe: its
// name and kind, what it must have, and that each attribute is in the registry
// with the type that it has there.
func checkConvention(t *testing.T, span spanView) {
	t.Helper()
	known, err := registry()
	if err != nil || len(known) < 100 {
		t.Fatalf("the registry has %d attributes: %v", len(known), err)
	}
	for _, kv := range span.Attributes {
		name := string(kv.Key)
		entry, ok := known[name]
		if !ok {
			entry, ok = known[name[:strings.LastIndexByte(name, '.')]] // of a template
		}
		switch {
		case !ok:
			t.Errorf("attribute %s is not in the registry", name)
		case entry.deprecated:
			t.Errorf("attribute %s is deprecated", name)
		case kinds[entry.kind] != kv.Value.Type():
			t.Errorf("attribute %s is %v, in the registry %s", name, kv.Value.Type(), entry.kind)
		}
	}
	operation, _ := span.attributes["gen_ai.operation.name"].(string)
	model, _ := span.attributes["gen_ai.request.model"].(string)
	if want := strings.TrimSpace(operation + " " + model); operation == "" || span.Name != want {
		t.Errorf("span %q, want %q", span.Name, want)
	}
	if provider, _ := span.attributes["gen_ai.provider.name"].(string); provider == "" {
		t.Error("no gen_ai.provider.name")
	}
	if span.SpanKind != trace.SpanKindClient {
		t.Errorf("span of kind %v", span.SpanKind)
	}
	errorType, failed := span.attributes["error.type"].(string)
	if failed != (span.Status.Code == codes.Error) || failed && errorType == "" {
		t.Errorf("error.type %q, status %v", errorType, span.Status)
	}
	if span.attributes["gen_ai.request.stream"] == false {
		t.Error("gen_ai.request.stream is only for true")
	}
	if span.attributes["gen_ai.request.choice.count"] == int64(1) {
		t.Error("gen_ai.request.choice.count is only for other than 1")
	}
	if span.attributes["server.address"] == nil {
		t.Error("no server.address")
	}
}

// What the registry has is read as it is meant.
func TestRegistry(t *testing.T) {
	known, err := registry()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]registered{
		"gen_ai.operation.name": {kind: "string"}, "gen_ai.usage.input_tokens": {kind: "int"}, "gen_ai.request.stop_sequences": {kind: "string[]"},
		"revenium.usage.server_tool": {kind: "int"}, "gen_ai.request.temperature": {kind: "double"}, "http.method": {kind: "string", deprecated: true},
	} {
		if known[name] != want {
			t.Errorf("%s: %+v, want %+v", name, known[name], want)
		}
	}
}

// The client metrics of the conventions come from the same calls as the spans.
func TestMetrics(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	h := newHarness(t, streaming(chunk("x"), finishChunk, usageEvent, doneEvent), WithMetrics(), WithMeterProvider(meters))
	h.exchange(chatURL, askingBody)
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	points := make(map[string]int)
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Histogram[int64]:
				points[m.Name] = len(data.DataPoints)
			case metricdata.Histogram[float64]:
				points[m.Name] = len(data.DataPoints)
			}
		}
	}
	for name, want := range map[string]int{"gen_ai.client.token.usage": 2, "gen_ai.client.operation.duration": 1, "gen_ai.client.operation.time_to_first_chunk": 1} {
		if points[name] != want {
			t.Errorf("%s has %d points, want %d", name, points[name], want)
		}
	}
}
