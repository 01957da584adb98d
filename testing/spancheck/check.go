// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// compare says what of a case is not as expected.
func compare(got outcome, c *testCase) []string {
	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	want := &c.Expected

	spans := make(map[string]bool)
	billed := make(map[*expectedCall]bool)
	var usages, failures int
	for i := range got.Records {
		r := &got.Records[i]
		if spans[r.SpanID] {
			problem("span %s: billed twice", r.SpanID)
		}
		spans[r.SpanID] = true
		if r.usage() {
			usages++
		} else if failed(r.fields.StopReason) {
			failures++
		}
		call := want.call(r.SpanID, billed)
		switch {
		case call == nil:
			problem("span %s: billed (%s), but is no expected call%s", r.SpanID, r.Reason, want.why(r.SpanID))
		case billed[call]:
			problem("span %s: the call of span %s is billed twice", r.SpanID, call.SpanID)
		default:
			billed[call] = true
			for _, p := range compareCall(r, call) {
				problem("span %s: %s", r.SpanID, p)
			}
		}
	}
	if usages != want.Requests && !slices.Contains(want.RequestsAccept, usages) {
		problem("records with usage: got %d, want %d", usages, want.Requests)
	}
	if failures > want.ErrorCalls {
		problem("records of failed calls: got %d, want at most %d", failures, want.ErrorCalls)
	}
	if len(want.RequestsAccept) == 0 {
		problems = append(problems, compareSum(got, want)...)
	}
	for i := range want.Calls {
		if call := &want.Calls[i]; call.Kind == "usage" && !billed[call] {
			problem("span %s: not billed%s", call.SpanID, got.why(call.SpanID))
		}
	}
	return problems
}

// call returns the expected call that a span may bill for, of several one that is
// not billed yet.
func (e *expectation) call(spanID string, billed map[*expectedCall]bool) *expectedCall {
	var found *expectedCall
	for i := range e.Calls {
		if c := &e.Calls[i]; c.SpanID == spanID || slices.Contains(c.SpanIDAccept, spanID) {
			if !billed[c] {
				return c
			}
			found = c
		}
	}
	return found
}

// why says why no record of a span is expected.
func (e *expectation) why(spanID string) string {
	for _, s := range e.Suppressed {
		if s.SpanID == spanID {
			return ": " + s.Why
		}
	}
	return ""
}

// why says why a span has no record.
func (o *outcome) why(spanID string) string {
	for _, v := range o.Others {
		if v.SpanID == spanID {
			return ": " + v.Decision + " (" + v.Reason + ")"
		}
	}
	return ": no decision about this span"
}

// compareSum adds up the records that carry usage.
func compareSum(got outcome, want *expectation) []string {
	sum := map[string]int64{"input": 0, "output": 0, "cacheRead": 0, "cacheCreation": 0, "reasoning": 0}
	for i := range got.Records {
		f := &got.Records[i].fields
		sum["input"] += f.Total - f.Output
		sum["output"] += f.Output
		sum["cacheRead"] += orZero(f.CacheRead)
		sum["cacheCreation"] += orZero(f.CacheCreation)
		sum["reasoning"] += orZero(f.Reasoning)
	}
	var problems []string
	for _, name := range []string{"input", "output", "cacheRead", "cacheCreation", "reasoning"} {
		if n, ok := want.Sum[name]; ok && n != sum[name] && !want.lenient(name) {
			problems = append(problems, fmt.Sprintf("sum of %s: got %d, want %d", name, sum[name], n))
		}
	}
	return problems
}

// lenient reports whether a call has several right readings of a count.
func (e *expectation) lenient(name string) bool {
	for i := range e.Calls {
		c := &e.Calls[i]
		if len(c.TokensAccept) > 0 || c.optional("tokens."+name) {
			return true
		}
	}
	return false
}

// compareCall says what of a record is not as the call expects it.
func compareCall(r *record, want *expectedCall) []string {
	var problems []string
	differs := func(field string, got, want any) {
		problems = append(problems, fmt.Sprintf("%s: got %v, want %v", field, got, want))
	}
	f := &r.fields
	if accepted := append([]string{want.Provider}, want.ProviderAccept...); !providerIs(f.Provider, accepted) {
		differs("provider", f.Provider, strings.Join(accepted, " or "))
	}
	if models := append([]string{want.Model}, want.ModelAccept...); !slices.Contains(models, f.Model) {
		differs("model", f.Model, strings.Join(models, " or "))
	}
	if f.OperationType != want.OperationType {
		differs("operationType", f.OperationType, want.OperationType)
	}
	if r.Endpoint == "/meter/v2/ai/completions" {
		if stops := append([]string{want.StopReason}, want.StopAccept...); !slices.Contains(stops, f.StopReason) {
			if want.Kind != "error" || !failed(f.StopReason) {
				differs("stopReason", f.StopReason, strings.Join(stops, " or "))
			}
		}
	}
	if want.Streamed == nil && f.IsStreamed && !want.optional("streamed") || want.Streamed != nil && *want.Streamed != f.IsStreamed {
		differs("streamed", f.IsStreamed, show(want.Streamed))
	}
	problems = append(problems, compareTimes(f, want)...)
	problems = append(problems, compareDetails(f, want)...)
	problems = append(problems, compareAttribution(f, want)...)
	return append(problems, compareTokens(r, want)...)
}

