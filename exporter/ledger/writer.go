// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// Names in the directory.
const (
	filePrefix = "ledger-"
	fileSuffix = ".jsonl"
)

const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

const (
	// maxWaiting bounds the events that wait to be written. It is reached when the
	// disk takes nothing.
	maxWaiting = 16384
	// maxFileBytes is the size from which on the next file is begun; each day has
	// one of its own in any case.
	maxFileBytes = 64 << 20
	// retryInterval is the wait after the disk did not take something.
	retryInterval = time.Second
)

// Writer appends to the ledger of a directory. It is safe for concurrent use. Its
// methods return at once: one goroutine, which runs while there is something to
// write, does the rest.
//
// A crash can lose the events of the last moment. Those of records that survive in
// a spool are made up for when the records reach their ends.
type Writer struct {
	dir     string
	onError func(error)
	now     func() time.Time

	mu      sync.Mutex
	waiting []event
	writing int // events that are being written
	missing int64
	running bool
	closed  bool
	done    chan struct{} // closed when the goroutine that runs has ended
	hurry   chan struct{} // closed by Close

	// The goroutine's.
	file    *os.File
	day     string
	written int64
	failing bool
}

// event is what happened to a record, or to count of them.
type event struct {
	state  State
	at     time.Time
	tenant string
	reason string
	late   bool
	record metering.Frozen
	count  int64
}

// Option configures [Open].
type Option interface {
	apply(w *Writer)
}

type optionFunc func(*Writer)

func (f optionFunc) apply(w *Writer) { f(w) }

// WithErrors is told when the ledger cannot be written, once until it can again.
func WithErrors(tell func(error)) Option {
	return optionFunc(func(w *Writer) { w.onError = tell })
}

// Open returns a writer to the ledger in dir, which it makes, with mode 0700, if it
// is not there.
func Open(dir string, opts ...Option) (*Writer, error) {
	if dir == "" {
		return nil, errors.New("ledger: no directory")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("ledger: directory %s: %w", dir, err)
	}
	w := &Writer{dir: dir, onError: func(error) {}, now: time.Now, hurry: make(chan struct{})}
	for _, opt := range opts {
		opt.apply(w)
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, fmt.Errorf("ledger: making the directory: %w", err)
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return nil, fmt.Errorf("ledger: directory cannot be written to: %w", err)
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return nil, fmt.Errorf("ledger: directory cannot be written to: %w", err)
	}
	return w, nil
}

// Billed notes that a record of a tenant was billed.
func (w *Writer) Billed(tenant string, rec metering.Frozen) {
	w.add(event{state: Waiting, tenant: tenant, record: rec})
}

// Ended notes the end of a record: its state, and the reason where there is one.
// late says that it was older than [metering.IdempotencyWindow].
func (w *Writer) Ended(tenant string, rec metering.Frozen, state State, reason string, late bool) {
	w.add(event{state: state, tenant: tenant, record: rec, reason: reason, late: late})
}

// EndedUnseen notes the end of count records of which nothing more is known.
func (w *Writer) EndedUnseen(tenant string, count int64, state State, reason string) {
	w.add(event{state: state, tenant: tenant, count: count, reason: reason})
}

func (w *Writer) add(e event) {
	e.at = w.now()
	w.mu.Lock()
	defer w.mu.Unlock()

	if w.closed || len(w.waiting)+w.writing >= maxWaiting {
		w.missing++
		return
	}
	w.waiting = append(w.waiting, e)
	if !w.running {
		w.running = true
		w.done = make(chan struct{})
		go w.run(w.done)
	}
}

// run writes what waits and ends when nothing does.
func (w *Writer) run(done chan struct{}) {
	defer close(done)
	for {
		w.mu.Lock()
		events, missing := w.waiting, w.missing
		w.waiting, w.writing, w.missing = nil, len(events), 0
		if len(events) == 0 && missing == 0 {
			w.running = false
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()

		err := w.write(w.encode(events, missing))
		w.note(err)
		if err == nil {
			continue
		}
		w.mu.Lock()
		w.missing += missing
		w.waiting, w.writing = append(events, w.waiting...), 0
		closed := w.closed
		if closed {
			w.running = false
		}
		w.mu.Unlock()
		if closed {
			return // Close says what is missing
		}
		pause := time.NewTimer(retryInterval)
		select {
		case <-pause.C:
		case <-w.hurry:
			pause.Stop()
		}
	}
}

// note reports when the disk begins to fail.
func (w *Writer) note(err error) {
	if err != nil && !w.failing {
		w.onError(err)
	}
	w.failing = err != nil
}

// encode makes lines of events.
func (w *Writer) encode(events []event, missing int64) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	for i := range events {
		e := &events[i]
		l := line{
			Version: lineVersion, State: e.state, Time: e.at.UTC(), Tenant: e.tenant, Reason: e.reason, Late: e.late,
			ID: e.record.TransactionID, Count: e.count,
		}
		if e.count == 0 {
			// A record that cannot be read still counts.
			l.Facts, _ = factsOf(e.record)
		}
		if err := enc.Encode(&l); err != nil {
			missing++ // a number that is none, which no record of ours has
		}
	}
	if missing > 0 {
		_ = enc.Encode(&line{Version: lineVersion, Time: w.now().UTC(), Missing: missing}) // holds nothing that could fail
	}
	return buf.Bytes()
}

// write appends lines to the file of the day.
func (w *Writer) write(lines []byte) error {
	day := w.now().UTC().Format("20060102")
	if w.file != nil && (w.day != day || w.written >= maxFileBytes) {
		if err := w.closeFile(); err != nil {
			return err
		}
	}
	if w.file == nil {
		var random [4]byte
		_, _ = rand.Read(random[:]) // never fails
		path := filepath.Join(w.dir, filePrefix+day+"-"+hex.EncodeToString(random[:])+fileSuffix)
		file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, fileMode)
		if err != nil {
			return fmt.Errorf("ledger: making a file: %w", err)
		}
		w.file, w.day, w.written = file, day, 0
	}
	if _, err := w.file.Write(lines); err != nil {
		// What was written of it may be half a line.
		err = errors.Join(err, w.file.Truncate(w.written))
		return fmt.Errorf("ledger: writing: %w", err)
	}
	w.written += int64(len(lines))
	return nil
}

func (w *Writer) closeFile() error {
	err := errors.Join(w.file.Sync(), w.file.Close())
	w.file = nil
	if err != nil {
		return fmt.Errorf("ledger: closing a file: %w", err)
	}
	return nil
}

// Close writes what waits and ends the writer. The error says how many events could
// not be written. Closing twice is harmless.
func (w *Writer) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	close(w.hurry)
	running, done := w.running, w.done
	w.mu.Unlock()
	if running {
		<-done // after at most one write
	}

	w.mu.Lock()
	missing := w.missing + int64(len(w.waiting))
	w.waiting = nil
	w.mu.Unlock()
	var err error
	if missing > 0 {
		err = fmt.Errorf("ledger: %d events could not be written", missing)
	}
	if w.file != nil {
		err = errors.Join(err, w.closeFile())
	}
	return err
}
