// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// tape gives out bytes; behind its end it gives zeros.
type tape struct {
	data  []byte
	words convert.Words
	spans []*fuzzSpan
}

func (p *tape) take(n int) []byte {
	piece := make([]byte, n)
	copy(piece, p.data)
	p.data = p.data[min(n, len(p.data)):]
	return piece
}

func (p *tape) byte() int { return int(p.take(1)[0]) }

// word is one of a list.
func (p *tape) word(list []string) string {
	return list[int(binary.BigEndian.Uint16(p.take(2)))%len(list)]
}

// fuzzSpan is a view with all that a view can have.
type fuzzSpan struct {
	*span
	version   string
	log       bool
	identity  any
	ancestors []*fuzzSpan
}

func (s *fuzzSpan) ScopeVersion() string  { return s.version }
func (s *fuzzSpan) IsLogEvent() bool      { return s.log }
func (s *fuzzSpan) ResourceIdentity() any { return s.identity }
func (s *fuzzSpan) WalkOpenAncestors(v convert.AncestorVisitor) {
	for _, a := range s.ancestors {
		if !v.Ancestor(a.span) {
			return
		}
	}
}

// elements is a list of anything.
type elements []convert.Value

func (e elements) WalkElements(v convert.ElementVisitor) {
	for i := range e {
		if !v.Element(i, e[i]) {
			return
		}
	}
}

// value makes a value of any kind; depth bounds the nesting.
func (p *tape) value(depth int) convert.Value {
	switch kind := p.byte() % 14; {
	case kind < 3:
		return convert.IntValue(int64(p.byte()))
	case kind < 6:
		return convert.StringValue(p.word(p.words.Values))
	case kind == 6:
		return convert.IntValue(int64(binary.BigEndian.Uint64(p.take(8))))
	case kind == 7:
		return convert.FloatValue(math.Float64frombits(binary.BigEndian.Uint64(p.take(8))))
	case kind == 8:
		return convert.BoolValue(p.byte()%2 == 0)
	case kind == 9:
		return convert.StringsValue([]string{p.word(p.words.Values), string(p.take(3))})
	case kind == 10:
		return convert.StringValue(string(p.take(p.byte())))
	case kind == 11 && depth < 3:
		list := make(elements, p.byte()%4)
		for i := range list {
			list[i] = p.value(depth + 1)
		}
		return convert.ListValue(list)
	case kind == 12 && depth < 3:
		members := make(attrs, p.byte()%4)
		for i := range members {
			members[i] = attr{p.word(p.words.Keys), p.value(depth + 1)}
		}
		return convert.MapValue(members)
	case kind == 13:
		return convert.Value{}
	default:
		return convert.OtherValue()
	}
}

// document makes an attribute that holds one, as text or as a map, whole or broken
// off.
func (p *tape) document() attr {
	place := p.words.Documents[int(binary.BigEndian.Uint16(p.take(2)))%len(p.words.Documents)]
	var leaf any = p.byte()
	if p.byte()%3 == 0 {
		leaf = p.word(p.words.Values)
	}
	how := p.byte()
	inner, asMap := leaf, convert.StringValue(p.word(p.words.Values))
	if n, ok := leaf.(int); ok {
		asMap = convert.IntValue(int64(n))
	}
	steps := strings.Split(place.Path, ".")
	for _, step := range slices.Backward(steps) {
		inner, asMap = map[string]any{step: inner}, convert.MapValue(attrs{{step, asMap}})
	}
	text, _ := json.Marshal(inner)
	switch how % 4 {
	case 0:
		return attr{place.Key, asMap}
	case 1:
		return attr{place.Key, convert.StringValue(string(text[:how%(len(text)+1)]))}
	default:
		return attr{place.Key, convert.StringValue(string(text))}
	}
}

