// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import "net/http"

// maxStored bounds the answers that can be retrieved.
const maxStored = 1024

// responseStore has the answers that can be retrieved, the newest of them: responses, and jobs like videos. Its zero
// value is empty.
type responseStore struct {
	byID map[string]*storedResponse
	ids  []string // in order of age
}

type storedResponse struct {
	reply reply
	polls int // retrievals that find it in progress
}

// put stores a response.
func (s *responseStore) put(r *reply) {
	if s.byID == nil {
		s.byID = make(map[string]*storedResponse)
	}
	if _, known := s.byID[r.id]; !known {
		s.ids = append(s.ids, r.id)
	}
	stored := &storedResponse{reply: *r}
	if r.call.background {
		stored.polls = r.answer.Polls
	}
	s.byID[r.id] = stored
	if len(s.ids) > maxStored {
		delete(s.byID, s.ids[0])
		s.ids = s.ids[1:]
	}
}

// get returns what a client that asks for the response sees now.
func (s *responseStore) get(c *call) (*reply, bool) {
	stored, ok := s.byID[c.responseID]
	if !ok {
		return nil, false
	}
	r := stored.reply
	again := *r.call
	again.kind, again.seq, again.stream, again.startingAfter = c.kind, c.seq, c.stream, c.startingAfter
	r.call = &again
	switch {
	case stored.polls <= 0:
		r.pending = ""
	case c.kind == cancelKind:
		stored.polls, stored.reply.choices = 0, []Choice{{FinishReason: statusCancelled}}
		r.choices, r.pending = stored.reply.choices, ""
	default:
		stored.polls--
		r.pending = statusInProgress
		r.call.stream = false
	}
	// How the answer was sent the first time does not hold for the next.
	a := &r.answer
	a.Status, a.Header, a.RetryAfter, a.RetryAfterMs = 0, nil, 0, 0
	a.Delay, a.Gate, a.Cut, a.Stream = 0, nil, false, Stream{Error: a.Stream.Error}
	return &r, true
}

// keepResponse stores an answer that can be retrieved. What runs in the background is queued at first.
func (x *exchange) keepResponse(r *reply) {
	c := r.call
	if !c.kind.stores || (!c.store && !c.background) {
		return
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.responses.put(r)
	if c.background && !c.stream {
		r.pending = statusQueued
	}
}

// retrieve answers with a response that was given before.
func (x *exchange) retrieve(c *call) error {
	x.s.mu.Lock()
	r, ok := x.s.responses.get(c)
	x.s.mu.Unlock()
	if !ok {
		e := &Error{Status: http.StatusNotFound}
		if c.kind.dialect == responses {
			e.Type, e.Message = "invalid_request_error", "Response with id '"+c.responseID+"' not found."
		}
		return x.give(c, Answer{Error: e})
	}
	x.note(func(q *Request) { q.Model = r.call.model })
	return x.reply(r)
}
