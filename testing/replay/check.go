// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// outcome is what became of a recording, in the vocabulary of the cases.
type outcome struct {
	Name   string          `json:"name"`
	Call   call            `json:"call"`
	Record json.RawMessage `json:"record"` // the exact request body, null when nothing is sent
}

// call is what the transport understood of the exchange. nil is what was not on
// the wire.
type call struct {
	API           *string `json:"api"`
	Provider      *string `json:"provider"`
	Operation     *string `json:"operation"`
	Billable      bool    `json:"billable"` // a call that the provider bills and did not refuse
	RequestModel  *string `json:"requestModel"`
	ResponseModel *string `json:"responseModel"`
	Streamed      bool    `json:"streamed"` // the request asked for a stream
	ErrorType     *string `json:"errorType"`
	ResponseID    *string `json:"responseId"`
	// RequestIDs are by the header that has them, in lower case.
	RequestIDs    map[string]string `json:"requestIds"`
	FinishReasons []string          `json:"finishReasons"`
	StopReason    *string           `json:"stopReason"`
	UsageReported bool              `json:"usageReported"`
	Tokens        *tokens           `json:"tokens"`
}

// tokens are the counts in the inclusive convention: input with the cached part,
// output with the reasoning.
type tokens struct {
	Input         *int64 `json:"input"`
	InputUncached *int64 `json:"inputUncached"`
	CacheRead     *int64 `json:"cacheRead"`
	CacheCreation *int64 `json:"cacheCreation"`
	Output        *int64 `json:"output"`
	Reasoning     *int64 `json:"reasoning"`
	Total         *int64 `json:"total"`
	// CacheCreation5m and CacheCreation1h are the parts of CacheCreation, which few
	// providers report.
	CacheCreation5m *int64 `json:"cacheCreation5m,omitempty"`
	CacheCreation1h *int64 `json:"cacheCreation1h,omitempty"`
}

// difference is one field that is not as expected, both sides as JSON or words.
type difference struct {
	Field, Got, Want string
}

func (d difference) String() string {
	return fmt.Sprintf("%s: got %s, want %s", d.Field, d.Got, d.Want)
}

// compare checks o against what the recording expects: every field of the call
// that expected has, and the record against the expected tokens.
func compare(o outcome, rec *recording) ([]difference, error) {
	got, err := fields(o.Call)
	if err != nil {
		return nil, err
	}
	var diffs []difference
	for _, name := range callFields {
		want, ok := rec.Expected[name]
		if !ok || name == "tokens" || name == "requestIds" {
			continue
		}
		accepted := []json.RawMessage{want}
		if more, ok := rec.Expected[name+"Accept"]; ok {
			var list []json.RawMessage
			if err := json.Unmarshal(more, &list); err != nil {
				return nil, fmt.Errorf("expected.%sAccept is not a list: %w", name, err)
			}
			accepted = append(accepted, list...)
		}
		same, err := anyEqual(got[name], accepted)
		if err != nil {
			return nil, fmt.Errorf("expected.%s: %w", name, err)
		}
		if !same {
			want, err := alternatives(accepted)
			if err != nil {
				return nil, fmt.Errorf("expected.%s: %w", name, err)
			}
			diffs = append(diffs, difference{Field: name, Got: string(got[name]), Want: want})
		}
	}
	idDiffs, err := compareIDs(o.Call.RequestIDs, rec.Expected["requestIds"])
	if err != nil {
		return nil, err
	}
	diffs = append(diffs, idDiffs...)
	tokenDiffs, err := compareTokens(o.Call.Tokens, rec.Expected["tokens"])
	if err != nil {
		return nil, err
	}
	diffs = append(diffs, tokenDiffs...)
	recordDiffs, err := compareRecord(o, rec)
	return append(diffs, recordDiffs...), err
}

// callFields are the fields of a call in the order in which they are reported.
var callFields = []string{
	"api", "provider", "operation", "billable", "requestModel", "responseModel", "streamed",
	"errorType", "responseId", "requestIds", "finishReasons", "stopReason", "usageReported", "tokens",
}

// tokenFields likewise.
var tokenFields = []string{
	"input", "inputUncached", "cacheRead", "cacheCreation", "cacheCreation5m", "cacheCreation1h", "output", "reasoning", "total",
}

// compareIDs checks that the expected ids are among those that were found: a case
// does not list what a gateway passes on.
func compareIDs(got map[string]string, expected json.RawMessage) ([]difference, error) {
	if expected == nil {
		return nil, nil
	}
	var want map[string]string
	if err := json.Unmarshal(expected, &want); err != nil {
		return nil, fmt.Errorf("expected.requestIds: %w", err)
	}
	var diffs []difference
	for _, header := range slices.Sorted(maps.Keys(want)) {
		if got[header] != want[header] {
			diffs = append(diffs, difference{Field: "requestIds." + header, Got: cmp.Or(got[header], "none"), Want: want[header]})
		}
	}
	return diffs, nil
}

func compareTokens(got *tokens, expected json.RawMessage) ([]difference, error) {
	if expected == nil {
		return nil, nil
	}
	var want map[string]json.RawMessage
	if err := json.Unmarshal(expected, &want); err != nil {
		return nil, fmt.Errorf("expected.tokens: %w", err)
	}
	if got == nil || want == nil {
		if (got == nil) == (want == nil) {
			return nil, nil
		}
		have, err := json.Marshal(got)
		if err != nil {
			return nil, err
		}
		wanted, err := compact(expected)
		return []difference{{Field: "tokens", Got: string(have), Want: wanted}}, err
	}
	have, err := fields(got)
	if err != nil {
		return nil, err
	}
	var diffs []difference
	for _, name := range tokenFields {
		count, ok := want[name]
		if !ok {
			continue
		}
		if have[name] == nil {
			have[name] = json.RawMessage("null")
		}
		same, err := anyEqual(have[name], []json.RawMessage{count})
		if err != nil {
			return nil, fmt.Errorf("expected.tokens.%s: %w", name, err)
		}
		if !same {
			diffs = append(diffs, difference{Field: "tokens." + name, Got: string(have[name]), Want: string(count)})
		}
	}
	return diffs, nil
}

// fields returns the JSON of each field of v, a struct.
func fields(v any) (map[string]json.RawMessage, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var out map[string]json.RawMessage
	return out, json.Unmarshal(text, &out)
}

// anyEqual compares JSON texts, whatever their spacing.
func anyEqual(got json.RawMessage, accepted []json.RawMessage) (bool, error) {
	have, err := compact(got)
	if err != nil {
		return false, err
	}
	for _, a := range accepted {
		want, err := compact(a)
		if err != nil {
			return false, err
		}
		if have == want {
			return true, nil
		}
	}
	return false, nil
}

func compact(text json.RawMessage) (string, error) {
	var buf bytes.Buffer
	err := json.Compact(&buf, text)
	return buf.String(), err
}

// alternatives lists accepted values for a person, each once.
func alternatives(accepted []json.RawMessage) (string, error) {
	var words []string
	for _, a := range accepted {
		word, err := compact(a)
		if err != nil {
			return "", err
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, " or "), nil
}
