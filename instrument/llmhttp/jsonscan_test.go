// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Fields of the tree that the scanner's tests use.
const (
	fieldID field = iota + 1
	fieldItems
	fieldItem
	fieldWord
	fieldContent
	fieldDeep
	fieldObject
)

var testTree = newTree([]want{
	{path: "id", field: fieldID},
	{path: "items", field: fieldItems},
	{path: "items[]", field: fieldItem},
	{path: "items[].word", field: fieldWord},
	{path: "items[].content", field: fieldContent, presence: true},
	{path: "a.b.c", field: fieldDeep},
	{path: "a", field: fieldObject},
})

// findings is a sink that writes down what it gets.
type findings []string

func (l *findings) add(format string, args ...any) { *l = append(*l, fmt.Sprintf(format, args...)) }

func (l *findings) open(f field)              { l.add("open %d", f) }
func (l *findings) close(f field)             { l.add("close %d", f) }
func (l *findings) present(f field, yes bool) { l.add("present %d %t", f, yes) }

func (l *findings) value(f field, v value) {
	switch {
	case v.long:
		l.add("value %d long", f)
	case v.kind == stringValue:
		l.add("value %d %q", f, v.text())
	default:
		l.add("value %d %s", f, v.raw)
	}
}

// scanAll scans text in pieces of the given size.
func scanAll(text []byte, size int) (found []string, complete bool) {
	var l findings
	s := newScanner(testTree, &l)
	for piece := range chunks(text, size) {
		s.write(piece)
	}
	s.end()
	return l, s.complete()
}

// chunks yields text in pieces of size bytes, each in memory of its own so that
// nobody can keep one.
func chunks(text []byte, size int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(text) > 0 {
			n := min(size, len(text))
			piece := bytes.Clone(text[:n])
			ok := yield(piece)
			clear(piece)
			if !ok {
				return
			}
			text = text[n:]
		}
	}
}

func TestScannerFindsWhatIsWanted(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
		incomplete bool
	}{
		{name: "scalar members", text: `{"id":"x","other":1,"id":2}`, want: []string{`value 1 "x"`, "value 1 2"}},
		{name: "white space before, between and behind", text: " \n\t{ \"id\" :\r\n true } \n", want: []string{"value 1 true"}},
		{name: "escapes in keys and values", text: `{"\u0069d":"a\"\\\u00e9\n"}`, want: []string{`value 1 "a\"\\é\n"`}},
		{
			name: "elements", text: `{"items":[{"word":null},{"content":"c","word":"w"},7]}`,
			want: []string{"open 2", "open 3", "value 4 null", "close 3", "open 3", "present 5 true", `value 4 "w"`, "close 3", "value 3 7", "close 2"},
		},
		{name: "empty containers", text: `{"items":[],"a":{}}`, want: []string{"open 2", "close 2", "open 7", "close 7"}},
		{
			name: "presence", text: `{"items":[{"content":""},{"content":[ ]},{"content":{}},{"content":null},{"content":false},
				{"content":" "},{"content":[[]]},{"content":{"x":"}"}},{"content":0},{"content":"\""}]}`,
			want: []string{
				"open 2",
				"open 3", "present 5 false", "close 3", "open 3", "present 5 false", "close 3", "open 3", "present 5 false", "close 3",
				"open 3", "present 5 false", "close 3", "open 3", "present 5 false", "close 3",
				"open 3", "present 5 true", "close 3", "open 3", "present 5 true", "close 3", "open 3", "present 5 true", "close 3",
				"open 3", "present 5 true", "close 3", "open 3", "present 5 true", "close 3",
				"close 2",
			},
		},
		{
			name: "unwanted subtrees with brackets and quotes in strings",
			text: `{"x":{"id":"no","y":["}","\"]"]},"id":1,"z":[[{"id":2}]],"a":{"b":{"x":"{","c":3}}}`,
			want: []string{"value 1 1", "open 7", "value 6 3", "close 7"},
		},
		{name: "a document of an unwanted kind where a container was expected", text: `{"a":3,"items":"x"}`, want: []string{"value 7 3", `value 2 "x"`}},
		{name: "an array where an object was expected", text: `[{"id":1},{"id":2}]`},
		{name: "a long string", text: `{"id":"` + strings.Repeat("x", maxScalar+1) + `"}`, want: []string{"value 1 long"}},
		{name: "a long number", text: `{"id":` + strings.Repeat("1", maxScalar+1) + `}`, want: []string{"value 1 long"}},
		{name: "a string that just fits", text: `{"id":"` + strings.Repeat("x", maxScalar) + `"}`, want: []string{`value 1 "` + strings.Repeat("x", maxScalar) + `"`}},
		{name: "a long key", text: `{"` + strings.Repeat("x", maxKey+1) + `":{"id":1},"id":2}`, want: []string{"value 1 2"}},
		{name: "a number alone", text: `12`},
		{name: "cut", text: `{"id":1,"items":[{"word":"w`, want: []string{"value 1 1", "open 2", "open 3"}, incomplete: true},
		{name: "no JSON", text: `<html>"id":1</html>`, incomplete: true},
		{name: "wrong bracket", text: `{"items":[}`, want: []string{"open 2"}, incomplete: true},
		{name: "no colon", text: `{"id" 1}`, incomplete: true},
		{name: "no quotes", text: `{id:1}`, incomplete: true},
		{name: "no word of JSON", text: `{"id":nul}`, incomplete: true},
		{name: "more behind the end", text: `{"id":1}{"id":2}`, want: []string{"value 1 1"}, incomplete: true},
		{name: "nothing", text: ``, incomplete: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 3, 7, 1 << 20} {
				found, complete := scanAll([]byte(tt.text), size)
				if diff := cmp.Diff(tt.want, found); diff != "" {
					t.Errorf("pieces of %d: findings (-want +got):\n%s", size, diff)
				}
				if complete == tt.incomplete {
					t.Errorf("pieces of %d: complete = %t", size, complete)
				}
			}
		})
	}
}

