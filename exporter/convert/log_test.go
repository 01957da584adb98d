// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// logged adds a log event, written in a span or, with "", in none: then it has a
// trace of its own.
func (t *tree) logged(name, event, scope, in string, at int, keysAndValues ...any) *span {
	t.tb.Helper()
	s := t.add(name, in, at, at, keysAndValues...)
	s.name, s.scope, s.log, s.kind = event, scope, true, convert.KindUnspecified
	if in == "" {
		s.trace = [16]byte{0x10, s.id[0]}
	}
	return s
}

// claude are the attributes of a call of Claude Code, in its spans and events.
func claude(output, cached int, more ...any) []any {
	return append(slices.Clip(more), "model", "claude-sonnet-4-5-20250929", "session.id", "7c0f",
		"input_tokens", "12", "output_tokens", fmt.Sprint(output), "cache_read_tokens", fmt.Sprint(cached))
}

// codexEvent are those of the end of an answer to Codex CLI.
func codexEvent(input, output, cached, reasoning int) []any {
	return []any{
		"event.name", "codex.sse_event", "event.kind", "response.completed", "model", "gpt-5-codex", "conversation.id", "c1",
		"input_token_count", fmt.Sprint(input), "output_token_count", fmt.Sprint(output),
		"cached_token_count", fmt.Sprint(cached), "reasoning_token_count", fmt.Sprint(reasoning),
	}
}

// geminiResponse adds the two events that tell of one response to Gemini CLI.
func (t *tree) geminiResponse(name string, at, input, output, thoughts int, more ...any) *span {
	t.tb.Helper()
	t.logged(name+" in other words", "gen_ai.client.inference.operation.details", "gemini-cli", "", at,
		"gen_ai.operation.name", "generate_content", "gen_ai.provider.name", "gcp.gen_ai", "gen_ai.response.id", "id of "+name,
		"gen_ai.request.model", "gemini-2.5-pro", "gen_ai.response.model", "gemini-2.5-pro",
		"gen_ai.usage.input_tokens", input, "gen_ai.usage.output_tokens", output)
	return t.logged(name, "gemini_cli.api_response", "gemini-cli", "", at, append(slices.Clip(more),
		"model", "gemini-2.5-pro", "input_token_count", input, "output_token_count", output,
		"cached_content_token_count", 100, "thoughts_token_count", thoughts, "duration_ms", 3880)...)
}

