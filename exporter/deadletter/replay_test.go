// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// at sets the store's clock to that long after the records were made.
func (s *Store) at(age time.Duration) *Store {
	s.now = func() time.Time { return born.Add(age) }
	return s
}

var (
	delivered = metering.Result{Outcome: metering.Delivered, StatusCode: 201}
	duplicate = metering.Result{Outcome: metering.Duplicate, StatusCode: 409}
	rejected  = metering.Result{Outcome: metering.Rejected, StatusCode: 400, Err: errors.New("no")}
	retry     = metering.Result{Outcome: metering.Retry, StatusCode: 503, Err: errors.New("unavailable")}
	refused   = metering.Result{Outcome: metering.Unauthorized, StatusCode: 401, Err: errors.New("bad key")}
)

func TestReplay(t *testing.T) {
	s := open(t, t.TempDir()).at(time.Hour)
	add(t, s, "a", "b", "c", "d", "a")
	sent := make(map[string]int)
	var told []string
	send := func(_ context.Context, l Letter) metering.Result {
		sent[l.Record.TransactionID]++
		if !bytes.Equal(l.Record.Body, letter(l.Record.TransactionID).Record.Body) {
			t.Errorf("body %s", l.Record.Body)
		}
		switch l.Record.TransactionID {
		case "b":
			return rejected
		case "c":
			return duplicate
		default:
			return delivered
		}
	}
	report, err := s.Replay(t.Context(), send, ReplayOptions{
		OnResult: func(l Letter, res metering.Result) {
			told = append(told, l.Record.TransactionID+" "+res.Outcome.String())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ReplayReport{Delivered: 2, Duplicate: 1, Rejected: 1}, report); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"a": 1, "b": 1, "c": 1, "d": 1}, sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if want := []string{"a delivered", "b rejected", "c duplicate", "d delivered"}; !slices.Equal(told, want) {
		t.Errorf("told %v", told)
	}
	if got := transactions(t, s); !slices.Equal(got, []string{"b"}) {
		t.Errorf("left %v", got)
	}
}

func TestReplaySelect(t *testing.T) {
	s := open(t, t.TempDir()).at(time.Hour)
	add(t, s, "a", "b", "c")
	report, err := s.Replay(t.Context(), func(context.Context, Letter) metering.Result { return delivered },
		ReplayOptions{Select: func(l Letter) bool { return l.Record.TransactionID == "b" }})
	if err != nil || report.Delivered != 1 {
		t.Errorf("report %+v, %v", report, err)
	}
	if got := transactions(t, s); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("left %v", got)
	}
}

func TestReplayAge(t *testing.T) {
	for _, tt := range []struct {
		age  time.Duration
		opts ReplayOptions
		want ReplayReport
	}{
		{time.Hour, ReplayOptions{}, ReplayReport{Delivered: 1}},
		{25 * time.Hour, ReplayOptions{}, ReplayReport{Delivered: 1, Late: 1}},
		{DefaultReplayMaxAge + 1, ReplayOptions{}, ReplayReport{TooOld: 1}},
		{DefaultReplayMaxAge + 1, ReplayOptions{AllowOlder: true}, ReplayReport{Delivered: 1, Late: 1}},
		{2 * time.Hour, ReplayOptions{MaxAge: time.Hour}, ReplayReport{TooOld: 1}},
	} {
		t.Run(fmt.Sprintf("%v %+v", tt.age, tt.opts), func(t *testing.T) {
			s := open(t, t.TempDir()).at(tt.age)
			add(t, s, "a")
			report, err := s.Replay(t.Context(), func(context.Context, Letter) metering.Result { return delivered }, tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, report); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
			if left := len(transactions(t, s)); left != tt.want.TooOld {
				t.Errorf("%d left", left)
			}
		})
	}
}

