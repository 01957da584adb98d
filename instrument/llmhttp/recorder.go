// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/semconv"
)

// recorder watches the body of one answer and ends the call's span when it is
// over, whichever way that is noticed first. It knows nothing of the body that
// feeds it, so that a body nobody closes can be collected and says so.
type recorder struct {
	ctx      context.Context // of the request
	call     *instrument.Call
	exchange *exchange
	header   http.Header // of the answer
	finished atomic.Bool

	mu       sync.Mutex
	answer   *answer     // nil when the body cannot be understood
	unpack   *pushReader // nil unless the body is compressed
	packed   bool        // the first bytes will tell whether it really is
	timed    bool        // the first token was seen
	redeemed bool        // it is the answer to an earlier call
	last     time.Time
	unhook   func() bool // of the context
}

// ending is the way in which an answer's body came to its end.
type ending uint8

const (
	endedByItself  ending = iota // its own mark, or io.EOF
	endedByError                 // of Read
	endedByClose                 // of a body that was not read to its end
	endedByContext               // of the request
	endedByNobody                // the body was thrown away
)

// newRecorder starts watching the answer to e, which has the given headers.
// encoding is the Content-Encoding.
func newRecorder(e *exchange, h http.Header, encoding string) *recorder {
	ctx := e.original.Context()
	r := &recorder{ctx: ctx, call: e.call, exchange: e, header: h, last: time.Now()}
	if !isOpaque(e.target.api, e.question, h) {
		r.understand(encoding)
	}
	unhook := context.AfterFunc(ctx, func() { r.finish(endedByContext, ctx.Err()) })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unhook = unhook
	if r.finished.Load() { // the context ended meanwhile
		r.release()
	}
	return r
}

// understand makes ready for reading the body.
func (r *recorder) understand(encoding string) {
	switch encoding {
	case "gzip", "x-gzip":
		r.packed = true
	case "", "identity":
	default:
		return
	}
	r.answer = r.exchange.transport.reused.answers.take(&r.exchange.target)
	reader := r.answer.reader
	reader.drift = r.exchange.transport.drift
	reader.measure(r.header)
	if reader.table.lines {
		p := r.exchange.question.asked()
		r.answer.lines = p.stream
	}
	r.answer.listen(&r.exchange.transport.capture)
}

// observe takes what a Read of the body returned.
func (r *recorder) observe(p []byte, err error) {
	if r.finished.Load() {
		return
	}
	over := len(p) > 0 && r.scan(p)
	switch {
	case over, errors.Is(err, io.EOF):
		r.finish(endedByItself, nil)
	case err != nil:
		r.finish(endedByError, contextError(r.ctx, err))
	}
}

// scan reads along and says whether the answer is over.
func (r *recorder) scan(p []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.finished.Load() {
		return false
	}
	r.last = time.Now()
	if r.answer == nil {
		return false
	}
	if !r.feed(p) {
		return false
	}
	if !r.timed && r.answer.reader.res.content && r.answer.streamed() {
		r.timed = true
		r.call.FirstTokenAt(r.last)
	}
	return r.answer.ended()
}

var gzipMagic = []byte{0x1f, 0x8b}

// feed hands a piece of the body to what reads it. It returns false if that
// gave up.
func (r *recorder) feed(p []byte) (ok bool) {
	defer r.guard(&ok)
	if r.packed {
		r.packed = false
		// Some servers and many test doubles say gzip and send plain text.
		if p[0] == gzipMagic[0] {
			r.unpack = newGunzip(r.answer.write)
		}
	}
	if r.unpack != nil {
		r.unpack.write(p)
	} else {
		r.answer.write(p)
	}
	return true
}

// endOfBody tells what reads the body that it is over.
func (r *recorder) endOfBody() (ok bool) {
	defer r.guard(&ok)
	if r.unpack != nil {
		r.unpack.end()
	}
	r.answer.end()
	return true
}

