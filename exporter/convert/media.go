// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"reflect"
	"strings"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv"
)

// WithMediaTokens makes completions of calls that yielded images or video and are
// billed by the token, as revenium.billing.unit says: their own records have no
// place for tokens. It is what always becomes of those of which only tokens are
// known.
func WithMediaTokens() Option {
	return optionFunc(func(cfg config) config {
		cfg.mediaTokens = true
		return cfg
	})
}

// recordKinds are kinds of records, one or several.
type recordKinds uint8

const (
	inCompletion recordKinds = 1 << iota
	inImage
	inAudio
	inVideo
	inTool
	inAll recordKinds = 1<<iota - 1
)

// recordOf is the kind of record that operations of a type have.
func recordOf(t metering.OperationType) recordKinds {
	switch t {
	case metering.OperationImage:
		return inImage
	case metering.OperationAudio:
		return inAudio
	case metering.OperationVideo:
		return inVideo
	default:
		return inCompletion
	}
}

// newRecord returns what a record of a kind has besides a completion's fields; nil
// for a completion.
func newRecord(kind recordKinds) metering.Record {
	switch kind {
	case inImage:
		return &metering.Image{}
	case inAudio:
		return &metering.Audio{}
	case inVideo:
		return &metering.Video{}
	case inTool:
		return &metering.ToolEvent{}
	default:
		return nil
	}
}

// recordName is how the names of a kind's own fields begin in the tables.
func recordName(kind recordKinds) string {
	switch kind {
	case inImage:
		return "image:"
	case inAudio:
		return "audio:"
	case inVideo:
		return "video:"
	default:
		return "tool:"
	}
}

// sharedBy returns the kinds of records that have a field of completions.
func sharedBy(name string) recordKinds {
	kinds := inCompletion
	if strings.HasPrefix(name, subscriberField+".") || callFields()[name] {
		kinds |= inImage | inAudio | inVideo
	}
	switch name {
	case "agent", "agenticJobId", "organizationName", "productName", "traceId", "transactionId", "totalCost",
		"subscriber.credential.name", "subscriber.credential.value":
		kinds |= inTool
	}
	return kinds
}

// callFields are the names of the fields that completions and media share.
func callFields() map[string]bool {
	names := make(map[string]bool)
	for _, f := range reflect.VisibleFields(reflect.TypeFor[metering.Call]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names[name] = true
	}
	return names
}

// ownFields adds the fields that only records of media and tools have. Some share
// their attributes.
func (a *attribution) ownFields() {
	byKey := make(map[string]field)
	for _, of := range [...]struct {
		kind   recordKinds
		record semconv.Record
	}{{inImage, semconv.RecordImage}, {inAudio, semconv.RecordAudio}, {inVideo, semconv.RecordVideo}, {inTool, semconv.RecordTool}} {
		for _, f := range semconv.RecordFields(of.record) {
			typ, ok := typeOf(ownField(newRecord(of.kind), f.Name))
			if !ok {
				continue
			}
			key := string(f.Key)
			at, known := byKey[key]
			if !known {
				at = numCoreFields + field(len(a.fields))
				byKey[key] = at
				a.fields = append(a.fields, attributionField{
					name: f.Name, typ: typ, set: setOwn(f.Name), keys: keysOfField(&f, false),
					resource: f.ResourceLevel, request: f.RequestLevel,
				})
			}
			a.fields[at-numCoreFields].records |= of.kind
			a.byName[recordName(of.kind)+f.Name] = at
		}
	}
}

// typeOf is the type of the values that a member of a record takes.
func typeOf(member any) (valueType, bool) {
	switch member.(type) {
	case *string, *metering.BillingUnit, *metering.CompletionStatus:
		return typeText, true
	case *int64, **int64:
		return typeCount, true
	case *float64, **float64:
		return typeNumber, true
	case **bool:
		return typeFlag, true
	default:
		return 0, false
	}
}

// setOwn is the setter of a field that not all records have.
func setOwn(name string) setter {
	return func(b *block, f *fact) bool {
		switch at := ownField(b.own, name).(type) {
		case *string:
			*at = f.text
		case *metering.BillingUnit:
			return setWord(at, f.text, metering.BillingUnit.Valid)
		case *metering.CompletionStatus:
			return setWord(at, f.text, metering.CompletionStatus.Valid)
		case *int64:
			*at = f.num
		case **int64:
			*at = b.integer(f.num)
		case *float64:
			*at = f.float()
		case **float64:
			*at = b.float(f.float())
		case **bool:
			v := f.num != 0
			*at = &v
		}
		return true
	}
}

