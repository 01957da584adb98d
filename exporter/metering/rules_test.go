// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNumbers(t *testing.T) {
	drop := func(field, reason string) []Change { return []Change{{field, Dropped, reason}} }
	for _, tc := range []struct {
		name string
		set  func(*Completion)
		want []Change
	}{
		{"temperature 0", func(c *Completion) { c.Temperature = new(0.0) }, nil},
		{"temperature 2", func(c *Completion) { c.Temperature = new(2.0) }, nil},
		{"temperature above", func(c *Completion) { c.Temperature = new(2.01) }, drop("temperature", "is not between 0 and 2")},
		{"temperature below", func(c *Completion) { c.Temperature = new(-0.01) }, drop("temperature", "is not between 0 and 2")},
		{"temperature NaN", func(c *Completion) { c.Temperature = new(math.NaN()) }, drop("temperature", reasonNotFinite)},
		{"quality 0", func(c *Completion) { c.ResponseQualityScore = new(0.0) }, nil},
		{"quality 1", func(c *Completion) { c.ResponseQualityScore = new(1.0) }, nil},
		{"quality above", func(c *Completion) { c.ResponseQualityScore = new(1.01) }, drop("responseQualityScore", "is not between 0 and 1")},
		{"quality Inf", func(c *Completion) { c.ResponseQualityScore = new(math.Inf(1)) }, drop("responseQualityScore", reasonNotFinite)},
		{"cost negative", func(c *Completion) { c.TotalCost = new(-0.01) }, drop("totalCost", reasonNegative)},
		{"cost absurd", func(c *Completion) { c.TotalCost = new(1e20) }, drop("totalCost", reasonAbsurd)},
		{"cost Inf", func(c *Completion) { c.InputTokenCost = new(math.Inf(-1)) }, drop("inputTokenCost", reasonNotFinite)},
		{"multiplier NaN", func(c *Completion) { c.CostMultiplier = new(math.NaN()) }, drop("costMultiplier", reasonNotFinite)},
		{"cache read negative", func(c *Completion) { c.CacheReadTokenCount = new(int64(-1)) }, drop("cacheReadTokenCount", reasonNegative)},
		{"cache read at 2^53", func(c *Completion) { c.CacheReadTokenCount = new(int64(1 << 53)) }, nil},
		{"cache read above 2^53", func(c *Completion) { c.CacheReadTokenCount = new(int64(1<<53 + 1)) }, drop("cacheReadTokenCount", reasonAbsurd)},
		{"reasoning rounded up", func(c *Completion) { c.ReasoningTokenCount = new(c.OutputTokenCount + 2) }, nil},
		{"reasoning above output", func(c *Completion) { c.ReasoningTokenCount = new(c.OutputTokenCount + 3) }, drop("reasoningTokenCount", "is above outputTokenCount, of which it is a part")},
		{"reasoning is all output", func(c *Completion) { c.ReasoningTokenCount = new(c.OutputTokenCount) }, nil},
		{"retry negative", func(c *Completion) { c.RetryNumber = new(int64(-1)) }, drop("retryNumber", reasonNegative)},
		{"retry above 32 bits", func(c *Completion) { c.RetryNumber = new(int64(1 << 31)) }, drop("retryNumber", reasonTooLarge)},
		{"retry of 32 bits", func(c *Completion) { c.RetryNumber = new(int64(1<<31 - 1)) }, nil},
		{"status 100", func(c *Completion) { c.ErrorCode = new(int64(100)) }, nil},
		{"status 599", func(c *Completion) { c.ErrorCode = new(int64(599)) }, nil},
		{"status 0", func(c *Completion) { c.ErrorCode = new(int64(0)) }, drop("errorCode", "is not an HTTP status")},
		{"status 600", func(c *Completion) { c.ErrorCode = new(int64(600)) }, drop("errorCode", "is not an HTTP status")},
		{"latency negative", func(c *Completion) { c.MediationLatency = new(int64(-5)) }, drop("mediationLatency", reasonNegative)},
		{"first token negative", func(c *Completion) { c.TimeToFirstToken = new(int64(-5)) }, drop("timeToFirstToken", reasonNegative)},
		{"first token at the end", func(c *Completion) {
			c.TimeToFirstToken, c.CompletionStartTime = new(int64(1500)), c.ResponseTime
		}, nil},
		{"first token after the end", func(c *Completion) { c.TimeToFirstToken = new(int64(1501)) }, drop("timeToFirstToken", "is above requestDuration")},
		{"prompt length negative", func(c *Completion) { c.PromptLength = new(int64(-5)) }, drop("promptLength", reasonNegative)},
	} {
		rec := typicalCompletion()
		tc.set(rec)
		f, changes := mustFreeze(t, rec)
		if diff := cmp.Diff(tc.want, changes); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
		for _, c := range tc.want {
			if _, sent := members(t, f.Body)[c.Field]; sent {
				t.Errorf("%s: %s is sent all the same", tc.name, c.Field)
			}
		}
	}
}

