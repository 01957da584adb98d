// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// State is what has become of a record.
type State string

// The states. All but the first are ends.
const (
	// Waiting: the record was billed and has not reached its end, as far as the
	// ledger knows.
	Waiting State = "waiting"
	// Delivered: the service has accepted it.
	Delivered State = "delivered"
	// Duplicate: the service was known to have it already.
	Duplicate State = "duplicate"
	// DeadLettered: it was given up and is among the dead letters.
	DeadLettered State = "dead"
	// Lost: it will never be delivered.
	Lost State = "lost"
)

// known reports whether s is one of the states.
func (s State) known() bool {
	switch s {
	case Waiting, Delivered, Duplicate, DeadLettered, Lost:
		return true
	default:
		return false
	}
}

// lineVersion is the version of the stored form.
const lineVersion = 1

// line is the stored form of an event. Most are about one record; those without an
// id are about Count records of which nothing more is known.
type line struct {
	Version int       `json:"v"`
	State   State     `json:"state,omitempty"`
	Time    time.Time `json:"time"`
	Tenant  string    `json:"tenant,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Late    bool      `json:"late,omitempty"`
	ID      string    `json:"id,omitempty"`
	Count   int64     `json:"count,omitempty"`
	// Missing is the number of events that could not be written in time.
	Missing int64 `json:"missing,omitempty"`
	Facts
}

// Facts are what the ledger keeps of a record. Numbers are those of the record as
// it is sent.
type Facts struct {
	// Endpoint is where the record belongs.
	Endpoint metering.Endpoint `json:"endpoint,omitempty"`
	// Call is the time at which the call was made.
	Call time.Time `json:"call,omitzero"`
	// Model, Provider and Operation say what was called. A tool event has the tool's
	// id as its model.
	Model     string `json:"model,omitempty"`
	Provider  string `json:"provider,omitempty"`
	Operation string `json:"operation,omitempty"`
	// Organization, Product and Environment say for whom and where.
	Organization string `json:"organization,omitempty"`
	Product      string `json:"product,omitempty"`
	Environment  string `json:"environment,omitempty"`
	// Input is what is sent as inputTokenCount: without cached tokens for native
	// Anthropic models, with them for others. Total counts every token once.
	Input         int64 `json:"inputTokens,omitempty"`
	Output        int64 `json:"outputTokens,omitempty"`
	Total         int64 `json:"totalTokens,omitempty"`
	CacheRead     int64 `json:"cacheReadTokens,omitempty"`
	CacheCreation int64 `json:"cacheCreationTokens,omitempty"`
	Reasoning     int64 `json:"reasoningTokens,omitempty"`
	// Images, Seconds and Characters are what media are priced by.
	Images     int64   `json:"images,omitempty"`
	Seconds    float64 `json:"seconds,omitempty"`
	Characters int64   `json:"characters,omitempty"`
}

// Uncached is the number of input tokens that came neither from a cache nor went to
// one, whatever the provider counts as input.
func (f *Facts) Uncached() int64 {
	return max(f.Total-f.Output-f.CacheRead-f.CacheCreation, 0)
}

// factsOf reads what the ledger keeps out of the bytes of a record.
func factsOf(rec metering.Frozen) (Facts, error) {
	facts := Facts{Endpoint: rec.Endpoint}
	var err error
	switch rec.Endpoint {
	case metering.EndpointCompletions:
		var c metering.Completion
		if err = json.Unmarshal(rec.Body, &c); err == nil {
			facts.call(&c.Call)
			facts.Input, facts.Output, facts.Total = c.InputTokenCount, c.OutputTokenCount, c.TotalTokenCount
			facts.CacheRead, facts.CacheCreation = value(c.CacheReadTokenCount), value(c.CacheCreationTokenCount)
			facts.Reasoning = value(c.ReasoningTokenCount)
		}
	case metering.EndpointImages:
		var i metering.Image
		if err = json.Unmarshal(rec.Body, &i); err == nil {
			facts.call(&i.Call)
			facts.Images = i.ActualImageCount
		}
	case metering.EndpointAudio:
		var a metering.Audio
		if err = json.Unmarshal(rec.Body, &a); err == nil {
			facts.call(&a.Call)
			facts.Input = value(a.InputTokenCount) + value(a.InputAudioTokenCount)
			facts.Output = value(a.OutputTokenCount) + value(a.OutputAudioTokenCount)
			facts.Total = facts.Input + facts.Output
			facts.Seconds, facts.Characters = value(a.DurationSeconds), value(a.CharacterCount)
		}
	case metering.EndpointVideo:
		var v metering.Video
		if err = json.Unmarshal(rec.Body, &v); err == nil {
			facts.call(&v.Call)
			facts.Seconds = v.DurationSeconds
		}
	case metering.EndpointToolEvents:
		var t metering.ToolEvent
		if err = json.Unmarshal(rec.Body, &t); err == nil {
			facts.Model, facts.Operation, facts.Call = t.ToolID, t.Operation, t.Timestamp.Time
			facts.Organization, facts.Product = t.OrganizationName, t.ProductName
		}
	}
	if err != nil {
		return facts, fmt.Errorf("ledger: reading record %s: %w", rec.TransactionID, err)
	}
	return facts, nil
}

// call takes what all records of AI calls have.
func (f *Facts) call(c *metering.Call) {
	f.Model, f.Provider, f.Operation, f.Call = c.Model, c.Provider, string(c.OperationType), c.RequestTime.Time
	f.Organization, f.Product, f.Environment = c.OrganizationName, c.ProductName, c.Environment
}

// value is what p points to, or zero.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
