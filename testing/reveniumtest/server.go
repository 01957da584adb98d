// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// Server is an in-process Revenium. It is safe for concurrent use.
type Server struct {
	cfg  config
	http *httptest.Server
	done chan struct{} // closed by Close

	faultMu      sync.Mutex
	faults       []*activeFault
	unauthorized *activeFault
	dice         *rand.Rand

	book *rulebook

	callMu    sync.Mutex // one callback at a time
	listMu    sync.Mutex // the lists are replaced, never changed
	onRecord  []*func(Record)
	onRequest []*func(Request)

	mu       sync.Mutex
	closed   bool
	handlers sync.WaitGroup
	now      func() time.Time
	advanced time.Duration
	keys     map[string]string
	store    store
	conns    Connections
}

// NewServer starts a server. Close stops it. The error is that of opening the port.
func NewServer(opts ...Option) (*Server, error) {
	cfg := newConfig(opts)
	for _, f := range cfg.faults {
		if err := f.Validate(); err != nil {
			return nil, err
		}
	}
	listener := cfg.listener
	if listener == nil {
		var err error
		if listener, err = net.Listen("tcp", cfg.addr); err != nil { //nolint:noctx // at once done, with loopback
			return nil, fmt.Errorf("reveniumtest: %w", err)
		}
	}
	s := &Server{
		cfg:   cfg,
		done:  make(chan struct{}),
		dice:  rand.New(rand.NewPCG(cfg.seed, cfg.seed)),
		now:   cfg.now,
		keys:  cfg.keys,
		store: newStore(cfg.limit),
		book:  newRulebook(),
	}
	for _, f := range cfg.faults {
		s.AddFault(f)
	}
	s.http = &httptest.Server{
		Listener:    listener,
		EnableHTTP2: cfg.tls,
		Config: &http.Server{
			Handler:           s.Handler(),
			ReadHeaderTimeout: time.Minute,
			ConnState:         s.connState,
			ErrorLog:          log.New(io.Discard, "", 0), // connections that faults or clients broke
		},
	}
	if cfg.tls {
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	return s, nil
}

// Start starts a server for the test tb. At the end of the test it stops the server and fails the test if there
// were violations, unless [WithoutViolationCheck] is given.
func Start(tb testing.TB, opts ...Option) *Server {
	tb.Helper()
	s, err := NewServer(opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		s.Close()
		if s.cfg.allowViolated {
			return
		}
		for _, v := range s.Violations() {
			tb.Errorf("reveniumtest: violation: %s", v)
		}
	})
	return s
}

// URL is the server's base URL, without a path and a slash at the end: what REVENIUM_METERING_BASE_URL takes.
func (s *Server) URL() string { return s.http.URL }

// Client returns an HTTP client that trusts the server's certificate.
func (s *Server) Client() *http.Client { return s.http.Client() }

// TLSConfig returns a client configuration that trusts the server's certificate; nil without [WithTLS].
func (s *Server) TLSConfig() *tls.Config {
	cert := s.http.Certificate()
	if cert == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// Close lets go what hangs, breaks all connections and stops the server. What it recorded can still be read.
func (s *Server) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	close(s.done)
	s.mu.Unlock()
	s.http.CloseClientConnections()
	s.http.Close()
	s.handlers.Wait()
}

// enter admits a request to the handlers; false once the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.handlers.Add(1)
	return true
}

// SetClock replaces the server's clock. See [WithClock].
func (s *Server) SetClock(now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.advanced = now, 0
}

// Advance moves the server's clock forward by d, so that idempotency keys grow old.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advanced += d
}

func (s *Server) time() time.Time {
	s.mu.Lock()
	now, d := s.now, s.advanced
	s.mu.Unlock()
	return now().Add(d)
}

