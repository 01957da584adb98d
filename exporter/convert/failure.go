// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"strconv"
	"strings"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert/internal/literal"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// failure says how a call failed.
type failure struct {
	stop metering.StopReason
	// status is the HTTP status, 0 for none.
	status int64
	// retryable: clients repeat calls that fail so.
	retryable bool
	// text is the best description of what happened.
	text string
}

// HTTP statuses that say that the call failed, from the first on, and more than that.
const (
	statusBadRequest      = 400
	statusPaymentRequired = 402
	statusTimeout         = 408
	statusConflict        = 409
	statusTooEarly        = 425
	statusTooManyRequests = 429
	statusClientClosed    = 499
	statusServerError     = 500
	statusGatewayTimeout  = 504
)

// failure returns how the call failed, nil when it did not. usage says whether
// tokens were reported: an exception does not make a failure of a call that
// yielded an answer.
func (w *work) failure(finishFailed, usage bool) *failure {
	x := &w.extract
	errorType := x.text(fieldErrorType)
	status := w.httpStatus(errorType)
	failed := w.status == StatusError || errorType != "" || status >= statusBadRequest || finishFailed ||
		strings.EqualFold(x.text(fieldLevel), "ERROR") || x.get(fieldSuccess) != nil && !x.flag(fieldSuccess) ||
		x.get(fieldErrorMessage) != nil && isLogEvent(w.span)
	if !failed && usage {
		return nil
	}
	w.lookAtEvents()
	if !failed && !w.events.exception {
		return nil
	}
	kind := errorType
	if kind == "" {
		kind = w.events.exceptionType
	}
	text := firstText(w.statusMessage, w.events.exceptionMessage, x.text(fieldErrorMessage))
	for _, message := range [...]string{text, w.events.exceptionMessage} {
		if status == 0 {
			status = statusIn(message)
		}
	}
	f := &w.failed
	*f = failure{status: status, text: firstText(text, kind)}
	word := squeezed(kind)
	if word == "" || status < statusBadRequest && stopOf(word, 0) == metering.StopError {
		// Go's instrumentations write the type of an error, which is mostly that of one
		// around it: "*url.Error".
		word = firstText(knownMessage(text), word)
	}
	f.stop = stopOf(word, status)
	f.retryable = retryable(word, status)
	return f
}

// httpStatus is the status of the answer: what the attribute says, or else an
// error type that is a number.
func (w *work) httpStatus(errorType string) int64 {
	x := &w.extract
	if f := x.get(fieldHTTPStatus); f != nil {
		if f.num >= 100 && f.num <= 599 {
			return f.num
		}
		x.note(fieldHTTPStatus, f.key(), NoteDropped, "is not an HTTP status")
	}
	if errorType == "" || errorType[0] < '1' || errorType[0] > '5' {
		return 0
	}
	if n, err := strconv.ParseInt(errorType, 10, 64); err == nil && n >= 100 && n <= 599 {
		return n
	}
	return 0
}

// statusIn finds the HTTP status with which the messages of many clients begin:
// "404 The model ...", "Error code: 429 - ...", "http 503 Service Unavailable: ...".
func statusIn(message string) int64 {
	if word, rest, ok := strings.Cut(message, ": "); ok && !strings.ContainsAny(word, " 0123456789") {
		message = rest // "BadRequestError: ", "UNKNOWN: "
	}
	message = strings.TrimPrefix(strings.TrimPrefix(message, "Error code: "), "http ")
	if len(message) < 4 || message[3] >= '0' && message[3] <= '9' || message[0] < '4' || message[0] > '5' {
		return 0
	}
	n, err := strconv.ParseInt(message[:3], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// firstText returns the first text that is not blank.
func firstText(texts ...string) string {
	for _, s := range texts {
		if !blank(s) {
			return s
		}
	}
	return ""
}

// squeezed is s in lower case without anything but letters and digits, in which
// form "context deadline exceeded", "DEADLINE_EXCEEDED" and
// "context.deadlineExceededError" have much in common.
func squeezed(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		default:
			return -1
		}
	}, s)
}

