// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

// Batch converts spans that are there together, such as those of one export
// request: calls wait until all of them have been seen. So the best of several
// spans of a call bills, and a call takes the attribution of spans above it that
// come later in the batch.
//
// A Batch is for one goroutine; several may be open at a time.
type Batch struct {
	c     *Converter
	calls []uint64
}

// NewBatch returns an empty batch.
func (c *Converter) NewBatch() *Batch { return &Batch{c: c} }

// Convert is [Converter.Convert] for a span of the batch.
func (b *Batch) Convert(dst []Decision, s Span) []Decision { return b.c.convert(dst, s, b) }

// End appends the decisions about the calls that waited for the end of the batch.
// The batch can be used for the next spans.
func (b *Batch) End(dst []Decision) []Decision {
	l := b.c.selection
	l.lock(dst)
	for _, seq := range b.calls {
		n := l.nodes.get(seq)
		if n == nil || n.pending == nil || n.pending.wait != ReasonAwaitingBatch {
			continue
		}
		if l.asReported(n); n.pending != nil {
			l.release(n)
		}
	}
	b.calls = b.calls[:0]
	return b.c.conclude(l.unlock(), len(dst))
}
