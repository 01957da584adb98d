// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// FaultKind is what a [Fault] does.
type FaultKind string

// The kinds of fault.
const (
	// FaultLatency answers late. The request is in flight meanwhile: a second one with its idempotency key gets
	// 409 idempotency_key_in_progress. A client that leaves does not stop it: the record is stored all the same.
	FaultLatency FaultKind = "latency"
	// FaultHang accepts and never answers, until the fault is removed (then the request goes on as if nothing
	// had been) or the client leaves (then nothing is stored).
	FaultHang FaultKind = "hang"
	// FaultReset breaks the connection without an answer; nothing is stored. Mind that Go's http.Transport by
	// itself repeats a request that has an Idempotency-Key when a connection breaks that it has used before.
	FaultReset FaultKind = "reset"
	// FaultStatus answers with a status of its own; nothing is stored.
	FaultStatus FaultKind = "status"
	// FaultUnauthorized answers 401 as for an unknown key.
	FaultUnauthorized FaultKind = "unauthorized"
	// FaultRateLimit answers 429 to what exceeds PerSecond requests per second.
	FaultRateLimit FaultKind = "rate-limit"
	// FaultDropAfterStore stores the record and breaks the connection instead of answering, so that the
	// client's retry meets idempotency replay and deduplication.
	FaultDropAfterStore FaultKind = "drop-after-store"
)

// Fault is something that goes wrong. Faults are tried in the order in which they were added: delays add up, and
// the first other fault that strikes decides.
type Fault struct {
	Kind FaultKind

	Times int // how many requests it strikes before it is used up; 0 = any number, until it is removed

	// Which requests it may strike. All that are set must hold.
	Path    string             // endpoint
	Model   string             // record's model
	Attempt int                // the first so many attempts of each transaction id; 0 = all
	Chance  float64            // probability, up to 1; 0 = always
	Match   func(Request) bool // called with what is known when the body has been read; one call at a time

	Latency     time.Duration               // FaultLatency
	LatencyFunc func(Request) time.Duration // FaultLatency: instead of Latency

	Status         int           // FaultStatus: required; others: instead of their own
	Header         http.Header   // of the answer, FaultStatus, FaultUnauthorized, FaultRateLimit
	Body           string        // likewise; a JSON error by default
	RetryAfter     time.Duration // Retry-After of the answer, rounded up to seconds; 0 = none
	RetryAfterDate bool          // write Retry-After as a date, by the server's clock

	PerSecond int // FaultRateLimit: requests let through per second
}

// Validate says what is wrong with the definition of f.
func (f Fault) Validate() error {
	var errs []error
	switch f.Kind {
	case FaultLatency:
		if f.Latency <= 0 && f.LatencyFunc == nil {
			errs = append(errs, errors.New("needs a latency"))
		}
	case FaultStatus:
		if f.Status == 0 {
			errs = append(errs, errors.New("needs a status"))
		}
	case FaultRateLimit:
		if f.PerSecond <= 0 {
			errs = append(errs, errors.New("needs a number of requests per second"))
		}
	case FaultHang, FaultReset, FaultUnauthorized, FaultDropAfterStore:
	default:
		errs = append(errs, fmt.Errorf("unknown kind: one of %v is wanted", faultKinds()))
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		errs = append(errs, fmt.Errorf("status %d is not between 200 and 599", f.Status))
	}
	if f.Chance < 0 || f.Chance > 1 {
		errs = append(errs, fmt.Errorf("chance %v is not between 0 and 1", f.Chance))
	}
	if f.Times < 0 || f.Attempt < 0 || f.Latency < 0 || f.RetryAfter < 0 {
		errs = append(errs, errors.New("numbers and durations must not be negative"))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("reveniumtest: fault %q: %w", f.Kind, err)
	}
	return nil
}

func faultKinds() []FaultKind {
	return []FaultKind{
		FaultLatency, FaultHang, FaultReset, FaultStatus, FaultUnauthorized, FaultRateLimit, FaultDropAfterStore,
	}
}

// Answer is one step of a script of answers.
type Answer struct {
	Status         int
	Header         http.Header
	Body           string        // a JSON error by default
	RetryAfter     time.Duration // rounded up to seconds; 0 = no such header
	RetryAfterDate bool          // write it as a date
}

// activeFault is a fault in a server's list.
type activeFault struct {
	Fault
	left    int           // strikes left; -1 = any number
	release chan struct{} // closed when the fault is removed: what hangs goes on
	window  time.Time     // rate limit: start of the current second
	passed  int           // rate limit: requests let through in it
}

// plan is what the faults decided about one request.
type plan struct {
	delay time.Duration
	fatal *activeFault // the fault that decides, nil if none
	kind  FaultKind    // for Request.Fault: the decisive one, else latency, else ""
}

// AddFault adds f to the faults and returns a func that removes it again. It panics if f is not valid. The funcs
// of f must not change the server's faults.
func (s *Server) AddFault(f Fault) (remove func()) {
	if err := f.Validate(); err != nil {
		panic(err)
	}
	a := &activeFault{Fault: f, left: f.Times, release: make(chan struct{})}
	if f.Times == 0 {
		a.left = -1
	}
	s.faultMu.Lock()
	s.faults = append(s.faults, a)
	s.faultMu.Unlock()
	return func() {
		s.faultMu.Lock()
		defer s.faultMu.Unlock()
		s.removeFault(a)
	}
}

