// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"fmt"
	"slices"

	"github.com/revenium/revenium-otel-go/semconv"
)

// vocabulary is a dialect in the form in which spans are read: from a key to what
// it means.
type vocabulary struct {
	name   string
	scopes []string
	basis  InputBasis
	keys   keyTable
}

// keyInfo is what an attribute key means. It can mean several things.
type keyInfo struct {
	key  string
	uses []use
}

// use is one meaning of a key.
type use struct {
	field field
	// rank is the place among the sources of the field; 0 is the best.
	rank uint8
	unit unit
	// resource says that scope and resource may give the value, too.
	resource bool
}

// attribution is the table of the fields that come from attributes as they are,
// made from semconv's.
type attribution struct {
	fields []attributionField
	byName map[string]field
}

// attributionField is one of them.
type attributionField struct {
	name     string
	typ      valueType
	set      setter
	resource bool
	secret   bool
	keys     []string
}

// maxFields is the room for facts; the tables of this package need less.
const maxFields = 104

func newAttribution(optIn []string) (*attribution, error) {
	a := &attribution{byName: make(map[string]field)}
	wanted := make(map[string]bool, len(optIn))
	for _, name := range optIn {
		f, ok := semconv.FieldByName(name)
		if !ok || len(f.OptInAliases) == 0 || f.Name == "inputMessages" || f.Name == "outputResponse" {
			return nil, fmt.Errorf("convert: opt-in aliases of field %q: there are none; docs/attributes.md lists those that exist", name)
		}
		wanted[name] = true
	}
	for _, f := range semconv.Fields() {
		typ, set, ok := setterOf(f.Name)
		if !ok {
			continue
		}
		keys := []string{string(f.Key)}
		for _, alias := range f.Aliases {
			keys = append(keys, string(alias))
		}
		if wanted[f.Name] {
			for _, alias := range f.OptInAliases {
				keys = append(keys, string(alias))
			}
		}
		a.byName[f.Name] = numCoreFields + field(len(a.fields))
		a.fields = append(a.fields, attributionField{
			name: f.Name, typ: typ, set: set, resource: f.ResourceLevel, secret: f.Secret, keys: keys,
		})
	}
	if n := int(numCoreFields) + len(a.fields); n > maxFields {
		return nil, fmt.Errorf("convert: %d fields, there is room for %d", n, maxFields)
	}
	return a, nil
}

// newVocabulary compiles a dialect: its own sources, then those of the
// conventions, then the attribution fields.
func newVocabulary(d, conventions dialect, a *attribution) *vocabulary {
	v := &vocabulary{name: d.name, scopes: d.scopes, basis: d.basis}
	index := make(map[string]*keyInfo)
	var ranks [maxFields]uint8
	add := func(key string, u use) {
		info := index[key]
		if info == nil {
			info = &keyInfo{key: key}
			index[key] = info
		}
		for _, known := range info.uses {
			if known.field == u.field {
				return // the dialect's own source came first
			}
		}
		u.rank = ranks[u.field]
		ranks[u.field]++
		info.uses = append(info.uses, u)
	}
	sources := d.sources
	if d.name != conventions.name {
		sources = append(slices.Clip(sources), conventions.sources...)
	}
	for _, s := range sources {
		add(s.key, use{field: s.field, unit: s.unit, resource: s.field == fieldProvider})
	}
	for i := range a.fields {
		f := &a.fields[i]
		for _, key := range f.keys {
			add(key, use{field: numCoreFields + field(i), resource: f.resource})
		}
	}
	v.keys = newKeyTable(index)
	return v
}
