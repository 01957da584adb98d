// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"hash/maphash"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv"
)

// work is the conversion of one span. It is used for one span after the other.
type work struct {
	c       *Converter
	sniff   sniffer
	extract extractor

	span          Span
	traceID       [16]byte
	spanID        [8]byte
	parentID      [8]byte
	name          string
	scope         string
	status        StatusCode
	statusMessage string
	start, end    time.Time

	modelField field
	events     eventScan
	failed     failure
	attempt    attempt
}

func newWork(c *Converter) *work {
	w := &work{c: c, sniff: *newSniffer(markers())}
	w.extract.types = &c.types
	w.extract.names = c.names
	w.extract.providers = c.providers
	w.extract.spelling = c.spelling
	return w
}

// reset forgets the span.
func (w *work) reset() {
	w.extract.reset()
	w.span, w.name, w.scope, w.statusMessage = nil, "", "", ""
	w.events = eventScan{}
	w.failed = failure{}
}

// convert decides about a span that looks like GenAI.
func (w *work) convert(dst []Decision, s Span) []Decision {
	w.span = s
	w.traceID, w.spanID, w.parentID = s.TraceID(), s.SpanID(), s.ParentSpanID()
	w.name, w.scope = s.Name(), s.ScopeName()
	w.extract.voc = recognise(w.c.vocabularies, w.scope)
	w.extract.level = OriginSpan
	s.WalkAttributes(&w.extract)

	if w.extract.flag(fieldSkip) {
		return append(dst, w.decision(Skipped, ReasonOptedOut))
	}
	op, reason := w.classify()
	if reason != "" {
		return append(dst, w.decision(Skipped, reason))
	}
	return w.call(dst, op)
}

// decision is a decision without a record.
func (w *work) decision(kind DecisionKind, reason Reason) Decision {
	return Decision{
		Kind: kind, Reason: reason,
		TraceID: w.traceID, SpanID: w.spanID, SpanName: w.name,
		Notes: w.extract.notes,
	}
}

// call decides about the span of a call.
func (w *work) call(dst []Decision, op operation) []Decision {
	s := w.span
	if w.traceID == ([16]byte{}) || w.spanID == ([8]byte{}) {
		return append(dst, w.decision(Skipped, ReasonInvalidIDs))
	}
	if !w.times() {
		return append(dst, w.decision(Skipped, ReasonInvalidTimes))
	}
	if w.c.cfg.selective && !w.selected() {
		return append(dst, w.decision(Skipped, ReasonNotSelected))
	}
	w.extract.level = OriginScope
	s.WalkScopeAttributes(&w.extract)
	w.extract.level = OriginResource
	s.WalkResourceAttributes(&w.extract)
	for i := range w.c.defaults {
		w.extract.setDefault(w.c.defaults[i].at, w.c.defaults[i].value)
	}
	w.status, w.statusMessage = s.StatusCode(), s.StatusMessage()

	id := w.identify()
	if id.model == "" {
		return append(dst, w.decision(Skipped, ReasonInvalidModel))
	}
	t := w.tokens(&id)
	stop, finishFailed := w.finish()
	f := w.failure(finishFailed, t.known())
	kind, reason := w.verdict(&t, f)
	if kind != Billed {
		return append(dst, w.decision(kind, reason))
	}
	w.report(op, &t, reason)

	d := w.decision(Billed, reason)
	b := w.build(op, &id, &t, stop, f)
	if reason == ReasonNoUsage {
		b.record.Attributes = map[string]any{string(semconv.ReveniumUsageMissingKey): true}
	}
	d.Record, d.block, d.pool = &b.record, b, &w.c.blocks
	d.Notes = w.extract.notes
	if w.c.cfg.sources {
		d.Sources = w.sources()
	}
	hold := reason == ReasonError && f.retryable && w.c.cfg.errorPolicy == ErrorPolicyFinal
	w.setAttempt(op, id.model)
	return w.c.ledger.enter(dst, d, &w.attempt, spanKey{w.traceID, w.parentID}, hold)
}

// verdict says whether a call is billed, and why.
func (w *work) verdict(t *tokens, f *failure) (DecisionKind, Reason) {
	switch {
	case !t.sane():
		return Skipped, ReasonInvalidTokens
	case t.known() && (f != nil || w.extract.flag(fieldPartial)):
		return Billed, ReasonPartialUsage
	case t.known():
		return Billed, ReasonUsage
	case f != nil && w.c.cfg.errorPolicy == ErrorPolicyNone:
		return Skipped, ReasonErrorPolicy
	case f != nil:
		return Billed, ReasonError
	case w.rejectedTokens():
		return Skipped, ReasonInvalidTokens
	case w.c.cfg.zeroUsage:
		return Billed, ReasonNoUsage
	default:
		return Skipped, ReasonNoUsage
	}
}

// rejectedTokens reports whether counts were on the span that could not be taken.
func (w *work) rejectedTokens() bool {
	for _, n := range w.extract.notes {
		if n.Action == NoteDropped && (n.Field == w.c.names[fieldInput] || n.Field == w.c.names[fieldOutput]) {
			return true
		}
	}
	return false
}

// report notes what is sent although nobody reported it: the API has no word for
// a count that is not known.
func (w *work) report(op operation, t *tokens, reason Reason) {
	if reason == ReasonError {
		return // a failed call has used nothing
	}
	const unknown = "was not reported; 0 is sent"
	if !t.input.known {
		w.extract.note(fieldInput, "", NoteDoubtful, unknown)
	}
	if !t.output.known && op.typ != metering.OperationEmbed && op.typ != metering.OperationRerank {
		w.extract.note(fieldOutput, "", NoteDoubtful, unknown)
	}
}

// times reads when the call was made. One time that is missing is taken from the
// other; a call that ends before it starts takes no time.
func (w *work) times() bool {
	w.start, w.end = w.span.StartTime(), w.span.EndTime()
	const field = "requestTime"
	switch {
	case w.start.IsZero() && w.end.IsZero():
		return false
	case w.start.IsZero():
		w.start = w.end
		w.extract.notes = append(w.extract.notes, Note{Field: field, Action: NoteGuessed, Reason: "the span has no start, so its end is taken"})
	case w.end.IsZero():
		w.end = w.start
		w.extract.notes = append(w.extract.notes, Note{Field: "responseTime", Action: NoteGuessed, Reason: "the span has no end, so its start is taken"})
	case w.end.Before(w.start):
		w.end = w.start
		w.extract.notes = append(w.extract.notes, Note{Field: "responseTime", Action: NoteReplaced, Reason: "the span ends before it starts, so its start is taken"})
	}
	return writable(w.start) && writable(w.end)
}

// writable reports whether an instant has a year of four digits.
func writable(t time.Time) bool {
	year := t.UTC().Year()
	return year >= 1 && year <= 9999
}

// setAttempt works out what tells whether the call repeats another one.
func (w *work) setAttempt(op operation, model string) {
	a := &w.attempt
	*a = attempt{start: w.start.UnixNano(), end: w.end.UnixNano(), number: -1}
	if f := w.extract.get(w.c.retryNumber); f != nil {
		a.number = f.num
	}
	// Failures have no response model.
	if f := w.extract.get(fieldRequestModel); f != nil {
		model = f.text
	}
	var h maphash.Hash
	h.SetSeed(w.c.seed)
	h.Write(w.traceID[:])
	h.Write(w.parentID[:])
	h.WriteString(op.name)
	h.WriteByte(0)
	h.WriteString(model)
	a.group = h.Sum64()
}
