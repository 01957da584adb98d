// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

func TestParseFault(t *testing.T) {
	tests := map[string]struct {
		want reveniumtest.Fault
		err  string
		text string // as described; "" = the words themselves
	}{
		"latency 300ms":       {want: reveniumtest.Fault{Kind: reveniumtest.FaultLatency, Latency: 300 * time.Millisecond}},
		"latency 2s 5":        {want: reveniumtest.Fault{Kind: reveniumtest.FaultLatency, Latency: 2 * time.Second, Times: 5}},
		"status 503":          {want: reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: 503}},
		"status 503 10":       {want: reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: 503, Times: 10}},
		"status 429 2 5s":     {want: reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: 429, Times: 2, RetryAfter: 5 * time.Second}},
		"status 429 5s":       {want: reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: 429, RetryAfter: 5 * time.Second}},
		"hang":                {want: reveniumtest.Fault{Kind: reveniumtest.FaultHang}},
		"reset 3":             {want: reveniumtest.Fault{Kind: reveniumtest.FaultReset, Times: 3}},
		"drop 1":              {want: reveniumtest.Fault{Kind: reveniumtest.FaultDropAfterStore, Times: 1}},
		"unauthorized":        {want: reveniumtest.Fault{Kind: reveniumtest.FaultUnauthorized}},
		"  rate-limit   20  ": {want: reveniumtest.Fault{Kind: reveniumtest.FaultRateLimit, PerSecond: 20, RetryAfter: time.Second}, text: "rate-limit 20"},

		"":                  {err: "which fault?"},
		"rain":              {err: `unknown fault "rain"`},
		"latency":           {err: "DURATION is missing"},
		"latency soon":      {err: `DURATION is "soon": want a duration such as 200ms`},
		"latency -1s":       {err: "needs a latency"},
		"status":            {err: "CODE is missing"},
		"status ok":         {err: `CODE is "ok": want a whole number`},
		"status 99":         {err: "status 99 is not between 200 and 599"},
		"status 503 0":      {err: "TIMES is 0: want 1 or more"},
		"status 503 2 soon": {err: `RETRY is "soon"`},
		"reset 3 please":    {err: `"please" is too much`},
		"hang 3":            {err: `"3" is too much`},
		"rate-limit 0":      {err: "needs a number of requests per second"},
	}
	for text, tt := range tests {
		t.Run(text, func(t *testing.T) {
			got, err := ParseFault(text)
			if !checkError(t, err, tt.err) {
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("fault (-want +got):\n%s", diff)
			}
			want := tt.text
			if want == "" {
				want = text
			}
			if described := describeFault(got); described != want {
				t.Errorf("described as %q, want %q", described, want)
			}
		})
	}
}

// checkError reports whether the call was to succeed and did.
func checkError(t *testing.T, err error, want string) bool {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("unexpected error: %v", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v, want one with %q", err, want)
	}
	return want == "" && err == nil
}

func TestParseMishap(t *testing.T) {
	tests := map[string]struct {
		want []llmtest.Answer
		err  string
	}{
		"status 500":      {want: []llmtest.Answer{llmtest.Fail(500)}},
		"status 429 2 1s": {want: []llmtest.Answer{{Error: &llmtest.Error{Status: 429}, RetryAfter: time.Second}, {Error: &llmtest.Error{Status: 429}, RetryAfter: time.Second}}},
		"delay 1s":        {want: []llmtest.Answer{{Delay: time.Second}}},
		"slow 50ms":       {want: []llmtest.Answer{{Stream: llmtest.Stream{Delay: 50 * time.Millisecond}}}},
		"cut":             {want: []llmtest.Answer{{Cut: true, Stream: llmtest.Stream{End: llmtest.EndCut, After: cutAfter}}}},
		"reset":           {want: []llmtest.Answer{{Reset: true}}},
		"no-usage":        {want: []llmtest.Answer{{OmitUsage: true, Stream: llmtest.Stream{Usage: llmtest.UsageNever}}}},

		"":               {err: "which mishap?"},
		"fire":           {err: `unknown mishap "fire"`},
		"status":         {err: "CODE is missing"},
		"status 200":     {err: "want 400 to 599"},
		"delay":          {err: "DURATION is missing"},
		"cut off":        {err: `"off" is too much`},
		"reset 99999999": {err: "want at most 100000"},
	}
	for text, tt := range tests {
		t.Run(text, func(t *testing.T) {
			got, err := parseMishap(text)
			if !checkError(t, err, tt.err) {
				return
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
		})
	}
}
