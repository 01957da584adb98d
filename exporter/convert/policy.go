// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv"
)

// MissingPolicy chooses what becomes of a call whose record lacks a field that is
// required by [WithRequiredFields].
type MissingPolicy uint8

// The policies.
const (
	// MissingWarn: the record is sent, and a note says what it lacks. Revenium
	// stores it as unclassified. Without required fields it is sent without a word.
	MissingWarn MissingPolicy = iota + 1
	// MissingHoldBack: the record is not sent; [Decision.HeldBack] says so. An
	// exporter puts it among the dead letters, for somebody to complete: Revenium
	// attributes nothing afterwards.
	MissingHoldBack
)

// WithRequiredFields names fields of the record that every call must have:
// "organizationName", "productName", "subscriber.id" and so on, as docs/attributes.md
// lists them; "subscriber" for any part of it. Several uses add up, and the last
// policy holds.
func WithRequiredFields(policy MissingPolicy, fields ...string) Option {
	return optionFunc(func(cfg config) config {
		cfg.missing = policy
		cfg.required = append(slices.Clip(cfg.required), fields...)
		return cfg
	})
}

// WithSelectiveMetering decides only about spans that say themselves who pays or
// what they are part of, by a revenium.* attribute of attribution: those of calls
// in a context or function with metadata. Others are skipped with
// [ReasonNotSelected], whatever the resource or a default would say of them.
func WithSelectiveMetering() Option {
	return optionFunc(func(cfg config) config {
		cfg.selective = true
		return cfg
	})
}

// WithTransform lets a program change each record just before it is fixed, or drop
// it by returning false ([ReasonTransform]). Several hooks run in the order given.
// They are called concurrently, in the goroutines that end spans, and must be
// quick. What they write is checked like everything else. A hook that panics
// counts as one that was not there, and a note says so.
func WithTransform(transform func(metering.Record) bool) Option {
	return optionFunc(func(cfg config) config {
		if transform != nil {
			cfg.transforms = append(slices.Clip(cfg.transforms), transform)
		}
		return cfg
	})
}

// WithHashedSubscribers sends a keyed hash (HMAC-SHA-256) in place of a
// subscriber's id and e-mail address: 32 hex digits, and the same before
// "@hashed.invalid". Who has the key can tell which subscriber a hash belongs to,
// nobody else can. Addresses are hashed in lower case. An empty key is refused.
// Transform hooks see the hashes.
func WithHashedSubscribers(key []byte) Option {
	key = slices.Clone(key)
	return optionFunc(func(cfg config) config {
		cfg.hashKey, cfg.hashed = key, true
		return cfg
	})
}

// validatePolicies checks the options of this file.
func (cfg config) validatePolicies() error {
	var errs []error
	if cfg.required != nil && cfg.missing != MissingWarn && cfg.missing != MissingHoldBack {
		errs = append(errs, fmt.Errorf("convert: policy %d for missing fields is not known: use MissingWarn or MissingHoldBack", cfg.missing))
	}
	for _, name := range cfg.required {
		if name == subscriberField {
			continue
		}
		if _, _, ok := setterOf(name); !ok || !requirable(name) {
			errs = append(errs, fmt.Errorf("convert: required field %q: records of calls have no such attribution field; docs/attributes.md lists them", name))
		}
	}
	if cfg.hashed && len(cfg.hashKey) == 0 {
		errs = append(errs, errors.New("convert: key of WithHashedSubscribers is empty: anybody could then compute the hashes"))
	}
	return errors.Join(errs...)
}

// subscriberField stands for any part of the subscriber.
const subscriberField = "subscriber"

// requirable reports whether hasField can tell if a record has the field.
func requirable(name string) bool {
	return textField(name) != nil || countField(name) != nil || numberField(name) != nil || strings.HasPrefix(name, subscriberField+".")
}

// conclude applies the policies to the final decisions from dst[from:] on. It
// stands at the door of the converter, behind all that waits and merges, so that
// every record passes it once.
func (c *Converter) conclude(dst []Decision, from int) []Decision {
	if !c.cfg.policies() {
		return dst
	}
	for i := from; i < len(dst); i++ {
		if d := &dst[i]; d.Kind == Billed && d.Record != nil {
			c.apply(d)
		}
	}
	return dst
}

// HoldsBack reports whether decisions can be [Decision.HeldBack], so that there must
// be a place for their records.
func (c *Converter) HoldsBack() bool {
	return c.cfg.required != nil && c.cfg.missing == MissingHoldBack
}

// policies reports whether there is anything to apply.
func (cfg config) policies() bool {
	return cfg.required != nil || cfg.transforms != nil || cfg.hashed
}