// span makes a span whose place in its trace is anything: a tree, a circle, a
// repetition, an orphan.
func (p *tape) span() *fuzzSpan {
	s := &fuzzSpan{span: call()}
	s.attrs = nil
	s.trace[0], s.id, s.parent = byte(p.byte()%3), [8]byte{byte(p.byte() % 8)}, [8]byte{byte(p.byte() % 8)}
	s.status, s.kind = convert.StatusCode(p.byte()%4), convert.Kind(p.byte()%7)
	s.start = start.Add(time.Duration(int8(p.byte())) * 10 * time.Millisecond)
	s.end = s.start.Add(time.Duration(int8(p.byte())) * 10 * time.Millisecond)
	flags := p.byte()
	s.log = flags&1 != 0
	if flags&2 != 0 {
		s.name = p.word(p.words.Names)
	}
	if flags&4 != 0 {
		s.scope = p.word(p.words.Scopes)
	}
	if flags&8 != 0 {
		s.version = "3.1"
	}
	if flags&16 != 0 {
		s.identity = flags & 32 // wrong now and then, as nothing must rely on it
	}
	if flags&64 != 0 {
		s.ancestors = p.spans
	}
	if flags&128 != 0 {
		s.start = time.Unix(int64(int32(binary.BigEndian.Uint32(p.take(4)))), 0)
	}
	level := &s.attrs
	for range p.byte() % 16 {
		switch p.byte() % 12 {
		case 0:
			level = &s.scopeAttrs
		case 1:
			level = &s.resource
		case 2:
			level = &s.attrs
		case 3:
			s.events = append(s.events, event{name: p.word(append(p.words.Names, "exception")), at: s.start, attrs: attrs{{p.word(p.words.Keys), p.value(0)}}})
		case 4, 5:
			*level = append(*level, p.document())
		default:
			*level = append(*level, attr{p.word(p.words.Keys), p.value(0)})
		}
	}
	if p.spans = append(p.spans, s); len(p.spans) > 4 {
		p.spans = p.spans[1:]
	}
	return s
}

// options makes options that go together.
func (p *tape) options() []convert.Option {
	flags := p.byte() | p.byte()<<8
	opts := []convert.Option{
		convert.WithMaxHeld(8), convert.WithRecent(16, time.Minute), convert.WithLinks(64), convert.WithJournal(),
		convert.WithErrorRecords(convert.ErrorPolicy(flags % 3)), convert.WithIDScheme(convert.IDScheme(flags / 4 % 3)),
	}
	for i, opt := range []convert.Option{
		convert.WithSources(), convert.WithToolEvents(), convert.WithDialectAttribution(), convert.WithTrustedHeaders(),
		convert.WithZeroUsage(), convert.WithErrorReasons(), convert.WithHoldBack(time.Second), convert.WithPreferOuter(),
		convert.WithoutAggregates(), convert.WithInProcess(), convert.WithHashedSubscribers([]byte("key")),
		convert.WithRequiredFields(convert.MissingWarn, "organizationName"), convert.WithUnknownOperations(metering.OperationOther),
		convert.WithoutVendorPrefixes(),
	} {
		if flags&(1<<i) != 0 {
			opts = append(opts, opt)
		}
	}
	return opts
}

// checkRecord freezes what is billed, which must succeed unless nothing can have
// happened at its time.
func checkRecord(tb testing.TB, d convert.Decision) {
	tb.Helper()
	if d.Reason == "" || (d.Record != nil) != (d.Kind == convert.Billed) {
		tb.Fatalf("%v (%s) with record %v", d.Kind, d.Reason, d.Record)
	}
	if d.Record == nil {
		return
	}
	frozen, _, err := metering.Freeze(d.Record)
	if err != nil {
		invalid, ok := errors.AsType[*metering.InvalidRecordError](err)
		if !ok || len(invalid.Problems) == 0 || invalid.Problems[0].Field != "requestTime" && invalid.Problems[0].Field != "timestamp" {
			tb.Fatalf("what is billed cannot be sent: %v", err)
		}
		return
	}
	if !frozen.Endpoint.Valid() || frozen.TransactionID == "" || !json.Valid(frozen.Body) {
		tb.Fatalf("record %+v", frozen)
	}
}