func TestMediaNumbers(t *testing.T) {
	audio := func(set func(*Audio)) Record { a := fullAudio().(*Audio); set(a); return a }
	video := func(set func(*Video)) Record { v := fullVideo().(*Video); set(v); return v }
	image := func(set func(*Image)) Record { i := fullImage().(*Image); set(i); return i }
	audioOf := func(subtype string) Record {
		a := &Audio{Call: minimalCall()}
		a.OperationSubtype = subtype
		return a
	}
	for _, tc := range []struct {
		field string
		rec   Record
		want  string // what is sent; "" nothing
	}{
		{"speed", audio(func(a *Audio) { a.Speed = new(0.25) }), "0.25"},
		{"speed", audio(func(a *Audio) { a.Speed = new(4.0) }), "4"},
		{"speed", audio(func(a *Audio) { a.Speed = new(0.24) }), ""},
		{"speed", audio(func(a *Audio) { a.Speed = new(4.1) }), ""},
		{"durationSeconds", audio(func(a *Audio) { a.DurationSeconds = new(-1.0) }), ""},
		{"characterCount", audio(func(a *Audio) { a.CharacterCount = new(int64(-1)) }), ""},
		{"sampleRate", audio(func(a *Audio) { a.SampleRate = new(int64(1 << 40)) }), ""},
		{"billingUnit", audio(func(a *Audio) { a.BillingUnit = BillingPerImage }), "PER_CHARACTER"},
		{"billingUnit", audio(func(a *Audio) { a.BillingUnit = ""; a.CharacterCount = nil }), "PER_MINUTE"},
		{"billingUnit", &Audio{Call: minimalCall(), OutputAudioTokenCount: new(int64(1))}, "PER_TOKEN"},
		{"billingUnit", &Audio{Call: minimalCall()}, "PER_MINUTE"},
		{"billingUnit", audioOf("tts"), "PER_CHARACTER"},
		{"billingUnit", audioOf("realtime"), "PER_TOKEN"},
		{"billingUnit", audioOf("transcription"), "PER_MINUTE"},
		{"billingUnit", audio(func(a *Audio) { a.BillingUnit = "per_second" }), "PER_SECOND"},
		{"billingUnit", video(func(v *Video) { v.BillingUnit = BillingPerMinute }), "PER_SECOND"},
		{"billingUnit", video(func(v *Video) { v.BillingUnit = "" }), "PER_SECOND"},
		{"completionStatus", video(func(v *Video) { v.CompletionStatus = "DONE" }), ""},
		{"fps", video(func(v *Video) { v.FPS = new(int64(-1)) }), ""},
		{"billingUnit", image(func(i *Image) { i.BillingUnit = "PER_PIXEL" }), "PER_IMAGE"},
		{"billingUnit", image(func(i *Image) { i.BillingUnit = BillingCredits }), "CREDITS"},
		{"requestedImageCount", image(func(i *Image) { i.RequestedImageCount = new(int64(-1)) }), ""},
		{"skipReason", image(func(i *Image) { i.SkipReason = SkipInternalTest }), "INTERNAL_TEST"},
		{"skipReason", image(func(i *Image) { i.SkipReason = SkipQuotaExceeded }), ""},
	} {
		if got := field(t, tc.rec, tc.field); got != tc.want {
			t.Errorf("%T %s = %q, want %q", tc.rec, tc.field, got, tc.want)
		}
	}
}

