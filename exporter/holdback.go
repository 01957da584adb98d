// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// holdback takes records that must not be sent as they are to the dead letters.
// Those are files, and spans end in the request path of applications: so the
// records wait in a bounded list, and one goroutine, which runs only while there
// are some, writes them.
type holdback struct {
	append func(...deadletter.Letter) error
	tally  *tally
	report *reporter
	max    int
	pause  time.Duration // after a letter that could not be written

	mu      sync.Mutex
	waiting []heldBack
	running bool
	closed  bool
	stop    chan struct{} // closed by close
	done    chan struct{} // closed when the goroutine that runs has ended
}

// heldBack is a letter that waits, and the account of its tenant.
type heldBack struct {
	letter  deadletter.Letter
	account *account
}

func newHoldback(cfg config, t *tally, r *reporter) *holdback {
	h := &holdback{tally: t, report: r, max: cfg.queueSize, pause: deadLetterPause, stop: make(chan struct{})}
	if cfg.deadLetters != nil {
		h.append = cfg.deadLetters.Append
	}
	return h
}

// put keeps a record of a tenant that lacks fields. It is counted as pending.
func (h *holdback) put(tenant string, f metering.Frozen, missing []string, now time.Time) {
	account := h.tally.account(tenant)
	account.billed(f)
	h.mu.Lock()
	defer h.mu.Unlock()

	reason := ""
	switch {
	case h.append == nil:
		reason = LossHeldBack // newEngine does not let it come to this
	case h.closed:
		reason = LossAfterShutdown
	case len(h.waiting) >= h.max:
		reason = LossQueueFull
	}
	if reason != "" {
		account.lost(f, reason)
		h.report.problem(slog.LevelError, "held back "+reason, "revenium: a record that lacks required fields was given up", slog.String("reason", reason))
		return
	}
	h.report.problem(slog.LevelWarn, "held back", "revenium: a record lacks required fields and is kept among the dead letters",
		slog.Any("missing", missing), slog.String("transaction_id", f.TransactionID))
	h.waiting = append(h.waiting, heldBack{account: account, letter: deadletter.Letter{
		Reason: deadletter.ReasonIncomplete, Tenant: tenant, Record: f, Created: now,
		Message: "missing " + strings.Join(missing, ", "),
	}})
	if !h.running {
		h.running = true
		h.done = make(chan struct{})
		go h.run(h.done)
	}
}

// run writes what waits and ends when nothing does.
func (h *holdback) run(done chan struct{}) {
	defer close(done)
	for {
		h.mu.Lock()
		if len(h.waiting) == 0 || h.closed {
			h.running = false
			h.mu.Unlock()
			return
		}
		next := h.waiting[0]
		h.mu.Unlock()

		err := h.append(next.letter)
		if err == nil {
			h.mu.Lock()
			h.waiting[0] = heldBack{}
			h.waiting = h.waiting[1:]
			h.mu.Unlock()
			next.account.dead(next.letter.Record, LossHeldBack)
			continue
		}
		h.report.problem(slog.LevelError, "dead letter", "revenium: keeping a dead letter failed; trying again",
			slog.String("transaction_id", next.letter.Record.TransactionID), slog.Any("error", err))
		timer := time.NewTimer(h.pause)
		select {
		case <-timer.C:
		case <-h.stop:
			timer.Stop()
		}
	}
}

// flush waits until nothing waits, or ctx ends.
func (h *holdback) flush(ctx context.Context) error {
	for {
		h.mu.Lock()
		running, done, n := h.running, h.done, len(h.waiting)
		h.mu.Unlock()
		if !running {
			return nil
		}
		select {
		case <-done:
		case <-ctx.Done():
			return &FlushError{Waiting: n, Err: context.Cause(ctx)}
		}
	}
}

// close ends the goroutine and counts what is still waiting as lost.
func (h *holdback) close() {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return
	}
	h.closed = true
	close(h.stop)
	running, done := h.running, h.done
	h.mu.Unlock()
	if running {
		<-done // after at most one write
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, left := range h.waiting {
		left.account.lost(left.letter.Record, LossShutdown)
	}
	h.waiting = nil
}
