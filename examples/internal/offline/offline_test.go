// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/revenium/revenium-otel-go/examples/internal/offline"
	"github.com/revenium/revenium-otel-go/instrument"
)

func TestRun(t *testing.T) {
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })
	t.Setenv("REVENIUM_ORGANIZATION_NAME", "Somebody Else")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://192.0.2.1")
	t.Setenv("DEPLOYMENT_ENV", "somewhere")
	records, err := offline.Run(t.Context(), func(ctx context.Context, llm *offline.Client) error {
		answer, err := llm.Ask(instrument.WithMetadata(ctx, instrument.Metadata{Agent: "a"}), "What?")
		if answer == "" {
			t.Error("no answer")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, set := os.LookupEnv("REVENIUM_ORGANIZATION_NAME"); set {
		t.Error("the environment was not cleared")
	}
	var out strings.Builder
	if err := offline.Expect(&out, records, offline.Row{"agent", "organizationName", "environment"}, offline.Row{"a", "", ""}); err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "agent  organizationName  environment\na      -                 -\n") {
		t.Errorf("the table is %q", out.String())
	}
	for _, want := range [][]offline.Row{nil, {{"b", ""}}, {{"a", ""}, {"a", ""}}} {
		if err := offline.Expect(&out, records, offline.Row{"agent", "organizationName"}, want...); err == nil {
			t.Errorf("%v is what was expected", want)
		}
	}
}

func TestRunFails(t *testing.T) {
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })
	failure := errors.New("failed")
	if _, err := offline.Run(t.Context(), func(context.Context, *offline.Client) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("error %v, want that of the work", err)
	}
	_, err := offline.Run(t.Context(), func(ctx context.Context, _ *offline.Client) error {
		_, err := offline.NewClient("http://127.0.0.1:0").Ask(ctx, "What?")
		return err
	})
	if err == nil {
		t.Error("no error of a call that reaches nobody")
	}
}
