// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// sums keeps the account of a converter, which must hold at every moment:
// converted = billed + suppressed + skipped + held.
type sums struct {
	tb                                            testing.TB
	c                                             *convert.Converter
	converted, billed, suppressed, skipped, waits int
}

func (s *sums) add(decisions []convert.Decision) {
	s.tb.Helper()
	for _, d := range decisions {
		if d.WasHeld {
			s.waits--
		} else {
			s.converted++
		}
		switch d.Kind {
		case convert.Billed:
			s.billed++
		case convert.Suppressed:
			s.suppressed++
		case convert.Skipped:
			s.skipped++
		case convert.Held:
			s.waits++
		default:
			s.tb.Errorf("undecided: %+v", d)
		}
	}
	if sum := s.billed + s.suppressed + s.skipped + s.waits; s.converted != sum {
		s.tb.Errorf("converted %d, which is not %d billed + %d suppressed + %d skipped + %d held",
			s.converted, s.billed, s.suppressed, s.skipped, s.waits)
	}
	if s.waits != s.c.Held() {
		s.tb.Errorf("%d spans are held by the decisions, %d by the converter", s.waits, s.c.Held())
	}
}

// arrive converts spans in random order, cut into random batches or one by one,
// with spans that come twice, and returns all decisions.
func arrive(tb testing.TB, r *rand.Rand, spans []*span, opts ...convert.Option) []convert.Decision {
	tb.Helper()
	spans = slices.Clone(spans)
	for range r.IntN(3) {
		spans = append(spans, spans[r.IntN(len(spans))])
	}
	r.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
	c := newConverter(tb, opts...)
	account := sums{tb: tb, c: c}
	var all []convert.Decision
	take := func(decisions []convert.Decision) {
		tb.Helper()
		account.add(decisions)
		all = append(all, decisions...)
	}
	for len(spans) > 0 {
		n := 1 + r.IntN(len(spans))
		if r.IntN(2) == 0 {
			for _, s := range spans[:n] {
				take(c.Convert(nil, s))
			}
		} else {
			batch := c.NewBatch()
			for _, s := range spans[:n] {
				take(batch.Convert(nil, s))
			}
			take(batch.End(nil))
		}
		spans = spans[n:]
	}
	take(c.Flush(nil))
	if c.Held() != 0 {
		tb.Errorf("%d spans are held after the end", c.Held())
	}
	return all
}

// inOrder are situations in which an error is reported too early when the spans
// arrive from the outer to the inner one: a failure that nobody repeats need not
// wait.
var inOrder = []string{"a wrapper that failed around a call that did not"}

// Order of arrival, borders of batches, replays and duplicates never change what
// is billed.
func TestArrivalDoesNotMatter(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(situations)) {
		situation := situations[name]
		if slices.Contains(inOrder, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			tree := newTree(t)
			situation.build(tree)
			for seed := range uint64(200 / fewer) {
				decisions := arrive(t, rand.New(rand.NewPCG(seed, 7)), tree.spans)
				if situation.bills != nil {
					checkSituation(t, situation.bills, billedOf(tree, decisions))
				} else if n := strings.Count(fmt.Sprint(billedOf(tree, decisions)), "billed"); n != 3 {
					t.Errorf("%d billed, want 3", n)
				}
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}

// billedOf are the outcomes, of a replayed span those of its first conversion.
func billedOf(tree *tree, decisions []convert.Decision) map[string]string {
	got := make(map[string]string)
	for _, d := range decisions {
		if d.Kind == convert.Held || d.Reason == convert.ReasonReplay {
			continue
		}
		name := tree.names[d.SpanID]
		if before := got[name]; strings.HasPrefix(before, "billed") && d.Kind == convert.Billed {
			got[name] = "billed twice: " + string(d.Reason)
			continue
		}
		got[name] = d.Kind.String() + ": " + string(d.Reason)
	}
	return got
}

// randomTrace makes a trace of nested spans of all kinds.
func randomTrace(r *rand.Rand, n uint64) []*span {
	spans := make([]*span, 0, 12)
	for i := range 2 + r.IntN(10) {
		s := &span{
			name: fmt.Sprint("span ", i), scope: []string{"a", "b", "c"}[r.IntN(3)],
			start: start.Add(time.Duration(n)*time.Second + time.Duration(i)*time.Millisecond),
			end:   start.Add(time.Duration(n)*time.Second + time.Duration(500-i+r.IntN(3))*time.Millisecond),
		}
		binary.BigEndian.PutUint64(s.trace[:], n+1)
		binary.BigEndian.PutUint64(s.id[:], n*100+uint64(i)+1)
		if i > 0 {
			s.parent = spans[r.IntN(i)].id
		}
		model := []string{"gpt-4o", "claude-sonnet-4-5"}[r.IntN(2)]
		switch r.IntN(6) {
		case 0:
			s.attrs = with(usage(model, 0, 0, "gen_ai.operation.name", "execute_tool")...)
		case 1:
			s.attrs = with(usage(model, 10+r.IntN(3), r.IntN(3), "gen_ai.operation.name", "invoke_agent")...)
		case 2:
			s.attrs = with(usage(model, 0, 0)...)
		case 3:
			s.attrs = with(usage(model, 0, 0, "http.response.status_code", 500+r.IntN(2)*-100)...)
		case 4:
			s.attrs = with("http.request.method", "GET")
		default:
			s.attrs = with(usage(model, 10+r.IntN(3), r.IntN(3), "gen_ai.response.id", fmt.Sprintf("resp_%d_%d", n, r.IntN(6)))...)
		}
		spans = append(spans, s)
	}
	return spans
}

// Whatever comes, the account holds, nothing waits for ever, and no span bills
// twice.
func TestAccountHolds(t *testing.T) {
	for seed := range uint64(300 / fewer) {
		r := rand.New(rand.NewPCG(seed, 3))
		var spans []*span
		for n := range uint64(1 + r.IntN(4)) {
			spans = append(spans, randomTrace(r, n)...)
		}
		opts := []convert.Option{convert.WithMaxHeld(1 + r.IntN(20)), convert.WithLinks(1 + r.IntN(200)), convert.WithRecent(2+r.IntN(100), time.Hour)}
		billed := make(map[[8]byte]int)
		for _, d := range arrive(t, r, spans, opts...) {
			if d.Kind == convert.Billed {
				billed[d.SpanID]++
			}
		}
		full := make(map[[8]byte]int)
		for _, d := range arrive(t, r, spans) {
			if d.Kind == convert.Billed {
				if full[d.SpanID]++; full[d.SpanID] > 1 {
					t.Errorf("span %x bills twice", d.SpanID)
				}
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// Nor do they where log events come among the spans.
func TestArrivalOfLogEventsDoesNotMatter(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(logSituations)) {
		situation := logSituations[name]
		t.Run(name, func(t *testing.T) {
			tree := newTree(t)
			situation.build(tree)
			for seed := range uint64(200 / fewer) {
				decisions := arrive(t, rand.New(rand.NewPCG(seed, 11)), tree.spans)
				checkSituation(t, situation.bills, billedOf(tree, decisions))
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}
