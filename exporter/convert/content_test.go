// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// TestContent: the words of each family of instrumentations, and what becomes of
// them in the record.
func TestContent(t *testing.T) {
	const question, answer = "Which bulbs in shade?", "Bluebells."
	messages := `[{"content":"Which bulbs in shade?","role":"user"}]`
	tests := map[string]struct {
		attrs                 []any
		events                []event
		system, input, output string
	}{
		"the conventions": {
			attrs: []any{
				"gen_ai.system_instructions", `[{"type":"text","content":"You know gardens."}]`,
				"gen_ai.input.messages", `[{"role":"user","parts":[{"type":"text","content":"Which bulbs in shade?"}]}]`,
				"gen_ai.output.messages", `[{"role":"assistant","parts":[{"type":"text","content":"Bluebells."}],"finish_reason":"stop"}]`,
			},
			system: "You know gardens.",
			input:  `[{"role":"user","parts":[{"type":"text","content":"Which bulbs in shade?"}]}]`,
			output: answer,
		},
		"the conventions, with the call of a tool": {
			attrs: []any{
				"gen_ai.output.messages", `[{"role":"assistant","parts":[{"type":"tool_call","name":"search","arguments":{"q":"shade"}}]}]`,
			},
			output: `[{"role":"assistant","parts":[{"type":"tool_call","name":"search","arguments":{"q":"shade"}}]}]`,
		},
		"OpenInference": {
			attrs: []any{
				"openinference.span.kind", "LLM", "llm.input_messages.0.message.role", "system", "llm.input_messages.0.message.content", "You know gardens.",
				"llm.input_messages.1.message.role", "user", "llm.input_messages.1.message.content", question,
				"llm.output_messages.0.message.role", "assistant", "llm.output_messages.0.message.content", answer,
				"input.value", "all of it", "output.value", "all of it",
			},
			input:  `[{"content":"You know gardens.","role":"system"},{"content":"Which bulbs in shade?","role":"user"}]`,
			output: answer,
		},
		"OpenLLMetry": {
			attrs: []any{
				"gen_ai.prompt.0.role", "user", "gen_ai.prompt.0.content", question,
				"gen_ai.completion.0.role", "assistant", "gen_ai.completion.0.content", answer, "gen_ai.completion.0.finish_reason", "stop",
			},
			input: messages, output: answer,
		},
		"Vercel AI SDK": {
			attrs: []any{"ai.prompt.messages", messages, "ai.response.text", answer},
			input: messages, output: answer,
		},
		"a mere text": {
			attrs: []any{"gen_ai.prompt", question, "gen_ai.completion", answer},
			input: `[{"content":"Which bulbs in shade?","role":"user"}]`, output: answer,
		},
		"whole bodies": {
			attrs: []any{"input.value", `{"messages":[]}`, "output.value", `{"choices":[]}`},
			input: `{"messages":[]}`, output: `{"choices":[]}`,
		},
		"events": {
			events: []event{
				{name: "gen_ai.system.message", attrs: with("content", "You know gardens.")},
				{name: "gen_ai.user.message", attrs: with("gen_ai.system", "openai", "content", question)},
				{name: "gen_ai.choice", attrs: with("index", 0, "message", answer)},
				{name: "something else", attrs: with("content", "no")},
			},
			system: "You know gardens.", input: messages, output: answer,
		},
		"an event with all of it": {
			events: []event{{name: "gen_ai.client.inference.operation.details", attrs: with("gen_ai.input.messages", messages, "gen_ai.output.messages", `["Bluebells."]`)}},
			input:  messages, output: answer,
		},
		"nothing": {attrs: []any{"gen_ai.prompt.name", "garden", "gen_ai.prompt.version", "3", "gen_ai.prompt.x.role", "user"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := chat(tt.attrs...)
			s.events = tt.events
			c := bill(t, s, convert.WithContentCapture())
			if c.SystemPrompt != tt.system || c.InputMessages != tt.input || c.OutputResponse != tt.output || c.PromptsTruncated != nil {
				t.Errorf("system %q\ninput  %s\noutput %s\ntruncated %v", c.SystemPrompt, c.InputMessages, c.OutputResponse, c.PromptsTruncated)
			}
			checkFrozen(t, c)
			// Off, as by default, nothing of it is there.
			for _, opts := range [][]convert.Option{nil, {convert.WithContentCapture(), convert.WithoutContentCapture()}} {
				if c := bill(t, s, opts...); c.SystemPrompt+c.InputMessages+c.OutputResponse != "" {
					t.Errorf("content without capture: %+v", c)
				}
			}
		})
	}
}

// checkFrozen checks that the API takes the record, messages as a document.
func checkFrozen(t *testing.T, c *metering.Completion) {
	t.Helper()
	messages, cut := c.InputMessages, c.PromptsTruncated != nil && *c.PromptsTruncated
	frozen, changes, err := metering.Freeze(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		if change.Field == "inputMessages" || change.Field == "outputResponse" || change.Field == "systemPrompt" {
			t.Errorf("changed: %+v", change)
		}
	}
	if messages != "" && !cut && !json.Valid([]byte(messages)) {
		t.Errorf("no document: %s", messages)
	}
	if !json.Valid(frozen.Body) {
		t.Errorf("no JSON: %s", frozen.Body)
	}
}

