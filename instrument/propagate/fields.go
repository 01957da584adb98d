// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate

import (
	"fmt"
	"net/http"
	"strings"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/semconv"
)

// Beginnings of names that are ours, whether or not a field has them.
const (
	headerPrefix     = "X-Revenium-" // as http.Header has it
	attributesPrefix = "revenium."
)

// table is what is known of the fields of metadata.
type table struct {
	fields []semconv.Field
	// headers are the names under which each field is sent, as http.Header has them.
	headers [][]string
	// byMember finds a field by the name of a member of baggage: the attribute's, or
	// an older one of ours.
	byMember map[string]int
	byHeader map[string]int
	byName   map[string]int // in the record
	byKey    map[attribute.Key]int
	// secrets are the attributes that never become members of baggage.
	secrets []string
}

// fields returns the table, which never changes.
var fields = sync.OnceValue(func() *table {
	t := &table{
		fields:   instrument.Fields(),
		secrets:  []string{string(semconv.ReveniumAPIKeyKey)},
		byMember: make(map[string]int), byHeader: make(map[string]int), byName: make(map[string]int), byKey: make(map[attribute.Key]int),
	}
	t.headers = make([][]string, len(t.fields))
	for i, f := range t.fields {
		t.byName[f.Name] = i
		if f.Secret {
			t.secrets = append(t.secrets, string(f.Key))
		}
		t.byKey[f.Key] = i
		t.byMember[string(f.Key)] = i
		for _, alias := range f.Aliases {
			if strings.HasPrefix(string(alias), attributesPrefix) {
				t.byMember[string(alias)] = i
			}
		}
		for _, name := range f.Headers {
			name = http.CanonicalHeaderKey(name)
			t.byHeader[name] = i
			if strings.HasPrefix(name, headerPrefix) {
				t.headers[i] = append(t.headers[i], name)
			}
		}
	}
	return t
})

// fieldSet says of each field of the table whether it is in the set.
type fieldSet []bool

// setOf returns the fields with the given keys that accept allows.
func setOf(option string, keys []attribute.Key, accept func(semconv.Field) error) fieldSet {
	t := fields()
	set := make(fieldSet, len(t.fields))
	for _, key := range keys {
		i, ok := t.byKey[key]
		if !ok {
			otel.Handle(fmt.Errorf("propagate: %s: %q is the attribute of no field of metadata", option, key))
			continue
		}
		if err := accept(t.fields[i]); err != nil {
			otel.Handle(fmt.Errorf("propagate: %s: %w", option, err))
			continue
		}
		set[i] = true
	}
	return set
}

// without returns the set without the fields of the given keys.
func (s fieldSet) without(keys []attribute.Key) fieldSet {
	if len(keys) == 0 {
		return s
	}
	left := append(fieldSet(nil), s...)
	for _, key := range keys {
		if i, ok := fields().byKey[key]; ok {
			left[i] = false
		}
	}
	return left
}

// DefaultBaggageFields lists the fields that are sent and read as baggage unless
// [WithMoreBaggageFields] adds to them: trace, organization, product, task and
// agent. None of them says anything of a person. The slice is the caller's.
func DefaultBaggageFields() []attribute.Key {
	return []attribute.Key{
		semconv.ReveniumOrganizationNameKey,
		semconv.ReveniumProductNameKey,
		semconv.ReveniumAgentNameKey,
		semconv.ReveniumTaskTypeKey,
		semconv.ReveniumTraceIDKey,
		semconv.ReveniumTraceTypeKey,
		semconv.ReveniumTraceNameKey,
	}
}

// CustomerFields lists the fields that say who pays: organization, product,
// subscription and subscriber. The slice is the caller's.
func CustomerFields() []attribute.Key {
	return []attribute.Key{
		semconv.ReveniumOrganizationNameKey,
		semconv.ReveniumProductNameKey,
		semconv.ReveniumSubscriptionIDKey,
		semconv.ReveniumSubscriptionTierKey,
		semconv.ReveniumSubscriberIDKey,
		semconv.ReveniumSubscriberEmailKey,
		semconv.ReveniumSubscriberEmailSourceKey,
		semconv.ReveniumSubscriberCredentialNameKey,
		semconv.ReveniumSubscriberCredentialValueKey,
	}
}

// baggageFields are the fields that travel as baggage.
func (c *config) baggageFields() fieldSet {
	return setOf("WithMoreBaggageFields", append(DefaultBaggageFields(), c.moreBaggage...), func(f semconv.Field) error {
		if f.Secret {
			return fmt.Errorf("%s is a credential, and baggage is no place for it", f.Key)
		}
		return nil
	})
}

// headerFields are the fields that travel as headers, into and out of the process.
func (c *config) headerFields() (into, outOf fieldSet) {
	if c.limitHeaders {
		set := setOf("WithOnlyHeaderFields", c.onlyHeaders, func(f semconv.Field) error {
			if len(f.Headers) == 0 {
				return fmt.Errorf("%s has no header", f.Key)
			}
			return nil
		})
		return set, set
	}
	t := fields()
	into, outOf = make(fieldSet, len(t.fields)), make(fieldSet, len(t.fields))
	for i, f := range t.fields {
		outOf[i] = len(f.Headers) > 0
		into[i] = outOf[i] && !f.Secret
	}
	return into, outOf
}