// knownMessage finds the messages of Go's own errors in a text, since a text of
// somebody else could say anything.
func knownMessage(text string) string {
	for _, known := range [...]string{"context deadline exceeded", "context canceled", "Client.Timeout exceeded", "i/o timeout"} {
		if strings.Contains(text, known) {
			return squeezed(known)
		}
	}
	return ""
}

// containsAny reports whether one of the parts is in s.
func containsAny(s string, parts ...string) bool {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

// stopOf maps an error type, squeezed, and an HTTP status to a stop reason. The
// type says more than the status: a refused budget comes as a 400 or a 429.
func stopOf(word string, status int64) metering.StopReason {
	switch {
	case containsAny(word, "budgetexceeded", "insufficientquota", "insufficientbalance", "insufficientcredit",
		"billinghardlimit", "paymentrequired", "outofcredits"):
		return metering.StopCostLimit
	case containsAny(word, "timeout", "timedout", "deadlineexceeded"):
		return metering.StopTimeout
	case containsAny(word, "cancel", "aborterror", "clientdisconnect", "clientclosed"):
		return metering.StopCancelled
	}
	switch status {
	case statusPaymentRequired:
		return metering.StopCostLimit
	case statusTimeout, statusGatewayTimeout:
		return metering.StopTimeout
	case statusClientClosed:
		return metering.StopCancelled
	default:
		return metering.StopError
	}
}

// retryable reports whether clients repeat a call that failed so. The status
// decides where there is one; without an answer, what went wrong on the way.
func retryable(word string, status int64) bool {
	switch {
	case status == statusTimeout, status == statusConflict, status == statusTooEarly, status == statusTooManyRequests,
		status >= statusServerError:
		return true
	case status >= 300:
		return false
	}
	if stopOf(word, 0) == metering.StopCancelled {
		return false
	}
	return word == "other" || containsAny(word,
		"timeout", "timedout", "deadlineexceeded",
		"connection", "connect", "network", "econn", "enotfound", "eof", "reset", "refused", "nameresolution", "dns", "tls", "socket",
		"ratelimit", "toomanyrequests", "resourceexhausted", "throttl", "overloaded", "unavailable", "internalserver", "servererror",
		"conflict")
}

// eventScan reads what matters from the events of a span.
type eventScan struct {
	done             bool
	exception        bool
	exceptionType    string
	exceptionMessage string
	firstToken       time.Time
	// streamed says that there was a first token, finish why the choice ended.
	streamed bool
	finish   string
	choice   bool
}

var (
	_ EventVisitor     = (*eventScan)(nil)
	_ AttributeVisitor = (*eventScan)(nil)
)

// lookAtEvents reads the events, once.
func (w *work) lookAtEvents() {
	if !w.events.done {
		w.events.done = true
		w.span.WalkEvents(&w.events)
	}
}

// Event takes exceptions, of which the last one counts, and the first token.
func (e *eventScan) Event(name string, at time.Time, attributes Attributes) bool {
	switch name {
	case "exception":
		e.exception = true
		attributes.Walk(e)
	case "gen_ai.content.completion.chunk", "First Token Stream Event", "ai.stream.firstChunk":
		e.streamed = true
		if e.firstToken.IsZero() {
			e.firstToken = at
		}
	case "gen_ai.choice":
		e.choice = true
		attributes.Walk(e)
		e.choice = false
	}
	return true
}

// Attribute takes the attributes of an exception.
func (e *eventScan) Attribute(key string, v Value) bool {
	switch key {
	case "exception.type":
		e.exceptionType = v.Text()
	case "exception.message":
		e.exceptionMessage = v.Text()
	case "finish_reason":
		if e.choice {
			e.finish = v.Text()
		}
	case "gen_ai.event.content":
		if e.choice && e.finish == "" {
			// A text that is no document has no reason in it.
			_ = literal.Scan(v.Text(), finishTree(), e)
		}
	}
	return true
}

// Value takes the finish reason out of the document of an event.
func (e *eventScan) Value(_ int, _ string, v literal.Value) bool {
	e.finish = v.Text
	return false
}

func finishTree() *literal.Tree {
	tree := literal.NewTree()
	tree.Add("finish_reason", 0)
	return tree
}
