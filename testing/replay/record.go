// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// expectedCall is the part of expected that decides about the record.
type expectedCall struct {
	API           string   `json:"api"`
	Provider      string   `json:"provider"`
	Operation     string   `json:"operation"`
	Billable      bool     `json:"billable"`
	RequestModel  string   `json:"requestModel"`
	ResponseModel string   `json:"responseModel"`
	Streamed      bool     `json:"streamed"`
	ErrorType     *string  `json:"errorType"`
	StopReason    string   `json:"stopReason"`
	UsageReported bool     `json:"usageReported"`
	Complete      *bool    `json:"complete"`
	Tokens        *tokens  `json:"tokens"`
	ImageCount    *float64 `json:"imageCount"`
	AudioSeconds  *float64 `json:"audioSeconds"`
	Characters    *float64 `json:"inputCharacters"`
	SearchUnits   *float64 `json:"searchUnits"`
}

// failed says whether the call did not come to its proper end.
func (e *expectedCall) failed() bool {
	return e.ErrorType != nil || e.Complete != nil && !*e.Complete
}

// zero says whether nothing was consumed, by the provider's account. Then there is
// nothing to send, whether the account is right or wrong.
func (t *tokens) zero() bool {
	return t != nil && *orZero(t.Input) == 0 && *orZero(t.Output) == 0
}

// otherUnits says whether something else than tokens is charged.
func (e *expectedCall) otherUnits() bool {
	return e.ImageCount != nil || e.AudioSeconds != nil || e.Characters != nil || e.SearchUnits != nil
}

// sentRecord is what is checked of a metering record.
type sentRecord struct {
	OperationType           metering.OperationType `json:"operationType"`
	Model                   string                 `json:"model"`
	Provider                string                 `json:"provider"`
	InputTokenCount         *int64                 `json:"inputTokenCount"`
	OutputTokenCount        *int64                 `json:"outputTokenCount"`
	InputAudioTokenCount    *int64                 `json:"inputAudioTokenCount"`
	OutputAudioTokenCount   *int64                 `json:"outputAudioTokenCount"`
	TotalTokenCount         *int64                 `json:"totalTokenCount"`
	ReasoningTokenCount     *int64                 `json:"reasoningTokenCount"`
	CacheReadTokenCount     *int64                 `json:"cacheReadTokenCount"`
	CacheCreationTokenCount *int64                 `json:"cacheCreationTokenCount"`
	StopReason              string                 `json:"stopReason"`
	IsStreamed              *bool                  `json:"isStreamed"`
	TransactionID           string                 `json:"transactionId"`
}

// compareRecord checks the record that would be sent, which the cases do not
// spell out, against what follows from them: a billable call with usage and a
// failed call have one, a call whose tokens nobody knows has none, and the
// counts are the provider's.
func compareRecord(o outcome, rec *recording) ([]difference, error) {
	want, err := expectationOf(rec)
	if err != nil {
		return nil, err
	}
	wanted := want.Billable && want.UsageReported && !want.Tokens.zero() || want.failed() && want.Operation != ""
	switch {
	case want.otherUnits():
		return nil, nil // the cases do not say what such a record holds
	case !wanted && o.Record != nil:
		return []difference{{Field: "record", Got: string(o.Record), Want: "none"}}, nil
	case !wanted:
		return nil, nil
	case o.Record == nil:
		return []difference{{Field: "record", Got: "none", Want: "one"}}, nil
	}
	var got sentRecord
	if err := json.Unmarshal(o.Record, &got); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	var diffs []difference
	add := func(field string, got, want any) {
		diffs = append(diffs, difference{Field: "record." + field, Got: fmt.Sprint(got), Want: fmt.Sprint(want)})
	}
	if models := billableModels(want); len(models) > 0 && !slices.Contains(models, got.Model) {
		add("model", got.Model, strings.Join(models, " or "))
	}
	if got.TransactionID == "" {
		add("transactionId", "none", "one")
	}
	// A record of another endpoint (audio in text tokens, for one) has none.
	if got.StopReason != "" && got.StopReason != want.StopReason {
		add("stopReason", got.StopReason, want.StopReason)
	}
	if got.IsStreamed != nil && *got.IsStreamed != want.Streamed {
		add("isStreamed", *got.IsStreamed, want.Streamed)
	}
	return append(diffs, compareCounts(got, want)...), nil
}

