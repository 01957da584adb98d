// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/revenium/revenium-otel-go/instrument"
)

// ScopeName is the instrumentation scope of the package's metric.
const ScopeName = "github.com/revenium/revenium-otel-go/instrument/propagate"

// metricDropped counts the values that were left out.
const metricDropped = "revenium.propagate.values.dropped"

// Attributes of the metric.
const (
	attrDirection = attribute.Key("revenium.direction")
	attrCarrier   = attribute.Key("revenium.carrier")
	attrReason    = attribute.Key("revenium.reason")
)

// direction is where a value was to go.
type direction uint8

const (
	in direction = iota
	out
	numDirections
)

func (d direction) String() string { return [...]string{"in", "out"}[d] }

// place is what a value travels in.
type place uint8

const (
	inHeader place = iota
	inBaggage
	numPlaces
)

func (p place) String() string { return [...]string{"header", "baggage"}[p] }

// reason is why a value was left out. The package comment says what each means.
type reason uint8

const (
	untrusted reason = iota
	notAllowed
	invalid
	tooLarge
	malformed
	numReasons
)

func (r reason) String() string {
	return [...]string{"untrusted", "not_allowed", "invalid", "too_large", "malformed"}[r]
}

// reportInterval is the shortest time between two reports of one kind: what comes
// from outside must not fill anybody's log.
const reportInterval = time.Minute

// whatHappened says in words where values were left out.
var whatHappened = [numDirections][numPlaces]string{
	in:  {inHeader: "not read from headers", inBaggage: "not read from baggage"},
	out: {inHeader: "not sent as headers", inBaggage: "not sent as baggage"},
}

// drops counts and reports what was left out.
type drops struct {
	counter metric.Int64Counter
	kinds   [numDirections][numPlaces][numReasons]dropKind
}

// dropKind is what values that are left out have in common.
type dropKind struct {
	set metric.AddOption
	// next is when the next report is due, in nanoseconds since 1970.
	next atomic.Int64
}

func newDrops(mp metric.MeterProvider) *drops {
	d := &drops{}
	var err error
	d.counter, err = mp.Meter(ScopeName, metric.WithInstrumentationVersion(instrument.Version)).Int64Counter(metricDropped,
		metric.WithUnit("{value}"), metric.WithDescription("Values of metadata that were not sent to, or not believed of, another process."))
	if err != nil {
		otel.Handle(fmt.Errorf("propagate: the metric %s: %w", metricDropped, err))
	}
	for way := range numDirections {
		for where := range numPlaces {
			for why := range numReasons {
				d.kinds[way][where][why].set = metric.WithAttributeSet(attribute.NewSet(
					attrDirection.String(way.String()), attrCarrier.String(where.String()), attrReason.String(why.String())))
			}
		}
	}
	return d
}

// count counts n values.
func (d *drops) count(ctx context.Context, way direction, where place, why reason, n int) {
	if n > 0 && d.counter != nil {
		d.counter.Add(ctx, int64(n), d.kinds[way][where][why].set)
	}
}

// report counts n values and hands a description to OpenTelemetry's error handler,
// unless one of the kind was handed there a moment ago. describe is only called
// when it is needed.
func (d *drops) report(ctx context.Context, way direction, where place, why reason, n int, describe func() error) {
	d.count(ctx, way, where, why, n)
	kind := &d.kinds[way][where][why]
	now, next := time.Now().UnixNano(), kind.next.Load()
	if n > 0 && now >= next && kind.next.CompareAndSwap(next, now+int64(reportInterval)) {
		otel.Handle(fmt.Errorf("propagate: %s: %w", whatHappened[way][where], describe()))
	}
}

// invalid counts and reports the values that err, a MetadataError or nil, names and
// that concern the fields of the set.
func (d *drops) invalid(ctx context.Context, way direction, where place, set fieldSet, err error) {
	bad, _ := errors.AsType[*instrument.MetadataError](err)
	if bad == nil {
		return
	}
	n := 0
	for i := range bad.Fields {
		if index, ok := fields().byName[bad.Fields[i].Field]; ok && set[index] {
			n++
		}
	}
	d.report(ctx, way, where, invalid, n, func() error { return err })
}
