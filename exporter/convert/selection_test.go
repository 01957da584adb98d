// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// situations are trees of which it is known what has to be billed, in whatever
// order the spans arrive. Calls that show the same have one name in bills.
var situations = map[string]struct {
	build func(t *tree)
	// bills are the sets of spans of which exactly one bills; all others do not.
	bills [][]string
}{
	"one call": {
		func(t *tree) { t.add("call", "", 0, 100, usage("gpt-4o", 10, 5)...) },
		[][]string{{"call"}},
	},
	"an agent around two calls": {
		func(t *tree) {
			t.add("agent", "", 0, 300, usage("gpt-4o", 30, 12, "gen_ai.operation.name", "invoke_agent")...)
			t.add("first", "agent", 10, 100, usage("gpt-4o", 10, 5)...)
			t.add("tool", "agent", 110, 120, "gen_ai.operation.name", "execute_tool")
			t.add("second", "agent", 130, 290, usage("gpt-4o", 20, 7)...)
		},
		[][]string{{"first"}, {"second"}},
	},
	"agents around agents, with spans between": {
		func(t *tree) {
			t.add("request", "", 0, 500, "http.request.method", "POST")
			t.add("outer agent", "request", 1, 490, usage("gpt-4o", 30, 12, "gen_ai.operation.name", "invoke_agent")...)
			t.add("step", "outer agent", 2, 400, "code.function", "step")
			t.add("inner agent", "step", 3, 300, usage("gpt-4o", 30, 12, "gen_ai.operation.name", "invoke_agent")...)
			t.add("http", "inner agent", 4, 200, "http.request.method", "POST")
			t.add("call", "http", 5, 190, usage("gpt-4o", 30, 12)...)
		},
		[][]string{{"call"}},
	},
	"an agent without spans of calls": {
		func(t *tree) {
			t.add("outer agent", "", 0, 300, usage("gpt-4o", 30, 12, "gen_ai.operation.name", "invoke_agent")...)
			t.add("agent", "outer agent", 10, 200, usage("gpt-4o", 30, 12, "gen_ai.operation.name", "invoke_agent")...)
			t.add("tool", "agent", 20, 30, "gen_ai.operation.name", "execute_tool")
		},
		[][]string{{"agent"}},
	},
	"an agent that has the usage of calls without": {
		func(t *tree) {
			t.add("agent", "", 0, 300, usage("gpt-4o", 30, 12, "gen_ai.operation.name", "invoke_agent")...)
			t.add("call", "agent", 10, 200, usage("gpt-4o", 0, 0)...)
		},
		[][]string{{"agent"}},
	},
	"two instrumentations, nested": {
		func(t *tree) {
			t.add("wrapper", "", 0, 300, usage("gpt-4o", 30, 12)...).scope = "wrapper"
			t.add("http", "wrapper", 3, 290, "http.request.method", "POST")
			t.add("client", "http", 5, 280, usage("gpt-4o-2024-08-06", 30, 12)...).scope = "client"
		},
		[][]string{{"wrapper", "client"}},
	},
	"a wrapper without usage": {
		func(t *tree) {
			t.add("wrapper", "", 0, 300, usage("gpt-4o", 0, 0)...).scope = "wrapper"
			t.add("client", "wrapper", 5, 280, usage("gpt-4o", 30, 12)...).scope = "client"
		},
		[][]string{{"client"}},
	},
	"a client without usage": {
		func(t *tree) {
			t.add("wrapper", "", 0, 300, usage("gpt-4o", 30, 12)...).scope = "wrapper"
			t.add("client", "wrapper", 5, 280, usage("gpt-4o", 0, 0)...).scope = "client"
		},
		[][]string{{"wrapper"}},
	},
	"one id, nothing else alike": {
		func(t *tree) {
			t.add("gateway", "", 0, 300, usage("gpt-4o", 30, 12, "gen_ai.response.id", "resp_1")...).scope = "gateway"
			t.elsewhere("app", 900, 1280, usage("alias", 28, 12, "gen_ai.response.id", "resp_1")...)
		},
		[][]string{{"gateway", "app"}},
	},
	"one request id of AWS, nothing else alike": {
		func(t *tree) {
			t.add("botocore", "", 0, 300, usage("amazon.nova-pro-v1:0", 30, 12, "aws.request_id", "6f1c")...).scope = "botocore"
			t.elsewhere("app", 900, 1280, usage("alias", 28, 12, "aws.request_id", "6f1c")...)
		},
		[][]string{{"botocore", "app"}},
	},
	"client and gateway in one trace": {
		func(t *tree) {
			t.add("client", "", 0, 300, usage("gpt-4o", 30, 12)...).scope = "client"
			t.add("client http", "client", 1, 299, "http.request.method", "POST")
			t.add("gateway http", "client http", 5, 290, "http.request.method", "POST").resource = with("service.instance.id", "gateway")
			g := t.add("gateway", "gateway http", 10, 280, usage("gpt-4o", 30, 12)...)
			g.scope, g.resource = "gateway", with("service.instance.id", "gateway")
		},
		[][]string{{"client", "gateway"}},
	},
	"twins in two traces": {
		func(t *tree) {
			t.add("chain", "", 0, 320, "gen_ai.operation.name", "chain")
			t.add("framework", "chain", 0, 300, usage("gpt-4o", 30, 12)...).scope = "framework"
			s := t.add("client", "", 20, 290, usage("gpt-4o-2024-08-06", 30, 12)...)
			s.scope, s.trace[0] = "client", 99
		},
		[][]string{{"framework", "client"}},
	},
	"parallel twins in several traces": {
		func(t *tree) {
			for i := range 3 {
				t.add(fmt.Sprint("framework ", i), "", i, 300+i, usage("gpt-4o", 30, 12)...).scope = "framework"
				s := t.add(fmt.Sprint("client ", i), "", 20+i, 290+i, usage("gpt-4o", 30, 12)...)
				s.scope, s.trace[0] = "client", byte(90+i)
			}
		},
		nil, // three, whichever
	},
	"parallel calls with equal counts": {
		func(t *tree) {
			t.add("request", "", 0, 400, "http.request.method", "POST")
			t.add("one", "request", 0, 300, usage("gpt-4o", 30, 12)...)
			t.add("two", "request", 5, 290, usage("gpt-4o", 30, 12)...)
		},
		[][]string{{"one"}, {"two"}},
	},
	"turns with equal counts": {
		func(t *tree) {
			t.add("agent", "", 0, 700, "gen_ai.operation.name", "invoke_agent")
			t.add("one", "agent", 0, 300, usage("gpt-4o", 30, 12, "gen_ai.response.id", "resp_1")...)
			t.add("two", "agent", 310, 600, usage("gpt-4o", 30, 12, "gen_ai.response.id", "resp_2")...)
		},
		[][]string{{"one"}, {"two"}},
	},
	"a server with a few ids": {
		func(t *tree) {
			t.add("one", "", 0, 300, usage("llama3.2", 30, 12, "gen_ai.response.id", "chatcmpl-17")...)
			t.add("two", "", 310, 600, usage("llama3.2", 44, 9, "gen_ai.response.id", "chatcmpl-17")...)
			s := t.add("three", "", 1800, 2000, usage("llama3.2", 31, 10, "gen_ai.response.id", "chatcmpl-17")...)
			s.trace[0], s.resource = 99, with("service.instance.id", "two")
		},
		[][]string{{"one"}, {"two"}, {"three"}},
	},
	"a cache that repeats an answer": {
		func(t *tree) {
			t.add("one", "", 0, 300, usage("gpt-4o", 30, 12, "gen_ai.response.id", "chatcmpl-1")...)
			t.add("two", "", 310, 315, usage("gpt-4o", 30, 12, "gen_ai.response.id", "chatcmpl-1")...)
		},
		[][]string{{"one", "two"}},
	},
	"an answer that two spans of one instrumentation count otherwise": {
		func(t *tree) {
			t.add("one", "", 0, 300, usage("gpt-4o", 30, 12, "gen_ai.response.id", "chatcmpl-1")...)
			t.add("two", "", 200, 315, usage("gpt-4o", 31, 12, "gen_ai.response.id", "chatcmpl-1")...)
		},
		[][]string{{"one", "two"}},
	},
	"a wrapper that repeats its last call": {
		func(t *tree) {
			t.add("wrapper", "", 0, 700, usage("gpt-4o", 30, 12, "gen_ai.response.id", "resp_2")...).scope = "wrapper"
			t.add("one", "wrapper", 0, 300, usage("gpt-4o", 30, 12, "gen_ai.response.id", "resp_1")...)
			t.add("two", "wrapper", 310, 600, usage("gpt-4o", 30, 12, "gen_ai.response.id", "resp_2")...)
		},
		[][]string{{"one"}, {"two", "wrapper"}},
	},
	"an embedding below a chat": {
		func(t *tree) {
			t.add("chat", "", 0, 700, usage("gpt-4o", 30, 0)...).scope = "wrapper"
			t.add("embedding", "chat", 0, 300, usage("text-embedding-3-small", 30, 0, "gen_ai.operation.name", "embeddings")...)
		},
		[][]string{{"chat"}, {"embedding"}},
	},
	"a tool that calls another model": {
		func(t *tree) {
			t.add("chat", "", 0, 700, usage("gpt-4o", 30, 12)...).scope = "wrapper"
			t.add("tool", "chat", 10, 600, "gen_ai.operation.name", "execute_tool")
			t.add("inner", "tool", 20, 500, usage("claude-sonnet-4-5", 30, 12)...)
		},
		[][]string{{"chat"}, {"inner"}},
	},
	"two services with equal calls side by side": {
		func(t *tree) {
			t.add("request", "", 0, 700, "http.request.method", "POST")
			for _, name := range []string{"red", "blue"} {
				t.add(name+" worker", "request", 5, 600, "http.request.method", "POST").resource = with("service.instance.id", name)
				s := t.add(name+" call", name+" worker", 10, 500, usage("gpt-4o", 30, 12)...)
				s.scope, s.resource = name, with("service.instance.id", name)
			}
		},
		[][]string{{"red call"}, {"blue call"}},
	},
	"a wrapper that failed around a call that did not": {
		func(t *tree) {
			w := t.add("wrapper", "", 0, 300, "gen_ai.operation.name", "chat", "gen_ai.request.model", "gpt-4o", "error.type", "ValidationError")
			w.scope, w.status = "wrapper", convert.StatusError
			t.add("call", "wrapper", 5, 280, usage("gpt-4o", 30, 12)...)
		},
		[][]string{{"call"}},
	},
	"an agent and twins beneath": {
		func(t *tree) {
			t.add("agent", "", 0, 700, usage("gpt-4o", 60, 24, "gen_ai.operation.name", "invoke_agent")...)
			for i := range 2 {
				t.add(fmt.Sprint("wrapper ", i), "agent", 10+300*i, 300+300*i, usage("gpt-4o", 30, 12)...).scope = "wrapper"
				t.add(fmt.Sprint("client ", i), fmt.Sprint("wrapper ", i), 20+300*i, 290+300*i, usage("gpt-4o", 30, 12)...).scope = "client"
			}
		},
		[][]string{{"wrapper 0", "client 0"}, {"wrapper 1", "client 1"}},
	},
}

