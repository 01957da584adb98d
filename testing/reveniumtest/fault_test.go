// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLatency(t *testing.T) {
	s := Start(t)
	const d = 30 * time.Millisecond
	remove := s.Latency(d)
	post(t, s, PathCompletions, completion("a").json(t))
	remove()
	s.LatencyFunc(func(r Request) time.Duration {
		if r.TransactionID == "b" {
			return d
		}
		return 0
	})
	post(t, s, PathCompletions, completion("b").json(t))
	for _, r := range s.Requests() {
		if r.Duration < d || r.Fault != FaultLatency || r.Outcome != OutcomeStored {
			t.Errorf("%+v", r)
		}
	}
}

// Whoever gives up during a delay has been metered all the same, and finds out when it tries again.
// The delay is long enough for a busy server to notice that nobody waits any more.
func TestLatencyOutlivesClient(t *testing.T) {
	s := Start(t)
	s.AddFault(Fault{Kind: FaultLatency, Latency: 500 * time.Millisecond, Times: 1})
	ctx, cancel := context.WithCancel(t.Context())
	body := completion("a").json(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := send(t, s, PathCompletions, body, func(r *http.Request) { *r = *r.WithContext(ctx) })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
	if err := s.WaitRequests(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	waitInFlight(t, s)
	cancel()
	wg.Wait()
	if err := s.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := post(t, s, PathCompletions, body); status != http.StatusCreated {
		t.Errorf("status %d", status)
	}
	if got := s.Stats(); got.Replayed != 1 || got.Stored != 1 {
		t.Errorf("stats: %+v", got)
	}
	if r := s.Requests()[0]; r.Status != 0 || r.Outcome != OutcomeStored {
		t.Errorf("%+v", r)
	}
}

func TestHang(t *testing.T) {
	s := Start(t)
	release := s.Hang()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := send(t, s, PathCompletions, completion("gone").json(t), func(r *http.Request) { *r = *r.WithContext(ctx) }); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
	wg.Go(func() {
		if r, err := send(t, s, PathCompletions, completion("patient").json(t)); err != nil || r.status != http.StatusCreated {
			t.Errorf("%+v, %v", r, err)
		}
	})
	if err := s.WaitRequests(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.Requests() {
		if r.Outcome != OutcomePending {
			t.Errorf("%+v", r)
		}
	}
	cancel()
	waitOutcome(t, s, "gone", OutcomeGone)
	release()
	release() // once more does nothing
	wg.Wait()
	waitOutcome(t, s, "patient", OutcomeStored)
	if rs := s.Records(); len(rs) != 1 || rs[0].TransactionID != "patient" {
		t.Errorf("records: %+v", rs)
	}
	if c := s.Connections(); c.Peak != 2 || c.Total != 2 {
		t.Errorf("connections: %+v", c)
	}
}

func waitOutcome(t *testing.T, s *Server, id string, want Outcome) {
	t.Helper()
	for t.Context().Err() == nil {
		for _, r := range s.Requests() {
			if r.TransactionID == id && r.Outcome == want {
				return
			}
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%s never became %s: %+v", id, want, s.Requests())
}

// A hang that strikes once holds one request only, and is let go by ClearFaults.
func TestHangOnce(t *testing.T) {
	s := Start(t)
	s.AddFault(Fault{Kind: FaultHang, Times: 1})
	var wg sync.WaitGroup
	wg.Go(func() { post(t, s, PathCompletions, completion("a").json(t)) })
	if err := s.WaitRequests(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for s.Stats().Faults == 0 {
		time.Sleep(time.Millisecond)
	}
	post(t, s, PathCompletions, completion("b").json(t))
	if fs := s.Faults(); fs != nil {
		t.Errorf("faults: %+v", fs)
	}
	s.ClearFaults()
	wg.Wait()
	if got := s.Stats(); got.Stored != 2 {
		t.Errorf("stats: %+v", got)
	}
}

func TestReset(t *testing.T) {
	for name, opts := range map[string][]Option{"plain": nil, "TLS": {WithTLS()}} {
		t.Run(name, func(t *testing.T) {
			s := Start(t, opts...)
			s.ResetNext(1)
			if _, err := send(t, s, PathCompletions, completion("a").json(t), noRetry); err == nil {
				t.Error("an answer")
			} else if name == "plain" && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
				t.Errorf("error %v", err)
			}
			if status, _, _ := post(t, s, PathCompletions, completion("a").json(t)); status != http.StatusCreated {
				t.Errorf("status %d", status)
			}
			if r := s.Requests()[0]; r.Outcome != OutcomeFault || r.Fault != FaultReset || r.Status != 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// noRetry keeps net/http from sending a request with an idempotency key again by itself.
func noRetry(r *http.Request) { r.GetBody = nil }

func TestDropAfterStore(t *testing.T) {
	s := Start(t)
	s.DropNext(1)
	s.DropNext(0) // none
	body := completion("a").json(t)
	if _, err := send(t, s, PathCompletions, body, noRetry); err == nil {
		t.Error("an answer")
	}
	if len(s.Records()) != 1 {
		t.Errorf("%d records", len(s.Records()))
	}
	post(t, s, PathCompletions, body)
	post(t, s, PathCompletions, body, header("Idempotency-Key", "another"))
	if diff := cmp.Diff([]Outcome{OutcomeStored, OutcomeReplayed, OutcomeDuplicate}, outcomes(s)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if r := s.Requests()[0]; r.Status != 0 || r.Fault != FaultDropAfterStore {
		t.Errorf("%+v", r)
	}
}

func TestScriptStatus(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 5e8, time.UTC)
	s := Start(t, WithClock(func() time.Time { return now }))
	s.ScriptStatus(
		Answer{Status: 503},
		Answer{Status: 429, RetryAfter: 1500 * time.Millisecond},
		Answer{Status: 429, RetryAfter: 2 * time.Second, RetryAfterDate: true},
		Answer{Status: 502, Body: "<html>", Header: http.Header{"content-type": {"text/html"}, "X-Should-Retry": {"false"}}},
		Answer{Status: 204},
	)
	type got struct {
		Status                   int
		Body, Retry, Type, Again string
	}
	var all []got
	for range 6 {
		status, body, h := post(t, s, PathCompletions, completion("a").json(t))
		if status == http.StatusCreated {
			body = ""
		}
		all = append(all, got{status, body, h.Get("Retry-After"), h.Get("Content-Type"), h.Get("X-Should-Retry")})
	}
	scripted := `{"error":"scripted_status","message":"scripted answer"}`
	want := []got{
		{503, scripted, "", "application/json", ""},
		{429, scripted, "2", "application/json", ""},
		{429, scripted, "Tue, 24 Nov 2026 10:00:03 GMT", "application/json", ""},
		{502, "<html>", "", "text/html", "false"},
		{204, "", "", "application/json", ""},
		{201, "", "", "application/json", ""},
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if r := s.Requests()[5]; r.Attempt != 6 || r.Fault != "" {
		t.Errorf("%+v", r)
	}
	if got := s.Stats(); got != (Stats{Requests: 6, Stored: 1, Faults: 5}) {
		t.Errorf("stats: %+v", got)
	}
}

func TestUnauthorized(t *testing.T) {
	s := Start(t)
	s.Unauthorized(true)
	s.Unauthorized(true)
	status, body, _ := post(t, s, PathCompletions, completion("a").json(t))
	if status != http.StatusUnauthorized || errorCode(t, body) != "unauthorized" {
		t.Errorf("%d %s", status, body)
	}
	s.Unauthorized(false)
	s.Unauthorized(false)
	if status, _, _ := post(t, s, PathCompletions, completion("a").json(t)); status != http.StatusCreated {
		t.Errorf("status %d", status)
	}
}

func TestRateLimit(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	s := Start(t, WithClock(func() time.Time { return now }))
	remove := s.RateLimit(2)
	next := 0
	try := func() int {
		next++
		status, _, h := post(t, s, PathCompletions, completion("tx-"+strconv.Itoa(next)).json(t))
		if (status == http.StatusTooManyRequests) != (h.Get("Retry-After") == "1") {
			t.Errorf("%d with %v", status, h)
		}
		return status
	}
	got := []int{try(), try(), try()}
	s.Advance(999 * time.Millisecond)
	got = append(got, try())
	s.Advance(time.Millisecond)
	got = append(got, try(), try(), try())
	remove()
	got = append(got, try())
	if diff := cmp.Diff([]int{201, 201, 429, 429, 201, 201, 429, 201}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}

// Faults that strike some requests only.
func TestFaultFilters(t *testing.T) {
	for name, tc := range map[string]struct {
		fault Fault
		want  []int // for: completion of gpt-4o, the same again, completion of o3, image
	}{
		"all":     {Fault{}, []int{500, 500, 500, 500}},
		"path":    {Fault{Path: PathImages}, []int{201, 201, 201, 500}},
		"model":   {Fault{Model: "o3"}, []int{201, 201, 500, 201}},
		"attempt": {Fault{Attempt: 1}, []int{500, 201, 500, 500}},
		"times":   {Fault{Times: 3}, []int{500, 500, 500, 201}},
		"match":   {Fault{Match: func(r Request) bool { return strings.Contains(string(r.Body), "o3") }}, []int{201, 201, 500, 201}},
		"both":    {Fault{Model: "gpt-4o", Attempt: 1}, []int{500, 201, 201, 201}},
		"never":   {Fault{Chance: 1e-12}, []int{201, 201, 201, 201}},
		"certain": {Fault{Chance: 1}, []int{500, 500, 500, 500}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.fault.Kind, tc.fault.Status = FaultStatus, 500
			s := Start(t, WithFaults(tc.fault))
			var got []int
			for _, r := range []struct {
				path string
				rec  fields
			}{
				{PathCompletions, completion("a")},
				{PathCompletions, completion("a")},
				{PathCompletions, completion("b").with(fields{"model": "o3"})},
				{PathImages, image("c")},
			} {
				status, _, _ := post(t, s, r.path, r.rec.json(t))
				got = append(got, status)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("statuses (-want +got):\n%s", diff)
			}
		})
	}
}

// Dice fall the same way in every run.
func TestChance(t *testing.T) {
	run := func(seed uint64) string {
		s := Start(t, WithSeed(seed), WithFaults(Fault{Kind: FaultStatus, Status: 500, Chance: 0.5}))
		var b strings.Builder
		for i := range 40 {
			status, _, _ := post(t, s, PathCompletions, completion(strconv.Itoa(i)).json(t))
			b.WriteByte("x."[min(status-201, 1)])
		}
		return b.String()
	}
	first, again, other := run(1), run(1), run(2)
	if first != again || first == other {
		t.Errorf("\n%s\n%s\n%s", first, again, other)
	}
	if n := strings.Count(first, "."); n < 10 || n > 30 {
		t.Errorf("%d of 40 with chance 0.5", n)
	}
}

// Delays add up with what comes after them.
func TestFaultOrder(t *testing.T) {
	s := Start(t, WithFaults(
		Fault{Kind: FaultLatency, Latency: 10 * time.Millisecond},
		Fault{Kind: FaultLatency, Latency: 10 * time.Millisecond},
		Fault{Kind: FaultStatus, Status: 503},
		Fault{Kind: FaultStatus, Status: 504},
	))
	status, _, _ := post(t, s, PathCompletions, completion("a").json(t))
	if r := s.Requests()[0]; status != 503 || r.Duration < 20*time.Millisecond || r.Fault != FaultStatus {
		t.Errorf("%d %+v", status, r)
	}
	if n := len(s.Faults()); n != 4 {
		t.Errorf("%d faults", n)
	}
	s.SetFaults(Fault{Kind: FaultStatus, Status: 504, Times: 2})
	post(t, s, PathCompletions, completion("a").json(t))
	if fs := s.Faults(); len(fs) != 1 || fs[0].Times != 1 || fs[0].Status != 504 {
		t.Errorf("faults: %+v", fs)
	}
}

func TestFaultValidate(t *testing.T) {
	for _, f := range []Fault{
		{Kind: "x"},
		{Kind: FaultLatency},
		{Kind: FaultStatus},
		{Kind: FaultStatus, Status: 99},
		{Kind: FaultStatus, Status: 600},
		{Kind: FaultRateLimit},
		{Kind: FaultHang, Chance: 2},
		{Kind: FaultHang, Times: -1},
	} {
		if err := f.Validate(); err == nil {
			t.Errorf("%+v is valid", f)
		}
		if _, err := NewServer(WithFaults(f)); err == nil {
			t.Errorf("a server with %+v", f)
		}
	}
	err := Fault{Kind: "slow"}.Validate()
	want := `reveniumtest: fault "slow": unknown kind: one of [latency hang reset status unauthorized rate-limit drop-after-store] is wanted`
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	s := Start(t)
	defer func() {
		if recover() == nil {
			t.Error("AddFault takes what is not valid")
		}
	}()
	s.AddFault(Fault{})
}
