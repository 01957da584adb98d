// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// TestBadInput: what no instrumentation should write. Each gets a decision with a
// reason, and what is billed can be frozen.
func TestBadInput(t *testing.T) {
	edit := func(change func(s *span), keysAndValues ...any) *span {
		s := chat(keysAndValues...)
		if change != nil {
			change(s)
		}
		return s
	}
	many := func(s *span) {
		for i := range 10_000 {
			s.attrs = append(s.attrs, with(fmt.Sprintf("gen_ai.prompt.%d.content", i), "text")...)
		}
	}
	noModel := []any{"gen_ai.request.model", nil, "gen_ai.response.model", nil}
	noUsage := []any{"gen_ai.usage.input_tokens", nil, "gen_ai.usage.output_tokens", nil}
	tests := map[string]struct {
		span   *span
		kind   convert.DecisionKind
		reason convert.Reason
		note   string // a field that must be reported
	}{
		"blank model":         {edit(nil, "gen_ai.request.model", " ", "gen_ai.response.model", ""), convert.Skipped, convert.ReasonInvalidModel, ""},
		"no model":            {edit(nil, noModel...), convert.Skipped, convert.ReasonInvalidModel, ""},
		"model none":          {edit(nil, "gen_ai.request.model", "none", "gen_ai.response.model", nil), convert.Skipped, convert.ReasonInvalidModel, ""},
		"no usage":            {edit(nil, noUsage...), convert.Skipped, convert.ReasonNoUsage, ""},
		"all zero usage":      {edit(nil, "gen_ai.usage.input_tokens", 0, "gen_ai.usage.output_tokens", 0), convert.Skipped, convert.ReasonNoUsage, ""},
		"negative input":      {edit(nil, "gen_ai.usage.input_tokens", -5, "gen_ai.usage.output_tokens", nil), convert.Skipped, convert.ReasonInvalidTokens, "inputTokenCount"},
		"negative, one side":  {edit(nil, "gen_ai.usage.input_tokens", -5), convert.Billed, convert.ReasonUsage, "inputTokenCount"},
		"absurd input":        {edit(nil, "gen_ai.usage.input_tokens", math.MaxInt64, "gen_ai.usage.output_tokens", nil), convert.Skipped, convert.ReasonInvalidTokens, "inputTokenCount"},
		"absurd sum":          {edit(nil, "gen_ai.usage.input_tokens", 1<<53, "gen_ai.usage.output_tokens", 1<<53), convert.Skipped, convert.ReasonInvalidTokens, ""},
		"fraction":            {edit(nil, "gen_ai.usage.input_tokens", 1.5, "gen_ai.usage.output_tokens", nil), convert.Skipped, convert.ReasonInvalidTokens, "inputTokenCount"},
		"not a number":        {edit(nil, "gen_ai.usage.input_tokens", math.NaN()), convert.Billed, convert.ReasonUsage, "inputTokenCount"},
		"infinite":            {edit(nil, "gen_ai.usage.output_tokens", math.Inf(1)), convert.Billed, convert.ReasonUsage, "outputTokenCount"},
		"text for tokens":     {edit(nil, "gen_ai.usage.input_tokens", "many"), convert.Billed, convert.ReasonUsage, "inputTokenCount"},
		"digits":              {edit(nil, "gen_ai.usage.input_tokens", "100"), convert.Billed, convert.ReasonUsage, ""},
		"None":                {edit(nil, "gen_ai.usage.input_tokens", "None"), convert.Billed, convert.ReasonUsage, ""},
		"list for tokens":     {edit(nil, "gen_ai.usage.input_tokens", []string{"1"}), convert.Billed, convert.ReasonUsage, "inputTokenCount"},
		"bytes for a model":   {edit(nil, "gen_ai.response.model", [2]byte{1, 2}), convert.Billed, convert.ReasonUsage, "model"},
		"no ids":              {edit(func(s *span) { s.trace = [16]byte{} }), convert.Skipped, convert.ReasonInvalidIDs, ""},
		"no span id":          {edit(func(s *span) { s.id = [8]byte{} }), convert.Skipped, convert.ReasonInvalidIDs, ""},
		"no times":            {edit(func(s *span) { s.start, s.end = time.Time{}, time.Time{} }), convert.Skipped, convert.ReasonInvalidTimes, ""},
		"no start":            {edit(func(s *span) { s.start = time.Time{} }), convert.Billed, convert.ReasonUsage, "requestTime"},
		"no end":              {edit(func(s *span) { s.end = time.Time{} }), convert.Billed, convert.ReasonUsage, "responseTime"},
		"ends before start":   {edit(func(s *span) { s.end = s.start.Add(-time.Hour) }), convert.Billed, convert.ReasonUsage, "responseTime"},
		"five-digit year":     {edit(func(s *span) { s.start = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC); s.end = s.start }), convert.Skipped, convert.ReasonInvalidTimes, ""},
		"10,000 attributes":   {edit(many), convert.Billed, convert.ReasonUsage, ""},
		"invalid UTF-8":       {edit(nil, "revenium.organization.name", "Acme\xff"), convert.Billed, convert.ReasonUsage, ""},
		"a megabyte of name":  {edit(nil, "revenium.trace.name", strings.Repeat("x", 1<<20)), convert.Billed, convert.ReasonUsage, ""},
		"a megabyte of model": {edit(nil, "gen_ai.response.model", strings.Repeat("x", 1<<20)), convert.Billed, convert.ReasonUsage, ""},
		"cache above input":   {edit(nil, "gen_ai.usage.cache_read.input_tokens", 5000), convert.Billed, convert.ReasonUsage, "inputTokenCount"},
		"reasoning above":     {edit(nil, "gen_ai.usage.reasoning.output_tokens", 5000), convert.Billed, convert.ReasonUsage, "reasoningTokenCount"},
		"flag for skip":       {edit(nil, "revenium.metering.skip", "yes"), convert.Billed, convert.ReasonUsage, ""},
		"opted out":           {edit(nil, "revenium.metering.skip", true), convert.Skipped, convert.ReasonOptedOut, ""},
		"opted out as text":   {edit(nil, "revenium.metering.skip", "true"), convert.Skipped, convert.ReasonOptedOut, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := decide(t, tt.span)
			if d.Kind != tt.kind || d.Reason != tt.reason {
				t.Fatalf("got %v (%s), want %v (%s); notes %v", d.Kind, d.Reason, tt.kind, tt.reason, d.Notes)
			}
			if tt.note != "" && !noted(d, tt.note) {
				t.Errorf("%s is not reported: %v", tt.note, d.Notes)
			}
			checkSendable(t, d)
		})
	}
}

