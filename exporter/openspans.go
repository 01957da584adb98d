// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

const (
	openShards = 32
	// maxOpenSpans bounds how many spans of a shard are remembered that have not
	// ended: a span that somebody forgets to end must not stay for ever.
	maxOpenSpans = 4096
)

// openSpans are the spans of the process that have not ended. A call that ends
// finds its ancestors in it: whose call it is often stands on a span above, and so
// does whether that span is of the same call.
type openSpans struct {
	shards [openShards]openShard
	// forgotten counts spans for which there was no room.
	forgotten atomic.Int64
}

type openShard struct {
	mu    sync.Mutex
	spans map[[8]byte]sdktrace.ReadOnlySpan
	_     [40]byte // no two of them are in one cache line
}

func newOpenSpans() *openSpans { return &openSpans{} }

func (o *openSpans) shard(id [8]byte) *openShard {
	return &o.shards[(binary.LittleEndian.Uint64(id[:])*0x9e3779b97f4a7c15)>>(64-5)]
}

// started remembers a span.
func (o *openSpans) started(s sdktrace.ReadOnlySpan) {
	id := s.SpanContext().SpanID()
	shard := o.shard(id)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if len(shard.spans) >= maxOpenSpans {
		o.forgotten.Add(1)
		return
	}
	if shard.spans == nil {
		shard.spans = make(map[[8]byte]sdktrace.ReadOnlySpan)
	}
	shard.spans[id] = s
}

// ended forgets a span.
func (o *openSpans) ended(id [8]byte) {
	shard := o.shard(id)
	shard.mu.Lock()
	delete(shard.spans, id)
	shard.mu.Unlock()
}

// get returns a span that has not ended; nil for none.
func (o *openSpans) get(id [8]byte) sdktrace.ReadOnlySpan {
	shard := o.shard(id)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	return shard.spans[id]
}

// maxDepth ends the way up in a circle of parents.
const maxDepth = 256

// WalkOpenAncestors shows the span's ancestors in this process that have not ended.
func (v *spanView) WalkOpenAncestors(visit convert.AncestorVisitor) {
	if v.open == nil {
		return
	}
	trace := v.span.SpanContext().TraceID()
	above := spanView{resources: v.resources}
	parent := v.span.Parent()
	for range maxDepth {
		if !parent.IsValid() || parent.IsRemote() {
			return
		}
		above.span = v.open.get(parent.SpanID())
		if above.span == nil || above.span.SpanContext().TraceID() != trace {
			return
		}
		if !visit.Ancestor(&above) {
			return
		}
		parent = above.span.Parent()
	}
}
