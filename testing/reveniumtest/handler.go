// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// answer is what the server says to a request.
type answer struct {
	status  int
	header  http.Header // besides Content-Type and Content-Length; nil if none
	body    []byte
	outcome Outcome
}

// exchange is one request while it is handled.
type exchange struct {
	req     *Request
	w       http.ResponseWriter
	r       *http.Request
	arrived time.Time // real time
	key     string    // API key
	known   bool      // the key may meter
	tooBig  bool
	raw     []byte
	doc     document
	found   []Violation // by verification, those of ignored rules included
	rec     *Record     // once stored
	id      string      // transaction id, minted if the record has none
	idem    digest
	txid    digest
	body    digest
	epoch   int
	plan    plan
}

// Handler returns the server as a handler, to be embedded in another server. Connections are counted only on the
// server's own listener.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		http.Error(w, "closed", http.StatusServiceUnavailable)
		return
	}
	defer s.handlers.Done()

	x, err := s.receive(w, r)
	if err != nil { // the client left, or broke the rules of HTTP, before the body was complete
		s.reply(x, rejection(http.StatusBadRequest, "malformed_request", "Incomplete body"))
		return
	}
	s.verify(x)
	if s.strike(x) {
		return
	}
	if a, refused := s.refuse(x); refused {
		s.reply(x, a)
		return
	}
	a, done := s.replay(x)
	if !done {
		if !s.delay(x.plan.delay) {
			s.abandon(x)
			return
		}
		a = s.process(x)
	}
	if f := x.plan.fatal; f != nil && f.Kind == FaultDropAfterStore {
		s.finish(x, 0, a.outcome)
		breakConnection(w, false)
		return
	}
	s.reply(x, a)
}

// receive reads the request and notes its arrival.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) (*exchange, error) {
	now := s.time()
	x := &exchange{w: w, r: r, arrived: time.Now(), key: r.Header.Get("X-Api-Key")}
	body, err := s.readBody(r)
	x.tooBig = int64(len(body)) > s.cfg.maxBody
	x.req = &Request{
		Time: now, Method: r.Method, Path: r.URL.Path, Proto: r.Proto,
		IdempotencyKey: r.Header.Get("Idempotency-Key"),
	}
	if s.cfg.limit != 0 {
		x.req.Header = r.Header.Clone()
		x.req.Header.Del("X-Api-Key")
		x.req.Header.Del("Authorization")
	}
	if s.cfg.bodies {
		x.req.Body = body
	}
	x.raw = body
	x.doc = parse(body, s.book.names)
	x.req.TransactionID, x.req.Model = x.doc.text("transactionId"), x.doc.text("model")
	x.body = digestBytes(body)

	s.mu.Lock()
	defer s.mu.Unlock()
	x.req.Tenant, x.known = s.tenant(x.key)
	x.idem = digestOf(x.req.Tenant, x.req.IdempotencyKey)
	if id := x.req.TransactionID; id != "" {
		x.txid = digestOf(x.req.Tenant, id)
		x.req.Attempt = s.store.attempt(x.txid)
	}
	s.store.stats.Requests++
	x.req.Seq = s.store.stats.Requests
	s.store.requests.add(x.req)
	s.store.wake()
	return x, err
}

