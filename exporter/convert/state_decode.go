// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// openChunk checks a chunk and returns what is in it.
func openChunk(chunk []byte) (kind byte, at int64, p *stateParser, err error) {
	head := len(stateMagic) + 2
	switch {
	case len(chunk) < head || string(chunk[:len(stateMagic)]) != stateMagic:
		return 0, 0, nil, ErrNoState
	case chunk[len(stateMagic)] < stateVersion1 || chunk[len(stateMagic)] > stateVersion2:
		return 0, 0, nil, ErrStateVersion
	case len(chunk) < head+4:
		return 0, 0, nil, ErrStateDamaged
	}
	content := chunk[:len(chunk)-4]
	kind = chunk[head-1]
	if stateSum(content) != binary.BigEndian.Uint32(chunk[len(content):]) || kind < chunkSpans || kind > chunkWaiting {
		return 0, 0, nil, ErrStateDamaged
	}
	p = &stateParser{rest: content[head:], version: chunk[len(stateMagic)]}
	at = p.varint()
	return kind, at, p, nil
}

// stateParser reads what stateEncoder wrote.
type stateParser struct {
	rest    []byte
	version byte
	failed  bool
}

// done reports whether all has been read, and nothing was missing.
func (p *stateParser) done() bool { return !p.failed && len(p.rest) == 0 }

func (p *stateParser) take(n int) []byte {
	if n < 0 || n > len(p.rest) {
		p.failed, p.rest = true, nil
		return nil
	}
	b := p.rest[:n]
	p.rest = p.rest[n:]
	return b
}

func (p *stateParser) uvarint() uint64 {
	v, n := binary.Uvarint(p.rest)
	if n <= 0 {
		n = -1
	}
	p.take(n)
	return v
}

func (p *stateParser) varint() int64 {
	v, n := binary.Varint(p.rest)
	if n <= 0 {
		n = -1
	}
	p.take(n)
	return v
}

