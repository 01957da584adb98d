// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"strconv"
	"strings"

	"github.com/revenium/revenium-otel-go/exporter/convert/internal/literal"
)

// openDocument is a text that may hold values which no attribute has. It is read
// after all attributes, and only if so.
type openDocument struct {
	info *keyInfo
	text string
}

// leaf is a value out of a document.
type leaf struct {
	use   int
	value Value
}

// open takes a document: a text for later, a map or list at once, since it is shown
// only now.
func (x *extractor) open(info *keyInfo, v Value) {
	switch v.kind {
	case ValueString:
		if literal.Begins(v.str) {
			x.documents = append(x.documents, openDocument{info, v.str})
		}
	case ValueMap, ValueList, ValueStrings:
		w := structureWalker{x: x, tree: info.document.tree}
		w.walk(v)
		x.close(info)
	default:
	}
}

// readDocuments reads the documents in which something is that is still wanted.
func (x *extractor) readDocuments() {
	for i := range x.documents {
		d := &x.documents[i]
		if !x.wants(d.info.document) {
			continue
		}
		v := leafVisitor{x: x, once: d.info.document.single()}
		if err := literal.Scan(d.text, d.info.document.tree, &v); err != nil {
			x.leaves = x.leaves[:0] // cut, or no document after all
			continue
		}
		x.close(d.info)
	}
}

// wants reports whether a document could give a better value for anything.
func (x *extractor) wants(d *document) bool {
	for i := range d.uses {
		u := &d.uses[i]
		if x.facts[u.field].worseThan(u.level, u.rank) {
			return true
		}
	}
	return false
}

// single reports whether all that is in a document is for one field, so that the
// first value is enough.
func (d *document) single() bool {
	for i := range d.uses {
		if d.uses[i].field != d.uses[0].field {
			return false
		}
	}
	return true
}

// close takes the values of a document that was read to its end.
func (x *extractor) close(info *keyInfo) {
	for i := range x.leaves {
		l := &x.leaves[i]
		x.take(info, &info.document.uses[l.use], l.value)
	}
	clear(x.leaves)
	x.leaves = x.leaves[:0]
}

// leafVisitor keeps the values of a document.
type leafVisitor struct {
	x    *extractor
	once bool
}

// Value keeps a value.
func (v *leafVisitor) Value(use int, _ string, value literal.Value) bool {
	v.x.leaves = append(v.x.leaves, leaf{use, valueOf(value)})
	return !v.once || value.Kind == literal.Null
}

// valueOf is a value of a document as that of an attribute.
func valueOf(v literal.Value) Value {
	switch v.Kind {
	case literal.Bool:
		return BoolValue(v.True)
	case literal.String:
		return StringValue(v.Text)
	case literal.Number:
		if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
			return IntValue(n)
		}
		if f, err := strconv.ParseFloat(strings.ToLower(v.Text), 64); err == nil {
			return FloatValue(f)
		}
		return OtherValue()
	default:
		return Value{}
	}
}

// structureWalker reads values out of maps and lists. They are bounded by who made
// them: an exporter's limits, the size of a request.
type structureWalker struct {
	x    *extractor
	tree *literal.Tree
}

var (
	_ AttributeVisitor = (*structureWalker)(nil)
	_ ElementVisitor   = (*structureWalker)(nil)
)

func (w *structureWalker) walk(v Value) {
	switch v.kind {
	case ValueMap:
		v.Walk(w)
	case ValueList, ValueStrings:
		v.WalkElements(w)
	default:
	}
}

// Attribute takes a member of a map.
func (w *structureWalker) Attribute(key string, v Value) bool {
	w.take(w.tree.Child(key), v)
	return true
}

// Element takes an element of a list.
func (w *structureWalker) Element(index int, v Value) bool {
	w.take(w.tree.Child(strconv.Itoa(index)), v)
	return true
}

func (w *structureWalker) take(tree *literal.Tree, v Value) {
	if tree == nil {
		return
	}
	if tree.Leaf != literal.NoLeaf {
		w.x.leaves = append(w.x.leaves, leaf{tree.Leaf, v})
	}
	if len(tree.Children) == 0 {
		return
	}
	if v.kind == ValueString {
		visit := leafVisitor{x: w.x}
		before := len(w.x.leaves)
		if literal.Scan(v.str, tree, &visit) != nil {
			w.x.leaves = w.x.leaves[:before]
		}
		return
	}
	inner := structureWalker{x: w.x, tree: tree}
	inner.walk(v)
}
