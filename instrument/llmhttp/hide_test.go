// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hide sends stream through a hider in pieces and returns what comes out.
func hide(stream string, size int) string {
	h := newHider()
	var out strings.Builder
	for piece := range chunks([]byte(stream), size) {
		out.Write(h.write(piece))
	}
	out.Write(h.end(nil))
	return out.String()
}

func TestHider(t *testing.T) {
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	cr := func(s string) string { return strings.ReplaceAll(s, "\n", "\r") }
	before, after := roleChunk+chunk("x")+finishChunk, doneEvent
	tests := []struct{ name, stream, want string }{
		{name: "the usage chunk", stream: before + usageEvent + after, want: before + after},
		{name: "CRLF", stream: crlf(before + usageEvent + after), want: crlf(before + after)},
		{name: "CR", stream: cr(before + usageEvent + after), want: cr(before + after)},
		{name: "first", stream: usageEvent + after, want: after},
		{name: "last", stream: before + usageEvent, want: before},
		{name: "last, without its empty line", stream: before + strings.TrimSuffix(usageEvent, "\n"), want: before},
		{name: "last, without any line end", stream: before + strings.TrimSuffix(usageEvent, "\n\n"), want: before},
		{name: "twice", stream: before + usageEvent + usageEvent + after, want: before + after},
		{name: "usage before choices", stream: before + `data: {"usage":{"prompt_tokens":1},"choices":[ ]}` + "\n\n" + after, want: before + after},
		{name: "over several lines", stream: "event: message\nid: 7\ndata: {\"choices\":[],\ndata: \"usage\":{\"x\":1}}\n\n" + after, want: after},
		{name: "behind a byte order mark", stream: "\xef\xbb\xbf" + usageEvent + after, want: "\xef\xbb\xbf" + after},
		{name: "behind comments with CR", stream: ": a\r: b\r\n" + usageEvent + after, want: ": a\r: b\r\n" + after},
		{name: "a comment within", stream: "id: 1\n: note\n" + usageEvent + after, want: after},
		{name: "with a comment in it", stream: ": note\n" + usageEvent + after, want: ": note\n" + after},
	}
	keep := []string{
		before + after,
		`data: {"choices":[],"usage":null}` + "\n\n" + after,
		`data: {"choices":[],"usage":{}}` + "\n\n" + after,
		`data: {"choices":[],"prompt_filter_results":[{}]}` + "\n\n" + after,
		`data: {"choices":[{"index":0}],"usage":{"prompt_tokens":1}}` + "\n\n" + after,
		`data: {"choices":null,"usage":{"prompt_tokens":1}}` + "\n\n",
		`data: {"usage":{"prompt_tokens":1}}` + "\n\n" + after,
		`data: {"choices":[],"usage":{"prompt_tokens":1},"error":{"code":1}}` + "\n\n" + after,
		`data: {"x":{"choices":[],"usage":{"prompt_tokens":1}}}` + "\n\n" + after,
		`data: {"choices":[],"usage":{"prompt_tokens":1}} and more` + "\n\n" + after,
		`data: {"choices":[],"usage":{"prompt_tokens":1}`,
		`: {"choices":[],"usage":{"prompt_tokens":1}}` + "\n\n",
		": keep-alive\n\n" + ":\r\n\r\n" + "event: ping\n\n" + "id: 1\n\n\n\n" + "garbage\n\n" + "\x00\xff" + after,
		"\xef\xbb\xbf" + before + after,
		`data: {"choices":[],"x":"` + strings.Repeat("y", 2*maxHeld) + `","usage":{"prompt_tokens":1}}` + "\n\n" + after,
		"data: " + strings.Repeat("z", 3*maxHeld),
		"",
	}
	for _, stream := range keep {
		tests = append(tests, struct{ name, stream, want string }{name: "passes " + stream[:min(len(stream), 60)], stream: stream, want: stream})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 3, 7, 64, 1 << 20} {
				if diff := cmp.Diff(tt.want, hide(tt.stream, size)); diff != "" {
					t.Errorf("pieces of %d (-want +got):\n%s", size, diff)
				}
			}
		})
	}
}

// What may be shown is shown at once.
func TestHiderHoldsBackAsLittleAsItCan(t *testing.T) {
	h := newHider()
	write := func(piece, want string) {
		t.Helper()
		if got := string(h.write([]byte(piece))); got != want {
			t.Errorf("%q passed on, want %q", got, want)
		}
	}
	write(": keep", ": keep")
	write("-alive\n", "-alive\n")
	write("\n", "\n")
	write(`data: {"id":"x","cho`, "")
	write(`ices":[`, "")
	write(`{`, `data: {"id":"x","choices":[{`)
	write(`"index":0`, `"index":0`)
	write("}]}\n\ndata: [DO", "}]}\n\n")
	write("NE]\n\n", "data: [DONE]\n\n")
	write(usageEvent+chunk("x"), chunk("x"))
	if len(h.held) != 0 {
		t.Errorf("%q is held back", h.held)
	}
}

// isHidden is the rule, told by encoding/json.
func isHidden(event string) bool {
	var doc map[string]json.RawMessage
	if json.Unmarshal([]byte(event), &doc) != nil {
		return false
	}
	var choices []json.RawMessage
	if json.Unmarshal(doc["choices"], &choices) != nil || choices == nil || len(choices) > 0 {
		return false
	}
	return !falsy(doc["usage"]) && falsy(doc["error"])
}

func falsy(value json.RawMessage) bool {
	switch text := strings.Join(strings.Fields(string(value)), ""); text {
	case "", "null", "false", `""`, "{}", "[]":
		return true
	default:
		return false
	}
}

func FuzzHider(f *testing.F) {
	f.Add(`{"choices":[],"usage":{"prompt_tokens":1}}`, "\n", 3)
	f.Add(`{"choices":[{}],"usage":{"prompt_tokens":1}}`, "\r\n", 1)
	f.Add(`{"usage":{"a":[1]},"choices":[],"error":null}`, "\r", 2)
	f.Add("[DONE]", "\n", 7)
	f.Fuzz(func(t *testing.T, data, end string, size int) {
		if size <= 0 {
			size = 1 - size%64
		}
		// Any stream at all passes whole, or without a part of it.
		if got := hide(data, size); got != data && !strings.Contains(data, "choices") && !strings.Contains(data, `\u`) {
			t.Fatalf("%q became %q", data, got)
		}
		if end != "\n" && end != "\r\n" && end != "\r" || strings.ContainsAny(data, "\r\n") || len(data) > 1000 {
			return
		}
		event := "data: " + data + end + end
		around := strings.ReplaceAll(chunk("x"), "\n", end)
		want := around + event + around
		if isHidden(data) {
			want = around + around
		}
		if duplicateKeys(data) || !json.Valid([]byte(data)) && strings.Contains(data, "choices") {
			return // either is no chunk that a server sends
		}
		if got := hide(around+event+around, size); got != want {
			t.Fatalf("event %q in pieces of %d (-want +got):\n%s", event, size, cmp.Diff(want, got))
		}
	})
}

// duplicateKeys says whether a document has a member twice, of which
// encoding/json takes the last.
func duplicateKeys(data string) bool {
	dec := json.NewDecoder(strings.NewReader(data))
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return false
	}
	seen := map[string]bool{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return false
		}
		name, _ := key.(string)
		if seen[name] {
			return true
		}
		seen[name] = true
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return false
		}
	}
	return false
}
