// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// operationType is the type of what a record is about, "" for none.
func operationType(r metering.Record) metering.OperationType {
	switch r := r.(type) {
	case *metering.Completion:
		return r.OperationType
	case *metering.Image:
		return r.OperationType
	case *metering.Audio:
		return r.OperationType
	case *metering.Video:
		return r.OperationType
	default:
		return ""
	}
}

// media returns a span of an operation without tokens.
func media(operation, model string, keysAndValues ...any) *span {
	return chat(append([]any{
		"gen_ai.operation.name", operation, "gen_ai.request.model", model, "gen_ai.response.model", nil,
		"gen_ai.usage.input_tokens", nil, "gen_ai.usage.output_tokens", nil,
	}, keysAndValues...)...)
}

// billedAs converts a span that must become a record of a kind.
func billedAs[R metering.Record](tb testing.TB, s convert.Span, opts ...convert.Option) (R, convert.Decision) {
	tb.Helper()
	d := decide(tb, s, opts...)
	r, ok := d.Record.(R)
	if !ok {
		tb.Fatalf("got %v (%s) with a record of %T, want one of %T", d.Kind, d.Reason, d.Record, r)
	}
	if _, _, err := metering.Freeze(r); err != nil {
		tb.Fatalf("record is not valid: %v", err)
	}
	return r, d
}

// units are the fields of a record that only its kind has.
func units(r metering.Record) metering.Record {
	switch r := r.(type) {
	case *metering.Image:
		i := *r
		i.Call = metering.Call{}
		return &i
	case *metering.Audio:
		a := *r
		a.Call = metering.Call{}
		return &a
	case *metering.Video:
		v := *r
		v.Call = metering.Call{}
		return &v
	default:
		return r
	}
}