// removeFault takes a out of the list and lets go what hangs on it. The caller holds the lock.
func (s *Server) removeFault(a *activeFault) {
	s.faults = slices.DeleteFunc(s.faults, func(b *activeFault) bool { return a == b })
	select {
	case <-a.release:
	default:
		close(a.release)
	}
}

// SetFaults replaces all faults. What hung on an old one goes on. It panics if a fault is not valid.
func (s *Server) SetFaults(faults ...Fault) {
	s.ClearFaults()
	for _, f := range faults {
		s.AddFault(f)
	}
}

// ClearFaults removes all faults; what hangs goes on and is answered.
func (s *Server) ClearFaults() {
	s.faultMu.Lock()
	defer s.faultMu.Unlock()
	for len(s.faults) > 0 {
		s.removeFault(s.faults[0])
	}
}

// Faults returns the faults that are not used up.
func (s *Server) Faults() []Fault {
	s.faultMu.Lock()
	defer s.faultMu.Unlock()
	var out []Fault
	for _, a := range s.faults {
		if a.left == 0 {
			continue
		}
		f := a.Fault
		f.Times = max(a.left, 0)
		out = append(out, f)
	}
	return out
}

// Latency answers every request after d, until removed.
func (s *Server) Latency(d time.Duration) (remove func()) {
	return s.AddFault(Fault{Kind: FaultLatency, Latency: d})
}

// LatencyFunc answers every request after what f says about it, until removed.
func (s *Server) LatencyFunc(f func(Request) time.Duration) (remove func()) {
	return s.AddFault(Fault{Kind: FaultLatency, LatencyFunc: f})
}

// Hang accepts requests and does not answer them until release is called.
func (s *Server) Hang() (release func()) { return s.AddFault(Fault{Kind: FaultHang}) }

// ResetNext breaks the connections of the next n requests.
func (s *Server) ResetNext(n int) (remove func()) { return s.addTimes(Fault{Kind: FaultReset}, n) }

// DropNext stores the next n records, but breaks the connection instead of answering.
func (s *Server) DropNext(n int) (remove func()) {
	return s.addTimes(Fault{Kind: FaultDropAfterStore}, n)
}

func (s *Server) addTimes(f Fault, n int) (remove func()) {
	if n <= 0 {
		return func() {}
	}
	f.Times = n
	return s.AddFault(f)
}

// ScriptStatus answers the next requests with these answers, one each, and then as usual. It panics on a status
// outside 200–599.
func (s *Server) ScriptStatus(answers ...Answer) {
	for _, a := range answers {
		s.AddFault(Fault{
			Kind: FaultStatus, Times: 1, Status: a.Status, Header: a.Header, Body: a.Body,
			RetryAfter: a.RetryAfter, RetryAfterDate: a.RetryAfterDate,
		})
	}
}

// Unauthorized switches 401 for every key on or off.
func (s *Server) Unauthorized(on bool) {
	s.faultMu.Lock()
	defer s.faultMu.Unlock()
	if s.unauthorized != nil {
		s.removeFault(s.unauthorized)
		s.unauthorized = nil
	}
	if on {
		s.unauthorized = &activeFault{Fault: Fault{Kind: FaultUnauthorized}, left: -1, release: make(chan struct{})}
		s.faults = append(s.faults, s.unauthorized)
	}
}

// RateLimit lets perSecond requests through in each second of the server's clock and answers the others with 429
// and Retry-After: 1, until removed.
func (s *Server) RateLimit(perSecond int) (remove func()) {
	return s.AddFault(Fault{Kind: FaultRateLimit, PerSecond: perSecond, RetryAfter: time.Second})
}

// planFaults decides what strikes req.
func (s *Server) planFaults(req Request, now time.Time) plan {
	s.faultMu.Lock()
	defer s.faultMu.Unlock()
	var p plan
	if len(s.faults) == 0 {
		return p
	}
	for _, a := range slices.Clone(s.faults) {
		if !s.strikes(a, req, now) {
			continue
		}
		if a.left > 0 {
			a.left--
		}
		if a.left == 0 && a.Kind != FaultHang { // what hangs is let go when the fault is removed, not before
			s.removeFault(a)
		}
		if a.Kind == FaultLatency {
			p.delay += a.latency(req)
			p.kind = FaultLatency
			continue
		}
		p.fatal, p.kind = a, a.Kind
		break
	}
	return p
}

func (f Fault) latency(req Request) time.Duration {
	if f.LatencyFunc != nil {
		return f.LatencyFunc(req)
	}
	return f.Latency
}

func (s *Server) strikes(a *activeFault, req Request, now time.Time) bool {
	switch {
	case a.left == 0,
		a.Path != "" && a.Path != req.Path,
		a.Model != "" && a.Model != req.Model,
		a.Attempt > 0 && req.Attempt > a.Attempt,
		a.Match != nil && !a.Match(req),
		a.Chance > 0 && s.dice.Float64() >= a.Chance:
		return false
	case a.Kind == FaultRateLimit:
		return a.exceeds(now)
	}
	return true
}

// exceeds counts a request against the limit of the current second.
func (a *activeFault) exceeds(now time.Time) bool {
	if now.Sub(a.window) >= time.Second || now.Before(a.window) {
		a.window, a.passed = now, 0
	}
	a.passed++
	return a.passed > a.PerSecond
}
