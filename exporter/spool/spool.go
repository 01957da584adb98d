// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"errors"
	"fmt"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// Errors of a [Queue], to be compared with errors.Is.
var (
	// ErrFull means that a record was refused because the queue holds as much as it may.
	ErrFull = errors.New("spool: queue is full")
	// ErrTooLarge means that a record alone exceeds what the queue may hold.
	ErrTooLarge = errors.New("spool: record is larger than the queue")
	// ErrClosed means that the queue takes and gives nothing any more.
	ErrClosed = errors.New("spool: queue is closed")
	// ErrNotTaken means that an id names no entry that is currently handed out.
	ErrNotTaken = errors.New("spool: no such entry is handed out")
)

// entryOverhead is what an entry costs beside its strings and bytes: the entry
// itself, its list links and its place in the heap, rounded up.
const entryOverhead = 256

// Item is one frozen record waiting for delivery.
type Item struct {
	metering.Frozen

	// Created is the time at which the record was frozen.
	Created time.Time
	// Attempts is the number of attempts that were made to deliver it.
	Attempts int
}

// Size is the number of bytes that the item counts against the byte bound of a
// queue: its body, its ids and a fixed overhead.
func (it Item) Size() int64 {
	return int64(len(it.Body)+len(it.TransactionID)+len(it.IdempotencyKey)+len(it.Endpoint)) + entryOverhead
}

// ID names an entry of one queue. Ids grow in the order of [Queue.Put]; zero is
// no id.
type ID uint64

// Entry is an item that a queue hands out, and the id by which it is
// acknowledged or put back.
type Entry struct {
	ID ID
	Item
}

// Receipt is what [Queue.Put] did.
type Receipt struct {
	// ID names the new entry.
	ID ID
	// Evicted are the items that had to leave to make room, oldest first. They
	// are gone: whoever put the new one has to count them.
	Evicted []Item
}

// Stats describes the content of a queue at one moment.
type Stats struct {
	// Entries is the number of items, with those that are handed out.
	Entries int
	// Taken is the number of items that are handed out and not yet acknowledged.
	Taken int
	// Durable is the number of items that survive the end of the process. It is
	// zero for a queue in memory.
	Durable int
	// Bytes is the sum of the sizes of the items (see [Item.Size]).
	Bytes int64
	// MaxEntries and MaxBytes are the bounds; zero means unbounded.
	MaxEntries int
	MaxBytes   int64
	// Oldest is the smallest id in the queue, those handed out included; zero
	// when the queue is empty.
	Oldest ID
	// OldestCreated is the creation time of that item.
	OldestCreated time.Time
	// Newest is the largest id in the queue; zero when the queue is empty.
	Newest ID
}

// Queue stores items between conversion and the wire.
//
// All methods are safe for concurrent use and return without waiting for
// another caller's attempt. Times are passed in, so that a queue needs no clock.
type Queue interface {
	// Put appends an item that is due at now. When there is no room, the queue
	// either refuses it with [ErrFull], or evicts the oldest items that are not
	// handed out, by its policy. An item that can never fit is refused with
	// [ErrTooLarge] and evicts nothing.
	Put(item Item, now time.Time) (Receipt, error)

	// Take hands out the item that has been due for longest, and reports false
	// when none is due at now. The item stays in the queue, is counted in its
	// bounds and is not handed out again until Requeue.
	Take(now time.Time) (Entry, bool, error)

	// Ack removes an item that was handed out, because its record reached its
	// end: delivered or given up.
	Ack(id ID) error

	// Requeue puts an item that was handed out back; it is due again at due.
	// Attempts is stored with it. It keeps its id and is never refused for lack
	// of room.
	Requeue(id ID, attempts int, due time.Time) error

	// Release makes all items that wait for a later time due at now.
	Release(now time.Time) error

	// NextDue is the time at which Take has something to hand out, and false
	// when nothing is waiting.
	NextDue() (time.Time, bool)

	// Stats describes the queue; after Close, what it held when it was closed.
	// It costs no input or output.
	Stats() Stats

	// Close ends the queue: Put and Take fail with [ErrClosed] from then on. A
	// durable queue keeps its items for the next process, those handed out
	// included; Ack and Requeue of those fail. Closing twice is harmless.
	Close() error
}

// OverflowPolicy says which record a full queue gives up.
type OverflowPolicy uint8

// The overflow policies.
const (
	// DropNewest refuses the record that does not fit.
	DropNewest OverflowPolicy = iota
	// DropOldest evicts the oldest records that no sender is working on.
	DropOldest
)

// String names the policy as configuration does.
func (p OverflowPolicy) String() string {
	switch p {
	case DropNewest:
		return "drop-newest"
	case DropOldest:
		return "drop-oldest"
	default:
		return fmt.Sprintf("OverflowPolicy(%d)", uint8(p))
	}
}