// check reports what of a situation was not decided as it must.
func checkSituation(tb testing.TB, bills [][]string, got map[string]string) {
	tb.Helper()
	expected := make(map[string]bool)
	for _, names := range bills {
		n := 0
		for _, name := range names {
			expected[name] = true
			if len(got[name]) > 6 && got[name][:6] == "billed" {
				n++
			}
		}
		if n != 1 {
			tb.Errorf("%v: billed %d times: %v", names, n, got)
		}
	}
	for name, outcome := range got {
		if !expected[name] && outcome[:6] == "billed" {
			tb.Errorf("%s: %s", name, outcome)
		}
	}
}

func TestSituations(t *testing.T) {
	for name, situation := range situations {
		if situation.bills == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			tree := newTree(t)
			situation.build(tree)
			// As a process has them: what is inside ends before what is around it.
			inside := slices.Clone(tree.spans)
			slices.SortStableFunc(inside, func(a, b *span) int { return a.end.Compare(b.end) })
			for mode, opts := range map[string][]convert.Option{
				"a process": {convert.WithInProcess()}, "a Collector": nil, "held back": {convert.WithHoldBack(time.Second)},
			} {
				c := newConverter(t, opts...)
				var decisions []convert.Decision
				for _, s := range inside {
					decisions = c.Convert(decisions, s)
				}
				got := tree.outcomes(c.Flush(decisions))
				checkSituation(t, situation.bills, got)
				if t.Failed() {
					t.Fatalf("in %s", mode)
				}
			}
		})
	}
}

