// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/semconv"
)

// fuzzKeys are keys that mean something, and some that do not.
func fuzzKeys() []string {
	keys := []string{
		"gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.system", "gen_ai.request.model", "gen_ai.response.model",
		"gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.total_tokens",
		"gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.reasoning.output_tokens",
		"gen_ai.response.finish_reasons", "gen_ai.response.id", "gen_ai.request.stream", "gen_ai.response.time_to_first_chunk",
		"gen_ai.server.time_to_first_token", "gen_ai.output.type", "llm.request.type", "llm.is_streaming", "error.type",
		"http.response.status_code", "server.address", "revenium.metering.skip", "revenium.usage.partial", "service.name", "",
	}
	for _, f := range semconv.Fields() {
		keys = append(keys, string(f.Key))
	}
	return keys
}

// spanOfBytes makes a span of arbitrary bytes: each attribute takes a byte for its
// key, one for its type, and what its value needs.
func spanOfBytes(data []byte, keys []string) *span {
	take := func(n int) []byte {
		piece := make([]byte, n)
		copy(piece, data)
		data = data[min(n, len(data)):]
		return piece
	}
	s := call()
	s.attrs = nil
	head := take(8)
	s.status = convert.StatusCode(head[0] % 4)
	s.kind = convert.Kind(head[1] % 7)
	s.start = time.Unix(int64(int32(binary.BigEndian.Uint32(head[2:]))), 0)
	s.end = s.start.Add(time.Duration(int8(head[6])) * time.Second)
	s.id[0], s.parent[0] = head[7]%4, head[7]/4%4
	level := &s.attrs
	for len(data) > 0 {
		key := keys[int(take(1)[0])%len(keys)]
		var v convert.Value
		switch take(1)[0] % 9 {
		case 0:
			v = convert.StringValue(string(take(int(take(1)[0]))))
		case 1:
			v = convert.IntValue(int64(binary.BigEndian.Uint64(take(8))))
		case 2:
			v = convert.FloatValue(math.Float64frombits(binary.BigEndian.Uint64(take(8))))
		case 3:
			v = convert.BoolValue(take(1)[0]%2 == 0)
		case 4:
			v = convert.StringsValue([]string{string(take(5)), string(take(3))})
		case 5:
			v = convert.OtherValue()
		case 6:
			v = convert.IntValue(int64(take(1)[0]))
		case 7:
			v = convert.StringValue("chat")
		case 8:
			switch take(1)[0] % 4 {
			case 0:
				level = &s.scopeAttrs
			case 1:
				level = &s.resource
			default:
				s.events = append(s.events, event{name: "exception", at: s.start, attrs: with("exception.type", string(take(6)))})
			}
			continue
		}
		*level = append(*level, attr{key, v})
	}
	return s
}

// FuzzConvert: whatever the spans, there is no panic, each decision has a reason,
// what is billed can be sent, and every span that looks like GenAI is decided
// finally exactly once.
func FuzzConvert(f *testing.F) {
	keys := fuzzKeys()
	f.Add([]byte{})
	f.Add([]byte{0, 3, 0x65, 0, 0, 0, 2, 1, 0, 7, 3, 0, 6, 'g', 'p', 't', '-', '4', 'o', 5, 6, 100, 7, 6, 20})
	f.Add([]byte{2, 3, 0x65, 0, 0, 0, 2, 5, 0, 7, 3, 0, 6, 'g', 'p', 't', '-', '4', 'o', 21, 1, 0, 0, 0, 0, 0, 0, 1, 173})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := newConverter(t, convert.WithMaxHeld(8), convert.WithRecent(16, time.Minute), convert.WithSources())
		decided, held := 0, 0
		count := func(decisions []convert.Decision) {
			for _, d := range decisions {
				if d.Kind == convert.Held {
					held++
					continue
				}
				decided++
				if d.WasHeld {
					held--
				}
				checkSendable(t, d)
			}
		}
		for len(data) > 0 {
			n := min(len(data), 96)
			count(c.Convert(nil, spanOfBytes(data[:n], keys)))
			data = data[n:]
			if held != c.Held() || held > 8 {
				t.Fatalf("%d spans are held, the converter says %d", held, c.Held())
			}
			if stats := c.Stats(); stats.Recent > 16 {
				t.Fatalf("%d calls are remembered", stats.Recent)
			}
		}
		count(c.Flush(nil))
		if held != 0 {
			t.Fatalf("%d spans are held for ever", held)
		}
	})
}