// SetAPIKeys replaces the accepted keys (see [WithAPIKeys]), as when a key is rotated. None accepts every key of
// a kind that may meter again.
func (s *Server) SetAPIKeys(keys ...string) {
	var m map[string]string
	if len(keys) > 0 {
		m = make(map[string]string, len(keys))
		for _, k := range keys {
			m[k] = defaultTenant
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = m
}

// connState counts connections.
func (s *Server) connState(_ net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.conns.Open++
		s.conns.Total++
		s.conns.Peak = max(s.conns.Peak, s.conns.Open)
	case http.StateClosed, http.StateHijacked: // a hijacked connection is closed at once
		s.conns.Open--
	case http.StateActive, http.StateIdle:
	}
}

// Connections returns the counts of client connections.
func (s *Server) Connections() Connections {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// Records returns the accepted records in order of acceptance.
func (s *Server) Records() []Record { return s.recordsWhere(func(Record) bool { return true }) }

// Completions returns the accepted completion records.
func (s *Server) Completions() []Record {
	return s.recordsWhere(func(r Record) bool { return r.Path == PathCompletions })
}

// RecordsAt returns the accepted records of one endpoint.
func (s *Server) RecordsAt(path string) []Record {
	return s.recordsWhere(func(r Record) bool { return r.Path == path })
}

// ByTransactionID returns the accepted record with that id.
func (s *Server) ByTransactionID(id string) (Record, bool) {
	rs := s.recordsWhere(func(r Record) bool { return r.TransactionID == id })
	if len(rs) == 0 {
		return Record{}, false
	}
	return rs[0], true
}

func (s *Server) recordsWhere(want func(Record) bool) []Record {
	s.mu.Lock()
	var out []Record
	for _, r := range s.store.records.all() {
		if want(r) {
			out = append(out, r)
		}
	}
	s.mu.Unlock()
	for i := range out {
		out[i] = out[i].decode()
	}
	return out
}

// Requests returns all attempts in order of arrival, with what became of them. One that is still being handled
// has [OutcomePending].
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.store.requests.all()
	out := make([]Request, len(all))
	for i, r := range all {
		out[i] = *r
	}
	return out
}

// Violations returns the violations that were found.
func (s *Server) Violations() []Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.store.violations.all())
}

// TakeViolations returns the violations that were found and forgets them, for tests that expect them.
func (s *Server) TakeViolations() []Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.store.violations.all())
	s.store.violations.clear()
	return out
}

// Duplicates returns how many records were acknowledged but not stored, because their transaction id was known.
func (s *Server) Duplicates() int { return s.Stats().Duplicates }

// Stats returns the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store.stats
}

// Wait waits until n records have been stored since the start or the last Reset. The error, when ctx ends first,
// says what did arrive.
func (s *Server) Wait(ctx context.Context, n int) error {
	return s.wait(ctx, "stored records", n, func(st Stats) int { return st.Stored })
}

// WaitRequests waits until n requests have arrived, whatever becomes of them.
func (s *Server) WaitRequests(ctx context.Context, n int) error {
	return s.wait(ctx, "requests", n, func(st Stats) int { return st.Requests })
}

func (s *Server) wait(ctx context.Context, what string, n int, count func(Stats) int) error {
	for {
		s.mu.Lock()
		st, changed := s.store.stats, s.store.changed()
		s.mu.Unlock()
		if count(st) >= n {
			return nil
		}
		select {
		case <-changed:
		case <-s.done:
			return fmt.Errorf("reveniumtest: %d of %d %s when the server was closed (%+v)", count(st), n, what, st)
		case <-ctx.Done():
			return fmt.Errorf("reveniumtest: %d of %d %s (%+v): %w", count(st), n, what, st, context.Cause(ctx))
		}
	}
}

// OnRecord calls f with each record that is stored from now on, before its sender has the answer, one call at a
// time, until cancel is called.
func (s *Server) OnRecord(f func(Record)) (cancel func()) {
	return subscribe(s, &s.onRecord, f)
}

// OnRequest calls f with each request from now on when its outcome is known, before its sender has the answer,
// one call at a time, until cancel is called.
func (s *Server) OnRequest(f func(Request)) (cancel func()) {
	return subscribe(s, &s.onRequest, f)
}

func subscribe[T any](s *Server, list *[]*func(T), f func(T)) (cancel func()) {
	s.listMu.Lock()
	defer s.listMu.Unlock()
	p := &f
	*list = append(slices.Clone(*list), p)
	return func() {
		s.listMu.Lock()
		defer s.listMu.Unlock()
		*list = slices.DeleteFunc(slices.Clone(*list), func(q *func(T)) bool { return p == q })
	}
}

// Reset forgets records, requests, violations, counters and all known ids and keys, and makes the open
// connections the peak. Faults and the clock stay.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store.reset()
	s.conns.Peak = s.conns.Open
	s.conns.Total = s.conns.Open
}
