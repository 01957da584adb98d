// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"sync"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv"
)

// Converter decides about spans. It is safe for concurrent use.
type Converter struct {
	cfg             config
	vocabularies    []*vocabulary
	attribution     *attribution
	types           [maxFields]valueType
	names           []string
	operations      map[string]operation
	requestTypes    map[string]string
	finishReasons   map[string]metering.StopReason
	providers       *providers
	unknownProvider *provider
	defaults        []defaultValue
	retryNumber     field
	spelling        *spelling
	selecting       map[string]bool
	seed            maphash.Seed

	ledger *ledger
	pool   sync.Pool // of *work
	blocks sync.Pool // of *block
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
	// HeldOverflow counts spans that were billed before their time because too many
	// were held.
	HeldOverflow int64
	// Recent is the number of calls that are remembered now.
	Recent int
	// RecentForgotten counts calls that are remembered no longer: a replay of one of
	// them would be billed again, under the same transaction id.
	RecentForgotten int64
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
		providers:       newProviders(cfg),
		unknownProvider: &provider{name: "unknown", display: "Unknown"},
		seed:            maphash.MakeSeed(),
		ledger:          newLedger(cfg),
		retryNumber:     attribution.byName["retryNumber"],
		spelling:        newSpelling(),
		selecting:       selecting(),
	}
	for name, t := range cfg.operationTypes {
		op := c.operations[name]
		if op.class != classCall {
			op = operation{name: name, class: classCall}
		}
		op.typ = t
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
	conventions := otelConventions()
	for _, d := range dialects() {
		c.vocabularies = append(c.vocabularies, newVocabulary(d, conventions, attribution))
	}
	if err := c.setDefaults(); err != nil {
		return nil, err
	}
	c.pool.New = func() any { return newWork(c) }
	c.blocks.New = func() any { return &block{} }
	return c, nil
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
// because s is the repetition of a failed attempt, or the parent of one.
//
// It must see every span, not only those of calls, or failures are held for the
// whole settle window.
func (c *Converter) Convert(dst []Decision, s Span) []Decision {
	from := len(dst)
	w := c.pool.Get().(*work)
	w.sniff.found = false
	s.WalkAttributes(&w.sniff)
	if w.sniff.found {
		dst = w.convert(dst, s)
		w.reset()
	}
	c.pool.Put(w)
	return c.conclude(c.ledger.parentEnded(dst, s), from)
}

// Settle appends to dst the decisions about spans that were held for longer than
// the settle window.
func (c *Converter) Settle(dst []Decision, now time.Time) []Decision {
	return c.conclude(c.ledger.settle(dst, now), len(dst))
}

// Flush appends to dst the decisions about all spans that are held: at shutdown,
// at the end of an input.
func (c *Converter) Flush(dst []Decision) []Decision {
	return c.conclude(c.ledger.flush(dst), len(dst))
}

// Held is the number of spans that are held.
func (c *Converter) Held() int { return int(c.ledger.waiting.Load()) }

// Stats returns the counters of the tables.
func (c *Converter) Stats() Stats { return c.ledger.stats() }
