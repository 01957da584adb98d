// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/ledger"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// defaultMaxAge is the age from which on a record is not sent without asking, where
// dead letters are kept: month-old usage may belong to a bill that is closed.
const defaultMaxAge = deadletter.DefaultReplayMaxAge

// storage is what the exporter keeps on disk.
type storage struct {
	engine *engine
	spool  *spool.Directory // nil without
	// lanes is nil while the storage is being opened.
	lanes *lanes
}

// openStorage opens the directories that the settings name.
func (e *engine) openStorage() (*storage, error) {
	s := &storage{engine: e}
	cfg := &e.cfg
	letters, setting := cfg.deadLetterDir, cfg.deadLetterSetting
	if letters == "" && cfg.spoolDir != "" {
		letters, setting = deadletter.DirIn(cfg.spoolDir), cfg.spoolSetting
	}
	if letters != "" {
		store, err := deadletter.Open(letters)
		if err != nil {
			return nil, storageError("dead letters", letters, setting, err)
		}
		cfg.deadLetters = store
		if !cfg.maxAgeSet {
			cfg.maxAge = defaultMaxAge
		}
	}
	if cfg.ledgerDir != "" {
		book, err := ledger.Open(cfg.ledgerDir, ledger.WithErrors(func(err error) {
			e.report.problem(slog.LevelError, "ledger", "revenium: the ledger cannot be written; trying again", slog.Any("error", err))
		}))
		if err != nil {
			return nil, storageError("ledger", cfg.ledgerDir, cfg.ledgerSetting, err)
		}
		e.tally.book = book
	}
	if cfg.spoolDir == "" {
		return s, nil
	}
	opts := append([]spool.DirectoryOption{
		spool.WithMaxMemory(cfg.queueBytes),
		spool.WithOverflow(cfg.overflow),
	}, cfg.spoolOptions...)
	opts = append(opts, spool.WithEvents(s.event), spool.WithUnreadable(s.unreadable))
	dir, err := spool.Open(cfg.spoolDir, opts...)
	if err != nil {
		return nil, errors.Join(storageError("spool", cfg.spoolDir, cfg.spoolSetting, err), s.closeLedger())
	}
	s.spool = dir
	return s, nil
}

func storageError(what, dir, setting string, err error) error {
	_, cause, _ := strings.Cut(err.Error(), ": ")
	return &ConfigError{Setting: setting, Problem: fmt.Sprintf("%s in %s (%s): %s", what, dir, setting, cause), Err: err}
}

// newQueue makes the queue of a tenant.
func (s *storage) newQueue(tenant string) spool.Queue {
	cfg := &s.engine.cfg
	limits := cfg.tenants.limits[tenant]
	switch {
	case cfg.queue != nil:
		return cfg.queue
	case s.spool != nil:
		return s.spool.Queue(tenant, limits...)
	}
	opts := []spool.MemoryOption{
		spool.WithMaxEntries(cfg.queueSize),
		spool.WithMaxBytes(cfg.queueBytes),
		spool.WithOverflow(cfg.overflow),
	}
	for _, limit := range limits {
		opts = append(opts, limit)
	}
	return spool.NewMemory(opts...)
}

// tenants are those for whom something was found on disk.
func (s *storage) tenants() []string {
	if s.spool == nil {
		return nil
	}
	return s.spool.Tenants()
}

// sync waits until all that waits is on disk.
func (s *storage) sync() error {
	if s.spool == nil {
		return nil
	}
	return s.spool.Sync()
}

// close gives the directories free for the next process.
func (s *storage) close() {
	if s.spool != nil {
		if err := s.spool.Close(); err != nil {
			s.engine.report.always(slog.LevelError, "revenium: closing the spool failed", slog.Any("error", err))
		}
	}
	if err := s.closeLedger(); err != nil {
		s.engine.report.always(slog.LevelError, "revenium: the ledger is not complete", slog.Any("error", err))
	}
}

func (s *storage) closeLedger() error {
	if book := s.engine.tally.book; book != nil {
		return book.Close()
	}
	return nil
}

