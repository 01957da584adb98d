// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"encoding/json"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv"
)

// sample returns two values that a field can have, as an attribute and as they
// stand in the record.
func sample(name string) (attributes [2]any, want [2]any, ok bool) {
	switch name {
	case "responseQualityScore", "inputTokenCost", "outputTokenCost", "cacheReadTokenCost", "cacheCreationTokenCost",
		"totalCost", "costMultiplier", "temperature":
		return [2]any{0.25, 0.5}, [2]any{0.25, 0.5}, true
	case "retryNumber", "promptLength", "mediationLatency":
		return [2]any{3, 4}, [2]any{3.0, 4.0}, true
	case "billingSkipped":
		return [2]any{true, false}, [2]any{true, false}, true
	case "operationType":
		return [2]any{"SUMMARIZE", "TRANSLATE"}, [2]any{"SUMMARIZE", "TRANSLATE"}, true
	case "pricingTier":
		return [2]any{"BATCH", "STANDARD"}, [2]any{"BATCH", "STANDARD"}, true
	case "skipReason":
		return [2]any{"FREE_TIER", "RATE_LIMITED"}, [2]any{"FREE_TIER", "RATE_LIMITED"}, true
	case "skillKind":
		return [2]any{"workflow", "workflow"}, [2]any{"workflow", "workflow"}, true
	case "skillSource":
		return [2]any{"bundled", "plugin"}, [2]any{"bundled", "plugin"}, true
	// These are worked out from attributes with tests of their own, or are content.
	case "provider", "model", "inputTokenCount", "outputTokenCount", "totalTokenCount", "cacheReadTokenCount",
		"cacheCreationTokenCount", "cacheCreation5mTokenCount", "cacheCreation1hTokenCount", "reasoningTokenCount",
		"isStreamed", "timeToFirstToken", "completionStartTime", "requestTime", "responseTime", "requestDuration",
		"stopReason", "errorReason", "errorCode", "systemPrompt", "inputMessages", "outputResponse":
		return attributes, want, false
	default:
		return [2]any{"first", "second"}, [2]any{"first", "second"}, true
	}
}

// sent freezes the record of a span and returns the value of a field on the wire,
// nil where it is not sent.
func sent(t *testing.T, s convert.Span, field string, opts ...convert.Option) any {
	t.Helper()
	frozen, _, err := metering.Freeze(bill(t, s, opts...))
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(frozen.Body, &value); err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(field, ".") {
		object, _ := value.(map[string]any)
		value = object[part]
	}
	return value
}

// TestEveryAttributionField checks each field of the registry: by its key, by each
// of its aliases, with the key before the aliases and the aliases in their order.
// TestHeadersOfSpanAbove: the span of the request in which a call was made shows its
// headers, which say who pays for the call where they are believed. What is that of a
// single call is none of them.
func TestHeadersOfSpanAbove(t *testing.T) {
	for _, order := range [][]string{{"request", "call"}, {"call", "request"}} {
		for want, opts := range map[string][]convert.Option{"": nil, "Acme": {convert.WithTrustedHeaders()}} {
			tree := newTree(t)
			tree.add("request", "", 0, 1000, "http.request.method", "POST", "http.request.header.x-revenium-organization-name", []string{"Acme"},
				"http.request.header.x-revenium-transaction-id", "one-for-all")
			tree.add("call", "request", 10, 900, usage("gpt-4o", 9, 3)...)
			batch := newConverter(t, opts...).NewBatch()
			var decisions []convert.Decision
			for _, s := range tree.order(order) {
				decisions = batch.Convert(decisions, s)
			}
			decisions = batch.End(decisions)
			c, ok := decisions[len(decisions)-1].Record.(*metering.Completion)
			if !ok {
				t.Fatalf("%v: decisions %+v", order, decisions)
			}
			if c.OrganizationName != want || c.TransactionID == "one-for-all" {
				t.Errorf("%v: organization %q, want %q; transaction %q", order, c.OrganizationName, want, c.TransactionID)
			}
		}
	}
}

