// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"crypto/sha256"
	"time"
)

// retention is how long an answer is kept for an idempotency key.
const retention = 24 * time.Hour

// sweepEvery is after how many new idempotency keys the old ones are thrown away.
const sweepEvery = 1 << 16

// digest identifies a body, or an id within an account; it keeps the tables small and free of long strings.
type digest [16]byte

func digestOf(tenant, s string) digest {
	buf := make([]byte, 0, 256)
	buf = append(buf, tenant...)
	buf = append(buf, 0)
	buf = append(buf, s...)
	return digestBytes(buf)
}

func digestBytes(b []byte) digest {
	sum := sha256.Sum256(b)
	return digest(sum[:16])
}

// keyEntry is what is known about an idempotency key.
type keyEntry struct {
	body   digest
	done   bool
	at     time.Time // when the answer was made
	answer answer
}

// idEntry is what is known about a transaction id.
type idEntry struct {
	attempts int
	stored   bool
	body     digest
}

// ring keeps the newest limit values; all if limit is negative.
type ring[T any] struct {
	limit  int
	values []T
}

func (r *ring[T]) add(v T) {
	if r.limit == 0 {
		return
	}
	if r.limit > 0 && len(r.values) >= r.limit {
		var zero T
		r.values[0] = zero // appending moves the window on; what left it must not be held
		r.values = r.values[1:]
	}
	r.values = append(r.values, v)
}

func (r *ring[T]) all() []T { return r.values }

func (r *ring[T]) clear() { r.values = nil }

// store is what the server remembers. Its user holds the server's lock.
type store struct {
	records    ring[Record]
	requests   ring[*Request]
	violations ring[Violation]
	stats      Stats
	ids        map[digest]idEntry
	keys       map[digest]keyEntry
	sinceSweep int
	waiting    chan struct{} // closed at the next change; nil if nobody waits
	epoch      int           // counts resets: what began before one must not write after it
}

func newStore(limit int) store {
	return store{
		records:    ring[Record]{limit: limit},
		requests:   ring[*Request]{limit: limit},
		violations: ring[Violation]{limit: limit},
		ids:        make(map[digest]idEntry),
		keys:       make(map[digest]keyEntry),
	}
}

func (st *store) reset() {
	st.records.clear()
	st.requests.clear()
	st.violations.clear()
	st.stats = Stats{}
	clear(st.ids)
	clear(st.keys)
	st.sinceSweep = 0
	st.epoch++
	st.wake()
}

// changed returns a channel that is closed at the next change.
func (st *store) changed() <-chan struct{} {
	if st.waiting == nil {
		st.waiting = make(chan struct{})
	}
	return st.waiting
}

func (st *store) wake() {
	if st.waiting != nil {
		close(st.waiting)
		st.waiting = nil
	}
}

// addViolations counts vs and keeps them.
func (st *store) addViolations(vs []Violation) {
	st.stats.Violations += len(vs)
	for _, v := range vs {
		st.violations.add(v)
	}
}

// attempt counts an attempt to send the record with this id.
func (st *store) attempt(id digest) int {
	e := st.ids[id]
	e.attempts++
	st.ids[id] = e
	return e.attempts
}

// begin looks key up. It returns the entry that is there and true, or marks the key as in flight.
func (st *store) begin(key, body digest, now time.Time) (keyEntry, bool) {
	if e, ok := st.keys[key]; ok && (!e.done || now.Sub(e.at) < retention) {
		return e, true
	}
	st.keys[key] = keyEntry{body: body}
	if st.sinceSweep++; st.sinceSweep >= sweepEvery {
		st.sweep(now)
	}
	return keyEntry{}, false
}

// sweep throws away the keys that are too old.
func (st *store) sweep(now time.Time) {
	st.sinceSweep = 0
	for k, e := range st.keys {
		if e.done && now.Sub(e.at) >= retention {
			delete(st.keys, k)
		}
	}
}

// settle keeps the answer for key.
func (st *store) settle(key digest, a answer, now time.Time) {
	e := st.keys[key]
	e.done, e.at, e.answer = true, now, a
	st.keys[key] = e
}

// put stores rec unless its id is known. It returns whether it did, and whether a known id had the same body.
func (st *store) put(rec Record, id, body digest) (stored, same bool) {
	e := st.ids[id]
	if e.stored {
		st.stats.Duplicates++
		st.wake()
		return false, e.body == body
	}
	e.stored, e.body = true, body
	st.ids[id] = e
	st.records.add(rec)
	st.stats.Stored++
	st.wake()
	return true, true
}
