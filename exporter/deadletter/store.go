// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// Defaults of the options.
const (
	// DefaultMaxFileBytes is the size at which a file is closed and the next begun.
	DefaultMaxFileBytes = 16 << 20
	// DefaultMaxBytes bounds all files of a store together.
	DefaultMaxBytes = 1 << 30
)

// Errors of a [Store], to be compared with errors.Is.
var (
	// ErrFull means that the files are as large as they may become together. The
	// letter was not stored: nothing is thrown away to make room.
	ErrFull = errors.New("deadletter: store is full: replay or drop letters, or allow more (WithMaxBytes)")
	// ErrBusy means that another process kept the store locked for too long.
	ErrBusy = errors.New("deadletter: store is locked by another process")
)

// Names in the directory.
const (
	activeName    = "deadletter.jsonl"
	rotatedPrefix = "deadletter-"
	rotatedSuffix = ".jsonl"
	lockName      = "deadletter.lock"
	tempPattern   = ".deadletter-*.tmp"
)

const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

// Whoever holds the lock does so for one write or one rewrite of a file. A holder
// that was suspended must not hold up the senders of another process for ever.
const (
	lockTimeout = 5 * time.Second
	lockRetry   = 5 * time.Millisecond
)

// Store is a directory of dead letters. It is safe for concurrent use, and so are
// several of them on one directory, in one process or many.
type Store struct {
	dir          string
	maxFileBytes int64
	maxBytes     int64
	lockTimeout  time.Duration
	now          func() time.Time

	// mu orders the goroutines of this process before they queue for the lock file.
	mu sync.RWMutex
}

// Option configures [Open].
type Option interface {
	apply(s *Store)
}

type optionFunc func(*Store)

func (f optionFunc) apply(s *Store) { f(s) }

// WithMaxFileBytes sets the size at which a file is closed and the next begun;
// the default is [DefaultMaxFileBytes]. A value below one is ignored.
func WithMaxFileBytes(n int64) Option {
	return optionFunc(func(s *Store) {
		if n > 0 {
			s.maxFileBytes = n
		}
	})
}

// WithMaxBytes bounds all files together; the default is [DefaultMaxBytes]. A
// value below one is ignored.
func WithMaxBytes(n int64) Option {
	return optionFunc(func(s *Store) {
		if n > 0 {
			s.maxBytes = n
		}
	})
}

// Open returns the store in dir, which it makes if it is not there. It fails if
// dir cannot be used, so that a wrong directory shows at the start rather than
// with the first letter.
func Open(dir string, opts ...Option) (*Store, error) {
	if dir == "" {
		return nil, errors.New("deadletter: no directory")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("deadletter: directory %s: %w", dir, err)
	}
	s := &Store{dir: dir, maxFileBytes: DefaultMaxFileBytes, maxBytes: DefaultMaxBytes, lockTimeout: lockTimeout, now: time.Now}
	for _, opt := range opts {
		opt.apply(s)
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, fmt.Errorf("deadletter: making the directory: %w", err)
	}
	// The lock file is what every operation needs; having it shows that the
	// directory can be written to.
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, fmt.Errorf("deadletter: directory cannot be written to: %w", err)
	}
	if err := lock.Close(); err != nil {
		return nil, fmt.Errorf("deadletter: directory cannot be written to: %w", err)
	}
	return s, nil
}

// Dir is the directory of the store, as an absolute path.
func (s *Store) Dir() string { return s.dir }

// Append stores letters. When it returns nil they are on disk: files are synced.
// When it fails, none of them is stored.
func (s *Store) Append(letters ...Letter) error {
	var lines []byte
	for _, l := range letters {
		l.ID = letterID(&l)
		if l.Time.IsZero() {
			l.Time = s.now()
		}
		raw, err := encode(l)
		if err != nil {
			return err
		}
		lines = append(lines, raw...)
	}
	if len(lines) == 0 {
		return nil
	}
	return s.exclusively(func() error { return s.write(lines) })
}

