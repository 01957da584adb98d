// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// object is a JSON object whose members keep their order, as providers send them.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON implements [json.Marshaler].
func (o object) MarshalJSON() ([]byte, error) {
	doc := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			doc = append(doc, ',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		doc = append(append(append(doc, name...), ':'), value...)
	}
	return append(doc, '}'), nil
}

// withCount adds a count unless it is 0: where zero counts are left out.
func (o object) withCount(name string, n int64) object {
	if n == 0 {
		return o
	}
	return append(o, member{name, n})
}

// withExtra appends extra's members, sorted by name, to the object doc.
func withExtra(doc []byte, extra map[string]any) ([]byte, error) {
	for _, k := range slices.Sorted(maps.Keys(extra)) {
		name, err := json.Marshal(k)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(extra[k])
		if err != nil {
			return nil, fmt.Errorf("llmtest: extra field %q: %w", k, err)
		}
		doc = doc[:len(doc)-1] // the brace
		if len(doc) > 1 {
			doc = append(doc, ',')
		}
		doc = append(append(append(append(doc, name...), ':'), value...), '}')
	}
	return doc, nil
}

// merge puts extra's members into m; nil removes, objects are merged.
func merge(m, extra map[string]any) {
	for k, v := range extra {
		switch v := v.(type) {
		case nil:
			delete(m, k)
		case map[string]any:
			sub, ok := m[k].(map[string]any)
			if !ok {
				sub = make(map[string]any, len(v))
				m[k] = sub
			}
			merge(sub, v)
		default:
			m[k] = v
		}
	}
}

func quote(s string) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil { // cannot happen: every string can be marshalled
		return json.RawMessage("null")
	}
	return b
}

// optional returns nil for "".
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// get returns a member's value; nil if there is none.
func (o object) get(name string) any {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// with returns a copy with another value for a member that is there.
func (o object) with(name string, value any) object {
	out := slices.Clone(o)
	for i := range out {
		if out[i].name == name {
			out[i].value = value
		}
	}
	return out
}

// without returns a copy without a member.
func (o object) without(name string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return m.name == name })
}
