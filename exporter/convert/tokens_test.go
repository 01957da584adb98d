// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// counts are the counts of a record; -1 is one that is not sent.
type counts struct {
	Input, Output, Total, CacheRead, CacheCreation, FiveMinutes, Hour, Reasoning int64
}

func countsOf(c *metering.Completion) counts {
	optional := func(p *int64) int64 {
		if p == nil {
			return -1
		}
		return *p
	}
	return counts{
		c.InputTokenCount, c.OutputTokenCount, c.TotalTokenCount,
		optional(c.CacheReadTokenCount), optional(c.CacheCreationTokenCount),
		optional(c.CacheCreation5mTokenCount), optional(c.CacheCreation1hTokenCount), optional(c.ReasoningTokenCount),
	}
}

// Every name of a count, the best first; the worst comes first on the span.
func TestTokenNames(t *testing.T) {
	tests := map[string]struct {
		keys []string
		get  func(counts) int64
	}{
		"input": {
			[]string{"gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens", "llm.token_count.prompt"},
			func(c counts) int64 { return c.Input },
		},
		"output": {
			[]string{"gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.usage.completion_tokens", "llm.token_count.completion"},
			func(c counts) int64 { return c.Output },
		},
		"cache read": {
			[]string{
				"gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.cache_read_tokens",
				"gen_ai.usage.input_cached_tokens", "llm.token_count.prompt_details.cache_read", "gen_ai.usage.input_tokens.cached",
				"gen_ai.usage.prompt_tokens_details.cached_tokens", "gen_ai.usage.input_tokens_details.cached_tokens", "gen_ai.usage.cached_tokens",
			},
			func(c counts) int64 { return c.CacheRead },
		},
		"cache creation": {
			[]string{
				"gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens",
				"gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.cache_write_input_tokens", "gen_ai.usage.cache_creation_tokens",
				"llm.token_count.prompt_details.cache_write", "gen_ai.usage.input_tokens.cache_write",
			},
			func(c counts) int64 { return c.CacheCreation },
		},
		"5m": {[]string{"revenium.usage.cache_creation_5m_tokens"}, func(c counts) int64 { return c.FiveMinutes }},
		"1h": {[]string{"revenium.usage.cache_creation_1h_tokens"}, func(c counts) int64 { return c.Hour }},
		"reasoning": {
			[]string{
				"gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens", "gen_ai.usage.output_tokens.reasoning",
				"llm.token_count.completion_details.reasoning", "llm.usage.reasoning_tokens",
				"gen_ai.usage.completion_tokens_details.reasoning_tokens", "gen_ai.usage.output_tokens_details.reasoning_tokens",
			},
			func(c counts) int64 { return c.Reasoning },
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for i := range tt.keys {
				s := call("gen_ai.operation.name", "chat", "gen_ai.provider.name", "openai", "gen_ai.request.model", "gpt-4o")
				for j := len(tt.keys) - 1; j >= i; j-- {
					s.attrs = append(s.attrs, with(tt.keys[j], 10+j)...)
				}
				// What makes the rest plausible, unless it is what is looked at.
				if name != "input" {
					s.attrs = append(s.attrs, with("gen_ai.usage.input_tokens", 1000)...)
				}
				if name != "output" {
					s.attrs = append(s.attrs, with("gen_ai.usage.output_tokens", 1000)...)
				}
				if got := tt.get(countsOf(bill(t, s))); got != int64(10+i) {
					t.Errorf("%s: got %d, want %d", tt.keys[i], got, 10+i)
				}
			}
		})
	}
}

