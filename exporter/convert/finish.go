// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"strings"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// finishReasons maps the providers' finish reasons, in lower case, to Revenium's
// stop reasons. What is not in it is an ordinary end.
func finishReasons() map[string]metering.StopReason {
	m := make(map[string]metering.StopReason)
	add := func(stop metering.StopReason, reasons ...string) {
		for _, reason := range reasons {
			m[reason] = stop
		}
	}
	add(metering.StopEnd,
		"stop", "eos", "end_turn", "endturn", "complete", "completed", "finish", "finish_reason_stop",
		"tool_calls", "tool_call", "tool-calls", "tool_use", "tooluse", "function_call", "function_calls",
		"pause_turn", "compaction", "load", "unload",
		"other", "finish_reason_unspecified", "continuation", "image_other")
	add(metering.StopTokenLimit,
		"length", "max_tokens", "max_output_tokens", "max_completion_tokens", "model_context_window_exceeded", "token_limit")
	add(metering.StopEndSequence, "stop_sequence", "stopsequence", "stop_sequence_reached")
	add(metering.StopTimeout, "timeout")
	add(metering.StopCancelled, "cancelled", "canceled", "abort", "aborted")
	add(metering.StopCostLimit, "budget_exceeded", "cost_limit")
	add(metering.StopError,
		"error", "failed", "content_filter", "content_filtered", "content-filter", "contentfilter", "refusal",
		"safety", "recitation", "blocklist", "prohibited_content", "spii", "language", "model_armor",
		"blocked", "blocked_other", "image_safety", "image_prohibited_content", "image_recitation", "no_image",
		"malformed_function_call", "unexpected_tool_call", "too_many_tool_calls",
		"guardrail_intervened", "malformed_model_output", "malformed_tool_use", "error_toxic", "error_limit")
	return m
}

// severity orders stop reasons: of several choices the worst counts.
func severity(s metering.StopReason) int {
	switch s {
	case metering.StopError:
		return 8
	case metering.StopTimeout:
		return 7
	case metering.StopCancelled:
		return 6
	case metering.StopCostLimit:
		return 5
	case metering.StopTokenLimit:
		return 4
	case metering.StopCompletionLimit:
		return 3
	case metering.StopEndSequence:
		return 2
	default:
		return 1
	}
}

// finish returns the stop reason that the finish reasons amount to, "" when there
// are none, and whether one of them tells of a failed call.
func (w *work) finish() (stop metering.StopReason, failed bool) {
	f := w.extract.get(fieldFinish)
	if f == nil {
		w.lookAtEvents()
		if w.events.finish == "" {
			return "", false
		}
		return w.finishOne(w.events.finish)
	}
	if w.extract.finish == nil {
		return w.finishOne(f.text)
	}
	for _, reason := range w.extract.finish {
		if blank(reason) {
			continue
		}
		s, bad := w.finishOne(reason)
		if stop == "" || severity(s) > severity(stop) {
			stop = s
		}
		failed = failed || bad
	}
	return stop, failed
}

func (w *work) finishOne(reason string) (metering.StopReason, bool) {
	stop, ok := find(w.c.finishReasons, reason)
	if !ok {
		w.extract.note(fieldFinish, w.extract.facts[fieldFinish].key(), NoteDoubtful, "holds a finish reason that is not known; it is taken for an ordinary end")
		return metering.StopEnd, false
	}
	// A filtered answer is an answer; these are none.
	failed := strings.EqualFold(reason, "error") || strings.EqualFold(reason, "failed")
	return stop, failed
}
