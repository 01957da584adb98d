// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "github.com/revenium/revenium-otel-go/semconv"

// classify says what the span is about, and the reason if that is nothing that can
// be billed.
func (w *work) classify() (operation, Reason) {
	op, reason := w.operation()
	if reason != "" {
		return op, reason
	}
	if f := w.extract.get(w.c.media.operation); f != nil && op.class.isCall() {
		if media, ok := find(mediaTypes(), f.text); ok && recordOf(op.typ) != recordOf(w.c.operations[media].typ) {
			return w.c.operations[media], ""
		}
	}
	switch op.class {
	case classCall:
		if op.withUsage && (!w.hasUsage() || !w.hasModel()) {
			return op, ReasonNotBillable
		}
		if media := outputMedia(w.extract.text(fieldOutputType)); media != "" {
			return w.c.operations[media], ""
		}
		if w.extract.voc.dialect.quirks.has(usageOnly) && !w.hasUsage() &&
			(!w.saysFailed() || !w.tellsOfCall()) {
			return op, ReasonNotBillable
		}
		return op, ""
	case classMedia, classAggregate, classTool:
		return op, ""
	default:
		return op, ReasonNotBillable
	}
}

// operation finds out what the span is about: from its name where the dialect has
// names of its own, from what the dialect calls its kind, from the operation, and
// else from what is on it.
func (w *work) operation() (operation, Reason) {
	x, d := &w.extract, w.extract.voc.dialect
	if word, ok := x.voc.names.find(w.name); ok {
		return w.c.operations[word], ""
	}
	kind, known := w.kind()
	if known && kind.class != classCall {
		return kind, ""
	}
	named := x.text(fieldOperation)
	if named != "" {
		if op, ok := find(w.c.operations, named); ok && (!known || op.class == classCall || op.class == classMedia) {
			return w.refined(op, named), ""
		}
	}
	if known {
		return w.refined(kind, ""), ""
	}
	if named == "" {
		if named = x.text(fieldRequestType); named != "" {
			if word, ok := find(w.c.requestTypes, named); ok {
				named = word
			}
			if op, ok := find(w.c.operations, named); ok {
				return op, ""
			}
		}
	}
	if named != "" {
		return w.unknownOperation(named)
	}
	if word, ok := x.voc.refine.find(w.name); ok {
		return w.c.operations[word], ""
	}
	// Some spans say it in their name alone.
	if op, ok := w.c.operations[w.name]; ok && op.class == classAggregate {
		return op, ""
	}
	if d.quirks.has(agentRuns) && x.get(fieldAgentRun) != nil || x.get(fieldAggregated) != nil {
		return w.c.operations["invoke_agent"], ""
	}
	if !w.looksLikeCall() {
		return operation{}, ReasonNoCall
	}
	return w.c.operations["chat"], ""
}

// kind looks up what the dialect calls the kind of the span.
func (w *work) kind() (operation, bool) {
	text := w.extract.text(fieldKind)
	if text == "" {
		return operation{}, false
	}
	if word, ok := find(w.extract.voc.dialect.kinds, text); ok {
		return w.c.operations[word], true
	}
	return find(w.c.operations, text)
}

// refined makes a general word for a call more exact by the name of the span,
// where the dialect knows names that tell.
func (w *work) refined(op operation, named string) operation {
	if op.class != classCall || w.extract.facts[fieldOperation].key() == string(semconv.GenAIOperationNameKey) && named != "" {
		return op
	}
	if word, ok := w.extract.voc.refine.find(w.name); ok {
		return w.c.operations[word]
	}
	return op
}

// unknownOperation decides about an operation that is in no table.
func (w *work) unknownOperation(name string) (operation, Reason) {
	if w.c.cfg.unknown == "" || !w.hasProvider() || !w.hasModel() || !w.hasUsage() {
		return operation{name: name}, ReasonUnknownOperation
	}
	return operation{name: "other", class: classCall, typ: w.c.cfg.unknown}, ""
}

// looksLikeCall decides about a span that names no operation. Usage and a model
// of its own make a call; so do a provider and a model, unless the span is about
// a request of another kind, onto which a gateway copied them.
func (w *work) looksLikeCall() bool {
	if !w.hasModel() {
		return false
	}
	return w.hasUsage() || w.hasProvider() && w.extract.get(fieldOther) == nil
}

func (w *work) hasModel() bool {
	return w.extract.get(fieldResponseModel) != nil || w.extract.get(fieldRequestModel) != nil
}

func (w *work) hasProvider() bool { return w.extract.get(fieldProvider) != nil }

func (w *work) hasUsage() bool {
	x := &w.extract
	return x.get(fieldInput) != nil || x.get(fieldOutput) != nil || x.get(fieldBuckets) != nil
}

// saysFailed reports whether something on the span says that the call failed.
func (w *work) saysFailed() bool {
	x := &w.extract
	return w.span.StatusCode() == StatusError || x.get(fieldErrorType) != nil || x.get(fieldErrorMessage) != nil ||
		x.get(fieldSuccess) != nil && !x.flag(fieldSuccess)
}
