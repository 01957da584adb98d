// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"encoding/hex"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// block is a record together with all that it points to, so that a record costs
// one allocation.
type block struct {
	record metering.Completion
	// own is the record of media or a tool, which gets what it has in common with a
	// completion in the end; nil for a completion.
	own        metering.Record
	subscriber metering.Subscriber
	credential metering.Credential
	skipped    bool
	// origins says, one more, where each attribution field has its value from.
	origins [maxFields - numCoreFields]uint8
	// reason is why the record is billed.
	reason Reason

	integers [12]int64
	floats   [8]float64
	nInteger int
	nFloat   int
}

// integer returns a pointer to v.
func (b *block) integer(v int64) *int64 {
	if b.nInteger == len(b.integers) {
		p := new(int64)
		*p = v
		return p
	}
	p := &b.integers[b.nInteger]
	b.nInteger++
	*p = v
	return p
}

// float returns a pointer to v.
func (b *block) float(v float64) *float64 {
	if b.nFloat == len(b.floats) {
		p := new(float64)
		*p = v
		return p
	}
	p := &b.floats[b.nFloat]
	b.nFloat++
	*p = v
	return p
}

// count returns a pointer to a count that is known, nil for another one.
func (b *block) count(c count) *int64 {
	if !c.known {
		return nil
	}
	return b.integer(c.n)
}

// person returns the record's subscriber.
func (b *block) person() *metering.Subscriber {
	b.record.Subscriber = &b.subscriber
	return &b.subscriber
}

// secret returns the credential of the record's subscriber.
func (b *block) secret() *metering.Credential {
	b.person().Credential = &b.credential
	return &b.credential
}

// build makes the record of a call.
func (w *work) build(op operation, id *identity, t *tokens, stop metering.StopReason, f *failure) *block {
	b := w.c.blocks.Get().(*block)
	b.own = newRecord(w.record)
	c := &b.record
	c.Model = id.model
	c.Provider = id.provider.display
	c.CostType = metering.CostAI
	c.OperationType, c.OperationSubtype = op.typ, op.subtype
	if id.source != sourceUnknown {
		c.ModelSource = id.source
	}
	if id.provider.claudeHost != "" && isClaude(id.model) {
		c.ModelHost = id.provider.claudeHost
	}
	w.setIDs(c)
	w.setTimes(b)
	w.setTokens(b, id, t)
	c.StopReason = stop
	if f != nil {
		c.StopReason = f.stop
		if f.status >= statusBadRequest { // of a stream that failed or was left, 200 is no error's
			c.ErrorCode = b.integer(f.status)
		}
		if w.c.cfg.errorReasons {
			c.ErrorReason = f.text
		}
	}
	if c.StopReason == "" {
		c.StopReason = metering.StopEnd
	}
	w.setAttribution(b)
	return b
}

func (w *work) setTokens(b *block, id *identity, t *tokens) {
	c := &b.record
	c.InputTokenCount = t.wireInput(id)
	c.OutputTokenCount = t.output.n
	c.TotalTokenCount = t.input.n + t.output.n
	c.CacheReadTokenCount = b.count(t.cacheRead)
	c.CacheCreationTokenCount = b.count(t.cacheCreation)
	c.CacheCreation5mTokenCount = b.count(t.fiveMinutes)
	c.CacheCreation1hTokenCount = b.count(t.hour)
	c.ReasoningTokenCount = b.count(t.reasoning)
}

// setTimes writes when the call was made and when its first token came.
func (w *work) setTimes(b *block) {
	c := &b.record
	c.RequestTime = metering.Timestamp{Time: w.start}
	c.ResponseTime = metering.Timestamp{Time: w.end}
	c.RequestDuration = w.end.UnixMilli() - w.start.UnixMilli()
	c.CompletionStartTime = c.ResponseTime

	stream, known := w.streamed()
	if f := w.extract.get(fieldStream); f != nil && !known {
		stream, known = f.num != 0, true
	}
	first, measured := w.firstToken(stream, known)
	c.IsStreamed = stream || !known && (measured || w.events.streamed)
	if !measured {
		return
	}
	if !c.IsStreamed {
		w.extract.note(fieldFirstToken, w.extract.facts[fieldFirstToken].key(), NoteDropped, "the call was not streamed")
		return
	}
	c.TimeToFirstToken = b.integer(min(int64((first+time.Millisecond/2)/time.Millisecond), c.RequestDuration))
	c.CompletionStartTime = metering.Timestamp{Time: w.start.Add(first)}
}

