// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"

	"github.com/revenium/revenium-otel-go/instrument"
)

// Propagator carries metadata between processes, over whatever has a carrier. It is
// OpenTelemetry's propagator for baggage with metadata in it, and goes in the place
// of propagation.Baggage:
//
//	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(
//		propagation.TraceContext{}, propagate.NewPropagator(),
//	))
//
// It is safe for concurrent use. Make one with [NewPropagator].
type Propagator struct {
	config config
	drops  *drops
	// baggage are the fields that travel as baggage, headersIn and headersOut those
	// that travel as headers.
	baggage, headersIn, headersOut fieldSet
}

var _ propagation.TextMapPropagator = (*Propagator)(nil)

// NewPropagator returns a propagator, which uses [WithTrust],
// [WithMoreBaggageFields], [WithOnlyHeaderFields] and [WithMeterProvider].
func NewPropagator(opts ...Option) *Propagator {
	c := newConfig(opts)
	p := &Propagator{config: c, drops: newDrops(c.meterProvider), baggage: c.baggageFields()}
	p.headersIn, p.headersOut = c.headerFields()
	return p
}

// Fields returns the name of the header that Inject sets.
func (p *Propagator) Fields() []string { return []string{baggageHeader} }

// Inject writes the baggage of ctx and, as members of it, the metadata that calls
// made with ctx would carry.
func (p *Propagator) Inject(ctx context.Context, carrier propagation.TextMapCarrier) {
	text := p.writeBaggage(ctx, baggage.FromContext(ctx), p.outgoing(ctx, inBaggage, p.baggage))
	if text != "" {
		carrier.Set(baggageHeader, text)
	}
}

// InjectHeaders writes the metadata that calls made with ctx would carry as
// x-revenium-* headers, for those who read these and not baggage. What the carrier
// has already stays; values that are not ASCII are left out, since not every carrier
// takes them. [Transport] does it for HTTP requests.
func (p *Propagator) InjectHeaders(ctx context.Context, carrier propagation.TextMapCarrier) {
	attrs := p.outgoing(ctx, inHeader, p.headersOut)
	if len(attrs) == 0 {
		return
	}
	present := readHeaders(carrier)
	p.writeHeaders(ctx, attrs, false,
		func(name string) bool { _, ok := present[name]; return ok },
		func(name, value string) { carrier.Set(strings.ToLower(name), value) })
}

// outgoing returns the metadata of ctx in the fields of the set, as far as it is
// valid.
func (p *Propagator) outgoing(ctx context.Context, where place, set fieldSet) []attribute.KeyValue {
	m := instrument.FromContext(ctx)
	if m == (instrument.Metadata{}) {
		return nil
	}
	m, err := m.Valid()
	p.drops.invalid(ctx, out, where, set, err)
	attrs := m.Attributes()
	kept := attrs[:0]
	for _, kv := range attrs {
		if set[fields().byKey[kv.Key]] {
			kept = append(kept, kv)
		}
	}
	return kept
}

// Extract reads what a carrier has: the baggage, and what [WithTrust] believes of
// the metadata in it and in the x-revenium-* headers. The function of WithTrust
// sees the carrier and ctx; who the peer is, it does not know ([NewMiddleware] is
// for that, or [Propagator.Receive]).
//
// The baggage of the context that is returned has no metadata in it, believed or
// not: what is believed is metadata of the context, from which Inject writes it
// again, and what is not goes no further.
func (p *Propagator) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	bag, members := p.splitBaggage(p.readBaggage(ctx, carrier))
	if bag.Len() > 0 {
		ctx = baggage.ContextWithBaggage(ctx, bag)
	}
	return p.receive(ctx, &Request{Carrier: carrier}, readHeaders(carrier), members)
}

// Receive returns ctx with what is believed of a request's headers and baggage, for
// servers that know more of a request than its carrier. Metadata in the baggage
// that ctx has already is taken out of it, as [Propagator.Extract] does. Further
// baggage of the carrier is not put into the context: that is for the propagators
// of the program.
func (p *Propagator) Receive(ctx context.Context, r Request) context.Context {
	if had := baggage.FromContext(ctx); had.Len() > 0 {
		if rest, members := p.splitBaggage(had); len(members) > 0 {
			ctx = baggage.ContextWithBaggage(ctx, rest)
		}
	}
	if r.Carrier == nil {
		return p.receive(ctx, &r, nil, nil)
	}
	_, members := p.splitBaggage(p.readBaggage(ctx, r.Carrier))
	return p.receive(ctx, &r, readHeaders(r.Carrier), members)
}

// receive returns ctx with what is believed of headers and members of baggage,
// which are the request's.
func (p *Propagator) receive(ctx context.Context, r *Request, headers rawHeaders, members []baggage.Member) context.Context {
	verdict := judge(ctx, p.config.trust, r)
	var header, bag instrument.Metadata
	if verdict.Trusted {
		header = p.fromHeaders(ctx, headers, p.headersIn.without(verdict.Except))
		bag = p.fromMembers(ctx, members, p.baggage.without(verdict.Except))
	} else {
		p.drops.count(ctx, in, inHeader, untrusted, headers.ours())
		p.drops.count(ctx, in, inBaggage, untrusted, len(members))
	}
	if verdict.Verified != (instrument.Metadata{}) {
		header = header.Merge(verdict.Verified)
	}
	if verdict.Fallback != nil {
		header = verdict.fallback(bag.Merge(header)).Merge(header)
	}
	if header != (instrument.Metadata{}) {
		ctx = instrument.WithHeaderMetadata(ctx, header)
	}
	if bag != (instrument.Metadata{}) {
		ctx = instrument.WithBaggageMetadata(ctx, bag)
	}
	return ctx
}
