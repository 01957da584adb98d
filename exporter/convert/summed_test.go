// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"slices"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// loop returns a span around three calls, whose usage it says again without a word of
// what it is, and around the last a span of another instrumentation.
func loop(tb testing.TB, input, output int) *tree {
	tb.Helper()
	tree := newTree(tb)
	tree.add("loop", "", 0, 10_000, usage("gpt-4o", input, output)...)
	tree.add("first", "loop", 10, 900, usage("gpt-4o", 100, 10)...)
	tree.add("second", "loop", 1000, 1900, usage("gpt-4o", 150, 20)...)
	tree.add("third", "loop", 2000, 2900, usage("gpt-4o", 250, 30)...)
	tree.add("twin", "third", 2010, 2890, usage("gpt-4o", 250, 30, "gen_ai.response.id", "r-3")...).scope = "example.com/other"
	return tree
}

// TestSummed: a call whose usage is the sum of the calls below it bills nothing,
// whatever comes first, where it waits for what comes.
func TestSummed(t *testing.T) {
	calls := [][]string{{"first"}, {"second"}, {"third", "twin"}}
	tests := map[string]struct {
		input, output int
		bills         [][]string
	}{
		"the sum":     {500, 60, calls},
		"another sum": {500, 61, append([][]string{{"loop"}}, calls...)},
	}
	orders := [][]string{
		{"loop", "first", "second", "third", "twin"},
		{"first", "loop", "twin", "second", "third"},
		{"twin", "third", "second", "first", "loop"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, order := range orders {
				tree := loop(t, tt.input, tt.output)
				checkSituation(t, tt.bills, tree.convert(newConverter(t, convert.WithHoldBack(time.Second)), order...))

				batch := newConverter(t).NewBatch()
				var decisions []convert.Decision
				for _, s := range tree.order(order) {
					decisions = batch.Convert(decisions, s)
				}
				checkSituation(t, tt.bills, tree.outcomes(batch.End(decisions)))

				// A restart between each two.
				c := newConverter(t, convert.WithHoldBack(time.Second), convert.WithJournal())
				m := &memory{tb: t}
				decisions = nil
				for _, s := range tree.order(order) {
					decisions = c.Convert(decisions, s)
					m.save(c)
					c, _ = m.restart(convert.WithHoldBack(time.Second), convert.WithJournal())
				}
				checkSituation(t, tt.bills, tree.outcomes(c.Flush(decisions)))
			}
			// Within a process, the span around ends last.
			checkSituation(t, tt.bills, loop(t, tt.input, tt.output).convert(newConverter(t), orders[2]...))
		})
	}
}

// wrappers are spans that say to be calls, around what is not simply their parts.
var wrappers = map[string]struct {
	build func(*tree)
	bills [][]string
}{
	"a sum around another sum and a call": {func(t *tree) {
		t.add("outer", "", 0, 9000, usage("gpt-4o", 557, 65)...)
		t.add("inner", "outer", 10, 4000, usage("gpt-4o", 250, 30)...)
		t.add("first", "inner", 20, 900, usage("gpt-4o", 100, 10)...)
		t.add("second", "inner", 1000, 1900, usage("gpt-4o", 150, 20)...)
		t.add("third", "outer", 5000, 5900, usage("gpt-4o", 307, 35)...)
	}, [][]string{{"first"}, {"second"}, {"third"}}},
	"a sum of calls that spans in other traces bill": {func(t *tree) {
		t.add("sum", "", 0, 9000, usage("gpt-4o", 250, 30)...)
		t.add("first", "sum", 10, 910, usage("gpt-4o", 100, 10)...).scope = "framework"
		t.add("second", "sum", 1010, 1910, usage("gpt-4o", 150, 20)...).scope = "framework"
		for i, twin := range []*span{
			t.add("first's", "", 30, 890, usage("gpt-4o", 100, 10, "gen_ai.response.id", "r-1")...),
			t.add("second's", "", 1030, 1890, usage("gpt-4o", 150, 20, "gen_ai.response.id", "r-2")...),
		} {
			twin.scope, twin.trace[0] = "client", byte(90+i)
		}
	}, [][]string{{"first", "first's"}, {"second", "second's"}}},
	"a sum without the cache": {func(t *tree) {
		const model = "us.anthropic.claude-sonnet-4-20250514-v1:0"
		bedrock := func(name, parent string, from, to, input, output int, more ...any) *span {
			return t.add(name, parent, from, to, usage(model, input, output, append(more, "gen_ai.provider.name", "aws.bedrock")...)...)
		}
		bedrock("sum", "", 0, 9000, 180, 20)
		const read = "gen_ai.usage.cache_read_input_tokens"
		bedrock("first", "sum", 10, 900, 80, 9, read, 1200).scope = "strands.telemetry.tracer"
		bedrock("second", "sum", 1000, 1900, 100, 11, read, 1300).scope = "strands.telemetry.tracer"
	}, [][]string{{"first"}, {"second"}}},
}

func TestSumsOfMore(t *testing.T) {
	byEnd := func(a, b *span) int { return a.end.Compare(b.end) }
	byStart := func(a, b *span) int { return a.start.Compare(b.start) }
	hold := []convert.Option{convert.WithHoldBack(time.Second), convert.WithJournal()}
	for name, tt := range wrappers {
		t.Run(name, func(t *testing.T) {
			for _, order := range []func(a, b *span) int{byStart, byEnd} {
				tree := newTree(t)
				tt.build(tree)
				slices.SortStableFunc(tree.spans, order)
				checkSituation(t, tt.bills, tree.convert(newConverter(t, hold...)))

				batch := newConverter(t).NewBatch()
				var decisions []convert.Decision
				for _, s := range tree.spans {
					decisions = batch.Convert(decisions, s)
				}
				checkSituation(t, tt.bills, tree.outcomes(batch.End(decisions)))

				c, m := newConverter(t, hold...), &memory{tb: t}
				decisions = nil
				for _, s := range tree.spans {
					decisions = c.Convert(decisions, s)
					m.save(c)
					c, _ = m.restart(hold...)
				}
				checkSituation(t, tt.bills, tree.outcomes(c.Flush(decisions)))
			}
			tree := newTree(t)
			tt.build(tree)
			slices.SortStableFunc(tree.spans, byEnd)
			checkSituation(t, tt.bills, tree.convert(newConverter(t, convert.WithInProcess())))
		})
	}
}
