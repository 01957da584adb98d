// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package literal

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// collector keeps what it is told.
type collector struct {
	got  map[int][]string
	stop int // after so many values; 0 for never
	n    int
}

func (c *collector) Value(leaf int, key string, v Value) bool {
	if c.got == nil {
		c.got = make(map[int][]string)
	}
	text := v.Text
	switch v.Kind {
	case Null:
		text = "null"
	case Bool:
		text = map[bool]string{true: "true", false: "false"}[v.True]
	}
	if key != "" && leaf >= 100 {
		text = key + "=" + text
	}
	c.got[leaf] = append(c.got[leaf], text)
	c.n++
	return c.stop == 0 || c.n < c.stop
}

func TestScan(t *testing.T) {
	tree := NewTree()
	tree.Add("usage.prompt_tokens", 0)
	tree.Add("usage.details.cached_tokens", 1)
	tree.Add("choices.0.finish", 2)
	tree.Add("all.*.x", 3)
	tree.Add("model", 4)
	tree.Add("bag.*", 100)
	tests := map[string]struct {
		text string
		want map[int][]string // nil: a syntax error
	}{
		"JSON": {
			`{"id": "x", "usage": {"prompt_tokens": 412, "details": {"cached_tokens": 256}}, "model": "gpt"}`,
			map[int][]string{0: {"412"}, 1: {"256"}, 4: {"gpt"}},
		},
		"Python": {
			`{'usage': {'prompt_tokens': 412, 'details': {'cached_tokens': None}}, 'ok': True, 'model': 'it\'s', 't': (1, 2,), 'l': [1,],}`,
			map[int][]string{0: {"412"}, 1: {"null"}, 4: {"it's"}},
		},
		"Python text with quotes": {`{'a': "it's", 'model': "m"}`, map[int][]string{4: {"m"}}},
		"encoded twice":           {`"{\"usage\": {\"prompt_tokens\": 7}}"`, map[int][]string{0: {"7"}}},
		"member encoded twice":    {`{"usage": "{\"prompt_tokens\": 7}"}`, map[int][]string{0: {"7"}}},
		"encoded three times":     {`"\"{\\\"model\\\": 1}\""`, map[int][]string{4: {"1"}}},
		"encoded too often":       {`"\"\\\"{\\\\\\\"model\\\\\\\": 1}\\\"\""`, map[int][]string{}},
		"list":                    {`{"choices": [{"finish": "stop"}, {"finish": "length"}]}`, map[int][]string{2: {"stop"}}},
		"any element":             {`{"all": [{"x": 1}, {"x": 2}]}`, map[int][]string{3: {"1", "2"}}},
		"any member":              {`{"bag": {"a": 1, "b": {"c": 2}, "d": 3}}`, map[int][]string{100: {"a=1", "d=3"}}},
		"escapes":                 {`{"model": "a\nb\u00e4\ud83d\ude00\x41\q"}`, map[int][]string{4: {"a\nb\u00e4\U0001F600A\\q"}}},
		"escaped key":             {`{"mod\u0065l": 1}`, map[int][]string{4: {"1"}}},
		"backslashes":             {`{"a": "\\", "model": "\\\""}`, map[int][]string{4: {`\"`}}},
		"numbers":                 {`{"model": -1.5e+3, "bag": {"x": NaN}}`, map[int][]string{4: {"-1.5e+3"}, 100: {"x=NaN"}}},
		"empty":                   {` {} `, map[int][]string{}},
		"empty list":              {`[]`, map[int][]string{}},
		"white space":             {"\n{ \"model\"\t: 1\r}", map[int][]string{4: {"1"}}},
		"both of two are told":    {`{"model": 1, "model": 2}`, map[int][]string{4: {"1", "2"}}},
		"cut":                     {`{"model": "gpt", "usage": {"prompt_tok`, nil},
		"cut number":              {`{"usage": {"prompt_tokens": 41`, nil},
		"cut text":                {`{"model": "gp`, nil},
		"something behind":        {`{"model": 1} {`, nil},
		"words":                   {`Ball costs 5 cents.`, nil},
		"an expression":           {`{'model': Decimal('1')}`, nil},
		"a call":                  {`{'model': open('x')}`, nil},
		"a name":                  {`{'model': x}`, nil},
		"no text":                 {``, nil},
		"too deep":                {strings.Repeat("[", 1000) + strings.Repeat("]", 1000), nil},
		"too large":               {`{"model": "` + strings.Repeat("x", MaxSize) + `"}`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := collector{got: map[int][]string{}}
			err := Scan(tt.text, tree, &c)
			if (err != nil) != (tt.want == nil) {
				t.Fatalf("error = %v, got %v", err, c.got)
			}
			if tt.want != nil {
				if diff := cmp.Diff(tt.want, c.got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// A visitor that has had enough need not read a document that is cut behind.
func TestScanStops(t *testing.T) {
	tree := NewTree()
	tree.Add("id", 0)
	c := collector{stop: 1}
	if err := Scan(`{"id": "resp_1", "output": [{"text": "and so o`, tree, &c); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[int][]string{0: {"resp_1"}}, c.got); diff != "" {
		t.Error(diff)
	}
	c = collector{stop: 1}
	if err := Scan(`"{\"id\": 1, \"id\": 2}"`, tree, &c); err != nil || len(c.got[0]) != 1 {
		t.Errorf("nested: %v, got %v", err, c.got)
	}
}

func TestBegins(t *testing.T) {
	for text, want := range map[string]bool{` {`: true, `["a"]`: true, `('a',)`: true, `"x"`: true, `'x'`: true, ``: false, `  `: false, `x{`: false, `12`: false} {
		if got := Begins(text); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add(`{"model": "a", "usage": {"prompt_tokens": 1}}`)
	f.Add(`{'usage': {'prompt_tokens': None,},}`)
	f.Add(`"{\"model\": \"\\ud83d\\ude00\"}"`)
	f.Add(`[[[(((`)
	tree := NewTree()
	tree.Add("model", 0)
	tree.Add("usage.prompt_tokens", 1)
	tree.Add("*.*.x", 2)
	f.Fuzz(func(t *testing.T, text string) {
		var c collector
		err := Scan(text, tree, &c)
		// What encoding/json takes as an object is no syntax error here.
		var object map[string]any
		if json.Unmarshal([]byte(text), &object) == nil && object != nil && err != nil && !strings.Contains(text, strings.Repeat("[", 8)) && !strings.Contains(text, strings.Repeat(`:{`, 8)) {
			t.Errorf("%q: %v", text, err)
		}
		if model, ok := object["model"].(string); ok && err == nil && strings.Count(text, "model") == 1 && !strings.Contains(text, `\u`) {
			if got := c.got[0]; len(got) != 1 || got[0] != model {
				t.Errorf("%q: model = %q, want %q", text, got, model)
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	tree := NewTree()
	tree.Add("completion_tokens_details.reasoning_tokens", 0)
	tree.Add("prompt_tokens_details.cached_tokens", 1)
	const text = `{'completion_tokens': 27, 'prompt_tokens': 412, 'total_tokens': 439, 'completion_tokens_details': {'accepted_prediction_tokens': 0, 'audio_tokens': 0, 'reasoning_tokens': 8, 'rejected_prediction_tokens': 0}, 'prompt_tokens_details': {'audio_tokens': 0, 'cached_tokens': 256}}`
	var v counter
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if err := Scan(text, tree, &v); err != nil {
			b.Fatal(err)
		}
	}
}

type counter int

func (c *counter) Value(int, string, Value) bool {
	*c++
	return true
}
