// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metertest

import (
	"context"
	"fmt"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

type failures struct {
	testing.TB
	texts []string
}

func (f *failures) Errorf(format string, args ...any) {
	f.texts = append(f.texts, fmt.Sprintf(format, args...))
}

func TestOpenSpans(t *testing.T) {
	open := newOpenSpans()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(open))
	_, first := provider.Tracer("").Start(t.Context(), "first")
	_, second := provider.Tracer("").Start(t.Context(), "second")

	first.End()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := &failures{TB: t}
	open.wait(ctx, f)
	if len(f.texts) != 1 || f.texts[0] != `metertest: spans that never ended: ["second"]` {
		t.Errorf("failures: %q", f.texts)
	}
	go second.End()
	open.wait(t.Context(), t)
}