// A letter whose record has no known age is as old as the letter.
func TestReplayUnknownAge(t *testing.T) {
	s := open(t, t.TempDir()).at(time.Hour)
	l := letter("x")
	l.Created = time.Time{}
	if err := s.Append(l); err != nil {
		t.Fatal(err)
	}
	report, err := s.Replay(t.Context(), func(context.Context, Letter) metering.Result { return delivered }, ReplayOptions{})
	if err != nil || report.Delivered != 1 || report.TooOld != 0 {
		t.Errorf("report %+v, %v", report, err)
	}
}

func TestReplayStops(t *testing.T) {
	for name, tt := range map[string]struct {
		answer metering.Result
		want   string
		sends  int
	}{
		"unavailable": {retry, "does not take records: unavailable", 1 + replayAttempts},
		"refused key": {refused, "refuses the API key: bad key", 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				s := open(t, dir).at(time.Hour)
				add(t, s, "a", "b", "c", "d")
				sends := 0
				report, err := s.Replay(t.Context(), func(_ context.Context, l Letter) metering.Result {
					sends++
					if l.Record.TransactionID == "a" {
						return delivered
					}
					return tt.answer
				}, ReplayOptions{})
				if !errors.Is(err, ErrStopped) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v", err)
				}
				if diff := cmp.Diff(ReplayReport{Delivered: 1, Left: 3}, report); diff != "" {
					t.Errorf("report (-want +got):\n%s", diff)
				}
				if sends != tt.sends {
					t.Errorf("%d attempts, want %d", sends, tt.sends)
				}
				if got := transactions(t, s); !slices.Equal(got, []string{"b", "c", "d"}) {
					t.Errorf("left %v", got)
				}
			})
		})
	}
}

func TestReplayIsCancelled(t *testing.T) {
	s := open(t, t.TempDir()).at(time.Hour)
	add(t, s, "a", "b", "c")
	ctx, cancel := context.WithCancel(t.Context())
	report, err := s.Replay(ctx, func(context.Context, Letter) metering.Result {
		cancel()
		return delivered
	}, ReplayOptions{})
	if !errors.Is(err, ErrStopped) || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff(ReplayReport{Delivered: 1, Left: 2}, report); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if got := transactions(t, s); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("left %v", got)
	}
}

// A replay retries what the service could not take at first.
func TestReplayRetries(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, dir).at(time.Hour)
		add(t, s, "a")
		start, sends := time.Now(), 0
		report, err := s.Replay(t.Context(), func(context.Context, Letter) metering.Result {
			if sends++; sends == 1 {
				return metering.Result{Outcome: metering.Retry, StatusCode: 429, RetryAfter: 7 * time.Second}
			}
			return delivered
		}, ReplayOptions{})
		if err != nil || report.Delivered != 1 {
			t.Errorf("report %+v, %v", report, err)
		}
		if took := time.Since(start); took < 7*time.Second {
			t.Errorf("took %v although the service asked for 7s", took)
		}
	})
}

// Replay against a server, through the metering client, from what it refused.
func TestReplayThroughClient(t *testing.T) {
	srv := reveniumtest.Start(t, reveniumtest.WithoutVerification())
	client, err := metering.NewClient("rev_mk_test_0123456789abcdef", metering.WithBaseURL(srv.URL()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	s := open(t, t.TempDir()).at(time.Hour)
	add(t, s, "a", "b")
	send := func(ctx context.Context, l Letter) metering.Result { return client.Send(ctx, l.Record) }

	srv.ScriptStatus(reveniumtest.Answer{Status: 422}, reveniumtest.Answer{Status: 422})
	if report, err := s.Replay(t.Context(), send, ReplayOptions{}); err != nil || report.Rejected != 2 {
		t.Errorf("report %+v, %v", report, err)
	}
	if report, err := s.Replay(t.Context(), send, ReplayOptions{}); err != nil || report.Delivered != 2 {
		t.Errorf("report %+v, %v", report, err)
	}
	if rec, ok := srv.ByTransactionID("a"); !ok || !bytes.Equal(rec.Body, letter("a").Record.Body) {
		t.Errorf("record %v, %s", ok, rec.Body)
	}
	if got := transactions(t, s); len(got) != 0 {
		t.Errorf("left %v", got)
	}
}
