// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"encoding/binary"
	"flag"
	"runtime"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

var soakSpans = flag.Uint64("soak", 400_000, "number of spans of TestSoak")

// traffic is a stream of spans as a Collector gets it, ten of a trace: an HTTP
// request, a call in an agent, sometimes without usage or failed, and seven others.
// Parents come after their children, except for every third trace.
type traffic struct {
	call, agent, other *span
	ids                []convert.Value
	n                  uint64
}

func newTraffic() *traffic {
	t := &traffic{call: typicalChat(), other: httpSpan(), ids: responseIDs()}
	t.agent = chat("gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", "planner")
	return t
}

// next is the next span.
func (t *traffic) next() *span {
	trace, at := t.n/10, t.n%10
	if trace%3 == 0 {
		at = 9 - at // parents first
	}
	t.n++
	s := t.other
	s.attrs = s.attrs[:11]
	switch at {
	case 0:
		s = t.call
		for i := range s.attrs {
			switch {
			case s.attrs[i].key == "gen_ai.response.id":
				s.attrs[i].value = t.ids[trace%uint64(len(t.ids))]
			case s.attrs[i].key != "gen_ai.usage.input_tokens":
			case trace%50 == 7:
				s.attrs[i].value = convert.Value{}
			default:
				s.attrs[i].value = convert.IntValue(int64(100 + trace%1000))
			}
		}
	case 8:
		s = t.agent
	}
	binary.BigEndian.PutUint64(s.trace[:], trace+1)
	binary.BigEndian.PutUint64(s.id[:], trace*10+at+1)
	s.parent = [8]byte{}
	if at < 9 {
		binary.BigEndian.PutUint64(s.parent[:], trace*10+at+2)
	}
	s.start = start.Add(time.Duration(trace) * time.Millisecond)
	s.end = s.start.Add(time.Duration(100+at) * time.Millisecond)
	return s
}

// TestSoak converts many spans and looks at the memory: once the tables have
// their size, it must be flat. Ten million take half a minute: -soak 10000000.
func TestSoak(t *testing.T) {
	now := start
	c := newConverter(t, convert.WithClock(func() time.Time { return now }),
		convert.WithRecent(4096, time.Hour), convert.WithMaxHeld(512), convert.WithLinks(16384))
	account := sums{tb: t, c: c}
	stream := newTraffic()
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var warm uint64
	var decisions []convert.Decision
	total := *soakSpans
	for n := range total {
		if n == total/2 {
			warm = heap()
		}
		now = now.Add(100 * time.Microsecond)
		decisions = c.Convert(decisions[:0], stream.next())
		if n%10_000 == 0 {
			decisions = c.Settle(decisions, now)
		}
		account.add(decisions)
		for i := range decisions {
			decisions[i].Release()
		}
	}
	end := heap()
	t.Logf("%d spans: %+v; heap %d KiB in the middle, %d KiB at the end", total, c.Stats(), warm>>10, end>>10)
	if end > warm+warm/10+1<<20 {
		t.Errorf("the heap has grown from %d to %d bytes", warm, end)
	}
	if calls := int(total / 10); account.billed < calls*9/10 || account.billed > calls {
		t.Errorf("%d of %d calls were billed", account.billed, calls)
	}
	if s := c.Stats(); s.BilledTwice != 0 || s.Recent > 4096 || s.Held > 512 {
		t.Errorf("stats: %+v", s)
	}
	runtime.KeepAlive(c)
}

// BenchmarkTraffic is the throughput of a stream of which a tenth are calls, and
// another tenth the agents around them.
func BenchmarkTraffic(b *testing.B) {
	c := newConverter(b)
	stream := newTraffic()
	var decisions []convert.Decision
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		decisions = c.Convert(decisions[:0], exported{stream.next()})
		for i := range decisions {
			decisions[i].Release()
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "spans/s")
}
