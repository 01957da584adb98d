// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

func holdBack() exporter.Option {
	return exporter.WithConvertOptions(convert.WithRequiredFields(convert.MissingHoldBack, "organizationName"))
}

// TestIncompleteRecordsAreHeldBack: what does not say who pays is kept, not sent,
// and can be found again; what does is delivered as ever.
func TestIncompleteRecordsAreHeldBack(t *testing.T) {
	dir := t.TempDir()
	srv := reveniumtest.Start(t)
	p := newProcessor(t, srv, exporter.WithDeadLetter(dir), holdBack())
	tracer := newTracer(t, p)
	held := map[string]bool{}
	for range 20 {
		held[chat(t.Context(), tracer)] = true
	}
	_, span := tracer.Start(t.Context(), "chat gpt-4o", trace.WithAttributes(
		semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o"),
		semconv.GenAIUsageInputTokens(3), semconv.GenAIUsageOutputTokens(4), semconv.ReveniumOrganizationName("Acme")))
	span.End()
	flush(t, p)

	r := p.Report()
	checkSums(t, r)
	if r.Billed != 21 || r.Delivered != 1 || r.DeadLettered != 20 || r.DeadLetteredBy[exporter.LossHeldBack] != 20 || r.Lost != 0 {
		t.Errorf("report:\n%s", r)
	}
	if got := r.Changed["organizationName missing"]; got != 20 {
		t.Errorf("%d records without organization were counted: %v", got, r.Changed)
	}
	store, err := deadletter.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for letter, err := range store.Letters() {
		if err != nil {
			t.Fatal(err)
		}
		if letter.Reason != deadletter.ReasonIncomplete || letter.Message != "missing organizationName" || !held[letter.Record.TransactionID] {
			t.Errorf("letter %v", letter)
		}
		delete(held, letter.Record.TransactionID)
	}
	if len(held) > 0 {
		t.Errorf("%d records are not among the dead letters", len(held))
	}
	if err := p.Shutdown(within(t, 10*time.Second)); err != nil {
		t.Errorf("Shutdown = %v although nothing is lost", err)
	}
}

// TestHoldingBackNeedsAPlace, which is found out at the start and not with the
// first record.
func TestHoldingBackNeedsAPlace(t *testing.T) {
	clearEnv(t)
	_, err := exporter.NewProcessor(exporter.WithAPIKey(testKey), holdBack())
	if bad, ok := errors.AsType[*exporter.ConfigError](err); !ok || bad.Setting != "WithDeadLetter" || !strings.Contains(err.Error(), "REVENIUM_DEAD_LETTER_DIR") {
		t.Errorf("err = %v, want one that names the setting", err)
	}
}

// TestHeldBackRecordsThatCannotBeKept are lost, counted, and do not keep the
// program from ending.
func TestHeldBackRecordsThatCannotBeKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "letters")
	srv := reveniumtest.Start(t)
	p := newProcessor(t, srv, exporter.WithDeadLetter(dir), holdBack())
	// A file where the directory was: nobody can write there, not even root.
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	chat(t.Context(), newTracer(t, p))
	err := p.Shutdown(within(t, 100*time.Millisecond))
	lost, ok := errors.AsType[*exporter.ShutdownError](err)
	if !ok {
		t.Fatalf("Shutdown = %v, want one that tells of the loss", err)
	}
	checkSums(t, lost.Report)
	if lost.Report.Lost != 1 {
		t.Errorf("report:\n%s", lost.Report)
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		t.Error("the file is gone")
	}
}

func TestSelectiveMeteringFromEnvironment(t *testing.T) {
	for value, billed := range map[string]int64{"true": 0, "on": 0, "false": 1, "": 1, "perhaps": 1} {
		t.Run(value, func(t *testing.T) {
			srv := reveniumtest.Start(t)
			clearEnv(t)
			t.Setenv(semconv.EnvSelectiveMetering, value)
			var log bytes.Buffer
			p, err := exporter.NewProcessor(exporter.WithAPIKey(testKey), exporter.WithBaseURL(srv.URL()), exporter.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			if err != nil {
				t.Fatal(err)
			}
			chat(t.Context(), newTracer(t, p))
			if err := p.Shutdown(within(t, 10*time.Second)); err != nil {
				t.Fatal(err)
			}
			if r := p.Report(); r.Billed != billed {
				t.Errorf("report:\n%s", r)
			}
			if told := strings.Contains(log.String(), semconv.EnvSelectiveMetering); told != (value == "perhaps") {
				t.Errorf("log:\n%s", log.String())
			}
		})
	}
}

// TestMisspeltAttributeIsReported with the right name, once.
func TestMisspeltAttributeIsReported(t *testing.T) {
	srv := reveniumtest.Start(t)
	clearEnv(t)
	var log bytes.Buffer
	p, err := exporter.NewProcessor(exporter.WithAPIKey(testKey), exporter.WithBaseURL(srv.URL()), exporter.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	if err != nil {
		t.Fatal(err)
	}
	tracer := newTracer(t, p)
	for range 5 {
		_, span := tracer.Start(t.Context(), "chat gpt-4o", trace.WithAttributes(
			semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o"),
			semconv.GenAIUsageInputTokens(3), semconv.GenAIUsageOutputTokens(4)))
		span.SetAttributes(attribute.String("revenium.organisation.name", "Acme"))
		span.End()
	}
	if err := p.Shutdown(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(log.String(), "did you mean revenium.organization.name?"); got != 1 {
		t.Errorf("reported %d times:\n%s", got, log.String())
	}
	if got := p.Report().Changed["attribute ignored"]; got != 5 {
		t.Errorf("counted %d times", got)
	}
}
