// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "time"

// recent remembers entries for a while, in bounded memory. It keeps two
// generations: when the younger one is half the bound or half the age, the older
// one is forgotten and the younger takes its place. So an entry is remembered for
// at least half the age unless more than half the bound came after it.
type recent[K comparable, V any] struct {
	max int
	age time.Duration

	young, old map[K]V
	since      time.Time
	// forgotten counts entries that fell out.
	forgotten int64
}

func newRecent[K comparable, V any](entries int, age time.Duration) *recent[K, V] {
	return &recent[K, V]{max: (entries + 1) / 2, age: age / 2, young: make(map[K]V), old: make(map[K]V)}
}

// get returns the value of an entry.
func (r *recent[K, V]) get(key K, now time.Time) (V, bool) {
	r.turn(now)
	if v, ok := r.young[key]; ok {
		return v, true
	}
	v, ok := r.old[key]
	return v, ok
}

// put remembers an entry, or replaces its value.
func (r *recent[K, V]) put(key K, value V, now time.Time) {
	delete(r.old, key)
	if _, ok := r.young[key]; !ok && len(r.young) >= r.max {
		r.rotate(now)
	}
	r.young[key] = value
}

// len is the number of entries.
func (r *recent[K, V]) len() int { return len(r.young) + len(r.old) }

// turn forgets what is too old.
func (r *recent[K, V]) turn(now time.Time) {
	elapsed := now.Sub(r.since)
	switch {
	case r.since.IsZero():
		r.since = now
	case elapsed < r.age:
	default:
		r.rotate(now)
		if elapsed >= 2*r.age {
			r.rotate(now) // nothing came for so long that the younger ones are old, too
		}
	}
}

func (r *recent[K, V]) rotate(now time.Time) {
	r.forgotten += int64(len(r.old))
	r.young, r.old = r.old, r.young
	clear(r.young)
	r.since = now
}
