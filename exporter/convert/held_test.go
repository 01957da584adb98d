// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// clock is a clock that tests move.
type clock struct{ now time.Time }

func (c *clock) option() convert.Option {
	return convert.WithClock(func() time.Time { return c.now })
}

// attempts returns spans of one call: failures and, last, the answer, one after
// the other under the same parent.
func attempts(n int) []*span {
	var spans []*span
	for i := range n {
		s := failed("http.response.status_code", 429)
		if i == n-1 {
			s = chat()
		}
		if i > 0 {
			s.attrs = append(s.attrs, with("revenium.retry.number", i)...)
		}
		s.id = [8]byte{1, byte(i + 1)}
		s.parent = [8]byte{9}
		s.start = start.Add(time.Duration(i) * 3 * time.Second)
		s.end = s.start.Add(time.Second)
		spans = append(spans, s)
	}
	return spans
}

// parentOf is the span around the attempts.
func parentOf(spans []*span) *span {
	s := call("http.request.method", "GET")
	s.name, s.id = "handle request", spans[0].parent
	return s
}

// outcome counts final decisions by kind and reason, held ones apart.
func outcome(decisions []convert.Decision) map[string]int {
	got := map[string]int{}
	for _, d := range decisions {
		if d.Kind != convert.Held {
			got[d.Kind.String()+" "+string(d.Reason)]++
		}
	}
	return got
}

func TestRepeatedFailuresAreSuppressed(t *testing.T) {
	c := newConverter(t)
	var all []convert.Decision
	for i, s := range attempts(3) {
		decisions := c.Convert(nil, s)
		all = append(all, decisions...)
		if i < 2 && c.Held() != 1 {
			t.Errorf("after attempt %d, %d spans are held, want 1", i, c.Held())
		}
	}
	if got := outcome(all); got["billed usage"] != 1 || got["suppressed retried"] != 2 || len(got) != 2 {
		t.Errorf("got %v", got)
	}
	if c.Held() != 0 {
		t.Errorf("%d spans are still held", c.Held())
	}
}

// TestLastFailureIsBilled: of a call that failed for good, one record.
func TestLastFailureIsBilled(t *testing.T) {
	c := newConverter(t)
	spans := attempts(4)[:3]
	var all []convert.Decision
	for _, s := range spans {
		all = append(all, c.Convert(nil, s)...)
	}
	all = append(all, c.Convert(nil, parentOf(spans))...)
	if got := outcome(all); got["billed error"] != 1 || got["suppressed retried"] != 2 || len(got) != 2 {
		t.Errorf("got %v", got)
	}
	for _, d := range all {
		if d.Kind == convert.Billed && (d.SpanID != spans[2].id || !d.WasHeld) {
			t.Errorf("billed %x (held before: %v), want the last attempt", d.SpanID, d.WasHeld)
		}
	}
}

// TestOrderOfArrivalDoesNotMatter: the same spans in any order, twice some of
// them, bill the same calls.
func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, answered := range []bool{true, false} {
		spans := attempts(4)
		if !answered {
			spans = spans[:3]
		}
		want := map[string]int{"billed usage": 1, "suppressed retried": 3}
		if !answered {
			want = map[string]int{"billed error": 1, "suppressed retried": 2}
		}
		for range 200 {
			order := append([]*span(nil), spans...)
			rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			order = append(order, order[rng.IntN(len(order))])
			c := newConverter(t)
			var all []convert.Decision
			for _, s := range order {
				all = append(all, c.Convert(nil, s)...)
			}
			all = c.Flush(all)
			got := outcome(all)
			if got["suppressed replay"] != 1 {
				t.Fatalf("a span that came twice: %v", got)
			}
			delete(got, "suppressed replay")
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("order %v: got %v, want %v", ids(order), got, want)
			}
		}
	}
}

func ids(spans []*span) []byte {
	var list []byte
	for _, s := range spans {
		list = append(list, s.id[1])
	}
	return list
}

// TestSeparateCallsAreNotRetries: a failed call and a later one that happens to be
// alike, under different parents, for other models or at the same time.
func TestSeparateCallsAreNotRetries(t *testing.T) {
	alter := map[string]func(s *span){
		"another parent": func(s *span) { s.parent = [8]byte{7} },
		"another trace":  func(s *span) { s.trace[0]++ },
		"another model": func(s *span) {
			for i := range s.attrs {
				if s.attrs[i].key == "gen_ai.request.model" {
					s.attrs[i].value = convert.StringValue("gpt-4o-mini")
				}
			}
		},
		"at the same time": func(s *span) { s.start, s.end = start, start.Add(time.Second) },
	}
	for name, change := range alter {
		t.Run(name, func(t *testing.T) {
			spans := attempts(2)
			spans[1].attrs = spans[1].attrs[:len(spans[1].attrs)-1] // the retry number
			change(spans[1])
			c := newConverter(t)
			all := c.Flush(c.Convert(c.Convert(nil, spans[0]), spans[1]))
			if got := outcome(all); got["billed usage"] != 1 || got["billed error"] != 1 || len(got) != 2 {
				t.Errorf("got %v, want both billed", got)
			}
		})
	}
}