func TestEveryAttributionField(t *testing.T) {
	tested := 0
	for _, f := range semconv.Fields() {
		values, want, ok := sample(f.Name)
		if !ok {
			continue
		}
		tested++
		t.Run(f.Name, func(t *testing.T) {
			keys := append([]attribute.Key{f.Key}, f.Aliases...)
			for i, key := range keys {
				if unitOfItsOwn(key) {
					continue
				}
				if got := sent(t, chat(string(key), values[0]), f.Name); got != want[0] {
					t.Errorf("%s: got %v, want %v", key, got, want[0])
				}
				if i == 0 || f.Name == "skillKind" {
					continue
				}
				better := chat(string(key), values[1], string(keys[i-1]), values[0])
				if got := sent(t, better, f.Name); got != want[0] && !unitOfItsOwn(keys[i-1]) {
					t.Errorf("%s before %s: got %v, want %v", keys[i-1], key, got, want[0])
				}
			}
			for _, key := range f.OptInAliases {
				s := chat(string(key), values[0])
				if got := sent(t, s, f.Name); got == want[0] {
					t.Errorf("%s is read although nobody asked for it", key)
				}
				if got := sent(t, s, f.Name, convert.WithOptInAliases(f.Name)); got != want[0] {
					t.Errorf("%s on request: got %v, want %v", key, got, want[0])
				}
			}
		})
	}
	if tested < 45 {
		t.Errorf("only %d fields were tested", tested)
	}
}

// unitOfItsOwn: the alias holds another type than the field.
func unitOfItsOwn(key attribute.Key) bool { return key == "http.request.resend_count" }

// TestPrecedence: an attribute of the span before one of its scope, of its
// resource, a default and the environment, field by field.
func TestPrecedence(t *testing.T) {
	for _, f := range semconv.Fields() {
		values, want, ok := sample(f.Name)
		if !ok || f.Name == "skillKind" {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			key := string(f.Key)
			text := func(v any) string {
				b, err := json.Marshal(v)
				if err != nil {
					t.Fatal(err)
				}
				return strings.Trim(string(b), `"`)
			}
			if !f.ResourceLevel {
				s := chat()
				s.resource, s.scopeAttrs = with(key, values[0]), with(key, values[0])
				if got := sent(t, s, f.Name); got == want[0] {
					t.Errorf("%s of a resource is taken for all of its calls", key)
				}
				if _, err := convert.New(convert.WithDefault(f.Name, text(values[0]), convert.OriginDefault)); err == nil {
					t.Errorf("there can be a default for %s, which belongs to one call", f.Name)
				}
				return
			}
			levels := []func(s *span, v any) []convert.Option{
				func(s *span, v any) []convert.Option { s.attrs = append(s.attrs, with(key, v)...); return nil },
				func(s *span, v any) []convert.Option { s.scopeAttrs = with(key, v); return nil },
				func(s *span, v any) []convert.Option { s.resource = with(key, v); return nil },
				func(_ *span, v any) []convert.Option {
					return []convert.Option{convert.WithDefault(f.Name, text(v), convert.OriginDefault)}
				},
				func(_ *span, v any) []convert.Option {
					return []convert.Option{convert.WithDefault(f.Name, text(v), convert.OriginEnvironment)}
				},
			}
			for i := range levels {
				s := chat()
				opts := levels[i](s, values[0])
				for _, lower := range levels[i+1:] {
					opts = append(opts, lower(s, values[1])...)
				}
				if got := sent(t, s, f.Name, opts...); got != want[0] {
					t.Errorf("level %d: got %v, want %v", i, got, want[0])
				}
			}
		})
	}
}

// TestSubscriberMergesByPart: id, e-mail and credential can come from different
// levels.
func TestSubscriberMergesByPart(t *testing.T) {
	s := chat("revenium.subscriber.id", "user-1")
	s.resource = with("revenium.subscriber.email", "ops@example.com", "revenium.subscriber.id", "service")
	c := bill(t, s, convert.WithDefault("subscriber.credential.name", "key 7", convert.OriginDefault))
	got := c.Subscriber
	if got == nil || got.ID != "user-1" || got.Email != "ops@example.com" || got.Credential == nil || got.Credential.Name != "key 7" {
		t.Errorf("subscriber = %+v", got)
	}
}

// TestTransactionNameFallsBackToTheTask as in Revenium's own software.
func TestTransactionNameFallsBackToTheTask(t *testing.T) {
	if got := bill(t, chat("revenium.task.type", "triage")).TransactionName; got != "triage" {
		t.Errorf("transaction name = %q, want the task type", got)
	}
	if got := bill(t, chat("revenium.task.type", "triage", "revenium.transaction.name", "ticket 7")).TransactionName; got != "ticket 7" {
		t.Errorf("transaction name = %q, want the one on the span", got)
	}
}

