// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// record is a frozen record on its way to the service.
type record struct {
	metering.Frozen
	// created is the time at which it was frozen.
	created time.Time
	// incomplete says what the record lacks; if it is not empty the record ends as a
	// dead letter without being sent.
	incomplete string
	// attempts counts those of this process; firstFailed is the end of the first
	// of them.
	attempts    int
	firstFailed time.Time
	// span is where it comes from; it is not stored.
	span spanKey
}

// recordOverhead is what a record takes in memory or storage beside its bytes.
const recordOverhead = 160

func (r *record) size() int {
	return len(r.Body) + len(r.TransactionID) + len(r.IdempotencyKey) + len(r.Endpoint) + len(r.incomplete) + recordOverhead
}

// request is what the sending queue holds: frozen records, and nothing of the
// spans that they come from.
type request struct {
	records []record
	// unreadable is a stored request that this build cannot read. It goes through
	// the queue like any other, so that it ends in the dead letters and not
	// nowhere.
	unreadable []byte
	// attempt names the request while it is being delivered; zero before.
	attempt uint64
}

var (
	_ xexporterhelper.Request             = (*request)(nil)
	_ xexporterhelper.RequestErrorHandler = (*request)(nil)
)

// ItemsCount is the number of records.
func (r *request) ItemsCount() int {
	if r.unreadable != nil {
		return 1
	}
	return len(r.records)
}

// BytesSize is about what the request takes in memory or storage.
func (r *request) BytesSize() int {
	size := len(r.unreadable)
	for i := range r.records {
		size += r.records[i].size()
	}
	return size
}

// MergeSplit puts the records of both requests into requests of at most maxSize,
// the smallest of them last. A record that alone is larger has one of its own.
func (r *request) MergeSplit(_ context.Context, maxSize int, sizer exporterhelper.RequestSizerType, other xexporterhelper.Request) ([]xexporterhelper.Request, error) {
	parts := []*request{r}
	if other != nil {
		o, ok := other.(*request)
		if !ok {
			return nil, fmt.Errorf("reveniumexporter: cannot merge a request of type %T", other)
		}
		if r.unreadable == nil && o.unreadable == nil {
			parts = []*request{{records: slices.Concat(r.records, o.records)}}
		} else {
			parts = append(parts, o)
		}
	}
	var split []*request
	for _, part := range parts {
		split = append(split, part.split(maxSize, sizer)...)
	}
	slices.SortStableFunc(split, func(a, b *request) int { return b.sizeBy(sizer) - a.sizeBy(sizer) })
	requests := make([]xexporterhelper.Request, len(split))
	for i, part := range split {
		requests[i] = part
	}
	return requests, nil
}

// sizeBy is the size in the unit of the sizer.
func (r *request) sizeBy(sizer exporterhelper.RequestSizerType) int {
	switch sizer {
	case exporterhelper.RequestSizerTypeItems:
		return r.ItemsCount()
	case exporterhelper.RequestSizerTypeBytes:
		return r.BytesSize()
	default:
		return 1
	}
}

// split cuts a request into parts of at most maxSize; zero means no bound.
func (r *request) split(maxSize int, sizer exporterhelper.RequestSizerType) []*request {
	if maxSize <= 0 || r.unreadable != nil || r.sizeBy(sizer) <= maxSize {
		return []*request{r}
	}
	var parts []*request
	from, size := 0, 0
	for i := range r.records {
		n := 1
		if sizer == exporterhelper.RequestSizerTypeBytes {
			n = r.records[i].size()
		}
		if i > from && size+n > maxSize {
			parts = append(parts, &request{records: slices.Clip(r.records[from:i])})
			from, size = i, 0
		}
		size += n
	}
	return append(parts, &request{records: slices.Clip(r.records[from:])})
}

// OnError returns the request for the next attempt: what is left of this one.
func (r *request) OnError(err error) xexporterhelper.Request {
	if left, ok := errors.AsType[*leftError](err); ok {
		return left.request
	}
	return r
}

// leftError says that some records of a request have to be sent again.
type leftError struct {
	// request holds them.
	request *request
	err     error
}

func (e *leftError) Error() string {
	return fmt.Sprintf("%d records are left: %v", len(e.request.records), e.err)
}

func (e *leftError) Unwrap() error { return e.err }
