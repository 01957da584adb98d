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
	"github.com/revenium/revenium-otel-go/exporter/metering"
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

// orElse returns keys and values, and those of the standard whose keys are not among
// them.
func orElse(keysAndValues []any, standard ...any) []any {
	all := slices.Clone(keysAndValues)
	for i := 0; i < len(standard); i += 2 {
		if !slices.Contains(keysAndValues, standard[i]) {
			all = append(all, standard[i], standard[i+1])
		}
	}
	return all
}

// codexEvent adds an event of a stream of Codex CLI.
func (t *tree) codexEvent(name string, at int, more ...any) *span {
	t.tb.Helper()
	return t.logged(name, "codex.sse_event", "codex_otel.log_only", "", at,
		orElse(more, "model", "gpt-5-codex", "conversation.id", "c1")...)
}

// codexSpans adds the spans of a call of Codex CLI, of which the inner one, by the
// name in the tree "span", has the usage.
func (t *tree) codexSpans(name string) *span {
	t.tb.Helper()
	t.add("try_run_sampling_request", "", 100, 4000, "model", "gpt-5-codex").scope = "codex_cli_rs"
	s := t.add("span", "try_run_sampling_request", 3990, 4000, "gen_ai.usage.input_tokens", 5000, "gen_ai.usage.output_tokens", 200,
		"gen_ai.usage.cache_read.input_tokens", 4096, "codex.usage.reasoning_output_tokens", 64)
	s.name, s.scope = name, "codex_cli_rs"
	return s
}

