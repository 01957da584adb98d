// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv"
)

// work is the conversion of one span. It is used for one span after the other.
type work struct {
	c       *Converter
	sniff   sniffer
	extract extractor

	span          Span
	key           spanKey
	parentID      [8]byte
	name          string
	scope         string
	status        StatusCode
	statusMessage string
	start, end    time.Time
	resource      *resourceFacts
	resourceScan  resourceScan

	modelField field
	events     eventScan
	failed     failure
	entry      entry
	passing    []resourceFact
	ancestors  openAncestors
	// models are those of the response and of the request.
	models [2]modelMemo
	// second is for a span that is looked at while this one is decided about.
	second *work
	// record is the kind of record that is made of the span.
	record recordKinds
	class  class
}

func newWork(c *Converter) *work {
	w := &work{c: c, sniff: sniffer{r: c.recogniser}, record: inCompletion}
	w.extract.use(c)
	w.resourceScan.r = c.recogniser
	return w
}

// reset forgets the span.
func (w *work) reset() {
	w.sniff.reset()
	w.extract.reset()
	w.span, w.name, w.scope, w.statusMessage, w.resource = nil, "", "", "", nil
	w.events = eventScan{}
	w.failed = failure{}
	w.record = inCompletion
	clear(w.passing)
	w.passing = w.passing[:0]
}

// read reads what the span says of itself.
func (w *work) read(s Span) {
	w.span = s
	w.key = spanKey{Trace: s.TraceID(), Span: s.SpanID()}
	w.parentID = s.ParentSpanID()
	w.name, w.scope = s.Name(), s.ScopeName()
	x := &w.extract
	x.level, x.table = OriginSpan, w.c.common
	s.WalkAttributes(x)
	x.voc = w.recognise()
	if x.voc.own != nil {
		x.table = x.voc.own
		s.WalkAttributes(x)
		x.table = w.c.common
	}
	x.readDocuments()
}

// convert decides about a span that has to do with GenAI.
func (w *work) convert(dst []Decision, batch *Batch) []Decision {
	if w.extract.flag(fieldSkip) {
		return w.other(dst, operation{}, Skipped, ReasonOptedOut)
	}
	op, reason := w.classify()
	switch {
	case reason != "":
		return w.other(dst, op, Skipped, reason)
	case op.class == classAggregate:
		return w.aggregate(dst, op, batch)
	case op.class.isCall():
		w.class, w.record = op.class, recordOf(op.typ)
		return w.call(dst, op, batch)
	case op.class == classTool && w.c.cfg.toolEvents:
		w.class, w.record = classTool, inTool
		return w.tool(dst, op, batch)
	default:
		return w.other(dst, op, Skipped, ReasonNotBillable)
	}
}

// decision is a decision without a record.
func (w *work) decision(kind DecisionKind, reason Reason) Decision {
	d := Decision{
		Kind: kind, Reason: reason, Dialect: w.extract.voc.dialect.name,
		TraceID: w.key.Trace, SpanID: w.key.Span, SpanName: w.name,
		Notes: w.extract.notes,
	}
	if w.c.cfg.sources {
		d.Sources = w.sources()
	}
	return d
}

// other decides about a span that no record is made of. It can say something
// about calls below it.
func (w *work) other(dst []Decision, op operation, kind DecisionKind, reason Reason) []Decision {
	return w.remember(append(dst, w.decision(kind, reason)), op.class)
}

// remember has the selection know the span, and what it says about calls below.
func (w *work) remember(dst []Decision, c class) []Decision {
	context := spanContext{facts: w.requestFacts()}
	if d := w.extract.voc.dialect; d.quirks.has(modelAbove) {
		context.model = w.extract.text(fieldRequestModel)
		if w.name == d.callSpan {
			context.start = w.span.StartTime().UnixNano()
		}
	}
	if isLogEvent(w.span) {
		return w.attempted(dst)
	}
	if len(context.facts) == 0 && context.model == "" {
		return w.c.pass(dst, w.span)
	}
	facts := make([]resourceFact, len(context.facts))
	copy(facts, context.facts)
	context.facts = facts
	return w.c.selection.context(dst, &node{key: w.key, parent: w.parentID, class: contextClass(c)}, &context)
}

// contextClass is the class of a node that only says something about others.
func contextClass(c class) class {
	if c == classAggregate {
		return classAggregate
	}
	return classNever
}

