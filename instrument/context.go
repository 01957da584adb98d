// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
)

// slot is one of the places where metadata of a call comes from. Of two slots
// that have a value of a field, the first counts.
type slot uint8

const (
	// slotCall is what was passed to [StartCall] and its like.
	slotCall slot = iota
	// slotWrapper is what wrapped functions set.
	slotWrapper
	// slotContext is what [WithMetadata] set.
	slotContext
	// slotStep is what follows from workflows and agents that are running.
	slotStep
	// slotHeader and slotBaggage are what a request that is trusted brought along.
	slotHeader
	slotBaggage
	numSlots
)

// String is the slot's name in the attribute revenium.attribution.origin.
func (s slot) String() string {
	switch s {
	case slotCall:
		return "call"
	case slotWrapper:
		return "wrapper"
	case slotContext:
		return "context"
	case slotStep:
		return "step"
	case slotHeader:
		return "header"
	case slotBaggage:
		return "baggage"
	default:
		return "unknown"
	}
}

// WithMetadata returns a context whose calls carry m, over what ctx carries
// already: field by field, the inner context before the outer. What wrapped
// functions say (package wrap) goes before any context, what is passed to a call or
// set on its span before both; what came with a request comes after.
//
// The values are copied; later changes of what m was made from change nothing.
// The context can be used by any number of goroutines.
func WithMetadata(ctx context.Context, m Metadata) context.Context {
	return withSlot(ctx, slotContext, &m)
}

// WithWrapperMetadata returns a context whose calls carry m as what a wrapped
// function says. It is for those who write wrappers of their own; package wrap has
// them for most functions.
func WithWrapperMetadata(ctx context.Context, m Metadata) context.Context {
	return withSlot(ctx, slotWrapper, &m)
}

// WithHeaderMetadata returns a context whose calls carry what the headers of a
// request said, where nothing in the program says otherwise. It is for server
// middleware, and for requests of which it is known who sent them: whoever can
// set metadata decides who pays.
func WithHeaderMetadata(ctx context.Context, m Metadata) context.Context {
	return withSlot(ctx, slotHeader, &m)
}

// WithBaggageMetadata is [WithHeaderMetadata] for what came as baggage, which
// comes after what came in headers.
func WithBaggageMetadata(ctx context.Context, m Metadata) context.Context {
	return withSlot(ctx, slotBaggage, &m)
}

// FromContext returns what calls made with ctx carry: of each field, what wrapped
// functions, contexts or the request said, in this order. Changing it changes
// nothing in ctx.
func FromContext(ctx context.Context) Metadata {
	if c := carriedBy(ctx); c != nil {
		return c.metadata()
	}
	return Metadata{}
}

// WithoutMetadata returns a context whose calls carry nothing of ctx in the given
// fields, wherever it came from; without any fields, nothing at all. Fields are
// named by the keys of their attributes:
//
//	ctx = instrument.WithoutMetadata(ctx, semconv.ReveniumSubscriberIDKey, semconv.ReveniumSubscriberEmailKey)
//
// A key that is no field's is reported to OpenTelemetry's error handler.
func WithoutMetadata(ctx context.Context, fields ...attribute.Key) context.Context {
	var gone fieldSet
	for _, key := range fields {
		index, ok := fieldTable().byKey[key]
		if !ok {
			otel.Handle(fmt.Errorf("instrument: without metadata: %q is the attribute of no field", key))
			continue
		}
		gone.add(index)
	}
	c := carriedBy(ctx)
	if c == nil || gone == 0 && len(fields) > 0 {
		return ctx
	}
	if len(fields) == 0 {
		return context.WithValue(ctx, carriedKey{}, (*carried)(nil))
	}
	for s := range numSlots {
		c = c.without(s, gone)
	}
	return context.WithValue(ctx, carriedKey{}, c)
}

// carriedKey is the context's key for what it carries.
type carriedKey struct{}

// carried is the metadata of a context. It never changes.
type carried struct {
	slots [numSlots]values
	// resolved has the value of each field that counts.
	resolved values
}

func carriedBy(ctx context.Context) *carried {
	c, _ := ctx.Value(carriedKey{}).(*carried)
	return c
}

