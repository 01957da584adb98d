// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

// tokens is the one model of a call's tokens. A count that nobody reported is not
// zero, so each comes with whether it is known.
type tokens struct {
	// input is all input, the cached part included; output all output, reasoning
	// included.
	input, output count
	// reported and reportedOutput are input and output as they stand on the span.
	reported, reportedOutput int64
	// cacheRead and cacheCreation are parts of input, fiveMinutes and hour parts of
	// cacheCreation, reasoning a part of output.
	cacheRead, cacheCreation, fiveMinutes, hour, reasoning count
	// moreInput and moreOutput are in input and output, and were reported beside
	// them.
	moreInput, moreOutput int64
}

// detail is the number of things known besides input and output.
func (t *tokens) detail() uint8 {
	n := uint8(0)
	for _, c := range [...]count{t.cacheRead, t.cacheCreation, t.fiveMinutes, t.hour, t.reasoning} {
		if c.known {
			n++
		}
	}
	return n
}

// count is a number that may be unknown.
type count struct {
	n     int64
	known bool
}

// known reports whether the tokens say anything: a provider that reports zero of
// everything for an answer has reported nothing.
func (t *tokens) known() bool { return t.input.n > 0 || t.output.n > 0 }

func (w *work) count(at field) count {
	f := &w.extract.facts[at]
	return count{n: f.num, known: f.set}
}

// tokens reads the counts of the span.
func (w *work) tokens(id *identity) tokens {
	t := tokens{
		input:         w.count(fieldInput),
		output:        w.count(fieldOutput),
		cacheRead:     w.count(fieldCacheRead),
		cacheCreation: w.count(fieldCacheCreation),
		fiveMinutes:   w.count(fieldCacheCreation5m),
		hour:          w.count(fieldCacheCreation1h),
		reasoning:     w.count(fieldReasoning),
	}
	if f := w.extract.get(fieldBuckets); f != nil {
		if b, ok := readBuckets(f.text, w.c.bucketTree); ok {
			t = b.tokens()
		}
	}
	t.reported, t.reportedOutput = t.input.n, t.output.n
	if parts := t.fiveMinutes.n + t.hour.n; !t.cacheCreation.known && (t.fiveMinutes.known || t.hour.known) {
		t.cacheCreation = count{n: parts, known: true}
	}
	total := w.count(fieldTotal)
	w.grossInput(&t, total, id)
	w.grossOutput(&t, total, id)
	if more := w.count(fieldMoreInput); more.known {
		t.input, t.moreInput = count{t.input.n + more.n, true}, more.n
	}
	if more := w.count(fieldMoreOutput); more.known {
		t.output, t.moreOutput = count{t.output.n + more.n, true}, more.n
	}
	if t.reasoning.n > t.output.n {
		t.reasoning = count{}
		w.extract.note(fieldReasoning, w.extract.facts[fieldReasoning].key(), NoteDropped, "is above the output, of which it is a part")
	}
	return t
}

// grossInput makes the input include the cached part where it does not yet. What
// the dialect says counts, unless the numbers prove the opposite.
func (w *work) grossInput(t *tokens, total count, id *identity) {
	x := &w.extract
	cached := t.cacheRead.n + t.cacheCreation.n
	if cached == 0 {
		return
	}
	exclusive := w.basis(id) == InputExclusive
	missing := total.n - t.input.n - t.output.n
	uncached := w.count(fieldUncached)
	switch {
	case !t.input.known && uncached.known:
		t.input, exclusive = uncached, true
	case uncached.known && t.input.n == uncached.n+cached:
		exclusive = false // what the provider reported shows it
	case uncached.known && t.input.n == uncached.n:
		exclusive = true
	case exclusive:
	case max(t.cacheRead.n, t.cacheCreation.n) > t.input.n:
		exclusive = true
		x.note(fieldInput, x.facts[fieldInput].key(), NoteReplaced, "is less than the tokens of the cache, so these are added")
	case total.known && missing == cached && missing != t.reasoning.n:
		exclusive = true
		x.note(fieldInput, x.facts[fieldInput].key(), NoteReplaced, "leaves out the tokens of the cache, as the total shows, so these are added")
	case cached > t.input.n && overlaps(id) || total.known && missing == 0 && cached > t.input.n:
		// What is read and what is written overlap.
		x.note(fieldInput, x.facts[fieldInput].key(), NoteDoubtful, "is less than cache reads and writes together, which must overlap")
	case cached > t.input.n:
		exclusive = true
		x.note(fieldInput, x.facts[fieldInput].key(), NoteReplaced, "is less than the tokens of the cache, so these are added")
	}
	if exclusive {
		t.input = count{n: t.input.n + cached, known: true}
	}
}

