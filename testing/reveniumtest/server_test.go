// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fakeTB stands for a test that uses the server.
type fakeTB struct {
	testing.TB
	errors   []string
	cleanups []func()
}

func (f *fakeTB) Helper()                      {}
func (f *fakeTB) Cleanup(c func())             { f.cleanups = append(f.cleanups, c) }
func (f *fakeTB) Errorf(s string, args ...any) { f.errors = append(f.errors, fmt.Sprintf(s, args...)) }
func (f *fakeTB) Fatal(args ...any)            { f.errors = append(f.errors, fmt.Sprint(args...)) }

func (f *fakeTB) end() []string {
	for _, c := range f.cleanups {
		c()
	}
	return f.errors
}

func TestStartFailsTheTest(t *testing.T) {
	bad := completion("a").with(fields{"organizationId": "x"}).json(t)
	tb := &fakeTB{TB: t}
	s := Start(tb)
	post(t, s, PathCompletions, bad)
	want := []string{"reveniumtest: violation: /meter/v2/ai/completions (a): organizationId: dead-name: send organizationName"}
	if diff := cmp.Diff(want, tb.end()); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if _, err := send(t, s, PathCompletions, bad); err == nil {
		t.Error("the server goes on after the test")
	}

	tb = &fakeTB{TB: t}
	post(t, Start(tb, WithoutViolationCheck()), PathCompletions, bad)
	if errs := tb.end(); errs != nil {
		t.Errorf("errors: %v", errs)
	}

	tb = &fakeTB{TB: t}
	s = Start(tb)
	post(t, s, PathCompletions, bad)
	if n := len(s.TakeViolations()); n != 1 {
		t.Errorf("%d violations", n)
	}
	if errs := tb.end(); errs != nil {
		t.Errorf("errors: %v", errs)
	}
}

func TestAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := Start(t, WithListener(l))
	if want := "http://" + l.Addr().String(); s.URL() != want {
		t.Errorf("%s, want %s", s.URL(), want)
	}
	if s.TLSConfig() != nil {
		t.Error("TLS without TLS")
	}
	_, err = NewServer(WithAddr(l.Addr().String()))
	if err == nil || !strings.HasPrefix(err.Error(), "reveniumtest: listen tcp "+l.Addr().String()) {
		t.Errorf("error: %v", err)
	}
}

func TestHTTP2(t *testing.T) {
	s := Start(t, WithTLS())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: s.TLSConfig(), ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	r, err := send(t, s, PathCompletions, completion("a").json(t))
	if err != nil || r.status != http.StatusCreated || r.proto != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	resp, err := client.Get(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusNotFound {
		t.Errorf("%s %s", resp.Proto, resp.Status)
	}
	s.TakeViolations()

	// Faults that break a connection break the stream.
	s.SetFaults(Fault{Kind: FaultReset, Times: 1}, Fault{Kind: FaultDropAfterStore, Times: 1})
	for _, id := range []string{"b", "c"} {
		if _, err := send(t, s, PathCompletions, completion(id).json(t), noRetry); err == nil {
			t.Errorf("%s: an answer", id)
		}
	}
	if got := s.Stats(); got.Stored != 2 {
		t.Errorf("stats: %+v", got)
	}
	// A hang is let go by Close.
	s.Hang()
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := send(t, s, PathCompletions, completion("d").json(t)); err == nil {
			t.Error("an answer")
		}
	})
	if err := s.WaitRequests(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.Close()
	wg.Wait()
}

func TestHandler(t *testing.T) {
	s := Start(t)
	outer := httptest.NewServer(http.StripPrefix("/prefix", s.Handler()))
	defer outer.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, outer.URL+"/prefix"+PathCompletions, strings.NewReader(string(completion("a").json(t))))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"X-Api-Key": {testKey}, "Content-Type": {"application/json"}, "Idempotency-Key": {"k"}}
	resp, err := outer.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusCreated || len(s.Completions()) != 1 {
		t.Errorf("%s, %d records", resp.Status, len(s.Completions()))
	}
	s.Close()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, PathCompletions, nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d after Close", w.Code)
	}
}

func TestQueries(t *testing.T) {
	s := Start(t)
	post(t, s, PathCompletions, completion("a").json(t))
	post(t, s, PathImages, image("b").json(t))
	post(t, s, PathCompletions, completion("c").json(t))
	ids := func(rs []Record) string {
		var out []string
		for _, r := range rs {
			out = append(out, r.TransactionID)
		}
		return strings.Join(out, " ")
	}
	for want, got := range map[string]string{
		"a b c": ids(s.Records()), "a c": ids(s.Completions()), "b": ids(s.RecordsAt(PathImages)), "": ids(s.RecordsAt(PathVideo)),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if r, ok := s.ByTransactionID("b"); !ok || r.Path != PathImages || r.IdempotencyKey != "key-b" {
		t.Errorf("%+v", r)
	}
	if _, ok := s.ByTransactionID("d"); ok {
		t.Error("d is found")
	}
}

func TestWait(t *testing.T) {
	s := Start(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Wait(t.Context(), 2); err != nil {
			t.Error(err)
		}
		if n := len(s.Records()); n < 2 {
			t.Errorf("%d records after waiting for 2", n)
		}
	})
	for i := range 2 {
		post(t, s, PathCompletions, completion(strconv.Itoa(i)).json(t))
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Wait(ctx, 3)
	want := "reveniumtest: 2 of 3 stored records ({Requests:2 Stored:2 Duplicates:0 Replayed:0 Rejected:0 Violations:0 Faults:0}): context canceled"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	wg.Go(func() {
		if err := s.Wait(t.Context(), 3); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("error %v", err)
		}
	})
	s.Close()
	wg.Wait()
}