func (c *Converter) apply(d *Decision) {
	if call := callOf(d.Record); c.cfg.hashed && call != nil && call.Subscriber != nil {
		call.Subscriber = c.hash(call.Subscriber)
	}
	for _, transform := range c.cfg.transforms {
		keep, ok := transformed(transform, d.Record)
		if !ok {
			d.Notes = append(d.Notes, Note{Field: "record", Action: NoteDoubtful, Reason: "a transform hook panicked; the record is sent as it was left"})
		}
		if !keep {
			d.Kind, d.Reason = Skipped, ReasonTransform
			d.Release()
			return
		}
	}
	completion, kind := fieldsOf(d.Record)
	for _, name := range c.cfg.required {
		if name != subscriberField && sharedBy(name)&kind == 0 || hasField(completion, name) {
			continue
		}
		d.HeldBack = c.cfg.missing == MissingHoldBack
		d.Missing = append(d.Missing, name)
		d.Notes = append(d.Notes, Note{Field: name, Action: NoteMissing, Reason: "is required and nothing gives it"})
	}
}

// callOf is what a record has in common with other calls; nil for the event of a
// tool.
func callOf(r metering.Record) *metering.Call {
	switch r := r.(type) {
	case *metering.Completion:
		return &r.Call
	case *metering.Image:
		return &r.Call
	case *metering.Audio:
		return &r.Call
	case *metering.Video:
		return &r.Call
	default:
		return nil
	}
}

// fieldsOf shows the attribution of a record as that of a completion.
func fieldsOf(r metering.Record) (*metering.Completion, recordKinds) {
	switch r := r.(type) {
	case *metering.Completion:
		return r, inCompletion
	case *metering.ToolEvent:
		return &metering.Completion{Call: metering.Call{
			Agent: r.Agent, AgenticJobID: r.AgenticJobID, OrganizationName: r.OrganizationName, ProductName: r.ProductName,
			TraceID: r.TraceID, TransactionID: r.TransactionID, TotalCost: r.CostUSD,
			Subscriber: &metering.Subscriber{Credential: &metering.Credential{Name: string(r.SubscriberCredential)}},
		}}, inTool
	default:
		return &metering.Completion{Call: *callOf(r)}, inImage // or what else has the same fields
	}
}

// transformed runs a hook and keeps its panic from the program.
func transformed(transform func(metering.Record) bool, r metering.Record) (keep, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			keep, ok = true, false
		}
	}()
	return transform(r), true
}

// hash returns a subscriber with hashes.
func (c *Converter) hash(s *metering.Subscriber) *metering.Subscriber {
	hashed := *s
	if before, ok := strings.CutPrefix(s.ID, hashMark); ok {
		hashed.ID = before
	} else if s.ID != "" {
		hashed.ID = c.digest(s.ID)
	}
	if before, ok := strings.CutPrefix(s.Email, hashMark); ok {
		hashed.Email = before
	} else if s.Email != "" {
		hashed.Email = c.digestEmail(s.Email)
	}
	return &hashed
}

// digestEmail is the hash of an address, in the form of one.
func (c *Converter) digestEmail(address string) string {
	return c.digest(strings.ToLower(strings.TrimSpace(address))) + "@hashed.invalid"
}

func (c *Converter) digest(s string) string {
	mac := hmac.New(sha256.New, c.cfg.hashKey)
	_, _ = mac.Write([]byte(s)) // never fails
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// hasField reports whether a record has a value for a field.
func hasField(c *metering.Completion, name string) bool {
	s := c.Subscriber
	if s == nil {
		s = &metering.Subscriber{}
	}
	credential := s.Credential
	if credential == nil {
		credential = &metering.Credential{}
	}
	switch name {
	case subscriberField:
		return s.ID != "" || s.Email != "" || credential.Name != "" || credential.Value != ""
	case "subscriber.id":
		return s.ID != ""
	case "subscriber.email":
		return s.Email != ""
	case "subscriber.credential.name":
		return credential.Name != ""
	case "subscriber.credential.value":
		return credential.Value != ""
	}
	if at := textField(name); at != nil {
		return *at(c) != ""
	}
	if at := countField(name); at != nil {
		return *at(c) != nil
	}
	if at := numberField(name); at != nil {
		return *at(c) != nil
	}
	return false
}

// selecting are the keys by which a span says who pays or what it is part of. What
// instrumentations write by themselves about the call is not among them.
func selecting() map[string]bool {
	keys := make(map[string]bool)
	for _, f := range semconv.Fields() {
		switch f.Name {
		case "modelSource", "modelHost", "middlewareSource", "effort", "speed", "operationType":
			continue
		}
		if !f.RequestLevel {
			continue
		}
		for _, key := range append(slices.Clone(f.Aliases), f.Key) {
			if strings.HasPrefix(string(key), namespace) {
				keys[string(key)] = true
			}
		}
	}
	return keys
}

// selected reports whether the span says who pays.
func (w *work) selected() bool {
	for _, at := range w.extract.touched {
		if f := &w.extract.facts[at]; f.set && f.level == OriginSpan && f.info != nil && w.c.selecting[f.info.key] {
			return true
		}
	}
	return false
}
