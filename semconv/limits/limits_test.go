// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package limits_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/revenium/revenium-otel-go/semconv/limits"
)

func TestValid(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	for name, tt := range map[string]struct {
		valid     func(string) bool
		good, bad []string
	}{
		"ValidTraceType": {
			valid: limits.ValidTraceType,
			good:  []string{"a", "Z", "0", "_", "-", "customer-support_2", a(128)},
			bad:   []string{"", " ", "a b", "a.b", "a/b", "ä", "a\n", "a\x00", "[", "`", "@", "{", ":", "/", a(129)},
		},
		"ValidEffort": {
			valid: limits.ValidEffort,
			good:  []string{"low", "HIGH", "x-high_1", "-", a(16)},
			bad:   []string{"", "very high", "höher", "low.", a(17)},
		},
		"ValidAgenticJobID": {
			valid: limits.ValidAgenticJobID,
			good: []string{
				"a", "9", "A.b_c-d", "job..", a(255),
				// Only the words themselves are reserved.
				"Types", "type", "types2", "types.", "conversion-funnels", "Conversion-Funnel", "conversion_funnel",
			},
			bad: []string{"", "types", "conversion-funnel", ".a", "_a", "-a", "a b", "a/b", "jöb", "a\n", a(256)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range tt.good {
				if !tt.valid(s) {
					t.Errorf("%q is refused", s)
				}
			}
			for _, s := range tt.bad {
				if tt.valid(s) {
					t.Errorf("%q is accepted", s)
				}
			}
		})
	}
}

// TestValidAgreesWithPattern compares the functions with the regular expressions
// of the model on random texts, most of which are near the border.
func TestValidAgreesWithPattern(t *testing.T) {
	reserved := func(s string) bool { return s == "types" || s == "conversion-funnel" }
	for name, tt := range map[string]struct {
		valid   func(string) bool
		pattern string
		length  int
		except  func(string) bool
	}{
		"traceType":    {limits.ValidTraceType, limits.TraceTypePattern, limits.TraceTypeMaxLen, nil},
		"effort":       {limits.ValidEffort, limits.EffortPattern, limits.EffortMaxLen, nil},
		"agenticJobId": {limits.ValidAgenticJobID, limits.AgenticJobIDPattern, 255, reserved},
	} {
		t.Run(name, func(t *testing.T) {
			pattern := regexp.MustCompile(tt.pattern)
			random := rand.New(rand.NewPCG(1, 2))
			const letters = "abzAZ019_-..-_"
			accepted := 0
			for range 20_000 {
				b := make([]byte, random.IntN(tt.length+2))
				for i := range b {
					b[i] = letters[random.IntN(len(letters))]
				}
				if len(b) > 0 && random.IntN(2) == 0 {
					b[random.IntN(len(b))] = byte(random.IntN(256))
				}
				s := string(b)
				want := pattern.MatchString(s) && utf8.RuneCountInString(s) <= tt.length
				if tt.except != nil && tt.except(s) {
					want = false
				}
				if got := tt.valid(s); got != want {
					t.Fatalf("valid(%q) = %t, the pattern says %t", s, got, want)
				}
				if want {
					accepted++
				}
			}
			if accepted < 100 {
				t.Errorf("only %d of the texts were valid: the test shows little", accepted)
			}
		})
	}
}

func TestTruncate(t *testing.T) {
	for _, tt := range []struct {
		name  string
		s     string
		limit int
		want  string
	}{
		{"empty", "", 3, ""},
		{"shorter", "ab", 3, "ab"},
		{"equal", "abc", 3, "abc"},
		{"longer", "abcd", 3, "abc"},
		{"zero", "abc", 0, ""},
		{"negative", "abc", -1, ""},
		{"two bytes a character, equal", "äöü", 3, "äöü"},
		{"two bytes a character, longer", "äöüß", 3, "äöü"},
		{"four bytes a character", "😀😀😀", 2, "😀😀"},
		{"mixed", "a😀ä", 2, "a😀"},
		{"invalid bytes count one each", "\xff\xfe\xfd", 2, "\xff\xfe"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := limits.Truncate(tt.s, tt.limit); got != tt.want {
				t.Errorf("Truncate(%q, %d) = %q, want %q", tt.s, tt.limit, got, tt.want)
			}
		})
	}
}

func FuzzTruncate(f *testing.F) {
	f.Add("abc", 2)
	f.Add("äöü", 2)
	f.Add("\xff😀", 1)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := limits.Truncate(s, limit)
		if !strings.HasPrefix(s, got) {
			t.Fatalf("Truncate(%q, %d) = %q is not the beginning of it", s, limit, got)
		}
		want := min(max(limit, 0), utf8.RuneCountInString(s))
		if n := utf8.RuneCountInString(got); n != want {
			t.Fatalf("Truncate(%q, %d) has %d characters, want %d", s, limit, n, want)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Fatalf("Truncate(%q, %d) = %q cuts within a character", s, limit, got)
		}
	})
}

func BenchmarkTruncate(b *testing.B) {
	s := strings.Repeat("ä", 300)
	b.ReportAllocs()
	for b.Loop() {
		_ = limits.Truncate(s, limits.TraceNameMaxLen)
	}
}

func BenchmarkValidAgenticJobID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = limits.ValidAgenticJobID("invoice-run-2026-10")
	}
}
