// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"encoding/binary"
	"math"

	"github.com/revenium/revenium-otel-go/exporter/convert/internal/links"
)

// spanKey names a span.
type spanKey = links.Key

// verdict is what was decided about a node.
type verdict uint8

const (
	// undecided nodes wait, or are being decided about.
	undecided verdict = iota
	verdictBilled
	verdictSuppressed
	verdictSkipped
)

// node is what is remembered of a span that others can depend on: a call, a span
// around calls, or one that says something about the calls below it.
//
// It fills three cache lines. The first has all that most of those that are compared
// with a new span are ruled out by; the memory of nodes is larger than a cache, and
// most of what a converter takes. Numbers of other nodes are parts of them: see
// [nodes.number].
type node struct {
	seq uint64 // names the node; 0 for none
	// arrived is when the span was converted, in nanoseconds.
	arrived int64
	// start and end are in nanoseconds.
	start, end int64
	scope      uint64
	resource   uint64
	// before are the previous nodes with the same key in the index; see
	// [nodes.previous].
	before [4]uint32

	key    spanKey
	parent [8]byte

	class   class
	verdict verdict
	failed  bool
	// usage says that tokens are known.
	usage bool
	// covered says that calls beneath have usage.
	covered bool
	// detail is the number of things known about the tokens.
	detail uint8
	idKind idKind
	// free: the attempt has not been taken for the repetition of an earlier one.
	free bool
	// dirty: it changed since the last export.
	dirty bool
	// bills: another node was suppressed because this one bills for it.
	bills bool
	// cumulative: the usage can contain that of the calls before, of which each ended
	// with a request for tools.
	cumulative, tools bool
	// by is the node that bills for this one.
	by uint32
	// next is the next node of the same chain, tail the last one of the chain that
	// begins with this one.
	next, tail uint32
	// rare is what most nodes lack; nil for nothing of it.
	rare *rareFacts

	// input and output are all tokens; -1 for what is not known.
	input, output int64
	// models are the names of the model that answered and of the one asked for,
	// without what instrumentations differ in; 0 for none.
	models [2]uint64
	// id is a digest of the response id; 0 for none.
	id uint64
	// group is that of attempts at the same call; 0 for none.
	group uint64
	// pending is what waits for the decision; nil when it is final.
	pending *pending
	// context is what the span says about calls below it; nil for nothing.
	context *spanContext
}

// rareFacts is what most nodes lack.
type rareFacts struct {
	// ids are digests of the request id and the call id; 0 for none.
	ids [2]uint64
	// twins are spans that are the same call, and the instrumentations that made
	// them: each makes a call only once.
	twins [numTwins]twin
	// retry is the retry number and one; 0 for none.
	retry int64
	// reported are input and output as they stand on the span, where one of them is
	// not all of its kind; zero elsewhere.
	reported [2]int64
}

// facts returns what is rare of a node, to be set.
func (n *node) facts() *rareFacts {
	if n.rare == nil {
		n.rare = &rareFacts{}
	}
	return n.rare
}

// numTwins is how many twins are remembered of a node.
const numTwins = 2

// numIDs is how many ids a node can have: response id, request id and call id.
const numIDs = 3

// idAt is a digest of one of the ids; 0 for none.
func (n *node) idAt(i int) uint64 {
	switch {
	case i == 0:
		return n.id
	case n.rare == nil:
		return 0
	default:
		return n.rare.ids[i-1]
	}
}

func (n *node) setID(i int, digest uint64) {
	switch {
	case i == 0:
		n.id = digest
	case digest != 0:
		n.facts().ids[i-1] = digest
	}
}

// reportsApart says that input or output stand on the span as something else than all
// of it.
func (n *node) reportsApart() bool { return n.rare != nil && n.rare.reported != [2]int64{} }

// reported are input and output as they stand on the span; -1 for what is not known.
func (n *node) reported() (input, output int64) {
	if !n.reportsApart() {
		return n.input, n.output
	}
	return n.rare.reported[0], n.rare.reported[1]
}