func (p *stateParser) byte() byte {
	if b := p.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (p *stateParser) copy(dst []byte) { copy(dst, p.take(len(dst))) }

func (p *stateParser) digest() uint64 {
	if b := p.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// document reads what is stored as JSON.
func (p *stateParser) document(v any) {
	n := p.uvarint()
	if n > uint64(len(p.rest)) {
		p.failed = true
		return
	}
	if err := json.Unmarshal(p.take(int(n)), v); err != nil {
		p.failed = true
	}
}

func (p *stateParser) flags() uint64 {
	if p.version == stateVersion1 {
		return uint64(p.byte())
	}
	return p.uvarint()
}

// node reads a node; nil if that fails.
func (p *stateParser) node(c *Converter) *storedNode {
	s := &storedNode{}
	n := &s.node
	flags := p.flags()
	n.failed, n.usage, n.covered = flags&flagFailed != 0, flags&flagUsage != 0, flags&flagCovered != 0
	n.free, n.cumulative, n.tools = flags&flagFree != 0, flags&flagCumulative != 0, flags&flagTools != 0
	n.class, n.verdict, n.detail, n.idKind = class(p.byte()), verdict(p.byte()), p.byte(), idKind(p.byte())
	n.seq = p.uvarint()
	p.copy(n.key.Trace[:])
	p.copy(n.key.Span[:])
	p.copy(n.parent[:])
	n.arrived, n.start, n.end = p.varint(), p.varint(), p.varint()
	mask := p.byte()
	var ids [numIDs]uint64
	for i, d := range [...]*uint64{&n.scope, &n.resource, &n.models[0], &n.models[1], &ids[0], &ids[1], &ids[2], &n.group} {
		if mask&(1<<i) != 0 {
			*d = p.digest()
		}
	}
	for i, id := range ids {
		n.setID(i, id)
	}
	n.input, n.output = p.varint(), p.varint()
	if flags&flagReported != 0 {
		n.facts().reported = [2]int64{p.varint(), p.varint()}
	}
	n.setNumber(p.varint())
	s.by = p.uvarint()
	for i := range numTwins {
		if seq := p.uvarint(); seq != 0 {
			n.facts().twins[i] = twin{scope: p.digest(), seq: seq}
		}
	}
	if flags&flagContext != 0 {
		var stored storedContext
		p.document(&stored)
		n.context = &spanContext{facts: factsOf(c, stored.Facts), model: stored.Model, start: stored.Start}
	}
	if flags&flagWaits != 0 {
		s.waits = &storedWaiting{}
		p.document(s.waits)
		p.failed = p.failed || !s.waits.read(c, n)
	}
	if p.failed || n.seq == 0 || n.class > classCall || n.verdict > verdictSkipped || n.idKind > idGeneration {
		return nil
	}
	if s.waits == nil && n.verdict == undecided && (n.class.isCall() || n.usage) {
		n.verdict = verdictSkipped // what waited could not be written
	}
	return s
}

// factsOf returns the facts that this version still has fields for.
func factsOf(c *Converter, stored []storedFact) []resourceFact {
	var facts []resourceFact
	for i := range stored {
		f := &stored[i]
		if at, ok := c.attribution.byName[f.Field]; ok {
			facts = append(facts, resourceFact{at, fact{set: true, level: f.Level, rank: f.Rank, num: f.Num, text: f.Text}})
		}
	}
	return facts
}

// heldReasons are what a stored decision can wait for.
func heldReasons() []Reason {
	return []Reason{
		ReasonAwaitingRetry, ReasonAwaitingUsage, ReasonAwaitingCalls, ReasonAwaitingModel,
		ReasonAwaitingOuter, ReasonAwaitingLink, ReasonAwaitingBatch, ReasonHoldBack,
	}
}

// read makes a pending decision of what is stored. It reports false for what no
// converter can have written.
func (s *storedWaiting) read(c *Converter, n *node) bool {
	if !slices.Contains(heldReasons(), s.Wait) || s.Kind != Billed && s.Kind != Skipped || s.Kind == Billed && s.Block == nil || n.verdict != undecided {
		return false
	}
	p := &pending{
		wait: s.Wait, since: time.Unix(0, s.Since), under: s.Under, below: s.Below, tag: s.Tag, facts: factsOf(c, s.Facts),
		decision: Decision{
			Kind: s.Kind, Reason: s.Reason, Dialect: s.Dialect, TraceID: n.key.Trace, SpanID: n.key.Span,
			Notes: s.Notes, Sources: s.Sources,
		},
	}
	switch len(s.Until) {
	case 0:
	case len(p.until.Trace) + len(p.until.Span):
		copy(p.until.Span[:], s.Until[copy(p.until.Trace[:], s.Until):])
	default:
		return false
	}
	s.pending = p
	if s.Block == nil {
		return true
	}
	b, ok := s.Block.read(c)
	if !ok {
		return false
	}
	p.decision.block, p.decision.pool = b, &c.blocks
	if s.Kind == Billed {
		p.decision.Record = &b.record // until it is sealed
	}
	return true
}

// read makes a record in the making of what is stored.
func (s *storedBlock) read(c *Converter) (*block, bool) {
	if s.Record == nil {
		return nil, false
	}
	b := &block{record: *s.Record, reason: s.Reason}
	if s.Endpoint != "" {
		b.own = emptyRecord(s.Endpoint)
		if b.own == nil || json.Unmarshal(s.Own, b.own) != nil {
			return nil, false
		}
	}
	// What can be set piece by piece must be the block's own.
	if person := b.record.Subscriber; person != nil {
		b.subscriber = *person
		if person.Credential != nil {
			b.credential = *person.Credential
			b.subscriber.Credential = &b.credential
		}
		b.record.Subscriber = &b.subscriber
	}
	for name, origin := range s.Origins {
		if at, ok := c.attribution.byName[name]; ok {
			b.origins[at-numCoreFields] = origin
		}
	}
	return b, true
}

// emptyRecord is a record for an endpoint; nil for that of completions.
func emptyRecord(endpoint metering.Endpoint) metering.Record {
	for _, kind := range []recordKinds{inImage, inAudio, inVideo, inTool} {
		if r := newRecord(kind); r.Endpoint() == endpoint {
			return r
		}
	}
	return nil
}
