// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"
)

// Frozen is a record in the form in which it is sent. It never changes again: all
// attempts to deliver it send the same bytes under the same key, so that the
// service recognises a repetition.
type Frozen struct {
	// Endpoint is where the record belongs.
	Endpoint Endpoint
	// TransactionID is the id of the record.
	TransactionID string
	// IdempotencyKey is the value of the Idempotency-Key header: the transaction
	// id, a hyphen and a digest of endpoint and body in hex, so that a body that was
	// derived anew and came out differently never meets the key of the old one. An
	// id that is too long for the header, or has characters that it may not have, is
	// represented by its SHA-256.
	IdempotencyKey string
	// Body is the JSON. It can hold a subscriber's credential.
	Body []byte
}

// String describes the record without its content.
func (f Frozen) String() string {
	return fmt.Sprintf("%s %s (%d bytes)", f.Endpoint, f.TransactionID, len(f.Body))
}

// LogValue describes the record to log/slog without its content.
func (f Frozen) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("endpoint", string(f.Endpoint)),
		slog.String("transaction_id", f.TransactionID),
		slog.Int("bytes", len(f.Body)),
	)
}

// Change says what [Freeze] altered in one field of a record, and why. It never
// holds a value.
type Change struct {
	// Field is the JSON name, with dots for nested fields: "subscriber.email".
	Field string
	// Action is what was done.
	Action ChangeAction
	// Reason is one of a small number of fixed texts per field.
	Reason string
}

// String is for people.
func (c Change) String() string { return c.Field + " " + string(c.Action) + ": " + c.Reason }

// ChangeAction is what [Freeze] did to a field.
type ChangeAction string

// The actions.
const (
	// Dropped means that the field is not sent.
	Dropped ChangeAction = "dropped"
	// Truncated means that the end of the value is not sent.
	Truncated ChangeAction = "truncated"
	// Replaced means that another value is sent.
	Replaced ChangeAction = "replaced"
)

// Problem is one reason why a record cannot be sent.
type Problem struct {
	// Field is the JSON name; empty when the record as a whole is meant.
	Field string
	// Reason is one of a small number of fixed texts per field.
	Reason string
}

// InvalidRecordError lists what keeps a record from being sent. It holds no
// values.
type InvalidRecordError struct {
	// Endpoint is where the record would have belonged; empty for a nil [Record].
	Endpoint Endpoint
	// Problems has at least one element.
	Problems []Problem
}

// Error lists the problems.
func (e *InvalidRecordError) Error() string {
	var b strings.Builder
	b.WriteString("metering: invalid record")
	if e.Endpoint != "" {
		b.WriteString(" for ")
		b.WriteString(string(e.Endpoint))
	}
	for i, p := range e.Problems {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString("; ")
		}
		if p.Field != "" {
			b.WriteString(p.Field)
			b.WriteByte(' ')
		}
		b.WriteString(p.Reason)
	}
	return b.String()
}

// Buffers for bodies start with room for a chat completion with attribution; one
// that grew far beyond it, for the sake of captured content, is not kept.
const (
	typicalBodySize = 1280
	maxKeptBuffer   = 64 << 10
)

// walkers are the walkers that are not in use, with their buffers. Freeze runs in
// the request path of applications.
var walkers = sync.Pool{New: func() any { return &walker{buf: make([]byte, 0, typicalBodySize)} }}

// Freeze checks rec against the rules of the API, mends what can be mended, and
// fixes the bytes that are sent, the transaction id and the idempotency key.
//
// What it mends, it changes in rec itself, so that rec afterwards reads as it is
// sent; rec must therefore not be in use elsewhere. What rec points to (the
// subscriber, numbers, maps) is never written to and can be shared. Every change
// is returned, except that defaults named in the types' comments are filled in
// silently:
//
//   - text: white space around it and control characters are removed, invalid
//     UTF-8 is replaced, what is longer than its limit is truncated;
//   - ids that are longer than any that the API is known to take: those of
//     transactions and traces are replaced by a digest, which keeps them distinct
//     and linked, others are dropped;
//   - text that must match a pattern (trace type, effort), numbers out of range,
//     negative, infinite or not a number: dropped;
//   - an invalid agentic job id: dropped with the other job fields, because the
//     service would refuse the whole record;
//   - enumerations: a value in the wrong case is corrected, an unknown one dropped
//     or, where the field is required, replaced;
//   - times: a response before its request takes the request's time, a time outside
//     of the years 2000 to 2200 that of the other, a first token outside of the call
//     is moved to its nearer end, a duration that contradicts the times is computed
//     anew;
//   - counts that contradict each other: a total below its parts is computed anew,
//     parts above their whole are dropped, a whole that is missing is their sum.
//
// What cannot be mended is an [*InvalidRecordError] with all that is wrong: no
// model, provider or transaction id, no plausible time, a required count that is
// negative or above 2^53. The changes are returned then, too.
func Freeze(rec Record) (Frozen, []Change, error) {
	if rec == nil || rec.absent() {
		e := &InvalidRecordError{Problems: []Problem{{Reason: "is nil"}}}
		if rec != nil {
			e.Endpoint = rec.Endpoint()
		}
		return Frozen{}, nil, e
	}
	w := walkers.Get().(*walker)
	defer w.release()
	w.checking = true
	w.write(rec)
	w.stale = false // what was mended until now was written afterwards
	rec.reconcile(w)
	if len(w.problems) > 0 {
		return Frozen{}, w.changes, &InvalidRecordError{Endpoint: rec.Endpoint(), Problems: w.problems}
	}
	if w.stale {
		w.checking = false
		w.write(rec)
	}

	f := Frozen{Endpoint: rec.Endpoint(), TransactionID: rec.id()}
	f.IdempotencyKey = idempotencyKey(f.TransactionID, w.buf)
	// A copy of just the size: it may wait in a queue for long.
	f.Body = bytes.Clone(w.buf[len(f.Endpoint):])
	return f, w.changes, nil
}

// write writes the body, behind the endpoint: a digest is made of both.
func (w *walker) write(rec Record) {
	w.encoding = true
	w.buf = append(w.buf[:0], rec.Endpoint()...)
	w.buf = append(w.buf, '{')
	rec.walk(w)
	w.buf = append(w.buf, '}')
}

// release keeps the walker for the next record. Its buffer may hold a secret until
// it is written over, as the memory of any body does.
func (w *walker) release() {
	if cap(w.buf) > maxKeptBuffer {
		return
	}
	*w = walker{buf: w.buf[:0]}
	walkers.Put(w)
}

// maxKeyID is the longest id that stands in an idempotency key as it is: with the
// digest, a key has at most the 255 characters that the header may have.
const maxKeyID = 200

// idempotencyKey is unique as the id is. All that the digest, which is of the endpoint
// and the body, has to tell apart are bodies under the same id, for which one of 64
// bits that is quick to compute does: this runs in the request path of applications.
func idempotencyKey(id string, endpointAndBody []byte) string {
	if len(id) > maxKeyID || !isPrintable(id) || strings.IndexByte(id, ' ') >= 0 {
		sum := sha256.Sum256([]byte(id))
		id = hex.EncodeToString(sum[:])
	}
	var sum [8]byte
	binary.BigEndian.PutUint64(sum[:], xxhash.Sum64(endpointAndBody))
	var scratch [maxKeyID + 1 + 2*len(sum)]byte
	key := append(scratch[:0], id...)
	key = append(key, '-')
	return string(hex.AppendEncode(key, sum[:]))
}
