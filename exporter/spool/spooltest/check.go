// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package spooltest checks whether a [spool.Queue] keeps the contract of package
// spool.
package spooltest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// Limits are the bounds with which a check opens a queue.
type Limits struct {
	MaxEntries int
	MaxBytes   int64
	Overflow   spool.OverflowPolicy
}

// Open returns a new, empty queue with the given limits.
type Open func(Limits) (spool.Queue, error)

// roomy is for checks that are not about limits.
var roomy = Limits{MaxEntries: 1000, MaxBytes: 1 << 20}

// Check runs every check of the contract on queues of their own and returns what
// was broken, one error per check, joined. It closes the queues that it opens.
func Check(open Open) error {
	checks := []struct {
		name   string
		limits Limits
		run    func(*checker)
	}{
		{"content comes out as it went in", roomy, checkContent},
		{"first in, first out", roomy, checkOrder},
		{"taken is not handed out again", roomy, checkTaken},
		{"requeued waits for its time", roomy, checkRequeue},
		{"what is due for longest comes first", roomy, checkFairness},
		{"release makes all due", roomy, checkRelease},
		{"unknown ids are refused", roomy, checkUnknownID},
		{"stats", roomy, checkStats},
		{"drop newest by entries", Limits{MaxEntries: 3, MaxBytes: 1 << 20, Overflow: spool.DropNewest}, checkDropNewest},
		{"drop oldest by entries", Limits{MaxEntries: 3, MaxBytes: 1 << 20, Overflow: spool.DropOldest}, checkDropOldest},
		{"drop oldest spares what is taken", Limits{MaxEntries: 2, MaxBytes: 1 << 20, Overflow: spool.DropOldest}, checkDropOldestTaken},
		{"bound in bytes", Limits{MaxEntries: 100, MaxBytes: 3 * itemSize, Overflow: spool.DropOldest}, checkBytes},
		{"too large", Limits{MaxEntries: 100, MaxBytes: 3 * itemSize, Overflow: spool.DropOldest}, checkTooLarge},
		{"requeue when full", Limits{MaxEntries: 1, MaxBytes: 1 << 20}, checkRequeueFull},
		{"close", roomy, checkClose},
		{"random operations against a model", Limits{MaxEntries: 8, MaxBytes: 8 * itemSize, Overflow: spool.DropOldest}, checkModel},
		{"random operations against a model, drop newest", Limits{MaxEntries: 8, MaxBytes: 6 * itemSize, Overflow: spool.DropNewest}, checkModel},
		{"concurrent use", roomy, checkConcurrent},
	}
	var errs []error
	for _, check := range checks {
		q, err := open(check.limits)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: opening the queue: %w", check.name, err))
			continue
		}
		c := &checker{queue: q, limits: check.limits, now: time.Unix(1_700_000_000, 0)}
		check.run(c)
		if err := q.Close(); err != nil {
			c.errorf("closing the queue: %v", err)
		}
		for _, problem := range c.problems {
			errs = append(errs, fmt.Errorf("%s: %s", check.name, problem))
		}
	}
	return errors.Join(errs...)
}

// checker is one check in progress.
type checker struct {
	queue    spool.Queue
	limits   Limits
	now      time.Time
	problems []string
}

func (c *checker) errorf(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// bodySize makes all items of a check equally large.
const bodySize = 64

// itemSize is the size of newItem's items.
var itemSize = newItem("0000").Size()

// newItem returns an item whose fields follow from its four-character name.
func newItem(name string) spool.Item {
	return spool.Item{
		Frozen: metering.Frozen{
			Endpoint:       metering.EndpointCompletions,
			TransactionID:  name,
			IdempotencyKey: "key-" + name,
			Body:           []byte(name + strings.Repeat(".", bodySize-len(name))),
		},
		Created: time.Unix(1_600_000_000, 0),
	}
}

// put puts an item that has to fit, and returns its id.
func (c *checker) put(name string) spool.ID {
	receipt, err := c.queue.Put(newItem(name), c.now)
	if err != nil {
		c.errorf("Put(%s): %v", name, err)
	}
	if len(receipt.Evicted) > 0 {
		c.errorf("Put(%s) evicted %v", name, names(receipt.Evicted))
	}
	return receipt.ID
}

// take takes what has to be the item of that name.
func (c *checker) take(want string) spool.Entry {
	entry, ok, err := c.queue.Take(c.now)
	switch {
	case err != nil:
		c.errorf("Take: %v, want %s", err, want)
	case !ok:
		c.errorf("Take found nothing, want %s", want)
	case entry.TransactionID != want:
		c.errorf("Take = %s, want %s", entry.TransactionID, want)
	}
	return entry
}

// takeNothing checks that nothing is due.
func (c *checker) takeNothing() {
	entry, ok, err := c.queue.Take(c.now)
	if err != nil || ok {
		c.errorf("Take = %q, %v, %v, want nothing", entry.TransactionID, ok, err)
	}
}

func (c *checker) ack(id spool.ID) {
	if err := c.queue.Ack(id); err != nil {
		c.errorf("Ack(%d): %v", id, err)
	}
}

func (c *checker) requeue(id spool.ID, attempts int, due time.Time) {
	if err := c.queue.Requeue(id, attempts, due); err != nil {
		c.errorf("Requeue(%d): %v", id, err)
	}
}

// wantErr checks that an operation failed as it has to.
func (c *checker) wantErr(op string, err, want error) {
	if !errors.Is(err, want) {
		c.errorf("%s = %v, want %v", op, err, want)
	}
}

// names are the transaction ids of items.
func names(items []spool.Item) []string {
	out := make([]string, len(items))
	for i, it := range items {
		out[i] = it.TransactionID
	}
	return out
}
