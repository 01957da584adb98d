// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"net/http"
	"slices"
)

// result is what an answer has said so far.
type result struct {
	id, model         string
	finish            []string
	tier, fingerprint string
	speed             string
	status            string
	tokens            tokens
	units             units
	passes            []pass
	// content says that some content of the answer has passed.
	content bool
	// background says that it is answered whether or not somebody listens.
	background bool
	// done says that the answer's own mark of its end has passed, finished that
	// generation came to its end, whether or not a mark follows.
	done, finished bool
	// free says that nothing was generated or that it is billed elsewhere.
	free bool
	// failure is set where the answer itself reports a failure.
	failure *failure
}

// pass is a part of a call that another model ran, which is billed by itself.
type pass struct {
	kind, model string
	usage       usage
}

type choiceEnd struct {
	index  int
	reason string
}

// end is called behind each document. event is the name of the event that it came
// in, and whole says that it is complete: what an incomplete one said may be
// wrong.
func (r *replyReader) end(event []byte, whole bool) {
	d, res := &r.doc, &r.res
	r.documents++
	if k, ok := r.table.kinds[string(event)]; ok && d.kind == kindOther {
		d.kind = k
	}
	if d.failed && whole || d.isError || d.kind == kindError || string(event) == "error" || r.refused {
		r.setFailure()
	}
	if !whole || d.kind == kindIgnored {
		return
	}
	if r.table.settle != nil {
		r.table.settle(r)
	}
	// Azure's first chunk has empty strings here.
	setIfSent(&res.id, d.id)
	setIfSent(&res.model, d.model)
	setIfSent(&res.tier, d.tier)
	setIfSent(&res.speed, d.speed)
	setIfSent(&res.fingerprint, d.fingerprint)
	if d.units != nil {
		res.units.complete(d.units)
	}
	if d.kind == kindImage {
		res.units.images.n++
		res.units.images.ok, res.finished = true, true
	}
	for _, end := range d.finish {
		res.setFinish(end)
	}
	res.content = res.content || d.content
	res.done = res.done || d.done || d.kind == kindDone
	res.finished = res.finished || d.finished
	r.takeUsage()
}

func setIfSent(to *string, s string) {
	if s != "" {
		*to = s
	}
}

// setFinish records that a choice was seen and, if it has, why it ended. Servers
// that repeat the reason (OpenRouter, in its usage chunk) say nothing new.
func (res *result) setFinish(end choiceEnd) {
	for len(res.finish) <= end.index {
		res.finish = append(res.finish, "")
	}
	if end.reason != "" {
		res.finish[end.index] = end.reason
	}
	res.finished = !slices.Contains(res.finish, "")
}

// takeUsage takes the document's usage. The last one holds: where servers send
// several they are running totals or repetitions, or complete each other. One of
// nothing but zeros behind others takes nothing back.
func (r *replyReader) takeUsage() {
	u := r.doc.usage
	if !u.reported() {
		u = r.doc.aside // Groq sends the same usage in two places
	}
	if !u.reported() {
		return
	}
	if r.merged != nil {
		r.merged.complete(u)
		u = r.merged
	}
	r.settleUsage(u)
}

func (r *replyReader) settleUsage(u *usage) {
	r.res.units.count(u)
	if len(r.res.passes) > 0 {
		sum := u.withPasses(r.res.passes)
		u = &sum
	}
	t := r.table.tokens(u, r.quirks)
	if r.target.operation == operationEmbeddings {
		t = t.withoutOutput(u)
	}
	if !t.reported() || t.allZero() && r.res.tokens.reported() && !r.table.cumulative {
		return
	}
	r.res.tokens = t
}

// measure takes what the platform counted, in case that the answer counts nothing.
func (r *replyReader) measure(h http.Header) {
	if r.table.frames {
		r.merged.measure(h)
	}
}

// conclude is called when no more documents come.
func (r *replyReader) conclude() {
	if !r.res.tokens.reported() && r.merged.reported() {
		r.settleUsage(r.merged)
	}
}

func (r *replyReader) setFailure() {
	d := &r.doc
	f := d.failure
	if f.code == "" {
		f.code = d.rootCode
	}
	if f.kind == "" {
		f.kind = d.rootType
	}
	if f.code == "" && f.kind == "" && f.status == "" && r.res.failure != nil {
		return // another one said more
	}
	r.res.failure = &f
}