// TestBadAttributionNeverCostsTheRecord: what cannot be sent is left out and
// reported.
func TestBadAttributionNeverCostsTheRecord(t *testing.T) {
	tests := map[string]struct {
		key    string
		value  any
		field  string
		action convert.NoteAction
	}{
		"list":              {"revenium.organization.name", []string{"a", "b"}, "organizationName", convert.NoteDropped},
		"bytes":             {"revenium.organization.name", [3]byte{1, 2, 3}, "organizationName", convert.NoteDropped},
		"text for a number": {"revenium.response.quality_score", "good", "responseQualityScore", convert.NoteDropped},
		"negative retry":    {"revenium.retry.number", -1, "retryNumber", convert.NoteDropped},
		"unknown type":      {"revenium.operation.type", "DANCE", "operationType", convert.NoteDropped},
		"text for a flag":   {"revenium.billing.skipped", "maybe", "billingSkipped", convert.NoteDropped},
		"negative latency":  {"revenium.mediation.latency", -5, "mediationLatency", convert.NoteDropped},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, d := billed(t, chat(tt.key, tt.value))
			for _, n := range d.Notes {
				if n.Field == tt.field && n.Action == tt.action {
					return
				}
			}
			t.Errorf("nothing was reported: %v", d.Notes)
		})
	}
}

// TestBlankIsAbsent: a blank value does not stand before one of a lower level.
func TestBlankIsAbsent(t *testing.T) {
	s := chat("revenium.organization.name", "  ")
	s.resource = with("revenium.organization.name", "Acme")
	if got := bill(t, s).OrganizationName; got != "Acme" {
		t.Errorf("organization = %q, want the resource's", got)
	}
}

// TestHeaderLists: instrumentations that copy headers write lists of one.
func TestHeaderLists(t *testing.T) {
	if got := bill(t, chat("revenium.organization.name", []string{"Acme"})).OrganizationName; got != "Acme" {
		t.Errorf("organization = %q", got)
	}
}

// TestSources: every value says where it came from.
func TestSources(t *testing.T) {
	s := chat("revenium.organization.name", "Acme")
	s.scopeAttrs = with("revenium.agent.name", "triage")
	s.resource = with("deployment.environment.name", "production")
	_, d := billed(t, s, convert.WithSources(),
		convert.WithDefault("productName", "search", convert.OriginDefault),
		convert.WithDefault("region", "eu", convert.OriginEnvironment))
	want := map[string]convert.Source{
		"organizationName": {Field: "organizationName", Attribute: "revenium.organization.name", Origin: convert.OriginSpan},
		"agent":            {Field: "agent", Attribute: "revenium.agent.name", Origin: convert.OriginScope},
		"environment":      {Field: "environment", Attribute: "deployment.environment.name", Origin: convert.OriginResource},
		"productName":      {Field: "productName", Origin: convert.OriginDefault},
		"region":           {Field: "region", Origin: convert.OriginEnvironment},
		"model":            {Field: "model", Attribute: "gen_ai.response.model", Origin: convert.OriginSpan},
		"inputTokenCount":  {Field: "inputTokenCount", Attribute: "gen_ai.usage.input_tokens", Origin: convert.OriginSpan},
	}
	for _, source := range d.Sources {
		if w, ok := want[source.Field]; ok {
			if source != w {
				t.Errorf("source of %s = %+v, want %+v", source.Field, source, w)
			}
			delete(want, source.Field)
		}
	}
	if len(want) > 0 {
		t.Errorf("no sources of %v in %v", want, d.Sources)
	}
}

// TestSourcesAreOfTheRecord: what is only looked at on the way to a record, as an id
// that tells calls apart, is the source of nothing in it.
func TestSourcesAreOfTheRecord(t *testing.T) {
	tree := newTree(t)
	tree.codexEvent("call", 3000, codexEvent(5000, 200, 4096, 64)...)
	tree.codexRequest("refused", 6000, 100, "http.response.status_code", 403)
	tree.add("gateway", "", 0, 300, usage("gpt-4o", 30, 12, "aws.request_id", "6f1c", "litellm.call_id", "c-1",
		"gen_ai.tool.call.id", "t-1", "revenium.usage.partial", true)...)
	c := newConverter(t, convert.WithSources())
	var decisions []convert.Decision
	for _, s := range tree.spans {
		decisions = c.Convert(decisions, s)
	}
	for _, d := range c.Flush(decisions) {
		if d.Kind != convert.Held && len(d.Sources) == 0 {
			t.Errorf("%s: no sources", d.SpanName)
		}
		for _, source := range d.Sources {
			if source.Field == "" {
				t.Errorf("%s: %s (%v) is the source of a field without a name", d.SpanName, source.Attribute, source.Origin)
			}
		}
	}
}
