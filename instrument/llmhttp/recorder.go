// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/revenium/revenium-otel-go/instrument"
)

// recorder watches the body of one answer and ends the call's span when it is
// over, whichever way that is noticed first. It knows nothing of the body that
// feeds it, so that a body nobody closes can be collected and says so.
type recorder struct {
	ctx      context.Context // of the request
	call     *instrument.Call
	finished atomic.Bool

	mu     sync.Mutex
	answer *answer // nil when the body cannot be understood
	unpack *gunzip // nil unless the body is compressed
	packed bool    // the first bytes will tell whether it really is
	timed  bool    // the first token was seen
	last   time.Time
	unhook func() bool // of the context
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

// newRecorder starts watching. encoding is the answer's Content-Encoding.
func newRecorder(ctx context.Context, call *instrument.Call, reader responseReader, encoding string) *recorder {
	r := &recorder{ctx: ctx, call: call, last: time.Now()}
	switch encoding {
	case "", "identity":
		r.answer = newAnswer(reader)
	case "gzip", "x-gzip":
		r.answer = newAnswer(reader)
		r.packed = true
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
	if !r.timed && r.answer.shape == shapeEvents && r.answer.reader.result().content {
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
		r.call.EndAt(failureOf(how, err, false), at)
		return
	}
	cause := r.cause(how, err)
	r.report(cause)
	r.call.EndAt(cause, at)
}

// cause returns why the call failed, or nil if it did not.
func (r *recorder) cause(how ending, err error) error {
	whole := r.answer.whole()
	switch failure := r.answer.reader.result().failure; {
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
	if r.unpack != nil {
		r.unpack.close()
	}
	r.answer, r.unpack = nil, nil
	if r.unhook != nil {
		r.unhook()
	}
}

// report puts what the answer said on the span.
func (r *recorder) report(cause error) {
	res := r.answer.reader.result()
	r.call.SetResponse(instrument.Response{
		ID:                res.id,
		Model:             res.model,
		FinishReasons:     slices.DeleteFunc(res.finish, func(reason string) bool { return reason == "" }),
		ServiceTier:       res.tier,
		SystemFingerprint: res.fingerprint,
	})
	usage := res.tokens.usage()
	switch {
	case cause != nil:
		// What was refused outright consumed nothing that could be missing.
		usage.Partial = res.failure == nil || res.content || res.tokens.reported()
	case res.content && res.tokens.allZero():
		usage.Partial = true // nothing consumed, and yet there is an answer
	}
	r.call.SetUsage(usage)
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