// setReported remembers what stands on the span where it differs from all input and
// all output.
func (n *node) setReported(t *tokens) {
	input, output := n.input, n.output
	if t.input.known {
		input = t.reported
	}
	if t.output.known {
		output = t.reportedOutput
	}
	if input != n.input || output != n.output {
		n.facts().reported = [2]int64{input, output}
	}
}

// number is the retry number, -1 for none.
func (n *node) number() int64 {
	if n.rare == nil {
		return -1
	}
	return n.rare.retry - 1
}

func (n *node) setNumber(retry int64) {
	if retry >= 0 {
		n.facts().retry = min(retry, math.MaxInt32) + 1
	}
}

// twins are other spans of the call.
func (n *node) twins() []twin {
	if n.rare == nil {
		return nil
	}
	return n.rare.twins[:]
}

// counted reports whether tokens are known.
func (n *node) counted() bool { return n.usage && (n.input >= 0 || n.output >= 0) }

// twin is another span of a call.
type twin struct{ scope, seq uint64 }

// keyKind is what nodes are found by.
type keyKind uint8

const (
	// keySpan: by the span.
	keySpan keyKind = iota
	// keyID, keyRequest, keyCall: by what the provider or a gateway calls the call.
	keyID
	keyRequest
	keyCall
	// keyCounts: by resource and counts, keyTrace: by trace and counts.
	keyCounts
	keyTrace
	// keyUsage, keyNoUsage: by resource and whether there is usage.
	keyUsage
	keyNoUsage
	// keyGroup: by attempts at the same call.
	keyGroup
	numKeyKinds
)

// beforeAt is where a node keeps the one before it with the same key of a kind; -1 for
// kinds of which only the latest is looked for. No node has both keyUsage and
// keyNoUsage.
var beforeAt = [numKeyKinds]int8{
	keySpan: -1, keyID: -1, keyRequest: -1, keyCall: -1,
	keyCounts: 0, keyTrace: 1, keyUsage: 2, keyNoUsage: 2, keyGroup: 3,
}

// mix is a digest of numbers. The first is a salt, so that no two kinds of keys
// meet.
func mix(kind keyKind, numbers ...uint64) uint64 {
	h := uint64(kind)*0x9e3779b97f4a7c15 + 0x2545f4914f6cdd1d
	for _, n := range numbers {
		h ^= n
		h *= 0xff51afd7ed558ccd
		h ^= h >> 32
	}
	if h == 0 {
		h = 1
	}
	return h
}

func traceHash(k *spanKey) uint64 {
	return mix(keyTrace, binary.LittleEndian.Uint64(k.Trace[:8]), binary.LittleEndian.Uint64(k.Trace[8:]))
}

// digest returns the key of a kind by which the node is found; 0 for none.
func (n *node) digest(kind keyKind) uint64 {
	switch kind {
	case keySpan:
		return spanDigest(&n.key)
	case keyID, keyRequest, keyCall:
		if id := n.idAt(int(kind - keyID)); id != 0 {
			return mix(kind, id)
		}
	case keyCounts:
		if n.class.isCall() && n.usage {
			return mix(kind, n.resource, uint64(n.input), uint64(n.output))
		}
	case keyTrace:
		if n.class.isCall() && n.usage {
			return mix(kind, traceHash(&n.key), uint64(n.input), uint64(n.output))
		}
	case keyUsage:
		if n.class.isCall() && n.usage {
			return mix(kind, n.resource)
		}
	case keyNoUsage:
		if n.class.isCall() && !n.usage {
			return mix(kind, n.resource)
		}
	case keyGroup:
		if n.group != 0 {
			return mix(kind, n.group)
		}
	}
	return 0
}

// keys are the keys by which a node is found; 0 for none of a kind.
type keys [numKeyKinds]uint64

func (n *node) keys() (k keys) {
	for kind := range numKeyKinds {
		k[kind] = n.digest(kind)
	}
	return k
}

func spanDigest(k *spanKey) uint64 {
	return mix(keySpan, binary.LittleEndian.Uint64(k.Trace[:8]), binary.LittleEndian.Uint64(k.Trace[8:]), binary.LittleEndian.Uint64(k.Span[:]))
}
