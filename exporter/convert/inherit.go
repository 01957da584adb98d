// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// spanContext is what a span says about the calls below it, or about a call that
// another span bills.
type spanContext struct {
	facts []resourceFact
	// model is that of all calls below; "" for none. start is when the one call below
	// was made, in nanoseconds; 0 if it says nothing about that.
	model string
	start int64
}

// requestFacts is what the span itself says about all calls of its request.
func (w *work) requestFacts() []resourceFact {
	x := &w.extract
	list := w.passing[:0]
	for _, at := range x.touched {
		if at < numCoreFields || !x.facts[at].level.ofSpan() || !w.c.attribution.fields[at-numCoreFields].request {
			continue
		}
		list = append(list, resourceFact{at, x.facts[at]})
	}
	w.passing = list
	return list
}

// ofSpan reports whether it is the span itself that says it.
func (o Origin) ofSpan() bool { return o == OriginSpan || o == OriginHeader || o == OriginDialect }

// inherit fills what the record of a node lacks from another span.
func (l *selection) inherit(n *node, from *spanContext, level Origin) {
	p := n.pending
	l.touch(n)
	if b := p.decision.block; b != nil {
		for i := range from.facts {
			l.give(&p.decision, b, &from.facts[i], level)
		}
		if c := &b.record; c.TransactionName == "" {
			c.TransactionName = c.TaskType
		}
	}
	if from.model == "" || p.decision.Reason != ReasonInvalidModel || p.decision.block == nil {
		return
	}
	b := p.decision.block
	b.record.Model = from.model
	if from.start != 0 {
		b.startAt(time.Unix(0, from.start))
	}
	p.decision.Kind, p.decision.Reason = Billed, b.reason
	p.decision.Record = &b.record
	if p.wait != ReasonAwaitingModel {
		return
	}
	if p.queue == nil {
		p.wait = "" // it is decided about at this moment
		return
	}
	l.finish(n)
}

// give sets a field of a record unless it has a value of a better origin.
func (l *selection) give(d *Decision, b *block, f *resourceFact, level Origin) {
	a := &l.attribution.fields[f.at-numCoreFields]
	if a.records&b.kind() == 0 {
		return
	}
	origin := &b.origins[f.at-numCoreFields]
	if !a.request || *origin != 0 && Origin(*origin-1) <= level || !a.set(b, &f.fact) {
		return
	}
	*origin = uint8(level) + 1
	if !l.cfg.sources {
		return
	}
	source := Source{Field: a.name, Attribute: f.fact.key(), Origin: level}
	for i := range d.Sources {
		if d.Sources[i].Field == a.name {
			d.Sources[i] = source
			return
		}
	}
	d.Sources = append(d.Sources, source)
}

// startAt moves the start of a call.
func (b *block) startAt(start time.Time) {
	c := &b.record
	if start.After(c.ResponseTime.Time) {
		return
	}
	c.RequestTime = metering.Timestamp{Time: start}
	c.RequestDuration = c.ResponseTime.UnixMilli() - start.UnixMilli()
}

// openAncestors reads what ancestors say that have not ended.
type openAncestors struct {
	w *work
	// outer is the nearest one that can be the same call.
	outer spanKey
	depth int
}

// maxAncestors bounds how many open ancestors are looked at.
const maxAncestors = 64

// Ancestor takes what an ancestor says.
func (o *openAncestors) Ancestor(s Span) bool {
	o.depth++
	above := o.w.above()
	if op, ok := above.survey(s); ok {
		for _, f := range above.requestFacts() {
			f.fact.level = OriginAncestor
			f.fact.rank = uint8(min(o.depth, 255)) // the nearest counts
			o.w.extract.set(f.at, &f.fact)
		}
		if op.class == o.w.class && op.class.isCall() && o.outer == (spanKey{}) {
			o.outer = spanKey{Trace: s.TraceID(), Span: s.SpanID()}
		}
	}
	above.reset()
	return o.depth < maxAncestors
}

// survey reads what a span says without deciding about it. ok is false for one
// that says nothing.
func (w *work) survey(s Span) (op operation, ok bool) {
	s.WalkAttributes(&w.sniff)
	if !w.sniff.found && !w.sniff.context {
		return operation{}, false
	}
	w.read(s)
	if !w.sniff.found {
		return operation{}, true
	}
	op, _ = w.operation()
	return op, true
}

// above is a second work, for spans that are looked at while another is decided
// about.
func (w *work) above() *work {
	if w.second == nil {
		w.second = newWork(w.c)
	}
	return w.second
}
