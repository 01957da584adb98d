// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Names in the directory.
const (
	filePrefix    = "spool-"
	fileSuffix    = ".db"
	damagedSuffix = ".damaged"
)

const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

// DefaultCommitInterval is how long items are gathered before they are written.
const DefaultCommitInterval = 10 * time.Millisecond

// Directory keeps queues on disk, one per tenant, for one process.
//
// Several processes may use one directory: each has files of its own, locked for as
// long as it lives. What dead processes left is taken over by the next one that
// opens the directory, wherever it runs.
//
// An item counts as acknowledged when the transaction that wrote it has ended,
// which [Directory.Sync] waits for and [Stats.Durable] counts: by default it is
// synced to the device then and survives a loss of power; with [WithoutFsync] it
// survives the end of the process alone. Until then, about for
// [DefaultCommitInterval], a crash can lose it. After a crash an item whose end was
// not yet written is handed out again.
//
// A disk that takes nothing, because it is full or was made read-only, is no end:
// items stay in memory, up to [WithMaxMemory], and are written when it takes them
// again.
type Directory struct {
	directorySettings
	path string

	wake  chan struct{}
	syncs chan chan error
	stop  chan struct{}
	done  chan struct{} // closed when the committer has ended

	mu     sync.Mutex
	queues []*Disk
	closed bool

	// The committer's.
	segments []*segment
	active   *segment // the one that puts go to; nil before the first
	failing  bool
	retryAt  time.Time
	status   *statusFile
}

// directorySettings are the options of a directory.
type directorySettings struct {
	limits
	maxMemory  int64
	sync       bool
	interval   time.Duration
	onEvent    func(Event)
	unreadable func(tenant string, raw []byte, err error) (kept bool)

	// Bounds that tests make small.
	cacheBytes  int64
	readEntries int
	// fault makes an operation on a file fail in tests.
	fault func(op, path string) error
}

// DirectoryOption configures [Open].
type DirectoryOption interface {
	applyDirectory(s *directorySettings)
}

type directoryOptionFunc func(*directorySettings)

func (f directoryOptionFunc) applyDirectory(s *directorySettings) { f(s) }

// WithoutFsync leaves it to the system when written items reach the device. They
// survive the end of the process, but not a loss of power, which can also damage
// the files. It is for disks on which syncing is very slow.
func WithoutFsync() DirectoryOption {
	return directoryOptionFunc(func(s *directorySettings) { s.sync = false })
}

// WithCommitInterval sets how long items are gathered before they are written; the
// default is [DefaultCommitInterval]. A crash can lose what came in that time; an
// item that is delivered within it is never written. A negative value is ignored.
func WithCommitInterval(d time.Duration) DirectoryOption {
	return directoryOptionFunc(func(s *directorySettings) {
		if d >= 0 {
			s.interval = d
		}
	})
}

// WithMaxMemory bounds the bytes of the items of one queue that are not on disk yet;
// the default is [DefaultMaxBytes]. It is reached when the disk takes nothing for
// a while. A value below one is ignored.
func WithMaxMemory(n int64) DirectoryOption {
	return directoryOptionFunc(func(s *directorySettings) {
		if n > 0 {
			s.maxMemory = n
		}
	})
}

// WithEvents is told what happens to the files. The function must be quick and must
// not use the directory or its queues.
func WithEvents(tell func(Event)) DirectoryOption {
	return directoryOptionFunc(func(s *directorySettings) { s.onEvent = tell })
}

// WithUnreadable is given each record that was found in a file and cannot be read:
// damaged, or of another build. It is deleted if the function says that it has kept
// it, otherwise it stays in the file. In either case it counts no longer as an
// entry of the queue. The function must not use the directory or its queues.
func WithUnreadable(keep func(tenant string, raw []byte, err error) (kept bool)) DirectoryOption {
	return directoryOptionFunc(func(s *directorySettings) { s.unreadable = keep })
}

// EventKind says what happened.
type EventKind uint8

// The kinds of events.
const (
	// EventAdopted: a file that a dead process left was taken over, with Records.
	EventAdopted EventKind = iota + 1
	// EventSetAside: a damaged file was renamed to Path. Records were saved from it;
	// how many were lost is unknown.
	EventSetAside
	// EventAbandoned: a file turned out to be damaged while it was in use. The next
	// process that opens the directory looks at it again.
	EventAbandoned
	// EventLost: Records of Tenant were in the queue and cannot be read any more.
	EventLost
	// EventSkipped: a file was left alone, for the reason in Err.
	EventSkipped
	// EventWriteFailed: the disk does not take what is written. It is tried again.
	EventWriteFailed
	// EventWriteRecovered: the disk takes what is written again.
	EventWriteRecovered
)

// String is the kind in words.
func (k EventKind) String() string {
	switch k {
	case EventAdopted:
		return "adopted"
	case EventSetAside:
		return "set aside"
	case EventAbandoned:
		return "abandoned"
	case EventLost:
		return "lost"
	case EventSkipped:
		return "skipped"
	case EventWriteFailed:
		return "write failed"
	case EventWriteRecovered:
		return "write recovered"
	default:
		return fmt.Sprintf("EventKind(%d)", uint8(k))
	}
}

// Event is something that happened to the files of a [Directory].
type Event struct {
	Kind    EventKind
	Path    string
	Tenant  string
	Records int
	Err     error
}

