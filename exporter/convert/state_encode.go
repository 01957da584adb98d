// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"strings"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// The stored form of a chunk:
//
//	"RVNS" | version (1 byte) | kind (1 byte) | time, nanoseconds since 1970 (varint) |
//	number of entries (uvarint) | entries | CRC-32C of all before (4 bytes, big endian)
//
// Every version that was ever released stays readable: testdata/state has a file of
// each. A new version gets a new number and a new file, also where only the
// meaning of a digest or the number of a class changes.
const (
	stateMagic = "RVNS"
	// stateVersion1 knew nothing of flagReported, and wrote the flags as a byte.
	stateVersion1 = 1
	stateVersion2 = 2
)

// Kinds of chunks.
const (
	chunkSpans byte = 1 + iota
	chunkLinks
	// chunkWaiting is chunkSpans with calls that wait among them.
	chunkWaiting
)

// Bits of an entry's flags.
const (
	flagFailed = 1 << iota
	flagUsage
	flagCovered
	flagFree
	flagCumulative
	flagTools
	flagContext
	flagWaits
	flagReported
)

func appendHead(dst []byte, kind byte, at int64) []byte {
	dst = append(dst, stateMagic...)
	dst = append(dst, stateVersion2, kind)
	return binary.AppendVarint(dst, at)
}

func stateSum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func appendSum(dst []byte) []byte { return binary.BigEndian.AppendUint32(dst, stateSum(dst)) }

// stateEncoder writes nodes.
type stateEncoder struct {
	c   *Converter
	out []byte
	err error
}

func (e *stateEncoder) uvarint(n uint64) { e.out = binary.AppendUvarint(e.out, n) }
func (e *stateEncoder) varint(n int64)   { e.out = binary.AppendVarint(e.out, n) }
func (e *stateEncoder) digest(n uint64)  { e.out = binary.LittleEndian.AppendUint64(e.out, n) }

// node writes a node, and what waits of it.
func (e *stateEncoder) node(n *node) {
	var context, waits []byte
	if n.context != nil {
		context = e.document(e.context(n.context))
	}
	if p := n.pending; p != nil && p.queue != nil {
		waits = e.document(e.waiting(p))
	}
	flags, reported := uint64(0), n.reportsApart()
	for i, set := range [...]bool{n.failed, n.usage, n.covered, n.free, n.cumulative, n.tools, context != nil, waits != nil, reported} {
		if set {
			flags |= 1 << i
		}
	}
	e.uvarint(flags)
	e.out = append(e.out, byte(n.class), byte(n.verdict), n.detail, byte(n.idKind))
	e.uvarint(n.seq)
	e.out = append(e.out, n.key.Trace[:]...)
	e.out = append(e.out, n.key.Span[:]...)
	e.out = append(e.out, n.parent[:]...)
	e.varint(n.arrived)
	e.varint(n.start)
	e.varint(n.end)
	e.digests(n.scope, n.resource, n.models[0], n.models[1], n.id, n.idAt(1), n.idAt(2), n.group)
	e.varint(n.input)
	e.varint(n.output)
	if reported {
		e.varint(n.rare.reported[0])
		e.varint(n.rare.reported[1])
	}
	e.varint(n.number())
	e.uvarint(e.c.selection.nodes.number(n.by))
	for i := range numTwins {
		if i >= len(n.twins()) {
			e.uvarint(0)
			continue
		}
		t := n.twins()[i]
		e.uvarint(t.seq)
		if t.seq != 0 {
			e.digest(t.scope)
		}
	}
	for _, document := range [][]byte{context, waits} {
		if document != nil {
			e.uvarint(uint64(len(document)))
			e.out = append(e.out, document...)
		}
	}
}

// digests writes those of eight digests that are not zero.
func (e *stateEncoder) digests(list ...uint64) {
	mask := byte(0)
	for i, d := range list {
		if d != 0 {
			mask |= 1 << i
		}
	}
	e.out = append(e.out, mask)
	for _, d := range list {
		if d != 0 {
			e.digest(d)
		}
	}
}

// document writes what is not compared but only passed on; nil if that fails.
func (e *stateEncoder) document(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		e.err = errors.Join(e.err, err)
		return nil
	}
	return b
}

