// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"slices"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// tree is a set of spans by name, of which tests say who is whose parent.
type tree struct {
	tb    testing.TB
	spans []*span
	names map[[8]byte]string
}

func newTree(tb testing.TB) *tree {
	tb.Helper()
	return &tree{tb: tb, names: make(map[[8]byte]string)}
}

// add adds a span below a parent, "" for a root, within the given milliseconds.
func (t *tree) add(name, parent string, from, to int, keysAndValues ...any) *span {
	t.tb.Helper()
	s := &span{
		trace: traceID, name: name, scope: "example.com/app", kind: convert.KindInternal,
		start: start.Add(time.Duration(from) * time.Millisecond), end: start.Add(time.Duration(to) * time.Millisecond),
		attrs: with(keysAndValues...), resource: with("service.instance.id", "one"),
	}
	s.id[0] = byte(len(t.spans) + 1)
	t.names[s.id] = name
	if parent != "" {
		s.parent = t.get(parent).id
	}
	t.spans = append(t.spans, s)
	return s
}

// elsewhere adds a root of another process in another trace, whose scope is its name.
func (t *tree) elsewhere(name string, from, to int, keysAndValues ...any) {
	t.tb.Helper()
	s := t.add(name, "", from, to, keysAndValues...)
	s.scope, s.trace[0] = name, 99
	s.resource = with("service.instance.id", "two")
}

func (t *tree) get(name string) *span {
	t.tb.Helper()
	for _, s := range t.spans {
		if s.name == name {
			return s
		}
	}
	t.tb.Fatalf("no span %q", name)
	return nil
}

// usage are the attributes of a call with usage. Of two with one key the first
// counts.
func usage(model string, input, output int, more ...any) []any {
	return append(slices.Clip(more),
		"gen_ai.operation.name", "chat", "gen_ai.provider.name", "openai", "gen_ai.request.model", model,
		"gen_ai.usage.input_tokens", input, "gen_ai.usage.output_tokens", output,
	)
}

// outcomes are what became of spans, by name: "billed: usage", each once.
func (t *tree) outcomes(decisions []convert.Decision) map[string]string {
	t.tb.Helper()
	got := make(map[string]string)
	held := make(map[string]bool)
	for _, d := range decisions {
		name := t.names[d.SpanID]
		if d.Kind == convert.Held {
			if held[name] {
				t.tb.Errorf("%s: held twice", name)
			}
			held[name] = true
			continue
		}
		if d.WasHeld != held[name] {
			t.tb.Errorf("%s: was held: %v, the decision says %v", name, held[name], d.WasHeld)
		}
		delete(held, name)
		if before, ok := got[name]; ok && d.Reason != convert.ReasonReplay {
			t.tb.Errorf("%s: decided twice: %s, then %s", name, before, d.Reason)
		}
		if (d.Record != nil) != (d.Kind == convert.Billed) {
			t.tb.Errorf("%s: %v with the record %v", name, d.Kind, d.Record)
		}
		got[name] = d.Kind.String() + ": " + string(d.Reason)
	}
	if len(held) > 0 {
		t.tb.Errorf("never decided about: %v", held)
	}
	return got
}

// convert converts the spans in the given order, all of them by default.
func (t *tree) convert(c *convert.Converter, names ...string) map[string]string {
	t.tb.Helper()
	var decisions []convert.Decision
	for _, s := range t.order(names) {
		decisions = c.Convert(decisions, s)
	}
	return t.outcomes(c.Flush(decisions))
}

func (t *tree) order(names []string) []*span {
	if len(names) == 0 {
		return t.spans
	}
	spans := make([]*span, 0, len(names))
	for _, name := range names {
		spans = append(spans, t.get(name))
	}
	return spans
}
