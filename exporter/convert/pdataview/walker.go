// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package pdataview

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// walker shows attributes. It holds the list and the map that are being shown, so
// that showing one needs no allocation.
type walker struct {
	list list
	node mapping
}

func (w *walker) attributes(m pcommon.Map, visit convert.AttributeVisitor) {
	for key, value := range m.All() {
		if !visit.Attribute(key, w.valueOf(value)) {
			return
		}
	}
}

func (w *walker) valueOf(v pcommon.Value) convert.Value {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return convert.StringValue(v.Str())
	case pcommon.ValueTypeInt:
		return convert.IntValue(v.Int())
	case pcommon.ValueTypeDouble:
		return convert.FloatValue(v.Double())
	case pcommon.ValueTypeBool:
		return convert.BoolValue(v.Bool())
	case pcommon.ValueTypeSlice:
		w.list.slice = v.Slice()
		return convert.ListValue(&w.list)
	case pcommon.ValueTypeMap:
		w.node.members = v.Map()
		return convert.MapValue(&w.node)
	case pcommon.ValueTypeEmpty:
		return convert.Value{}
	default:
		return convert.OtherValue()
	}
}

// list shows the elements of a list.
type list struct{ slice pcommon.Slice }

// WalkElements shows the elements. What is inside of them needs a walker of its
// own.
func (l *list) WalkElements(visit convert.ElementVisitor) {
	var inner walker
	for i := range l.slice.Len() {
		if !visit.Element(i, inner.valueOf(l.slice.At(i))) {
			return
		}
	}
}

// mapping shows the members of a map.
type mapping struct{ members pcommon.Map }

// Walk shows the members.
func (m *mapping) Walk(visit convert.AttributeVisitor) {
	var inner walker
	inner.attributes(m.members, visit)
}