// guard keeps a panic in what reads a server's bytes from the caller, whose
// answer it is: it is deferred by what may panic, and leaves ok false then.
func (r *recorder) guard(ok *bool) {
	if p := recover(); p != nil {
		*ok = false
		r.answer, r.unpack = nil, nil
		otel.Handle(fmt.Errorf("llmhttp: reading an answer: %v; its usage is lost", p))
	}
}

// finish ends the span, the first time that it is called.
func (r *recorder) finish(how ending, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.finished.CompareAndSwap(false, true) {
		return
	}
	defer r.release()
	at := time.Now()
	if how == endedByNobody {
		at = r.last
	}
	if r.answer != nil && how == endedByItself && !r.answer.ended() {
		r.endOfBody()
	}
	if r.answer == nil { // not understood; that it was closed early says nothing then
		if how == endedByClose {
			how = endedByItself
		}
		r.call.SetUsage(instrument.Usage{NoTokens: r.noTokens(&result{})})
		r.call.SetAttributes(r.content(nil)...)
		r.call.EndAt(failureOf(how, err, false), at)
		return
	}
	cause := r.cause(how, err)
	r.report(cause)
	r.reportPasses(at)
	r.call.EndAt(cause, at)
}

// cause returns why the call failed, or nil if it did not.
func (r *recorder) cause(how ending, err error) error {
	whole := r.answer.whole()
	if how == endedByError || how == endedByContext && r.answer.shape == shapeOther {
		whole = r.answer.ended() // what broke may have cut off the usage
	}
	switch failure := r.answer.reader.res.failure; {
	case failure != nil:
		return failure.error()
	case whole:
		return nil // whatever was cut off is no loss
	default:
		return failureOf(how, err, r.answer.shape != shapeUnknown)
	}
}

// release lets go of all that the call needed.
func (r *recorder) release() {
	switch {
	case r.unpack != nil:
		r.unpack.close()
	case r.answer != nil:
		r.exchange.transport.reused.answers.give(r.answer)
	}
	r.answer, r.unpack = nil, nil
	if r.unhook != nil {
		r.unhook()
	}
}

// report puts what the answer said on the span.
func (r *recorder) report(cause error) {
	r.answer.reader.conclude()
	res, target := &r.answer.reader.res, &r.exchange.target
	r.call.SetResponse(instrument.Response{
		ID:                res.id,
		Model:             res.model,
		FinishReasons:     slices.DeleteFunc(res.finish, func(reason string) bool { return reason == "" }),
		SystemFingerprint: res.fingerprint,
	})
	lists := &r.exchange.transport.reused.lists
	list := lists.take()
	defer lists.give(list)
	attributes := *list
	attributes.text(target.api.responseTierKey(), res.tier)
	attributes.text(semconv.ReveniumSpeedKey, res.speed)
	attributes = r.settleJob(attributes, res)
	attributes = res.units.attributes(attributes, target)
	if target.media() != nil && res.tokens.reported() {
		attributes = append(attributes, semconv.ReveniumBillingUnitPerToken)
	}
	attributes.flag(semconv.ReveniumMeteringSkipKey, res.free)
	attributes = r.content(attributes)
	*list = attributes
	r.call.SetAttributes(attributes...)

	usage := res.tokens.usage()
	usage.NoTokens = r.noTokens(res)
	switch {
	case cause != nil:
		// What was refused outright consumed nothing that could be missing.
		usage.Partial = res.failure == nil || res.content || res.tokens.reported()
	case res.content && res.tokens.allZero():
		usage.Partial = true // nothing consumed, and yet there is an answer
	}
	r.call.SetUsage(usage)
}

// content appends what was asked and answered, where capture is on.
func (r *recorder) content(to attributeList) attributeList {
	c := &r.exchange.transport.capture
	if !c.on {
		return to
	}
	to = r.exchange.question.content(to, c)
	if r.answer != nil && r.answer.said != nil {
		to.text(semconv.GenAIOutputMessagesKey, r.answer.said.list(c.limit, c.redact, r.answer.reader.res.finish))
	}
	return to
}

