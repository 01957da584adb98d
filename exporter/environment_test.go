// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestEveryVariable sets each variable of a field, as docs/attributes.md lists them:
// first the last of a field's names alone, then all of them, of which the first counts.
func TestEveryVariable(t *testing.T) {
	for name, first := range map[string]bool{"last name": false, "all names": true} {
		t.Run(name, func(t *testing.T) {
			srv := reveniumtest.Start(t)
			clearEnv(t)
			want := make(map[string]string)
			for _, field := range semconv.Fields() {
				if len(field.Env) == 0 || !field.ResourceLevel || field.Record != semconv.RecordCall {
					continue
				}
				for i, variable := range field.Env {
					if value := variableValue(field.Name, i); first || i == len(field.Env)-1 {
						t.Setenv(variable, value)
						if i == 0 || !first {
							want[field.Name] = value
						}
					}
				}
			}
			if len(want) < 20 {
				t.Fatalf("only the fields %v have variables", want)
			}
			p, err := exporter.NewProcessor(exporter.WithAPIKey(testKey), exporter.WithBaseURL(srv.URL()),
				exporter.WithLogger(slog.New(slog.DiscardHandler)))
			if err != nil {
				t.Fatal(err)
			}
			chat(t.Context(), newTracer(t, p))
			if err := p.Shutdown(within(t, 10*time.Second)); err != nil {
				t.Fatal(err)
			}
			records := srv.Completions()
			if len(records) != 1 {
				t.Fatalf("%d records, want 1", len(records))
			}
			for field, value := range want {
				if got := records[0].Text(field); got != value {
					t.Errorf("%s = %q, want %q", field, got, value)
				}
			}
		})
	}
}

// variableValue is a value that the API takes for a field, another one for each of
// the field's variables.
func variableValue(field string, i int) string {
	switch field {
	case "skillKind":
		return "workflow"
	case "skillSource":
		return "bundled"
	default:
		return strings.ToLower(strings.ReplaceAll(field, ".", "-")) + strings.Repeat("x", i)
	}
}
