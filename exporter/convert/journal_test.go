// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// memory is a storage for what a converter exports.
type memory struct {
	tb           testing.TB
	spans, links []convert.Chunk
	written      int
}

// save stores what changed and forgets what is superfluous.
func (m *memory) save(c *convert.Converter) {
	m.tb.Helper()
	spans, links, err := c.Export()
	if err != nil {
		m.tb.Fatal(err)
	}
	m.written += len(spans.Data) + len(links.Data)
	m.spans, m.links = kept(c, m.spans, spans), kept(c, m.links, links)
}

func kept(c *convert.Converter, list []convert.Chunk, next convert.Chunk) []convert.Chunk {
	if next.Data != nil {
		list = append(list, next)
	}
	for len(list) > 0 && c.Expired(list[0].Mark) {
		list = list[1:]
	}
	return list
}

// restart returns a new converter with the memory of the one before.
func (m *memory) restart(opts ...convert.Option) (*convert.Converter, []convert.HeldSpan) {
	m.tb.Helper()
	c := newConverter(m.tb, opts...)
	r := c.Restore()
	for i := range m.links {
		mark, err := r.Add(m.links[i].Data)
		if err != nil {
			m.tb.Fatal(err)
		}
		m.links[i].Mark = mark
	}
	for _, chunk := range m.spans {
		if _, err := r.Add(chunk.Data); err != nil {
			m.tb.Fatal(err)
		}
	}
	held := r.End()
	if len(held) != c.Held() || c.Stats().Held != len(held) {
		m.tb.Errorf("%d spans are restored, %d are held", len(held), c.Held())
	}
	m.spans = nil // the next export has all
	m.save(c)
	return c, held
}

// bills are the bodies of the records of a list of decisions, by transaction id.
func bills(tb testing.TB, decisions []convert.Decision) map[string]string {
	tb.Helper()
	got := make(map[string]string)
	for _, d := range decisions {
		if d.Kind != convert.Billed {
			continue
		}
		frozen, _, err := metering.Freeze(d.Record)
		if err != nil {
			tb.Fatal(err)
		}
		got[frozen.TransactionID] += string(frozen.Body)
	}
	return got
}

// survivor converts spans with restarts at random places, and the same spans
// without any.
func survivor(t *testing.T, seed uint64, spans []*span, more ...convert.Option) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 11))
	spans = slices.Clone(spans)
	for range r.IntN(3) {
		spans = append(spans, spans[r.IntN(len(spans))])
	}
	r.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
	time := &clock{now: start.Add(time.Hour)}
	opts := append(slices.Clip(more), time.option(), convert.WithJournal())
	whole, broken := newConverter(t, opts...), newConverter(t, opts...)
	stored := &memory{tb: t}
	var want, got []convert.Decision
	for len(spans) > 0 {
		n := 1 + r.IntN(min(len(spans), 8))
		if r.IntN(2) == 0 {
			for _, s := range spans[:n] {
				want, got = whole.Convert(want, s), broken.Convert(got, s)
			}
		} else {
			a, b := whole.NewBatch(), broken.NewBatch()
			for _, s := range spans[:n] {
				want, got = a.Convert(want, s), b.Convert(got, s)
			}
			want, got = a.End(want), b.End(got)
		}
		spans = spans[n:]
		if r.IntN(8) == 0 {
			time.now = time.now.Add(20e9)
			want, got = whole.Settle(want, time.now), broken.Settle(got, time.now)
		}
		stored.save(broken)
		if r.IntN(3) == 0 {
			broken, _ = stored.restart(opts...)
		}
	}
	want, got = whole.Flush(want), broken.Flush(got)
	a, b := bills(t, want), bills(t, got)
	if !maps.Equal(a, b) {
		t.Errorf("seed %d: without restarts %v\nwith restarts %v", seed, a, b)
	}
	if a, b := outcome(want), outcome(got); !maps.Equal(a, b) {
		t.Errorf("seed %d: without restarts %v, with restarts %v", seed, a, b)
	}
}

