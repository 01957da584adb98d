// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"sync"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// DecisionKind says what becomes of a span.
type DecisionKind uint8

// The kinds of decisions. Every decided span is exactly one of them; a span that
// is Held is decided anew later.
const (
	// Billed: the span has a record, which must be sent.
	Billed DecisionKind = iota + 1
	// Suppressed: what the span reports is billed elsewhere.
	Suppressed
	// Skipped: the span is nothing that is billed.
	Skipped
	// Held: the decision must wait for other spans.
	Held
)

// String is the kind in lower case.
func (k DecisionKind) String() string {
	switch k {
	case Billed:
		return "billed"
	case Suppressed:
		return "suppressed"
	case Skipped:
		return "skipped"
	case Held:
		return "held"
	default:
		return "undecided"
	}
}

// Reason is why a span was decided as it was: one word or two of a closed list,
// fit for the attribute of a metric.
type Reason string

// Reasons for [Billed].
const (
	// ReasonUsage: a call whose tokens were reported.
	ReasonUsage Reason = "usage"
	// ReasonPartialUsage: a call that failed or broke off after tokens were
	// reported. They are billed as they are.
	ReasonPartialUsage Reason = "partial usage"
	// ReasonError: a failed call of which no tokens are known.
	ReasonError Reason = "error"
	// ReasonMedia: a call that yielded images, audio or video.
	ReasonMedia Reason = "media"
	// ReasonTool: the execution of a tool, with [WithToolEvents].
	ReasonTool Reason = "tool"
	// ReasonLastResort: a span around calls, of which no other span is known. Its
	// usage can be that of several calls; the record's attributes hold
	// revenium.usage.aggregate.
	ReasonLastResort Reason = "aggregate as last resort"
)

// Reasons for [Suppressed].
const (
	// ReasonReplay: the same span was converted before.
	ReasonReplay Reason = "replay"
	// ReasonRetried: a failed attempt that the client repeated.
	ReasonRetried Reason = "retried"
	// ReasonTwinID: another span shows the same id of the provider.
	ReasonTwinID Reason = "same response id"
	// ReasonTwinKinship: another span of the same call is around or inside this one.
	ReasonTwinKinship Reason = "same call, nested"
	// ReasonTwinFingerprint: another instrumentation made a span of the same call,
	// without a link between the two.
	ReasonTwinFingerprint Reason = "same call, elsewhere"
	// ReasonCovered: a span around calls, whose usage is that of the calls.
	ReasonCovered Reason = "covered by calls"
	// ReasonUnderAggregate: a call whose usage an aggregate around it bills.
	ReasonUnderAggregate Reason = "covered by aggregate"
)

// Reasons for [Held].
const (
	// ReasonAwaitingRetry: a failure that the client may repeat.
	ReasonAwaitingRetry Reason = "awaiting retry"
	// ReasonAwaitingUsage: a call without usage, or without a part of it, which another
	// span or a log event may have.
	ReasonAwaitingUsage Reason = "awaiting usage"
	// ReasonAwaitingCalls: a span around calls, with usage, beneath which no call has
	// been seen.
	ReasonAwaitingCalls Reason = "awaiting calls"
	// ReasonAwaitingModel: a call whose model is on a span above.
	ReasonAwaitingModel Reason = "awaiting model"
	// ReasonAwaitingOuter: a call within a span that may be of the same call and has
	// not ended.
	ReasonAwaitingOuter Reason = "awaiting outer span"
	// ReasonAwaitingLink: a call that may be that of another service's span, if the
	// spans between the two link them.
	ReasonAwaitingLink Reason = "awaiting spans between"
	// ReasonAwaitingBatch: a call in a batch that has not ended.
	ReasonAwaitingBatch Reason = "awaiting end of batch"
	// ReasonHoldBack: a call that is held back for a better span of it.
	ReasonHoldBack Reason = "held back"
)

// Reasons for [Skipped].
const (
	// ReasonNoUsage: a call that succeeded, and nobody reported its tokens. With
	// [WithZeroUsage] it is a reason for [Billed].
	ReasonNoUsage Reason = "no usage"
	// ReasonNotBillable: an operation that calls no model, such as the execution of
	// a tool.
	ReasonNotBillable Reason = "not billable operation"
	// ReasonAggregate: a span around calls, such as the run of an agent. Its usage
	// is that of the calls beneath.
	ReasonAggregate Reason = "aggregate operation"
	// ReasonUnknownOperation: an operation that is not known to be billable.
	ReasonUnknownOperation Reason = "unknown operation"
	// ReasonNoCall: a span that names no operation and shows no call: no usage with
	// a model, no provider with a model.
	ReasonNoCall Reason = "not a model call"
	// ReasonOptedOut: the span carries revenium.metering.skip.
	ReasonOptedOut Reason = "opted out"
	// ReasonErrorPolicy: a failed call without tokens, and error records are off.
	ReasonErrorPolicy Reason = "error records off"
	// ReasonNotSelected: with [WithSelectiveMetering], the span does not say who pays.
	ReasonNotSelected Reason = "not selected"
	// ReasonTransform: a hook of [WithTransform] dropped the record.
	ReasonTransform Reason = "dropped by transform"
	// ReasonInvalidIDs: the span has no trace id or no span id.
	ReasonInvalidIDs Reason = "invalid ids"
	// ReasonInvalidTimes: the span has neither a start nor an end, or a year that
	// cannot be written.
	ReasonInvalidTimes Reason = "invalid times"
	// ReasonInvalidModel: the span names no model, or a blank one.
	ReasonInvalidModel Reason = "invalid model"
	// ReasonInvalidTool: the execution of a tool that nothing names.
	ReasonInvalidTool Reason = "invalid tool"
	// ReasonInvalidTokens: counts were reported, but none that can be true.
	ReasonInvalidTokens Reason = "invalid tokens"
)