// overlaps reports whether a provider counts what it reads from and writes to the
// cache at once twice. Those of Anthropic's models do not.
func overlaps(id *identity) bool { return id.provider.wire != WireNet && !isClaude(id.model) }

// basis says what the span's input includes.
func (w *work) basis(id *identity) InputBasis {
	for _, s := range w.c.cfg.scopeBases {
		if len(w.scope) >= len(s.prefix) && w.scope[:len(s.prefix)] == s.prefix {
			return s.basis
		}
	}
	bedrock := id.provider.name == "aws.bedrock"
	switch w.extract.voc.dialect.exclusive {
	case exclusiveAlways:
		return InputExclusive
	case exclusiveBedrock:
		if bedrock {
			return InputExclusive
		}
	case exclusiveClaude:
		if bedrock || id.provider.name == "anthropic" || isClaude(id.model) {
			return InputExclusive
		}
	default:
	}
	return InputInclusive
}

// grossOutput makes the output include reasoning where a total proves that it
// does not, and checks what is left.
func (w *work) grossOutput(t *tokens, total count, id *identity) {
	x := &w.extract
	missing := total.n - t.input.n - t.output.n
	// Google's totals have in them what is consumed beside input and output.
	if more := w.count(fieldMoreInput).n + w.count(fieldMoreOutput).n; missing >= more {
		missing -= more
	}
	key := x.facts[fieldTotal].key()
	switch {
	case !total.known || missing == 0 || total.n == 0:
	case t.input.n != t.reported && total.n == t.reported+t.output.n:
		// A total that the emitter made of its own net input.
	case missing == t.reasoning.n && missing > 0:
		t.output = count{n: t.output.n + missing, known: true}
		x.note(fieldOutput, x.facts[fieldOutput].key(), NoteReplaced, "leaves out the reasoning, as the total shows, so it is added")
	case missing > 0 && !t.reasoning.known && id.provider.google && t.output.known && t.input.known:
		t.output.n += missing
		t.reasoning = count{n: missing, known: true}
		x.note(fieldOutput, x.facts[fieldOutput].key(), NoteReplaced, "leaves out the thinking that the total includes, so it is added")
	case missing > 0:
		x.note(fieldTotal, key, NoteDoubtful, "is above input and output: some tokens are not reported")
	default:
		x.note(fieldTotal, key, NoteDoubtful, "is below input and output")
	}
}

// wireInput is the input that Revenium expects: it prices input and cache
// separately and subtracts the cached part itself for some providers only.
func (t *tokens) wireInput(id *identity) int64 {
	wire := id.provider.wire
	if id.provider.claudeWire != 0 && isClaude(id.model) {
		wire = id.provider.claudeWire
	}
	switch wire {
	case WireNet:
		return t.uncached()
	case WireReported:
		return t.reported
	default:
		return t.input.n
	}
}

// uncached is the input that has nothing to do with the cache. Where reads and
// writes overlap, the larger of them is all that does.
func (t *tokens) uncached() int64 {
	if rest := t.input.n - t.cacheRead.n - t.cacheCreation.n; rest >= 0 {
		return rest
	}
	return t.input.n - max(t.cacheRead.n, t.cacheCreation.n)
}

// sane reports whether the sums can be written.
func (t *tokens) sane() bool { return t.input.n <= maxCount && t.input.n+t.output.n <= maxCount }