func TestTimes(t *testing.T) {
	at := func(ms int) Timestamp { return Timestamp{testStart.Add(time.Duration(ms) * time.Millisecond)} }
	for _, tc := range []struct {
		name                               string
		set                                func(*Completion)
		wantResponse, wantFirst, wantTotal string
		changed                            []string
	}{
		{"as it should be", func(*Completion) {}, "28.035Z", "26.847Z", "1500", nil},
		{"ends before it starts", func(c *Completion) {
			c.ResponseTime, c.CompletionStartTime, c.TimeToFirstToken = at(-10), Timestamp{}, nil
			c.RequestDuration = -10
		}, "26.535Z", "26.535Z", "0", []string{"responseTime", "requestDuration"}},
		{"duration unset", func(c *Completion) { c.RequestDuration = 0 }, "28.035Z", "26.847Z", "1500", []string{"requestDuration"}},
		{"duration in seconds", func(c *Completion) { c.RequestDuration = 2 }, "28.035Z", "26.847Z", "1500", []string{"requestDuration"}},
		{"duration rounded", func(c *Completion) { c.RequestDuration = 1501 }, "28.035Z", "26.847Z", "1501", nil},
		{"duration negative", func(c *Completion) { c.RequestDuration = -1 }, "28.035Z", "26.847Z", "1500", []string{"requestDuration"}},
		{"starts in 1970", func(c *Completion) { c.RequestTime = Timestamp{time.Unix(0, 0)} }, "28.035Z", "28.035Z", "0", []string{
			"requestTime", "requestDuration", "timeToFirstToken", "completionStartTime",
		}},
		{"ends in 1970", func(c *Completion) {
			c.ResponseTime, c.CompletionStartTime, c.TimeToFirstToken = Timestamp{time.Unix(0, 0)}, Timestamp{}, nil
		}, "26.535Z", "26.535Z", "0", []string{"responseTime", "requestDuration"}},
		{"first token before what was measured", func(c *Completion) { c.CompletionStartTime = at(100) }, "28.035Z", "26.847Z", "1500", []string{"completionStartTime"}},
		{"first token rounded", func(c *Completion) { c.CompletionStartTime = at(311) }, "28.035Z", "26.846Z", "1500", nil},
		{"measured to the end, rounded", func(c *Completion) {
			c.RequestDuration, c.TimeToFirstToken, c.CompletionStartTime = 1501, new(int64(1501)), Timestamp{}
		}, "28.035Z", "28.035Z", "1501", nil},
		{"first token before", func(c *Completion) { c.CompletionStartTime, c.TimeToFirstToken = at(-1), nil }, "28.035Z", "26.535Z", "1500", []string{"completionStartTime"}},
		{"first token after", func(c *Completion) { c.CompletionStartTime, c.TimeToFirstToken = at(1501), nil }, "28.035Z", "28.035Z", "1500", []string{"completionStartTime"}},
		{"first token unset, but measured", func(c *Completion) {
			c.CompletionStartTime, c.TimeToFirstToken = Timestamp{}, new(int64(100))
		}, "28.035Z", "26.635Z", "1500", nil},
		{"first token unset", func(c *Completion) {
			c.CompletionStartTime, c.TimeToFirstToken = Timestamp{}, nil
		}, "28.035Z", "28.035Z", "1500", nil},
	} {
		rec := typicalCompletion()
		tc.set(rec)
		_, changes := mustFreeze(t, rec)
		var changed []string
		for _, c := range changes {
			changed = append(changed, c.Field)
		}
		if diff := cmp.Diff(tc.changed, changed); diff != "" {
			t.Errorf("%s: changed (-want +got):\n%s", tc.name, diff)
		}
		const minute = "2026-03-14T15:09:"
		got := []string{field(t, rec, "responseTime"), field(t, rec, "completionStartTime"), field(t, rec, "requestDuration")}
		want := []string{minute + tc.wantResponse, minute + tc.wantFirst, tc.wantTotal}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: response, first token, duration (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestTokenSums(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	for _, tc := range []struct {
		name                   string
		total                  int64
		all, fiveMin, hour     *int64
		wantAll, want5, wantHr string
		wantTotal              string
		changes                int
	}{
		{"consistent", 1801, n(10), n(4), n(6), "10", "4", "6", "1801", 0},
		{"parts below the whole", 1801, n(10), n(4), nil, "10", "4", "", "1801", 0},
		{"parts above the whole", 1801, n(10), n(5), n(6), "10", "", "", "1801", 2},
		{"one part above the whole", 1801, n(10), nil, n(11), "10", "", "", "1801", 1},
		{"whole missing", 1801, nil, n(4), n(6), "10", "4", "6", "1801", 1},
		{"whole negative", 1801, n(-1), n(4), nil, "4", "4", "", "1801", 2},
		{"parts beyond all reason", 1801, nil, n(1 << 53), n(1), "", "", "", "1801", 2},
		{"total unset", 0, nil, nil, nil, "", "", "", "1801", 0},
		{"total below a part", 1233, nil, nil, nil, "", "", "", "1801", 1},
		{"total of the larger part", 1234, nil, nil, nil, "", "", "", "1234", 0},
		{"total of the provider", 5000, nil, nil, nil, "", "", "", "5000", 0},
	} {
		rec := typicalCompletion()
		rec.TotalTokenCount = tc.total
		rec.CacheCreationTokenCount, rec.CacheCreation5mTokenCount, rec.CacheCreation1hTokenCount = tc.all, tc.fiveMin, tc.hour
		_, changes := mustFreeze(t, rec)
		if len(changes) != tc.changes {
			t.Errorf("%s: %d changes, want %d: %v", tc.name, len(changes), tc.changes, changes)
		}
		got := []string{
			field(t, rec, "cacheCreationTokenCount"), field(t, rec, "cacheCreation5mTokenCount"),
			field(t, rec, "cacheCreation1hTokenCount"), field(t, rec, "totalTokenCount"),
		}
		if diff := cmp.Diff([]string{tc.wantAll, tc.want5, tc.wantHr, tc.wantTotal}, got); diff != "" {
			t.Errorf("%s: all, 5m, 1h, total (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestInvalidRecords(t *testing.T) {
	completion := func(set func(*Completion)) Record { c := typicalCompletion(); set(c); return c }
	for _, tc := range []struct {
		name string
		rec  Record
		want []Problem
	}{
		{"nil", nil, []Problem{{"", "is nil"}}},
		{"nil completion", (*Completion)(nil), []Problem{{"", "is nil"}}},
		{"nil tool event", (*ToolEvent)(nil), []Problem{{"", "is nil"}}},
		{"empty completion", &Completion{}, []Problem{
			{"model", reasonBlank},
			{"provider", reasonBlank},
			{"transactionId", reasonBlank},
			{"requestTime", reasonMissing},
			{"responseTime", reasonMissing},
		}},
		{"empty tool event", &ToolEvent{}, []Problem{
			{"toolId", reasonBlank}, {"transactionId", reasonBlank}, {"timestamp", reasonMissing},
		}},
		{"blank model", completion(func(c *Completion) { c.Model = " \n" }), []Problem{{"model", reasonBlank}}},
		{"negative input", completion(func(c *Completion) { c.InputTokenCount = -1 }), []Problem{{"inputTokenCount", reasonNegative}}},
		{"absurd output", completion(func(c *Completion) { c.OutputTokenCount = 1<<53 + 1 }), []Problem{{"outputTokenCount", reasonAbsurd}}},
		{"absurd total", completion(func(c *Completion) { c.TotalTokenCount = math.MaxInt64 }), []Problem{{"totalTokenCount", reasonAbsurd}}},
		{"no plausible time", completion(func(c *Completion) {
			c.RequestTime, c.ResponseTime = Timestamp{time.Unix(0, 0)}, Timestamp{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}
		}), []Problem{{"requestTime", reasonImplausible}, {"responseTime", reasonImplausible}}},
		{"one time missing, one not plausible", completion(func(c *Completion) {
			c.RequestTime, c.ResponseTime = Timestamp{}, Timestamp{time.Unix(0, 0)}
		}), []Problem{{"requestTime", reasonMissing}}},
		{"tool event in 1970", &ToolEvent{ToolID: "t", TransactionID: "x", Timestamp: Timestamp{time.Unix(0, 0)}}, []Problem{
			{"timestamp", reasonImplausible},
		}},
		{"video without end", &Video{Call: minimalCall(), DurationSeconds: 1e300}, []Problem{{"durationSeconds", reasonAbsurd}}},
		{"negative images", &Image{Call: minimalCall(), ActualImageCount: -1}, []Problem{{"actualImageCount", reasonNegative}}},
		{"absurd images", &Image{Call: minimalCall(), ActualImageCount: 1 << 31}, []Problem{{"actualImageCount", reasonTooLarge}}},
		{"video NaN", &Video{Call: minimalCall(), DurationSeconds: math.NaN()}, []Problem{{"durationSeconds", reasonNotFinite}}},
		{"video negative", &Video{Call: minimalCall(), DurationSeconds: -1}, []Problem{{"durationSeconds", reasonNegative}}},
	} {
		f, _, err := Freeze(tc.rec)
		var invalid *InvalidRecordError
		if !errors.As(err, &invalid) {
			t.Errorf("%s: error %v, want an InvalidRecordError", tc.name, err)
			continue
		}
		if diff := cmp.Diff(tc.want, invalid.Problems); diff != "" {
			t.Errorf("%s: problems (-want +got):\n%s", tc.name, diff)
		}
		if f.Body != nil || f.TransactionID != "" {
			t.Errorf("%s: something was frozen: %v", tc.name, f)
		}
	}
	_, _, err := Freeze(&ToolEvent{TransactionID: "x"})
	want := "metering: invalid record for /meter/v2/tool/events: toolId is blank; timestamp is missing"
	if err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}