// reportPasses makes spans of the parts of a call that other models ran at prices
// of their own. They are in no total of the call.
func (r *recorder) reportPasses(at time.Time) {
	res, e := &r.answer.reader.res, r.exchange
	for i := range res.passes {
		p := &res.passes[i]
		if p.kind != passAdvisor || p.model == "" || !p.usage.reported() {
			continue
		}
		_, part := e.startCall(e.ctx, e.target.operation, p.model, false, e.extra)
		t := r.answer.reader.table.tokens(&p.usage, r.answer.reader.quirks)
		part.SetResponse(instrument.Response{Model: p.model})
		part.SetUsage(t.usage())
		part.EndAt(nil, at)
	}
}

// noTokens says that nobody would miss tokens in the answer: it is known what
// else is billed, or nothing is.
func (r *recorder) noTokens(res *result) bool {
	if !r.exchange.target.api.billable && !r.redeemed || res.free || res.units.searchUnits.ok {
		return true
	}
	m := r.exchange.target.media()
	if m == nil {
		return false
	}
	p := r.exchange.question.asked()
	return m.counted(&p, &res.units)
}

// settleJob sees to it that a call which is answered later is metered once: by
// the first answer that shows how it ended. It appends what the span of that gets.
func (r *recorder) settleJob(to attributeList, res *result) attributeList {
	target, jobs := &r.exchange.target, r.exchange.transport.jobs
	a, id := target.api, res.id
	if a.job == jobNever && !a.retrieves {
		return to
	}
	if id == "" {
		id = target.found
	}
	key := target.hostPort + " " + id
	switch {
	case a.job != jobNever && id != "" && res.isPending():
		p := r.exchange.question.asked()
		if a.job == jobIfAsked && !p.background && !res.background {
			break
		}
		jobs.add(key, newJob(&p, target))
		r.exchange.transport.settings.promised.add(target.hostPort)
		res.free = true
		res.units.seconds = amount{} // so long it is to be; nothing is there yet
	case !a.retrieves: // the answer itself
	case !final[res.status]:
		res.free = true
	default:
		found, ok := jobs.take(key)
		if !ok { // metered already, or somebody else's
			res.free = true
			break
		}
		r.redeemed = true
		target.operation = found.operation
		r.call.SetModel(found.operation, found.model)
		to = found.redeem(to, res)
	}
	return to
}

// error returns what a body's own report of a failure means.
func (f *failure) error() error {
	kind := f.errorType()
	if kind == "" && f.number != 0 {
		kind = strconv.Itoa(f.number)
	}
	if kind == "" {
		kind = instrument.ErrorTypeOther
	}
	return &instrument.Error{Type: kind}
}

var (
	errClosed    = &instrument.Error{Type: instrument.ErrorTypeCanceled, Err: errors.New("answer closed before its end")}
	errAbandoned = &instrument.Error{Type: instrument.ErrorTypeCanceled, Err: errors.New("answer thrown away before its end")}
	errCut       = &instrument.Error{Type: instrument.ErrorTypeUnexpectedEOF, Err: io.ErrUnexpectedEOF}
)

// failureOf says what kind of failure an ending is, or nil if it is none. cut
// says that the answer is known not to be whole.
func failureOf(how ending, err error, cut bool) error {
	switch how {
	case endedByClose:
		return errClosed
	case endedByNobody:
		return errAbandoned
	case endedByContext:
		return err
	case endedByError:
		// Whatever broke the connection, the answer is cut: HTTP/2, for one, has
		// errors of its own for that.
		if kind := instrument.ErrorType(err); kind == instrument.ErrorTypeOther {
			return errCut
		}
		return err
	default:
		if cut {
			return errCut
		}
		return nil
	}
}
