// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	d := parse([]byte(` { "a" : "x\n" , "b":[1,{"c":null}], "d":{"e":true,"e":-0.5e+1}, "":{} } `), nil)
	if d.err != nil {
		t.Fatal(d.err)
	}
	var names []string
	for _, m := range d.members {
		names = append(names, m.name+"="+m.kind.String()+"="+string(m.raw))
	}
	want := []string{`a=string="x\n"`, `b=array=[1,{"c":null}]`, `d=object={"e":true,"e":-0.5e+1}`, "=object={}"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if got := d.text("a"); got != "x\n" {
		t.Errorf("a = %q", got)
	}
	if got := d.text("b"); got != "" {
		t.Errorf("b = %q, which is no text", got)
	}
	if diff := cmp.Diff([]string{"d.e"}, d.duplicates); diff != "" {
		t.Errorf("duplicates (-want +got):\n%s", diff)
	}
}

// Many names are compared by a map, few by themselves: both must find the same.
func TestParseDuplicatesAmongMany(t *testing.T) {
	var b strings.Builder
	b.WriteString("{")
	for i := range 100 {
		name, _ := json.Marshal(strings.Repeat("n", i+1))
		b.WriteString(string(name) + ":0,")
	}
	b.WriteString(`"n":1,"nn":2,"x":3,"x":4}`)
	d := parse([]byte(b.String()), nil)
	if d.err != nil {
		t.Fatal(d.err)
	}
	if diff := cmp.Diff([]string{"n", "nn", "x"}, d.duplicates); diff != "" {
		t.Errorf("duplicates (-want +got):\n%s", diff)
	}
}

func TestParseDepth(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}" }
	if err := parse([]byte(deep(maxDepth-1)), nil).err; err != nil {
		t.Error(err)
	}
	if err := parse([]byte(deep(maxDepth)), nil).err; err == nil {
		t.Error("too deep, and accepted")
	}
}

// FuzzParse compares the parser with encoding/json: the same documents are well-formed, and texts are the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1}`, `{"a":[true,false,null,-1.5e-3,"\u00e9\ud83d\ude00\\"]}`, `{"a":{"b":{}},"c":""}`,
		`{"a":01}`, `{"a":1.}`, `{"a":"\x"}`, `{"a":"\ud800\u0041"}`, "{\"a\":\"\xff\"}", `{"a":tru}`, `{"a"}`, `{,}`,
		`{"a":"\ud800\ud800\udc00"}`, `[]`, `{"a":1}x`, `{"\u0061":1,"a":2}`, `{"a":"\u00G0"}`, "{\"a\":\"\x01\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d := parse(body, map[string]string{"a": "a"})
		var m map[string]json.RawMessage
		err := json.Unmarshal(body, &m)
		if m == nil && err == nil { // null
			return
		}
		if d.err != nil {
			if err == nil && !strings.Contains(d.err.Error(), "too deep") {
				t.Fatalf("%q: %v", body, d.err)
			}
			return
		}
		if err != nil {
			t.Fatalf("%q is accepted, but: %v", body, err)
		}
		if len(d.badText) > 0 { // encoding/json changes such text
			return
		}
		if len(m) != len(d.members)-len(topLevel(d.members)) {
			t.Fatalf("%q: %d members, want %d", body, len(d.members), len(m))
		}
		for name, raw := range m {
			got, ok := find(d.members, name)
			if !ok || string(got.raw) != string(raw) {
				t.Fatalf("%q: %q is %q, want %q", body, name, got.raw, raw)
			}
			if got.kind != kindString {
				continue
			}
			var want string
			if err := json.Unmarshal(raw, &want); err != nil {
				t.Fatal(err)
			}
			if text := got.text(); text != want {
				t.Fatalf("%q: %q is %q, want %q", body, name, text, want)
			}
		}
	})
}

// topLevel returns the names that occur again.
func topLevel(members []member) []string {
	seen := make(map[string]bool)
	var again []string
	for _, m := range members {
		if seen[m.name] {
			again = append(again, m.name)
		}
		seen[m.name] = true
	}
	return again
}
