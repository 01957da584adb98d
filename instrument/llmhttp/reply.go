// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import "bytes"

// Fields of answers. Where a format has them, its replyTable says; what becomes of
// them is the same for all.
const (
	rspKind field = iota + 1 // type of the document or event
	rspID
	rspModel
	rspTier
	rspSpeed
	rspFingerprint
	rspStatus // how far it is
	rspBackground
	rspReason   // why it is incomplete
	rspEnvelope // the object that an event is about
	rspChoices
	rspChoice
	rspIndex
	rspFinish
	rspContent
	rspDone // true: the last document
	rspError
	rspErrorCode
	rspErrorType
	rspErrorStatus
	rspErrorHTTPStatus
	rspRootCode
	rspRootType
	rspObject
	rspUsage
	rspUsageAside    // the same usage in another place, which the proper one goes before
	rspPass          // one of several passes that a call consists of
	rspPassKind      // what it was
	rspPassModel     // the model that ran it
	rspItem          // type of an item of the answer
	rspSearches      // array of searches
	rspInputDetails  // array of modalities and their counts
	rspOutputDetails //
	rspDetail        // element of one of them
	rspModality
	rspModalityCount
	rspImages    // array of images
	rspImageList // array in which there may be images
	rspImage     // one of these; presence
	rspVideos    // array of videos
	rspMetrics   // what the platform measured; it comes last
	rspGuardrail // what the platform's guardrail did
	rspSize
	rspQuality
	rspFormat
	rspLanguage
	rspSeconds
	rspDuration // the same, not as it is billed
	rspCost
	rspCostTicks
	firstCount // counts follow
)

// document is what one document of an answer said; it counts only if the document
// is whole.
type document struct {
	kind                                kind
	id, model, tier, speed, fingerprint string
	status, reason                      string
	enveloped                           bool // it is about an object within it
	background                          bool
	finish                              []choiceEnd
	content, done, finished             bool
	usage, aside                        *usage // nil where it has none
	units                               *units // nil where it says nothing of any
	passes                              []pass
	failure                             failure
	failed                              bool // there is an error in it
	isError                             bool // it is an error
	rootCode, rootType                  string
}

const (
	// maxChoices bounds the finish reasons that are kept: n is at most 128.
	maxChoices = 256
	maxFinish  = 64 // bytes of a finish reason
	maxPasses  = 64 // kept of one call
)

// replyReader reads the answers of a format.
type replyReader struct {
	table   *replyTable
	target  *target
	refused bool // the status is one of an error
	quirks  quirks
	drift   *drift // nil: nobody is told of unknown counts
	scan    *scanner

	res       result
	merged    *usage // of a cumulative format
	model     string // as last sent
	documents int    // that have ended

	doc        document // the current one
	spareUsage *usage   // of a document before, to be used again
	spareUnits *units
	inAside    bool    // counts belong to the usage in another place
	inPass     bool    // or to the last pass
	choice     int     // position of the current choice
	index      int     // its index
	choiceEnds string  // its finish reason
	details    counter // by the modality of which counts are split
	modality   modality
	split      count
}

func newReplyReader(t *target, refused bool) *replyReader {
	r := &replyReader{}
	r.use(t, refused)
	return r
}

// use makes a reader that has forgotten ready for another answer.
func (r *replyReader) use(t *target, refused bool) {
	r.table, r.target, r.refused, r.quirks = t.api.reply, t, refused, providerQuirks[t.provider]
	if r.table.cumulative {
		r.merged = new(usage)
	}
}

// forget forgets the answer, except for the memory that it needed.
func (r *replyReader) forget() {
	r.begin()
	*r = replyReader{spareUsage: r.spareUsage, spareUnits: r.spareUnits}
}

// add takes a count of the current document.
func (r *replyReader) add(at counter, c count) {
	d := &r.doc
	switch {
	case r.inPass:
		d.passes[len(d.passes)-1].usage.add(at, c)
	case !c.ok: // says nothing; null, for one
	case r.inAside:
		if d.aside == nil {
			d.aside = new(usage)
		}
		d.aside.add(at, c)
	default:
		if d.usage == nil {
			d.usage, r.spareUsage = reuse(r.spareUsage), nil
		}
		d.usage.add(at, c)
	}
}

// units returns the units of the current document.
func (r *replyReader) units() *units {
	if r.doc.units == nil {
		r.doc.units, r.spareUnits = reuse(r.spareUnits), nil
	}
	return r.doc.units
}

// reuse returns what is spare as good as new, or something new.
func reuse[T any](spare *T) *T {
	if spare == nil {
		return new(T)
	}
	*spare = *new(T)
	return spare
}

// begin is called before each document.
func (r *replyReader) begin() {
	if r.doc.usage != nil {
		r.spareUsage = r.doc.usage
	}
	if r.doc.units != nil {
		r.spareUnits = r.doc.units
	}
	r.doc = document{finish: r.doc.finish[:0]}
	r.inAside, r.inPass = false, false
	r.choice, r.index, r.choiceEnds = -1, 0, ""
}

