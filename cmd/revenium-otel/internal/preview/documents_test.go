// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package preview

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestDocuments(t *testing.T) {
	type doc struct {
		Line int
		JSON string
		Err  string
	}
	long := strings.Repeat("x", 100_000)
	tests := map[string]struct {
		in   string
		want []doc
	}{
		"empty":       {in: "", want: nil},
		"blank":       {in: " \n\t\r\n", want: nil},
		"one":         {in: `{"a":1}`, want: []doc{{Line: 1, JSON: `{"a":1}`}}},
		"byte order":  {in: "\xef\xbb\xbf{}", want: []doc{{Line: 1, JSON: `{}`}}},
		"per line":    {in: "{\"a\":1}\n{\"a\":2}\r\n\n{\"a\":3}\n", want: []doc{{Line: 1, JSON: `{"a":1}`}, {Line: 2, JSON: `{"a":2}`}, {Line: 4, JSON: `{"a":3}`}}},
		"one line":    {in: `{"a":1}{"a":2} {}`, want: []doc{{Line: 1, JSON: `{"a":1}`}, {Line: 1, JSON: `{"a":2}`}, {Line: 1, JSON: `{}`}}},
		"pretty":      {in: "{\n \"a\": 1\n}\n{\n \"a\": 2\n}\n", want: []doc{{Line: 1, JSON: "{\n \"a\": 1\n}"}, {Line: 4, JSON: "{\n \"a\": 2\n}"}}},
		"not JSON":    {in: "hello", want: []doc{{Line: 1, Err: "line 1: not JSON: invalid character 'h' looking for beginning of value"}}},
		"no end":      {in: "{}\n{\"a\":\n", want: []doc{{Line: 1, JSON: "{}"}, {Line: 2, Err: "line 2: not JSON: the document that starts here has no end"}}},
		"wrong array": {in: "[1,2]", want: []doc{{Line: 1, JSON: "[1,2]"}}},
		"broken in the middle": {
			in: "{\"a\":1}\n{\"a\":}\n{\"a\":3}\n",
			want: []doc{
				{Line: 1, JSON: `{"a":1}`},
				{Line: 2, Err: "line 2: not JSON: invalid character '}' looking for beginning of value"},
				{Line: 3, JSON: `{"a":3}`},
			},
		},
		"pretty, broken in the middle": {
			in: "{\n \"a\": {\n  \"b\" 1\n }\n}\n{\n \"a\": 2\n}\n{\"c\":?}\n{}",
			want: []doc{
				{Line: 3, Err: "line 3: not JSON: invalid character '1' after object key"},
				{Line: 6, JSON: "{\n \"a\": 2\n}"},
				{Line: 9, Err: "line 9: not JSON: invalid character '?' looking for beginning of value"},
				{Line: 10, JSON: "{}"},
			},
		},
		"long broken line": {
			in:   "{\"a\":?\"" + long + "\"}\n{\"a\":3}\n",
			want: []doc{{Line: 1, Err: "line 1: not JSON: invalid character '?' looking for beginning of value"}, {Line: 2, JSON: `{"a":3}`}},
		},
	}
	readers := map[string]func(io.Reader) io.Reader{
		"whole":    func(r io.Reader) io.Reader { return r },
		"one byte": iotest.OneByteReader,
		"data+err": iotest.DataErrReader,
	}
	for name, tt := range tests {
		for kind, reader := range readers {
			t.Run(name+"/"+kind, func(t *testing.T) {
				docs, err := newDocuments(reader(strings.NewReader(tt.in)))
				if err != nil {
					t.Fatal(err)
				}
				var got []doc
				for {
					raw, line, err := docs.next()
					if errors.Is(err, io.EOF) {
						break
					}
					if syntax, ok := errors.AsType[*syntaxError](err); ok {
						got = append(got, doc{Line: syntax.line, Err: err.Error()})
						continue
					}
					if err != nil {
						t.Fatalf("next: %v", err)
					}
					got = append(got, doc{Line: line, JSON: string(raw)})
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("documents (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestDocumentsReaderError(t *testing.T) {
	broken := errors.New("disk on fire")
	docs, err := newDocuments(io.MultiReader(strings.NewReader(`{"a":1} {"b"`), iotest.ErrReader(broken)))
	if err != nil {
		t.Fatal(err)
	}
	if raw, _, err := docs.next(); err != nil || string(raw) != `{"a":1}` {
		t.Fatalf("next = %s, %v", raw, err)
	}
	if _, _, err := docs.next(); !errors.Is(err, broken) {
		t.Fatalf("next: %v, want %v", err, broken)
	}
}
