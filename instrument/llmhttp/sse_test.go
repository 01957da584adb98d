// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// eventLog is an eventSink that writes down the events it gets.
type eventLog struct {
	current strings.Builder
	hasData bool
	events  []string
}

func (l *eventLog) data(p []byte) {
	l.current.Write(p)
	l.hasData = true
}

func (l *eventLog) aside(int) {}

func (l *eventLog) dispatch(event []byte, _ int) {
	if !l.hasData && len(event) == 0 {
		return
	}
	l.events = append(l.events, fmt.Sprintf("%s|%s", event, l.current.String()))
	l.current.Reset()
	l.hasData = false
}

func readEvents(text string, size int) []string {
	var l eventLog
	r := newSSEReader(&l)
	for piece := range chunks([]byte(text), size) {
		r.write(piece)
	}
	r.end()
	return l.events
}

func TestSSEReader(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{name: "one event", text: "data: a\n\n", want: []string{"|a"}},
		{name: "CRLF", text: "data: a\r\n\r\ndata: b\r\n\r\n", want: []string{"|a", "|b"}},
		{name: "CR", text: "data: a\r\rdata: b\r\r", want: []string{"|a", "|b"}},
		{name: "all line ends mixed", text: "data: a\n\r\ndata: b\r\n\rdata: c\r\n\n", want: []string{"|a", "|b", "|c"}},
		{name: "several data lines", text: "data: a\ndata: b\ndata\ndata:\n\n", want: []string{"|a\nb\n\n"}},
		{name: "only one space is dropped", text: "data:  a \n\n", want: []string{"| a "}},
		{name: "no space", text: "data:a\n\n", want: []string{"|a"}},
		{name: "event name", text: "event: error\ndata: x\n\ndata: y\n\n", want: []string{"error|x", "|y"}},
		{name: "the last event name counts", text: "event: one\nevent: two\ndata: x\n\n", want: []string{"two|x"}},
		{name: "an event without data", text: "event: ping\n\n", want: []string{"ping|"}},
		{name: "comments", text: ": OPENROUTER PROCESSING\n\n:\ndata: a\n: data: no\n\n", want: []string{"|a"}},
		{name: "other fields", text: "id: 1\nretry: 10\ndatax: no\ndat: no\n data: no\ndata: a\n\n", want: []string{"|a"}},
		{name: "byte order mark", text: "\xef\xbb\xbfdata: a\n\n", want: []string{"|a"}},
		{name: "the beginning of a byte order mark", text: "\xef\xbbdata: a\n\ndata: b\n\n", want: []string{"|b"}},
		{name: "a byte order mark later on is part of a name", text: "data: a\n\n\xef\xbb\xbfdata: b\n\n", want: []string{"|a"}},
		{name: "blank lines", text: "\n\n\ndata: a\n\n\n\n", want: []string{"|a"}},
		{name: "colons in the value", text: "data: a: b\n\n", want: []string{"|a: b"}},
		{name: "last event without its empty line", text: "data: a\n\ndata: b\n", want: []string{"|a", "|b"}},
		{name: "last event without its line end", text: "data: a\n\ndata: b", want: []string{"|a", "|b"}},
		{name: "a cut field name", text: "data: a\n\ndat", want: []string{"|a"}},
		{name: "UTF-8", text: "data: é😀\n\n", want: []string{"|é😀"}},
		{name: "a long event name is cut", text: "event: " + strings.Repeat("x", 100) + "\ndata: a\n\n", want: []string{strings.Repeat("x", maxEventName) + "|a"}},
		{name: "a long field name", text: strings.Repeat("data", 100) + ": a\n\n"},
		{name: "nothing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 3, 5, 1 << 20} {
				if diff := cmp.Diff(tt.want, readEvents(tt.text, size)); diff != "" {
					t.Errorf("pieces of %d: events (-want +got):\n%s", size, diff)
				}
			}
		})
	}
}

// parseEvents is the reader's specification: the text cut into lines, the lines
// into fields, as the WHATWG HTML standard says.
func parseEvents(text string) []string {
	text = strings.TrimPrefix(text, "\xef\xbb\xbf")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	lines := strings.Split(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	var events, data []string
	name := ""
	dispatch := func() {
		joined := strings.Join(data, "\n")
		if joined != "" || name != "" {
			events = append(events, name+"|"+joined)
		}
		data, name = nil, ""
	}
	for _, line := range lines {
		if line == "" {
			dispatch()
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "data":
			data = append(data, value)
		case "event":
			name = value[:min(len(value), maxEventName)]
		}
	}
	if len(data) > 0 {
		dispatch()
	}
	return events
}

func FuzzSSEReader(f *testing.F) {
	for _, seed := range []string{
		"data: {\"a\":1}\n\ndata: [DONE]\n\n", "event: x\r\ndata: a\r\ndata: b\r\n\r\n", ": c\r\rdata:\r\r", "\xef\xbb\xbfdata: a", "data\n\nevent\n\n",
	} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, text string, size int) {
		if size <= 0 {
			size = 1 - size%64
		}
		// The sink does not hear of empty data, which no event here has.
		if diff := cmp.Diff(parseEvents(text), readEvents(text, size)); diff != "" {
			t.Fatalf("%q in pieces of %d: events (-want +got):\n%s", text, size, diff)
		}
	})
}
