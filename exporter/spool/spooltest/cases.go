// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spooltest

import (
	"bytes"
	"slices"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/spool"
)

func checkContent(c *checker) {
	want := newItem("aaaa")
	want.Attempts = 3
	receipt, err := c.queue.Put(want, c.now)
	if err != nil {
		c.errorf("Put: %v", err)
	}
	got := c.take("aaaa")
	if got.ID != receipt.ID || got.ID == 0 {
		c.errorf("id = %d, Put said %d", got.ID, receipt.ID)
	}
	if !bytes.Equal(got.Body, want.Body) || got.IdempotencyKey != want.IdempotencyKey || got.Endpoint != want.Endpoint {
		c.errorf("record = %+v, want %+v", got.Frozen, want.Frozen)
	}
	if !got.Created.Equal(want.Created) || got.Attempts != 3 {
		c.errorf("created %v, attempts %d; want %v, 3", got.Created, got.Attempts, want.Created)
	}
}

func checkOrder(c *checker) {
	var last spool.ID
	for _, name := range []string{"aaaa", "bbbb", "cccc"} {
		id := c.put(name)
		if id <= last {
			c.errorf("id %d after %d: ids have to grow", id, last)
		}
		last = id
		c.now = c.now.Add(time.Millisecond)
	}
	for _, name := range []string{"aaaa", "bbbb", "cccc"} {
		c.ack(c.take(name).ID)
	}
	c.takeNothing()
}

func checkTaken(c *checker) {
	c.put("aaaa")
	entry := c.take("aaaa")
	c.takeNothing()
	c.ack(entry.ID)
	c.takeNothing()
	if n := c.queue.Stats().Entries; n != 0 {
		c.errorf("%d entries after the last Ack", n)
	}
}

func checkRequeue(c *checker) {
	if _, ok := c.queue.NextDue(); ok {
		c.errorf("NextDue of an empty queue")
	}
	c.put("aaaa")
	entry := c.take("aaaa")
	if _, ok := c.queue.NextDue(); ok {
		c.errorf("NextDue although nothing waits")
	}
	due := c.now.Add(time.Minute)
	c.requeue(entry.ID, 7, due)
	if at, ok := c.queue.NextDue(); !ok || !at.Equal(due) {
		c.errorf("NextDue = %v, %v, want %v", at, ok, due)
	}
	c.takeNothing()
	c.now = due.Add(-1)
	c.takeNothing()
	c.now = due
	again := c.take("aaaa")
	if again.ID != entry.ID || again.Attempts != 7 {
		c.errorf("came back with id %d and %d attempts, want %d and 7", again.ID, again.Attempts, entry.ID)
	}
}

func checkFairness(c *checker) {
	c.put("aaaa")
	entry := c.take("aaaa")
	c.requeue(entry.ID, 1, c.now.Add(2*time.Second))
	c.now = c.now.Add(time.Second)
	c.put("bbbb")
	c.now = c.now.Add(2 * time.Second)
	c.put("cccc")
	c.now = c.now.Add(time.Second)
	// bbbb has been due since second 1, aaaa since 2, cccc since 3.
	c.take("bbbb")
	c.take("aaaa")
	c.take("cccc")
	c.takeNothing()
}

func checkRelease(c *checker) {
	for _, name := range []string{"aaaa", "bbbb", "cccc"} {
		c.put(name)
	}
	first, second := c.take("aaaa"), c.take("bbbb")
	c.requeue(first.ID, 1, c.now.Add(time.Hour))
	c.requeue(second.ID, 1, c.now.Add(time.Minute))
	c.now = c.now.Add(time.Second)
	if err := c.queue.Release(c.now); err != nil {
		c.errorf("Release: %v", err)
	}
	if at, ok := c.queue.NextDue(); !ok || at.After(c.now) {
		c.errorf("NextDue after Release = %v, %v, want not after %v", at, ok, c.now)
	}
	c.take("cccc") // due before the others, since it never had to wait
	var got []string
	for range 2 {
		entry, ok, err := c.queue.Take(c.now)
		if err != nil || !ok {
			c.errorf("Take after Release: %v, %v", ok, err)
		}
		got = append(got, entry.TransactionID)
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"aaaa", "bbbb"}) {
		c.errorf("took %v after Release, want aaaa and bbbb", got)
	}
}

func checkUnknownID(c *checker) {
	id := c.put("aaaa")
	c.wantErr("Ack of a waiting entry", c.queue.Ack(id), spool.ErrNotTaken)
	c.wantErr("Requeue of a waiting entry", c.queue.Requeue(id, 1, c.now), spool.ErrNotTaken)
	c.wantErr("Ack of an unknown entry", c.queue.Ack(id+1), spool.ErrNotTaken)
	entry := c.take("aaaa")
	c.ack(entry.ID)
	c.wantErr("second Ack", c.queue.Ack(entry.ID), spool.ErrNotTaken)
	c.wantErr("Requeue after Ack", c.queue.Requeue(entry.ID, 1, c.now), spool.ErrNotTaken)
}