func TestMedia(t *testing.T) {
	tests := map[string]struct {
		span    *span
		want    metering.Record
		subtype string
	}{
		"image": {
			span: media("image_generation", "dall-e-3", "revenium.image.count", 2, "revenium.image.requested_count", 3, "revenium.image.resolution", "1024x1024",
				"revenium.image.quality", "hd", "revenium.image.style", "vivid", "revenium.image.format", "url", "revenium.image.aspect_ratio", "1:1",
				"revenium.billing.unit", "per_image", "revenium.priority.tier", "high", "revenium.source_transaction.id", "t-1",
				"revenium.image.source_image_provided", true, "revenium.image.revised_prompt_provided", false),
			want: &metering.Image{
				ActualImageCount: 2, RequestedImageCount: new(int64(3)), BillingUnit: metering.BillingPerImage, Resolution: "1024x1024",
				Quality: "hd", Style: "vivid", Format: "url", AspectRatio: "1:1", PriorityTier: "high", SourceTransactionID: "t-1",
				SourceImageProvided: new(true), RevisedPromptProvided: new(false),
			},
			subtype: "generation",
		},
		"image by output type": {
			span:    media("generate_content", "gemini-3-image", "gen_ai.output.type", "image", "revenium.image.count", 1),
			want:    &metering.Image{ActualImageCount: 1, BillingUnit: metering.BillingPerImage},
			subtype: "generation",
		},
		"image by override": {
			span:    media("chat", "gpt-image-1", "revenium.operation.type", "IMAGE", "revenium.image.count", "4"),
			want:    &metering.Image{ActualImageCount: 4, BillingUnit: metering.BillingPerImage},
			subtype: "generation",
		},
		"edit, not counted": {
			span:    media("image_edit", "gpt-image-1", "gen_ai.request.choice.count", 3),
			want:    &metering.Image{ActualImageCount: 3, RequestedImageCount: new(int64(3)), BillingUnit: metering.BillingPerImage},
			subtype: "edit",
		},
		"speech": {
			span: media("speech", "tts-1", "revenium.audio.character_count", 420, "revenium.audio.voice", "alloy", "revenium.audio.format", "mp3",
				"revenium.audio.speed", 1.25, "revenium.audio.sample_rate", 24000, "revenium.audio.realtime", true, "revenium.audio.quality", "hd"),
			want: &metering.Audio{
				BillingUnit: metering.BillingPerCharacter, CharacterCount: new(int64(420)), Voice: "alloy", AudioFormat: "mp3", Speed: new(1.25), SampleRate: new(int64(24000)),
				IsRealtime: new(true), Quality: "hd",
			},
			subtype: "speech",
		},
		"transcription by time": {
			span: media("transcription", "whisper-1", "revenium.audio.duration", 61.5, "revenium.audio.language", "de", "revenium.audio.response_format", "vtt",
				"revenium.audio.source_language", "de", "revenium.audio.target_language", "en"),
			want: &metering.Audio{
				BillingUnit: metering.BillingPerMinute, DurationSeconds: new(61.5), Language: "de", ResponseFormat: "vtt", SourceLanguage: "de", TargetLanguage: "en",
			},
			subtype: "transcription",
		},
		"transcription by tokens": {
			span: media("transcription", "gpt-4o-transcribe", "revenium.billing.unit", "PER_TOKEN", "gen_ai.usage.input_tokens", 14, "gen_ai.usage.output_tokens", 101,
				"revenium.usage.input_audio_tokens", 10, "revenium.usage.output_audio_tokens", 0),
			want: &metering.Audio{
				BillingUnit: metering.BillingPerToken, InputTokenCount: new(int64(4)), InputAudioTokenCount: new(int64(10)),
				OutputTokenCount: new(int64(101)), OutputAudioTokenCount: new(int64(0)),
			},
			subtype: "transcription",
		},
		"video": {
			span: media("video_generation", "sora-2", "revenium.video.duration", 8, "revenium.video.requested_duration", 8.0, "revenium.video.resolution", "1080p",
				"revenium.video.job.id", "video_1", "revenium.video.async", true, "revenium.video.completion_status", "success", "revenium.video.fps", 24,
				"revenium.video.credits_consumed", 40, "revenium.video.credit_rate", 5, "revenium.billing.unit", "CREDITS"),
			want: &metering.Video{
				DurationSeconds: 8, RequestedDurationSeconds: new(8.0), Resolution: "1080p", VideoJobID: "video_1", AsyncOperation: new(true),
				CompletionStatus: metering.CompletionSuccess, FPS: new(int64(24)), CreditsConsumed: new(40.0), CreditRate: new(5.0),
				BillingUnit: metering.BillingCredits,
			},
			subtype: "generation",
		},
		"video by credits": {
			span:    media("video_generation", "gen4", "revenium.video.credits_consumed", 25),
			want:    &metering.Video{CreditsConsumed: new(25.0), BillingUnit: metering.BillingCredits},
			subtype: "generation",
		},
		"video, not measured": {
			span:    media("video_generation", "sora-2", "revenium.video.requested_duration", 4),
			want:    &metering.Video{DurationSeconds: 4, RequestedDurationSeconds: new(4.0), BillingUnit: metering.BillingPerSecond},
			subtype: "generation",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, d := billedAs[metering.Record](t, tt.span)
			if d.Reason != convert.ReasonMedia {
				t.Errorf("reason = %q", d.Reason)
			}
			if diff := cmp.Diff(tt.want, units(r)); diff != "" {
				t.Errorf("units (-want +got):\n%s", diff)
			}
			if got := subtypeOf(r); got != tt.subtype {
				t.Errorf("operation subtype = %q, want %q", got, tt.subtype)
			}
		})
	}
}

// A length below zero is none.
func TestMediaOfNegativeLength(t *testing.T) {
	for _, s := range []*span{
		media("transcription", "whisper-1", "revenium.audio.duration", -3.0),
		media("speech", "tts-1", "revenium.audio.character_count", -420),
		media("video_generation", "sora-2", "revenium.video.duration", "-8"),
		media("video_generation", "gen4", "revenium.video.credits_consumed", -25),
	} {
		if d := decide(t, s); d.Kind != convert.Skipped || d.Reason != convert.ReasonNoUsage {
			t.Errorf("%v: got %v (%s)", s.attrs, d.Kind, d.Reason)
		}
	}
}

func subtypeOf(r metering.Record) string {
	switch r := r.(type) {
	case *metering.Image:
		return r.OperationSubtype
	case *metering.Audio:
		return r.OperationSubtype
	case *metering.Video:
		return r.OperationSubtype
	default:
		return ""
	}
}