// open implements sink.
func (r *replyReader) open(f field) {
	d := &r.doc
	switch f {
	case rspChoices:
		r.choice = -1
	case rspChoice:
		r.choice++
		r.index, r.choiceEnds = r.choice, ""
	case rspUsageAside:
		r.inAside = true
	case rspPass:
		if len(d.passes) < maxPasses {
			d.passes = append(d.passes, pass{})
			r.inPass = true
		}
	case rspError:
		d.failed = true
	case rspEnvelope:
		d.enveloped = true
	case rspInputDetails:
		r.details = inputAudioTokens
	case rspOutputDetails:
		r.details = outputAudioTokens
	case rspDetail:
		r.modality, r.split = modalityOther, count{}
	case rspImageList:
		r.units().images.ok = true
	case rspMetrics:
		d.done = true
	}
}

// close implements sink.
func (r *replyReader) close(f field) {
	d := &r.doc
	switch f {
	case rspChoice:
		if len(d.finish) < maxChoices {
			d.finish = append(d.finish, choiceEnd{index: r.index, reason: r.choiceEnds})
		}
	case rspChoices:
		r.choice = -1
	case rspUsageAside:
		r.inAside = false
	case rspPass:
		r.inPass = false
	case rspDetail:
		r.splitByModality()
	case rspImages:
		r.units().images = counted(int64(r.scan.members))
	case rspVideos:
		r.units().videos = counted(int64(r.scan.members))
	case rspSearches:
		r.add(webSearches, counted(int64(r.scan.members)))
	}
}

// present implements sink.
func (r *replyReader) present(f field, yes bool) {
	switch f {
	case rspContent:
		r.doc.content = r.doc.content || yes
	case rspImage:
		if yes {
			r.units().images.n++
		}
	}
}

// unknown implements unknownSink.
func (r *replyReader) unknown(_ field, key []byte) {
	if r.drift != nil && !r.refused {
		r.drift.tell(r.target, key)
	}
}

// value implements sink.
func (r *replyReader) value(f field, v value) {
	d := &r.doc
	switch f {
	case rspKind:
		d.kind = r.kindOf(v)
	case rspID:
		d.id = v.same(r.res.id)
	case rspModel:
		r.model = v.same(r.model)
		d.model = r.model
	case rspTier:
		d.tier = v.same(r.res.tier)
	case rspSpeed:
		d.speed = v.same(r.res.speed)
	case rspFingerprint:
		d.fingerprint = v.same(r.res.fingerprint)
	case rspStatus:
		d.status = v.same(r.res.status)
	case rspReason:
		d.reason = v.text()
	case rspBackground:
		d.background = v.isTrue()
	case rspObject:
		d.isError = v.is("error")
	case rspIndex:
		if n := newCount(v); n.ok && n.n < maxChoices {
			r.index = int(n.n)
		}
	case rspFinish:
		r.finishReason(v)
	case rspDone:
		d.done = d.done || v.isTrue()
	case rspGuardrail:
		d.finished = v.is("INTERVENED")
	default:
		switch {
		case f >= firstCount:
			r.add(counter(f-firstCount), newCount(v))
		case f >= rspUsage:
			r.usageValue(f, v)
		default:
			r.errorValue(f, v)
		}
	}
}

func (r *replyReader) kindOf(v value) kind {
	if v.kind != stringValue || v.long {
		return kindOther
	}
	return r.table.kinds[string(v.raw)]
}

// finishReason takes the reason of the current choice or, where there are no
// choices, that of the answer.
func (r *replyReader) finishReason(v value) {
	reason := v.text()
	if v.kind == numberValue && !v.long {
		reason = string(v.raw)
	}
	switch {
	case reason == "" || len(reason) > maxFinish:
	case r.choice >= 0:
		r.choiceEnds = reason
	default: // some repeat it
		r.doc.finish = append(r.doc.finish[:0], choiceEnd{reason: reason})
	}
}

// usageValue takes what usages say besides counts, and units.
func (r *replyReader) usageValue(f field, v value) {
	d := &r.doc
	switch f {
	case rspPassKind, rspPassModel:
		if !r.inPass {
			return
		}
		p := &d.passes[len(d.passes)-1]
		if f == rspPassKind {
			p.kind = v.text()
		} else {
			p.model = v.text()
		}
	case rspItem:
		d.content = true
		if tool, ok := hostedTools[string(v.raw)]; ok && !v.long {
			r.add(tool, counted(1))
		}
	case rspModality:
		r.modality = modalityNames[string(v.raw)]
	case rspModalityCount:
		r.split = newCount(v)
	default:
		r.units().value(f, v)
	}
}

func (r *replyReader) errorValue(f field, v value) {
	d := &r.doc
	switch f {
	case rspError: // a text instead of an object; false and null are none
		d.failed = d.failed || v.kind == stringValue || v.isTrue()
	case rspErrorCode:
		d.failure.code = v.text()
		d.failure.setNumber(v)
	case rspErrorType:
		d.failure.kind = v.text()
	case rspErrorStatus:
		d.failure.status = v.text()
	case rspErrorHTTPStatus:
		d.failure.setNumber(v)
	case rspRootCode:
		d.rootCode = v.text()
	case rspRootType:
		d.rootType = v.text()
	}
}

// mark takes the beginning of an event's data, which may be a mark of the end
// rather than a document.
func (r *replyReader) mark(text []byte) {
	if string(bytes.TrimSpace(text)) == "[DONE]" {
		r.res.done = true
	}
}

// exception is a failure that a frame's header names.
func (r *replyReader) exception(name []byte) {
	r.doc.failure.code, r.doc.isError = string(name), true
}
