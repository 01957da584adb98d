// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
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

// genkitSpan returns a span of Genkit's call of a model.
func genkitSpan(name, output string) *span {
	s := call("genkit:type", "action", "genkit:metadata:subtype", "model", "genkit:name", name, "genkit:output", output)
	s.name = name
	return s
}

// TestGenkitNames: the name of a model begins with that of the plugin, which says who
// provides it, also where the answer names the model by another name.
func TestGenkitNames(t *testing.T) {
	const plain, raw = `{"usage": {"inputTokens": 10, "outputTokens": 2}}`, `{"usage": {"inputTokens": 10, "outputTokens": 2}, "raw": {"model": "gpt-4o-2024-08-06"}}`
	tests := map[string]struct{ name, output, provider, model string }{
		"googleai":             {"googleai/gemini-2.5-flash", plain, "Google", "gemini-2.5-flash"},
		"googleai, tuned":      {"googleai/my-own", plain, "Google", "my-own"},
		"vertexai":             {"vertexai/gemini-2.5-pro", plain, "Google", "gemini-2.5-pro"},
		"openai":               {"openai/gpt-4o", plain, "OpenAI", "gpt-4o"},
		"openai, answered":     {"openai/gpt-4o", raw, "OpenAI", "gpt-4o-2024-08-06"},
		"Azure, answered":      {"azure-openai/gpt-4o", raw, "Azure", "gpt-4o-2024-08-06"},
		"ollama":               {"ollama/library/llama3", plain, "Ollama", "library/llama3"},
		"a plugin of nobody's": {"acme/model-1", plain, "acme", "model-1"},
		"no plugin":            {"gpt-4o", plain, "OpenAI", "gpt-4o"},
		"nothing behind it":    {"acme/", plain, "Unknown", "acme/"},
	}
	for name, tt := range tests {
		if c := bill(t, genkitSpan(tt.name, tt.output)); c.Provider != tt.provider || c.Model != tt.model || c.InputTokenCount != 10 {
			t.Errorf("%s: provider %q, model %q", name, c.Provider, c.Model)
		}
	}
}

// TestLiteLLMProvider: before the name that LiteLLM has of a model stands the provider.
func TestLiteLLMProvider(t *testing.T) {
	for want, attrs := range map[string][]any{
		"Azure":     {"gen_ai.provider.name", nil, "litellm.provider.model", "azure/gpt-4o"},
		"OpenAI":    {"gen_ai.provider.name", nil, "litellm.provider.model", "gpt-4o"},
		"Anthropic": {"gen_ai.provider.name", "anthropic", "litellm.provider.model", "azure/gpt-4o"},
		"Groq":      {"gen_ai.provider.name", nil, "gen_ai.system", "groq", "litellm.provider.model", "azure/gpt-4o"},
	} {
		if c := bill(t, chat(attrs...)); c.Provider != want || c.ModelSource != "LITELLM" {
			t.Errorf("provider %q by %q, want %q", c.Provider, c.ModelSource, want)
		}
	}
}

// TestAttributionOnRequest: what instrumentations and gateways know of who made a call
// is read on request, names rather than ids.
func TestAttributionOnRequest(t *testing.T) {
	type result struct{ Organization, Subscriber, Trace string }
	openInference := call("openinference.span.kind", "LLM", "llm.model_name", "gpt-4o", "llm.token_count.prompt", 9, "llm.token_count.completion", 3,
		"metadata", `{"user_id": "u-1", "thread_id": "t-1", "ls_provider": "openai"}`)
	ids := chat("litellm.call_id", "c-1", "metadata.user_api_key_team_id", "team-1", "metadata.user_api_key_team_alias", "", "litellm.end_user.id", "u-1")
	names := chat("litellm.call_id", "c-1", "metadata.user_api_key_team_id", "team-1", "metadata.user_api_key_team_alias", "Team One")
	const trace = "0102030405060708090a0b0c0d0e0f10"
	for name, tt := range map[string]struct {
		span          *span
		asked, always result
	}{
		"OpenInference": {openInference, result{"", "u-1", "t-1"}, result{"", "", trace}},
		"LiteLLM's ids": {ids, result{"team-1", "u-1", trace}, result{"", "", trace}},
		"and names":     {names, result{"Team One", "", trace}, result{"Team One", "", trace}},
	} {
		get := func(opts ...convert.Option) result {
			c := bill(t, tt.span, opts...)
			r := result{c.OrganizationName, "", c.TraceID}
			if c.Subscriber != nil {
				r.Subscriber = c.Subscriber.ID
			}
			return r
		}
		if got := get(convert.WithDialectAttribution()); got != tt.asked {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.asked)
		}
		if got := get(); got != tt.always {
			t.Errorf("%s, not asked: got %+v, want %+v", name, got, tt.always)
		}
	}
}

// TestToolUseOfADK: what the provider's own tools put into the prompt is beside it, and
// in the total.
func TestToolUseOfADK(t *testing.T) {
	answer := func(usage string) *span {
		s := call("gen_ai.system", "gcp.vertex.agent", "gen_ai.request.model", "gemini-2.5-flash",
			"gen_ai.usage.input_tokens", 100, "gen_ai.usage.output_tokens", 20,
			"gcp.vertex.agent.llm_response", `{"usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 20, `+usage+`}}`)
		s.name, s.scope = "call_llm", "gcp.vertex.agent"
		return s
	}
	for usage, want := range map[string][4]int64{ // input, output, reasoning, total
		`"totalTokenCount": 120`:                                                            {100, 20, 0, 120},
		`"toolUsePromptTokenCount": 15, "totalTokenCount": 135`:                             {115, 20, 0, 135},
		`"thoughtsTokenCount": 30, "totalTokenCount": 150`:                                  {100, 50, 30, 150},
		`"thoughtsTokenCount": 30, "toolUsePromptTokenCount": 15, "totalTokenCount": 165`:   {115, 50, 30, 165},
		`"thoughtsTokenCount": 30, "toolUsePromptTokenCount": null, "totalTokenCount": 150`: {100, 50, 30, 150},
	} {
		c := bill(t, answer(usage))
		if got := [4]int64{c.InputTokenCount, c.OutputTokenCount, number(c.ReasoningTokenCount), c.TotalTokenCount}; got != want {
			t.Errorf("%s: got %v, want %v", usage, got, want)
		}
	}
}

