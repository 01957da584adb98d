// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"fmt"
	"math"
	"strings"

	"github.com/revenium/revenium-otel-go/semconv/limits"
)

// walker visits the fields of a record: it checks and mends each of them, and writes
// it. So each field, its name and its rule stand in one list, in the walk method of
// the record. When fields turn out to contradict each other, what follows from that
// is only known at the end; then they are written again.
type walker struct {
	checking, encoding bool
	// stale: what has been written is no longer what the record says.
	stale bool

	changes  []Change
	problems []Problem
	// truncatedContent: a prompt or answer was cut.
	truncatedContent bool

	buf []byte
	// object is the encoded free-form object of the record. Encoding is the only
	// way to check one, and need not be done twice.
	object []byte
}

func (w *walker) change(field string, action ChangeAction, reason string) {
	w.stale = true
	w.changes = append(w.changes, Change{Field: field, Action: action, Reason: reason})
}

func (w *walker) problem(field, reason string) {
	w.problems = append(w.problems, Problem{Field: field, Reason: reason})
}

// dropped reports whether the field was dropped.
func (w *walker) dropped(field string) bool {
	for _, c := range w.changes {
		if c.Field == field && c.Action == Dropped {
			return true
		}
	}
	return false
}

// dropWith drops a field because of another one.
func (w *walker) dropWith(v *string, field, reason string) {
	if *v != "" {
		*v = ""
		w.change(field, Dropped, reason)
	}
}

// Reasons that several fields share.
const (
	reasonNegative    = "is negative"
	reasonAbsurd      = "is above 2^53"
	reasonTooLarge    = "is above 2147483647"
	reasonNotFinite   = "is not a finite number"
	reasonUnknown     = "is not a value that the API knows"
	reasonCase        = "is written in another case"
	reasonMissing     = "is missing"
	reasonUTF8        = "is not valid UTF-8"
	reasonControl     = "contains control characters"
	reasonWhiteSpace  = "is surrounded by white space"
	reasonBlank       = "is blank"
	reasonImplausible = "is not between the years 2000 and 2200"
	reasonPattern     = "does not match the pattern of the API"
	reasonJobID       = "the agentic job id is invalid"
	reasonUnencodable = "has members that cannot be sent"
)

// maxCount is the largest count that is sent. Above it, a float64 skips integers
// and JSON readers of many kinds lose digits; no call comes near it.
const maxCount = 1 << 53

// optionalEnum drops an unknown value, or replaces it when fallback is not empty.
func optionalEnum[T ~string](w *walker, name string, v *T, valid func(T) bool, fallback T) {
	switch {
	case *v == "":
		return
	case !w.checking || valid(*v):
	case valid(T(strings.ToUpper(strings.TrimSpace(string(*v))))):
		*v = T(strings.ToUpper(strings.TrimSpace(string(*v))))
		w.change(name, Replaced, reasonCase)
	case fallback != "":
		*v = fallback
		w.change(name, Replaced, reasonUnknown)
	default:
		*v = ""
		w.change(name, Dropped, reasonUnknown)
		return
	}
	if w.encoding {
		w.appendString(name, string(*v))
	}
}

// requiredEnum also fills in the fallback where there is no value.
func requiredEnum[T ~string](w *walker, name string, v *T, valid func(T) bool, fallback T) {
	if *v == "" {
		*v = fallback
	}
	optionalEnum(w, name, v, valid, fallback)
}

// requiredCount is an int64 that must be a sane count.
func (w *walker) requiredCount(name string, v int64) {
	switch {
	case !w.checking:
	case v < 0:
		w.problem(name, reasonNegative)
	case v > maxCount:
		w.problem(name, reasonAbsurd)
	}
	w.derivedInt(name, v)
}

// requiredSmallCount is a required number for which the API says "int".
func (w *walker) requiredSmallCount(name string, v int64) {
	if w.checking && v > math.MaxInt32 {
		w.problem(name, reasonTooLarge)
		return
	}
	w.requiredCount(name, v)
}

// derivedInt is a number that reconcile checks.
func (w *walker) derivedInt(name string, v int64) {
	if w.encoding {
		w.appendInt(name, v)
	}
}

// derivedTime is an instant that reconcile checks.
func (w *walker) derivedTime(name string, v Timestamp) {
	if w.encoding {
		w.appendTime(name, v)
	}
}

// status is an HTTP status.
func (w *walker) status(name string, v **int64) {
	if *v == nil {
		return
	}
	if w.checking && (**v < limits.ErrorCodeMin || **v > limits.ErrorCodeMax) {
		*v = nil
		w.change(name, Dropped, "is not an HTTP status")
		return
	}
	w.derivedInt(name, **v)
}

// count is an optional int64.
func (w *walker) count(name string, v **int64) { w.integer(name, v, maxCount, reasonAbsurd) }

// smallCount is an optional number for which the API says "int": a larger one
// would make the whole record unreadable to a service that reads 32 bits.
func (w *walker) smallCount(name string, v **int64) {
	w.integer(name, v, math.MaxInt32, reasonTooLarge)
}

func (w *walker) integer(name string, v **int64, limit int64, reasonAbove string) {
	switch {
	case *v == nil:
	case w.checking && **v < 0:
		*v = nil
		w.change(name, Dropped, reasonNegative)
	case w.checking && **v > limit:
		*v = nil
		w.change(name, Dropped, reasonAbove)
	default:
		w.derivedInt(name, **v)
	}
}

// amount is an optional float64 that is neither negative nor absurd.
func (w *walker) amount(name string, v **float64) {
	switch {
	case *v == nil:
	case w.checking && !finite(**v):
		*v = nil
		w.change(name, Dropped, reasonNotFinite)
	case w.checking && **v < 0:
		*v = nil
		w.change(name, Dropped, reasonNegative)
	case w.checking && **v > maxCount:
		*v = nil
		w.change(name, Dropped, reasonAbsurd)
	default:
		w.writeFloat(name, **v)
	}
}

// ranged is an optional float64 between two bounds.
func (w *walker) ranged(name string, v **float64, low, high float64) {
	switch {
	case *v == nil:
	case w.checking && !finite(**v):
		*v = nil
		w.change(name, Dropped, reasonNotFinite)
	case w.checking && (**v < low || **v > high):
		*v = nil
		w.change(name, Dropped, fmt.Sprintf("is not between %g and %g", low, high))
	default:
		w.writeFloat(name, **v)
	}
}

// requiredAmount is a float64 that must be neither negative nor infinite.
func (w *walker) requiredAmount(name string, v float64) {
	switch {
	case !w.checking:
	case !finite(v):
		w.problem(name, reasonNotFinite)
	case v < 0:
		w.problem(name, reasonNegative)
	case v > maxCount:
		w.problem(name, reasonAbsurd)
	}
	w.writeFloat(name, v)
}

func (w *walker) writeFloat(name string, v float64) {
	if w.encoding {
		w.appendFloat(name, v)
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// flag is an optional bool.
func (w *walker) flag(name string, v *bool) {
	if w.encoding && v != nil {
		w.appendBool(name, *v)
	}
}

// requiredFlag is a bool that is always sent.
func (w *walker) requiredFlag(name string, v bool) {
	if w.encoding {
		w.appendBool(name, v)
	}
}

// requiredTime checks that an instant is there.
func (w *walker) requiredTime(name string, v Timestamp) {
	if v.IsZero() {
		w.problem(name, reasonMissing)
	}
}