// complete reads what is not on the span itself.
func (w *work) complete() {
	s, x := w.span, &w.extract
	x.level = OriginScope
	s.WalkScopeAttributes(x)
	if w.resource == nil {
		w.resource = w.resourceOf(s)
	}
	for i := range w.resource.facts {
		x.set(w.resource.facts[i].at, &w.resource.facts[i].fact)
	}
	x.notes = append(x.notes, w.resource.notes...)
	w.ancestors = openAncestors{w: w}
	if view, ok := s.(OpenAncestors); ok {
		view.WalkOpenAncestors(&w.ancestors)
	}
	for i := range w.c.defaults {
		x.set(w.c.defaults[i].at, &w.c.defaults[i].value)
	}
	w.status, w.statusMessage = s.StatusCode(), s.StatusMessage()
}

// call decides about the span of a call.
func (w *work) call(dst []Decision, op operation, batch *Batch) []Decision {
	dst, ok := w.ready(dst, op)
	if !ok {
		return dst
	}
	w.complete()
	id := w.identify()
	quirks := w.extract.voc.dialect.quirks
	if id.model == "" && !quirks.has(modelAbove) {
		return w.other(dst, op, Skipped, ReasonInvalidModel)
	}
	t := w.tokens(&id)
	stop, finishFailed := w.finish()
	if w.byToken(&t) {
		w.record = inCompletion
	}
	known := w.measured(&t)
	f := w.failure(finishFailed, known)
	guess := !known && f == nil && w.asAsked()
	known = known || guess
	kind, reason := w.verdict(&t, known, f)
	if kind == Skipped && reason == ReasonNoUsage && isLogEvent(w.span) {
		reason = ReasonNotBillable // it tells of something else than the end of a call
	}
	if kind == Skipped && reason != ReasonNoUsage {
		return w.other(dst, op, kind, reason)
	}
	if w.record == inCompletion {
		w.report(op, &t, reason)
	}
	e := &w.entry
	e.decision = w.decision(kind, reason)
	if kind == Billed {
		b := w.build(op, &id, &t, stop, f)
		w.attachContent(b)
		b.reason = reason
		if b.own != nil {
			w.setUnits(b, &t, f != nil, guess)
		}
		w.attach(&e.decision, b)
		if reason == ReasonNoUsage {
			b.record.Attributes = map[string]any{string(semconv.ReveniumUsageMissingKey): true}
		}
		if id.model == "" {
			// The record is there, except for the model.
			e.decision.Kind, e.decision.Reason, e.decision.Record = Skipped, ReasonInvalidModel, nil
		}
	} else if w.c.content != nil {
		// Another span of the call can have the usage, and not what was asked.
		b := w.build(op, &id, &t, stop, f)
		w.attachContent(b)
		b.reason = reason
		w.attach(&e.decision, b)
		e.decision.Record = nil
	}
	switch {
	case id.model == "":
		e.wait = ReasonAwaitingModel
	case reason == ReasonNoUsage, reason != ReasonError && w.eventKnowsMore():
		e.wait = ReasonAwaitingUsage
	case reason == ReasonError && (f.retryable || w.triesAgain(f)) && w.c.cfg.errorPolicy == ErrorPolicyFinal:
		e.wait = ReasonAwaitingRetry
		if x := &w.extract; x.get(fieldAttempts) != nil {
			e.until = spanKey{Trace: w.key.Trace} // the next attempt is made in another span
		}
	}
	w.describe(op, &id, &t, known, f)
	return w.enter(dst, batch)
}

// ready decides about a span that cannot be billed whatever it is about; ok is
// false for one.
func (w *work) ready(dst []Decision, op operation) (_ []Decision, ok bool) {
	switch {
	case w.key.Trace == ([16]byte{}) || w.key.Span == ([8]byte{}):
		return append(dst, w.decision(Skipped, ReasonInvalidIDs)), false
	case !w.times():
		return w.other(dst, op, Skipped, ReasonInvalidTimes), false
	case w.c.cfg.selective && !w.selected():
		return w.other(dst, op, Skipped, ReasonNotSelected), false
	default:
		return dst, true
	}
}

// attach gives a decision its record.
func (w *work) attach(d *Decision, b *block) {
	d.Record, d.block, d.pool = &b.record, b, &w.c.blocks
	d.Notes = w.extract.notes
}

// enter hands the span to the selection.
func (w *work) enter(dst []Decision, batch *Batch) []Decision {
	e := &w.entry
	e.work, e.batch, e.outer = w, batch, w.ancestors.outer
	return w.c.selection.enter(dst, e)
}