// write appends lines to the active file, which it begins anew when it is full.
func (s *Store) write(lines []byte) error {
	total, active, err := s.sizes()
	if err != nil {
		return err
	}
	if total+int64(len(lines)) > s.maxBytes {
		return fmt.Errorf("%w: %d of %d bytes in %s", ErrFull, total, s.maxBytes, s.dir)
	}
	if active > 0 && active+int64(len(lines)) > s.maxFileBytes {
		if err := s.rotate(); err != nil {
			return err
		}
	}
	path := filepath.Join(s.dir, activeName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return fmt.Errorf("deadletter: opening a file for letters: %w", err)
	}
	err = appendTo(f, lines)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("deadletter: writing a letter to %s: %w", path, err)
	}
	if active == 0 {
		// The file is new: its name has to survive a crash as well.
		return s.syncDir()
	}
	return nil
}

// appendTo writes lines to the end of f and syncs it. A last line that an earlier
// crash has torn is closed, so that it spoils no other; after a failure the file
// is as it was.
func appendTo(f *os.File, lines []byte) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if size > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, size-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			lines = append([]byte{'\n'}, lines...)
		}
	}
	if _, err = f.WriteAt(lines, size); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Truncate(size))
	}
	return nil
}

// rotate gives the active file a name of its own. The name sorts by time.
func (s *Store) rotate() error {
	stamp := s.now().UTC().Format("20060102T150405.000")
	for n := range 1000 {
		name := fmt.Sprintf("%s%s-%03d%s", rotatedPrefix, stamp, n, rotatedSuffix)
		path := filepath.Join(s.dir, name)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.Rename(filepath.Join(s.dir, activeName), path); err != nil {
			return fmt.Errorf("deadletter: closing a file of letters: %w", err)
		}
		return nil
	}
	return fmt.Errorf("deadletter: no free name for a file of letters in %s", s.dir)
}

// sizes are those of all files and of the active one.
func (s *Store) sizes() (total, active int64, err error) {
	names, err := s.files()
	if err != nil {
		return 0, 0, err
	}
	for _, name := range names {
		info, err := os.Stat(filepath.Join(s.dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed by hand
		}
		if err != nil {
			return 0, 0, fmt.Errorf("deadletter: %w", err)
		}
		total += info.Size()
		if name == activeName {
			active = info.Size()
		}
	}
	return total, active, nil
}

// files are the names of the files with letters, the oldest first.
func (s *Store) files() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("deadletter: reading the directory: %w", err)
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if name == activeName || strings.HasPrefix(name, rotatedPrefix) && strings.HasSuffix(name, rotatedSuffix) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		// The active file is the youngest, whatever its name.
		if (a == activeName) != (b == activeName) {
			if a == activeName {
				return 1
			}
			return -1
		}
		return cmp.Compare(a, b)
	})
	return names, nil
}

// syncDir makes the names in the directory durable.
func (s *Store) syncDir() error {
	d, err := os.Open(s.dir)
	if err != nil {
		return fmt.Errorf("deadletter: %w", err)
	}
	// Not every system can sync a directory; those that cannot need not.
	_ = d.Sync()
	return d.Close()
}

// exclusively runs f while nobody else uses the store.
func (s *Store) exclusively(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.locked((*flock.Flock).TryLockContext, f)
}

// shared runs f while nobody changes the store.
func (s *Store) shared(f func() error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.locked((*flock.Flock).TryRLockContext, f)
}

func (s *Store) locked(try func(*flock.Flock, context.Context, time.Duration) (bool, error), f func() error) error {
	lock := flock.New(filepath.Join(s.dir, lockName), flock.SetPermissions(fileMode))
	ctx, cancel := context.WithTimeout(context.Background(), s.lockTimeout)
	defer cancel()
	ok, err := try(lock, ctx, lockRetry)
	switch {
	case errors.Is(err, context.DeadlineExceeded) || err == nil && !ok:
		return fmt.Errorf("%w for %v: %s", ErrBusy, s.lockTimeout, lock.Path())
	case err != nil:
		return fmt.Errorf("deadletter: locking the store: %w", err)
	}
	err = f()
	if unlockErr := lock.Close(); unlockErr != nil {
		err = errors.Join(err, fmt.Errorf("deadletter: unlocking the store: %w", unlockErr))
	}
	return err
}

// DirIn is the directory for the dead letters of a spool directory, unless they are
// kept elsewhere.
func DirIn(spoolDir string) string { return filepath.Join(spoolDir, "dead-letters") }