// setWord sets a word of a list, in whatever case it is written.
func setWord[W ~string](at *W, text string, valid func(W) bool) bool {
	word := W(strings.ToUpper(strings.TrimSpace(text)))
	if !valid(word) {
		return false
	}
	*at = word
	return true
}

// ownField returns the place of a field that not all records have; nil for one that
// the record does not have.
func ownField(r metering.Record, name string) any {
	switch r := r.(type) {
	case *metering.Image:
		return imageField(r, name)
	case *metering.Audio:
		return audioField(r, name)
	case *metering.Video:
		return videoField(r, name)
	case *metering.ToolEvent:
		return toolField(r, name)
	default:
		return nil
	}
}

func imageField(i *metering.Image, name string) any {
	switch name {
	case "actualImageCount":
		return &i.ActualImageCount
	case "requestedImageCount":
		return &i.RequestedImageCount
	case "billingUnit":
		return &i.BillingUnit
	case "resolution":
		return &i.Resolution
	case "aspectRatio":
		return &i.AspectRatio
	case "quality":
		return &i.Quality
	case "style":
		return &i.Style
	case "format":
		return &i.Format
	case "revisedPromptProvided":
		return &i.RevisedPromptProvided
	case "sourceImageProvided":
		return &i.SourceImageProvided
	case "sourceTransactionId":
		return &i.SourceTransactionID
	case "priorityTier":
		return &i.PriorityTier
	default:
		return nil
	}
}

func audioField(a *metering.Audio, name string) any {
	switch name {
	case "durationSeconds":
		return &a.DurationSeconds
	case "characterCount":
		return &a.CharacterCount
	case "inputAudioTokenCount":
		return &a.InputAudioTokenCount
	case "outputAudioTokenCount":
		return &a.OutputAudioTokenCount
	case "billingUnit":
		return &a.BillingUnit
	case "language":
		return &a.Language
	case "sourceLanguage":
		return &a.SourceLanguage
	case "targetLanguage":
		return &a.TargetLanguage
	case "voice":
		return &a.Voice
	case "audioFormat":
		return &a.AudioFormat
	case "quality":
		return &a.Quality
	case "responseFormat":
		return &a.ResponseFormat
	case "speed":
		return &a.Speed
	case "sampleRate":
		return &a.SampleRate
	case "isRealtime":
		return &a.IsRealtime
	default:
		return nil
	}
}

func videoField(v *metering.Video, name string) any {
	switch name {
	case "durationSeconds":
		return &v.DurationSeconds
	case "requestedDurationSeconds":
		return &v.RequestedDurationSeconds
	case "billingUnit":
		return &v.BillingUnit
	case "creditsConsumed":
		return &v.CreditsConsumed
	case "creditRate":
		return &v.CreditRate
	case "fps":
		return &v.FPS
	case "resolution":
		return &v.Resolution
	case "videoJobId":
		return &v.VideoJobID
	case "asyncOperation":
		return &v.AsyncOperation
	case "completionStatus":
		return &v.CompletionStatus
	case "sourceTransactionId":
		return &v.SourceTransactionID
	case "priorityTier":
		return &v.PriorityTier
	default:
		return nil
	}
}

// mediaFields are the fields by which it is known what a call of media yielded.
type mediaFields struct {
	operation                     field
	images, imagesRequested       field
	characters, seconds           field
	audioInput, audioOutput       field
	length, lengthRequested, cost field
	unit                          field
}

func newMediaFields(byName map[string]field) mediaFields {
	return mediaFields{
		operation: byName["operationType"],
		images:    byName["image:actualImageCount"], imagesRequested: byName["image:requestedImageCount"],
		characters: byName["audio:characterCount"], seconds: byName["audio:durationSeconds"],
		audioInput: byName["audio:inputAudioTokenCount"], audioOutput: byName["audio:outputAudioTokenCount"],
		length: byName["video:durationSeconds"], lengthRequested: byName["video:requestedDurationSeconds"],
		cost: byName["video:creditsConsumed"], unit: byName["image:billingUnit"],
	}
}

// byToken reports whether a call of images or video becomes a completion: tokens
// are what it is billed by, or all that is known.
func (w *work) byToken(t *tokens) bool {
	if w.record&(inImage|inVideo) == 0 || !t.known() {
		return false
	}
	unit := w.extract.text(w.c.media.unit)
	return w.c.cfg.mediaTokens && strings.EqualFold(strings.TrimSpace(unit), string(metering.BillingPerToken)) ||
		!w.measured(t) && !w.asAsked()
}