// FuzzConvert: whatever the spans, there is no panic, each decision has a reason,
// what is billed can be sent, tables stay within their bounds, and every span that
// looks like GenAI is decided about finally exactly once: also across a restart.
func FuzzConvert(f *testing.F) {
	words := convert.NewWords()
	f.Add([]byte{})
	for i := range 24 {
		f.Add(seedTape(words, i))
	}
	links := newConverter(f, convert.WithLinks(64))
	for i := range 4096 {
		s := call()
		s.id = [8]byte{1, byte(i >> 8), byte(i)}
		links.Convert(nil, s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &tape{data: data, words: words}
		now := &clock{now: start.Add(time.Hour)}
		opts := append(p.options(), now.option())
		account := sums{tb: t, c: newConverter(t, opts...)}
		take := func(decisions []convert.Decision) {
			t.Helper()
			account.add(decisions)
			for _, d := range decisions {
				checkRecord(t, d)
			}
		}
		var batch *convert.Batch
		for n := 0; len(p.data) > 0 && n < 64; n++ {
			do := p.byte()
			if batch == nil && do&1 != 0 {
				batch = account.c.NewBatch()
			}
			s := p.span()
			if batch != nil {
				take(batch.Convert(nil, s))
			} else {
				take(account.c.Convert(nil, s))
			}
			if batch != nil && do&6 == 0 {
				take(batch.End(nil))
				batch = nil
			}
			if do&24 == 24 {
				now.now = now.now.Add(time.Duration(do) * time.Second / 4)
				take(account.c.Settle(nil, now.now))
			}
			if batch == nil && do&0xe0 == 0xe0 {
				stored := &memory{tb: t}
				account.c.ExportAll()
				stored.save(account.c)
				account.c, _ = stored.restart(opts...)
			}
			if stats := account.c.Stats(); stats.Held > 8 || stats.Recent > 16 || account.c.LinksSize() > links.LinksSize() {
				t.Fatalf("tables are larger than their bounds: %+v, links take %d bytes", stats, account.c.LinksSize())
			}
		}
		if batch != nil {
			take(batch.End(nil))
		}
		take(account.c.Flush(nil))
		if account.c.Held() != 0 {
			t.Fatalf("%d spans are held for ever", account.c.Held())
		}
	})
}

// seedTape is a tape of a few spans with an operation, a model and usage in the
// words of the tables.
func seedTape(words convert.Words, n int) []byte {
	index := func(list []string, word string) []byte {
		for i := range list {
			if list[i] == word {
				return binary.BigEndian.AppendUint16(nil, uint16(i))
			}
		}
		panic("no such word: " + word)
	}
	operations := []string{"chat", "invoke_agent", "embeddings", "execute_tool", "image_generation", "rerank"}
	out := []byte{byte(n), byte(n >> 3)}
	for i := range 3 + n%3 {
		out = append(out, byte(n*i))                                                                   // what to do
		out = append(out, byte(n%2), byte(i+1), byte(i), byte(n%3), 3, byte(i), byte(40-i), byte(n*4)) // the span
		if n*4&2 != 0 {
			out = append(out, 0, byte(n))
		}
		if n*4&4 != 0 {
			out = append(out, 0, byte(n))
		}
		if n*4&128 != 0 {
			out = append(out, 0x65, 0, 0, 0)
		}
		text := func(key, value string) {
			out = append(out, 9)
			out = append(out, index(words.Keys, key)...)
			out = append(append(out, 4), index(words.Values, value)...)
		}
		number := func(key string, value byte) {
			out = append(out, 9)
			out = append(out, index(words.Keys, key)...)
			out = append(out, 1, value)
		}
		out = append(out, 6)
		text("gen_ai.operation.name", operations[(n+i)%len(operations)])
		text("gen_ai.provider.name", []string{"openai", "anthropic"}[n%2])
		text("gen_ai.request.model", "gpt-4o")
		number("gen_ai.usage.input_tokens", byte(10+i))
		number("gen_ai.usage.output_tokens", 5)
		number(words.Keys[(n*37+i*11)%len(words.Keys)], byte(n))
	}
	return out
}