// TestContentOfStructures: attributes that are lists and maps.
func TestContentOfStructures(t *testing.T) {
	s := chat()
	s.attrs = append(s.attrs,
		attr{"gen_ai.input.messages", convert.ListValue(elements{convert.MapValue(with("role", "user", "content", "Which <bulbs>?", "n", 3, "yes", true))})},
		attr{"gen_ai.output.messages", convert.ListValue(elements{convert.MapValue(with("role", "assistant", "content", "Bluebells."))})},
	)
	c := bill(t, s, convert.WithContentCapture())
	var messages []map[string]any
	if err := json.Unmarshal([]byte(c.InputMessages), &messages); err != nil || len(messages) != 1 ||
		messages[0]["content"] != "Which <bulbs>?" || messages[0]["n"] != 3.0 || messages[0]["yes"] != true {
		t.Errorf("messages %s, %v", c.InputMessages, err)
	}
	if c.OutputResponse != "Bluebells." {
		t.Errorf("output %q", c.OutputResponse)
	}
}

// TestContentIsCut between characters, and the record says so.
func TestContentIsCut(t *testing.T) {
	long := strings.Repeat("ü", 60_000)
	s := chat("gen_ai.prompt", long, "gen_ai.completion", long)
	for _, limit := range []int{0, 5, 100, 50_000} {
		c := bill(t, s, convert.WithContentCapture(), convert.WithMaxContentSize(limit))
		if c.PromptsTruncated == nil || !*c.PromptsTruncated {
			t.Errorf("limit %d: not marked", limit)
		}
		for _, text := range []string{c.InputMessages, c.OutputResponse} {
			if n := len([]rune(text)); n > max(limit, len("...[TRUNCATED]")) || !strings.HasSuffix(text, "...[TRUNCATED]") {
				t.Errorf("limit %d: %d characters that end with %q", limit, n, text[max(0, len(text)-20):])
			}
		}
		checkFrozen(t, c)
	}
	if _, err := convert.New(convert.WithMaxContentSize(50_001)); err == nil {
		t.Error("a size that Revenium does not keep")
	}
	if _, err := convert.New(convert.WithMaxContentSize(-1)); err == nil {
		t.Error("a negative size")
	}
}

// TestContentRedaction: each text passes through the user's function; a panic in
// it costs the content, not the record.
func TestContentRedaction(t *testing.T) {
	s := chat("gen_ai.system_instructions", "Ask Ada.", "gen_ai.prompt", "I am Ada.", "gen_ai.completion", "Hello Ada.")
	c := bill(t, s, convert.WithContentCapture(), convert.WithContentRedaction(func(text string) string { return strings.ReplaceAll(text, "Ada", "X") }))
	if c.SystemPrompt != "Ask X." || c.InputMessages != `[{"content":"I am X.","role":"user"}]` || c.OutputResponse != "Hello X." {
		t.Errorf("%q %q %q", c.SystemPrompt, c.InputMessages, c.OutputResponse)
	}
	calls := 0
	c, d := billed(t, s, convert.WithContentCapture(), convert.WithContentRedaction(func(text string) string {
		if calls++; calls == 2 {
			panic("Ada")
		}
		return text
	}))
	if c.SystemPrompt+c.InputMessages+c.OutputResponse != "" {
		t.Errorf("content after a panic: %+v", c)
	}
	if len(d.Notes) == 0 || d.Notes[len(d.Notes)-1].Action != convert.NoteDropped || strings.Contains(d.Notes[len(d.Notes)-1].Reason, "Ada") {
		t.Errorf("notes %+v", d.Notes)
	}
}

// TestContentOfTwin: what was asked and answered is taken from another span of the
// call where the one that bills says nothing of it, all or nothing.
func TestContentOfTwin(t *testing.T) {
	const asked = `[{"role":"user","parts":[{"type":"text","content":"Which bulbs in shade?"}]}]`
	for name, tt := range map[string]struct {
		outer, inner []any
		input        string
		output       string
	}{
		"a wrapper without usage": {
			[]any{"gen_ai.operation.name", "chat", "gen_ai.request.model", "gpt-4o", "gen_ai.input.messages", asked},
			usage("gpt-4o", 30, 12), asked, "",
		},
		"two with usage": {
			usage("gpt-4o", 30, 12, "gen_ai.input.messages", asked), usage("gpt-4o", 30, 12, "gen_ai.response.id", "r1"), asked, "",
		},
		"one that has something": {
			usage("gpt-4o", 30, 12, "gen_ai.input.messages", asked),
			usage("gpt-4o", 30, 12, "gen_ai.response.id", "r1", "ai.response.text", "Bluebells."), "", "Bluebells.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tree := newTree(t)
			outer := tree.add("outer", "", 0, 1000, tt.outer...)
			inner := tree.add("inner", "outer", 10, 990, tt.inner...)
			for _, capture := range []bool{true, false} {
				opts := []convert.Option{convert.WithHoldBack(time.Second)}
				if capture {
					opts = append(opts, convert.WithContentCapture())
				}
				for _, order := range [][2]*span{{outer, inner}, {inner, outer}} {
					c := newConverter(t, opts...)
					bills := 0
					for _, d := range c.Flush(c.Convert(c.Convert(nil, order[0]), order[1])) {
						if d.Kind != convert.Billed {
							continue
						}
						bills++
						record := d.Record.(*metering.Completion)
						input, output := tt.input, tt.output
						if !capture {
							input, output = "", ""
						}
						if d.SpanID != inner.id || record.InputMessages != input || record.OutputResponse != output {
							t.Errorf("input %q, output %q", record.InputMessages, record.OutputResponse)
						}
					}
					if bills != 1 {
						t.Errorf("%d bills", bills)
					}
				}
			}
		})
	}
}