func checkStats(c *checker) {
	empty := c.queue.Stats()
	if empty.Entries != 0 || empty.Bytes != 0 || empty.Taken != 0 || empty.Oldest != 0 || empty.Newest != 0 {
		c.errorf("stats of an empty queue: %+v", empty)
	}
	if empty.MaxEntries != c.limits.MaxEntries || empty.MaxBytes != c.limits.MaxBytes {
		c.errorf("limits = %d, %d, want %+v", empty.MaxEntries, empty.MaxBytes, c.limits)
	}
	first := c.put("aaaa")
	second := c.put("bbbb")
	c.take("aaaa")
	s := c.queue.Stats()
	if s.Entries != 2 || s.Taken != 1 || s.Bytes != 2*itemSize || s.Oldest != first || s.Newest != second {
		c.errorf("stats = %+v, want 2 entries, 1 taken, %d bytes, oldest %d, newest %d", s, 2*itemSize, first, second)
	}
	if want := newItem("aaaa").Created; !s.OldestCreated.Equal(want) {
		c.errorf("oldest created %v, want %v", s.OldestCreated, want)
	}
	c.ack(first)
	s = c.queue.Stats()
	if s.Entries != 1 || s.Taken != 0 || s.Bytes != itemSize || s.Oldest != second {
		c.errorf("stats after Ack = %+v, want 1 entry, oldest %d", s, second)
	}
}

func checkDropNewest(c *checker) {
	for _, name := range []string{"aaaa", "bbbb", "cccc"} {
		c.put(name)
	}
	_, err := c.queue.Put(newItem("dddd"), c.now)
	c.wantErr("Put into a full queue", err, spool.ErrFull)
	c.ack(c.take("aaaa").ID)
	c.put("eeee")
	for _, name := range []string{"bbbb", "cccc", "eeee"} {
		c.take(name)
	}
}

func checkDropOldest(c *checker) {
	for _, name := range []string{"aaaa", "bbbb", "cccc"} {
		c.put(name)
	}
	// The oldest is the one that was put first, also when it waits.
	entry := c.take("aaaa")
	c.requeue(entry.ID, 1, c.now.Add(time.Hour))
	receipt, err := c.queue.Put(newItem("dddd"), c.now)
	if err != nil || !slices.Equal(names(receipt.Evicted), []string{"aaaa"}) {
		c.errorf("Put evicted %v, %v, want aaaa", names(receipt.Evicted), err)
	}
	if len(receipt.Evicted) == 1 && receipt.Evicted[0].Attempts != 1 {
		c.errorf("evicted item has %d attempts, want 1", receipt.Evicted[0].Attempts)
	}
	c.now = c.now.Add(2 * time.Hour)
	for _, name := range []string{"bbbb", "cccc", "dddd"} {
		c.take(name)
	}
	c.takeNothing()
}

func checkDropOldestTaken(c *checker) {
	c.put("aaaa")
	c.put("bbbb")
	first := c.take("aaaa")
	receipt, err := c.queue.Put(newItem("cccc"), c.now)
	if err != nil || !slices.Equal(names(receipt.Evicted), []string{"bbbb"}) {
		c.errorf("Put evicted %v, %v, want bbbb", names(receipt.Evicted), err)
	}
	c.take("cccc")
	_, err = c.queue.Put(newItem("dddd"), c.now)
	c.wantErr("Put when all is taken", err, spool.ErrFull)
	c.ack(first.ID)
	c.put("eeee")
}

func checkBytes(c *checker) {
	for _, name := range []string{"aaaa", "bbbb", "cccc"} {
		c.put(name)
	}
	// One byte more than two of them free.
	large := newItem("dddd")
	large.Body = append(large.Body, bytes.Repeat([]byte("."), int(itemSize)+1)...)
	receipt, err := c.queue.Put(large, c.now)
	if err != nil || !slices.Equal(names(receipt.Evicted), []string{"aaaa", "bbbb", "cccc"}) {
		c.errorf("Put evicted %v, %v, want all three", names(receipt.Evicted), err)
	}
	if s := c.queue.Stats(); s.Bytes != large.Size() || s.Entries != 1 {
		c.errorf("stats = %+v, want %d bytes in 1 entry", s, large.Size())
	}
}

func checkTooLarge(c *checker) {
	c.put("aaaa")
	large := newItem("bbbb")
	large.Body = bytes.Repeat([]byte("."), int(3*itemSize))
	receipt, err := c.queue.Put(large, c.now)
	c.wantErr("Put of a too large item", err, spool.ErrTooLarge)
	if len(receipt.Evicted) > 0 {
		c.errorf("a too large item evicted %v", names(receipt.Evicted))
	}
	c.take("aaaa")
}

func checkRequeueFull(c *checker) {
	c.put("aaaa")
	entry := c.take("aaaa")
	_, err := c.queue.Put(newItem("bbbb"), c.now)
	c.wantErr("Put while the only place is taken", err, spool.ErrFull)
	c.requeue(entry.ID, 1, c.now)
	c.take("aaaa")
}

func checkClose(c *checker) {
	c.put("aaaa")
	c.put("bbbb")
	c.take("aaaa")
	if err := c.queue.Close(); err != nil {
		c.errorf("Close: %v", err)
	}
	if s := c.queue.Stats(); s.Entries != 2 {
		c.errorf("stats after Close: %d entries, want the 2 that were left", s.Entries)
	}
	_, err := c.queue.Put(newItem("cccc"), c.now)
	c.wantErr("Put after Close", err, spool.ErrClosed)
	_, _, err = c.queue.Take(c.now)
	c.wantErr("Take after Close", err, spool.ErrClosed)
	c.wantErr("Release after Close", c.queue.Release(c.now), spool.ErrClosed)
	if _, ok := c.queue.NextDue(); ok {
		c.errorf("NextDue after Close")
	}
	if err := c.queue.Close(); err != nil {
		c.errorf("second Close: %v", err)
	}
}