// A restart at any place changes nothing of what is billed.
func TestRestartChangesNothing(t *testing.T) {
	for seed := range uint64(200 / fewer) {
		r := rand.New(rand.NewPCG(seed, 5))
		var spans []*span
		for n := range uint64(1 + r.IntN(4)) {
			spans = append(spans, randomTrace(r, n)...)
		}
		for _, s := range spans {
			if r.IntN(4) == 0 {
				s.attrs = append(s.attrs, with("revenium.organization.name", "Ada", "revenium.subscriber.email", "ada@example.com")...)
			}
		}
		survivor(t, seed, spans, convert.WithHashedSubscribers([]byte("key")))
		if t.Failed() {
			return
		}
	}
}

func TestRestartInSituations(t *testing.T) {
	builds := make(map[string]func(*tree))
	for name := range situations {
		builds[name] = situations[name].build
	}
	for name := range logSituations {
		builds[name] = logSituations[name].build
	}
	for _, name := range slices.Sorted(maps.Keys(builds)) {
		t.Run(name, func(t *testing.T) {
			tree := newTree(t)
			builds[name](tree)
			for seed := range uint64(20 / fewer) {
				survivor(t, seed, tree.spans)
				if t.Failed() {
					return
				}
			}
		})
	}
}

// Records of all kinds wait through a restart.
func TestRestartKeepsRecords(t *testing.T) {
	for name, s := range map[string]*span{
		"chat":  chat("revenium.organization.name", "Acme", "revenium.subscriber.id", "s-1", "revenium.subscriber.credential.name", "alias", "gen_ai.request.temperature", 0.3),
		"image": call("gen_ai.operation.name", "generate_content", "gen_ai.output.type", "image", "gen_ai.provider.name", "openai", "gen_ai.request.model", "gpt-image-1", "revenium.image.count", 2),
		"tool":  call("gen_ai.operation.name", "execute_tool", "gen_ai.tool.name", "search", "revenium.organization.name", "Acme"),
	} {
		t.Run(name, func(t *testing.T) {
			opts := []convert.Option{convert.WithJournal(), convert.WithHoldBack(time.Minute), convert.WithToolEvents(), convert.WithSources()}
			whole, c := newConverter(t, opts...), newConverter(t, opts...)
			want, before := whole.Convert(nil, s), c.Convert(nil, s)
			if len(before) != 1 || before[0].Kind != convert.Held {
				t.Fatalf("got %+v, want a span that is held", before)
			}
			if !c.Tag(s.trace, s.id, "tenant") {
				t.Error("the span that is held cannot be tagged")
			}
			stored := &memory{tb: t}
			stored.save(c)
			c, held := stored.restart(opts...)
			if len(held) != 1 || held[0].Tag != "tenant" || held[0].SpanID != s.id || held[0].Reason != convert.ReasonHoldBack {
				t.Errorf("restored %+v", held)
			}
			want, got := whole.Flush(want), c.Flush(nil)
			if a, b := bills(t, want), bills(t, got); len(a) != 1 || !maps.Equal(a, b) {
				t.Errorf("without restart %v\nwith restart %v", a, b)
			}
			if !got[0].WasHeld || !slices.Equal(want[1].Sources, got[0].Sources) {
				t.Errorf("without restart %+v\nwith restart %+v", want[1], got[0])
			}
		})
	}
}

// A replay after a restart is a replay, and a late twin a twin.
func TestRestartRemembersWhatWasBilled(t *testing.T) {
	c := newConverter(t, convert.WithJournal())
	s := chat("gen_ai.response.id", "resp_1")
	c.Convert(nil, s)
	stored := &memory{tb: t}
	stored.save(c)
	c, _ = stored.restart(convert.WithJournal())
	if d := c.Convert(nil, s); len(d) != 1 || d[0].Reason != convert.ReasonReplay {
		t.Errorf("the same span again: %+v", d)
	}
	twin := chat("gen_ai.response.id", "resp_1")
	twin.id, twin.scope = [8]byte{7}, "example.com/other"
	if d := c.Convert(nil, twin); len(d) != 1 || d[0].Reason != convert.ReasonTwinID || d[0].BySpanID != s.id {
		t.Errorf("another span of the call: %+v", d)
	}
}