// logSituations are like situations, with log events among the spans.
var logSituations = map[string]struct {
	build func(t *tree)
	bills [][]string
}{
	"Claude Code by events alone": {
		func(t *tree) {
			const scope = "com.anthropic.claude_code.events"
			t.logged("prompt", "claude_code.user_prompt", scope, "", 0, "event.name", "user_prompt", "prompt_length", "20")
			t.logged("one", "claude_code.api_request", scope, "", 4000, claude(340, 20100, "duration_ms", "3900", "request_id", "req_1")...)
			t.logged("tool", "claude_code.tool_result", scope, "", 4100, "tool_name", "Bash", "duration_ms", "12")
			t.logged("two", "claude_code.api_request", scope, "", 9000, claude(340, 20100, "duration_ms", "3900", "request_id", "req_2")...)
			t.logged("error", "claude_code.api_error", scope, "", 12000, "model", "claude-sonnet-4-5-20250929", "error", "overloaded",
				"status_code", "529", "attempt", "11", "duration_ms", "800")
		},
		[][]string{{"one"}, {"two"}, {"error"}},
	},
	"events without ids, equal but for their times": {
		func(t *tree) {
			for i := range 3 {
				t.logged(fmt.Sprint("call ", i), "claude_code.api_request", "com.anthropic.claude_code.events", "", 4000+1000*i, claude(350, 0)...)
			}
		},
		[][]string{{"call 0"}, {"call 1"}, {"call 2"}},
	},
	"span and event of one call, by the request id": {
		func(t *tree) {
			t.add("interaction", "", 0, 9000).name = "claude_code.interaction"
			s := t.add("span", "", 100, 4000, claude(340, 20100, "request_id", "req_1", "success", true)...)
			s.name, s.scope = "claude_code.llm_request", "com.anthropic.claude_code.tracing"
			t.logged("event", "claude_code.api_request", "com.anthropic.claude_code.events", "", 4004,
				claude(340, 20100, "request_id", "req_1", "duration_ms", "3900")...)
			t.logged("other", "claude_code.api_request", "com.anthropic.claude_code.events", "", 8004,
				claude(340, 20100, "request_id", "req_2", "duration_ms", "3900")...)
		},
		[][]string{{"span", "event"}, {"other"}},
	},
	"an event within the span of its call": {
		func(t *tree) {
			s := t.add("span", "", 100, 4000, usage("gemini-2.5-pro", 900, 40, "gen_ai.agent.name", "gemini-cli")...)
			s.scope = "gemini-cli"
			t.logged("event", "gemini_cli.api_response", "gemini-cli", "span", 3990,
				"event.name", "gemini_cli.api_response", "model", "gemini-2.5-pro", "input_token_count", 900, "output_token_count", 40,
				"cached_content_token_count", 100, "thoughts_token_count", 60, "total_token_count", 1000, "duration_ms", 3880)
		},
		[][]string{{"span", "event"}},
	},
	"Gemini CLI by events, two of each response and of each error": {
		func(t *tree) {
			t.geminiResponse("one", 4000, 900, 40, 60)
			t.geminiResponse("two", 9000, 900, 40, 60)
			t.logged("request", "gen_ai.client.inference.operation.details", "gemini-cli", "", 9100,
				"gen_ai.operation.name", "generate_content", "gen_ai.request.model", "gemini-2.5-pro")
			t.logged("error", "gemini_cli.api_error", "gemini-cli", "", 9400, "model", "gemini-2.5-pro", "error", "quota",
				"error.type", "quota", "status_code", 429, "duration_ms", 300)
			t.logged("error in other words", "gen_ai.client.inference.operation.details", "gemini-cli", "", 9400,
				"gen_ai.operation.name", "generate_content", "gen_ai.request.model", "gemini-2.5-pro", "error.type", "quota")
		},
		[][]string{{"one"}, {"two"}, {"error"}},
	},
	"Gemini CLI by spans and, beside them, events": {
		func(t *tree) {
			for i, name := range []string{"one", "two"} {
				s := t.add("span of "+name, "", 100+5000*i, 4000+5000*i, usage("gemini-2.5-pro", 900, 40, "gen_ai.agent.name", "gemini-cli")...)
				s.scope = "gemini-cli"
				t.geminiResponse(name, 3990+5000*i, 900, 40, 60)
			}
		},
		[][]string{{"span of one", "one"}, {"span of two", "two"}},
	},
	"Codex by spans and, beside them, events": {
		func(t *tree) {
			s := t.add("try_run_sampling_request", "", 100, 4000, "model", "gpt-5-codex")
			s.scope = "codex_cli_rs"
			s = t.add("span", "try_run_sampling_request", 3990, 4000, "gen_ai.usage.input_tokens", 5000, "gen_ai.usage.output_tokens", 200,
				"gen_ai.usage.cache_read.input_tokens", 4096, "codex.usage.reasoning_output_tokens", 64)
			s.name, s.scope = "handle_responses", "codex_cli_rs"
			t.logged("event", "codex.sse_event", "codex_otel.log_only", "", 3999, codexEvent(5000, 200, 4096, 64)...)
		},
		[][]string{{"span", "event"}},
	},
	"Codex by events": {
		func(t *tree) {
			const scope = "codex_cli_rs"
			t.logged("start", "codex.conversation_starts", scope, "", 0, "event.name", "codex.conversation_starts", "model", "gpt-5-codex")
			t.logged("delta", "codex.sse_event", scope, "", 900, "event.name", "codex.sse_event", "event.kind", "response.created", "model", "gpt-5-codex", "duration_ms", "12")
			t.logged("one", "codex.sse_event", scope, "", 3000, codexEvent(5000, 200, 4096, 64)...)
			t.logged("two", "codex.sse_event", scope, "", 6000, codexEvent(5200, 90, 4096, 0)...)
			t.logged("tool", "codex.tool_result", scope, "", 6100, "event.name", "codex.tool_result", "tool_name", "shell", "model", "gpt-5-codex")
		},
		[][]string{{"one"}, {"two"}},
	},
	"an event of the conventions beside its span": {
		func(t *tree) {
			t.add("span", "", 0, 300, usage("gpt-4o", 30, 12, "gen_ai.response.id", "chatcmpl-1")...)
			t.logged("details", "gen_ai.client.inference.operation.details", "example.com/app", "span", 299,
				usage("gpt-4o", 30, 12, "gen_ai.response.id", "chatcmpl-1", "gen_ai.input.messages", "[]")...)
			t.logged("message", "gen_ai.user.message", "example.com/app", "span", 1, "gen_ai.system", "openai", "gen_ai.provider.name", "openai")
			t.logged("choice", "gen_ai.choice", "example.com/app", "span", 298, "gen_ai.system", "openai")
		},
		[][]string{{"span", "details"}},
	},
}

