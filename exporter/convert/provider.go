// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "strings"

// providers is the table of providers in the form in which it is used.
type providers struct {
	byName   map[string]*provider
	none     map[string]bool
	suffixes []string
	prefixes map[string]*provider
	hosts    []hostProvider
	models   []modelProvider
}

func newProviders(cfg config) *providers {
	p := &providers{
		byName:   make(map[string]*provider),
		none:     make(map[string]bool),
		suffixes: providerSuffixes(),
		prefixes: make(map[string]*provider),
		hosts:    hostProviders(),
		models:   modelProviders(),
	}
	table := providerTable()
	for i := range table {
		row := &table[i]
		p.byName[row.name] = row
		for _, alias := range row.aliases {
			p.byName[alias] = row
		}
	}
	for _, name := range noProviders() {
		p.none[name] = true
	}
	for name, display := range cfg.providerNames {
		p.custom(name).display = display
	}
	for name, wire := range cfg.wireInputs {
		row := p.custom(name)
		row.wire, row.claudeWire = wire, wire
	}
	for prefix, name := range cfg.vendorPrefixes {
		if name != "" {
			p.prefixes[prefix] = p.custom(name)
		}
	}
	return p
}

// custom returns the row of a provider that the user names, a new one if need be.
func (p *providers) custom(name string) *provider {
	if row, ok := p.byName[name]; ok {
		return row
	}
	row := &provider{name: name, display: name}
	p.byName[name] = row
	delete(p.none, name)
	return row
}

// nobody reports whether a value is a framework's name or a word for nothing.
func (p *providers) nobody(value string) bool {
	if _, ok := p.byName[value]; ok {
		return false
	}
	return p.none[value] || p.none[strings.ToLower(strings.TrimSpace(value))]
}

// named returns the provider that a value names. It is nil for a value that names
// none; one that is in no table is passed through.
func (p *providers) named(value string) *provider {
	if row, ok := p.byName[value]; ok {
		return row
	}
	name := strings.ToLower(strings.TrimSpace(value))
	if p.nobody(value) || name == "" {
		return nil
	}
	if row, ok := p.byName[name]; ok {
		return row
	}
	for _, suffix := range p.suffixes {
		if base, ok := strings.CutSuffix(name, suffix); ok && base != "" {
			if row, ok := p.byName[base]; ok {
				return row
			}
			return &provider{name: base, display: strings.TrimSpace(value)[:len(base)]}
		}
	}
	return &provider{name: name, display: value}
}

// ofHost returns the provider behind a host, nil for an unknown one.
func (p *providers) ofHost(host string) *provider {
	host = strings.ToLower(host)
	for _, h := range p.hosts {
		switch {
		case host == h.host, h.host[0] == '.' && strings.HasSuffix(host, h.host) && strings.Contains(host, h.holds):
			return p.byName[h.provider]
		}
	}
	return nil
}

// ofModel returns the provider whose model has such a name, nil for an unknown
// one.
func (p *providers) ofModel(model string) *provider {
	model = strings.ToLower(model)
	for _, m := range p.models {
		if strings.HasPrefix(model, m.prefix) {
			return p.byName[m.provider]
		}
	}
	return nil
}

// vendor returns the provider that the prefix of a model's name stands for, and
// the name without it.
func (p *providers) vendor(model string) (row *provider, rest string) {
	prefix, rest, found := strings.Cut(model, "/")
	if !found || blank(rest) {
		return nil, model
	}
	row, _ = find(p.prefixes, prefix)
	if row == nil {
		return nil, model
	}
	return row, rest
}

// isClaude reports whether a model is one of Anthropic's, wherever it runs.
func isClaude(model string) bool {
	return strings.Contains(model, "claude") || strings.Contains(strings.ToLower(model), "claude")
}

// isPathTo reports whether the last segment of a model's name is all of it that
// counts.
func isPathTo(model string) bool {
	switch {
	case strings.HasPrefix(model, "projects/"), strings.HasPrefix(model, "publishers/"), strings.HasPrefix(model, "models/"):
		return true
	case strings.HasPrefix(model, "arn:"):
		return strings.Contains(model, ":foundation-model/") || strings.Contains(model, ":inference-profile/")
	default:
		return false
	}
}

// identity is whose model was called, by which name and which way.
type identity struct {
	provider *provider
	// model is "" when the span names none.
	model string
	// source is the model source: the way that the call took.
	source string
}

// identify works out provider, model and way.
func (w *work) identify() identity {
	x, p := &w.extract, w.c.providers
	var id identity
	if f := x.get(fieldProvider); f != nil {
		id.provider = p.named(f.text)
	}
	if x.get(fieldLiteLLM) != nil || strings.HasPrefix(w.scope, "litellm") {
		id.source = sourceLiteLLM
	}
	id.model = w.model(id.provider)
	if isPathTo(id.model) {
		if id.provider == nil {
			id.provider = w.guessed(p.ofModel(id.model), "from the name of the model")
		}
		id.model = id.model[strings.LastIndexByte(id.model, '/')+1:]
	}
	if gateway := w.extract.voc.dialect.gateway; gateway != "" {
		id.passed(p.byName[gateway])
	}
	id.passed(id.provider)
	w.stripVendor(&id)
	if id.provider == nil || id.provider.gateway {
		w.guessProvider(&id)
	}
	if id.source == "" && !id.provider.gateway {
		id.source = sourceDirect
	}
	return id
}

const (
	sourceDirect  = "DIRECT"
	sourceLiteLLM = "LITELLM"
	sourceUnknown = "-"
)

// passed remembers that the call took its way through p.
func (id *identity) passed(p *provider) {
	if p == nil || id.source != "" {
		return
	}
	id.source = p.source
	if p.gateway && p.source == "" {
		id.source = sourceUnknown
	}
}

// stripVendor takes a gateway's vendor prefix from the model's name. The prefix
// is the better witness where the span names a gateway, no provider, or OpenAI,
// whose API is everybody's: an OpenAI client says OpenAI whatever server it has.
func (w *work) stripVendor(id *identity) {
	for range 2 { // "openrouter/anthropic/claude-..."
		if id.provider != nil && id.provider.slashes {
			return
		}
		vendor, rest := w.c.providers.vendor(id.model)
		if vendor == nil {
			return
		}
		id.model = rest
		if vendor == id.provider {
			continue
		}
		if id.provider != nil && !id.provider.gateway && id.provider.name != "openai" {
			return // a provider that was named is one that was seen
		}
		id.passed(vendor)
		id.provider = w.guessed(vendor, "from the prefix of the model's name")
	}
}

// guessProvider finds a provider for a span that names none, or a gateway.
func (w *work) guessProvider(id *identity) {
	p := w.c.providers
	if host := p.ofHost(w.extract.text(fieldServer)); host != nil {
		id.passed(host)
		if id.provider == nil {
			id.provider = w.guessed(host, "from the host that was called")
		}
	}
	if id.provider == nil || id.provider.gateway {
		if row := p.ofModel(id.model); row != nil {
			id.provider = w.guessed(row, "from the name of the model")
		}
	}
	if id.provider == nil && w.extract.voc.dialect.provider != "" {
		id.provider = w.guessed(p.named(w.extract.voc.dialect.provider), "from the instrumentation")
	}
	if id.provider == nil {
		id.provider = w.guessed(w.c.unknownProvider, "nothing on the span tells whose model it is")
	}
}

// guessed notes that a provider was not on the span as such.
func (w *work) guessed(p *provider, reason string) *provider {
	if p != nil {
		w.extract.note(fieldProvider, "", NoteGuessed, reason)
	}
	return p
}
