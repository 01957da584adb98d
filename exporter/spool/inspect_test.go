// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// inspect looks at a directory.
func inspect(tb testing.TB, path string) spool.Inspection {
	tb.Helper()
	in, err := spool.Inspect(path)
	if err != nil {
		tb.Fatal(err)
	}
	return in
}

func TestInspect(t *testing.T) {
	path := t.TempDir()
	size := item("a-0000").Size()

	// A living owner tells itself.
	living := openDir(t, path)
	putAll(t, living.Queue("acme"), numbered("a", 5)...)
	putAll(t, living.Queue("blue"), "b-0000")
	synced(t, living.Queue("acme"))
	var owner spool.OwnerStatus
	eventually(t, "status of the owner", func() bool {
		in := inspect(t, path)
		if len(in.Owners) == 1 && len(in.Owners[0].Queues) == 2 {
			owner = in.Owners[0]
		}
		return owner.PID != 0
	})
	host, _ := os.Hostname()
	if owner.PID != os.Getpid() || owner.Host != host || owner.Started.IsZero() || owner.Updated.Before(owner.Started) || owner.Failing {
		t.Errorf("owner %+v", owner)
	}
	if diff := cmp.Diff([]string{filepath.Base(oneFile(t, path))}, owner.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	want := []spool.QueueStatus{
		{Tenant: "acme", Entries: 5, OnDisk: 5, Bytes: 5 * size, Oldest: born},
		{Tenant: "blue", Entries: 1, OnDisk: 1, Bytes: size, Oldest: born},
	}
	if diff := cmp.Diff(want, owner.Queues); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}

	// A dead one's file is read, and looking does not take it away.
	dead := t.TempDir()
	d := openDir(t, dead)
	putAll(t, d.Queue("acme"), "x-0000", "x-0001")
	closeDir(t, d)
	if err := os.Rename(oneFile(t, dead), filepath.Join(path, "spool-dead.db")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "spool-bad.db"), []byte("no file of ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "spool-worse.db.damaged"), []byte("set aside"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := inspect(t, path)
	if len(in.Owners) != 1 || len(in.Busy) != 0 || len(in.Orphans) != 2 || len(in.Damaged) != 1 {
		t.Fatalf("inspection %+v", in)
	}
	if diff := cmp.Diff([]spool.QueueStatus{{Tenant: "acme", Entries: 2, OnDisk: 2, Bytes: 2 * size, Oldest: born}}, in.Orphans[1].Queues); diff != "" {
		t.Errorf("queues of the dead (-want +got):\n%s", diff)
	}
	if bad := in.Orphans[0]; bad.Name != "spool-bad.db" || bad.Problem == "" || in.Orphans[1].Problem != "" {
		t.Errorf("bad file: %+v", bad)
	}
	if in.Damaged[0].Name != "spool-worse.db.damaged" || in.Damaged[0].Size != 9 {
		t.Errorf("damaged %+v", in.Damaged)
	}

	// Whoever ends cleanly leaves no status.
	closeDir(t, living)
	if in := inspect(t, path); len(in.Owners) != 0 || len(in.Orphans) != 3 {
		t.Errorf("after the end: %+v", in)
	}
	if left := files(t, path, "owner-*"); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// The status of a process that was killed says nothing any more, and the next one
// removes it.
func TestStaleStatus(t *testing.T) {
	path := t.TempDir()
	for name, content := range map[string]string{
		"owner-x.lock": "",
		"owner-x.json": `{"pid":1,"host":"gone","files":["spool-x.db"],"queues":[{"tenant":"","entries":7}]}`,
		"owner-y.json": `{"pid":2,"host":"without a lock"}`,
	} {
		if err := os.WriteFile(filepath.Join(path, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if in := inspect(t, path); len(in.Owners) != 0 {
		t.Errorf("owners %+v", in.Owners)
	}
	openDir(t, path)
	if left := files(t, path, "owner-x*"); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if in := inspect(t, path); len(in.Owners) != 1 || in.Owners[0].PID != os.Getpid() {
		t.Errorf("owners %+v", in.Owners)
	}
}

// A file that is open somewhere without a status is busy.
func TestInspectBusy(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	putAll(t, d.Queue(""), "a")
	synced(t, d.Queue(""))
	for _, f := range files(t, path, "owner-*") {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	if in := inspect(t, path); len(in.Busy) != 1 || len(in.Owners) != 0 || len(in.Orphans) != 0 {
		t.Errorf("inspection %+v", in)
	}
	if _, err := spool.Inspect(filepath.Join(path, "nowhere")); err == nil {
		t.Error("inspected a directory that is not there")
	}
}
