// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"

	"github.com/revenium/revenium-otel-go/instrument"
)

// baggageHeader is the header of the W3C's specification.
const baggageHeader = "baggage"

// Limits of the same specification, and of OpenTelemetry's API.
const (
	maxBaggageMembers = 64
	maxBaggageBytes   = 8192
)

// valuesOf returns all values that a carrier has under a key.
func valuesOf(c propagation.TextMapCarrier, key string) []string {
	if many, ok := c.(propagation.ValuesGetter); ok {
		return many.Values(key)
	}
	if value := c.Get(key); value != "" {
		return []string{value}
	}
	return nil
}

// readBaggage reads the baggage of a carrier, as far as it can be read.
func (p *Propagator) readBaggage(ctx context.Context, c propagation.TextMapCarrier) baggage.Baggage {
	values := valuesOf(c, baggageHeader)
	if len(values) == 0 {
		return baggage.Baggage{}
	}
	size := len(values) - 1
	for _, value := range values {
		size += len(value)
	}
	if size > maxBaggageBytes {
		p.drops.report(ctx, in, inBaggage, tooLarge, 1, func() error {
			return fmt.Errorf("%d bytes, and at most %d are read", size, maxBaggageBytes)
		})
		return baggage.Baggage{}
	}
	text := strings.Join(values, ",")
	bag, err := baggage.Parse(text)
	if err != nil {
		why := malformed
		if bag.Len() == maxBaggageMembers {
			why = tooLarge
		}
		lost := max(1, strings.Count(text, ",")+1-bag.Len())
		p.drops.report(ctx, in, inBaggage, why, lost, func() error {
			return fmt.Errorf("%d members of %d bytes cannot be read", lost, len(text))
		})
	}
	return bag
}

// splitBaggage takes the members that are metadata, or have a name of ours, out of
// baggage.
func (p *Propagator) splitBaggage(bag baggage.Baggage) (rest baggage.Baggage, ours []baggage.Member) {
	if bag.Len() == 0 {
		return bag, nil
	}
	members := bag.Members()
	theirs := members[:0]
	for _, member := range members {
		if p.isOurs(member.Key()) {
			ours = append(ours, member)
		} else {
			theirs = append(theirs, member)
		}
	}
	if len(ours) == 0 {
		return bag, nil
	}
	rest, _ = baggage.New(theirs...) // fewer than there were in a baggage
	return rest, ours
}

// isOurs says whether a member is metadata by its name. Names that are not ours
// alone, such as cloud.region, are it where the field is on the list.
func (p *Propagator) isOurs(member string) bool {
	if strings.HasPrefix(member, attributesPrefix) {
		return true
	}
	i, ok := fields().byMember[member]
	return ok && p.baggage[i]
}

// fromMembers reads the fields of the set.
func (p *Propagator) fromMembers(ctx context.Context, members []baggage.Member, set fieldSet) instrument.Metadata {
	if len(members) == 0 {
		return instrument.Metadata{}
	}
	attrs := make([]attribute.KeyValue, 0, len(members))
	notOnList, garbled := 0, 0
	for _, member := range members {
		i, ok := fields().byMember[member.Key()]
		switch {
		case !ok || !set[i]:
			notOnList++
		case strings.ContainsRune(member.Value(), utf8.RuneError):
			garbled++ // which is what OpenTelemetry's parser puts where it was not UTF-8
		default:
			attrs = append(attrs, attribute.String(member.Key(), member.Value()))
		}
	}
	p.drops.count(ctx, in, inBaggage, notAllowed, notOnList)
	p.drops.report(ctx, in, inBaggage, invalid, garbled, func() error {
		return fmt.Errorf("%d values are not UTF-8", garbled)
	})
	m, err := instrument.FromAttributes(attrs...)
	p.drops.invalid(ctx, in, inBaggage, set, err)
	m, err = m.Valid()
	p.drops.invalid(ctx, in, inBaggage, set, err)
	return m
}

// writeBaggage returns baggage with metadata as further members.
func (p *Propagator) writeBaggage(ctx context.Context, bag baggage.Baggage, attrs []attribute.KeyValue) string {
	bag = p.withoutCredentials(ctx, bag)
	for _, kv := range attrs {
		if bag.Member(string(kv.Key)).Key() != "" {
			bag = bag.DeleteMember(string(kv.Key))
		}
	}
	var text strings.Builder
	text.WriteString(bag.String())
	members, left := bag.Len(), 0
	for _, kv := range attrs {
		member, err := baggage.NewMemberRaw(string(kv.Key), kv.Value.String())
		if err != nil { // cannot be: the value is valid
			left++
			continue
		}
		written := member.String()
		if members == maxBaggageMembers || text.Len()+1+len(written) > maxBaggageBytes {
			left++
			continue
		}
		if text.Len() > 0 {
			text.WriteByte(',')
		}
		text.WriteString(written)
		members++
	}
	p.drops.report(ctx, out, inBaggage, tooLarge, left, func() error {
		return fmt.Errorf("%d values would make it larger than %d members or %d bytes", left, maxBaggageMembers, maxBaggageBytes)
	})
	return text.String()
}

// withoutCredentials returns baggage without members that the program has put there
// and that are secrets.
func (p *Propagator) withoutCredentials(ctx context.Context, bag baggage.Baggage) baggage.Baggage {
	if bag.Len() == 0 {
		return bag
	}
	for _, key := range fields().secrets {
		if bag.Member(key).Key() != "" {
			bag = bag.DeleteMember(key)
			p.drops.report(ctx, out, inBaggage, notAllowed, 1, func() error {
				return fmt.Errorf("%s is a credential, and baggage is no place for it", key)
			})
		}
	}
	return bag
}