// Subscribers hear of a record before its sender has the answer, one at a time and in order.
func TestSubscribe(t *testing.T) {
	s := Start(t)
	var records, requests []string
	cancel := s.OnRecord(func(r Record) { records = append(records, r.TransactionID+" "+r.Text("model")) })
	s.OnRequest(func(r Request) {
		requests = append(requests, fmt.Sprint(r.TransactionID, " ", r.Status, " ", r.Outcome))
	})
	s.ScriptStatus(Answer{Status: 503})
	post(t, s, PathCompletions, completion("a").json(t))
	post(t, s, PathCompletions, completion("a").json(t))
	post(t, s, PathCompletions, completion("a").json(t))
	cancel()
	post(t, s, PathCompletions, completion("b").json(t))
	if diff := cmp.Diff([]string{"a gpt-4o"}, records); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a 503 fault", "a 201 stored", "a 201 replayed", "b 201 stored"}, requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestLimits(t *testing.T) {
	s := Start(t, WithRecordLimit(2), WithoutBodies())
	for i := range 5 {
		post(t, s, PathCompletions, completion(strconv.Itoa(i)).with(fields{"agent": ""}).json(t))
	}
	post(t, s, PathCompletions, completion("0").with(fields{"agent": ""}).json(t), header("Idempotency-Key", "another"))
	rs := s.Records()
	if len(rs) != 2 || rs[0].TransactionID != "3" || rs[1].TransactionID != "4" || rs[0].Body != nil || rs[0].Fields != nil {
		t.Errorf("records: %+v", rs)
	}
	if qs := s.Requests(); len(qs) != 2 || qs[1].Seq != 6 || qs[1].Outcome != OutcomeDuplicate || qs[1].Body != nil {
		t.Errorf("requests: %+v", qs)
	}
	if got := s.Stats(); got != (Stats{Requests: 6, Stored: 5, Duplicates: 1, Violations: 6}) {
		t.Errorf("stats: %+v", got)
	}
	if n := len(s.TakeViolations()); n != 2 {
		t.Errorf("%d violations", n)
	}
	none := Start(t, WithRecordLimit(0))
	post(t, none, PathCompletions, completion("a").json(t))
	if none.Records() != nil || len(none.Requests()) != 0 || none.Stats().Stored != 1 {
		t.Errorf("%+v", none.Requests())
	}
}

func TestForget(t *testing.T) {
	s := Start(t)
	body := completion("a").json(t)
	post(t, s, PathCompletions, body)
	s.Reset()
	if s.Records() != nil || len(s.Requests()) != 0 || s.Stats() != (Stats{}) {
		t.Errorf("%+v %+v", s.Records(), s.Requests())
	}
	post(t, s, PathCompletions, body)
	if got := s.Requests(); len(got) != 1 || got[0].Outcome != OutcomeStored || got[0].Attempt != 1 || got[0].Seq != 1 {
		t.Errorf("%+v", got)
	}
}

// What began before a reset leaves no trace after it.
func TestForgetWhileInFlight(t *testing.T) {
	s := Start(t)
	release := s.AddFault(Fault{Kind: FaultLatency, Latency: 50 * time.Millisecond, Times: 1})
	defer release()
	body := completion("a").json(t)
	var wg sync.WaitGroup
	wg.Go(func() { post(t, s, PathCompletions, body) })
	if err := s.WaitRequests(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	waitInFlight(t, s)
	s.Reset()
	wg.Wait()
	if got := s.Stats(); got != (Stats{}) {
		t.Errorf("stats: %+v", got)
	}
	if status, _, _ := post(t, s, PathCompletions, body); status != http.StatusCreated || s.Stats().Stored != 1 {
		t.Errorf("status %d, %+v", status, s.Stats())
	}
}

// Idempotency keys that are too old are thrown away.
func TestSweep(t *testing.T) {
	st := newStore(0)
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	for i := range sweepEvery - 1 {
		k := digestOf("", strconv.Itoa(i))
		st.begin(k, k, now)
		if i > 0 {
			st.settle(k, answer{}, now)
		}
	}
	late := now.Add(retention)
	st.begin(digestOf("", "new"), digest{}, late)
	if n := len(st.keys); n != 2 { // the new one and the one in flight
		t.Errorf("%d keys are kept", n)
	}
}

func TestManyClients(t *testing.T) {
	s := Start(t)
	const clients, each = 8, 50
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				body := completion(fmt.Sprint(c%4, "-", i)).json(t) // two clients send the same
				post(t, s, PathCompletions, body, header("Idempotency-Key", fmt.Sprint(c, "-", i)))
			}
		})
	}
	wg.Wait()
	st := s.Stats()
	if st.Stored != clients*each/2 || st.Duplicates != clients*each/2 {
		t.Errorf("stats: %+v", st)
	}
	if c := s.Connections(); c.Peak < 1 || c.Peak > c.Total {
		t.Errorf("connections: %+v", c)
	}
}