// event logs and counts what happens to the files of the spool.
func (s *storage) event(ev spool.Event) {
	r := s.engine.report
	attrs := []slog.Attr{slog.String("file", ev.Path)}
	if ev.Records > 0 {
		attrs = append(attrs, slog.Int("records", ev.Records))
	}
	if ev.Err != nil {
		attrs = append(attrs, slog.Any("error", ev.Err))
	}
	switch ev.Kind {
	case spool.EventAdopted:
		r.always(slog.LevelInfo, "revenium: took over what an earlier process left in the spool", attrs...)
	case spool.EventSetAside:
		s.engine.tally.setAside()
		r.always(slog.LevelError, "revenium: a damaged file of the spool was set aside; what could be read of it is delivered", attrs...)
	case spool.EventAbandoned:
		s.engine.tally.setAside()
		r.always(slog.LevelError, "revenium: a file of the spool turned out to be damaged and is not used any more", attrs...)
	case spool.EventLost:
		s.lose(ev.Tenant, LossSpoolDamaged, int64(ev.Records), false)
	case spool.EventSkipped:
		r.always(slog.LevelError, "revenium: a file of the spool was left alone", attrs...)
	case spool.EventWriteFailed:
		r.always(slog.LevelError, "revenium: the spool cannot be written to; records stay in memory and are tried again", attrs...)
	case spool.EventWriteRecovered:
		r.always(slog.LevelInfo, "revenium: the spool can be written to again")
	}
}

// lose counts records that were in the spool and will not be delivered: as dead
// letters, or as lost.
func (s *storage) lose(tenant, reason string, n int64, dead bool) {
	account := s.engine.tally.account(tenant)
	if s.lanes == nil {
		// They were found while the spool was opened, before anything was counted.
		account.recovered(n)
	}
	if dead {
		account.deadUnseen(reason)
		return
	}
	account.lostUnseen(reason, n)
	s.engine.report.problem(slog.LevelError, reason, "revenium: records in the spool cannot be read and are lost",
		slog.String("reason", reason), slog.Int64("lost", n))
}

// unreadable puts what was found in the spool and is no record among the dead
// letters.
func (s *storage) unreadable(tenant string, raw []byte, cause error) (kept bool) {
	letters := s.engine.cfg.deadLetters
	if letters == nil {
		s.lose(tenant, LossUnreadable, 1, false)
		return false
	}
	err := letters.Append(deadletter.Letter{
		Time:    time.Now(),
		Reason:  deadletter.ReasonUnreadable,
		Tenant:  tenant,
		Record:  metering.Frozen{Body: raw},
		Message: cause.Error(),
	})
	if err != nil {
		s.engine.report.problem(slog.LevelError, "dead letter", "revenium: keeping a dead letter failed", slog.Any("error", err))
		s.lose(tenant, LossUnreadable, 1, false)
		return false
	}
	s.engine.report.problem(slog.LevelError, LossUnreadable, "revenium: a record in the spool cannot be read; it is among the dead letters now",
		slog.Any("error", cause))
	s.lose(tenant, LossUnreadable, 1, true)
	return true
}

// syncError joins the error of a flush with that of a disk that does not take what
// waits.
func syncError(flush, sync error) error {
	if sync == nil || errors.Is(sync, spool.ErrClosed) {
		return flush
	}
	return errors.Join(flush, fmt.Errorf("exporter: what waits is not on disk: %w", sync))
}

// describeQueue says where records wait, and how many may.
func (cfg config) describeQueue() (queue string, size int) {
	switch {
	case cfg.queue != nil:
		return fmt.Sprintf("%T", cfg.queue), cfg.queue.Stats().MaxEntries
	case cfg.spoolDir != "":
		return fmt.Sprintf("%T in %s", (*spool.Disk)(nil), cfg.spoolDir), 0
	default:
		return fmt.Sprintf("%T", (*spool.Memory)(nil)), cfg.queueSize
	}
}
