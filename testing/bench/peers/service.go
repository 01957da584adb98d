// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// rejectedModel is the model of calls whose record or span the service refuses for
// good.
const rejectedModel = "refused-model"

// service is what all sides send to: Revenium, and an OTLP backend that counts spans,
// behind the same faults.
type service struct {
	revenium *reveniumtest.Server
	spans    spanCount
	address  string

	mu     sync.Mutex
	server *http.Server // nil while connections are refused
	fault  fault
	healed chan struct{} // closed when the fault ends

	open, peak, requests atomic.Int64
}

// fault is what is wrong with the service. The zero fault is none.
type fault struct {
	latency time.Duration
	hang    bool
	refuse  bool
	// unauthorized answers 401, to the key that contains deny or to all.
	unauthorized bool
	// down answers 503, likewise.
	down bool
	deny string
}

func newService() (*service, error) {
	revenium, err := reveniumtest.NewServer(reveniumtest.WithRecordLimit(0), reveniumtest.WithoutVerification(),
		reveniumtest.WithFaults(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusUnprocessableEntity, Model: rejectedModel}))
	if err != nil {
		return nil, err
	}
	s := &service{revenium: revenium, healed: make(chan struct{})}
	if err := s.listen("127.0.0.1:0"); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *service) url() string { return "http://" + s.address }

// listen accepts connections.
func (s *service) listen(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("service: %w", err)
	}
	s.address = listener.Addr().String()
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute, ConnState: s.connState}
	go func(server *http.Server) { _ = server.Serve(listener) }(s.server)
	return nil
}

func (s *service) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		_ = s.server.Close()
	}
	s.revenium.Close()
}

// connState counts connections.
func (s *service) connState(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		open := s.open.Add(1)
		for peak := s.peak.Load(); open > peak && !s.peak.CompareAndSwap(peak, open); peak = s.peak.Load() {
		}
	case http.StateClosed, http.StateHijacked:
		s.open.Add(-1)
	case http.StateActive, http.StateIdle:
	}
}

// suffer makes f the fault from now on. What hung on the one before goes on.
func (s *service) suffer(f fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.healed)
	s.healed = make(chan struct{})
	s.fault = f
	switch {
	case f.refuse && s.server != nil:
		err := s.server.Close()
		s.server = nil
		return err
	case !f.refuse && s.server == nil:
		return s.listen(s.address)
	}
	return nil
}

// recover ends all faults.
func (s *service) recover() error { return s.suffer(fault{}) }

// ServeHTTP has a request suffer and hands it on.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := read(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.requests.Add(1)
	s.mu.Lock()
	f, healed := s.fault, s.healed
	s.mu.Unlock()
	if f.latency > 0 {
		time.Sleep(f.latency)
	}
	if f.hang {
		select {
		case <-healed:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler) // nobody is there to answer to
		}
	}
	denied := f.deny == "" || strings.Contains(r.Header.Get("X-Api-Key"), f.deny)
	switch {
	case denied && f.unauthorized:
		http.Error(w, "unknown key", http.StatusUnauthorized)
	case denied && f.down:
		http.Error(w, "down", http.StatusServiceUnavailable)
	case r.URL.Path == "/v1/traces":
		s.spans.take(w, body)
	default:
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.Header.Del("Content-Encoding")
		s.revenium.Handler().ServeHTTP(w, r)
	}
}

// read returns the body of a request, unzipped.
func read(r *http.Request) ([]byte, error) {
	from := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		from = unzipped
	}
	return io.ReadAll(from)
}

// arrived is what has arrived: calls, each once, and how many were sent again.
type arrived struct{ distinct, repeated int }

// arrived adds records and spans: a side sends one or the other.
func (s *service) arrived() arrived {
	stats := s.revenium.Stats()
	spans := s.spans.counted()
	return arrived{stats.Stored + spans.distinct, stats.Duplicates + stats.Replayed + spans.repeated}
}

// wait waits until so many have arrived, or none has for as long as patience.
func (s *service) wait(ctx context.Context, want int, patience time.Duration) arrived {
	last, since := s.arrived(), time.Now()
	for last.distinct < want && time.Since(since) < patience && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
		if now := s.arrived(); now.distinct != last.distinct {
			last, since = now, time.Now()
		}
	}
	return s.arrived()
}

// spanCount is an OTLP backend that keeps nothing but the ids of spans.
type spanCount struct {
	mu       sync.Mutex
	seen     map[string]bool
	repeated int
}

// take counts the spans of a request. Those of the rejected model are refused in
// the way that OTLP has for it, a partial success.
func (c *spanCount) take(w http.ResponseWriter, body []byte) {
	var req coltrace.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	rejected := int64(0)
	c.mu.Lock()
	if c.seen == nil {
		c.seen = make(map[string]bool)
	}
	for _, rs := range req.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, span := range ss.Spans {
				model := ""
				for _, kv := range span.Attributes {
					if kv.Key == "gen_ai.request.model" {
						model = kv.Value.GetStringValue()
					}
				}
				id := string(span.TraceId) + string(span.SpanId)
				switch {
				case model == rejectedModel:
					rejected++
				case c.seen[id]:
					c.repeated++
				default:
					c.seen[id] = true
				}
			}
		}
	}
	c.mu.Unlock()
	var answer coltrace.ExportTraceServiceResponse
	if rejected > 0 {
		answer.PartialSuccess = &coltrace.ExportTracePartialSuccess{RejectedSpans: rejected, ErrorMessage: "model is not known"}
	}
	text, err := proto.Marshal(&answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(text)
}

func (c *spanCount) counted() arrived {
	c.mu.Lock()
	defer c.mu.Unlock()
	return arrived{len(c.seen), c.repeated}
}
