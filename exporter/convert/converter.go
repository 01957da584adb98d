// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert/internal/literal"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv"
)

// Converter decides about spans. It is safe for concurrent use.
type Converter struct {
	cfg          config
	recogniser   *recogniser
	scopes       *scopeCache
	vocabularies []*vocabulary
	// common are the words of all dialects.
	common *keyTable
	// general are the dialects that are not an instrumentation's own.
	general dialectSet
	// context are the dialects whose spans say something without a marker.
	context         dialectSet
	resource        atomic.Pointer[resourceFacts]
	attribution     *attribution
	types           [maxFields]valueType
	names           []string
	operations      map[string]operation
	requestTypes    map[string]string
	finishReasons   map[string]metering.StopReason
	bucketTree      *literal.Tree
	providers       *providers
	unknownProvider *provider
	defaults        []defaultValue
	retryNumber     field
	media           mediaFields
	spelling        *spelling
	selecting       map[string]bool
	content         *content // nil unless capture is on

	selection *selection
	pool      sync.Pool // of *work
	blocks    sync.Pool // of *block
}

// defaultValue is the value of a field that spans lack.
type defaultValue struct {
	at    field
	value fact
}

// Stats are the counters of a [Converter]'s tables.
type Stats struct {
	// Held is the number of spans that are held now.
	Held int
	// HeldOverflow counts spans that were decided about before their time because
	// too many were held.
	HeldOverflow int64
	// Recent is the number of calls, and of spans around them, that are remembered
	// now.
	Recent int
	// RecentForgotten counts those that are remembered no longer because others took
	// their place, or one of the ways to find them: a replay of one of them can be
	// billed again, under the same transaction id.
	RecentForgotten int64
	// LinksForgotten counts spans whose parents are remembered no longer because
	// others took their place.
	LinksForgotten int64
	// LateCalls counts calls that came after an aggregate around them had been
	// billed; they are suppressed.
	LateCalls int64
	// BilledTwice counts pairs of spans that turned out to be one call, or a call and
	// its aggregate, after both had been billed.
	BilledTwice int64
}

// New returns a converter. It fails, naming all that is wrong, when an option has
// a value that it cannot have.
func New(opts ...Option) (*Converter, error) {
	cfg, err := newConfig(opts)
	attribution, attributionErr := newAttribution(cfg.optIn)
	if err := errors.Join(err, attributionErr); err != nil {
		return nil, err
	}
	c := &Converter{
		cfg:             cfg,
		attribution:     attribution,
		operations:      operations(),
		requestTypes:    requestTypes(),
		finishReasons:   finishReasons(),
		bucketTree:      bucketTree(),
		providers:       newProviders(cfg),
		unknownProvider: &provider{name: "unknown", display: "Unknown"},
		retryNumber:     attribution.byName["retryNumber"],
		media:           newMediaFields(attribution.byName),
		spelling:        newSpelling(),
		selecting:       selecting(),
		content:         newContent(cfg.content),
	}
	for name, t := range cfg.operationTypes {
		op := c.operations[name]
		if !op.class.isCall() {
			op = operation{name: name}
		}
		op.class, op.typ = classOf(t), t
		c.operations[name] = op
	}
	maps.Copy(c.finishReasons, cfg.stopReasons)
	for i, f := range coreFields() {
		c.types[i] = f.typ
		c.names = append(c.names, f.name)
	}
	for i, f := range attribution.fields {
		c.types[int(numCoreFields)+i] = f.typ
		c.names = append(c.names, f.name)
	}
	c.setDialects()
	if err := c.setDefaults(); err != nil {
		return nil, err
	}
	c.selection = newSelection(&c.cfg, attribution)
	c.pool.New = func() any { return newWork(c) }
	c.blocks.New = func() any { return &block{} }
	return c, nil
}

// setDialects compiles the dialects.
func (c *Converter) setDialects() {
	list := dialects()
	c.recogniser = newRecogniser(list, contextMarkers(&c.cfg))
	c.scopes = newScopeCache(c.recogniser.scopes)
	compiler := newCompiler(c.attribution, c.cfg, c.recogniser)
	c.common = &compiler.table
	for i := range list {
		c.vocabularies = append(c.vocabularies, compiler.vocabulary(&list[i]))
		if list[i].quirks.has(contextOnly) {
			c.context |= 1 << i
		}
	}
	c.general = 3 << (len(list) - 2) // the conventions, and what is left
}