// firstToken is the time from the start to the first token where it was measured
// and can be true.
func (w *work) firstToken(stream, known bool) (time.Duration, bool) {
	x := &w.extract
	if f := x.get(fieldFirstToken); f != nil {
		if d := time.Duration(f.num); d <= w.end.Sub(w.start) {
			return d, true
		}
		x.note(fieldFirstToken, f.key(), NoteDropped, "is longer than the call")
		return 0, false
	}
	if known && !stream {
		return 0, false
	}
	if f := x.get(fieldFirstTokenAt); f != nil {
		if at := time.Unix(0, f.num); at.After(w.start) && !at.After(w.end) {
			return at.Sub(w.start), true
		}
		x.note(fieldFirstToken, f.key(), NoteDropped, "is not within the call")
		return 0, false
	}
	w.lookAtEvents()
	if x.voc.dialect.quirks.has(firstTokenAtEnd) {
		return 0, false
	}
	if at := w.events.firstToken; at.After(w.start) && !at.After(w.end) {
		return at.Sub(w.start), true
	}
	return 0, false
}

// idLength is the length of an id of the default scheme.
const idLength = 32 + 1 + 16

// setIDs writes the ids. Each is a part of one string, so that they cost one
// allocation.
func (w *work) setIDs(c *metering.Completion) {
	var buf [2 * idLength]byte
	putID(buf[:idLength], w.key.Trace, w.key.Span)
	n := idLength
	if w.parentID != ([8]byte{}) {
		n = 2 * idLength
		putID(buf[idLength:n], w.key.Trace, w.parentID)
	}
	ids := string(buf[:n])
	c.TraceID = ids[:32]
	c.TransactionID = ids[:idLength]
	if n > idLength {
		c.ParentTransactionID = ids[idLength:]
	}
	switch w.c.cfg.idScheme {
	case IDSpan:
		c.TransactionID = ids[33:idLength]
		if n > idLength {
			c.ParentTransactionID = ids[idLength+33:]
		}
	case IDResponse:
		if id := w.extract.text(fieldResponseID); id != "" {
			c.TransactionID = id
		}
	default:
	}
}

// putID writes the id that a span has by the default scheme; it is idLength bytes
// long.
func putID(dst []byte, trace [16]byte, span [8]byte) {
	n := hex.Encode(dst, trace[:])
	dst[n] = '-'
	hex.Encode(dst[n+1:], span[:])
}

// setAttribution writes the fields that come from attributes as they are.
func (w *work) setAttribution(b *block) {
	x := &w.extract
	for _, at := range x.touched {
		if at < numCoreFields {
			continue
		}
		f, a := &x.facts[at], &w.c.attribution.fields[at-numCoreFields]
		if a.records&w.record == 0 {
			continue
		}
		if !a.set(b, f) {
			x.note(at, f.key(), NoteDropped, "is not a value that the API knows")
			continue
		}
		b.origins[at-numCoreFields] = uint8(f.level) + 1
	}
	if c := &b.record; c.TransactionName == "" {
		c.TransactionName = c.TaskType
	}
}

// sources says where the values came from, in a fixed order.
func (w *work) sources() []Source {
	x := &w.extract
	sources := make([]Source, 0, len(x.touched))
	for at := range field(len(w.c.names)) {
		if f := x.get(at); f != nil && w.isSource(at) {
			sources = append(sources, Source{Field: x.names[at], Attribute: f.key(), Origin: f.level})
		}
	}
	return sources
}

// isSource reports whether a fact is a value of the record, and not one that was
// only looked at on the way, such as those that have no name in a record.
func (w *work) isSource(at field) bool {
	if w.extract.names[at] == "" {
		return false
	}
	if at >= numCoreFields && w.c.attribution.fields[at-numCoreFields].records&w.record == 0 {
		return false
	}
	overridden := func(name string) bool { return w.extract.get(w.c.attribution.byName[name]) != nil }
	switch at {
	case fieldOutputType, fieldTotal, fieldServer, fieldUncached, fieldDuration, fieldErrorMessage:
		return false
	case fieldKind:
		return !overridden("operationType")
	case fieldOperation:
		return !overridden("operationType") && w.extract.get(fieldKind) == nil
	case fieldRequestType:
		return !overridden("operationType") && w.extract.get(fieldOperation) == nil && w.extract.get(fieldKind) == nil
	case fieldLiteLLM:
		return !overridden("modelSource")
	case fieldResponseModel, fieldRequestModel:
		return at == w.modelField
	case fieldResponseID:
		return w.c.cfg.idScheme == IDResponse && !overridden("transactionId")
	case fieldFinish:
		return w.failed == (failure{})
	default:
		return true
	}
}
