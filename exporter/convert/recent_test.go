// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"testing"
	"time"
)

func TestRecent(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	r := newRecent[int, string](10, time.Minute)
	r.put(1, "one", now)
	r.put(1, "uno", now)
	if v, ok := r.get(1, now); !ok || v != "uno" {
		t.Errorf("got %q, %v, want the latest value", v, ok)
	}
	if r.len() != 1 {
		t.Errorf("%d entries, want 1", r.len())
	}
	// Half the age later it is one of the older ones, and putting it again keeps it.
	r.put(1, "one", now.Add(31*time.Second))
	r.get(2, now.Add(31*time.Second))
	r.put(1, "one", now.Add(32*time.Second))
	if _, ok := r.get(1, now.Add(80*time.Second)); !ok {
		t.Error("an entry is forgotten before half the age")
	}
	if _, ok := r.get(1, now.Add(10*time.Minute)); ok {
		t.Error("an entry is remembered for ten times the age")
	}
	for i := range 1000 {
		r.put(i, "x", now.Add(10*time.Minute))
		if r.len() > 10 {
			t.Fatalf("%d entries, at most 10 are wanted", r.len())
		}
	}
	for i := 996; i < 1000; i++ {
		if _, ok := r.get(i, now.Add(10*time.Minute)); !ok {
			t.Errorf("entry %d of the latest half is forgotten", i)
		}
	}
	if r.forgotten < 980 {
		t.Errorf("%d forgotten entries were counted", r.forgotten)
	}
}
