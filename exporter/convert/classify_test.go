// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"testing"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

func TestOperations(t *testing.T) {
	tests := map[string]struct {
		operation string
		kind      convert.DecisionKind
		reason    convert.Reason
		typ       metering.OperationType
	}{
		"chat":                {"chat", convert.Billed, convert.ReasonUsage, metering.OperationChat},
		"upper case":          {"Chat", convert.Billed, convert.ReasonUsage, metering.OperationChat},
		"space":               {" chat ", convert.Billed, convert.ReasonUsage, metering.OperationChat},
		"chat.completions":    {"chat.completions", convert.Billed, convert.ReasonUsage, metering.OperationChat},
		"LiteLLM completion":  {"acompletion", convert.Billed, convert.ReasonUsage, metering.OperationChat},
		"responses":           {"responses", convert.Billed, convert.ReasonUsage, metering.OperationChat},
		"generate_content":    {"generate_content", convert.Billed, convert.ReasonUsage, metering.OperationGenerate},
		"text_completion":     {"text_completion", convert.Billed, convert.ReasonUsage, metering.OperationGenerate},
		"embeddings":          {"embeddings", convert.Billed, convert.ReasonUsage, metering.OperationEmbed},
		"embedding":           {"embedding", convert.Billed, convert.ReasonUsage, metering.OperationEmbed},
		"rerank":              {"rerank", convert.Billed, convert.ReasonUsage, metering.OperationRerank},
		"realtime_inference":  {"realtime_inference", convert.Billed, convert.ReasonUsage, metering.OperationChat},
		"invoke_agent":        {"invoke_agent", convert.Billed, convert.ReasonLastResort, metering.OperationChat},
		"invoke_workflow":     {"invoke_workflow", convert.Billed, convert.ReasonLastResort, metering.OperationChat},
		"agent_step":          {"agent_step", convert.Billed, convert.ReasonLastResort, metering.OperationChat},
		"framework":           {"framework", convert.Billed, convert.ReasonLastResort, metering.OperationChat},
		"event loop":          {"execute_event_loop_cycle", convert.Billed, convert.ReasonLastResort, metering.OperationChat},
		"execute_tool":        {"execute_tool", convert.Skipped, convert.ReasonNotBillable, ""},
		"retrieval":           {"retrieval", convert.Skipped, convert.ReasonNotBillable, ""},
		"create_agent":        {"create_agent", convert.Skipped, convert.ReasonNotBillable, ""},
		"plan":                {"plan", convert.Skipped, convert.ReasonNotBillable, ""},
		"fetch_response":      {"fetch_response", convert.Skipped, convert.ReasonNotBillable, ""},
		"count_tokens":        {"count_tokens", convert.Skipped, convert.ReasonNotBillable, ""},
		"search_memory":       {"search_memory", convert.Skipped, convert.ReasonNotBillable, ""},
		"image_generation":    {"image_generation", convert.Billed, convert.ReasonMedia, metering.OperationImage},
		"speech":              {"speech", convert.Billed, convert.ReasonMedia, metering.OperationAudio},
		"transcription":       {"transcription", convert.Billed, convert.ReasonMedia, metering.OperationAudio},
		"video_generation":    {"video_generation", convert.Billed, convert.ReasonUsage, metering.OperationVideo},
		"an unknown one":      {"meditate", convert.Skipped, convert.ReasonUnknownOperation, ""},
		"chat with something": {"chat_and_more", convert.Skipped, convert.ReasonUnknownOperation, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := decide(t, chat("gen_ai.operation.name", tt.operation))
			if d.Kind != tt.kind || d.Reason != tt.reason {
				t.Fatalf("got %v (%s), want %v (%s)", d.Kind, d.Reason, tt.kind, tt.reason)
			}
			if (d.Record != nil) != (tt.kind == convert.Billed) {
				t.Fatalf("record is %v for %v", d.Record, d.Kind)
			}
			if d.Record != nil {
				if got := operationType(d.Record); got != tt.typ {
					t.Errorf("operation type = %q, want %q", got, tt.typ)
				}
			}
			if d.TraceID != traceID || d.SpanID != spanID || d.SpanName != "chat gpt-4o" {
				t.Errorf("decision is about %x %x %q", d.TraceID, d.SpanID, d.SpanName)
			}
		})
	}
}

