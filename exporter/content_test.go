// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestContent: the environment switches content on, options go before it, and
// without either there is none.
func TestContent(t *testing.T) {
	const asked, answered = `[{"role":"user","content":"Which bulbs in shade?"}]`, "Bluebells and more of them."
	tests := map[string]struct {
		capture, size string
		opts          []exporter.Option
		want          string
		truncated     any
		ignored       int
	}{
		"default":       {},
		"on":            {capture: "true", want: answered},
		"off":           {capture: "false"},
		"odd":           {capture: "perhaps", ignored: 1},
		"cut":           {capture: "1", size: "20", want: "Bluebe...[TRUNCATED]", truncated: true},
		"odd size":      {capture: "1", size: "many", want: answered, ignored: 1},
		"too large":     {capture: "1", size: "1000000", want: answered},
		"option before": {capture: "true", opts: []exporter.Option{exporter.WithConvertOptions(convert.WithoutContentCapture())}},
		"option by itself": {opts: []exporter.Option{exporter.WithConvertOptions(convert.WithContentCapture(), convert.WithContentRedaction(func(text string) string {
			return strings.ReplaceAll(text, "Bluebells", "Tulips")
		}))}, want: "Tulips and more of them."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := reveniumtest.Start(t)
			clearEnv(t)
			t.Setenv(semconv.EnvCapturePrompts, tt.capture)
			t.Setenv(semconv.EnvMaxPromptSize, tt.size)
			var log logBuffer
			p, err := exporter.NewProcessor(append(tt.opts, exporter.WithAPIKey(testKey), exporter.WithBaseURL(srv.URL()), exporter.WithLogger(log.logger()))...)
			if err != nil {
				t.Fatal(err)
			}
			defer stopped(t, p)
			chat(t.Context(), newTracer(t, p), attribute.String("gen_ai.input.messages", asked), attribute.String("gen_ai.output.messages", answered))
			flush(t, p)
			r := srv.Completions()[0]
			if got := r.Text("outputResponse"); got != tt.want {
				t.Errorf("answer %q, want %q", got, tt.want)
			}
			if got := r.Fields["promptsTruncated"]; got != tt.truncated {
				t.Errorf("truncated: %v", got)
			}
			if n := log.count("environment variable ignored"); n != tt.ignored {
				t.Errorf("%d variables ignored, want %d:\n%s", n, tt.ignored, log.String())
			}
		})
	}
}
