// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Field is what entries are grouped by.
type Field string

// The fields.
const (
	ByTenant       Field = "tenant"
	ByOrganization Field = "organization"
	ByProduct      Field = "product"
	ByEnvironment  Field = "environment"
	ByProvider     Field = "provider"
	ByModel        Field = "model"
	ByOperation    Field = "operation"
	ByDay          Field = "day"   // of the call, UTC
	ByMonth        Field = "month" // of the call, UTC
)

// Fields lists the fields.
func Fields() []Field {
	return []Field{ByTenant, ByOrganization, ByProduct, ByEnvironment, ByProvider, ByModel, ByOperation, ByDay, ByMonth}
}

// of is the value of the field.
func (f Field) of(e *Entry) string {
	switch f {
	case ByTenant:
		return e.Tenant
	case ByOrganization:
		return e.Organization
	case ByProduct:
		return e.Product
	case ByEnvironment:
		return e.Environment
	case ByProvider:
		return e.Provider
	case ByModel:
		return e.Model
	case ByOperation:
		return e.Operation
	case ByDay:
		return e.Call.UTC().Format(time.DateOnly)
	case ByMonth:
		return e.Call.UTC().Format("2006-01")
	default:
		return ""
	}
}

// Between keeps the entries of calls from a time on and before another; a zero time
// is no bound. What is only known by its number stays.
func (b *Book) Between(from, to time.Time) *Book {
	kept := *b
	kept.Entries = slices.DeleteFunc(slices.Clone(b.Entries), func(e Entry) bool {
		return !from.IsZero() && e.Call.Before(from) || !to.IsZero() && !e.Call.Before(to)
	})
	return &kept
}

// Sum adds up entries.
type Sum struct {
	Records       int64   `json:"records"`
	Input         int64   `json:"inputTokens"`
	Output        int64   `json:"outputTokens"`
	Total         int64   `json:"totalTokens"`
	CacheRead     int64   `json:"cacheReadTokens"`
	CacheCreation int64   `json:"cacheCreationTokens"`
	Reasoning     int64   `json:"reasoningTokens"`
	Images        int64   `json:"images"`
	Seconds       float64 `json:"seconds"`
	Characters    int64   `json:"characters"`
	// States is the number of records by what has become of them.
	States map[State]int64 `json:"states"`
}

func (s *Sum) add(e *Entry) {
	s.Records++
	s.Input += e.Input
	s.Output += e.Output
	s.Total += e.Total
	s.CacheRead += e.CacheRead
	s.CacheCreation += e.CacheCreation
	s.Reasoning += e.Reasoning
	s.Images += e.Images
	s.Seconds += e.Seconds
	s.Characters += e.Characters
	if s.States == nil {
		s.States = make(map[State]int64)
	}
	s.States[e.State]++
}

// Group is the sum of the entries that agree in the fields.
type Group struct {
	// Values are those of the fields, in their order.
	Values []string `json:"values"`
	Sum
}

// Summary is a book in numbers.
type Summary struct {
	// By are the fields.
	By []Field `json:"by"`
	// Groups are in the order of their values.
	Groups []Group `json:"groups"`
	// All is the sum of all entries.
	All Sum `json:"all"`
	// Late is the number of records that were delivered late.
	Late int64 `json:"late"`
	// Missing and Unreadable are the numbers of events that could not be written and
	// of lines that cannot be read: above zero, the ledger is not complete.
	Missing    int64 `json:"missing"`
	Unreadable int   `json:"unreadable"`
	// Balance says what has become of what was billed.
	Balance Balance `json:"balance"`
}

// Balance is the invariant of the ledger:
//
//	billed = delivered + duplicate + waiting + dead + lost
type Balance struct {
	Billed       int64 `json:"billed"`
	Delivered    int64 `json:"delivered"`
	Duplicate    int64 `json:"duplicate"`
	Waiting      int64 `json:"waiting"`
	DeadLettered int64 `json:"dead"`
	Lost         int64 `json:"lost"`
}

// Holds reports whether both sides are equal.
func (b Balance) Holds() bool {
	return b.Billed == b.Delivered+b.Duplicate+b.Waiting+b.DeadLettered+b.Lost && b.Waiting >= 0
}

// String is the balance as an equation.
func (b Balance) String() string {
	sign := "="
	if !b.Holds() {
		sign = "≠"
	}
	return fmt.Sprintf("billed %d %s delivered %d + duplicate %d + waiting %d + dead %d + lost %d",
		b.Billed, sign, b.Delivered, b.Duplicate, b.Waiting, b.DeadLettered, b.Lost)
}

// Summarize adds a book up.
func Summarize(b *Book, by ...Field) Summary {
	s := Summary{By: by, Missing: b.Missing, Unreadable: len(b.Problems), Groups: []Group{}}
	groups := make(map[string]*Group)
	for i := range b.Entries {
		e := &b.Entries[i]
		s.All.add(e)
		if e.Late {
			s.Late++
		}
		values := make([]string, len(by))
		for n, field := range by {
			values[n] = field.of(e)
		}
		key := strings.Join(values, "\x00")
		g := groups[key]
		if g == nil {
			g = &Group{Values: values}
			groups[key] = g
		}
		g.add(e)
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		s.Groups = append(s.Groups, *groups[key])
	}
	s.Balance = balance(b, s.All.States)
	return s
}

// balance counts records whose end is only known as a number among those that seem
// to be waiting.
func balance(b *Book, states map[State]int64) Balance {
	bal := Balance{
		Billed:       int64(len(b.Entries)),
		Delivered:    states[Delivered] + b.Unseen[Delivered],
		Duplicate:    states[Duplicate] + b.Unseen[Duplicate],
		DeadLettered: states[DeadLettered] + b.Unseen[DeadLettered],
		Lost:         states[Lost] + b.Unseen[Lost],
	}
	bal.Waiting = bal.Billed - bal.Delivered - bal.Duplicate - bal.DeadLettered - bal.Lost
	return bal
}
