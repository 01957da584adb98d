// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// ask returns body as it is sent to ask for usage, and false where it is sent as
// it is.
func ask(tb testing.TB, body []byte, size int) ([]byte, bool) {
	tb.Helper()
	q := newQuestion(&http.Request{}, targetOf(tb, "openai.chat"), &capture{}, &scanners{})
	for piece := range chunks(body, size) {
		q.scan.write(piece)
	}
	q.scan.end()
	s, ok := q.reader.options.askForUsage()
	if !ok {
		return nil, false
	}
	spliced := s.apply(io.NopCloser(bytes.NewReader(body)))
	text, err := io.ReadAll(iotest.OneByteReader(spliced))
	if err != nil {
		tb.Fatal(err)
	}
	if int64(len(text)) != int64(len(body))+s.growth() {
		tb.Fatalf("%d bytes, growth %d of %d", len(text), s.growth(), len(body))
	}
	return text, true
}

func TestSplice(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{name: "no options", body: `{"stream":true,"model":"m"}`, want: `{"stream":true,"stream_options":{"include_usage":true},"model":"m"}`},
		{name: "last member", body: "{\n \"model\": \"m\",\n \"stream\" : true\n}\n", want: "{\n \"model\": \"m\",\n \"stream\" : true,\"stream_options\":{\"include_usage\":true}\n}\n"},
		{name: "other options", body: `{"stream":true,"stream_options":{"include_obfuscation":false}}`, want: `{"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}}`},
		{name: "options first", body: `{"stream_options": { "x":{} },"stream":true}`, want: `{"stream_options": {"include_usage":true, "x":{} },"stream":true}`},
		{name: "empty options", body: `{"stream":true,"stream_options":{ }}`, want: `{"stream":true,"stream_options":{"include_usage":true }}`},
		{name: "null options", body: `{"stream":true,"stream_options": null ,"n":1}`, want: `{"stream":true,"stream_options": {"include_usage":true} ,"n":1}`},
		{name: "null options at the end", body: `{"stream":true,"stream_options":null}`, want: `{"stream":true,"stream_options":{"include_usage":true}}`},
		{name: "escaped names", body: `{"str\u0065am":true}`, want: `{"str\u0065am":true,"stream_options":{"include_usage":true}}`},
		{name: "escaped options", body: `{"stream":true,"stream\u005foptions":{"include\u005fusage":false}}`},
		{name: "said true", body: `{"stream":true,"stream_options":{"include_usage":true}}`},
		{name: "said false", body: `{"stream":true,"stream_options":{"include_usage":false}}`},
		{name: "said something", body: `{"stream":true,"stream_options":{"include_usage":{}}}`},
		{name: "no stream", body: `{"stream":false}`},
		{name: "a stream of another type", body: `{"stream":"true"}`},
		{name: "options of another type", body: `{"stream":true,"stream_options":"x"}`},
		{name: "options in an array", body: `{"stream":true,"stream_options":[{}]}`},
		{name: "twice", body: `{"stream":true,"stream":true}`},
		{name: "an array", body: `[{"stream":true},{"stream":true}]`},
		{name: "cut", body: `{"stream":true`},
		{name: "more behind it", body: `{"stream":true} {}`},
		{name: "nothing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 5, 1 << 20} {
				got, ok := ask(t, []byte(tt.body), size)
				if ok != (tt.want != "") || string(got) != tt.want {
					t.Errorf("pieces of %d: %t (-want +got):\n%s", size, ok, cmp.Diff(tt.want, string(got)))
				}
			}
		})
	}
}

func TestSplicedBodyPassesErrors(t *testing.T) {
	boom := errors.New("boom")
	for _, length := range []int{0, 5, 12, 14, 20} {
		s := splice{offset: 12, replace: 4, text: "XYZ"}
		reader := io.MultiReader(strings.NewReader("0123456789abcdefghijklmno"[:length]), iotest.ErrReader(boom))
		got, err := io.ReadAll(s.apply(io.NopCloser(reader)))
		if !errors.Is(err, boom) {
			t.Errorf("%d bytes: error %v, read %q", length, err, got)
		}
	}
}

// The result asks for usage, and is what it was but for that.
func FuzzSplice(f *testing.F) {
	for _, seed := range []string{
		`{"model":"m","stream":true,"messages":[{"content":"\"stream_options\":{}"}]}`,
		`{"stream":true,"stream_options":{"a":1}}`, `{"stream_options":null,"stream":true}`, `{"stream" :true }`,
	} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, body []byte, size int) {
		if size <= 0 {
			size = 1 - size%64
		}
		got, ok := ask(t, body, size)
		if !ok || !json.Valid(body) {
			return
		}
		var before, after map[string]any
		if err := json.Unmarshal(body, &before); err != nil {
			return // an array that holds one
		}
		if err := json.Unmarshal(got, &after); err != nil {
			t.Fatalf("%q became %q: %v", body, got, err)
		}
		options, _ := after["stream_options"].(map[string]any)
		if options["include_usage"] != true || after["stream"] != true {
			t.Fatalf("%q became %q, which does not ask for usage", body, got)
		}
		delete(options, "include_usage")
		if had, _ := before["stream_options"].(map[string]any); had == nil {
			delete(after, "stream_options")
			delete(before, "stream_options")
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Fatalf("%q became %q (-before +after):\n%s", body, got, diff)
		}
	})
}
