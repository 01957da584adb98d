// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"slices"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// TestSameCountsAsReported: two spans of one call say the same counts, and only one
// of them has what is to be added to these.
func TestSameCountsAsReported(t *testing.T) {
	const claude, gemini = "us.anthropic.claude-sonnet-4-20250514-v1:0", "gemini-2.5-flash"
	const answer = `{"usage_metadata": {"prompt_token_count": 400, "candidates_token_count": 30, "thoughts_token_count": 70, "total_token_count": 500}}`
	type side struct {
		scope string
		attrs []any
	}
	strands := side{"strands.telemetry.tracer", []any{
		"gen_ai.operation.name", "chat", "gen_ai.system", "strands-agents", "gen_ai.request.model", claude,
		"gen_ai.usage.input_tokens", 80, "gen_ai.usage.output_tokens", 9, "gen_ai.usage.cache_read_input_tokens", 1200,
	}}
	bedrock := func(output int) side {
		return side{"opentelemetry.instrumentation.botocore.bedrock-runtime", []any{
			"gen_ai.operation.name", "chat", "gen_ai.system", "aws.bedrock", "gen_ai.request.model", claude,
			"gen_ai.usage.input_tokens", 80, "gen_ai.usage.output_tokens", output,
		}}
	}
	tests := map[string]struct {
		outer, inner side
		elsewhere    bool // nothing links the two
		bills        [][]string
	}{
		"thinking in a document": {
			side{"gcp.vertex.agent", []any{
				"gen_ai.system", "gcp.vertex.agent", "gen_ai.request.model", gemini, "gcp.vertex.agent.llm_response", answer,
				"gen_ai.usage.input_tokens", 400, "gen_ai.usage.output_tokens", 30,
			}},
			side{"opentelemetry.instrumentation.google_genai", usage(gemini, 400, 30, "gen_ai.provider.name", "gcp.gemini")},
			false,
			[][]string{{"outer", "inner"}},
		},
		"no word of the cache":           {strands, bedrock(9), false, [][]string{{"outer", "inner"}}},
		"no word of the cache, unlinked": {strands, bedrock(9), true, [][]string{{"outer", "inner"}}},
		"another output":                 {strands, bedrock(8), false, [][]string{{"outer"}, {"inner"}}},
		"another output, unlinked":       {strands, bedrock(8), true, [][]string{{"outer"}, {"inner"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tree := newTree(t)
			add := func(name, parent string, from, to int, s side) *span {
				added := tree.add(name, parent, from, to, s.attrs...)
				added.scope = s.scope
				return added
			}
			add("outer", "", 0, 1000, tt.outer)
			inner := add("inner", "outer", 10, 990, tt.inner)
			if tt.elsewhere {
				inner.trace[0]++
				inner.parent = [8]byte{}
			}
			for _, order := range [][]string{{"outer", "inner"}, {"inner", "outer"}} {
				batch := newConverter(t).NewBatch()
				var decisions []convert.Decision
				for _, s := range tree.order(order) {
					decisions = batch.Convert(decisions, s)
				}
				decisions = batch.End(decisions)
				checkSituation(t, tt.bills, tree.outcomes(slices.Clone(decisions)))
				for _, d := range decisions {
					// The one that knows more bills.
					if d.Kind == convert.Billed && len(tt.bills) == 1 && tree.names[d.SpanID] != "outer" {
						t.Errorf("%v: %s bills", order, tree.names[d.SpanID])
					}
				}
				checkSituation(t, tt.bills, tree.convert(newConverter(t, convert.WithHoldBack(time.Second)), order...))
				if order[0] == "inner" || !tt.elsewhere {
					checkSituation(t, tt.bills, tree.convert(newConverter(t), order...))
				}
			}
		})
	}
}