// The better of two spans bills where both are there at the same time.
func TestWhichSpanBills(t *testing.T) {
	tests := map[string]struct {
		outer, inner []any
		opts         []convert.Option
		want         string
	}{
		"the inner one":             {usage("gpt-4o", 9, 3), usage("gpt-4o", 9, 3), nil, "inner"},
		"the one with an id":        {usage("gpt-4o", 9, 3, "gen_ai.response.id", "resp_1"), usage("gpt-4o", 9, 3), nil, "outer"},
		"the one with detail":       {usage("gpt-4o", 9, 3, "gen_ai.usage.cache_read.input_tokens", 2), usage("gpt-4o", 9, 3), nil, "outer"},
		"an id rather than details": {usage("gpt-4o", 9, 3, "gen_ai.usage.cache_read.input_tokens", 2), usage("gpt-4o", 9, 3, "gen_ai.response.id", "resp_1"), nil, "inner"},
		"the one with usage":        {usage("gpt-4o", 9, 3), usage("gpt-4o", 0, 0, "gen_ai.response.id", "resp_1"), nil, "outer"},
		"the outer one, on request": {usage("gpt-4o", 9, 3), usage("gpt-4o", 9, 3, "gen_ai.response.id", "resp_1"), []convert.Option{convert.WithPreferOuter()}, "outer"},
		"not without usage":         {usage("gpt-4o", 0, 0), usage("gpt-4o", 9, 3), []convert.Option{convert.WithPreferOuter()}, "inner"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tree := newTree(t)
			tree.add("outer", "", 0, 300, tt.outer...).scope = "outer"
			tree.add("inner", "outer", 10, 290, tt.inner...).scope = "inner"
			for _, reversed := range []bool{false, true} {
				spans := slices.Clone(tree.spans)
				if reversed {
					slices.Reverse(spans)
				}
				batch := newConverter(t, tt.opts...).NewBatch()
				var decisions []convert.Decision
				for _, s := range spans {
					decisions = batch.Convert(decisions, s)
				}
				got := tree.outcomes(batch.End(decisions))
				checkSituation(t, [][]string{{tt.want}}, got)
			}
		})
	}
}