// A batch that did not end comes again, and what it had begun is not counted twice.
func TestRestartWithinABatch(t *testing.T) {
	c := newConverter(t, convert.WithJournal())
	first, second := numbered(1), numbered(2)
	first.attrs = append(first.attrs, with("gen_ai.usage.cache_read.input_tokens", 10)...) // the better one
	twin := numbered(1)
	twin.id, twin.scope = [8]byte{9}, "example.com/other"
	open := c.NewBatch()
	open.Convert(nil, first)
	open.Convert(nil, second)
	c.Convert(nil, numbered(3)) // of somebody else, who is told that it was taken
	stored := &memory{tb: t}
	stored.save(c)
	c.Convert(nil, twin) // suppressed because of the first
	stored.save(c)

	c, held := stored.restart(convert.WithJournal())
	if len(held) != 1 || held[0].SpanID != first.id {
		t.Errorf("held are %+v, want the call that another one was suppressed for", held)
	}
	again := c.NewBatch()
	all := again.Convert(nil, first)
	all = again.Convert(all, second)
	all = again.Convert(all, numbered(3))
	all = c.Flush(again.End(all))
	if got := outcome(all); got["billed usage"] != 2 || got["suppressed replay"] != 2 {
		t.Errorf("got %v", got)
	}
}

// The time without a process is not one of waiting.
func TestRestartDoesNotCountDowntime(t *testing.T) {
	time := &clock{now: start}
	opts := []convert.Option{convert.WithJournal(), time.option()}
	c := newConverter(t, opts...)
	spans := attempts(2)
	c.Convert(nil, spans[0])
	time.now = time.now.Add(10e9)
	c.Settle(nil, time.now)
	c.Convert(nil, chat()) // something to export
	stored := &memory{tb: t}
	stored.save(c)
	time.now = time.now.Add(600e9)
	c, _ = stored.restart(opts...)
	if d := c.Settle(nil, time.now.Add(15e9)); len(d) > 0 {
		t.Errorf("decided after 25 s of the settle window: %+v", d)
	}
	if got := outcome(c.Convert(nil, spans[1])); got["suppressed retried"] != 1 {
		t.Errorf("the attempt that repeats it: %v", got)
	}
}

// What is exported holds neither content nor, where they are hashed, subscribers.
func TestExportHoldsNoContent(t *testing.T) {
	c := newConverter(t, convert.WithJournal(), convert.WithHashedSubscribers([]byte("key")), convert.WithErrorReasons())
	s := failed("http.response.status_code", 503, "gen_ai.input.messages", "SECRET-PROMPT", "gen_ai.output.messages", "SECRET-ANSWER",
		"revenium.subscriber.id", "SECRET-ID", "revenium.subscriber.email", "SECRET@example.com")
	s.name = "SECRET-NAME"
	c.Convert(nil, s)
	root := call("revenium.subscriber.id", "SECRET-ID", "revenium.subscriber.email", "SECRET@example.com")
	root.id = [8]byte{3}
	c.Convert(nil, root)
	spans, _, err := c.Export()
	if err != nil || c.Held() != 1 {
		t.Fatalf("%v, %d held", err, c.Held())
	}
	if i := bytes.Index(spans.Data, []byte("SECRET")); i >= 0 {
		t.Errorf("the chunk holds %.40q", spans.Data[i:])
	}
	if !convert.Waiting(spans.Data) {
		t.Error("nobody can tell that a call waits in the chunk")
	}
}

// What an export costs follows from what changed.
func TestExportIsProportional(t *testing.T) {
	c := newConverter(t, convert.WithJournal())
	sizes := make(map[int]bool)
	for i := range 3000 {
		c.Convert(nil, numbered(i))
		spans, links, err := c.Export()
		if err != nil {
			t.Fatal(err)
		}
		if n := len(spans.Data); n > 256 || len(links.Data) > 96 {
			t.Fatalf("after %d calls, one more takes %d and %d bytes", i, n, len(links.Data))
		}
		sizes[len(spans.Data)] = true
	}
	if spans, links, _ := c.Export(); spans.Data != nil || links.Data != nil {
		t.Error("an export of nothing is not empty")
	}
	c.ExportAll()
	if spans, _, _ := c.Export(); len(spans.Data) < 3000*100 {
		t.Errorf("all takes %d bytes", len(spans.Data))
	}
}

