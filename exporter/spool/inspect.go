// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	bolt "go.etcd.io/bbolt"
)

// Names of the files in which owners say what they hold.
const (
	statusPrefix = "owner-"
	statusSuffix = ".json"
	lockSuffix   = ".lock"
)

// statusInterval is the shortest time between two versions of a status file.
const statusInterval = time.Second

// OwnerStatus is what a process that has a spool directory open says about its
// queues. It is a second old at most while something happens.
type OwnerStatus struct {
	PID     int           `json:"pid"`
	Host    string        `json:"host"`
	Started time.Time     `json:"started"`
	Updated time.Time     `json:"updated"`
	Files   []string      `json:"files"`
	Queues  []QueueStatus `json:"queues"`
	// Failing: the disk does not take what is written.
	Failing bool `json:"failing,omitempty"`
}

// QueueStatus describes the queue of one tenant.
type QueueStatus struct {
	Tenant string `json:"tenant"`
	// Entries is the number of records that wait, OnDisk of those on disk among
	// them, Bytes the sum of their sizes.
	Entries int   `json:"entries"`
	OnDisk  int   `json:"onDisk"`
	Bytes   int64 `json:"bytes"`
	// Oldest is the time at which the oldest was made; zero without records.
	Oldest time.Time `json:"oldest,omitzero"`
}

// FileStatus describes a file that no process has open.
type FileStatus struct {
	Name   string        `json:"name"`
	Size   int64         `json:"size"`
	Queues []QueueStatus `json:"queues"`
	// Problem says why the file could not be read; empty if it could.
	Problem string `json:"problem,omitempty"`
}

// Inspection is what is in a spool directory.
type Inspection struct {
	// Owners are the processes that use the directory.
	Owners []OwnerStatus `json:"owners"`
	// Orphans are the files that no process has open. The next one that opens the
	// directory takes them over.
	Orphans []FileStatus `json:"orphans"`
	// Busy are files that are open in a process that has not said yet what is in
	// them.
	Busy []FileStatus `json:"busy"`
	// Damaged are files that were set aside.
	Damaged []FileStatus `json:"damaged"`
}

// Inspect describes a spool directory. It changes nothing and is safe beside the
// processes that use it: about their files it says what they say.
func Inspect(dir string) (Inspection, error) {
	// Not nil, so that JSON has empty lists.
	in := Inspection{Owners: []OwnerStatus{}, Orphans: []FileStatus{}, Busy: []FileStatus{}, Damaged: []FileStatus{}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return in, fmt.Errorf("spool: reading the directory: %w", err)
	}
	locked := make(map[string]FileStatus)
	var statuses []string
	for _, e := range entries {
		name := e.Name()
		switch {
		case isSpoolFile(name):
			file, err := inspectFile(filepath.Join(dir, name))
			if errors.Is(err, errInUse) {
				locked[name] = file
			} else if !errors.Is(err, fs.ErrNotExist) {
				in.Orphans = append(in.Orphans, file)
			}
		case isDamagedFile(name):
			if info, err := e.Info(); err == nil {
				in.Damaged = append(in.Damaged, FileStatus{Name: name, Size: info.Size(), Queues: []QueueStatus{}})
			}
		case isStatusFile(name):
			statuses = append(statuses, name)
		}
	}
	for _, name := range statuses {
		s, ok := readStatus(filepath.Join(dir, name))
		if !ok {
			continue
		}
		in.Owners = append(in.Owners, s)
		for _, f := range s.Files {
			delete(locked, f)
		}
	}
	for _, file := range locked {
		in.Busy = append(in.Busy, file)
	}
	slices.SortFunc(in.Busy, func(a, b FileStatus) int { return strings.Compare(a.Name, b.Name) })
	return in, nil
}

func isStatusFile(name string) bool {
	return strings.HasPrefix(name, statusPrefix) && strings.HasSuffix(name, statusSuffix)
}

func isDamagedFile(name string) bool {
	return strings.HasPrefix(name, filePrefix) && strings.HasSuffix(name, damagedSuffix)
}