// A record of media has all that it shares with completions.
func TestMediaAttribution(t *testing.T) {
	s := media("image_generation", "dall-e-3", "revenium.image.count", 1, "revenium.organization.name", "Acme", "revenium.subscriber.email", "ada@example.com",
		"revenium.agent.name", "painter", "revenium.cost.total", 0.04, "revenium.operation.subtype", "poster", "gen_ai.tool.name", "brush")
	s.parent = [8]byte{7}
	s.resource = with("revenium.product.name", "cards")
	i, d := billedAs[*metering.Image](t, s, convert.WithSources())
	if i.Model != "dall-e-3" || i.Provider != "OpenAI" || i.OrganizationName != "Acme" || i.ProductName != "cards" || i.Subscriber.Email != "ada@example.com" ||
		i.Agent != "painter" || *i.TotalCost != 0.04 || i.OperationSubtype != "poster" || i.OperationType != metering.OperationImage {
		t.Errorf("record %+v", i)
	}
	if i.RequestDuration != 2000 || i.TransactionID == "" || i.ParentTransactionID == "" || i.TraceID == "" {
		t.Errorf("ids and times of %+v", i)
	}
	for _, want := range []string{"actualImageCount", "organizationName"} {
		if !hasSource(d, want) {
			t.Errorf("no source of %s in %v", want, d.Sources)
		}
	}
	if hasSource(d, "toolId") {
		t.Errorf("a source of what the record does not have: %v", d.Sources)
	}
}

func hasSource(d convert.Decision, field string) bool {
	for _, s := range d.Sources {
		if s.Field == field {
			return true
		}
	}
	return false
}

func TestImagesNotCounted(t *testing.T) {
	i, d := billedAs[*metering.Image](t, media("image_generation", "dall-e-3"))
	if i.ActualImageCount != 1 || len(d.Notes) != 1 || d.Notes[0].Field != "actualImageCount" || d.Notes[0].Action != convert.NoteGuessed {
		t.Errorf("count %d, notes %v", i.ActualImageCount, d.Notes)
	}
	if d := decide(t, media("image_generation", "dall-e-3", "revenium.usage.missing", true)); d.Reason != convert.ReasonNoUsage {
		t.Errorf("known to be unknown: got %v (%s)", d.Kind, d.Reason)
	}
	if d := decide(t, media("transcription", "whisper-1")); d.Kind != convert.Skipped || d.Reason != convert.ReasonNoUsage {
		t.Errorf("audio of which nothing is known: got %v (%s)", d.Kind, d.Reason)
	}
	a, _ := billedAs[*metering.Audio](t, media("transcription", "whisper-1"), convert.WithZeroUsage())
	if a.DurationSeconds == nil || *a.DurationSeconds != 0 || a.InputTokenCount != nil {
		t.Errorf("zero usage: %+v", a)
	}
	if d := decide(t, media("image_generation", " ")); d.Reason != convert.ReasonInvalidModel {
		t.Errorf("without a model: got %v (%s)", d.Kind, d.Reason)
	}
}

func TestFailedMedia(t *testing.T) {
	fail := func(s *span) *span {
		s.status, s.statusMessage = convert.StatusError, "400 no"
		s.attrs = append(s.attrs, with("error.type", "400")...)
		return s
	}
	i, d := billedAs[*metering.Image](t, fail(media("image_generation", "dall-e-3", "gen_ai.request.choice.count", 2)))
	if i.ActualImageCount != 0 || *i.RequestedImageCount != 2 || *i.ErrorCode != 400 || d.Reason != convert.ReasonError {
		t.Errorf("%s: %+v", d.Reason, i)
	}
	v, _ := billedAs[*metering.Video](t, fail(media("video_generation", "sora-2", "revenium.video.requested_duration", 4)))
	if v.DurationSeconds != 0 || v.CompletionStatus != metering.CompletionFailed {
		t.Errorf("video %+v", v)
	}
	i, d = billedAs[*metering.Image](t, fail(media("image_generation", "dall-e-3", "revenium.image.count", 1)))
	if i.ActualImageCount != 1 || d.Reason != convert.ReasonPartialUsage {
		t.Errorf("with an image: %s %+v", d.Reason, i)
	}
	// What the API wants to have is there, and can be sent.
	a, _ := billedAs[*metering.Audio](t, fail(media("transcription", "whisper-1")))
	if a.DurationSeconds == nil || *a.DurationSeconds != 0 || a.BillingUnit != metering.BillingPerMinute {
		t.Errorf("transcription %+v", a)
	}
	a, _ = billedAs[*metering.Audio](t, fail(media("speech", "tts-1")))
	if a.CharacterCount == nil || *a.CharacterCount != 0 || a.DurationSeconds != nil {
		t.Errorf("speech %+v", a)
	}
	v, _ = billedAs[*metering.Video](t, fail(media("video_generation", "sora-2", "revenium.video.duration", -8)))
	if _, _, err := metering.Freeze(v); err != nil || v.DurationSeconds != 0 {
		t.Errorf("video of negative length: %v, %+v", err, v)
	}
	// A repeated attempt is no failure.
	c := newConverter(t)
	first, second := fail(media("image_generation", "dall-e-3")), media("image_generation", "dall-e-3", "revenium.image.count", 1)
	first.attrs[len(first.attrs)-1].value = convert.StringValue("429")
	first.statusMessage = ""
	second.id, second.start, second.end = [8]byte{9}, first.end, first.end.Add(1)
	decisions := c.Flush(c.Convert(c.Convert(nil, first), second))
	if got := kinds(decisions); got != "held billed suppressed" && got != "held suppressed billed" {
		t.Errorf("got %s", got)
	}
}

