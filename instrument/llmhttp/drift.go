// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/semconv"
)

// drift tells of counts in usages that nobody knows: what a provider reports
// today for the first time, it bills today for the first time.
type drift struct {
	meters metric.MeterProvider // nil: the global one

	mu    sync.Mutex
	kinds map[driftKind]metric.MeasurementOption
}

type driftKind struct{ api, provider, field string }

// maxDriftKinds bounds the kinds that are told of, whatever a server makes up.
const maxDriftKinds = 64

// metricUnknownUsage counts usages with an unknown member.
const metricUnknownUsage = "revenium.llmhttp.usage.unknown"

// tell tells that an answer has an unknown member in its usage: the first of each
// kind to OpenTelemetry's error handler, all of them to a counter.
func (d *drift) tell(t *target, member []byte) {
	kind := driftKind{api: t.api.name, provider: t.provider, field: string(member)}
	if !stableWord(kind.field) {
		return
	}
	d.mu.Lock()
	set, known := d.kinds[kind]
	if !known {
		if len(d.kinds) >= maxDriftKinds {
			d.mu.Unlock()
			return
		}
		if d.kinds == nil {
			d.kinds = make(map[driftKind]metric.MeasurementOption)
		}
		set = metric.WithAttributeSet(attribute.NewSet(
			semconv.GenAIProviderNameKey.String(kind.provider),
			attribute.String("revenium.api", kind.api),
			attribute.String("revenium.field", kind.field),
		))
		d.kinds[kind] = set
	}
	d.mu.Unlock()
	if !known {
		otel.Handle(fmt.Errorf("llmhttp: the usage of an answer to %s from %s has %q, which is not known and not metered: look for a newer version of this module", kind.api, kind.provider, kind.field))
	}
	meters := d.meters
	if meters == nil {
		meters = otel.GetMeterProvider()
	}
	counter, err := meters.Meter(ScopeName, metric.WithInstrumentationVersion(instrument.Version)).
		Int64Counter(metricUnknownUsage, metric.WithUnit("{answer}"), metric.WithDescription("Answers whose usage has a member that is not known."))
	if err != nil {
		otel.Handle(fmt.Errorf("llmhttp: counter %s: %w", metricUnknownUsage, err))
		return
	}
	counter.Add(context.Background(), 1, set)
}