// TestOpenRouterSpans: what OpenRouter's cloud tells of went through OpenRouter,
// whoever is named as the provider.
func TestOpenRouterSpans(t *testing.T) {
	s := chat("gen_ai.request.model", "openai/gpt-4o", "gen_ai.response.model", "openai/gpt-4o")
	s.scope = "openrouter"
	if c := bill(t, s); c.ModelSource != "OPENROUTER" || c.Provider != "OpenAI" || c.Model != "gpt-4o" {
		t.Errorf("source %q, provider %q, model %q", c.ModelSource, c.Provider, c.Model)
	}
}

// TestGuardrailSpan: a guardrail calls no model but by a span of its own.
func TestGuardrailSpan(t *testing.T) {
	attrs := []any{"llm.model_name", "gpt-4o", "llm.token_count.prompt", 100, "llm.token_count.completion", 20}
	tree := newTree(t)
	tree.add("guard", "", 0, 1000, append(attrs, "openinference.span.kind", "GUARDRAIL")...)
	tree.add("call", "guard", 10, 900, append(attrs, "openinference.span.kind", "LLM")...)
	checkSituation(t, [][]string{{"call"}}, tree.convert(newConverter(t)))
	if d := decide(t, tree.get("guard")); d.Kind != convert.Skipped || d.Reason != convert.ReasonNotBillable {
		t.Errorf("%v: %s", d.Kind, d.Reason)
	}
}

// TestPydanticAgent: the run of an agent of Pydantic AI names it by a name of its own,
// which is read on request.
func TestPydanticAgent(t *testing.T) {
	tree := newTree(t)
	tree.add("run", "", 0, 1000, "agent_name", "planner", "model_name", "gpt-4o", "gen_ai.usage.input_tokens", 9, "gen_ai.usage.output_tokens", 3).scope = "pydantic-ai"
	tree.add("call", "run", 10, 900, usage("gpt-4o", 9, 3)...).scope = "pydantic-ai"
	for want, opts := range map[string][]convert.Option{"": nil, "planner": {convert.WithDialectAttribution()}} {
		batch := newConverter(t, opts...).NewBatch()
		decisions := batch.Convert(nil, tree.get("call"))
		for _, d := range batch.End(batch.Convert(decisions, tree.get("run"))) {
			if c, ok := d.Record.(*metering.Completion); ok && c.Agent != want {
				t.Errorf("agent %q, want %q", c.Agent, want)
			}
		}
	}
}

// TestClaudeOfAISDK: whose Claude it is decides what Revenium expects as its input.
func TestClaudeOfAISDK(t *testing.T) {
	for provider, want := range map[string]struct{ provider, model, asked, host string }{
		"anthropic.messages":              {"Anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5", ""},
		"gateway":                         {"Anthropic", "claude-sonnet-4.5", "anthropic/claude-sonnet-4.5", ""},
		"googleVertex.anthropic.messages": {"Google", "claude-sonnet-4@20250514", "claude-sonnet-4@20250514", "vertex"},
		"bedrock.anthropic.messages":      {"Amazon Bedrock", "us.anthropic.claude-sonnet-4-20250514-v1:0", "us.anthropic.claude-sonnet-4-20250514-v1:0", "bedrock"},
	} {
		c := bill(t, call("ai.operationId", "ai.generateText.doGenerate", "ai.model.provider", provider, "gen_ai.system", provider, "ai.model.id", want.asked,
			"ai.usage.inputTokens", 12, "ai.usage.outputTokens", 5, "ai.usage.cachedInputTokens", 7))
		if c.Provider != want.provider || c.Model != want.model || c.ModelHost != want.host {
			t.Errorf("%s: provider %q, model %q on %q", provider, c.Provider, c.Model, c.ModelHost)
		}
		if c.InputTokenCount != 12 || number(c.CacheReadTokenCount) != 7 || c.TotalTokenCount != 24 {
			t.Errorf("%s: input %d, cached %d, total %d", provider, c.InputTokenCount, number(c.CacheReadTokenCount), c.TotalTokenCount)
		}
	}
}

// TestFirstChunkOfAISDK: the event tells where the attribute is gone.
func TestFirstChunkOfAISDK(t *testing.T) {
	s := call("ai.operationId", "ai.streamText.doStream", "ai.model.id", "gpt-4o", "ai.model.provider", "openai.chat",
		"ai.usage.inputTokens", 10, "ai.usage.outputTokens", 2)
	s.events = []event{{name: "ai.stream.firstChunk", at: start.Add(150 * time.Millisecond)}, {name: "ai.stream.finish", at: start.Add(time.Second)}}
	if c := bill(t, s); !c.IsStreamed || c.TimeToFirstToken == nil || *c.TimeToFirstToken != 150 {
		t.Errorf("streamed %v, first token %v", c.IsStreamed, c.TimeToFirstToken)
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
