// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// lettersIn are the letters of a directory.
func lettersIn(tb testing.TB, dir string) []deadletter.Letter {
	tb.Helper()
	store, err := deadletter.Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	var letters []deadletter.Letter
	for l, err := range store.Letters() {
		if err != nil {
			tb.Fatal(err)
		}
		letters = append(letters, l)
	}
	return letters
}

// withLetters gives the delivery under test a store for dead letters.
func withLetters(tb testing.TB, dir string) func(*config) {
	tb.Helper()
	return func(c *config) {
		store, err := deadletter.Open(dir)
		if err != nil {
			tb.Fatal(err)
		}
		c.deadLetters = store
	}
}

// rejectOdd refuses the record whose id ends in -1.
func rejectOdd(_ context.Context, f metering.Frozen, _ int) metering.Result {
	if strings.HasSuffix(f.TransactionID, "-1") {
		return badRecord
	}
	return accept
}

func TestRejectedBecomesDeadLetter(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newService(rejectOdd), withLetters(t, dir))
		defer r.stop()
		start := time.Now()
		r.put("a", 1000)
		if err := r.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		rep := r.counts()
		if rep.Delivered != 999 || rep.DeadLettered != 1 || rep.DeadLetteredBy[LossRejected] != 1 || rep.Lost != 0 {
			t.Errorf("report:\n%s", rep)
		}
		want := []deadletter.Letter{{
			Reason: deadletter.ReasonRejected,
			Record: metering.Frozen{
				Endpoint: metering.EndpointCompletions, TransactionID: "a-1", IdempotencyKey: "key-a-1",
				Body: []byte(`{"transactionId":"a-1"}`),
			},
			Created: start, Attempts: 1, StatusCode: 400, Code: "validation", Message: "model is unknown",
		}}
		if diff := cmp.Diff(want, lettersIn(t, dir), cmpopts.IgnoreFields(deadletter.Letter{}, "ID", "Time"), cmpopts.EquateApproxTime(0)); diff != "" {
			t.Errorf("letters (-want +got):\n%s", diff)
		}
	})
}

// A record that became too old is given up into the dead letters, with what the
// last attempt met.
func TestExpiredBecomesDeadLetter(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newService(func(context.Context, metering.Frozen, int) metering.Result { return noAnswer }),
			withLetters(t, dir), func(c *config) { c.retry.MaxElapsedTime = time.Minute })
		defer r.stop()
		r.put("a", 1)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if rep := r.counts(); rep.DeadLetteredBy[LossExpired] != 1 || rep.Lost != 0 {
			t.Errorf("report:\n%s", rep)
		}
		letters := lettersIn(t, dir)
		if len(letters) != 1 || letters[0].Reason != deadletter.ReasonExpired || letters[0].Message != "connection refused" || letters[0].Attempts < 5 {
			t.Errorf("letters %+v", letters)
		}
	})
}

// A record that cannot be put among the dead letters is not lost: it stays in the
// queue until it can.
func TestDeadLettersCannotBeKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "letters")
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newService(rejectOdd), withLetters(t, dir))
		defer r.stop()
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		r.put("a", 3)
		synctest.Wait()
		if rep := r.counts(); rep.Delivered != 2 || rep.Queued != 1 || rep.Lost != 0 {
			t.Errorf("report:\n%s", rep)
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(deadLetterPause)
		synctest.Wait()
		if rep := r.counts(); rep.DeadLettered != 1 || rep.Queued != 0 {
			t.Errorf("report:\n%s", rep)
		}
		if n := len(lettersIn(t, dir)); n != 1 {
			t.Errorf("%d letters", n)
		}
	})
}

// The handler is told as well; what it takes needs no store.
func TestHandlerAndDeadLetters(t *testing.T) {
	for name, tt := range map[string]struct {
		handlerErr    error
		store, broken bool
		dead, lost    int64
	}{
		"handler takes, store keeps":   {nil, true, false, 1, 0},
		"handler fails, store keeps":   {errors.New("no"), true, false, 1, 0},
		"handler takes, store fails":   {nil, true, true, 1, 0},
		"handler fails, without store": {errors.New("no"), false, false, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "letters")
			synctest.Test(t, func(t *testing.T) {
				told := 0
				changes := []func(*config){func(c *config) {
					c.onRejected = func(Rejected) error {
						told++
						return tt.handlerErr
					}
				}}
				if tt.store {
					changes = append(changes, withLetters(t, dir))
				}
				r := newRig(t, newService(rejectOdd), changes...)
				defer r.stop()
				if tt.broken {
					if err := os.RemoveAll(dir); err != nil {
						t.Fatal(err)
					}
				}
				r.put("a", 2)
				synctest.Wait()
				if rep := r.counts(); rep.DeadLettered != tt.dead || rep.Lost != tt.lost || told != 1 {
					t.Errorf("told %d times, report:\n%s", told, rep)
				}
			})
		})
	}
}
