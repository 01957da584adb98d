// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// DefaultReplayMaxAge is the age of a record up to which [Store.Replay] sends it
// without being told to.
const DefaultReplayMaxAge = 30 * 24 * time.Hour

// A replay tries a letter as often as this while the service cannot take it, and
// then gives up: nobody waits for a replay in front of a service that is down.
const (
	replayAttempts    = 5
	replayMaxInterval = 30 * time.Second
)

// dropBatch is the number of delivered letters after which their removal is
// written down. A replay that is killed sends at most so many of them again.
const dropBatch = 64

// ErrStopped means that a replay ended before all letters were tried. What was
// delivered until then is gone from the store, the rest is still there.
var ErrStopped = errors.New("deadletter: replay stopped")

// SendFunc makes one attempt to deliver the record of a letter, with the key of
// its tenant. [metering.Client.Send] on Letter.Record is one.
type SendFunc func(ctx context.Context, l Letter) metering.Result

// ReplayOptions say what to replay. The zero value replays all that is not too
// old.
type ReplayOptions struct {
	// Select chooses letters; nil chooses all.
	Select func(Letter) bool
	// MaxAge is the age from which on a record is left where it is; the default,
	// zero, is [DefaultReplayMaxAge]. The age is that of the record, not of the
	// letter; a record of unknown age counts from the time of the letter.
	MaxAge time.Duration
	// AllowOlder sends records whatever their age. The service recognises a
	// repetition by transaction id at any age, but month-old usage may belong to a
	// bill that is closed.
	AllowOlder bool
	// OnResult is told each result.
	OnResult func(Letter, metering.Result)
}

// ReplayReport says what became of the letters that were chosen.
type ReplayReport struct {
	// Delivered letters are gone from the store, and so are Duplicate ones, which
	// the service was known to have already.
	Delivered, Duplicate int
	// Late is the number of those two that were older than
	// [metering.IdempotencyWindow].
	Late int
	// Rejected letters were refused again, TooOld ones not tried. They stay.
	Rejected, TooOld int
	// Unreadable is the number of lines that are no letters. They stay.
	Unreadable int
	// Left is the number of letters that were not tried, or without result, because
	// the replay stopped. They stay.
	Left int
}

// Replay sends letters again, one at a time, as they are: same bytes, same ids.
// Those that the service has then are removed. It stops with [ErrStopped] when ctx
// ends, when the key is refused, or when the service takes nothing for a while.
func (s *Store) Replay(ctx context.Context, send SendFunc, opts ReplayOptions) (ReplayReport, error) {
	r := replay{store: s, send: send, opts: opts, seen: make(map[string]bool)}
	if r.opts.MaxAge == 0 {
		r.opts.MaxAge = DefaultReplayMaxAge
	}
	var stopped error
	for l, err := range s.Letters() {
		if _, ok := errors.AsType[*LineError](err); ok {
			r.report.Unreadable++
			continue
		}
		if err != nil {
			stopped = errors.Join(stopped, err)
			break
		}
		if r.seen[l.ID] || opts.Select != nil && !opts.Select(l) {
			continue
		}
		r.seen[l.ID] = true
		if stopped != nil {
			r.report.Left++
			continue
		}
		stopped = r.one(ctx, l)
	}
	return r.report, errors.Join(stopped, r.drop())
}

// replay is one run of Replay.
type replay struct {
	store  *Store
	send   SendFunc
	opts   ReplayOptions
	report ReplayReport
	seen   map[string]bool
	done   []string // delivered, but still in the store
}

// one sends a letter. The error ends the replay.
func (r *replay) one(ctx context.Context, l Letter) error {
	created := l.Created
	if created.IsZero() {
		created = l.Time
	}
	age := r.store.now().Sub(created)
	if age > r.opts.MaxAge && !r.opts.AllowOlder {
		r.report.TooOld++
		return nil
	}
	res, err := r.attempt(ctx, l)
	if err == nil && r.opts.OnResult != nil {
		r.opts.OnResult(l, res)
	}
	switch {
	case err != nil:
		r.report.Left++
		return err
	case res.Outcome == metering.Delivered:
		r.report.Delivered++
	case res.Outcome == metering.Duplicate:
		r.report.Duplicate++
	default:
		r.report.Rejected++
		return nil
	}
	if age > metering.IdempotencyWindow {
		r.report.Late++
	}
	r.done = append(r.done, l.ID)
	if len(r.done) >= dropBatch {
		return r.drop()
	}
	return nil
}

// attempt sends a letter until there is a final answer.
func (r *replay) attempt(ctx context.Context, l Letter) (metering.Result, error) {
	wait := backoff.NewExponentialBackOff()
	for n := 1; ; n++ {
		if ctx.Err() != nil {
			return metering.Result{}, fmt.Errorf("%w: %w", ErrStopped, context.Cause(ctx))
		}
		res := r.send(ctx, l)
		switch {
		case res.Outcome == metering.Unauthorized:
			return res, stopError("the service refuses the API key", res)
		case res.Outcome != metering.Retry:
			return res, nil
		case n == replayAttempts:
			return res, stopError("the service does not take records", res)
		}
		pause := time.NewTimer(min(max(wait.NextBackOff(), res.RetryAfter), replayMaxInterval))
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

// stopError wraps ErrStopped and what the last attempt met.
func stopError(why string, res metering.Result) error {
	err := fmt.Errorf("%w: %s", ErrStopped, why)
	if res.Err != nil {
		err = fmt.Errorf("%w: %w", err, res.Err)
	}
	return err
}

// drop removes what was delivered.
func (r *replay) drop() error {
	_, err := r.store.Drop(r.done...)
	if err == nil {
		r.done = r.done[:0]
	}
	return err
}