// codexRequest adds the event of a request of Codex CLI.
func (t *tree) codexRequest(name string, at, took int, more ...any) *span {
	t.tb.Helper()
	return t.logged(name, "codex.api_request", "codex_otel.log_only", "", at,
		orElse(more, "model", "gpt-5-codex", "conversation.id", "c1", "duration_ms", fmt.Sprint(took))...)
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
			t.codexSpans("handle_responses")
			t.logged("event", "codex.sse_event", "codex_otel.log_only", "", 3999, codexEvent(5000, 200, 4096, 64)...)
		},
		[][]string{{"span", "event"}},
	},
	"Codex whose events name the host and whose spans do not": {
		func(t *tree) {
			t.codexSpans("completed").resource = with("service.name", "codex_cli_rs")
			t.logged("event", "codex.sse_event", "codex_otel.log_only", "", 3999, codexEvent(5000, 200, 4096, 64)...).resource = with("service.name", "codex_cli_rs", "host.name", "laptop")
		},
		[][]string{{"span", "event"}},
	},
	"Codex by events": {
		func(t *tree) {
			const scope = "codex_cli_rs"
			t.logged("start", "codex.conversation_starts", scope, "", 0, "event.name", "codex.conversation_starts", "model", "gpt-5-codex")
			t.logged("delta", "codex.sse_event", scope, "", 900, "event.name", "codex.sse_event", "event.kind", "response.created", "model", "gpt-5-codex", "duration_ms", "12")
			t.logged("one", "codex.sse_event", scope, "", 3000, codexEvent(5000, 200, 4096, 64)...)
			t.logged("two", "codex.sse_event", scope, "", 6000, codexEvent(5200, 90, 4608, 0)...)
			t.logged("tool", "codex.tool_result", scope, "", 6100, "event.name", "codex.tool_result", "tool_name", "shell", "model", "gpt-5-codex")
		},
		[][]string{{"one"}, {"two"}},
	},
	"Codex with failures that it repeats": {
		func(t *tree) {
			t.codexRequest("first", 1000, 400, "http.response.status_code", 503, "error.message", "http 503 Service Unavailable: None")
			t.codexRequest("second", 2000, 400, "attempt", 1, "error.message", "network error: connection reset")
			t.codexRequest("third", 3000, 400, "attempt", 2, "http.response.status_code", 200)
			t.codexEvent("aborted stream", 5000, "error.message", "idle timeout waiting for SSE")
			t.codexEvent("reason", 5001, "event.kind", "response.failed", "error.message", "{}")
			t.codexEvent("failed stream", 5002, "event.kind", "response.completed", "error.message", "stream disconnected before completion")
			t.codexRequest("refused", 6000, 100, "http.response.status_code", 401, "error.message", "http 401 Unauthorized: None")
			t.codexRequest("accepted", 7000, 400, "http.response.status_code", 200, "endpoint", "/responses")
			t.codexEvent("marker", 90000, "event.kind", "response.completed", "duration_ms", "12")
			t.codexEvent("call", 90001, codexEvent(5000, 200, 4096, 64)...)
		},
		[][]string{{"call"}},
	},
	"Codex that gives up": {
		func(t *tree) {
			for i := range 4 {
				t.codexRequest(fmt.Sprint("stream ", i), 1000+2000*i, 400, "attempt", 0, "http.response.status_code", 200)
				t.codexEvent(fmt.Sprint("failure ", i), 2000+2000*i, "event.kind", "response.completed", "error.message", "stream disconnected before completion")
			}
			t.codexRequest("of the next call", 190000, 400, "http.response.status_code", 200)
			t.codexEvent("next call", 200000, codexEvent(5000, 200, 4096, 64)...)
		},
		[][]string{{"failure 3"}, {"next call"}},
	},
	"Codex over a socket": {
		func(t *tree) {
			t.logged("connect", "codex.websocket_connect", "codex_otel.log_only", "", 900, "conversation.id", "c1", "model", "gpt-5-codex",
				"success", "false", "error.message", "refused")
			t.codexEvent("failed", 2000, "event.kind", "response.completed", "error.message", "stream disconnected before completion")
			t.logged("again", "codex.websocket_request", "codex_otel.log_only", "", 2300, "conversation.id", "c1", "model", "gpt-5-codex",
				"success", "true", "duration_ms", "3")
			t.codexEvent("call", 180000, codexEvent(5000, 200, 4096, 64)...)
		},
		[][]string{{"call"}},
	},
	"Codex with failures that nobody repeats": {
		func(t *tree) {
			t.codexRequest("bad request", 1000, 300, "http.response.status_code", 400, "error.message", "http 400 Bad Request: None", "endpoint", "/responses")
			t.codexRequest("no models", 1500, 300, "http.response.status_code", 403, "error.message", "http 403 Forbidden: None", "endpoint", "/models")
			t.codexEvent("unreadable part", 1600, "event.kind", "response.output_item.done", "error.message", "failed to parse response.output_item.done")
			t.codexRequest("of the next call", 3000, 400, "http.response.status_code", 200)
			t.codexEvent("next call", 9000, codexEvent(5000, 200, 4096, 64)...)
		},
		[][]string{{"bad request"}, {"next call"}},
	},
	"failures of two conversations with Codex": {
		func(t *tree) {
			t.codexRequest("one", 1000, 300, "http.response.status_code", 429, "error.message", "http 429 Too Many Requests: None", "conversation.id", "c2")
			t.codexRequest("of another", 2000, 300, "http.response.status_code", 200)
			t.codexEvent("other call", 9000, codexEvent(5000, 200, 4096, 64)...)
		},
		[][]string{{"one"}, {"other call"}},
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

// TestCodexFailureRecord: what a failed call of Codex becomes, by what is to be done
// with failures.
func TestCodexFailureRecord(t *testing.T) {
	tree := newTree(t)
	request := tree.codexRequest("request", 4000, 300, "error.message", "http 429 Too Many Requests: None")
	stream := tree.codexEvent("stream", 9000, "event.kind", "response.completed", "error.message", "stream disconnected before completion")
	for _, tt := range []struct {
		policy convert.ErrorPolicy
		bills  int
	}{{convert.ErrorPolicyNone, 0}, {convert.ErrorPolicyFinal, 1}, {convert.ErrorPolicyAll, 2}} {
		c := newConverter(t, convert.WithErrorRecords(tt.policy))
		var bills []convert.Decision
		for _, d := range c.Flush(c.Convert(c.Convert(nil, request), stream)) {
			if d.Kind == convert.Billed {
				bills = append(bills, d)
			}
		}
		if len(bills) != tt.bills {
			t.Fatalf("%v: %d bills", tt.policy, len(bills))
		}
	}
	c, d := billed(t, request)
	if d.Reason != convert.ReasonError || c.StopReason != "ERROR" || c.Model != "gpt-5-codex" || c.Provider != "OpenAI" || c.RequestDuration != 300 ||
		c.InputTokenCount != 0 || c.OutputTokenCount != 0 {
		t.Errorf("%s: %+v", d.Reason, c)
	}
	if c.ErrorCode == nil || *c.ErrorCode != 429 {
		t.Errorf("error code of %+v", c)
	}
}

// TestCodexEventRecord: what the event of a response says of the cache.
func TestCodexEventRecord(t *testing.T) {
	c := bill(t, newTree(t).codexEvent("event", 4000, append(codexEvent(5000, 200, 4096, 64), "cache_write_token_count", 512)...))
	if c.InputTokenCount != 5000 || c.OutputTokenCount != 200 || c.CacheReadTokenCount == nil || *c.CacheReadTokenCount != 4096 ||
		c.CacheCreationTokenCount == nil || *c.CacheCreationTokenCount != 512 {
		t.Errorf("tokens of %+v", c)
	}
}

// TestFailureWithoutAnswer: an event that tells of an error tells of a failed call,
// whether or not there was an answer.
func TestFailureWithoutAnswer(t *testing.T) {
	s := newTree(t).logged("error", "claude_code.api_error", "com.anthropic.claude_code.events", "", 4000,
		"model", "claude-sonnet-4-5-20250929", "error", "Connection error.", "status_code", "undefined", "duration_ms", "800")
	if _, d := billed(t, s); d.Reason != convert.ReasonError {
		t.Errorf("%s", d.Reason)
	}
}

// TestGeminiSpanAndEvent: where span and event of a call come within the settle window,
// the event bills, since the span leaves out thinking; where no event comes, the span
// does.
func TestGeminiSpanAndEvent(t *testing.T) {
	for name, order := range map[string][]string{
		"span first": {"span", "event"}, "event first": {"event", "span"}, "no event": {"span"},
	} {
		t.Run(name, func(t *testing.T) {
			tree := newTree(t)
			s := tree.add("span", "", 100, 4000, usage("gemini-2.5-pro", 900, 40, "gen_ai.agent.name", "gemini-cli")...)
			s.scope = "gemini-cli"
			event := tree.geminiResponse("event", 3990, 900, 40, 60)
			c := newConverter(t)
			var decisions []convert.Decision
			for _, which := range order {
				decisions = c.Convert(decisions, map[string]*span{"span": s, "event": event}[which])
			}
			want := int64(100)
			if len(order) == 1 {
				want = 40
			}
			var bills []int64
			for _, d := range c.Flush(decisions) {
				if d.Kind == convert.Billed {
					bills = append(bills, d.Record.(*metering.Completion).OutputTokenCount)
				}
			}
			if len(bills) != 1 || bills[0] != want {
				t.Errorf("output %d, want %d", bills, want)
			}
		})
	}
}

// TestGeminiFailureIsRepeated: a failed span of Gemini CLI waits for the next attempt
// like any other, and not for an event.
func TestGeminiFailureIsRepeated(t *testing.T) {
	tree := newTree(t)
	tree.add("task", "", 0, 9000)
	failed := tree.add("failed", "task", 100, 400, "gen_ai.operation.name", "chat", "gen_ai.provider.name", "gcp.gemini",
		"gen_ai.request.model", "gemini-2.5-pro", "gen_ai.agent.name", "gemini-cli", "error.type", "429", "http.response.status_code", 429)
	failed.status = convert.StatusError
	next := tree.add("next", "task", 500, 4000, usage("gemini-2.5-pro", 900, 40, "gen_ai.provider.name", "gcp.gemini", "gen_ai.agent.name", "gemini-cli")...)
	failed.scope, next.scope = "gemini-cli", "gemini-cli"
	c := newConverter(t)
	var decisions []convert.Decision
	for _, s := range []*span{failed, next} {
		decisions = c.Convert(decisions, s)
	}
	reasons := make(map[convert.Reason]int)
	for _, d := range c.Flush(decisions) {
		if d.Kind != convert.Held {
			reasons[d.Reason]++
		}
		if d.Kind == convert.Billed && d.Reason == convert.ReasonError {
			t.Errorf("the failure is billed")
		}
	}
	if reasons[convert.ReasonRetried] != 1 {
		t.Errorf("decisions %v: want one that was retried", reasons)
	}
}
