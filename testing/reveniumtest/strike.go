// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"net"
	"net/http"
	"strconv"
	"time"
)

// strike plans the faults and lets those strike that come before the service. It reports whether the request is
// over.
func (s *Server) strike(x *exchange) (over bool) {
	x.plan = s.planFaults(*x.req, s.time())
	if x.plan.kind != "" {
		s.mu.Lock()
		x.req.Fault = x.plan.kind
		s.store.stats.Faults++
		s.mu.Unlock()
	}
	f := x.plan.fatal
	if f == nil || f.Kind == FaultDropAfterStore {
		return false
	}
	if f.Kind == FaultHang {
		return s.hang(x, f)
	}
	if !s.delay(x.plan.delay) {
		s.abandon(x)
		return true
	}
	if f.Kind == FaultReset {
		s.finish(x, 0, OutcomeFault)
		breakConnection(x.w, true)
		return true
	}
	s.reply(x, s.faultAnswer(f.Fault))
	return true
}

// hang waits until the fault is removed. It reports whether the request is over because its client left.
func (s *Server) hang(x *exchange, f *activeFault) (over bool) {
	select {
	case <-f.release:
		return false
	case <-x.r.Context().Done():
	case <-s.done:
	}
	s.abandon(x)
	return true
}

// delay passes d; false if the server was closed before.
func (s *Server) delay(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.done:
		return false
	}
}

// abandon ends a request without an answer: its client has left, or the server is closed.
func (s *Server) abandon(x *exchange) {
	s.finish(x, 0, OutcomeGone)
	breakConnection(x.w, false)
}

func (s *Server) faultAnswer(f Fault) answer {
	status, code, message := f.Status, "scripted_status", "scripted answer"
	switch f.Kind {
	case FaultUnauthorized:
		code, message = "unauthorized", "Invalid API key"
		status = orStatus(status, http.StatusUnauthorized)
	case FaultRateLimit:
		code, message = "rate_limited", "Too many requests"
		status = orStatus(status, http.StatusTooManyRequests)
	default:
	}
	a := answer{status: status, header: f.Header.Clone(), body: []byte(f.Body), outcome: OutcomeFault}
	if f.Body == "" && status >= http.StatusBadRequest {
		a.body = errorBody(code, message)
	}
	if f.RetryAfter > 0 {
		if a.header == nil {
			a.header = make(http.Header)
		}
		a.header.Set("Retry-After", retryAfter(f, s.time()))
	}
	return a
}

func orStatus(status, otherwise int) int {
	if status == 0 {
		return otherwise
	}
	return status
}

func retryAfter(f Fault, now time.Time) string {
	if f.RetryAfterDate {
		// Dates have whole seconds: round up, so that the client does not come back too early.
		return now.Add(f.RetryAfter + time.Second - 1).UTC().Format(http.TimeFormat)
	}
	return strconv.FormatInt(int64((f.RetryAfter+time.Second-1)/time.Second), 10)
}

// breakConnection ends the connection without an answer: hard as a reset, else as if the server had gone away.
// Where a connection carries several requests (HTTP/2), only this one is reset.
func breakConnection(w http.ResponseWriter, hard bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // below TLS, so that no orderly goodbye is said
		conn = t.NetConn()
	}
	if t, ok := conn.(*net.TCPConn); ok && hard {
		_ = t.SetLinger(0) // a connection that is gone already is as good as reset
	}
	_ = conn.Close()
}