// What the billing span lacks is taken from its twins and from the spans above.
func TestAttributionIsInherited(t *testing.T) {
	build := func(t *testing.T) *tree {
		t.Helper()
		tree := newTree(t)
		tree.add("request", "", 0, 500, "http.request.method", "POST", "revenium.organization.name", "Acme", "revenium.task.type", "request")
		tree.add("agent", "request", 1, 490, "gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", "planner", "revenium.task.type", "agent")
		tree.add("outer", "agent", 10, 300, usage("gpt-4o", 9, 3, "revenium.subscriber.id", "user-1", "revenium.product.name", "wrapper")...).scope = "outer"
		tree.add("call", "outer", 20, 290, usage("gpt-4o", 9, 3, "gen_ai.response.id", "resp_1", "revenium.product.name", "assistant")...).scope = "inner"
		for _, s := range tree.spans {
			s.resource = append(slices.Clone(s.resource), with("revenium.organization.name", "the resource", "revenium.product.name", "the resource")...)
		}
		return tree
	}
	check := func(t *testing.T, decisions []convert.Decision) {
		t.Helper()
		for _, d := range decisions {
			c, ok := d.Record.(*metering.Completion)
			if !ok {
				continue
			}
			subscriber := ""
			if c.Subscriber != nil {
				subscriber = c.Subscriber.ID
			}
			got := []string{c.OrganizationName, c.ProductName, subscriber, c.Agent, c.TaskType, c.TransactionName}
			want := []string{"Acme", "assistant", "user-1", "planner", "agent", "agent"}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			origins := make(map[string]convert.Origin)
			for _, s := range d.Sources {
				origins[s.Field] = s.Origin
			}
			for field, origin := range map[string]convert.Origin{
				"organizationName": convert.OriginAncestor, "productName": convert.OriginSpan,
				"subscriber.id": convert.OriginTwin, "agent": convert.OriginAncestor,
			} {
				if origins[field] != origin {
					t.Errorf("%s is said to come from the %v, want %v", field, origins[field], origin)
				}
			}
			return
		}
		t.Error("nothing was billed")
	}
	orders := map[string][]string{
		"parents first":  {"request", "agent", "outer", "call"},
		"children first": {"call", "outer", "agent", "request"},
		"mixed":          {"agent", "call", "request", "outer"},
	}
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			tree := build(t)
			batch := newConverter(t, convert.WithSources()).NewBatch()
			var decisions []convert.Decision
			for _, s := range tree.order(order) {
				decisions = batch.Convert(decisions, s)
			}
			check(t, batch.End(decisions))
		})
	}
}

// What comes after a billed aggregate cannot be billed any more, and is counted.
func TestLateCall(t *testing.T) {
	tree := newTree(t)
	tree.add("agent", "", 0, 300, usage("gpt-4o", 30, 12, "gen_ai.operation.name", "invoke_agent")...)
	tree.add("call", "agent", 10, 200, usage("gpt-4o", 30, 12)...)
	now := start
	c := newConverter(t, convert.WithClock(func() time.Time { return now }))
	decisions := c.Convert(nil, tree.get("agent"))
	now = now.Add(time.Minute)
	decisions = c.Settle(decisions, now)
	decisions = c.Convert(decisions, tree.get("call"))
	got := tree.outcomes(decisions)
	if got["agent"] != "billed: aggregate as last resort" || got["call"] != "suppressed: covered by aggregate" {
		t.Errorf("got %v", got)
	}
	if n := c.Stats().LateCalls; n != 1 {
		t.Errorf("%d late calls are counted, want 1", n)
	}
}

// A span that is exported again is no second call, whatever it is.
func TestReplayOfEverything(t *testing.T) {
	for name, situation := range situations {
		tree := newTree(t)
		situation.build(tree)
		c := newConverter(t)
		first := tree.convert(c)
		for _, s := range tree.spans {
			for _, d := range c.Flush(c.Convert(nil, s)) {
				if d.Kind == convert.Billed {
					t.Errorf("%s: %s is billed again: %s (at first %s)", name, s.name, d.Reason, first[s.name])
				}
			}
		}
	}
}