func noted(d convert.Decision, field string) bool {
	for _, n := range d.Notes {
		if n.Field == field {
			return true
		}
	}
	return false
}

// checkSendable freezes what is billed and looks at what the API insists on.
func checkSendable(tb testing.TB, d convert.Decision) {
	tb.Helper()
	if (d.Record != nil) != (d.Kind == convert.Billed) {
		tb.Fatalf("%v with record %v", d.Kind, d.Record)
	}
	if d.Reason == "" {
		tb.Fatalf("%v without a reason", d.Kind)
	}
	if d.Record == nil {
		return
	}
	frozen, _, err := metering.Freeze(d.Record)
	if err != nil {
		// Times that nothing can have been measured at are found out here.
		invalid, ok := errors.AsType[*metering.InvalidRecordError](err)
		if !ok || len(invalid.Problems) == 0 || invalid.Problems[0].Field != "requestTime" {
			tb.Fatalf("what is billed cannot be sent: %v", err)
		}
		return
	}
	c := d.Record.(*metering.Completion)
	if c.Model == "" || c.Provider == "" || c.TransactionID == "" || c.InputTokenCount < 0 || c.OutputTokenCount < 0 || len(frozen.Body) > 64<<10 {
		tb.Fatalf("record %s", frozen.Body[:min(len(frozen.Body), 2000)])
	}
}

func TestZeroUsageOnRequest(t *testing.T) {
	s := chat("gen_ai.usage.input_tokens", nil, "gen_ai.usage.output_tokens", nil)
	c, d := billed(t, s, convert.WithZeroUsage())
	if d.Reason != convert.ReasonNoUsage || c.InputTokenCount != 0 || c.Attributes["revenium.usage.missing"] != true {
		t.Errorf("got %s, %d tokens, attributes %v", d.Reason, c.InputTokenCount, c.Attributes)
	}
}