// Open opens a spool directory, which it makes if it is not there, with mode 0700,
// and takes over what dead processes have left in it. It reads those files, which
// takes about a second for each gigabyte.
//
// It fails if the directory cannot be used. A full disk is no reason to fail.
func Open(dir string, opts ...DirectoryOption) (*Directory, error) {
	if dir == "" {
		return nil, errors.New("spool: no directory")
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("spool: directory %s: %w", dir, err)
	}
	d := &Directory{
		directorySettings: directorySettings{
			limits:      limits{maxBytes: DefaultMaxDiskBytes},
			maxMemory:   DefaultMaxBytes,
			sync:        true,
			interval:    DefaultCommitInterval,
			onEvent:     func(Event) {},
			unreadable:  func(string, []byte, error) bool { return false },
			cacheBytes:  cacheBytes,
			readEntries: readEntries,
			fault:       func(string, string) error { return nil },
		},
		path:  path,
		wake:  make(chan struct{}, 1),
		syncs: make(chan chan error),
		stop:  make(chan struct{}),
		done:  make(chan struct{}),
	}
	for _, opt := range opts {
		opt.applyDirectory(&d.directorySettings)
	}
	if err := d.prepare(); err != nil {
		return nil, err
	}
	if err := d.adopt(); err != nil {
		return nil, errors.Join(err, d.closeSegments())
	}
	d.status = newStatusFile(path)
	d.writeStatus()
	go d.committer()
	return d, nil
}

// prepare makes the directory and sees whether it can be written to.
func (d *Directory) prepare() error {
	if err := os.MkdirAll(d.path, dirMode); err != nil {
		return fmt.Errorf("spool: making the directory: %w", err)
	}
	probe, err := os.CreateTemp(d.path, ".probe-*")
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return nil // that passes
	}
	if err != nil {
		return fmt.Errorf("spool: directory cannot be written to: %w", err)
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return fmt.Errorf("spool: directory cannot be written to: %w", err)
	}
	return nil
}

// Path is the directory, as an absolute path.
func (d *Directory) Path() string { return d.path }

// Queue returns the queue of a tenant; the empty name is that of the only one.
// Options bound this queue; they have an effect on the first call for a tenant.
// After Close the queue is closed.
func (d *Directory) Queue(tenant string, opts ...LimitOption) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	q := d.queue(tenant)
	if !q.opened {
		q.opened = true
		q.mu.Lock()
		for _, opt := range opts {
			opt.applyLimits(&q.limits)
		}
		q.closing, q.closed = d.closed, d.closed
		q.mu.Unlock()
	}
	return q
}

// queue finds or makes a queue. The caller holds mu, or is Open.
func (d *Directory) queue(tenant string) *Disk {
	for _, q := range d.queues {
		if q.tenant == tenant {
			return q
		}
	}
	q := &Disk{dir: d, tenant: tenant, limits: d.limits, maxMemory: d.maxMemory, taken: make(map[ID]*element)}
	d.queues = append(d.queues, q)
	return q
}

// Tenants are the tenants that have a queue, those included of whom something was
// found in the directory.
func (d *Directory) Tenants() []string {
	var tenants []string
	for _, q := range d.all() {
		tenants = append(tenants, q.tenant)
	}
	slices.Sort(tenants)
	return tenants
}

// all are the queues.
func (d *Directory) all() []*Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.queues)
}

// Close closes all queues, writes what is not on disk yet and gives the files free
// for the next process. It fails if the disk does not take what is written; Stats
// of the queues tell how much is on disk. Closing twice is harmless.
func (d *Directory) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		<-d.done
		return nil
	}
	d.closed = true
	d.mu.Unlock()

	var errs []error
	for _, q := range d.all() {
		if err := q.Close(); err != nil {
			errs = append(errs, err)
		}
	}
	close(d.stop)
	<-d.done
	errs = append(errs, d.closeSegments(), d.status.remove())
	return errors.Join(errs...)
}

// closeSegments closes the files and removes those in which nothing is left.
func (d *Directory) closeSegments() error {
	var errs []error
	for _, seg := range d.segments {
		if seg.failed.Load() {
			continue // closing it could hang
		}
		if err := seg.close(); err != nil {
			errs = append(errs, fmt.Errorf("spool: closing %s: %w", seg.path, err))
		}
		if seg.live == 0 {
			if err := os.Remove(seg.path); err != nil {
				errs = append(errs, fmt.Errorf("spool: removing an empty file: %w", err))
			}
		}
	}
	d.segments = nil
	return errors.Join(errs...)
}

// activeSegment is the file that is being written; a new one where there is none.
func (d *Directory) activeSegment() (*segment, error) {
	if d.active != nil && !d.active.failed.Load() {
		return d.active, nil
	}
	seg, err := d.newSegment()
	if err != nil {
		return nil, fmt.Errorf("spool: making a file: %w", err)
	}
	d.active = seg
	d.segments = append(d.segments, seg)
	return seg, nil
}

// newSegment makes a file. Its name sorts by time and is nobody else's.
func (d *Directory) newSegment() (*segment, error) {
	path := filepath.Join(d.path, filePrefix+uniqueName()+fileSuffix)
	if err := d.fault("create", path); err != nil {
		return nil, err
	}
	seg, err := openSegment(path, d.sync)
	if err != nil {
		// A file that could not be finished is of no use to anybody.
		return nil, errors.Join(err, removeIfThere(path))
	}
	if d.sync {
		syncDir(d.path)
	}
	return seg, nil
}

// uniqueName is the time and a random number.
func uniqueName() string {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	return time.Now().UTC().Format("20060102T150405.000000") + "-" + hex.EncodeToString(random[:])
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncDir makes the names in a directory durable. Not every system can do that, and
// those that cannot need not.
func syncDir(path string) {
	if d, err := os.Open(path); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// event tells what happened.
func (d *Directory) event(e Event) { d.onEvent(e) }

// isSpoolFile reports whether a name is that of a file with records.
func isSpoolFile(name string) bool {
	return strings.HasPrefix(name, filePrefix) && strings.HasSuffix(name, fileSuffix)
}
