// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package pdataview

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// origin is where a span or a log record comes from, and what is said of that.
type origin struct {
	scope    pcommon.InstrumentationScope
	resource pcommon.Resource
	// identity is one for all that come from a resource and are shown in a row.
	identity *identity
	walk     walker
}

// identity must not be empty: pointers to empty values may be equal.
type identity struct{ _ byte }

func (o *origin) set(scope pcommon.InstrumentationScope, resource pcommon.Resource) {
	if o.identity == nil || o.resource != resource {
		o.identity = new(identity)
	}
	o.scope, o.resource = scope, resource
}

// ScopeName is the name of the instrumentation scope.
func (o *origin) ScopeName() string { return o.scope.Name() }

// ScopeVersion is the version of the instrumentation scope.
func (o *origin) ScopeVersion() string { return o.scope.Version() }

// ResourceIdentity is the same for what comes from one resource and is shown one
// after the other.
func (o *origin) ResourceIdentity() any { return o.identity }

// WalkScopeAttributes shows the attributes of the scope.
func (o *origin) WalkScopeAttributes(visit convert.AttributeVisitor) {
	o.walk.attributes(o.scope.Attributes(), visit)
}

// WalkResourceAttributes shows the attributes of the resource.
func (o *origin) WalkResourceAttributes(visit convert.AttributeVisitor) {
	o.walk.attributes(o.resource.Attributes(), visit)
}