// kinds are the kinds of decisions in order.
func kinds(decisions []convert.Decision) string {
	s := ""
	for i := range decisions {
		if i > 0 {
			s += " "
		}
		s += decisions[i].Kind.String()
	}
	return s
}

func TestMediaByToken(t *testing.T) {
	s := media("image_generation", "gpt-image-1", "revenium.image.count", 1, "revenium.billing.unit", "PER_TOKEN",
		"gen_ai.usage.input_tokens", 60, "gen_ai.usage.output_tokens", 1056)
	if i, _ := billedAs[*metering.Image](t, s); i.ActualImageCount != 1 || i.BillingUnit != metering.BillingPerToken {
		t.Errorf("by default: %+v", i)
	}
	c := bill(t, s, convert.WithMediaTokens())
	if c.OperationType != metering.OperationImage || c.InputTokenCount != 60 || c.OutputTokenCount != 1056 || c.OperationSubtype != "generation" {
		t.Errorf("with tokens: %+v", c)
	}
	if i, _ := billedAs[*metering.Image](t, media("image_generation", "gpt-image-1", "revenium.image.count", 1), convert.WithMediaTokens()); i.ActualImageCount != 1 {
		t.Errorf("by image: %+v", i)
	}
}

// Two instrumentations of one call of media make one record, two calls two.
func TestMediaTwins(t *testing.T) {
	outer := media("image_generation", "dall-e-3")
	inner := media("image_generation", "dall-e-3", "revenium.image.count", 1)
	inner.id, inner.parent, inner.scope = [8]byte{2}, outer.id, "example.com/http"
	inner.start, inner.end = outer.start.Add(1), outer.end.Add(-1)
	for name, order := range map[string][]*span{"inner first": {inner, outer}, "outer first": {outer, inner}} {
		c := newConverter(t)
		b := c.NewBatch()
		var decisions []convert.Decision
		for _, s := range order {
			decisions = b.Convert(decisions, s)
		}
		decisions = b.End(decisions)
		bills, suppressed := 0, 0
		for _, d := range decisions {
			switch d.Kind {
			case convert.Billed:
				bills++
				if d.SpanID != inner.id {
					t.Errorf("%s: the outer one bills", name)
				}
			case convert.Suppressed:
				suppressed++
			}
		}
		if bills != 1 || suppressed != 1 {
			t.Errorf("%s: billed %d, suppressed %d", name, bills, suppressed)
		}
	}
	// A chat in whose course an image is made is another call, whatever the model.
	wrapper := chat("gen_ai.request.model", "gpt-5", "gen_ai.response.model", nil)
	inner.attrs[2].value = convert.StringValue("gpt-5")
	c := newConverter(t)
	b := c.NewBatch()
	if got := kinds(b.End(b.Convert(b.Convert(nil, inner), wrapper))); got != "held held billed billed" {
		t.Errorf("image under a chat: %s", got)
	}
	// The usage of an agent is not that of an image beneath it.
	agent := chat("gen_ai.operation.name", "invoke_agent")
	c = newConverter(t)
	b = c.NewBatch()
	if got := kinds(c.Flush(b.End(b.Convert(b.Convert(nil, inner), agent)))); got != "held held billed billed" {
		t.Errorf("image under an agent: %s", got)
	}
}