// setDefaults reads the defaults as if they were attributes.
func (c *Converter) setDefaults() error {
	var errs []error
	seen := make(map[field]bool)
	for _, d := range append(c.cfg.defaults, fieldDefault{"middlewareSource", productName, OriginDefault}) {
		at, ok := c.attribution.byName[d.field]
		resource := ok && c.attribution.fields[at-numCoreFields].resource
		if d.field == "provider" {
			at, ok, resource = fieldProvider, true, true
		}
		if !ok || !resource {
			errs = append(errs, fmt.Errorf("convert: default of field %q: %s", d.field, noDefault(d.field)))
			continue
		}
		value := fact{set: true, level: d.origin}
		ok, problem := value.coerce(c.types[at], unitNone, StringValue(d.value))
		if problem != "" {
			errs = append(errs, fmt.Errorf("convert: default of field %q %s", d.field, problem))
		}
		if ok && !seen[at] {
			seen[at] = true
			c.defaults = append(c.defaults, defaultValue{at, value})
		}
	}
	return errors.Join(errs...)
}

// noDefault says why a field has no default.
func noDefault(name string) string {
	if _, ok := semconv.FieldByName(name); ok {
		return "it belongs to one call and cannot be the same for all"
	}
	return "the metering record has no such attribution field; docs/attributes.md lists them"
}

// Convert decides about s. It appends to dst the decision about s (none if s does
// not look like GenAI at all) and those about earlier, held spans that s settles:
// because s is the repetition of a failed attempt, the parent of one, another span
// of the same call, or a call that an aggregate was waiting for.
//
// It must see every span, not only those of calls: they link the ones that are.
func (c *Converter) Convert(dst []Decision, s Span) []Decision { return c.convert(dst, s, nil) }

// Glance is Convert for a span of which its keys show that it has nothing to do
// with calls, as most spans have not. It takes a fraction of a microsecond. ok is
// false for any other span, about which nothing was decided: it is for Convert.
func (c *Converter) Glance(dst []Decision, s Span) (_ []Decision, ok bool) {
	from := len(dst)
	w := c.pool.Get().(*work)
	s.WalkAttributes(&w.sniff)
	ok = !w.sniff.found && !w.sniff.context && !w.sniff.model
	if ok {
		dst = c.selection.pass(dst, s)
	} else {
		w.sniff.reset()
	}
	c.pool.Put(w)
	return c.conclude(dst, from), ok
}

func (c *Converter) convert(dst []Decision, s Span, batch *Batch) []Decision {
	from := len(dst)
	w := c.pool.Get().(*work)
	s.WalkAttributes(&w.sniff)
	switch {
	case w.sniff.found:
		w.read(s)
		dst = w.convert(dst, batch)
		w.reset()
	case w.sniff.model:
		dst = w.unmarked(dst, s, batch)
		w.reset()
	case w.sniff.context:
		w.read(s)
		dst = w.remember(dst, classNever)
		w.reset()
	default:
		// Nothing was seen, so that there is nothing to forget.
		dst = c.pass(dst, s)
	}
	c.pool.Put(w)
	return c.conclude(dst, from)
}

// pass is for what has nothing to do with calls: a span can lie between two that
// have, a log record cannot.
func (c *Converter) pass(dst []Decision, s Span) []Decision {
	if isLogEvent(s) {
		return dst
	}
	return c.selection.pass(dst, s)
}

// unmarked decides about a span that has an attribute for a model, and nothing
// else that shows what it is about, except perhaps its name or scope.
func (w *work) unmarked(dst []Decision, s Span, batch *Batch) []Decision {
	named := w.c.recogniser.names.of(s.Name())
	set := named | w.c.scopes.get(s.ScopeName())
	if set&^w.c.general == 0 {
		set |= w.resourceOf(s).set
	}
	switch {
	case set == 0 && !w.sniff.context:
		return w.c.pass(dst, s)
	case set == 0:
		w.read(s)
		return w.remember(dst, classNever)
	case named == 0 && set&w.c.context == set:
		w.read(s)
		return w.remember(dst, classNever)
	default:
		w.read(s)
		return w.convert(dst, batch)
	}
}

// Settle appends to dst the decisions about spans that were held for longer than
// the settle window.
func (c *Converter) Settle(dst []Decision, now time.Time) []Decision {
	return c.conclude(c.selection.settle(dst, now), len(dst))
}

// Flush appends to dst the decisions about all spans that are held: at shutdown,
// at the end of an input.
func (c *Converter) Flush(dst []Decision) []Decision {
	return c.conclude(c.selection.flush(dst), len(dst))
}

// Held is the number of spans that are held.
func (c *Converter) Held() int { return int(c.selection.waiting.Load()) }

// Stats returns the counters of the tables.
func (c *Converter) Stats() Stats { return c.selection.stats() }