// storedFact is the value of an attribution field. Fields go by their names, since
// their numbers change.
type storedFact struct {
	Field string `json:"f"`
	Num   int64  `json:"n,omitempty"`
	Text  string `json:"t,omitempty"`
	Level Origin `json:"l,omitempty"`
	Rank  uint8  `json:"r,omitempty"`
}

// storedContext is a spanContext.
type storedContext struct {
	Facts []storedFact `json:"facts,omitempty"`
	Model string       `json:"model,omitempty"`
	Start int64        `json:"start,omitempty"`
}

// storedWaiting is a pending decision.
type storedWaiting struct {
	Wait    Reason       `json:"wait"`
	Since   int64        `json:"since"`
	Until   []byte       `json:"until,omitempty"`
	Under   uint64       `json:"under,omitempty"`
	Below   []uint64     `json:"below,omitempty"`
	Tag     string       `json:"tag,omitempty"`
	Kind    DecisionKind `json:"kind"`
	Reason  Reason       `json:"reason"`
	Dialect string       `json:"dialect,omitempty"`
	Notes   []Note       `json:"notes,omitempty"`
	Sources []Source     `json:"sources,omitempty"`
	Facts   []storedFact `json:"facts,omitempty"`
	Block   *storedBlock `json:"block,omitempty"`

	pending *pending // what has been read
}

// storedBlock is a record in the making.
type storedBlock struct {
	Record *metering.Completion `json:"record"`
	// Endpoint is that of a record that is no completion, Own what it alone has.
	Endpoint metering.Endpoint `json:"endpoint,omitempty"`
	Own      json.RawMessage   `json:"own,omitempty"`
	Origins  map[string]uint8  `json:"origins,omitempty"`
	Reason   Reason            `json:"reason"`
}

func (e *stateEncoder) context(s *spanContext) storedContext {
	return storedContext{Facts: e.facts(s.facts), Model: s.model, Start: s.start}
}

func (e *stateEncoder) facts(list []resourceFact) []storedFact {
	stored := make([]storedFact, 0, len(list))
	for i := range list {
		f := &list[i].fact
		name := e.c.names[list[i].at]
		stored = append(stored, storedFact{Field: name, Num: f.num, Text: e.hidden(name, f.text), Level: f.level, Rank: f.rank})
	}
	return stored
}

func (e *stateEncoder) waiting(p *pending) storedWaiting {
	d := &p.decision
	s := storedWaiting{
		Wait: p.wait, Since: p.since.UnixNano(), Under: p.under, Below: p.below, Tag: p.tag,
		Kind: d.Kind, Reason: d.Reason, Dialect: d.Dialect, Notes: d.Notes, Sources: d.Sources,
		Facts: e.facts(p.facts), Block: e.block(d.block),
	}
	if p.until != (spanKey{}) {
		s.Until = append(p.until.Trace[:len(p.until.Trace):len(p.until.Trace)], p.until.Span[:]...)
	}
	return s
}

func (e *stateEncoder) block(b *block) *storedBlock {
	if b == nil {
		return nil
	}
	record := b.record
	if person := record.Subscriber; person != nil && e.c.cfg.hashed {
		hidden := *person
		hidden.ID, hidden.Email = e.hidden("subscriber.id", hidden.ID), e.hidden("subscriber.email", hidden.Email)
		record.Subscriber = &hidden
	}
	s := &storedBlock{Record: &record, Reason: b.reason}
	if b.own != nil {
		s.Endpoint = b.own.Endpoint()
		s.Own = e.document(b.own)
	}
	for i, origin := range b.origins {
		if origin != 0 {
			if s.Origins == nil {
				s.Origins = make(map[string]uint8)
			}
			s.Origins[e.c.names[int(numCoreFields)+i]] = origin
		}
	}
	return s
}

// hashMark stands before a value that was hashed before it was stored, so that it
// is not hashed again.
const hashMark = "\x00hashed:"

// hidden returns what may be stored of a value: where subscribers are hashed, a
// hash.
func (e *stateEncoder) hidden(field, value string) string {
	if !e.c.cfg.hashed || value == "" || strings.HasPrefix(value, hashMark) {
		return value
	}
	switch field {
	case "subscriber.id":
		return hashMark + e.c.digest(value)
	case "subscriber.email":
		return hashMark + e.c.digestEmail(value)
	default:
		return value
	}
}