// TestLogEvents: one bill for each call, whether spans, events or both tell of it,
// in whatever order they come.
func TestLogEvents(t *testing.T) {
	for name, situation := range logSituations {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, uint64(len(name))))
			tree := newTree(t)
			situation.build(tree)
			for range 60 / fewer {
				order := slices.Clone(tree.spans)
				rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				for mode, opts := range map[string][]convert.Option{"a Collector": nil, "held back": {convert.WithHoldBack(time.Second)}} {
					c := newConverter(t, opts...)
					var decisions []convert.Decision
					for _, s := range order {
						decisions = c.Convert(decisions, s)
					}
					checkSituation(t, situation.bills, tree.outcomes(c.Flush(decisions)))
					if t.Failed() {
						t.Fatalf("in %s, in the order %v", mode, names(tree, order))
					}
				}
			}
		})
	}
}

func names(t *tree, spans []*span) []string {
	var list []string
	for _, s := range spans {
		list = append(list, t.names[s.id])
	}
	return list
}

// TestLogEventRecord: what an event's record says.
func TestLogEventRecord(t *testing.T) {
	tree := newTree(t)
	s := tree.logged("event", "claude_code.api_request", "com.anthropic.claude_code.events", "", 4000,
		claude(340, 20100, "duration_ms", "3900", "cache_creation_tokens", "5", "cost_usd", "0.03", "request_id", "req_1", "speed", "normal")...)
	c, d := billed(t, s)
	if c.InputTokenCount != 12 || c.OutputTokenCount != 340 || c.CacheReadTokenCount == nil || *c.CacheReadTokenCount != 20100 ||
		c.CacheCreationTokenCount == nil || *c.CacheCreationTokenCount != 5 {
		t.Errorf("tokens of %+v", c)
	}
	if c.RequestDuration != 3900 || !c.ResponseTime.Equal(s.end) || !c.RequestTime.Equal(s.end.Add(-3900*time.Millisecond)) {
		t.Errorf("from %v to %v, %v ms", c.RequestTime, c.ResponseTime, c.RequestDuration)
	}
	if d.Dialect != "claude-code" || c.Provider != "Anthropic" || c.Model != "claude-sonnet-4-5-20250929" || d.WasHeld {
		t.Errorf("dialect %s, provider %s, model %s, notes %v", d.Dialect, c.Provider, c.Model, d.Notes)
	}
	// Nor does it hide the event that somebody says who pays.
	s.attrs = append(s.attrs, with("revenium.organization.name", "Tulip Trading")...)
	if c, _ := billed(t, s); c.OrganizationName != "Tulip Trading" {
		t.Errorf("organization %q", c.OrganizationName)
	}
	s = tree.logged("failed", "claude_code.api_error", "com.anthropic.claude_code.events", "", 4000,
		"model", "claude-sonnet-4-5-20250929", "error", "overloaded", "status_code", "529", "duration_ms", "800")
	if c, d := billed(t, s); d.Reason != convert.ReasonError || c.StopReason != "ERROR" || c.RequestDuration != 800 {
		t.Errorf("%s: %+v", d.Reason, c)
	}
}

// TestGeminiEventRecord: thinking, and what tools added to the prompt, are beside
// output and input, and both are billed.
func TestGeminiEventRecord(t *testing.T) {
	s := newTree(t).geminiResponse("event", 4000, 800, 30, 70, "tool_token_count", 7, "total_token_count", 907,
		"finish_reasons", []string{"length"})
	c := bill(t, s)
	if c.InputTokenCount != 807 || c.OutputTokenCount != 100 || c.TotalTokenCount != 907 ||
		c.ReasoningTokenCount == nil || *c.ReasoningTokenCount != 70 || c.CacheReadTokenCount == nil || *c.CacheReadTokenCount != 100 {
		t.Errorf("tokens of %+v", c)
	}
	if c.StopReason != "TOKEN_LIMIT" {
		t.Errorf("stop reason %s", c.StopReason)
	}
}
