// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package registry

import "regexp"

// check judges what concerns several attributes.
func (p *parser) check(reg *Registry) {
	groups := map[string]string{}
	for _, g := range reg.Groups {
		p.name, p.id = g.File, g.ID
		if file, ok := groups[g.ID]; ok {
			p.fail(nil, "a second group of this id; the first is in %s", file)
		}
		groups[g.ID] = g.File
	}
	byID := map[string]*Attribute{}
	for _, a := range reg.Attributes() {
		p.name, p.id = a.File, a.ID
		if first, ok := byID[a.ID]; ok {
			p.fail(nil, "a second attribute of this id; the first is in %s", first.File)
			continue
		}
		byID[a.ID] = a
	}
	fields := map[string]*Attribute{}
	names := map[string]string{}
	for _, a := range reg.Attributes() {
		p.name, p.id = a.File, a.ID
		p.checkAttribute(a, byID)
		for _, ref := range a.Fields {
			if first, ok := fields[ref.String()]; ok && first != a {
				p.fail(nil, "revenium.field %s is that of %s already", ref, first.ID)
			}
			fields[ref.String()] = a
		}
		p.unique(names, "environment variable", a.Env...)
		p.unique(names, "header", a.Headers...)
	}
	for _, g := range reg.Groups {
		p.name, p.id = g.File, g.ID
		for _, d := range g.Derived {
			if a, ok := fields[d.Field.String()]; ok {
				p.fail(nil, "revenium.derived: %s is read from %s", d.Field, a.ID)
			}
		}
		for _, s := range g.Env {
			p.unique(names, "environment variable", s.Name)
		}
		for _, s := range g.Headers {
			p.unique(names, "header", s.Name)
		}
	}
}

// idPattern is what the OpenTelemetry conventions allow as a name.
const idPattern = `^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$`

func (p *parser) checkAttribute(a *Attribute, byID map[string]*Attribute) {
	if ok, err := regexp.MatchString(idPattern, a.ID); err != nil || !ok {
		p.fail(nil, "the id does not match %s", idPattern)
	}
	if a.Deprecated != nil && a.Deprecated.RenamedTo != "" && byID[a.Deprecated.RenamedTo] == nil {
		p.fail(nil, "deprecated: renamed_to %s is not in the model", a.Deprecated.RenamedTo)
	}
	seen := map[string]bool{a.ID: true}
	for _, alias := range append(append([]string{}, a.Aliases...), a.OptInAliases...) {
		switch {
		case byID[alias] == nil:
			p.fail(nil, "alias %s is not in the model", alias)
		case seen[alias]:
			p.fail(nil, "alias %s stands there twice or is the attribute itself", alias)
		}
		seen[alias] = true
	}
	values := map[string]bool{}
	for _, m := range a.Type.Members {
		if values[m.ID] {
			p.fail(nil, "member %s stands there twice", m.ID)
		}
		values[m.ID] = true
	}
}

// unique reports names that two owners claim: whichever came first would decide
// about both.
func (p *parser) unique(owners map[string]string, kind string, names ...string) {
	for _, name := range names {
		if owner, ok := owners[name]; ok {
			p.fail(nil, "%s %s is that of %s already", kind, name, owner)
		}
		owners[name] = p.id
	}
}