func compareTimes(f *fields, want *expectedCall) []string {
	const tolerance = 2
	var problems []string
	got := f.TimeToFirstToken
	switch {
	case got == nil && (want.TTFTMs == nil || want.optional("ttftMs")):
	case got != nil && want.TTFTMs != nil && max(*got-*want.TTFTMs, *want.TTFTMs-*got) <= tolerance:
	case got != nil && want.TTFTMs == nil && want.optional("ttftMs"):
	default:
		problems = append(problems, fmt.Sprintf("timeToFirstToken: got %s, want %s", show(got), show(want.TTFTMs)))
	}
	if want.DurationMs != nil && max(f.Duration-*want.DurationMs, *want.DurationMs-f.Duration) > tolerance {
		problems = append(problems, fmt.Sprintf("requestDuration: got %d, want %d", f.Duration, *want.DurationMs))
	}
	return problems
}

func compareDetails(f *fields, want *expectedCall) []string {
	var problems []string
	number := func(field string, got, want *int64) {
		if want != nil && (got == nil || *got != *want) {
			problems = append(problems, fmt.Sprintf("%s: got %s, want %s", field, show(got), show(want)))
		}
	}
	text := func(field, got, want string) {
		if want != "" && got != want {
			problems = append(problems, fmt.Sprintf("%s: got %q, want %q", field, got, want))
		}
	}
	if want.Kind == "error" {
		number("errorCode", f.ErrorCode, want.HTTPStatus)
	}
	number("retryNumber", f.RetryNumber, want.RetryNumber)
	text("effort", f.Effort, want.Effort)
	text("actualServiceTier", f.ServiceTier, want.ServiceTier)
	return problems
}

// compareAttribution checks what is written under Revenium's own names; the other
// names are read on request only.
func compareAttribution(f *fields, want *expectedCall) []string {
	who := f.Subscriber
	if who == nil {
		who = &person{}
	}
	var problems []string
	for key, value := range want.Attribution {
		got, known := map[string]string{
			"revenium.organization.name": f.Organization, "revenium.organization": f.Organization,
			"revenium.product.name": f.Product,
			"revenium.agent.name":   f.Agent, "revenium.agent": f.Agent,
			"revenium.task.type":        f.TaskType,
			"revenium.subscriber.id":    who.ID,
			"revenium.subscriber.email": who.Email,
		}[key]
		if known && got != value {
			problems = append(problems, fmt.Sprintf("%s: got %q, want %q", key, got, value))
		}
	}
	slices.Sort(problems)
	return problems
}

// compareTokens accepts any of the readings of a call's tokens.
func compareTokens(r *record, want *expectedCall) []string {
	if want.Tokens == nil {
		if r.usage() {
			return []string{fmt.Sprintf("tokens: got %d in and %d out, want none", r.fields.Input, r.fields.Output)}
		}
		return nil
	}
	first := compareReading(&r.fields, want.Tokens, want)
	if len(first) == 0 {
		return nil
	}
	for i := range want.TokensAccept {
		if len(compareReading(&r.fields, &want.TokensAccept[i], want)) == 0 {
			return nil
		}
	}
	return first
}

func compareReading(f *fields, want *tokens, call *expectedCall) []string {
	var problems []string
	count := func(name string, got, want *int64) {
		same := got == nil && want == nil || got != nil && want != nil && *got == *want
		if !same && (got != nil || !call.optional("tokens."+name)) {
			problems = append(problems, fmt.Sprintf("tokens.%s: got %s, want %s", name, show(got), show(want)))
		}
	}
	gross := f.Total - f.Output
	input, output := orZero(want.Input), orZero(want.Output)
	if gross != input {
		problems = append(problems, fmt.Sprintf("tokens.input: got %d, want %d", gross, input))
	}
	if f.Output != output {
		problems = append(problems, fmt.Sprintf("tokens.output: got %d, want %d", f.Output, output))
	}
	count("cacheRead", f.CacheRead, want.CacheRead)
	count("cacheCreation", f.CacheCreation, want.CacheCreation)
	count("reasoning", f.Reasoning, want.Reasoning)
	if want.CacheCreation5m != nil {
		count("cacheCreation5m", f.CacheCreation5m, want.CacheCreation5m)
		count("cacheCreation1h", f.CacheCreation1h, want.CacheCreation1h)
	}
	uncached := input - orZero(want.CacheRead) - orZero(want.CacheCreation)
	if !wireInputIs(f, input, uncached) {
		problems = append(problems, fmt.Sprintf("inputTokenCount: got %d, of %d with and %d without the cached part", f.Input, input, uncached))
	}
	return problems
}

// wireInputIs checks which input was sent. Native Anthropic is billed without the
// cached part, others with it. What Claude on Bedrock and Vertex AI should be
// billed by nobody has measured, so either is fine there.
func wireInputIs(f *fields, gross, uncached int64) bool {
	switch {
	case f.Provider == "Anthropic":
		return f.Input == uncached
	case strings.Contains(f.Model, "claude"):
		return f.Input == gross || f.Input == uncached
	default:
		return f.Input == gross
	}
}

func (c *expectedCall) optional(path string) bool { return slices.Contains(c.Optional, path) }

// failed reports whether a stop reason is that of a call that failed.
func failed(stop string) bool {
	return slices.Contains([]string{"ERROR", "TIMEOUT", "CANCELLED", "COST_LIMIT"}, stop)
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// show prints what may be nil.
func show(v any) string {
	switch v := v.(type) {
	case *int64:
		if v != nil {
			return strconv.FormatInt(*v, 10)
		}
	case *bool:
		if v != nil {
			return strconv.FormatBool(*v)
		}
	}
	return "none"
}
