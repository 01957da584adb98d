// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package limits_test

import (
	"math"
	"strings"
	"testing"

	"github.com/revenium/revenium-otel-go/semconv/limits"
)

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		field     string
		text      string
		good, bad []string
	}{
		{"organizationName", "", []string{strings.Repeat("x", 5000)}, nil},
		{"nonsense", "", []string{"x"}, nil},
		{"taskType", "at most 255 characters", []string{strings.Repeat("ä", 255)}, []string{strings.Repeat("ä", 256)}},
		{"traceType", "at most 128 characters, matching ^[A-Za-z0-9_-]+$", []string{"a-b"}, []string{"a b"}},
		{
			"agenticJobId", "matching ^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$, not types or conversion-funnel",
			[]string{"job-1"},
			[]string{"types", "-", "a b"},
		},
		{"skillSource", "one of bundled, projectSettings, userSettings, plugin", []string{"plugin"}, []string{"Plugin", ""}},
		// Of the record of a completion; audio has another field of this name.
		{"speed", "at most 16 characters", []string{"fast"}, []string{strings.Repeat("x", 17)}},
	} {
		limit := limits.Of(tt.field)
		if got := limit.String(); got != tt.text {
			t.Errorf("%s: %q, want %q", tt.field, got, tt.text)
		}
		for _, s := range tt.good {
			if !limit.AcceptsText(s) {
				t.Errorf("%s: %q is refused", tt.field, s)
			}
		}
		for _, s := range tt.bad {
			if limit.AcceptsText(s) {
				t.Errorf("%s: %q is accepted", tt.field, s)
			}
		}
	}
}

func TestOfNumbers(t *testing.T) {
	for _, tt := range []struct {
		field     string
		text      string
		good, bad []float64
	}{
		{"responseQualityScore", "0 to 1", []float64{0, 0.5, 1}, []float64{-0.1, 1.1, math.NaN(), math.Inf(1)}},
		{"retryNumber", "at least 0", []float64{0, 7}, []float64{-1, math.NaN()}},
		{"totalTokenCount", "at least 0", []float64{0, math.Inf(1)}, []float64{-1}},
		{"organizationName", "", []float64{-1}, nil},
	} {
		limit := limits.Of(tt.field)
		if got := limit.String(); got != tt.text {
			t.Errorf("%s: %q, want %q", tt.field, got, tt.text)
		}
		for _, n := range tt.good {
			if !limit.AcceptsNumber(n) {
				t.Errorf("%s: %v is refused", tt.field, n)
			}
		}
		for _, n := range tt.bad {
			if limit.AcceptsNumber(n) {
				t.Errorf("%s: %v is accepted", tt.field, n)
			}
		}
	}
	if got := (limits.Limit{Max: new(2.5)}).String(); got != "at most 2.5" {
		t.Errorf("only an upper bound: %q", got)
	}
}