// Decision says what becomes of one span, and why.
type Decision struct {
	Kind   DecisionKind
	Reason Reason
	// WasHeld says that the span was [Held] before; this decision is its last.
	WasHeld bool
	// Dialect is in whose words the span is.
	Dialect string

	TraceID  [16]byte
	SpanID   [8]byte
	SpanName string
	// ByTraceID and BySpanID name the span that bills instead, for what is
	// [Suppressed]; zero where it is none in particular.
	ByTraceID [16]byte
	BySpanID  [8]byte

	// Record is what is to be sent; nil unless Kind is [Billed]. It belongs to the
	// receiver, until [Decision.Release].
	Record metering.Record
	// HeldBack says that the record must not be sent as it is, since it lacks what
	// [WithRequiredFields] requires; Missing names the fields.
	HeldBack bool
	Missing  []string
	// Notes says what was left out of the record, changed or guessed.
	Notes []Note
	// Sources says where each value of the record came from, or that of a span that
	// has none would have; only with [WithSources].
	Sources []Source

	block *block
	pool  *sync.Pool
}

// Release gives the memory of the record back to the converter, for the record of
// another span. Record must not be used any more. Whoever keeps records does not
// call it.
func (d *Decision) Release() {
	d.Record = nil
	if d.block == nil {
		return
	}
	*d.block = block{}
	d.pool.Put(d.block)
	d.block = nil
}

// suppressed makes it a decision for what another span bills.
func (d *Decision) suppressed(reason Reason, by spanKey) {
	d.Kind, d.Reason = Suppressed, reason
	d.ByTraceID, d.BySpanID = by.Trace, by.Span
	d.Release()
	d.Notes = nil
}

// Note says what became of a value that could not be taken as it is. It holds no
// values.
type Note struct {
	// Field is the field of the record, dotted where it is nested.
	Field string
	// Attribute is the key of the attribute; "" where there is none.
	Attribute string
	// Action is what was done.
	Action NoteAction
	// Reason is one of a small number of fixed texts per field.
	Reason string
}

// String is for people.
func (n Note) String() string {
	s := n.Field + " " + string(n.Action)
	if n.Attribute != "" {
		s += " (" + n.Attribute + ")"
	}
	return s + ": " + n.Reason
}

// NoteAction is what was done to a value.
type NoteAction string

// The actions.
const (
	// NoteDropped: the value was ignored.
	NoteDropped NoteAction = "dropped"
	// NoteReplaced: another value was put in its place.
	NoteReplaced NoteAction = "replaced"
	// NoteGuessed: the span does not say; the value is the likeliest.
	NoteGuessed NoteAction = "guessed"
	// NoteMissing: there is no value, and one is required.
	NoteMissing NoteAction = "missing"
	// NoteIgnored: the attribute means nothing.
	NoteIgnored NoteAction = "ignored"
	// NoteDoubtful: the value was taken, but something speaks against it.
	NoteDoubtful NoteAction = "doubtful"
)

// Source says which attribute a value of the record came from.
type Source struct {
	// Field is the field of the record, dotted where it is nested.
	Field string
	// Attribute is the key of the attribute; "" for a default.
	Attribute string
	// Origin is where the attribute was.
	Origin Origin
}

// Origin is where a value came from, in order of precedence.
type Origin uint8

// The origins.
const (
	OriginSpan Origin = iota
	// OriginHeader: an attribute of the span that shows a header of the request.
	OriginHeader
	// OriginTwin: an attribute of another span of the same call.
	OriginTwin
	// OriginAncestor: an attribute of a span above.
	OriginAncestor
	// OriginDialect: an attribute of the span by which an instrumentation means
	// something like the field.
	OriginDialect
	OriginScope
	OriginResource
	OriginDefault
	OriginEnvironment
)

// String is the origin in lower case.
func (o Origin) String() string {
	switch o {
	case OriginSpan:
		return "span"
	case OriginHeader:
		return "request header"
	case OriginTwin:
		return "other span of the call"
	case OriginAncestor:
		return "span above"
	case OriginDialect:
		return "instrumentation"
	case OriginScope:
		return "scope"
	case OriginResource:
		return "resource"
	case OriginDefault:
		return "default"
	case OriginEnvironment:
		return "environment"
	default:
		return "unknown"
	}
}
