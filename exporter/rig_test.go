// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// attempt is one call of a fake service.
type attempt struct {
	id string
	at time.Duration // since the service was made
}

// service is a metering API without a network. answer decides about each attempt.
type service struct {
	start  time.Time
	answer func(ctx context.Context, f metering.Frozen, n int) metering.Result

	mu       sync.Mutex
	attempts []attempt
	accepted map[string]int
	working  int
	peak     int
}

func newService(answer func(ctx context.Context, f metering.Frozen, n int) metering.Result) *service {
	return &service{start: time.Now(), answer: answer, accepted: make(map[string]int)}
}

func (s *service) send(ctx context.Context, f metering.Frozen) metering.Result {
	s.mu.Lock()
	s.attempts = append(s.attempts, attempt{f.TransactionID, time.Since(s.start)})
	n := len(s.attempts)
	s.working++
	s.peak = max(s.peak, s.working)
	s.mu.Unlock()

	res := s.answer(ctx, f, n)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.working--
	if res.Outcome == metering.Delivered {
		s.accepted[f.TransactionID]++
	}
	return res
}

// count returns the number of attempts and of accepted records.
func (s *service) count() (attempts, accepted int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.attempts), len(s.accepted)
}

// mostAtOnce is the largest number of attempts at the same time.
func (s *service) mostAtOnce() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peak
}

// times are those of the attempts for one record.
func (s *service) times(id string) []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var at []time.Duration
	for _, a := range s.attempts {
		if a.id == id {
			at = append(at, a.at)
		}
	}
	return at
}

// Answers of a fake service.
var (
	accept       = metering.Result{Outcome: metering.Delivered, StatusCode: http.StatusCreated}
	noAnswer     = metering.Result{Outcome: metering.Retry, Err: errors.New("connection refused")}
	serverError  = metering.Result{Outcome: metering.Retry, StatusCode: http.StatusInternalServerError}
	unauthorized = metering.Result{Outcome: metering.Unauthorized, StatusCode: http.StatusUnauthorized}
	badRecord    = metering.Result{Outcome: metering.Rejected, StatusCode: http.StatusBadRequest, Code: "validation", Message: "model is unknown"}
)

// rig is a delivery under test.
type rig struct {
	*delivery
	lanes   *lanes
	t       *testing.T
	service *service
}

// newRig starts a delivery with default settings to s. Changes come on top.
func newRig(t *testing.T, s *service, change ...func(*config)) *rig {
	t.Helper()
	retry, err := RetryConfig{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	cfg := config{send: s.send, queue: spool.NewMemory(), senders: defaultSenders, retry: retry}
	for _, c := range change {
		c(&cfg)
	}
	tally, reporter := newTally(), newReporter(slog.New(slog.DiscardHandler))
	queue := func(string) spool.Queue {
		if cfg.queue != nil {
			return cfg.queue
		}
		return spool.NewMemory()
	}
	lanes := newLanes(cfg, queue, tally, reporter)
	lanes.start(nil)
	return &rig{delivery: lanes.common, lanes: lanes, t: t, service: s}
}

// put queues n billed records named prefix-0, prefix-1 and so on.
func (r *rig) put(prefix string, n int) {
	for i := range n {
		r.account.tally.decided(convert.Billed, "usage", false)
		id := fmt.Sprintf("%s-%d", prefix, i)
		f := metering.Frozen{
			Endpoint:       metering.EndpointCompletions,
			TransactionID:  id,
			IdempotencyKey: "key-" + id,
			Body:           []byte(`{"transactionId":"` + id + `"}`),
		}
		r.account.billed(f)
		r.delivery.put(f, time.Now())
	}
}

// counts checks the sums of the tally and returns the report.
func (r *rig) counts() Report {
	r.t.Helper()
	rep := newReport(r.account.tally.snapshot(), r.lanes.state())
	checkSums(r.t, rep)
	return rep
}

// checkSums checks the two sums of a report.
func checkSums(t *testing.T, r Report) {
	t.Helper()
	if want := r.Billed + r.Suppressed + r.Skipped + r.Held; r.Converted != want {
		t.Errorf("converted %d, but billed + suppressed + skipped + held = %d\n%s", r.Converted, want, r)
	}
	if got, want := r.Billed+r.Recovered, r.Delivered+r.Duplicate+r.Queued+r.OnDisk+r.Parked+r.DeadLettered+r.Lost; got != want {
		t.Errorf("billed + recovered = %d, but what became of the records = %d\n%s", got, want, r)
	}
}
