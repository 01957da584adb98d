// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/instrument"
)

// TestSpellings lists the spellings of fields in their order: of all from one on,
// that one counts.
func TestSpellings(t *testing.T) {
	for _, names := range [][]string{
		{"organization_name", "organizationName", "organization_id", "organizationId", "organization", "revenium.organization.name", "organization.name", "revenium.organization.id"},
		{"product_name", "productName", "product_id", "productId", "product", "revenium.product.name", "product.name", "revenium.product.id"},
		{"subscription_id", "subscriptionId", "subscription", "revenium.subscription.id"},
		{"subscription_tier", "subscriptionTier", "revenium.subscription_tier"},
		{"subscriber.id", "subscriber_id", "subscriberId", "revenium.subscriber.id"},
		{"subscriber.email", "subscriber_email", "subscriberEmail"},
		{"subscriber.credential.name", "subscriber_credential_name", "subscriberCredentialName", "subscriber.credential_name"},
		{"subscriber.credential.value", "subscriber_credential_value", "subscriberCredentialValue", "subscriber_credential", "subscriberCredential", "subscriber.credential_value"},
		{"subscriber_email_source", "subscriberEmailSource", "subscriber.email_source", "subscriber.emailSource"},
		{"agent", "agent_name", "agentName", "revenium.agent.name", "gen_ai.agent.name"},
		{"agent_version", "agentVersion", "gen_ai.agent.version"},
		{"task_type", "taskType", "revenium.task.type"},
		{"agentic_job_id", "agenticJobId", "job_id", "jobId", "job.id", "revenium.job.id"},
		{"squad_role", "squadRole", "squad.role"},
		{"skill_invocation_trigger", "skillInvocationTrigger", "skill.trigger", "skill_trigger"},
		{"trace_id", "traceId", "revenium.trace.id"},
		{"transaction_name", "transactionName"},
		{"environment", "revenium.environment"},
		{"environment", "deployment.environment.name"},
		{"coding_assistant_account_uuid", "codingAssistantAccountUuid"},
	} {
		flat := map[string]any{}
		for i := range slices.Backward(names) {
			flat[names[i]] = names[i]
			got, err := instrument.FromMap(flat)
			if err != nil {
				t.Errorf("%s: %v", names[i], err)
			}
			if attrs := got.Attributes(); len(attrs) != 1 || attrs[0].Value.AsString() != names[i] {
				t.Errorf("of %v, %v counts", names[i:], attrs)
			}
		}
		// One that has no value does not count.
		flat[names[0]] = "  "
		if got, err := instrument.FromMap(flat); err != nil || got.Attributes()[0].Value.AsString() != names[1] {
			t.Errorf("of a blank %s and others, %v counts, %v", names[0], got.Attributes(), err)
		}
	}
}