func (s *Server) readBody(r *http.Request) ([]byte, error) {
	buf := new(bytes.Buffer)
	if n := r.ContentLength; n > 0 && n <= s.cfg.maxBody {
		buf.Grow(int(n) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(io.LimitReader(r.Body, s.cfg.maxBody+1))
	return buf.Bytes(), err
}

// tenant returns the account of key, and whether the key may meter. The caller holds the lock.
func (s *Server) tenant(key string) (string, bool) {
	if s.keys != nil {
		t, ok := s.keys[key]
		return t, ok && !strings.HasPrefix(key, "rev_rk_")
	}
	for _, prefix := range []string{"rev_mk_", "rev_sk_", "hak_"} {
		if strings.HasPrefix(key, prefix) && len(key) > len(prefix) {
			return defaultTenant, true
		}
	}
	return defaultTenant, false
}

// refuse answers the request if something before the record itself is wrong.
func (s *Server) refuse(x *exchange) (answer, bool) {
	h := x.r.Header
	mediaType, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	switch {
	case s.book.endpoints[x.req.Path] == nil:
		return rejection(http.StatusNotFound, "not_found", "No such endpoint"), true
	case x.req.Method != http.MethodPost:
		return rejection(http.StatusMethodNotAllowed, "method_not_allowed", "Use POST"), true
	case strings.HasPrefix(x.key, "rev_rk_"):
		a := rejection(http.StatusForbidden, "forbidden", "API key may not meter")
		a.outcome = OutcomeUnauthorized
		return a, true
	case !x.known:
		a := rejection(http.StatusUnauthorized, "unauthorized", "Invalid API key")
		a.outcome = OutcomeUnauthorized
		return a, true
	case x.tooBig:
		return rejection(http.StatusRequestEntityTooLarge, "too_large", "Request body is too large"), true
	case err != nil || mediaType != "application/json" || h.Get("Content-Encoding") != "":
		return rejection(http.StatusUnsupportedMediaType, "unsupported_media_type", "Send plain application/json"), true
	case len(h.Values("Idempotency-Key")) > 0 && !validIdempotencyKey(x.req.IdempotencyKey):
		return rejection(http.StatusBadRequest, "invalid_idempotency_key",
			"Idempotency-Key must be 1 to 255 printable ASCII characters without spaces"), true
	}
	return answer{}, false
}

// validIdempotencyKey reports whether key is 1–255 characters between '!' and '~'.
func validIdempotencyKey(key string) bool {
	if key == "" || len(key) > 255 {
		return false
	}
	for i := range len(key) {
		if key[i] < '!' || key[i] > '~' {
			return false
		}
	}
	return true
}

// replay answers a request whose idempotency key is known, or marks the key as in flight.
func (s *Server) replay(x *exchange) (answer, bool) {
	now := s.time()
	s.mu.Lock()
	defer s.mu.Unlock()
	x.epoch = s.store.epoch
	if x.req.IdempotencyKey == "" {
		return answer{}, false
	}
	e, known := s.store.begin(x.idem, x.body, now)
	switch {
	case !known:
		return answer{}, false
	case e.body != x.body:
		s.report(x, Violation{
			Field: "Idempotency-Key", Rule: RuleReusedKey,
			Detail: "the key was used with another body: freeze body and key together",
		})
		return answer{
			status: http.StatusConflict, outcome: OutcomeMismatch,
			body: errorBody("idempotency_key_mismatch", "Idempotency-Key was used with a different request body"),
		}, true
	case !e.done:
		return answer{
			status: http.StatusConflict, outcome: OutcomeInProgress,
			header: http.Header{"Retry-After": {"1"}},
			body:   errorBody("idempotency_key_in_progress", "A request with this Idempotency-Key is being processed"),
		}, true
	}
	s.store.stats.Replayed++
	a := e.answer
	if a.body == nil { // the usual answer: same body, same id, so it can be made again
		a.body = acceptedBody(x, x.req.TransactionID)
	}
	a.outcome = OutcomeReplayed
	return a, true
}

// process judges the record as the service would, and stores it.
func (s *Server) process(x *exchange) answer {
	now := s.time()
	a := s.judge(x)
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.epoch != s.store.epoch { // Reset came in between: answer, but leave no trace
		return a
	}
	if a.outcome == OutcomeStored {
		a.outcome = s.put(x, now)
	}
	if x.req.IdempotencyKey != "" {
		kept := a
		if a.outcome != OutcomeRejected && x.req.TransactionID != "" {
			kept.body = nil // see replay: load tests have millions of keys
		}
		s.store.settle(x.idem, kept, now)
	}
	return a
}

// judge returns the answer to the record: 201, or 400 for what the service refuses.
func (s *Server) judge(x *exchange) answer {
	if x.doc.err != nil {
		return rejection(http.StatusBadRequest, "malformed_request", "Malformed JSON")
	}
	for _, v := range x.found {
		if v.rejects {
			return rejection(http.StatusBadRequest, "validation_failed", v.Field+": "+v.Detail)
		}
	}
	x.id = x.req.TransactionID
	if x.id == "" { // the service mints one
		x.id = fmt.Sprintf("00000000-0000-4000-8000-%012x", x.req.Seq)
		x.txid = digestOf(x.req.Tenant, x.id)
	}
	return answer{status: http.StatusCreated, body: acceptedBody(x, x.id), outcome: OutcomeStored}
}

// put stores the record, or counts it as a duplicate. The caller holds the lock.
func (s *Server) put(x *exchange, now time.Time) Outcome {
	rec := Record{
		Path: x.req.Path, TransactionID: x.id, IdempotencyKey: x.req.IdempotencyKey,
		Tenant: x.req.Tenant, Received: now, Body: x.req.Body,
	}
	stored, same := s.store.put(rec, x.txid, x.body)
	if stored {
		x.rec = &rec
		return OutcomeStored
	}
	if !same {
		s.report(x, Violation{
			Field: "transactionId", Rule: RuleReusedID,
			Detail: "another record has this id: the service drops this one silently",
		})
	}
	return OutcomeDuplicate
}

// report keeps a violation of x. The caller holds the lock.
func (s *Server) report(x *exchange, vs ...Violation) {
	for _, v := range vs {
		if s.cfg.ignored[v.Rule] {
			continue
		}
		v.Path, v.TransactionID = x.req.Path, x.req.TransactionID
		x.req.Violations = append(x.req.Violations, v)
		s.store.addViolations([]Violation{v})
	}
}

func acceptedBody(x *exchange, id string) []byte {
	b := make([]byte, 0, 160+len(id))
	b = append(b, `{"id":"`...)
	b = hex.AppendEncode(b, x.txid[:6])
	b = append(b, `","label":`...)
	b = appendJSONString(b, id)
	b = append(b, `,"resourceType":"metering","signature":"`...)
	b = hex.AppendEncode(b, x.body[:])
	return append(b, `"}`...)
}

func errorBody(code, message string) []byte {
	b := appendJSONString([]byte(`{"error":`), code)
	b = append(b, `,"message":`...)
	return append(appendJSONString(b, message), '}')
}

func rejection(status int, code, message string) answer {
	return answer{status: status, body: errorBody(code, message), outcome: OutcomeRejected}
}

// reply sends a, unless the client has left.
func (s *Server) reply(x *exchange, a answer) {
	if x.r.Context().Err() != nil {
		outcome := a.outcome
		if outcome != OutcomeStored && outcome != OutcomeDuplicate {
			outcome = OutcomeGone
		}
		s.finish(x, 0, outcome)
		return
	}
	s.finish(x, a.status, a.outcome)
	h := x.w.Header()
	h.Set("Content-Type", "application/json")
	for name, values := range a.header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	x.w.WriteHeader(a.status)
	_, _ = x.w.Write(a.body) // nothing to do about a client that leaves now
}

// finish notes what became of the request and tells the subscribers, before the client can know.
func (s *Server) finish(x *exchange, status int, outcome Outcome) {
	s.mu.Lock()
	x.req.Status, x.req.Outcome, x.req.Duration = status, outcome, time.Since(x.arrived)
	if outcome == OutcomeRejected {
		s.store.stats.Rejected++
	}
	req := *x.req
	s.store.wake()
	s.mu.Unlock()
	s.tell(x, req)
}

// tell calls the subscribers, one call at a time.
func (s *Server) tell(x *exchange, req Request) {
	s.listMu.Lock()
	onRecord, onRequest := s.onRecord, s.onRequest
	s.listMu.Unlock()
	if len(onRecord)+len(onRequest) == 0 {
		return
	}
	s.callMu.Lock()
	defer s.callMu.Unlock()
	if x.rec != nil && len(onRecord) > 0 {
		rec := x.rec.decode()
		for _, f := range onRecord {
			(*f)(rec)
		}
	}
	for _, f := range onRequest {
		(*f)(req)
	}
}
