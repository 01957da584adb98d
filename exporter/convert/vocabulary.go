// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"fmt"

	"github.com/revenium/revenium-otel-go/exporter/convert/internal/literal"
	"github.com/revenium/revenium-otel-go/semconv"
)

// vocabulary is a dialect in the form in which spans are read: from a key to what
// it means in this dialect, beside what it means to all.
type vocabulary struct {
	dialect *dialect
	// own is nil for a dialect without words of its own.
	own     *keyTable
	names   patterns[string]
	refine  patterns[string]
	streams patterns[bool]
}

// keyInfo is what an attribute key means. It can mean several things.
type keyInfo struct {
	key  string
	uses []use
	// document is what is read out of the value as a document; nil for nothing.
	document *document
	// evidence is what the key says about the dialect; nil for nothing.
	evidence *keyEvidence
}

// use is one meaning of a key.
type use struct {
	field field
	// rank is the place among the sources of the field; 0 is the best.
	rank uint8
	unit unit
	// resource says that scope and resource may give the value, too.
	resource bool
	// level is the origin of a value on a span: the span itself, a header of the
	// request, or what the instrumentation means.
	level Origin
}

// document says what stands where in a value.
type document struct {
	tree *literal.Tree
	uses []use // by leaf
}

// Ranks of sources that are not a dialect's own: those of all dialects come after
// its own, except for attribution, where what is meant for it comes first.
const (
	commonRank      = 64
	attributionRank = 128
)

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
	// request: a value holds for all calls of a request, so that it may stand on a
	// span above.
	request bool
	keys    []string
	// records are the kinds of records that have the field.
	records recordKinds
}

// maxFields is the room for facts; the tables of this package need less.
const maxFields = 192

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
		a.byName[f.Name] = numCoreFields + field(len(a.fields))
		a.fields = append(a.fields, attributionField{
			name: f.Name, typ: typ, set: set, keys: keysOfField(&f, wanted[f.Name]), records: sharedBy(f.Name),
			resource: f.ResourceLevel, request: f.RequestLevel,
		})
	}
	a.ownFields()
	if n := int(numCoreFields) + len(a.fields); n > maxFields {
		return nil, fmt.Errorf("convert: %d fields, there is room for %d", n, maxFields)
	}
	return a, nil
}

// keysOfField are the attributes that give a field.
func keysOfField(f *semconv.Field, optIn bool) []string {
	keys := []string{string(f.Key)}
	for _, alias := range f.Aliases {
		keys = append(keys, string(alias))
	}
	if optIn {
		for _, alias := range f.OptInAliases {
			keys = append(keys, string(alias))
		}
	}
	return keys
}

// compiler makes vocabularies of dialects.
type compiler struct {
	attribution *attribution
	cfg         config
	common      map[string]*keyInfo
	table       keyTable
}

func newCompiler(a *attribution, cfg config, r *recogniser) *compiler {
	c := &compiler{attribution: a, cfg: cfg, common: make(map[string]*keyInfo)}
	for i := range a.fields {
		f := &a.fields[i]
		for rank, key := range f.keys {
			c.add(c.common, key, "", use{field: numCoreFields + field(i), rank: attributionRank + uint8(rank), resource: f.resource})
		}
	}
	c.sources(c.common, commonSources(), commonRank)
	for key := range r.exact {
		if c.common[key] == nil {
			c.common[key] = &keyInfo{key: key}
		}
	}
	for key, info := range c.common {
		if e := r.of(key); !e.none() {
			info.evidence = &e
		}
	}
	c.table = newKeyTable(c.common)
	return c
}

// sources adds sources whose ranks begin at first.
func (c *compiler) sources(index map[string]*keyInfo, sources []source, first uint8) {
	var ranks [maxFields]uint8
	for _, s := range sources {
		if s.optIn && !c.cfg.dialectAttribution || s.header && !c.cfg.trustHeaders {
			continue
		}
		at := s.field
		u := use{unit: s.unit, resource: at == fieldProvider}
		rank := first
		if at == numCoreFields {
			at = c.attribution.byName[s.name]
			f := c.attribution.fields[at-numCoreFields]
			u.level = OriginDialect
			if s.header {
				u.level = OriginHeader
			}
			// What is meant for Revenium is better than what can be taken for it.
			rank = attributionRank + uint8(len(f.keys)) + first/commonRank*16
		}
		u.field, u.rank = at, rank+ranks[at]
		ranks[at]++
		c.add(index, s.key, s.path, u)
	}
}

// add adds a meaning of a key, unless there is a better one for the field.
func (c *compiler) add(index map[string]*keyInfo, key, path string, u use) {
	info := index[key]
	if info == nil {
		info = &keyInfo{key: key}
		index[key] = info
	}
	if path != "" {
		if info.document == nil {
			info.document = &document{tree: literal.NewTree()}
		}
		info.document.tree.Add(path, len(info.document.uses))
		info.document.uses = append(info.document.uses, u)
		return
	}
	for _, known := range info.uses {
		if known.field == u.field {
			return
		}
	}
	info.uses = append(info.uses, u)
}

// vocabulary compiles a dialect.
func (c *compiler) vocabulary(d *dialect) *vocabulary {
	v := &vocabulary{
		dialect: d,
		names:   newPatterns(ruleMap(d.names)),
		refine:  newPatterns(ruleMap(d.refine)),
		streams: newPatterns(patternMap(d.streams)),
	}
	own := make(map[string]*keyInfo)
	c.sources(own, d.sources, 0)
	if len(own) > 0 {
		table := newKeyTable(own)
		v.own = &table
	}
	return v
}
