// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// Server is an in-process LLM provider. It is safe for concurrent use.
type Server struct {
	cfg  config
	http *httptest.Server
	done chan struct{} // closed by Close

	mu       sync.Mutex
	closed   bool
	handlers sync.WaitGroup
	queue    []Answer
	handle   func(Request) (Answer, bool)
	requests []*Request
	seq      int
	epoch    int // counts resets: what began before one does not count after it
	ended    int
	waiting  chan struct{} // closed at the next change; nil if nobody waits
	// responses are those that can be retrieved.
	responses responseStore
}

// NewServer starts a server. Close stops it. The error is that of opening the port.
func NewServer(opts ...Option) (*Server, error) {
	cfg := newConfig(opts)
	listener := cfg.listener
	if listener == nil {
		var err error
		if listener, err = net.Listen("tcp", cfg.addr); err != nil {
			return nil, fmt.Errorf("llmtest: %w", err)
		}
	}
	s := &Server{cfg: cfg, done: make(chan struct{})}
	s.http = &httptest.Server{
		Listener:    listener,
		EnableHTTP2: cfg.tls,
		Config: &http.Server{
			Handler:           s.Handler(),
			ReadHeaderTimeout: time.Minute,
			ErrorLog:          log.New(io.Discard, "", 0), // connections that answers or clients broke
		},
	}
	if cfg.tls {
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	return s, nil
}

// Start starts a server for the test tb, which stops it at its end.
func Start(tb testing.TB, opts ...Option) *Server {
	tb.Helper()
	s, err := NewServer(opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// URL is the server's address, without a path and a slash at the end: what a LiteLLM client takes.
func (s *Server) URL() string { return s.http.URL }

// BaseURL is the address with /v1: what an OpenAI client takes.
func (s *Server) BaseURL() string { return s.URL() + "/v1" }

// Client returns an HTTP client that trusts the server's certificate.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Close ends what is being answered, breaks all connections and stops the server. What it recorded can still be
// read.
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

// Enqueue scripts the next answers: each valid request takes one, in order of arrival. Requests that the server
// refuses itself (no such path, wrong key, malformed) take none.
func (s *Server) Enqueue(answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, answers...)
}

// Pending returns how many enqueued answers have not been taken.
func (s *Server) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}

// Handle lets f answer the requests for which nothing is enqueued. Where it returns false, and without it (nil),
// the default answer is given. It may be called concurrently.
func (s *Server) Handle(f func(Request) (Answer, bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handle = f
}

// answerFor takes the answer to req.
func (s *Server) answerFor(req Request) Answer {
	s.mu.Lock()
	if len(s.queue) > 0 {
		a := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		return a
	}
	handle := s.handle
	s.mu.Unlock()
	if handle != nil {
		if a, ok := handle(req); ok {
			return a
		}
	}
	return s.cfg.answer
}

// Requests returns all requests in order of arrival, with what became of them.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Request, len(s.requests))
	for i, r := range s.requests {
		out[i] = *r
	}
	return out
}

// Reset forgets all requests, enqueued answers and stored responses.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.queue, s.seq, s.ended = nil, nil, 0, 0
	s.responses = responseStore{}
	s.epoch++
}

// keep adds req to the requests. The caller holds the lock.
func (s *Server) keep(req *Request) {
	if s.cfg.limit == 0 {
		return
	}
	if s.cfg.limit > 0 && len(s.requests) >= s.cfg.limit {
		s.requests[0] = nil // appending moves the window on; what left it must not be held
		s.requests = s.requests[1:]
	}
	s.requests = append(s.requests, req)
}

// Wait waits until n requests have ended: answered, failed, or left by their client.
func (s *Server) Wait(ctx context.Context, n int) error {
	return s.wait(ctx, "ended", n, func() int { return s.ended })
}

// WaitReceived waits until n requests have arrived.
func (s *Server) WaitReceived(ctx context.Context, n int) error {
	return s.wait(ctx, "received", n, func() int { return s.seq })
}

// wait waits until count, called with the lock held, reaches n.
func (s *Server) wait(ctx context.Context, what string, n int, count func() int) error {
	for {
		s.mu.Lock()
		have := count()
		if s.waiting == nil {
			s.waiting = make(chan struct{})
		}
		changed := s.waiting
		s.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("llmtest: %d of %d requests %s: %w", have, n, what, context.Cause(ctx))
		}
	}
}

// wake tells those who wait that something changed. The caller holds the lock.
func (s *Server) wake() {
	if s.waiting != nil {
		close(s.waiting)
		s.waiting = nil
	}
}
