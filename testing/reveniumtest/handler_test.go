// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAcceptedAnswer(t *testing.T) {
	s := Start(t)
	status, body, h := post(t, s, PathCompletions, completion("tx-1").json(t))
	if status != http.StatusCreated || h.Get("Content-Type") != "application/json" {
		t.Errorf("%d %v", status, h)
	}
	var got map[string]string
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]int{"id": 12, "signature": 32} {
		if len(got[name]) != n {
			t.Errorf("%s: %q", name, got[name])
		}
	}
	delete(got, "id")
	delete(got, "signature")
	if diff := cmp.Diff(map[string]string{"label": "tx-1", "resourceType": "metering"}, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestErrorAnswer(t *testing.T) {
	s := Start(t, WithoutViolationCheck())
	_, body, h := post(t, s, PathCompletions, completion("a").with(fields{"model": ""}).json(t))
	want := `{"error":"validation_failed","message":"model: blank text: leave the field out, or fill it"}`
	if body != want || h.Get("Content-Type") != "application/json" {
		t.Errorf("%s %v", body, h)
	}
}

// One transaction id is one record: the second is acknowledged and not stored.
func TestDeduplication(t *testing.T) {
	s := Start(t, WithTenant("one", "rev_mk_one_12345678"), WithTenant("two", "rev_mk_two_12345678"))
	body := completion("tx").json(t)
	first := func(tenant, key string) {
		t.Helper()
		if status, _, _ := post(t, s, PathCompletions, body, header("X-Api-Key", tenant), header("Idempotency-Key", key)); status != http.StatusCreated {
			t.Errorf("status %d", status)
		}
	}
	first("rev_mk_one_12345678", "k1")
	first("rev_mk_one_12345678", "k2") // duplicate
	first("rev_mk_two_12345678", "k1") // another account: a record, and no replay
	if got := s.Stats(); got != (Stats{Requests: 3, Stored: 2, Duplicates: 1}) {
		t.Errorf("stats: %+v", got)
	}
	if s.Duplicates() != 1 {
		t.Errorf("duplicates: %d", s.Duplicates())
	}
	if got := outcomes(s); !cmp.Equal(got, []Outcome{OutcomeStored, OutcomeDuplicate, OutcomeStored}) {
		t.Errorf("outcomes: %v", got)
	}
	if rs := s.Records(); rs[0].Tenant != "one" || rs[1].Tenant != "two" {
		t.Errorf("tenants: %q, %q", rs[0].Tenant, rs[1].Tenant)
	}
}

func outcomes(s *Server) []Outcome {
	var out []Outcome
	for _, r := range s.Requests() {
		out = append(out, r.Outcome)
	}
	return out
}

// An id that is used for two different records loses one: the service says nothing, the test hears of it.
func TestReusedTransactionID(t *testing.T) {
	s := Start(t)
	post(t, s, PathCompletions, completion("tx").json(t), header("Idempotency-Key", "k1"))
	status, _, _ := post(t, s, PathCompletions, completion("tx").with(fields{"agent": "b"}).json(t), header("Idempotency-Key", "k2"))
	if status != http.StatusCreated || s.Duplicates() != 1 {
		t.Errorf("status %d, %d duplicates", status, s.Duplicates())
	}
	if diff := cmp.Diff([]string{"transactionId: reused-id"}, found(s.TakeViolations())); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
}

// Records without an id get one, each its own.
func TestMintedTransactionID(t *testing.T) {
	s := Start(t, WithoutRules(RuleMissing))
	body := completion("").with(fields{"transactionId": removed}).json(t)
	_, first, _ := post(t, s, PathCompletions, body, header("Idempotency-Key", "k1"))
	_, second, _ := post(t, s, PathCompletions, body, header("Idempotency-Key", "k2"))
	_, again, _ := post(t, s, PathCompletions, body, header("Idempotency-Key", "k1"))
	if first == second || first != again {
		t.Errorf("answers:\n%s\n%s\n%s", first, second, again)
	}
	rs := s.Records()
	if len(rs) != 2 || rs[0].TransactionID != "00000000-0000-4000-8000-000000000001" {
		t.Errorf("records: %+v", rs)
	}
	if _, ok := s.ByTransactionID(rs[1].TransactionID); !ok {
		t.Error("the second record is not found by its id")
	}
}

func TestIdempotency(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	s := Start(t, WithClock(func() time.Time { return now }), WithoutRules(RuleReusedKey, RuleEnum))
	body := completion("tx").json(t)
	_, first, _ := post(t, s, PathCompletions, body)

	// The same again: the first answer, to the byte.
	if status, again, _ := post(t, s, PathCompletions, body); status != http.StatusCreated || again != first {
		t.Errorf("replay: %d %s, want %s", status, again, first)
	}
	// Another body.
	status, mismatch, h := post(t, s, PathCompletions, completion("tx").with(fields{"agent": "b"}).json(t))
	if status != http.StatusConflict || errorCode(t, mismatch) != "idempotency_key_mismatch" || h.Get("Retry-After") != "" {
		t.Errorf("mismatch: %d %s %v", status, mismatch, h)
	}
	// A refusal is replayed too.
	bad := completion("bad").with(fields{"stopReason": "x"}).json(t)
	_, refused, _ := post(t, s, PathCompletions, bad)
	if status, again, _ := post(t, s, PathCompletions, bad); status != http.StatusBadRequest || again != refused {
		t.Errorf("replay of a refusal: %d %s, want %s", status, again, refused)
	}
	want := []Outcome{OutcomeStored, OutcomeReplayed, OutcomeMismatch, OutcomeRejected, OutcomeReplayed}
	if diff := cmp.Diff(want, outcomes(s)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}

	// Kept for 24 hours; then only the transaction id protects.
	s.Advance(24*time.Hour - time.Millisecond)
	post(t, s, PathCompletions, body)
	s.Advance(time.Millisecond)
	post(t, s, PathCompletions, body)
	if got := outcomes(s)[5:]; !cmp.Equal(got, []Outcome{OutcomeReplayed, OutcomeDuplicate}) {
		t.Errorf("outcomes after a day: %v", got)
	}
	// The clock can be replaced, what was moved forward is forgotten with it.
	s.SetClock(func() time.Time { return now.Add(time.Hour) })
	post(t, s, PathCompletions, completion("later").json(t))
	if rs := s.Records(); !rs[len(rs)-1].Received.Equal(now.Add(time.Hour)) {
		t.Errorf("received at %v by the new clock", rs[len(rs)-1].Received)
	}
	if got := s.Stats(); got != (Stats{Requests: 8, Stored: 2, Duplicates: 1, Replayed: 3, Rejected: 1}) {
		t.Errorf("stats: %+v", got)
	}
}

func TestReusedKeyIsViolation(t *testing.T) {
	s := Start(t)
	post(t, s, PathCompletions, completion("a").json(t), header("Idempotency-Key", "k"))
	post(t, s, PathCompletions, completion("b").json(t), header("Idempotency-Key", "k"))
	if diff := cmp.Diff([]string{"Idempotency-Key: reused-key"}, found(s.TakeViolations())); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
}

func errorCode(t *testing.T, body string) string {
	t.Helper()
	var e struct{ Error string }
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return e.Error
}

// While the first request with a key is in flight, the second is told to come back.
func TestIdempotencyInProgress(t *testing.T) {
	s := Start(t)
	s.AddFault(Fault{Kind: FaultLatency, Latency: time.Hour, Attempt: 1})

	body := completion("tx").json(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := send(t, s, PathCompletions, body); err == nil {
			t.Error("an answer, before an hour has passed")
		}
	})
	if err := s.WaitRequests(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	waitInFlight(t, s)
	status, conflict, h := post(t, s, PathCompletions, body)
	if status != http.StatusConflict || errorCode(t, conflict) != "idempotency_key_in_progress" || h.Get("Retry-After") != "1" {
		t.Errorf("%d %s %v", status, conflict, h)
	}
	s.Close()
	wg.Wait()
	if got := outcomes(s); got[1] != OutcomeInProgress {
		t.Errorf("outcomes: %v", got)
	}
}

// waitInFlight waits until an idempotency key is in flight.
func waitInFlight(t *testing.T, s *Server) {
	t.Helper()
	for {
		s.mu.Lock()
		n := len(s.store.keys)
		s.mu.Unlock()
		if n > 0 {
			return
		}
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestKeys(t *testing.T) {
	body := completion("tx").json(t)
	try := func(s *Server, key string, want int) {
		t.Helper()
		if status, answer, _ := post(t, s, PathCompletions, body, header("X-Api-Key", key)); status != want {
			t.Errorf("%s: %d %s, want %d", key, status, answer, want)
		}
	}
	s := Start(t)
	for key, want := range map[string]int{
		"rev_mk_a": 201, "rev_sk_a": 201, "hak_tenant_secret": 201, "rev_rk_a": 403, "rev_mk_": 401, "sk-a": 401, "rev_xx_a": 401,
	} {
		try(s, key, want)
	}
	s = Start(t, WithAPIKeys("rev_mk_a", "rev_rk_a"))
	try(s, "rev_mk_a", 201)
	try(s, "rev_mk_b", 401)
	try(s, "rev_rk_a", 403)
	s.SetAPIKeys("rev_mk_b")
	try(s, "rev_mk_a", 401)
	try(s, "rev_mk_b", 201) // the same account: acknowledged as known
	if got := s.Stats(); got.Stored != 1 {
		t.Errorf("stats: %+v", got)
	}
	s.SetAPIKeys()
	try(s, "rev_mk_c", 201)
}

// What a client did can be read, without its key.
func TestRequests(t *testing.T) {
	s := Start(t)
	post(t, s, PathCompletions, completion("tx").json(t), header("User-Agent", "test/1"), header("Authorization", "Basic x"))
	got := s.Requests()[0]
	for name, ok := range map[string]bool{
		"duration": got.Duration > 0,
		"key":      got.Header.Get("X-Api-Key") == "" && got.Header.Get("Authorization") == "",
		"agent":    got.Header.Get("User-Agent") == "test/1",
		"body":     string(got.Body) == string(completion("tx").json(t)),
		"time":     !got.Time.IsZero(),
	} {
		if !ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
	got.Duration, got.Header, got.Body, got.Time = 0, nil, nil, time.Time{}
	want := Request{
		Seq: 1, Method: "POST", Path: PathCompletions, Proto: "HTTP/1.1", TransactionID: "tx", IdempotencyKey: "key-tx",
		Model: "gpt-4o", Tenant: "default", Attempt: 1, Status: 201, Outcome: OutcomeStored,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Violation{})); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

// A body that ends too early is no record.
func TestIncompleteBody(t *testing.T) {
	s := Start(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, PathCompletions, &cutReader{strings.NewReader(`{"mod`)})
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest || len(s.Records()) != 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if vs := s.Violations(); vs != nil {
		t.Errorf("violations: %v", vs)
	}
}

// cutReader fails where its reader ends.
type cutReader struct{ r *strings.Reader }

func (c *cutReader) Read(p []byte) (int, error) {
	if c.r.Len() == 0 {
		return 0, http.ErrBodyReadAfterClose
	}
	return c.r.Read(p)
}

func TestRecordAccessors(t *testing.T) {
	s := Start(t, WithoutViolationCheck())
	body := `{"model":"m","inputTokenCount":9007199254740993,"temperature":0.5,"isStreamed":false,"traceId":null,` +
		`"requestTime":"2026-11-24T10:00:00.5Z","subscriber":{"credential":{"name":"prod"}},"transactionId":"a"}`
	s.cfg.verify = false
	post(t, s, PathCompletions, []byte(body))
	r, ok := s.ByTransactionID("a")
	if !ok {
		t.Fatal("no record")
	}
	type result struct {
		Value any
		OK    bool
	}
	str := func(name string) result { v, ok := r.String(name); return result{v, ok} }
	num := func(name string) result { v, ok := r.Int(name); return result{v, ok} }
	flt := func(name string) result { v, ok := r.Float(name); return result{v, ok} }
	bln := func(name string) result { v, ok := r.Bool(name); return result{v, ok} }
	tim := func(name string) result { v, ok := r.Time(name); return result{v, ok} }
	for name, tc := range map[string]struct{ got, want result }{
		"string":          {str("model"), result{"m", true}},
		"nested":          {str("subscriber.credential.name"), result{"prod", true}},
		"no string":       {str("isStreamed"), result{"", false}},
		"no such":         {str("subscriber.email"), result{"", false}},
		"through scalar":  {str("model.x"), result{"", false}},
		"int":             {num("inputTokenCount"), result{int64(9007199254740993), true}},
		"fraction":        {num("temperature"), result{int64(0), false}},
		"no int":          {num("model"), result{int64(0), false}},
		"float":           {flt("temperature"), result{0.5, true}},
		"no float":        {flt("model"), result{0.0, false}},
		"bool":            {bln("isStreamed"), result{false, true}},
		"no bool":         {bln("model"), result{false, false}},
		"time":            {tim("requestTime"), result{time.Date(2026, 11, 24, 10, 0, 0, 5e8, time.UTC), true}},
		"no time":         {tim("model"), result{time.Time{}, false}},
		"absent time":     {tim("responseTime"), result{time.Time{}, false}},
		"null is there":   {result{nil, r.Has("traceId")}, result{nil, true}},
		"absent is not":   {result{nil, r.Has("provider")}, result{nil, false}},
		"text of string":  {result{r.Text("model"), true}, result{"m", true}},
		"text of number":  {result{r.Text("inputTokenCount"), true}, result{"9007199254740993", true}},
		"text of bool":    {result{r.Text("isStreamed"), true}, result{"false", true}},
		"text of null":    {result{r.Text("traceId"), true}, result{"", true}},
		"text of nothing": {result{r.Text("provider"), true}, result{"", true}},
		"text of object":  {result{r.Text("subscriber"), true}, result{`{"credential":{"name":"prod"}}`, true}},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
