// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import "time"

// Endpoint is the path of a metering endpoint, to be appended to the base URL.
type Endpoint string

// The endpoints that this package can write to. Each takes one record per
// request; the API has no bulk form.
const (
	// EndpointCompletions takes a [Completion].
	EndpointCompletions Endpoint = "/meter/v2/ai/completions"
	// EndpointImages takes an [Image].
	EndpointImages Endpoint = "/meter/v2/ai/images"
	// EndpointAudio takes an [Audio].
	EndpointAudio Endpoint = "/meter/v2/ai/audio"
	// EndpointVideo takes a [Video].
	EndpointVideo Endpoint = "/meter/v2/ai/video"
	// EndpointToolEvents takes a [ToolEvent].
	EndpointToolEvents Endpoint = "/meter/v2/tool/events"
)

// Endpoints lists the endpoints.
func Endpoints() []Endpoint {
	return []Endpoint{EndpointCompletions, EndpointImages, EndpointAudio, EndpointVideo, EndpointToolEvents}
}

// Valid reports whether e is one of the endpoints.
func (e Endpoint) Valid() bool {
	switch e {
	case EndpointCompletions, EndpointImages, EndpointAudio, EndpointVideo, EndpointToolEvents:
		return true
	default:
		return false
	}
}

// Record is a metering record: a [*Completion], [*Image], [*Audio], [*Video] or
// [*ToolEvent].
//
// In all of them an empty string, a nil pointer or map and a zero [Timestamp]
// mean that the field is absent. A pointer to zero is a zero that is sent.
type Record interface {
	// Endpoint is where the record belongs.
	Endpoint() Endpoint

	// id is the transaction id.
	id() string
	// absent reports whether the record is a nil pointer.
	absent() bool
	// walk shows every field to w, in the order of the wire.
	walk(w *walker)
	// reconcile makes fields agree with each other, after walk has checked each
	// of them alone.
	reconcile(w *walker)
}

var (
	_ Record = (*Completion)(nil)
	_ Record = (*Image)(nil)
	_ Record = (*Audio)(nil)
	_ Record = (*Video)(nil)
	_ Record = (*ToolEvent)(nil)
)

// Timestamp is an instant as the API writes it: ISO 8601 in UTC with
// milliseconds, "2006-01-02T15:04:05.000Z". Finer fractions are cut off, not
// rounded. The zero value is absent.
type Timestamp struct{ time.Time }

// MarshalJSON writes the instant; the zero value becomes null.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return appendTimestamp(make([]byte, 0, len(timestampLayout)+2), t), nil
}

// plausible reports whether something can have been measured at that time. It lets
// nothing pass that is out of range for the wire.
func (t Timestamp) plausible() bool {
	year := t.UTC().Year()
	return year >= 2000 && year <= 2200
}

// milliseconds is the instant in milliseconds since 1970, as far as the wire
// shows it.
func (t Timestamp) milliseconds() int64 { return t.UnixMilli() }
