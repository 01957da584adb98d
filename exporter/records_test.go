// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestOtherRecords: each kind of record goes to its endpoint, with the attribution
// of a span above that has not ended, and is what the service accepts.
func TestOtherRecords(t *testing.T) {
	srv := reveniumtest.Start(t)
	p := newProcessor(t, srv, exporter.WithConvertOptions(convert.WithToolEvents()))
	tracer := newTracer(t, p)

	ctx, agent := tracer.Start(t.Context(), "invoke_agent painter", trace.WithAttributes(semconv.GenAIOperationNameInvokeAgent))
	agent.SetAttributes(semconv.ReveniumOrganizationName("acme"))
	for name, attributes := range map[string][]attribute.KeyValue{
		"image_generation": {semconv.ReveniumImageCount(2)},
		"transcription":    {semconv.ReveniumAudioDuration(61.5)},
		"video_generation": {semconv.ReveniumVideoDuration(8)},
		"execute_tool":     {semconv.GenAIToolName("brush")},
	} {
		_, span := tracer.Start(ctx, name, trace.WithAttributes(
			semconv.GenAIOperationNameKey.String(name), semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("some-model"),
		))
		span.SetAttributes(attributes...)
		span.End()
	}
	agent.End()
	flush(t, p)

	for path, want := range map[string]struct{ field, value string }{
		reveniumtest.PathImages:     {"actualImageCount", "2"},
		reveniumtest.PathAudio:      {"durationSeconds", "61.5"},
		reveniumtest.PathVideo:      {"durationSeconds", "8"},
		reveniumtest.PathToolEvents: {"toolId", "brush"},
	} {
		records := srv.RecordsAt(path)
		if len(records) != 1 {
			t.Errorf("%s: %d records, want 1", path, len(records))
			continue
		}
		if got := records[0].Text(want.field); got != want.value {
			t.Errorf("%s: %s = %q, want %q", path, want.field, got, want.value)
		}
		if got := records[0].Text("organizationName"); got != "acme" {
			t.Errorf("%s: organizationName = %q", path, got)
		}
	}
	if n := len(srv.Completions()); n != 0 {
		t.Errorf("%d completions", n)
	}
	for _, v := range srv.Violations() {
		t.Errorf("violation: %s", v)
	}
	checkSums(t, p.Report())
}