func expectationOf(rec *recording) (*expectedCall, error) {
	text, err := json.Marshal(rec.Expected)
	if err != nil {
		return nil, fmt.Errorf("expected: %w", err)
	}
	want := new(expectedCall)
	if err := json.Unmarshal(text, want); err != nil {
		return nil, fmt.Errorf("expected: %w", err)
	}
	return want, nil
}

// compareCounts checks the counts on the wire. Required counts are 0 where the
// provider reported none, optional ones are left out.
func compareCounts(got sentRecord, want *expectedCall) []difference {
	if got.InputTokenCount == nil {
		return nil // not a record that counts text tokens
	}
	counts := want.Tokens
	if counts == nil {
		counts = new(tokens)
	}
	var diffs []difference
	check := func(field string, got *int64, accepted ...*int64) {
		for _, a := range accepted {
			if show(got) == show(a) {
				return
			}
		}
		words := make([]string, 0, len(accepted))
		for _, a := range accepted {
			words = append(words, show(a))
		}
		diffs = append(diffs, difference{Field: "record." + field, Got: show(got), Want: strings.Join(words, " or ")})
	}
	if got.OperationType == metering.OperationAudio { // counts text and audio apart
		check("inputTokenCount and inputAudioTokenCount", sum(got.InputTokenCount, got.InputAudioTokenCount), counts.Input)
		check("outputTokenCount and outputAudioTokenCount", sum(got.OutputTokenCount, got.OutputAudioTokenCount), counts.Output)
		return diffs
	}
	check("inputTokenCount", got.InputTokenCount, inputAsBilled(got.Provider, want, counts)...)
	check("outputTokenCount", got.OutputTokenCount, orZero(counts.Output))
	check("totalTokenCount", got.TotalTokenCount, orZero(counts.Total))
	check("reasoningTokenCount", got.ReasoningTokenCount, counts.Reasoning)
	check("cacheReadTokenCount", got.CacheReadTokenCount, counts.CacheRead)
	check("cacheCreationTokenCount", got.CacheCreationTokenCount, counts.CacheCreation)
	return diffs
}

// inputAsBilled is the input count that the metering API wants of a provider:
// Anthropic without the cached part, everybody else with it. A gateway's call is
// Anthropic's where the record says so. For Claude on another provider's platform
// the API reference settles on neither.
func inputAsBilled(billedBy string, want *expectedCall, counts *tokens) []*int64 {
	gross, net := orZero(counts.Input), orZero(counts.InputUncached)
	switch {
	case want.Provider == "anthropic" || strings.EqualFold(billedBy, "anthropic"):
		return []*int64{net}
	case want.Provider == "aws.bedrock" || want.Provider == "gcp.vertex_ai":
		return []*int64{gross, net}
	default:
		return []*int64{gross}
	}
}

// billableModels are the names by which the call may be priced: the response's,
// the request's, and both without a gateway's vendor prefix.
func billableModels(want *expectedCall) []string {
	var models []string
	for _, model := range []string{want.ResponseModel, want.RequestModel} {
		if model == "" {
			continue
		}
		models = append(models, model)
		if _, bare, ok := strings.Cut(model, "/"); ok {
			models = append(models, bare)
		}
	}
	return models
}

// sum is nil where both are.
func sum(a, b *int64) *int64 {
	if a == nil && b == nil {
		return nil
	}
	both := *orZero(a) + *orZero(b)
	return &both
}

func orZero(n *int64) *int64 {
	if n == nil {
		return new(int64)
	}
	return n
}

func show(n *int64) string {
	if n == nil {
		return "none"
	}
	return strconv.FormatInt(*n, 10)
}