// aggregate decides about a span around calls. It bills only when its usage is
// that of nothing beneath.
func (w *work) aggregate(dst []Decision, op operation, batch *Batch) []Decision {
	if !w.c.cfg.aggregates || w.extract.voc.dialect.quirks.has(accumulates) || w.extract.get(fieldAggregated) != nil ||
		!w.hasUsage() || !w.hasModel() || w.key.Trace == ([16]byte{}) || w.key.Span == ([8]byte{}) || !w.times() {
		return w.other(dst, op, Skipped, ReasonAggregate)
	}
	w.complete()
	id := w.identify()
	t := w.tokens(&id)
	if id.model == "" || !t.known() || !t.sane() {
		return w.other(dst, op, Skipped, ReasonAggregate)
	}
	stop, finishFailed := w.finish()
	f := w.failure(finishFailed, true)
	e := &w.entry
	e.decision = w.decision(Billed, ReasonLastResort)
	chat := w.c.operations["chat"]
	b := w.build(chat, &id, &t, stop, f)
	w.attachContent(b)
	b.record.Attributes = map[string]any{string(semconv.ReveniumUsageAggregateKey): true}
	w.attach(&e.decision, b)
	e.wait = ReasonAwaitingCalls
	w.describe(op, &id, &t, true, f)
	if facts := w.requestFacts(); len(facts) > 0 {
		e.proto.context = &spanContext{facts: append([]resourceFact(nil), facts...)}
	}
	return w.enter(dst, batch)
}

// describe fills in what the selection compares.
func (w *work) describe(op operation, id *identity, t *tokens, known bool, f *failure) {
	x := &w.extract
	n := &w.entry.proto
	*n = node{
		key: w.key, parent: w.parentID, class: op.class,
		usage: known, failed: f != nil && !known, detail: t.detail(),
		start: w.start.UnixNano(), end: w.end.UnixNano(),
		scope: xxhash.Sum64String(w.scope), resource: w.resource.process(w.extract.voc.dialect),
		models: [2]uint64{w.models[0].of(x.text(fieldResponseModel)), w.models[1].of(x.text(fieldRequestModel))},
		input:  -1, output: -1,
	}
	if isLogEvent(w.span) {
		n.scope = eventScope(n.scope)
	}
	if t.input.known {
		n.input = t.input.n - t.moreInput
	}
	if t.output.known {
		n.output = t.output.n - t.moreOutput
	}
	n.setReported(t)
	for i, at := range [...]field{fieldResponseID, fieldRequestID, fieldCallID} {
		if text := x.text(at); text != "" {
			n.setID(i, max(1, xxhash.Sum64String(text)))
			if i == 0 {
				n.idKind = idKindOf(text)
			}
		}
	}
	if !op.class.isCall() {
		return
	}
	if w.record != inCompletion {
		n.detail += w.detail()
		if t.input.n == 0 && t.output.n == 0 {
			n.input, n.output = -1, -1 // no tokens, not none of them
		}
	}
	if f := x.get(w.c.retryNumber); f != nil {
		n.setNumber(f.num)
	}
	if w.cumulates() {
		n.cumulative, n.tools = true, w.askedForTools()
	}
	n.group = w.attempts(op, id.model)
}

// verdict says whether a call is billed, and why.
func (w *work) verdict(t *tokens, known bool, f *failure) (DecisionKind, Reason) {
	switch {
	case !t.sane():
		return Skipped, ReasonInvalidTokens
	case known && (f != nil || w.extract.flag(fieldPartial)):
		return Billed, ReasonPartialUsage
	case known && w.record != inCompletion:
		return Billed, ReasonMedia
	case known:
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
	if reason == ReasonError || reason == ReasonNoUsage {
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
	if f := w.extract.get(fieldDuration); f != nil && w.start.Equal(w.end) {
		w.start = w.end.Add(-time.Duration(f.num)) // a record of what has ended
	}
	return writable(w.start) && writable(w.end)
}

// writable reports whether an instant has a year of four digits.
func writable(t time.Time) bool {
	year := t.UTC().Year()
	return year >= 1 && year <= 9999
}

// streamed says whether the dialect tells by the kind or name of a span that the
// answer was streamed.
func (w *work) streamed() (stream, known bool) {
	streams := &w.extract.voc.streams
	if kind := w.extract.text(fieldKind); kind != "" {
		if stream, known = streams.find(strings.ToLower(kind)); known {
			return stream, true
		}
	}
	return streams.find(w.name)
}
