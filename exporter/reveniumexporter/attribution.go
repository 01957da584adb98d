// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"go.opentelemetry.io/collector/client"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// clientAttribute is a value that the metadata of an OTLP request may give.
type clientAttribute struct {
	metadata string // the name of the metadata
	key      string // the attribute that it stands for
}

// clientAttributes are those of the allow-list.
func (c *AttributionConfig) clientAttributes() []clientAttribute {
	var attrs []clientAttribute
	for i := range c.ClientMetadata {
		m := &c.ClientMetadata[i]
		if f, ok := m.field(); ok {
			attrs = append(attrs, clientAttribute{metadata: m.Key, key: string(f.Key)})
		}
	}
	return attrs
}

// arrival is the view of a span or a log record that has come.
type arrival interface {
	convert.Span
	convert.ResourceIdentifier
	convert.ScopeVersioner
}

// attributedView shows what has come, and as attributes of its scope, before the scope's
// own, what the metadata of the request says: it outranks scope and resource, and
// the span outranks it.
type attributedView struct {
	arrival
	given []attributeValue
}

var _ convert.LogEvent = (*attributedView)(nil)

// IsLogEvent reports whether it is a log record that has come.
func (v *attributedView) IsLogEvent() bool {
	l, ok := v.arrival.(convert.LogEvent)
	return ok && l.IsLogEvent()
}

type attributeValue struct{ key, value string }

// given are the values that the metadata of a request gives, as far as they are
// on the allow-list.
func given(metadata client.Metadata, allowed []clientAttribute) []attributeValue {
	var values []attributeValue
	for _, a := range allowed {
		if got := metadata.Get(a.metadata); len(got) > 0 && got[0] != "" {
			values = append(values, attributeValue{a.key, got[0]})
		}
	}
	return values
}

// WalkScopeAttributes shows what is given first: of several values for a field
// the first counts.
func (v *attributedView) WalkScopeAttributes(visit convert.AttributeVisitor) {
	for _, a := range v.given {
		if !visit.Attribute(a.key, convert.StringValue(a.value)) {
			return
		}
	}
	v.arrival.WalkScopeAttributes(visit)
}

// router chooses the account of a span.
type router struct {
	attribute string
	metadata  string
	accounts  map[string]*account
	fallback  *account
}

// route returns the account of a span that came with some metadata.
func (r *router) route(s convert.Span, metadata client.Metadata) *account {
	if len(r.accounts) == 0 {
		return r.fallback
	}
	find := finder{key: r.attribute}
	if r.attribute != "" {
		for _, walk := range []func(convert.AttributeVisitor){s.WalkAttributes, s.WalkScopeAttributes, s.WalkResourceAttributes} {
			if find.value == "" {
				walk(&find)
			}
		}
	}
	if find.value == "" && r.metadata != "" {
		if got := metadata.Get(r.metadata); len(got) > 0 {
			find.value = got[0]
		}
	}
	return r.named(find.value)
}

// named returns the account of a value, the exporter's own for one that is not
// known.
func (r *router) named(value string) *account {
	if a, ok := r.accounts[value]; ok {
		return a
	}
	return r.fallback
}

// finder looks for one attribute.
type finder struct{ key, value string }

// Attribute stops at the attribute.
func (f *finder) Attribute(key string, v convert.Value) bool {
	if key != f.key {
		return true
	}
	f.value = v.Text()
	return false
}
