// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// logInterval is the shortest time between two lines of one kind.
const logInterval = time.Minute

// maxLogKinds bounds the memory of the reporter: kinds contain status codes and
// field names, which are few, but nothing that arrives from outside may grow a
// table for ever.
const maxLogKinds = 256

// reporter writes problems to a logger: of each kind at most one line a minute
// that says how many were left out. Delivery of metering data must not become a
// source of log volume.
type reporter struct {
	// logger is nil for the default logger of the process, as it is at the time
	// of each line.
	logger *slog.Logger

	mu    sync.Mutex
	kinds map[string]*logKind
}

// logKind is the state of one kind of line.
type logKind struct {
	next    time.Time // no line before
	omitted int64     // lines left out since the last one
}

func newReporter(logger *slog.Logger) *reporter {
	return &reporter{logger: logger, kinds: make(map[string]*logKind)}
}

// problem logs a line of that kind unless one was logged within the interval.
func (r *reporter) problem(level slog.Level, kind, msg string, attrs ...slog.Attr) {
	omitted, ok := r.admit(kind, time.Now())
	if !ok {
		return
	}
	if omitted > 0 {
		attrs = append(attrs, slog.Int64("omitted_since_last", omitted))
	}
	r.always(level, msg, attrs...)
}

// always logs a line; for what happens once by its nature.
func (r *reporter) always(level slog.Level, msg string, attrs ...slog.Attr) {
	logger := r.logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.LogAttrs(context.Background(), level, msg, attrs...)
}

// admit reports whether a line of that kind may be written at now, and how many
// were left out before it.
func (r *reporter) admit(kind string, now time.Time) (omitted int64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()

	k, known := r.kinds[kind]
	if !known {
		if len(r.kinds) >= maxLogKinds {
			return 0, false
		}
		k = &logKind{}
		r.kinds[kind] = k
	}
	if now.Before(k.next) {
		k.omitted++
		return 0, false
	}
	omitted, k.omitted = k.omitted, 0
	k.next = now.Add(logInterval)
	return omitted, true
}
