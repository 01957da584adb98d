// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/convert/pdataview"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// outcome is what a configuration makes of spans: of each the reason and, if it is
// billed, the record.
func outcome(tb testing.TB, td ptrace.Traces, change func(*Config)) string {
	tb.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.APIKey = testKey
	if change != nil {
		change(cfg)
	}
	if err := cfg.Validate(); err != nil {
		tb.Fatal(err)
	}
	c, err := convert.New(cfg.convertOptions()...)
	if err != nil {
		tb.Fatal(err)
	}
	batch := c.NewBatch()
	var decisions []convert.Decision
	for s := range pdataview.Spans(td) {
		decisions = batch.Convert(decisions, s)
	}
	decisions = c.Flush(batch.End(decisions))
	var out strings.Builder
	for i := range decisions {
		d := &decisions[i]
		if d.Kind == convert.Held {
			continue
		}
		out.WriteString(d.SpanName + ": " + string(d.Reason))
		if d.Kind == convert.Billed {
			frozen, _, err := metering.Freeze(d.Record)
			if err != nil {
				tb.Fatal(err)
			}
			out.WriteString(" " + string(frozen.Body))
		}
		out.WriteString("\n")
	}
	return out.String()
}

// TestConversionSettings checks that each setting has its effect, and that nothing
// of the kind happens without it.
func TestConversionSettings(t *testing.T) {
	attrs := func(values map[string]any) func(int, ptrace.Span) {
		return func(_ int, s ptrace.Span) {
			for key, v := range values {
				if v == nil {
					s.Attributes().Remove(key)
				} else if err := s.Attributes().PutEmpty(key).FromRaw(v); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	one := func(values map[string]any) ptrace.Traces { return calls(0, 1, attrs(values)) }
	nested := func() ptrace.Traces { // the outer one first
		td := calls(0, 1, func(_ int, s ptrace.Span) { s.SetName("outer") })
		calls(0, 1, placed(2, 1, "chat"), func(_ int, s ptrace.Span) { s.SetName("inner") }).ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
		td.ResourceSpans().At(1).ScopeSpans().At(0).Scope().SetName("other")
		return td
	}
	cached := map[string]any{"gen_ai.usage.cache_read.input_tokens": 40}
	for name, tt := range map[string]struct {
		spans  ptrace.Traces
		change func(*Config)
		want   string
	}{
		"selective":          {one(nil), func(c *Config) { c.Conversion.Selective = true }, "not selected"},
		"tool_events":        {one(map[string]any{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}), func(c *Config) { c.Conversion.ToolEvents = true }, `"toolId":"search"`},
		"unknown_operations": {one(map[string]any{"gen_ai.operation.name": "ponder"}), func(c *Config) { c.Conversion.UnknownOperations = "other" }, `"operationType":"OTHER"`},
		"operation_types":    {one(map[string]any{"gen_ai.operation.name": "ponder"}), func(c *Config) { c.Conversion.OperationTypes = map[string]string{"ponder": "CLASSIFY"} }, `"operationType":"CLASSIFY"`},
		"stop_reasons":       {one(map[string]any{"gen_ai.response.finish_reasons": "bored"}), func(c *Config) { c.Conversion.StopReasons = map[string]string{"bored": "cancelled"} }, `"stopReason":"CANCELLED"`},
		"provider_names":     {one(nil), func(c *Config) { c.Conversion.ProviderNames = map[string]string{"openai": "Open Intelligence"} }, `"provider":"Open Intelligence"`},
		"wire_input":         {one(cached), func(c *Config) { c.Conversion.WireInput = map[string]string{"openai": "net"} }, `"inputTokenCount":60`},
		"scope_input": {one(cached), func(c *Config) {
			c.Conversion.ScopeInput = map[string]string{"te": "inclusive", "test": "exclusive"}
		}, `"inputTokenCount":140`},
		"strip_vendor_prefixes": {one(map[string]any{"gen_ai.request.model": "openai/gpt-4o"}), func(c *Config) { c.Conversion.StripVendorPrefixes = false }, `"model":"openai/gpt-4o"`},
		"vendor_prefixes": {one(map[string]any{"gen_ai.request.model": "acme/gpt-4o"}), func(c *Config) {
			c.Conversion.VendorPrefixes = map[string]string{"acme": "openai"}
		}, `"model":"gpt-4o"`},
		"prefer_outer": {nested(), func(c *Config) { c.Selection.PreferOuter = true }, "outer: usage"},
		"media_tokens": {one(map[string]any{
			"gen_ai.operation.name": "image_generation", "gen_ai.request.model": "gpt-image-1",
			"revenium.billing.unit": "PER_TOKEN", "revenium.image.count": 2,
		}), func(c *Config) { c.Conversion.MediaTokens = true }, `"outputTokenCount":20`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := outcome(t, tt.spans, nil); strings.Contains(got, tt.want) {
				t.Fatalf("%s is there without the setting: %s", tt.want, got)
			}
			if got := outcome(t, tt.spans, tt.change); !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// optionsOfConvert are the options that package convert has.
func optionsOfConvert(tb testing.TB, dir string) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("%d files in %s, %v", len(files), dir, err)
	}
	var options []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (With\w+)\(.*\) Option \{`).FindAllStringSubmatch(string(source), -1) {
			options = append(options, m[1])
		}
	}
	if len(options) < 30 {
		tb.Fatalf("only %d options found: the pattern of this test does not fit", len(options))
	}
	return options
}

// TestOptionsHaveSettings checks that whatever the conversion can be told, a
// configuration can say.
func TestOptionsHaveSettings(t *testing.T) {
	without := map[string]string{
		"WithInProcess":         "spans come from other processes",
		"WithSources":           "nobody would read them",
		"WithContentCapture":    "no prompt is at rest in a Collector's queue",
		"WithoutContentCapture": "there is no capture",
		"WithMaxContentSize":    "there is no capture",
		"WithContentRedaction":  "there is no capture",
		"WithClock":             "for tests",
		"WithTransform":         "a hook is code; processors of the Collector change spans",
	}
	source := ""
	for _, file := range []string{"conversion.go", "conversion_tables.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source += string(text)
	}
	for _, option := range optionsOfConvert(t, filepath.Join("..", "convert")) {
		used := regexp.MustCompile(`convert\.` + option + `\b`).MatchString(source)
		if _, excused := without[option]; used == excused {
			t.Errorf("convert.%s: used %v, left out %v: it needs a setting, or a reason for having none", option, used, excused)
		}
	}
}