// What is stored stays bounded however much comes, and remembers as much as the
// converter does.
func TestStateIsBounded(t *testing.T) {
	time := &clock{now: start}
	opts := []convert.Option{convert.WithJournal(), convert.WithRecent(64, 1e12), convert.WithLinks(128), time.option()}
	c := newConverter(t, opts...)
	stored := &memory{tb: t}
	for i := range 2000 {
		time.now = time.now.Add(1e6)
		c.Convert(nil, numbered(i))
		stored.save(c)
		if len(stored.spans) > 65 || len(stored.links) > 129 {
			t.Fatalf("%d and %d chunks are stored", len(stored.spans), len(stored.links))
		}
		if i%500 == 499 {
			c, _ = stored.restart(opts...)
		}
	}
	if d := c.Convert(nil, numbered(1990)); d[0].Reason != convert.ReasonReplay {
		t.Errorf("a replay: %+v", d)
	}
	if got := c.Stats().Recent; got != 64 {
		t.Errorf("%d calls are remembered, want 64", got)
	}
	stored.save(c)
	time.now = time.now.Add(2e12)
	stored.save(c)
	if len(stored.spans)+len(stored.links) > 0 {
		t.Error("what is too old is stored for ever")
	}
}

// numbered is a call of a trace of its own.
func numbered(i int) *span {
	s := chat("gen_ai.response.id", fmt.Sprint("resp_", i))
	s.trace, s.id = [16]byte{1, byte(i >> 8), byte(i)}, [8]byte{2, byte(i >> 8), byte(i)}
	return s
}

func TestRestoreOfWhatCannotBeRead(t *testing.T) {
	c := newConverter(t, convert.WithJournal())
	c.Convert(nil, numbered(1))
	one, _, _ := c.Export()
	c.Convert(nil, numbered(2))
	two, _, _ := c.Export()
	foreign, damaged := bytes.Clone(one.Data), bytes.Clone(one.Data)
	foreign[4] = 99
	damaged[30] ^= 1
	again := newConverter(t)
	r := again.Restore()
	for _, bad := range []struct {
		chunk []byte
		want  error
	}{
		{foreign, convert.ErrStateVersion},
		{damaged, convert.ErrStateDamaged},
		{one.Data[:len(one.Data)-9], convert.ErrStateDamaged},
		{[]byte("{}"), convert.ErrNoState},
		{nil, convert.ErrNoState},
	} {
		if _, err := r.Add(bad.chunk); !errors.Is(err, bad.want) || !strings.HasPrefix(err.Error(), "convert: ") {
			t.Errorf("got %v, want %v", err, bad.want)
		}
	}
	if _, err := r.Add(two.Data); err != nil {
		t.Error(err)
	}
	r.End()
	if d := again.Convert(nil, numbered(2)); d[0].Reason != convert.ReasonReplay {
		t.Errorf("what could be read is lost: %+v", d)
	}
	if d := again.Convert(nil, numbered(1)); d[0].Kind != convert.Billed {
		t.Errorf("got %+v", d)
	}
}

// Nothing piles up where nobody exports.
func TestJournalThatNobodyReads(t *testing.T) {
	c := newConverter(t, convert.WithJournal(), convert.WithRecent(16, time.Hour))
	for i := range 100 {
		c.Convert(nil, numbered(i))
	}
	spans, _, err := c.Export()
	if err != nil || len(spans.Data) > 16*200 {
		t.Errorf("%d bytes, %v", len(spans.Data), err)
	}
}

func TestExportWithoutJournal(t *testing.T) {
	c := newConverter(t)
	c.Convert(nil, chat())
	if spans, links, err := c.Export(); spans.Data != nil || links.Data != nil || err != nil {
		t.Error("a converter without a journal exports")
	}
}

// What is remembered is also found, however full the memory is; what is not is
// counted.
func TestRememberedCallsAreFound(t *testing.T) {
	const calls = 30_000 // of 32,768 places
	c := newConverter(t, convert.WithRecent(1<<16, time.Hour))
	for i := range calls {
		c.Convert(nil, numbered(i))
	}
	missed := 0
	for i := range calls {
		if c.Convert(nil, numbered(i))[0].Reason != convert.ReasonReplay {
			missed++
		}
	}
	if forgotten := c.Stats().RecentForgotten; missed > calls/1000 || int64(missed) > forgotten {
		t.Errorf("%d of %d replays are billed again; %d are reported forgotten", missed, calls, forgotten)
	}
}