// A span that calls no model must not be billed whatever else is on it. One around
// calls is billed as the last resort only, which can be switched off.
func TestUsageAloneIsNotBilled(t *testing.T) {
	for _, operation := range []string{"execute_tool", "invoke_agent", "create_agent", "retrieval", "brand_new_operation"} {
		s := chat("gen_ai.operation.name", operation, "gen_ai.tool.name", "search", "error.type", "timeout")
		d := decide(t, s, convert.WithErrorRecords(convert.ErrorPolicyAll), convert.WithZeroUsage(), convert.WithoutAggregates())
		if d.Kind != convert.Skipped {
			t.Errorf("%s: got %v (%s)", operation, d.Kind, d.Reason)
		}
	}
}

// A requested tool on the span of a call does not make it the span of a tool.
func TestToolNameOnCall(t *testing.T) {
	if c := bill(t, chat("gen_ai.tool.name", "search", "gen_ai.tool.call.id", "c1")); c.InputTokenCount != 100 {
		t.Errorf("input = %d, want 100", c.InputTokenCount)
	}
}

func TestRequestType(t *testing.T) {
	tests := map[string]metering.OperationType{
		"chat": metering.OperationChat, "completion": metering.OperationGenerate,
		"embedding": metering.OperationEmbed, "rerank": metering.OperationRerank,
	}
	for requestType, want := range tests {
		c := bill(t, chat("gen_ai.operation.name", nil, "llm.request.type", requestType))
		if c.OperationType != want {
			t.Errorf("%s: operation type = %q, want %q", requestType, c.OperationType, want)
		}
	}
	d := decide(t, chat("gen_ai.operation.name", nil, "llm.request.type", "dream"))
	if d.Kind != convert.Skipped || d.Reason != convert.ReasonUnknownOperation {
		t.Errorf("unknown type: got %v (%s)", d.Kind, d.Reason)
	}
	// The operation's name is the better witness.
	if c := bill(t, chat("llm.request.type", "completion")); c.OperationType != metering.OperationChat {
		t.Errorf("both: operation type = %q, want CHAT", c.OperationType)
	}
}

func TestOutputType(t *testing.T) {
	tests := map[string]convert.Reason{
		"text": convert.ReasonUsage, "json": convert.ReasonUsage, "": convert.ReasonUsage,
		"image": convert.ReasonMedia, "speech": convert.ReasonMedia,
		"video": convert.ReasonUsage, // of which only the tokens are known
	}
	for output, want := range tests {
		d := decide(t, chat("gen_ai.operation.name", "generate_content", "gen_ai.output.type", output))
		if d.Reason != want {
			t.Errorf("output type %q: got %v (%s), want %s", output, d.Kind, d.Reason, want)
		}
	}
}

// Spans that name no operation.
func TestNoOperation(t *testing.T) {
	tests := map[string]struct {
		span   *span
		kind   convert.DecisionKind
		reason convert.Reason
	}{
		"usage and model": {
			call("gen_ai.system", "aws.bedrock", "gen_ai.request.model", "anthropic.claude-3-haiku", "gen_ai.usage.input_tokens", 3),
			convert.Billed, convert.ReasonUsage,
		},
		"usage on a request": { // an HTTP instrumentation that was taught about models
			call("http.request.method", "POST", "gen_ai.request.model", "gpt-4o", "gen_ai.usage.input_tokens", 3),
			convert.Billed, convert.ReasonUsage,
		},
		"provider and model, no usage": {
			call("gen_ai.system", "openai", "gen_ai.request.model", "gpt-4o"),
			convert.Skipped, convert.ReasonNoUsage,
		},
		"model copied onto a request": {
			call("http.request.method", "GET", "gen_ai.provider.name", "openai", "gen_ai.request.model", "gpt-4o"),
			convert.Skipped, convert.ReasonNoCall,
		},
		"model copied onto a query": {
			call("db.system.name", "postgresql", "gen_ai.provider.name", "openai", "gen_ai.request.model", "gpt-4o"),
			convert.Skipped, convert.ReasonNoCall,
		},
		"model alone":    {call("gen_ai.request.model", "gpt-4o"), convert.Skipped, convert.ReasonNoCall},
		"provider alone": {call("gen_ai.provider.name", "openai"), convert.Skipped, convert.ReasonNoCall},
		"usage without a model": {
			call("gen_ai.provider.name", "openai", "gen_ai.usage.input_tokens", 10, "gen_ai.usage.output_tokens", 10),
			convert.Skipped, convert.ReasonNoCall,
		},
		"an evaluation": {call("gen_ai.evaluation.name", "relevance", "gen_ai.evaluation.score.value", 0.8), convert.Skipped, convert.ReasonNoCall},
		"failed call": {
			call("gen_ai.system", "aws.bedrock", "gen_ai.request.model", "anthropic.claude-3-haiku", "http.response.status_code", 400),
			convert.Billed, convert.ReasonError,
		},
		"a framework as provider": {
			call("gen_ai.system", "langchain", "gen_ai.request.model", "gpt-4o"), convert.Skipped, convert.ReasonNoCall,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if d := decide(t, tt.span); d.Kind != tt.kind || d.Reason != tt.reason {
				t.Errorf("got %v (%s), want %v (%s)", d.Kind, d.Reason, tt.kind, tt.reason)
			}
		})
	}
	s := chat("gen_ai.operation.name", nil)
	s.name = "orchestrate_tools"
	if d := decide(t, s, convert.WithoutAggregates()); d.Reason != convert.ReasonAggregate {
		t.Errorf("orchestrate_tools: got %v (%s), want skipped (aggregate operation)", d.Kind, d.Reason)
	}
}

