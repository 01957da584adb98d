// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"math"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// resourceFacts is what a resource says. Many spans have the same one, so that it
// is read once where a view can tell.
type resourceFacts struct {
	identity any
	// hash tells resources apart, whatever the order of their attributes.
	hash uint64
	// host is the part of the host's name in it.
	host  uint64
	set   dialectSet
	facts []resourceFact
	// notes are about values that could not be taken. They are told with every span.
	notes []Note
}

// hostName is the attribute of a resource that names the host.
const hostName = "host.name"

// process tells the processes of a dialect apart, by their resources.
func (r *resourceFacts) process(d *dialect) uint64 {
	if d.quirks.has(hostOnEvents) {
		return r.hash - r.host
	}
	return r.hash
}

// resourceFact is the value of a field as the resource gives it.
type resourceFact struct {
	at   field
	fact fact
}

// resourceOf returns what the resource of a span says. It is valid until the next
// call.
func (w *work) resourceOf(s Span) *resourceFacts {
	c := w.c
	var identity any
	if view, ok := s.(ResourceIdentifier); ok {
		if identity = view.ResourceIdentity(); identity != nil {
			if last := c.resource.Load(); last != nil && last.identity == identity {
				return last
			}
		}
	}
	scan := &w.resourceScan
	if scan.extract.table == nil {
		scan.extract.use(c)
		scan.extract.table, scan.extract.level = c.common, OriginResource
	}
	r := &scan.facts
	*r = resourceFacts{facts: r.facts[:0]}
	s.WalkResourceAttributes(scan)
	for _, at := range scan.extract.touched {
		r.facts = append(r.facts, resourceFact{at, scan.extract.facts[at]})
		scan.extract.facts[at] = fact{}
	}
	r.notes = scan.extract.notes
	scan.extract.touched, scan.extract.notes = scan.extract.touched[:0], nil
	if identity != nil {
		kept := *r
		kept.identity, kept.facts = identity, slices.Clone(r.facts)
		c.resource.Store(&kept)
		return &kept
	}
	return r
}

// resourceScan reads the attributes of a resource.
type resourceScan struct {
	facts   resourceFacts
	r       *recogniser
	extract extractor
}

// Attribute takes an attribute.
func (s *resourceScan) Attribute(key string, v Value) bool {
	h := xxhash.Sum64String(key)
	switch v.kind {
	case ValueString:
		h = h*31 + xxhash.Sum64String(v.str)
	case ValueStrings, ValueList:
		for _, element := range v.Strings() {
			h = h*31 + xxhash.Sum64String(element)
		}
	default:
		h = h*31 + v.num
	}
	s.facts.hash += h * math.MaxInt32
	if key == hostName {
		s.facts.host = h * math.MaxInt32
	}
	if e, ok := s.r.resource[key]; ok && v.kind == ValueString {
		s.facts.set |= matching(e.values, v.str)
	}
	return s.extract.Attribute(key, v)
}
