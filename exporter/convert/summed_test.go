// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
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