// TestParallelCallsThatFail: as many records as calls that failed for good.
func TestParallelCallsThatFail(t *testing.T) {
	c := newConverter(t)
	var all []convert.Decision
	for i := range 3 {
		s := attempts(2)[0]
		s.id[7] = byte(i)
		all = append(all, c.Convert(nil, s)...)
	}
	all = c.Flush(all)
	if got := outcome(all); got["billed error"] != 3 || len(got) != 1 {
		t.Errorf("got %v, want three failed calls", got)
	}
}

func TestSettleWindow(t *testing.T) {
	clk := &clock{now: start}
	c := newConverter(t, clk.option(), convert.WithSettleWindow(10*time.Second))
	if d := c.Convert(nil, attempts(2)[0]); len(d) != 1 || d[0].Kind != convert.Held || d[0].Reason != convert.ReasonAwaitingRetry || d[0].Record != nil {
		t.Fatalf("got %+v, want one that is held", d)
	}
	if d := c.Settle(nil, start.Add(9*time.Second)); len(d) != 0 {
		t.Errorf("settled after 9 s: %+v", d)
	}
	d := c.Settle(nil, start.Add(10*time.Second))
	if len(d) != 1 || d[0].Kind != convert.Billed || !d[0].WasHeld || d[0].Record == nil {
		t.Errorf("after 10 s: got %+v, want it billed", d)
	}
	if d := c.Settle(nil, start.Add(time.Hour)); len(d) != 0 {
		t.Errorf("settled twice: %+v", d)
	}
}

func TestHeldSpansAreBounded(t *testing.T) {
	c := newConverter(t, convert.WithMaxHeld(10))
	billedEarly := 0
	for i := range 25 {
		s := attempts(2)[0]
		s.trace[15] = byte(i)
		for _, d := range c.Convert(nil, s) {
			if d.Kind == convert.Billed {
				billedEarly++
				if d.TraceID[15] != byte(i-10) {
					t.Errorf("trace %d had to go when %d came, want the oldest", d.TraceID[15], i)
				}
			}
		}
		if c.Held() > 10 {
			t.Fatalf("%d spans are held", c.Held())
		}
	}
	if stats := c.Stats(); billedEarly != 15 || stats.HeldOverflow != 15 || stats.Held != 10 {
		t.Errorf("%d billed early, stats %+v", billedEarly, stats)
	}
}

// TestReplays: a span is billed once as long as it is remembered, and what is
// forgotten is counted.
func TestReplays(t *testing.T) {
	clk := &clock{now: start}
	c := newConverter(t, clk.option(), convert.WithRecent(100, 10*time.Minute))
	numbered := func(i int) *span {
		s := chat()
		s.id = [8]byte{byte(i >> 8), byte(i), 1}
		return s
	}
	kinds := func(s *span) convert.DecisionKind {
		d := c.Convert(nil, s)
		if len(d) != 1 {
			t.Fatalf("got %d decisions", len(d))
		}
		return d[0].Kind
	}
	if kinds(numbered(0)) != convert.Billed || kinds(numbered(0)) != convert.Suppressed {
		t.Error("a span that came twice was not billed once")
	}
	clk.now = start.Add(4 * time.Minute)
	if kinds(numbered(0)) != convert.Suppressed {
		t.Error("forgotten after less than half of the age")
	}
	clk.now = start.Add(20 * time.Minute)
	if kinds(numbered(0)) != convert.Billed {
		t.Error("still remembered after twice the age")
	}
	for i := range 1000 {
		kinds(numbered(i + 1))
	}
	stats := c.Stats()
	if stats.Recent > 100 || stats.RecentForgotten < 900 {
		t.Errorf("stats %+v, want at most 100 remembered and the rest counted", stats)
	}
	if kinds(numbered(1000)) != convert.Suppressed {
		t.Error("the latest span is forgotten")
	}
}

// TestSpansThatAreNoCallsReleaseTheirChildren without being decided about.
func TestSpansThatAreNoCallsReleaseTheirChildren(t *testing.T) {
	c := newConverter(t)
	spans := attempts(2)
	c.Convert(nil, spans[0])
	other := parentOf(spans)
	other.id = [8]byte{42}
	if d := c.Convert(nil, other); len(d) != 0 {
		t.Errorf("a span that has nothing to do with it: %+v", d)
	}
	if d := c.Convert(nil, parentOf(spans)); len(d) != 1 || d[0].Kind != convert.Billed || d[0].SpanID != spans[0].id {
		t.Errorf("the parent's end: %+v", d)
	}
}
