// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"strconv"
	"time"
)

// tolerance is how far sums of rounded times may be off, in milliseconds.
const tolerance = 1

// facts reads values that have passed their own rules; one that has not counts as absent here.
type facts struct{ members []member }

func (f facts) int(name string) (int64, bool) {
	m, ok := find(f.members, name)
	if !ok || m.kind != kindNumber {
		return 0, false
	}
	n, err := strconv.ParseInt(string(m.raw), 10, 64)
	return n, err == nil
}

func (f facts) time(name string) (time.Time, bool) {
	m, ok := find(f.members, name)
	if !ok || m.kind != kindString {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, m.text())
	return t, err == nil
}

func (f facts) text(name string) string { return document{members: f.members}.text(name) }

func (f facts) has(names ...string) bool {
	for _, n := range names {
		if _, ok := find(f.members, n); ok {
			return true
		}
	}
	return false
}

// relations checks fields against each other.
func (v *verifier) relations(path string, f facts) {
	if path == PathToolEvents {
		return
	}
	v.times(f)
	switch path {
	case PathCompletions:
		v.tokens(f)
	case PathAudio:
		v.audio(f)
	}
}

// times checks that the moments of a call are in order and its durations are their differences.
func (v *verifier) times(f facts) {
	start, ok1 := f.time("requestTime")
	end, ok2 := f.time("responseTime")
	if !ok1 || !ok2 {
		return
	}
	if end.Before(start) {
		v.add("responseTime", RuleTimeOrder, false, "before requestTime")
	}
	v.duration("requestDuration", f, end.Sub(start), "responseTime")
	first, ok := f.time("completionStartTime")
	if !ok {
		return
	}
	if first.Before(start) || first.After(end) {
		v.add("completionStartTime", RuleTimeOrder, false, "not between requestTime and responseTime")
	}
	v.duration("timeToFirstToken", f, first.Sub(start), "completionStartTime")
}

// duration checks that a field with milliseconds is what passed between requestTime and another moment.
func (v *verifier) duration(name string, f facts, passed time.Duration, until string) {
	ms, ok := f.int(name)
	if !ok {
		return
	}
	if want := passed.Milliseconds(); ms < want-tolerance || ms > want+tolerance {
		v.add(name, RuleDuration, false, "%d ms, but %s is %d ms after requestTime", ms, until, want)
	}
}

// tokens checks the counts that must agree whatever the provider. The total is at least the larger of input and
// output; it is not their sum for everyone, since input may leave out cached tokens. Reasoning is part of the
// output, and the cache's five-minute and one-hour parts are parts of what was written to the cache.
func (v *verifier) tokens(f facts) {
	input, ok1 := f.int("inputTokenCount")
	output, ok2 := f.int("outputTokenCount")
	total, ok3 := f.int("totalTokenCount")
	if ok1 && ok2 && ok3 && total < max(input, output) {
		v.add("totalTokenCount", RuleTokens, false, "%d is less than input %d or output %d", total, input, output)
	}
	// One gateway rounds parts and whole separately: two tokens too many are seen in good records.
	const rounding = 2
	if reasoning, ok := f.int("reasoningTokenCount"); ok && ok2 && reasoning > output+rounding {
		v.add("reasoningTokenCount", RuleTokens, false, "%d is more than output %d, of which it is a part", reasoning, output)
	}
	written, ok := f.int("cacheCreationTokenCount")
	short, _ := f.int("cacheCreation5mTokenCount")
	long, _ := f.int("cacheCreation1hTokenCount")
	if ok && short+long > written {
		v.add("cacheCreationTokenCount", RuleTokens, false, "%d is less than its parts %d and %d", written, short, long)
	}
	if !ok && f.has("cacheCreation5mTokenCount", "cacheCreation1hTokenCount") {
		v.add("cacheCreationTokenCount", RuleTokens, false, "absent, but its parts are there")
	}
}

// audio checks that the quantity that is charged for is there.
func (v *verifier) audio(f facts) {
	tokens := f.has("inputTokenCount", "outputTokenCount", "inputAudioTokenCount", "outputAudioTokenCount")
	switch f.text("operationSubtype") {
	case "transcription", "translation":
		if !tokens && !f.has("durationSeconds") {
			v.add("durationSeconds", RuleMissing, false, "a transcription or translation has a duration or tokens")
		}
	case "speech", "tts", "synthesis":
		if !tokens && !f.has("characterCount", "durationSeconds") {
			v.add("characterCount", RuleMissing, false, "speech has characters, tokens or a duration")
		}
	}
}
