// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// stateSeeds is small for everyday use; "-spool.seeds 500" looks harder.
var stateSeeds = flag.Int("spool.seeds", 8, "number of random histories of TestStateMachine")

// TestStateMachine runs random operations, restarts and faults of the disk included,
// and compares with a model: nothing comes that was not put, nothing that was
// acknowledged comes back after a clean restart, nothing else is missing, and the
// counts are right at every step.
func TestStateMachine(t *testing.T) {
	const steps = 1500
	for seed := range *stateSeeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, uint64(seed))
			for step := range steps {
				m.step()
				if t.Failed() {
					t.Fatalf("stopped after step %d", step)
				}
			}
			m.fault.set("")
			m.restart()
			for tenant := range m.model {
				m.checkRest(tenant)
			}
		})
	}
}

// machine is a directory under test, and what has to be in it.
type machine struct {
	t     *testing.T
	rng   *rand.Rand
	path  string
	fault *faults
	dir   *spool.Directory
	opts  []spool.DirectoryOption
	// model has the attempts of what is in each queue.
	model map[string]map[string]int
	taken map[string]map[string]spool.Entry
	last  int
}

func newMachine(t *testing.T, seed uint64) *machine {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 3))
	m := &machine{
		t: t, rng: rng, path: t.TempDir(), fault: &faults{err: syscall.ENOSPC},
		model: map[string]map[string]int{"": {}, "acme": {}, "blue": {}},
		taken: map[string]map[string]spool.Entry{"": {}, "acme": {}, "blue": {}},
	}
	m.opts = []spool.DirectoryOption{
		m.fault.option(), spool.WithoutFsync(),
		spool.WithReadAhead(int64(rng.IntN(6000)), 1+rng.IntN(8)),
		spool.WithCommitInterval(time.Duration(rng.IntN(300)) * time.Microsecond),
		spool.WithUnreadable(func(_ string, _ []byte, err error) bool {
			t.Errorf("unreadable: %v", err)
			return false
		}),
		spool.WithEvents(func(e spool.Event) {
			if e.Kind != spool.EventAdopted && e.Kind != spool.EventWriteFailed && e.Kind != spool.EventWriteRecovered {
				t.Errorf("event %v", e)
			}
		}),
	}
	m.dir = openDir(t, m.path, m.opts...)
	return m
}

func (m *machine) step() {
	tenant := []string{"", "", "acme", "blue"}[m.rng.IntN(4)]
	q := m.dir.Queue(tenant)
	switch n := m.rng.IntN(1000); {
	case n < 400:
		m.put(q, tenant)
	case n < 650:
		m.take(q, tenant)
	case n < 800:
		m.ack(q, tenant)
	case n < 900:
		m.requeue(q, tenant)
	case n < 930:
		if err := q.Release(time.Now()); err != nil {
			m.t.Errorf("Release: %v", err)
		}
	case n < 960:
		m.sync(q)
	case n < 980:
		m.fault.set([]string{"", "", "", "create", "commit", "read"}[m.rng.IntN(6)])
	case n < 983:
		m.fault.set("")
		m.restart()
	}
	m.check(m.dir.Queue(tenant), tenant) // q is closed after a restart
}

func (m *machine) put(q *spool.Disk, tenant string) {
	m.last++
	name := fmt.Sprintf("%s-%06d", tenant, m.last)
	it := item(name)
	it.Attempts = m.rng.IntN(3)
	if _, err := q.Put(it, time.Now()); err != nil {
		m.t.Errorf("Put: %v", err)
	}
	m.model[tenant][name] = it.Attempts
}

func (m *machine) take(q *spool.Disk, tenant string) {
	e, ok, err := q.Take(time.Now())
	if errors.Is(err, syscall.ENOSPC) {
		return
	}
	waiting := len(m.model[tenant]) - len(m.taken[tenant])
	attempts, known := m.model[tenant][e.TransactionID]
	_, twice := m.taken[tenant][e.TransactionID]
	switch {
	case err != nil:
		m.t.Errorf("Take: %v", err)
	case !ok && waiting > 0:
		if _, later := q.NextDue(); !later {
			m.t.Errorf("Take found nothing, but %d wait", waiting)
		}
	case ok && (!known || twice):
		m.t.Errorf("Take = %q: known %v, handed out already %v", e.TransactionID, known, twice)
	case ok && e.Attempts != attempts:
		m.t.Errorf("Take = %q with %d attempts, want %d", e.TransactionID, e.Attempts, attempts)
	case ok && string(e.Body) != string(item(e.TransactionID).Body):
		m.t.Errorf("Take = %q with body %q", e.TransactionID, e.Body)
	case ok:
		m.taken[tenant][e.TransactionID] = e
	}
}

// one is any entry that is handed out.
func (m *machine) one(tenant string) (spool.Entry, bool) {
	names := slices.Sorted(maps.Keys(m.taken[tenant]))
	if len(names) == 0 {
		return spool.Entry{}, false
	}
	return m.taken[tenant][names[m.rng.IntN(len(names))]], true
}

func (m *machine) ack(q *spool.Disk, tenant string) {
	e, ok := m.one(tenant)
	if !ok {
		return
	}
	if err := q.Ack(e.ID); err != nil {
		m.t.Errorf("Ack: %v", err)
	}
	delete(m.taken[tenant], e.TransactionID)
	delete(m.model[tenant], e.TransactionID)
}

func (m *machine) requeue(q *spool.Disk, tenant string) {
	e, ok := m.one(tenant)
	if !ok {
		return
	}
	attempts := e.Attempts + 1
	if err := q.Requeue(e.ID, attempts, time.Now().Add(time.Duration(m.rng.IntN(3000))*time.Microsecond)); err != nil {
		m.t.Errorf("Requeue: %v", err)
	}
	m.model[tenant][e.TransactionID] = attempts
	delete(m.taken[tenant], e.TransactionID)
}

func (m *machine) sync(q *spool.Disk) {
	if err := q.Sync(); err != nil && !errors.Is(err, syscall.ENOSPC) {
		m.t.Errorf("Sync: %v", err)
	} else if err == nil {
		if s := q.Stats(); s.Durable != s.Entries {
			m.t.Errorf("%d of %d entries on disk after Sync", s.Durable, s.Entries)
		}
	}
}

// restart closes the directory and opens it again. What was handed out is so no
// longer.
func (m *machine) restart() {
	closeDir(m.t, m.dir)
	m.dir = openDir(m.t, m.path, m.opts...)
	for tenant := range m.taken {
		clear(m.taken[tenant])
		m.check(m.dir.Queue(tenant), tenant)
	}
}

func (m *machine) check(q *spool.Disk, tenant string) {
	s := q.Stats()
	entries, taken := len(m.model[tenant]), len(m.taken[tenant])
	if s.Entries != entries || s.Taken != taken || s.Durable > entries || (s.Oldest == 0) != (entries == 0) || s.Oldest > s.Newest {
		m.t.Errorf("stats %+v, want %d entries, %d handed out", s, entries, taken)
	}
	// All names of a tenant are equally long.
	if bytes := int64(entries) * item(tenant+"-000000").Size(); s.Bytes != bytes {
		m.t.Errorf("%d bytes, want %d", s.Bytes, bytes)
	}
}

// checkRest checks that the rest of a queue is what it has to be, in order.
func (m *machine) checkRest(tenant string) {
	got := drain(m.t, m.dir.Queue(tenant))
	if diff := cmp.Diff(slices.Sorted(maps.Keys(m.model[tenant])), got); diff != "" {
		m.t.Errorf("rest of %q (-want +got):\n%s", tenant, diff)
	}
}
