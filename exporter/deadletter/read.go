// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"
)

// LineError is a line that is no letter: torn by a crash, damaged, or written by a
// newer build. The line stays where it is.
type LineError struct {
	// File is the path of the file, Line the number of the line, from 1.
	File string
	Line int
	// Err says what is wrong.
	Err error
}

// Error names file and line.
func (e *LineError) Error() string {
	return fmt.Sprintf("deadletter: %s: line %d: %v", e.File, e.Line, e.Err)
}

// Unwrap returns what is wrong.
func (e *LineError) Unwrap() error { return e.Err }

// Letters goes through what the store holds at the moment of the call, the oldest
// file first and letters in the order in which they came. A record that was given
// up twice, because a process crashed in between, occurs twice, under one id.
//
// An error is a [*LineError], after which the next line follows, or that of a
// file, which is the last element.
func (s *Store) Letters() iter.Seq2[Letter, error] {
	return func(yield func(Letter, error) bool) {
		files, err := s.open()
		defer func() {
			for _, f := range files {
				_ = f.file.Close() // it was only read
			}
		}()
		if err != nil {
			yield(Letter{}, err)
			return
		}
		for _, f := range files {
			if !f.walk(yield) {
				return
			}
		}
	}
}

// openFile is a file as it was when its size was noted.
type openFile struct {
	file *os.File
	size int64
}

// open opens all files under one lock. What happens later does not show: letters
// are only appended, and a file that is rewritten is another one.
func (s *Store) open() (files []openFile, err error) {
	err = s.shared(func() error {
		names, err := s.files()
		if err != nil {
			return err
		}
		for _, name := range names {
			f, err := os.Open(filepath.Join(s.dir, name))
			if errors.Is(err, fs.ErrNotExist) {
				continue // removed by hand
			}
			if err != nil {
				return fmt.Errorf("deadletter: opening a file of letters: %w", err)
			}
			info, err := f.Stat()
			if err != nil {
				return errors.Join(fmt.Errorf("deadletter: %w", err), f.Close())
			}
			files = append(files, openFile{file: f, size: info.Size()})
		}
		return nil
	})
	return files, err
}

// walk shows the letters of the file; it reports whether more are wanted.
func (f openFile) walk(yield func(Letter, error) bool) bool {
	r := bufio.NewReader(io.NewSectionReader(f.file, 0, f.size))
	for n := 1; ; n++ {
		raw, err := r.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			yield(Letter{}, fmt.Errorf("deadletter: reading %s: %w", f.file.Name(), err))
			return false
		}
		if raw = bytes.TrimSpace(raw); len(raw) > 0 {
			l, decodeErr := decode(raw)
			if decodeErr != nil {
				decodeErr = &LineError{File: f.file.Name(), Line: n, Err: decodeErr}
			}
			if !yield(l, decodeErr) {
				return false
			}
		}
		if err != nil {
			return true
		}
	}
}

// Drop removes the letters with these ids and returns how many it removed. Lines
// that cannot be read stay.
func (s *Store) Drop(ids ...string) (dropped int, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	gone := make(map[string]bool, len(ids))
	for _, id := range ids {
		gone[id] = true
	}
	err = s.exclusively(func() error {
		names, err := s.files()
		if err != nil {
			return err
		}
		for _, name := range names {
			n, err := s.rewrite(name, gone)
			dropped += n
			if err != nil {
				return err
			}
		}
		return nil
	})
	return dropped, err
}

// rewrite takes letters out of a file by putting another one in its place.
func (s *Store) rewrite(name string, gone map[string]bool) (dropped int, err error) {
	path := filepath.Join(s.dir, name)
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("deadletter: reading a file of letters: %w", err)
	}
	var kept []byte
	for raw := range bytes.Lines(content) {
		if l, err := decode(bytes.TrimSpace(raw)); err == nil && gone[l.ID] {
			dropped++
			continue
		}
		kept = append(kept, raw...)
	}
	switch {
	case dropped == 0:
		return 0, nil
	case len(bytes.TrimSpace(kept)) == 0:
		err = os.Remove(path)
	default:
		err = replaceFile(path, kept)
	}
	if err != nil {
		return 0, fmt.Errorf("deadletter: taking letters out of %s: %w", path, err)
	}
	return dropped, s.syncDir()
}

// replaceFile puts content in the place of a file, at once or not at all.
func replaceFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), tempPattern) // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Stats describes what a store holds.
type Stats struct {
	// Letters is the number of letters, Unreadable that of lines that are none.
	Letters, Unreadable int
	// Bytes is the size of all files.
	Bytes int64
	// Oldest is the time at which the oldest letter was given up; zero without
	// letters.
	Oldest time.Time
	// ByReason is the number of letters by reason.
	ByReason map[Reason]int
}

// Stats reads the whole store.
func (s *Store) Stats() (Stats, error) {
	stats := Stats{ByReason: make(map[Reason]int)}
	for l, err := range s.Letters() {
		if _, ok := errors.AsType[*LineError](err); ok {
			stats.Unreadable++
			continue
		}
		if err != nil {
			return stats, err
		}
		stats.Letters++
		stats.ByReason[l.Reason]++
		if stats.Oldest.IsZero() || l.Time.Before(stats.Oldest) {
			stats.Oldest = l.Time
		}
	}
	err := s.shared(func() (err error) {
		stats.Bytes, _, err = s.sizes()
		return err
	})
	return stats, err
}