// TestNotesHoldNoValues: notes go to logs and metrics.
func TestNotesHoldNoValues(t *testing.T) {
	const secret = "rev_mk_test_secret_value"
	s := chat("gen_ai.usage.input_tokens", secret, "revenium.operation.type", secret, "gen_ai.response.finish_reasons", []string{secret},
		"revenium.billing.skipped", secret, "revenium.retry.number", secret)
	_, d := billed(t, s)
	if len(d.Notes) < 4 {
		t.Fatalf("notes %v", d.Notes)
	}
	for _, n := range d.Notes {
		if strings.Contains(n.String(), secret) {
			t.Errorf("the note %q holds a value", n)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	bad := map[string]struct {
		option convert.Option
		names  string
	}{
		"error policy":       {convert.WithErrorRecords(9), "error policy 9"},
		"id scheme":          {convert.WithIDScheme(9), "id scheme 9"},
		"settle window":      {convert.WithSettleWindow(0), "settle window"},
		"held":               {convert.WithMaxHeld(0), "held spans"},
		"recent":             {convert.WithRecent(0, time.Minute), "remembered spans"},
		"recent age":         {convert.WithRecent(1, 0), "remembered spans"},
		"wire input":         {convert.WithWireInput("openai", 9), `"openai"`},
		"scope input":        {convert.WithScopeInput("x", 9), `"x"`},
		"operation type":     {convert.WithOperationType("dance", "DANCE"), `"DANCE"`},
		"stop reason":        {convert.WithStopReason("bored", "BORED"), `"BORED"`},
		"unknown operations": {convert.WithUnknownOperations("DANCE"), `"DANCE"`},
		"opt-in alias":       {convert.WithOptInAliases("organizationName"), `"organizationName"`},
		"default of nothing": {convert.WithDefault("nothing", "x", convert.OriginDefault), `"nothing"`},
		"default of an id":   {convert.WithDefault("transactionId", "x", convert.OriginDefault), `"transactionId"`},
		"default not number": {convert.WithDefault("temperature", "warm", convert.OriginDefault), `"temperature"`},
	}
	for name, tt := range bad {
		t.Run(name, func(t *testing.T) {
			_, err := convert.New(tt.option)
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), tt.names) || !strings.HasPrefix(err.Error(), "convert: ") {
				t.Errorf("the error does not name %s: %v", tt.names, err)
			}
		})
	}
	t.Run("all at once", func(t *testing.T) {
		_, err := convert.New(convert.WithMaxHeld(0), convert.WithIDScheme(9), nil)
		if err == nil || !strings.Contains(err.Error(), "held") || !strings.Contains(err.Error(), "scheme") {
			t.Errorf("not all problems are named: %v", err)
		}
	})
}

func TestUnknownOperationsOnRequest(t *testing.T) {
	s := chat("gen_ai.operation.name", "meditate")
	if got := bill(t, s, convert.WithUnknownOperations(metering.OperationOther)).OperationType; got != metering.OperationOther {
		t.Errorf("operation type = %s", got)
	}
	if got := bill(t, s, convert.WithOperationType("Meditate", metering.OperationTransform)).OperationType; got != metering.OperationTransform {
		t.Errorf("operation type = %s", got)
	}
	bare := chat("gen_ai.operation.name", "meditate", "gen_ai.provider.name", nil)
	if d := decide(t, bare, convert.WithUnknownOperations(metering.OperationOther)); d.Kind != convert.Skipped {
		t.Errorf("an unknown operation of an unknown provider: %v (%s)", d.Kind, d.Reason)
	}
}

// TestRelease: a record that was given back is not found in the next one.
func TestRelease(t *testing.T) {
	c := newConverter(t)
	for i := range 100 {
		s := chat("revenium.subscriber.id", "somebody", "gen_ai.usage.cache_read.input_tokens", 7, "revenium.billing.skipped", true)
		if i%2 == 1 {
			s = chat()
		}
		s.id[0] = byte(i)
		d := c.Convert(nil, s)[0]
		if r := d.Record.(*metering.Completion); i%2 == 1 && (r.Subscriber != nil || r.CacheReadTokenCount != nil || r.BillingSkipped != nil) {
			t.Fatalf("the record has something of another one: %+v", r)
		}
		d.Release()
		d.Release() // harmless
		if d.Record != nil {
			t.Fatal("a released decision has a record")
		}
	}
}

// TestRerankBySearchUnits: units that the API has no field for are no usage; only
// on request is there a record, without tokens.
func TestRerankBySearchUnits(t *testing.T) {
	s := call("gen_ai.operation.name", "rerank", "gen_ai.provider.name", "cohere", "gen_ai.request.model", "rerank-v3.5", "revenium.usage.search_units", 1)
	if d := decide(t, s); d.Kind != convert.Skipped || d.Reason != convert.ReasonNoUsage {
		t.Errorf("%v (%s), want skipped", d.Kind, d.Reason)
	}
	if c := bill(t, s, convert.WithZeroUsage()); c.OperationType != metering.OperationRerank || c.InputTokenCount+c.OutputTokenCount+c.TotalTokenCount != 0 {
		t.Errorf("record %+v", c)
	}
}
