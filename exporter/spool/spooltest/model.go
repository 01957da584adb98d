// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spooltest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// modelSteps is the number of random operations of checkModel.
const modelSteps = 5000

// modelEntry is an entry of the model: the queue done in the most obvious way.
type modelEntry struct {
	name     string
	id       spool.ID
	due      time.Time
	attempts int
	taken    bool
}

// model is the queue that a real one has to agree with.
type model struct {
	limits  Limits
	entries []*modelEntry // by age
}

// put returns what a Put has to evict, and whether it has to succeed.
func (m *model) put(e *modelEntry) (evicted []string, ok bool) {
	room := int64(m.limits.MaxEntries)
	if byBytes := m.limits.MaxBytes / itemSize; byBytes < room {
		room = byBytes
	}
	if int64(len(m.entries)) >= room {
		i := slices.IndexFunc(m.entries, func(e *modelEntry) bool { return !e.taken })
		if m.limits.Overflow != spool.DropOldest || i < 0 {
			return nil, false
		}
		evicted = append(evicted, m.entries[i].name)
		m.entries = slices.Delete(m.entries, i, i+1)
	}
	m.entries = append(m.entries, e)
	return evicted, true
}

// next is what Take has to hand out at now.
func (m *model) next(now time.Time) *modelEntry {
	var best *modelEntry
	for _, e := range m.entries {
		if !e.taken && !e.due.After(now) && (best == nil || e.due.Before(best.due)) {
			best = e
		}
	}
	return best
}

// taken is a random entry that is handed out.
func (m *model) takenEntry(rng *rand.Rand) *modelEntry {
	var taken []*modelEntry
	for _, e := range m.entries {
		if e.taken {
			taken = append(taken, e)
		}
	}
	if len(taken) == 0 {
		return nil
	}
	return taken[rng.IntN(len(taken))]
}

func (m *model) remove(e *modelEntry) {
	m.entries = slices.DeleteFunc(m.entries, func(x *modelEntry) bool { return x == e })
}

// checkModel runs random operations on the queue and on a model and compares
// each answer.
func checkModel(c *checker) {
	rng := rand.New(rand.NewPCG(1, 2))
	m := &model{limits: c.limits}
	for step := range modelSteps {
		if len(c.problems) > 0 {
			c.errorf("stopped after step %d", step)
			return
		}
		c.now = c.now.Add(time.Duration(rng.IntN(100)) * time.Millisecond)
		switch rng.IntN(10) {
		case 0, 1, 2, 3:
			c.modelPut(m, fmt.Sprintf("%04d", step%10000))
		case 4, 5, 6:
			c.modelTake(m)
		case 7:
			if e := m.takenEntry(rng); e != nil {
				c.ack(e.id)
				m.remove(e)
			}
		case 8:
			if e := m.takenEntry(rng); e != nil {
				e.attempts++
				e.due = c.now.Add(time.Duration(rng.IntN(1000)) * time.Millisecond)
				e.taken = false
				c.requeue(e.id, e.attempts, e.due)
			}
		default:
			if rng.IntN(10) == 0 {
				c.modelRelease(m)
			}
		}
		c.compareStats(m)
	}
}

func (c *checker) modelPut(m *model, name string) {
	e := &modelEntry{name: name, due: c.now}
	evicted, ok := m.put(e)
	receipt, err := c.queue.Put(newItem(name), c.now)
	e.id = receipt.ID
	switch {
	case !ok && !errors.Is(err, spool.ErrFull):
		c.errorf("Put(%s) = %v, want ErrFull", name, err)
	case ok && err != nil:
		c.errorf("Put(%s) = %v", name, err)
	case !slices.Equal(names(receipt.Evicted), evicted):
		c.errorf("Put(%s) evicted %v, want %v", name, names(receipt.Evicted), evicted)
	}
}

func (c *checker) modelTake(m *model) {
	want := m.next(c.now)
	if want == nil {
		c.takeNothing()
		return
	}
	// Entries that are due at the same time may come in any order.
	got, ok, err := c.queue.Take(c.now)
	if err != nil || !ok {
		c.errorf("Take = %v, %v, want %s", ok, err, want.name)
		return
	}
	i := slices.IndexFunc(m.entries, func(e *modelEntry) bool { return e.id == got.ID && !e.taken && e.due.Equal(want.due) })
	if i < 0 {
		c.errorf("Take = %s, want %s", got.TransactionID, want.name)
		return
	}
	e := m.entries[i]
	if got.Attempts != e.attempts || got.TransactionID != e.name {
		c.errorf("Take = %s with %d attempts, want %s with %d", got.TransactionID, got.Attempts, e.name, e.attempts)
	}
	e.taken = true
}

func (c *checker) modelRelease(m *model) {
	for _, e := range m.entries {
		if !e.taken && e.due.After(c.now) {
			e.due = c.now
		}
	}
	if err := c.queue.Release(c.now); err != nil {
		c.errorf("Release: %v", err)
	}
}

func (c *checker) compareStats(m *model) {
	s := c.queue.Stats()
	taken := 0
	var oldest, newest spool.ID
	for _, e := range m.entries {
		if e.taken {
			taken++
		}
	}
	if n := len(m.entries); n > 0 {
		oldest, newest = m.entries[0].id, m.entries[n-1].id
	}
	if s.Entries != len(m.entries) || s.Taken != taken || s.Bytes != int64(len(m.entries))*itemSize || s.Oldest != oldest || s.Newest != newest {
		c.errorf("stats = %+v, want %d entries, %d taken, oldest %d, newest %d", s, len(m.entries), taken, oldest, newest)
	}
}

// checkConcurrent lets producers and consumers work at the same time: each item
// has to come out until it is acknowledged, and exactly once from then on.
func checkConcurrent(c *checker) {
	const producers, consumers, each = 4, 4, 200
	const patience = 30 * time.Second // a broken queue must not hang the check
	start := time.Now()
	var wg sync.WaitGroup
	var mu sync.Mutex
	acked := make(map[string]int)
	problem := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		c.errorf(format, args...)
	}
	for p := range producers {
		wg.Go(func() {
			for i := range each {
				name := fmt.Sprintf("%d%03d", p, i)
				if _, err := c.queue.Put(newItem(name), c.now); err != nil {
					problem("Put(%s): %v", name, err)
				}
			}
		})
	}
	consume := func(seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 0))
		for {
			mu.Lock()
			done := len(acked) == producers*each || len(c.problems) > 0
			missing := producers*each - len(acked)
			mu.Unlock()
			if done {
				return
			}
			if time.Since(start) > patience {
				problem("%d of %d items were not seen after %v", missing, producers*each, patience)
				return
			}
			entry, ok, err := c.queue.Take(c.now)
			switch {
			case err != nil:
				problem("Take: %v", err)
			case !ok:
				time.Sleep(50 * time.Microsecond)
			case rng.IntN(3) == 0:
				if err := c.queue.Requeue(entry.ID, entry.Attempts+1, c.now); err != nil {
					problem("Requeue: %v", err)
				}
			default:
				if err := c.queue.Ack(entry.ID); err != nil {
					problem("Ack: %v", err)
				}
				mu.Lock()
				acked[entry.TransactionID]++
				again := acked[entry.TransactionID] > 1
				mu.Unlock()
				if again {
					problem("%s came back after Ack", entry.TransactionID)
				}
			}
		}
	}
	for n := range consumers {
		wg.Go(func() { consume(uint64(n)) })
	}
	wg.Wait()
}
