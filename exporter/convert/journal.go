// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"
)

// WithJournal has the converter note what changes in its memory, so that
// [Converter.Export] can say so and another converter can go on from there after a
// restart. Without it nothing is noted, and Export returns nothing.
func WithJournal() Option {
	return optionFunc(func(cfg config) config {
		cfg.journal = true
		return cfg
	})
}

// Chunk is a piece of what a converter remembers, in a stored form that later
// versions read, too. It holds ids, digests, counts and, of calls that wait, the
// record that they may become; no prompt, no answer and no API key.
type Chunk struct {
	// Data is the stored form; nil where there is nothing to store.
	Data []byte
	// Mark tells [Converter.Expired] which chunk it is.
	Mark Mark
}

// Mark names a chunk to the converter that exported or restored it.
type Mark struct {
	links bool
	// upTo is the last node, or the number of links, noted until then.
	upTo uint64
	at   int64 // nanoseconds
}

// Export returns what changed since the last export: in spans what is known of
// calls and the spans around them, in links who is whose parent. The two are kept
// apart because links are needed for minutes only. What an export costs, and how
// large it is, follows from what changed, not from what is remembered.
//
// Chunks must be kept in order, those of spans and those of links each by
// themselves, until [Converter.Expired]. A record that another system must have
// before a crash is to be handed over before the export that says that it was
// billed.
//
// It fails when a record that waits cannot be written, which then is not in the
// chunk; the chunks are valid all the same.
func (c *Converter) Export() (spans, links Chunk, err error) {
	l := c.selection
	if l.journal == nil {
		return Chunk{}, Chunk{}, nil
	}
	spans, err = l.export(c)
	return spans, l.journal.exportLinks(l.cfg.now()), err
}

// ExportAll has the next [Converter.Export] return all that is remembered of spans,
// after which all earlier chunks of spans are superfluous: because they were lost or
// cannot be appended to.
func (c *Converter) ExportAll() {
	l := c.selection
	if l.journal == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.journal.all = true
}

// Expired reports whether nothing in a chunk, or in one before it, is needed any
// more: it is too old, or what it holds has been forgotten for what came since.
func (c *Converter) Expired(m Mark) bool {
	l := c.selection
	if l.journal == nil {
		return true
	}
	age := time.Duration(l.cfg.now().UnixNano() - m.at)
	if m.links {
		return age > l.cfg.linkAge() || l.journal.linksSince(m.upTo) >= uint64(l.cfg.linkEntries)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, q := range []*queue{&l.briefly, &l.held} {
		if q.oldest != nil && q.oldest.node <= m.upTo {
			return false // it may be there alone
		}
	}
	return age > l.cfg.recentAge || l.nodes.last >= m.upTo+uint64(l.nodes.max)
}

// Tag gives a span that is held a word that outlives a restart: see [HeldSpan]. It
// reports false if the span is not held.
func (c *Converter) Tag(traceID [16]byte, spanID [8]byte, tag string) bool {
	l := c.selection
	l.lock(nil)
	defer l.unlock()
	n := l.nodes.span(&spanKey{Trace: traceID, Span: spanID}, l.nano)
	if n == nil || n.pending == nil {
		return false
	}
	n.pending.tag = tag
	l.touch(n)
	return true
}

// journal notes what changed. The selection's lock guards it, except for the
// links.
type journal struct {
	// dirty are the nodes that changed, each once; all says that all have.
	dirty []uint64
	all   bool

	mu sync.Mutex
	// links are parents by span, in the stored form; trace is that of the last one.
	links []byte
	trace [16]byte
	// count is the number of links in links, total that of all that were noted.
	count, total uint64
}

// touch notes that a node has changed.
func (l *selection) touch(n *node) {
	if l.journal != nil && !n.dirty {
		l.noteDirty(n)
	}
}

func (l *selection) noteDirty(n *node) {
	j := l.journal
	if len(j.dirty) >= 2*l.nodes.max {
		// Nobody exports. What has been forgotten meanwhile need not be.
		j.all, j.dirty = true, j.dirty[:0]
	}
	n.dirty = true
	j.dirty = append(j.dirty, n.seq)
}

// maxJournalLinks bounds the links that wait for an export.
const maxJournalLinks = 1 << 20

// link notes a parent. Consecutive spans mostly have one trace, which is written
// once.
func (j *journal) link(k *spanKey, parent [8]byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.total++
	if j.count >= maxJournalLinks {
		return // nobody exports
	}
	if j.count > 0 && k.Trace == j.trace {
		j.links = append(j.links, 1)
	} else {
		j.trace = k.Trace
		j.links = append(j.links, 0)
		j.links = append(j.links, k.Trace[:]...)
	}
	j.links = append(j.links, k.Span[:]...)
	j.links = append(j.links, parent[:]...)
	j.count++
}

func (j *journal) linksSince(total uint64) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.total - total
}

// exportLinks returns the links that were noted since the last time.
func (j *journal) exportLinks(now time.Time) Chunk {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.count == 0 {
		return Chunk{}
	}
	m := Mark{links: true, upTo: j.total, at: now.UnixNano()}
	data := appendHead(make([]byte, 0, len(j.links)+64), chunkLinks, m.at)
	data = binary.AppendUvarint(data, j.count)
	data = appendSum(append(data, j.links...))
	j.links, j.count = j.links[:0], 0
	if cap(j.links) > 1<<20 {
		j.links = nil // of one burst
	}
	return Chunk{Data: data, Mark: m}
}

// export returns the nodes that changed since the last time.
func (l *selection) export(c *Converter) (Chunk, error) {
	l.lock(nil)
	defer l.unlock()
	j := l.journal
	list := j.dirty
	if j.all {
		list = l.nodes.numbers(l.nano)
	}
	if len(list) == 0 {
		return Chunk{}, nil
	}
	e := stateEncoder{c: c}
	count := uint64(0)
	waits := false
	later := j.dirty[:0]
	for _, seq := range list {
		n := l.nodes.get(seq)
		if n == nil {
			continue // forgotten meanwhile
		}
		if n.inBatch() {
			n.dirty, later = true, append(later, seq)
			continue
		}
		n.dirty = false
		waits = waits || n.pending != nil && n.pending.queue != nil
		e.node(n)
		count++
	}
	j.dirty, j.all = later, false
	if count == 0 {
		return Chunk{}, nil
	}
	kind := chunkSpans
	if waits {
		kind = chunkWaiting
	}
	m := Mark{upTo: l.nodes.last, at: l.nano}
	data := appendHead(make([]byte, 0, len(e.out)+64), kind, m.at)
	data = binary.AppendUvarint(data, count)
	data = appendSum(append(data, e.out...))
	if e.err != nil {
		return Chunk{Data: data, Mark: m}, fmt.Errorf("convert: export calls that wait: %w", e.err)
	}
	return Chunk{Data: data, Mark: m}, nil
}

// inBatch reports whether a node is decided about at the end of a batch, and nothing
// depends on it. Until then nobody was told that it has been taken.
func (n *node) inBatch() bool {
	return n.pending != nil && n.pending.wait == ReasonAwaitingBatch && !n.bills
}