func TestNotGenAI(t *testing.T) {
	c := newConverter(t)
	for name, s := range map[string]*span{
		"http":           httpSpan(),
		"no attributes":  call(),
		"attribution":    call("revenium.organization.name", "acme", "revenium.metering.skip", true),
		"similar prefix": call("gen_aix.operation.name", "chat", "llmops.team", "x", "", "empty key"),
	} {
		if d := c.Convert(nil, s); len(d) != 0 {
			t.Errorf("%s: got %+v, want no decision", name, d)
		}
	}
	// Only the span itself can show it: resources may carry a provider for all.
	s := httpSpan()
	s.resource = with("gen_ai.provider.name", "openai")
	if d := c.Convert(nil, s); len(d) != 0 {
		t.Errorf("resource: got %+v, want no decision", d)
	}
}

func TestOptOut(t *testing.T) {
	tests := map[string]struct {
		value any
		want  convert.Reason
	}{
		"true":         {true, convert.ReasonOptedOut},
		"text":         {"True", convert.ReasonOptedOut},
		"false":        {false, convert.ReasonUsage},
		"text false":   {"false", convert.ReasonUsage},
		"empty":        {"", convert.ReasonUsage},
		"not a flag":   {"yes please", convert.ReasonUsage},
		"not a flag 2": {1, convert.ReasonUsage},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if d := decide(t, chat("revenium.metering.skip", tt.value)); d.Reason != tt.want {
				t.Errorf("got %v (%s), want %s", d.Kind, d.Reason, tt.want)
			}
		})
	}
	// It is one span's, not a service's.
	s := chat()
	s.resource = with("revenium.metering.skip", true)
	bill(t, s)
}

func TestOperationOptions(t *testing.T) {
	c := bill(t, chat("gen_ai.operation.name", "generate_content"), convert.WithOperationType("generate_content", metering.OperationChat))
	if c.OperationType != metering.OperationChat {
		t.Errorf("overridden type = %q, want CHAT", c.OperationType)
	}
	c = bill(t, chat("gen_ai.operation.name", "Meditate"), convert.WithOperationType("meditate", metering.OperationOther))
	if c.OperationType != metering.OperationOther {
		t.Errorf("added operation: type = %q, want OTHER", c.OperationType)
	}
	unknown := convert.WithUnknownOperations(metering.OperationOther)
	if c := bill(t, chat("gen_ai.operation.name", "meditate"), unknown); c.OperationType != metering.OperationOther {
		t.Errorf("unknown operation: type = %q, want OTHER", c.OperationType)
	}
	for _, missing := range []string{"gen_ai.provider.name", "gen_ai.usage.input_tokens"} {
		s := chat("gen_ai.operation.name", "meditate", missing, nil)
		if missing == "gen_ai.usage.input_tokens" {
			s = chat("gen_ai.operation.name", "meditate", missing, nil, "gen_ai.usage.output_tokens", nil)
		}
		if d := decide(t, s, unknown); d.Reason != convert.ReasonUnknownOperation {
			t.Errorf("without %s: got %v (%s)", missing, d.Kind, d.Reason)
		}
	}
	if d := decide(t, chat("gen_ai.operation.name", "execute_tool"), unknown); d.Kind != convert.Skipped {
		t.Errorf("tool: got %v (%s)", d.Kind, d.Reason)
	}
}