func TestTokenTypes(t *testing.T) {
	tests := map[string]struct {
		value any
		want  int64 // -1: not taken
		note  string
	}{
		"int":             {7, 7, ""},
		"whole float":     {7.0, 7, ""},
		"text":            {"7", 7, ""},
		"text with space": {" 7 ", 7, ""},
		"zero":            {0, 0, ""},
		"2^53":            {int64(1) << 53, -1, ""}, // see below: the sum is too large
		"empty text":      {"", -1, ""},
		"None":            {"None", -1, ""},
		"null":            {"null", -1, ""},
		"no value":        {nil, -1, ""},
		"negative":        {-1, -1, "is negative"},
		"negative text":   {"-1", -1, "is negative"},
		"negative float":  {-1.0, -1, "is negative"},
		"fraction":        {7.5, -1, "is not a whole number"},
		"NaN":             {math.NaN(), -1, "is not a finite number"},
		"infinite":        {math.Inf(1), -1, "is not a finite number"},
		"huge":            {int64(1)<<53 + 1, -1, "is above 2^53"},
		"huge float":      {1e300, -1, "is above 2^53"},
		"huge text":       {"99999999999999999999", -1, "is not a whole number"},
		"words":           {"seven", -1, "is not a whole number"},
		"bool":            {true, -1, "has a type that the field cannot have"},
		"list":            {[]string{"7"}, -1, "has a type that the field cannot have"},
		"bytes":           {[]byte{7}, -1, "has a type that the field cannot have"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := chat()
			s.attrs = append(s.attrs, attr{"gen_ai.usage.reasoning.output_tokens", value(tt.value)})
			c, d := billed(t, s, convert.WithSources())
			want := tt.want
			var note []convert.Note
			if tt.note != "" {
				note = []convert.Note{{
					Field: "reasoningTokenCount", Attribute: "gen_ai.usage.reasoning.output_tokens",
					Action: convert.NoteDropped, Reason: tt.note,
				}}
			}
			if name == "2^53" {
				note = []convert.Note{{
					Field: "reasoningTokenCount", Attribute: "gen_ai.usage.reasoning.output_tokens",
					Action: convert.NoteDropped, Reason: "is above the output, of which it is a part",
				}}
			}
			if got := countsOf(c).Reasoning; got != want {
				t.Errorf("got %d, want %d", got, want)
			}
			if diff := cmp.Diff(note, d.Notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
	// A better name whose value cannot be taken leaves the field to a worse one.
	c, d := billed(t, chat("gen_ai.usage.input_tokens", -3, "gen_ai.usage.prompt_tokens", "12"))
	if c.InputTokenCount != 12 || len(d.Notes) != 1 {
		t.Errorf("got %d with notes %v, want 12 with one", c.InputTokenCount, d.Notes)
	}
}

// What is sent as the input, by provider. In all cases the span says what the
// conventions demand: 1000 tokens of input, of which 700 were read and 200 written.
func TestWireInput(t *testing.T) {
	const gross, net = 1000, 100
	tests := []struct {
		provider, model string
		want            int64
	}{
		{"anthropic", "claude-sonnet-5", net},
		{"openai", "gpt-4o", gross},
		{"azure.ai.openai", "gpt-4o", gross},
		{"azure.ai.inference", "grok-3", gross},
		{"aws.bedrock", "us.anthropic.claude-sonnet-4-5-v1:0", gross}, // as reported
		{"aws.bedrock", "amazon.nova-pro-v1:0", gross},
		{"gcp.vertex_ai", "claude-sonnet-4-5@20250929", gross}, // as reported
		{"gcp.vertex_ai", "gemini-2.5-pro", gross},
		{"gcp.gemini", "gemini-2.5-pro", gross},
		{"groq", "llama", gross},
		{"x_ai", "grok-4", gross},
		{"litellm", "anthropic/claude-sonnet-5", net},
		{"litellm", "bedrock/anthropic.claude-3-haiku", gross},
		{"a stranger", "some-model", gross},
	}
	for _, tt := range tests {
		s := chat(
			"gen_ai.provider.name", tt.provider, "gen_ai.response.model", tt.model, "gen_ai.usage.input_tokens", 1000,
			"gen_ai.usage.cache_read.input_tokens", 700, "gen_ai.usage.cache_creation.input_tokens", 200,
		)
		want := counts{Input: tt.want, Output: 20, Total: 1020, CacheRead: 700, CacheCreation: 200, FiveMinutes: -1, Hour: -1, Reasoning: -1}
		if diff := cmp.Diff(want, countsOf(bill(t, s))); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.provider, tt.model, diff)
		}
	}
}

func TestWireInputOptions(t *testing.T) {
	s := func(provider string, input int) *span {
		return chat("gen_ai.provider.name", provider, "gen_ai.response.model", "claude-sonnet-5",
			"gen_ai.usage.input_tokens", input, "gen_ai.usage.cache_read.input_tokens", 700)
	}
	tests := []struct {
		provider string
		input    int
		wire     convert.WireInput
		want     int64
	}{
		{"anthropic", 1000, convert.WireGross, 1000},
		{"anthropic", 1000, convert.WireReported, 1000},
		{"anthropic", 300, convert.WireReported, 300},
		{"anthropic", 300, convert.WireGross, 1000},
		{"openai", 1000, convert.WireNet, 300},
		{"aws.bedrock", 1000, convert.WireNet, 300},
		{"gcp.vertex_ai", 300, convert.WireGross, 1000},
		{"acme", 1000, convert.WireNet, 300},
	}
	for _, tt := range tests {
		if c := bill(t, s(tt.provider, tt.input), convert.WithWireInput(tt.provider, tt.wire)); c.InputTokenCount != tt.want || c.TotalTokenCount != 1020 {
			t.Errorf("%s %d with %d: input %d of %d, want %d of 1020", tt.provider, tt.input, tt.wire, c.InputTokenCount, c.TotalTokenCount, tt.want)
		}
	}
}

func TestTokenArithmetic(t *testing.T) {
	const none = -1
	tests := map[string]struct {
		provider, model string
		attrs           []any
		want            counts
		notes           int
	}{
		"Anthropic, inclusive": {
			"anthropic", "claude",
			[]any{"gen_ai.usage.input_tokens", 1000, "gen_ai.usage.cache_read.input_tokens", 900},
			counts{100, 20, 1020, 900, none, none, none, none},
			0,
		},
		"Anthropic, net all the same": { // fewer than the cache alone
			"anthropic", "claude",
			[]any{"gen_ai.usage.input_tokens", 12, "gen_ai.usage.cache_read.input_tokens", 900, "gen_ai.usage.cache_creation.input_tokens", 50},
			counts{12, 20, 982, 900, 50, none, none, none},
			1,
		},
		"Anthropic, net, fewer than both together": {
			"anthropic", "claude",
			[]any{"gen_ai.usage.input_tokens", 100, "gen_ai.usage.cache_read.input_tokens", 80, "gen_ai.usage.cache_creation.input_tokens", 60},
			counts{100, 20, 260, 80, 60, none, none, none},
			1,
		},
		"net by the total": {
			"anthropic", "claude",
			[]any{"gen_ai.usage.input_tokens", 100, "gen_ai.usage.cache_read.input_tokens", 80, "gen_ai.usage.total_tokens", 200},
			counts{100, 20, 200, 80, none, none, none, none},
			1,
		},
		"gross by the total": {
			"anthropic", "claude",
			[]any{"gen_ai.usage.input_tokens", 100, "gen_ai.usage.cache_read.input_tokens", 80, "gen_ai.usage.total_tokens", 120},
			counts{20, 20, 120, 80, none, none, none, none},
			0,
		},
		"OpenAI-shaped, net": { // Grok on Azure AI Foundry
			"azure.ai.inference", "grok-3",
			[]any{"gen_ai.usage.input_tokens", 208, "gen_ai.usage.cache_read.input_tokens", 314},
			counts{522, 20, 542, 314, none, none, none, none},
			1,
		},
		"reads and writes overlap": { // Gemini's explicit cache behind OpenRouter
			"openai", "gemini",
			[]any{"gen_ai.usage.input_tokens", 2168, "gen_ai.usage.cache_read.input_tokens", 2161, "gen_ai.usage.cache_creation.input_tokens", 2161},
			counts{2168, 20, 2188, 2161, 2161, none, none, none},
			1,
		},
		"Bedrock, net, as reported": {
			"aws.bedrock", "anthropic.claude-3-haiku",
			[]any{"gen_ai.usage.input_tokens", 12, "gen_ai.usage.cache_read.input_tokens", 900},
			counts{12, 20, 932, 900, none, none, none, none},
			1,
		},
		"lifetimes without their sum": {
			"anthropic", "claude",
			[]any{"gen_ai.usage.input_tokens", 1000, "revenium.usage.cache_creation_5m_tokens", 300, "revenium.usage.cache_creation_1h_tokens", 100},
			counts{600, 20, 1020, none, 400, 300, 100, none},
			0,
		},
		"a reported zero": {
			"openai", "gpt-4o",
			[]any{"gen_ai.usage.cache_read.input_tokens", 0, "gen_ai.usage.reasoning.output_tokens", 0},
			counts{100, 20, 120, 0, none, none, none, 0},
			0,
		},
		"reasoning within": {
			"openai", "gpt-5",
			[]any{"gen_ai.usage.reasoning.output_tokens", 15, "gen_ai.usage.total_tokens", 120},
			counts{100, 20, 120, none, none, none, none, 15},
			0,
		},
		"reasoning outside": { // xAI
			"x_ai", "grok-4",
			[]any{"gen_ai.usage.reasoning.output_tokens", 500, "gen_ai.usage.total_tokens", 620},
			counts{100, 520, 620, none, none, none, none, 500},
			1,
		},
		"reasoning above the output": {
			"openai", "gpt-5",
			[]any{"gen_ai.usage.reasoning.output_tokens", 500},
			counts{100, 20, 120, none, none, none, none, none},
			1,
		},
		"Google's thinking in the total": {
			"gcp.vertex_ai", "gemini-2.5-pro",
			[]any{"gen_ai.usage.total_tokens", 220},
			counts{100, 120, 220, none, none, none, none, 100},
			1,
		},
		"a total above that nobody explains": {
			"openai", "gpt-5",
			[]any{"gen_ai.usage.total_tokens", 220},
			counts{100, 20, 120, none, none, none, none, none},
			1,
		},
		"a total below": {
			"openai", "gpt-5",
			[]any{"gen_ai.usage.total_tokens", 20},
			counts{100, 20, 120, none, none, none, none, none},
			1,
		},
		"a total of zero": {
			"openai", "gpt-5",
			[]any{"gen_ai.usage.total_tokens", 0},
			counts{100, 20, 120, none, none, none, none, none},
			0,
		},
		"a total made of net input": {
			"anthropic", "claude",
			[]any{"gen_ai.usage.input_tokens", 12, "gen_ai.usage.cache_read.input_tokens", 900, "gen_ai.usage.total_tokens", 32},
			counts{12, 20, 932, 900, none, none, none, none},
			1,
		},
		"input alone": {
			"openai", "gpt-4o",
			[]any{"gen_ai.usage.output_tokens", nil},
			counts{100, 0, 100, none, none, none, none, none},
			1,
		},
		"output alone": {
			"openai", "gpt-4o",
			[]any{"gen_ai.usage.input_tokens", nil},
			counts{0, 20, 20, none, none, none, none, none},
			1,
		},
		"embeddings have no output": {
			"openai", "text-embedding-3-small",
			[]any{"gen_ai.operation.name", "embeddings", "gen_ai.usage.output_tokens", nil},
			counts{100, 0, 100, none, none, none, none, none},
			0,
		},
		"parts are not added": {
			"openai", "gpt-4o",
			[]any{"gen_ai.usage.text.input_tokens", 80, "gen_ai.usage.image.input_tokens", 20, "revenium.usage.input_audio_tokens", 5},
			counts{100, 20, 120, none, none, none, none, none},
			0,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			attrs := append([]any{"gen_ai.provider.name", tt.provider, "gen_ai.response.model", tt.model}, tt.attrs...)
			c, d := billed(t, chat(attrs...))
			if diff := cmp.Diff(tt.want, countsOf(c)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(d.Notes) != tt.notes {
				t.Errorf("notes = %v, want %d", d.Notes, tt.notes)
			}
			if _, changes, err := metering.Freeze(c); err != nil || len(changes) != 0 {
				t.Errorf("Freeze: changes %v, error %v", changes, err)
			}
		})
	}
}

func TestScopeInput(t *testing.T) {
	s := chat("gen_ai.provider.name", "anthropic", "gen_ai.response.model", "claude",
		"gen_ai.usage.input_tokens", 1000, "gen_ai.usage.cache_read.input_tokens", 200)
	s.scope = "acme/old-instrumentation/v1"
	if c := bill(t, s, convert.WithScopeInput("acme/old", convert.InputExclusive)); c.InputTokenCount != 1000 || c.TotalTokenCount != 1220 {
		t.Errorf("exclusive: input %d, total %d, want 1000, 1220", c.InputTokenCount, c.TotalTokenCount)
	}
	if c := bill(t, s, convert.WithScopeInput("acme/new", convert.InputExclusive)); c.InputTokenCount != 800 || c.TotalTokenCount != 1020 {
		t.Errorf("another scope: input %d, total %d, want 800, 1020", c.InputTokenCount, c.TotalTokenCount)
	}
}

func TestNoUsage(t *testing.T) {
	none := []any{"gen_ai.usage.input_tokens", nil, "gen_ai.usage.output_tokens", nil}
	tests := map[string]struct {
		attrs []any
		want  convert.Reason
	}{
		"nothing":       {none, convert.ReasonNoUsage},
		"all zero":      {[]any{"gen_ai.usage.input_tokens", 0, "gen_ai.usage.output_tokens", 0, "gen_ai.usage.total_tokens", 0}, convert.ReasonNoUsage},
		"said so":       {append(none, "revenium.usage.missing", true), convert.ReasonNoUsage},
		"nothing valid": {[]any{"gen_ai.usage.input_tokens", -5, "gen_ai.usage.output_tokens", "many"}, convert.ReasonInvalidTokens},
		"absurd sum":    {[]any{"gen_ai.usage.input_tokens", int64(1) << 53, "gen_ai.usage.output_tokens", int64(1) << 53}, convert.ReasonInvalidTokens},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if d := decide(t, chat(tt.attrs...)); d.Kind != convert.Skipped || d.Reason != tt.want {
				t.Errorf("got %v (%s), want skipped (%s)", d.Kind, d.Reason, tt.want)
			}
		})
	}
	c, d := billed(t, chat(none...), convert.WithZeroUsage())
	if d.Reason != convert.ReasonNoUsage || c.InputTokenCount != 0 || c.OutputTokenCount != 0 || c.StopReason != metering.StopEnd {
		t.Errorf("with zero usage: reason %s, record %+v", d.Reason, c)
	}
	if diff := cmp.Diff(map[string]any{"revenium.usage.missing": true}, c.Attributes); diff != "" {
		t.Errorf("mark (-want +got):\n%s", diff)
	}
	if c := bill(t, chat("gen_ai.usage.output_tokens", 0)); c.InputTokenCount != 100 || c.OutputTokenCount != 0 || c.Attributes != nil {
		t.Errorf("zero output: %+v", countsOf(c))
	}
}