// measured reports whether the span says what a call consumed or yielded: tokens,
// or the units of its kind of media.
func (w *work) measured(t *tokens) bool {
	x, m := &w.extract, &w.c.media
	anyOf := func(fields ...field) bool {
		for _, at := range fields {
			// A length below zero is none, and is not sent.
			if f := x.get(at); f != nil && (x.types[at] != typeNumber || f.float() >= 0) {
				return true
			}
		}
		return false
	}
	switch w.record {
	case inImage:
		return anyOf(m.images)
	case inAudio:
		return t.known() || anyOf(m.characters, m.seconds, m.audioInput, m.audioOutput)
	case inVideo:
		return anyOf(m.length, m.cost)
	default:
		return t.known()
	}
}

// asAsked reports whether what a call yielded that succeeded can be concluded from
// what was asked for. The conventions leave out the number of one.
func (w *work) asAsked() bool {
	if w.extract.flag(fieldMissing) {
		return false // who made the span knows that it is not known
	}
	return w.record == inImage || w.record == inVideo && w.extract.get(w.c.media.lengthRequested) != nil
}

// setUnits completes the record of a call of media. failed calls have yielded
// nothing but what is said.
func (w *work) setUnits(b *block, t *tokens, failed, guess bool) {
	x, m := &w.extract, &w.c.media
	switch r := b.own.(type) {
	case *metering.Image:
		if guess {
			r.ActualImageCount = 1
			if r.RequestedImageCount != nil {
				r.ActualImageCount = *r.RequestedImageCount
			}
			x.note(m.images, x.facts[m.imagesRequested].key(), NoteGuessed, "was not reported; what was asked for is taken")
		}
	case *metering.Audio:
		w.setAudioTokens(b, r, t)
		if !w.measured(t) {
			setNoAudio(b, r)
		}
	case *metering.Video:
		if r.DurationSeconds < 0 {
			r.DurationSeconds = 0 // which the API wants to have
			x.note(m.length, x.facts[m.length].key(), NoteDropped, problemNegative)
		}
		if guess {
			r.DurationSeconds = *r.RequestedDurationSeconds
			x.note(m.length, x.facts[m.lengthRequested].key(), NoteGuessed, "was not reported; what was asked for is taken")
		}
		if failed && r.CompletionStatus == "" {
			r.CompletionStatus = metering.CompletionFailed
		}
	}
}

// setAudioTokens writes the tokens of audio, and those of text apart from them.
func (w *work) setAudioTokens(b *block, a *metering.Audio, t *tokens) {
	text := func(all count, audio *int64) *int64 {
		if audio != nil && *audio <= all.n {
			all.n -= *audio
		}
		return b.count(all)
	}
	a.InputTokenCount = text(t.input, a.InputAudioTokenCount)
	a.OutputTokenCount = text(t.output, a.OutputAudioTokenCount)
}

// setNoAudio writes that a call yielded nothing: the API wants to have the quantity that
// such a call is billed by.
func setNoAudio(b *block, a *metering.Audio) {
	switch b.record.OperationSubtype {
	case "speech", "tts", "synthesis":
		a.CharacterCount = b.integer(0)
	default:
		a.DurationSeconds = b.float(0)
	}
}

// kind is the kind of the record.
func (b *block) kind() recordKinds {
	switch b.own.(type) {
	case *metering.Image:
		return inImage
	case *metering.Audio:
		return inAudio
	case *metering.Video:
		return inVideo
	case *metering.ToolEvent:
		return inTool
	default:
		return inCompletion
	}
}

// detail is the number of things known about the units.
func (w *work) detail() uint8 {
	n := uint8(0)
	for _, at := range w.extract.touched {
		if at >= numCoreFields && w.c.attribution.fields[at-numCoreFields].records == w.record {
			n++
		}
	}
	return n
}

// seal returns the record of the block, to be sent.
func (b *block) seal() metering.Record {
	c := &b.record
	switch r := b.own.(type) {
	case *metering.Image:
		r.Call = c.Call
	case *metering.Audio:
		r.Call = c.Call
	case *metering.Video:
		r.Call = c.Call
	case *metering.ToolEvent:
		b.sealTool(r)
	default:
		return c
	}
	return b.own
}
