// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// unescapeIn decodes the inside of a JSON string in pieces.
func unescapeIn(text string, size int) string {
	var u unescaper
	u.reset()
	var out strings.Builder
	for piece := range chunks([]byte(text), size) {
		out.Write(u.decode(piece))
	}
	return out.String()
}

func TestUnescape(t *testing.T) {
	for text, want := range map[string]string{
		``:                                     "",
		`plain`:                                "plain",
		`a\"\\\/\b\f\n\r\tz`:                   "a\"\\/\b\f\n\r\tz",
		`\u00e9\u20AC`:                         "é€",
		`\ud83d\ude00!`:                        "😀!",
		`\ud83d!`:                              "\ufffd!",
		`\ud83d\n`:                             "\ufffd\n",
		`\ud83d\ud83d\ude00`:                   "\ufffd😀",
		`\ude00`:                               "\ufffd",
		`\uzzzz`:                               "\ufffd",
		strings.Repeat(`\u003d`, 300) + "AAAA": strings.Repeat("=", 300) + "AAAA",
	} {
		for _, size := range []int{1, 2, 5, 1 << 20} {
			if got := unescapeIn(text, size); got != want {
				t.Errorf("%s in pieces of %d: %q, want %q", text, size, got, want)
			}
		}
	}
}

func FuzzUnescape(f *testing.F) {
	f.Add(`a\"\u00e9\ud83d\ude00\\`, 2)
	f.Fuzz(func(t *testing.T, text string, size int) {
		size = 1 + (size%16+16)%16
		got := unescapeIn(text, size)
		var want string
		if !utf8.ValidString(text) || json.Unmarshal([]byte(`"`+text+`"`), &want) != nil {
			return // no JSON string; it is enough that nothing breaks
		}
		// encoding/json writes half a pair at the end as well.
		if got != want && !strings.HasSuffix(want, "\ufffd") {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	})
}