func TestFromMap(t *testing.T) {
	type tenant string
	var none *string
	text := "x"
	got, err := instrument.FromMap(map[string]any{
		"organization_id": tenant("Acme"), // a named type
		"product":         42,
		"agent_version":   1.5,
		"ticket_id":       true,
		"trace_id":        netip.MustParseAddr("192.0.2.1"), // has a String method
		"trace_name":      &text,
		"task_type":       nil,
		"region":          none,
		"environment":     "",
		"subscriber": map[string]any{
			"id": uint8(7), "email": "jo@example.com",
			"credential": map[string]string{"name": "team key", "value": secret},
		},
		"subscriber_email":       "other@example.com", // after the nested one
		"job":                    instrument.Job{ID: "j-1", Name: "Invoices"},
		"skill":                  &instrument.Skill{Plugin: "office"},
		"response_quality_score": "0.9",
		"effort":                 json.Number("3"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := instrument.Metadata{
		Organization: "Acme", Product: "42", AgentVersion: "1.5", TicketID: "true", TraceID: "192.0.2.1", TraceName: "x", Effort: "3",
		Subscriber:   instrument.Subscriber{ID: "7", Email: "jo@example.com", CredentialName: "team key", CredentialValue: secret},
		Job:          instrument.Job{ID: "j-1", Name: "Invoices"},
		Skill:        instrument.Skill{Plugin: "office"},
		QualityScore: new(0.9),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if empty, err := instrument.FromMap(nil); err != nil || !empty.IsZero() {
		t.Errorf("of no map: %v, %v", empty, err)
	}
}

func TestFromMapScores(t *testing.T) {
	half := 0.5
	for _, value := range []any{0.5, float32(0.5), "0.5", " 0.5 ", json.Number("0.5"), &half} {
		if m, err := instrument.FromMap(map[string]any{"quality_score": value}); err != nil || m.QualityScore == nil || *m.QualityScore != 0.5 {
			t.Errorf("%T: %v, %v", value, m, err)
		}
	}
	for _, value := range []any{0, int8(0), uint(0), "0"} {
		if m, err := instrument.FromMap(map[string]any{"quality_score": value}); err != nil || m.QualityScore == nil || *m.QualityScore != 0 {
			t.Errorf("%T: %v, %v", value, m, err)
		}
	}
	for _, value := range []any{"", " ", nil} {
		if m, err := instrument.FromMap(map[string]any{"quality_score": value}); err != nil || m.QualityScore != nil {
			t.Errorf("%#v: %v, %v", value, m, err)
		}
	}
	for value, problem := range map[any]string{
		"good": "is not a number", true: "has type bool, which is no number", math.NaN(): "is not a finite number", "inf": "is not a finite number",
	} {
		if m, err := instrument.FromMap(map[string]any{"quality_score": value}); err == nil || !strings.Contains(err.Error(), problem) || m.QualityScore != nil {
			t.Errorf("%#v: %v, %v, want an error that it %s", value, m, err, problem)
		}
	}
}

func TestFromMapProblems(t *testing.T) {
	deep := map[string]any{}
	deep["subscriber"] = deep
	m, err := instrument.FromMap(map[string]any{
		"agent":            "planner",
		"organisation":     "Acme",
		"taskType":         []string{"a"},
		"task_type":        "b",
		"retry_number":     2,
		"transactionId":    "t",
		"subscriber":       map[string]any{"id": "u-1", "name": "Jo", "credential": secret},
		"subscriber_email": time.Second, // has a String method
		"credential_alias": struct{ Key string }{secret},
	})
	if diff := cmp.Diff(instrument.Metadata{Agent: "planner", TaskType: "b", Subscriber: instrument.Subscriber{ID: "u-1", Email: "1s"}}, m); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	invalid, _ := errors.AsType[*instrument.MetadataError](err)
	if invalid == nil {
		t.Fatalf("error %v, want a MetadataError", err)
	}
	const perCall = "is that of a single call: pass WithTransactionID, WithParentTransactionID or WithRetryNumber to the call"
	want := []instrument.FieldError{
		{Field: "credentialAlias", Value: `"{cred-1a2b3c}"`, Problem: "has type struct { Key string }, which is no text, given as credential_alias"},
		{Field: "organisation", Problem: "is no field of metadata"},
		{Field: "retry_number", Problem: perCall},
		{Field: "subscriber.credential", Problem: "is no field of metadata"},
		{Field: "subscriber.name", Problem: "is no field of metadata"},
		{Field: "transactionId", Problem: perCall},
	}
	if diff := cmp.Diff(want, invalid.Fields); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if _, err := instrument.FromMap(deep); err == nil || !strings.Contains(err.Error(), "is nested too deeply") {
		t.Errorf("a map in itself: error %v", err)
	}
	if _, err := instrument.FromMap(map[string]any{"subscriber_credential": []string{secret}}); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a credential of the wrong type: error %v", err)
	}
}

type account struct {
	ID    int     `revenium:"id"`
	Email *string `revenium:"email"`
	Key   credential
	Cred  *credential `revenium:"credential"`
}

type credential struct {
	Name  string            `revenium:"name"`
	Value instrument.Secret `revenium:"value"`
}

// String must not hide the tags.
func (credential) String() string { return "a credential" }

type base struct {
	Tenant string `revenium:"organization_id"`
}

type ticket struct {
	base
	*credential                    // nil
	Product     fmt.Stringer       `revenium:"product"`
	User        account            `revenium:"subscriber"`
	Score       float64            `revenium:"quality_score"`
	Squad       instrument.Squad   `revenium:"squad"`
	Labels      map[string]string  `revenium:"job"`
	Ignored     string             `revenium:"-"`
	Untagged    map[string]float64 // whatever it is
	Due         time.Duration      `revenium:"ticket_id"`
}

func TestFromStruct(t *testing.T) {
	email := "jo@example.com"
	in := ticket{
		base: base{Tenant: "Acme"}, Product: netip.MustParseAddr("192.0.2.1"), Ignored: "x", Due: time.Second,
		User:  account{ID: 7, Email: &email, Key: credential{Name: "no"}, Cred: &credential{Name: "team key", Value: secret}},
		Squad: instrument.Squad{Role: "reviewer"}, Labels: map[string]string{"id": "j-1"},
	}
	want := instrument.Metadata{
		Organization: "Acme", Product: "192.0.2.1", TicketID: "1s",
		Subscriber: instrument.Subscriber{ID: "7", Email: "jo@example.com", CredentialName: "team key", CredentialValue: secret},
		Squad:      instrument.Squad{Role: "reviewer"}, Job: instrument.Job{ID: "j-1"},
	}
	pointer := &in
	for _, v := range []any{in, &in, &pointer} {
		got, err := instrument.FromStruct(v)
		if err != nil {
			t.Errorf("%T: %v", v, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%T (-want +got):\n%s", v, diff)
		}
	}
	var none *ticket
	for _, v := range []any{nil, none, ticket{}, struct{ A int }{1}} {
		if got, err := instrument.FromStruct(v); err != nil || !got.IsZero() {
			t.Errorf("%T: %v, %v", v, got, err)
		}
	}
	if _, err := instrument.FromStruct("text"); err == nil || !strings.Contains(err.Error(), "string is no struct") {
		t.Errorf("a text: error %v", err)
	}
	_, err := instrument.FromStruct(struct {
		agent string `revenium:"agent"`
		Wrong string `revenium:"organisation"`
	}{"a", "b"})
	if err == nil || !strings.Contains(err.Error(), "agent is the tag of an unexported struct field") || !strings.Contains(err.Error(), "organisation is no field") {
		t.Errorf("bad tags: error %v", err)
	}
}

func FuzzFromJSON(f *testing.F) {
	f.Add(`{"organization_id":"Acme","subscriber":{"id":1,"credential":{"value":"x"}},"quality_score":"1e400"}`)
	f.Add(`{"subscriber":{"subscriber":{}},"":null,"a.b":[1,{}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var m instrument.Metadata
		if json.Unmarshal([]byte(text), &m) != nil {
			return
		}
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back instrument.Metadata
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if diff := cmp.Diff(attributes(m.Attributes()), attributes(back.Attributes())); diff != "" {
			t.Errorf("round trip (-want +got):\n%s", diff)
		}
	})
}