// inspectFile reads a file that nobody has open.
func inspectFile(path string) (FileStatus, error) {
	file := FileStatus{Name: filepath.Base(path), Queues: []QueueStatus{}}
	info, err := os.Stat(path)
	if err != nil {
		return file, err
	}
	file.Size = info.Size()
	var db *bolt.DB
	err = guard(func() (err error) {
		db, err = bolt.Open(path, fileMode, &bolt.Options{ReadOnly: true, Timeout: time.Nanosecond})
		return err
	})
	if err != nil {
		err = openError(err)
		file.Problem = err.Error()
		return file, err
	}
	s := &segment{path: path, db: db}
	found, err := s.scan()
	if err = errors.Join(err, s.close()); err != nil {
		file.Problem = err.Error()
	}
	for _, c := range found {
		file.Queues = append(file.Queues, QueueStatus{Tenant: c.tenant, Entries: c.entries, OnDisk: c.entries, Bytes: c.bytes, Oldest: c.created.UTC()})
	}
	return file, nil
}

// readStatus reads what an owner says; false if it does not live any more.
func readStatus(path string) (OwnerStatus, bool) {
	if lock := flock.New(lockOf(path), flock.SetFlag(os.O_RDONLY)); lock != nil {
		if free, err := lock.TryRLock(); free || err != nil {
			_ = lock.Close() // it was only read
			return OwnerStatus{}, false
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return OwnerStatus{}, false
	}
	var s OwnerStatus
	return s, json.Unmarshal(raw, &s) == nil
}

// lockOf is the file that an owner keeps locked while it lives.
func lockOf(statusPath string) string {
	return strings.TrimSuffix(statusPath, statusSuffix) + lockSuffix
}

// statusFile is where this process says what it holds.
type statusFile struct {
	path  string
	lock  *flock.Flock
	owner OwnerStatus
	due   *time.Timer // nil unless there is something new to say
	last  time.Time
}

// newStatusFile locks the file that shows that this process lives, and removes
// what dead ones left. Without a lock, as on a full disk, there is no status.
func newStatusFile(dir string) *statusFile {
	stale, _ := filepath.Glob(filepath.Join(dir, statusPrefix+"*"+lockSuffix)) // the pattern is well-formed
	for _, path := range stale {
		lock := flock.New(path)
		if free, err := lock.TryLock(); free && err == nil {
			_ = os.Remove(strings.TrimSuffix(path, lockSuffix) + statusSuffix) // of no use, but no harm either
			_ = os.Remove(path)
			_ = lock.Close()
		}
	}
	host, _ := os.Hostname() // unknown is as good an answer
	s := &statusFile{
		path:  filepath.Join(dir, statusPrefix+uniqueName()+statusSuffix),
		owner: OwnerStatus{PID: os.Getpid(), Host: host, Started: time.Now().UTC()},
	}
	lock := flock.New(lockOf(s.path), flock.SetPermissions(fileMode))
	if ok, err := lock.TryLock(); ok && err == nil {
		s.lock = lock
	}
	return s
}

// changed notes that there is something new to say.
func (s *statusFile) changed() {
	if s.due == nil {
		s.due = time.NewTimer(max(0, statusInterval-time.Since(s.last)))
	}
}

// timer fires when the status is to be written.
func (s *statusFile) timer() <-chan time.Time {
	if s.due == nil {
		return nil
	}
	return s.due.C
}

// writeStatus says what the queues hold. A disk that does not take that has been
// reported on other occasions.
func (d *Directory) writeStatus() {
	s := d.status
	s.stop()
	if s.lock == nil {
		return
	}
	s.last = time.Now()
	s.owner.Updated = s.last.UTC()
	s.owner.Failing = d.failing
	s.owner.Files = []string{}
	for _, seg := range d.segments {
		s.owner.Files = append(s.owner.Files, filepath.Base(seg.path))
	}
	s.owner.Queues = []QueueStatus{}
	for _, q := range d.all() {
		stats := q.Stats()
		status := QueueStatus{Tenant: q.tenant, Entries: stats.Entries, OnDisk: stats.Durable, Bytes: stats.Bytes}
		if stats.Entries > 0 {
			status.Oldest = stats.OldestCreated.UTC()
		}
		s.owner.Queues = append(s.owner.Queues, status)
	}
	raw, err := json.Marshal(s.owner)
	if err != nil {
		return
	}
	temp := s.path + ".tmp"
	if err := os.WriteFile(temp, append(raw, '\n'), fileMode); err == nil {
		_ = os.Rename(temp, s.path)
	}
}

// stop ends the wait for the next version.
func (s *statusFile) stop() {
	if s.due != nil {
		s.due.Stop()
		s.due = nil
	}
}

// remove takes the status away: the process has no files any more.
func (s *statusFile) remove() error {
	s.stop()
	if s.lock == nil {
		return nil
	}
	return errors.Join(removeIfThere(s.path), removeIfThere(lockOf(s.path)), s.lock.Close())
}
