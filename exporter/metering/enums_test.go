// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEnumerations compares the constants with the lists of the API reference,
// typed in by hand.
func TestEnumerations(t *testing.T) {
	for _, tc := range []struct {
		name   string
		values string
		valid  func(string) bool
	}{
		{
			"stopReason", "END END_SEQUENCE TIMEOUT TOKEN_LIMIT COST_LIMIT COMPLETION_LIMIT ERROR CANCELLED",
			func(s string) bool { return StopReason(s).Valid() },
		},
		{
			"operationType", `CHAT GENERATE EMBED CLASSIFY SUMMARIZE TRANSLATE TOOL_CALL RERANK SEARCH MODERATION
				VISION TRANSFORM GUARDRAIL AUDIO VIDEO IMAGE OTHER`,
			func(s string) bool { return OperationType(s).Valid() },
		},
		{"costType", "AI", func(s string) bool { return CostType(s).Valid() }},
		{"pricingTier", "STANDARD BATCH", func(s string) bool { return PricingTier(s).Valid() }},
		{
			"billingUnit", "PER_IMAGE PER_MINUTE PER_SECOND PER_CHARACTER PER_TOKEN CREDITS",
			func(s string) bool { return BillingUnit(s).Valid() },
		},
		{
			"skipReason of completions", `FREE_TIER RATE_LIMITED QUOTA_EXCEEDED CONTENT_POLICY_VIOLATION
				CAPACITY_UNAVAILABLE SERVICE_UNAVAILABLE`,
			func(s string) bool { return SkipReason(s).validForCompletions() && SkipReason(s).Valid() },
		},
		{
			"skipReason of media", "FREE_TIER RATE_LIMITED ERROR_RESPONSE INTERNAL_TEST",
			func(s string) bool { return SkipReason(s).validForMedia() && SkipReason(s).Valid() },
		},
		{
			"completionStatus", "SUCCESS PARTIAL_TIMEOUT FAILED",
			func(s string) bool { return CompletionStatus(s).Valid() },
		},
		{"skillKind", "workflow", func(s string) bool { return SkillKind(s).Valid() }},
		{
			"skillSource", "bundled projectSettings userSettings plugin",
			func(s string) bool { return SkillSource(s).Valid() },
		},
	} {
		for v := range strings.FieldsSeq(tc.values) {
			if !tc.valid(v) {
				t.Errorf("%s: %q is not valid", tc.name, v)
			}
			for _, bad := range []string{v + "X", strings.ToLower(v) + "_", " " + v} {
				if tc.valid(bad) {
					t.Errorf("%s: %q is valid", tc.name, bad)
				}
			}
		}
		if tc.valid("") {
			t.Errorf("%s: the empty value is valid", tc.name)
		}
	}
}

func TestUnknownEnumerationValues(t *testing.T) {
	for _, tc := range []struct {
		field  string
		set    func(*Completion)
		want   string
		change []Change
	}{
		{"operationType", func(c *Completion) { c.OperationType = "DREAM" }, "OTHER", []Change{{"operationType", Replaced, reasonUnknown}}},
		{"operationType", func(c *Completion) { c.OperationType = "embed" }, "EMBED", []Change{{"operationType", Replaced, reasonCase}}},
		{"operationType", func(c *Completion) { c.OperationType = "" }, "", nil},
		{"stopReason", func(c *Completion) { c.StopReason = "BORED" }, "END", []Change{{"stopReason", Replaced, reasonUnknown}}},
		{"stopReason", func(c *Completion) { c.StopReason = "error " }, "ERROR", []Change{{"stopReason", Replaced, reasonCase}}},
		{"stopReason", func(c *Completion) { c.StopReason = "" }, "END", nil},
		{"costType", func(c *Completion) { c.CostType = "SMS" }, "AI", []Change{{"costType", Replaced, reasonUnknown}}},
		{"pricingTier", func(c *Completion) { c.PricingTier = "GOLD" }, "", []Change{{"pricingTier", Dropped, reasonUnknown}}},
		{"pricingTier", func(c *Completion) { c.PricingTier = "batch" }, "BATCH", []Change{{"pricingTier", Replaced, reasonCase}}},
		{"skipReason", func(c *Completion) { c.SkipReason = SkipInternalTest }, "", []Change{{"skipReason", Dropped, reasonUnknown}}},
		{"skillKind", func(c *Completion) { c.SkillKind = "tool" }, "", []Change{{"skillKind", Dropped, reasonUnknown}}},
		{"skillSource", func(c *Completion) { c.SkillSource = "projectsettings" }, "", []Change{{"skillSource", Dropped, reasonUnknown}}},
	} {
		rec := typicalCompletion()
		tc.set(rec)
		before := *rec
		_, changes := mustFreeze(t, rec)
		if diff := cmp.Diff(tc.change, changes); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.field, diff)
		}
		if got := field(t, rec, tc.field); got != tc.want {
			t.Errorf("%s of %+v is sent as %q, want %q", tc.field, before, got, tc.want)
		}
	}
}

func TestEndpoints(t *testing.T) {
	want := []Endpoint{
		"/meter/v2/ai/completions", "/meter/v2/ai/images", "/meter/v2/ai/audio", "/meter/v2/ai/video",
		"/meter/v2/tool/events",
	}
	if diff := cmp.Diff(want, Endpoints()); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
	for _, e := range want {
		if !e.Valid() {
			t.Errorf("%q is not valid", e)
		}
	}
	for _, e := range []Endpoint{"", "/meter/v2/ai", "https://elsewhere.example/"} {
		if e.Valid() {
			t.Errorf("%q is valid", e)
		}
	}
}

func TestListsOfEnumerations(t *testing.T) {
	for _, o := range OperationTypes() {
		if !o.Valid() {
			t.Errorf("%q is in the list of operation types and not valid", o)
		}
	}
	for _, s := range StopReasons() {
		if !s.Valid() {
			t.Errorf("%q is in the list of stop reasons and not valid", s)
		}
	}
	if o, s := len(OperationTypes()), len(StopReasons()); o != 17 || s != 8 {
		t.Errorf("%d operation types and %d stop reasons, want 17 and 8", o, s)
	}
}