// withSlot returns a context with m over what a slot has.
func withSlot(ctx context.Context, s slot, m *Metadata) context.Context {
	v := collect(m)
	if v.set == 0 {
		return ctx
	}
	return context.WithValue(ctx, carriedKey{}, carriedBy(ctx).with(s, v))
}

// with returns c, which may be nil, with v over what a slot has.
func (c *carried) with(s slot, v values) *carried {
	next := &carried{}
	if c != nil {
		next.slots = c.slots
	}
	next.slots[s] = next.slots[s].overlaid(v)
	next.resolve()
	return next
}

// without returns c without what a slot has in the fields of gone.
func (c *carried) without(s slot, gone fieldSet) *carried {
	if c.slots[s].set&gone == 0 {
		return c
	}
	next := &carried{slots: c.slots}
	next.slots[s] = next.slots[s].without(gone)
	next.resolve()
	return next
}

// resolve works out which values count.
func (c *carried) resolve() {
	for s := numSlots; s > 0; s-- {
		c.resolved = c.resolved.overlaid(c.slots[s-1])
	}
}

// metadata is what counts.
func (c *carried) metadata() Metadata {
	var m Metadata
	table := fieldTable().fields
	attrs := c.resolved.attrs
	for rest := c.resolved.set; rest != 0; rest = rest.rest() {
		table[rest.first()].set(&m, &attrs[0])
		attrs = attrs[1:]
	}
	return m
}

// origin says which slot the value of a field that counts comes from.
func (c *carried) origin(i fieldIndex) slot {
	for s := range c.slots {
		if c.slots[s].set.has(i) {
			return slot(s)
		}
	}
	return numSlots
}

// besides returns the attributes of the values that count, except those of fields
// about which attrs say something, by whatever name. They are shared and must not
// be changed. c may be nil.
func (c *carried) besides(attrs []attribute.KeyValue) []attribute.KeyValue {
	if c == nil {
		return nil
	}
	return slices.Clip(c.resolved.without(fieldsOf(attrs)).attrs)
}

// fieldsOf returns the fields about which attributes say something. A blank text
// says nothing.
func fieldsOf(attrs []attribute.KeyValue) fieldSet {
	byKey := fieldTable().byKey
	var set fieldSet
	for i := range attrs {
		index, ok := byKey[attrs[i].Key]
		if ok && (attrs[i].Value.Type() != attribute.STRING || !blank(attrs[i].Value.AsString())) {
			set.add(index)
		}
	}
	return set
}

// values is what is set of metadata: a set of fields, and their values as
// attributes in the order of the table. It never changes.
type values struct {
	set   fieldSet
	attrs []attribute.KeyValue
}

// collect returns what m sets.
func collect(m *Metadata) values {
	table := fieldTable().fields
	var set fieldSet
	for i, f := range table {
		if f.isSet(m) {
			set.add(fieldIndex(i))
		}
	}
	v := newValues(set)
	for rest := set; rest != 0; rest = rest.rest() {
		v.attrs = append(v.attrs, table[rest.first()].attribute(m))
	}
	return v
}

// newValues returns values of the fields in set, which are to be appended.
func newValues(set fieldSet) values {
	if set == 0 {
		return values{}
	}
	return values{set: set, attrs: make([]attribute.KeyValue, 0, set.len())}
}

// overlaid returns v with the values of over in place of its own.
func (v values) overlaid(over values) values {
	if v.set == 0 {
		return over
	}
	if over.set == 0 {
		return v
	}
	both := newValues(v.set | over.set)
	below, above := v.attrs, over.attrs
	for rest := both.set; rest != 0; rest = rest.rest() {
		i := rest.first()
		from := &below
		if over.set.has(i) {
			from = &above
			if v.set.has(i) {
				below = below[1:]
			}
		}
		both.attrs = append(both.attrs, (*from)[0])
		*from = (*from)[1:]
	}
	return both
}

// without returns v without the fields of gone.
func (v values) without(gone fieldSet) values {
	if v.set&gone == 0 {
		return v
	}
	left := newValues(v.set &^ gone)
	attrs := v.attrs
	for rest := v.set; rest != 0; rest = rest.rest() {
		if left.set.has(rest.first()) {
			left.attrs = append(left.attrs, attrs[0])
		}
		attrs = attrs[1:]
	}
	return left
}