func TestScannerSurvivesDepth(t *testing.T) {
	deep := strings.Repeat("[", 1<<20)
	var l findings
	s := newScanner(testTree, &l)
	s.write([]byte(deep))
	s.write([]byte(strings.Repeat("]", 1<<20)))
	if !s.complete() {
		t.Error("a deep document that is closed is not complete")
	}
}

// A scanner holds what it wants and no more, whatever the document's size.
func TestScannerMemory(t *testing.T) {
	const size = 100 << 20
	piece := []byte(strings.Repeat("x", 32<<10))
	var l findings
	s := newScanner(testTree, &l)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s.write([]byte(`{"data":[0.1,0.2,"`))
	for range size / len(piece) {
		s.write(piece)
	}
	s.write([]byte(`"],"` + "id" + `":"behind it"}`))
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 {
		t.Errorf("scanning 100 MB allocated %d bytes", grown)
	}
	if diff := cmp.Diff(findings{`value 1 "behind it"`}, l); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// model finds what the scanner should, with encoding/json.
func model(text []byte) (found []string, err error) {
	var l findings
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := modelValue(dec, testTree, &l); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more behind the document")
	}
	return l, nil
}

func modelValue(dec *json.Decoder, n *node, l *findings) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	delim, container := token.(json.Delim)
	if !container {
		modelScalar(token, n, l)
		return nil
	}
	down := n
	if n != nil && n.presence {
		l.present(n.field, dec.More())
		down = nil
	}
	if down != nil && (delim == '[' && down.element == nil || delim == '{' && down.keys == nil) {
		down = nil
	}
	if down != nil && down.field != 0 {
		l.open(down.field)
	}
	for dec.More() {
		var next *node
		if delim == '{' {
			key, err := dec.Token()
			if err != nil {
				return err
			}
			if down != nil {
				next = down.member([]byte(key.(string)))
			}
		} else if down != nil {
			next = down.element
		}
		if err := modelValue(dec, next, l); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return err
	}
	if down != nil && down.field != 0 {
		l.close(down.field)
	}
	return nil
}

func modelScalar(token json.Token, n *node, l *findings) {
	if n == nil || n.field == 0 {
		return
	}
	var text string
	switch token := token.(type) {
	case nil:
		text = "null"
	case bool:
		text = fmt.Sprint(token)
	case json.Number:
		text = token.String()
	case string:
		if n.presence {
			l.present(n.field, token != "")
			return
		}
		l.add("value %d %q", n.field, token)
		return
	}
	if n.presence {
		l.present(n.field, text != "null" && text != "false")
		return
	}
	l.add("value %d %s", n.field, text)
}

func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		`{"id":"x","items":[{"word":"w","content":"c"},{"word":null,"content":[]}],"a":{"b":{"c":1.5e3}}}`,
		`[{"id":1},[{"id":2}],3]`, `{"id":"\u00e9\ud83d\ude00\\"}`, `{"a":{"b":{"c":{"d":[1,{"e":"}"}]}}},"id":true}`,
		`"text"`, `-0.1`, `{}`, `[]`, `{"id":"` + "\xff" + `"}`, `data: [DONE]`,
	} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		if size <= 0 {
			size = 1 - size%64
		}
		found, complete := scanAll(text, size)
		whole, _ := scanAll(text, len(text)+1)
		if diff := cmp.Diff(whole, found); diff != "" {
			t.Fatalf("pieces of %d find something else (-whole +pieces):\n%s", size, diff)
		}
		if !json.Valid(text) || len(text) > maxKey { // of longer ones some is left out on purpose
			return
		}
		want, err := model(text)
		if err != nil {
			return // encoding/json's decoder is stricter about depth
		}
		if !complete {
			t.Fatalf("valid JSON %q is not complete", text)
		}
		if diff := cmp.Diff(want, found); diff != "" {
			t.Fatalf("%q: findings (-encoding/json +scanner):\n%s", text, diff)
		}
	})
}
