// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"testing"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// TestDialectOf: by which table spans are read whose scope alone, or nothing at all,
// tells who wrote them.
func TestDialectOf(t *testing.T) {
	for scope, dialect := range map[string]string{
		"Experimental.Microsoft.Extensions.AI": "microsoft-extensions-ai",
		"Microsoft.SemanticKernel.Diagnostics": "semantic-kernel",
		"agent_framework":                      "microsoft-agent-framework",
		"example.com/app":                      "otel",
	} {
		s := chat()
		s.scope = scope
		if _, d := billed(t, s); d.Dialect != dialect {
			t.Errorf("%s: dialect %s, want %s", scope, d.Dialect, dialect)
		}
	}
	c, d := billed(t, call("gen_ai.request.model", "gpt-4o", "gen_ai.usage.input_tokens", 100, "gen_ai.usage.output_tokens", 20))
	if d.Dialect != "hand-made" || c.OperationType != "CHAT" || c.InputTokenCount != 100 || c.OutputTokenCount != 20 {
		t.Errorf("dialect %s: %+v", d.Dialect, c)
	}
}

// mlflowSpan returns a span of MLflow, whose attributes are JSON.
func mlflowSpan(kind, model, usage string) *span {
	s := call("mlflow.spanType", `"`+kind+`"`, "mlflow.traceRequestId", `"tr-1"`, "mlflow.llm.model", `"`+model+`"`, "mlflow.chat.tokenUsage", usage)
	s.name = "Completions"
	return s
}

func TestMLflow(t *testing.T) {
	c, d := billed(t, mlflowSpan("CHAT_MODEL", "gpt-4o-2024-08-06",
		`{"input_tokens": 64, "output_tokens": 8, "total_tokens": 72, "cache_read_input_tokens": 32}`))
	if d.Dialect != "mlflow" || c.Model != "gpt-4o-2024-08-06" || c.Provider != "OpenAI" || c.InputTokenCount != 64 || c.OutputTokenCount != 8 ||
		c.CacheReadTokenCount == nil || *c.CacheReadTokenCount != 32 {
		t.Errorf("dialect %s: %+v", d.Dialect, c)
	}
	c, _ = billed(t, mlflowSpan("LLM", "claude-sonnet-4-5-20250929",
		`{"input_tokens": 12, "output_tokens": 8, "total_tokens": 20, "cache_read_input_tokens": 2000}`))
	if c.Provider != "Anthropic" || c.InputTokenCount != 12 || c.CacheReadTokenCount == nil || *c.CacheReadTokenCount != 2000 {
		t.Errorf("%+v", c)
	}
	if c, _ := billed(t, mlflowSpan("EMBEDDING", "text-embedding-3-small", `{"input_tokens": 7, "output_tokens": 0, "total_tokens": 7}`)); c.OperationType != "EMBED" {
		t.Errorf("operation %s", c.OperationType)
	}
	for _, kind := range []string{"TOOL", "RETRIEVER", "PARSER", "EVALUATOR"} {
		if d := decide(t, mlflowSpan(kind, "gpt-4o", `{"input_tokens": 7, "output_tokens": 1}`)); d.Kind != convert.Skipped {
			t.Errorf("%s: %v: %s", kind, d.Kind, d.Reason)
		}
	}
	// The agent says what its call says, and another vocabulary's usage is that of the
	// other dialect.
	tree := newTree(t)
	agent := tree.add("agent", "", 0, 1000)
	agent.attrs = mlflowSpan("AGENT", "gpt-4o", `{"input_tokens": 7, "output_tokens": 1}`).attrs
	model := tree.add("model", "agent", 100, 900)
	model.attrs = mlflowSpan("CHAT_MODEL", "gpt-4o", `{"input_tokens": 7, "output_tokens": 1}`).attrs
	cv := newConverter(t)
	checkSituation(t, [][]string{{"model"}}, tree.outcomes(cv.Flush(cv.Convert(cv.Convert(nil, agent), model))))
	if _, d := billed(t, chat("mlflow.spanType", `"CHAT_MODEL"`)); d.Dialect != "otel" {
		t.Errorf("dialect %s", d.Dialect)
	}
}
