// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxBody is the largest request body that is read.
const maxBody = 32 << 20

// errStopped ends an answer because its client left or the server was closed.
var errStopped = errors.New("stopped")

// errBreak ends an answer by breaking the connection.
var errBreak = errors.New("break the connection")

// exchange is one request while it is answered.
type exchange struct {
	s     *Server
	req   *Request
	epoch int
	w     http.ResponseWriter
	ctx   context.Context // of the request
	gzip  bool            // the client accepts it
}

// Handler returns the server as a handler, to be embedded in another server. Answers that break the connection
// do so by panicking with [http.ErrAbortHandler].
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		http.Error(w, "closed", http.StatusServiceUnavailable)
		return
	}
	defer s.handlers.Done()

	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	x := &exchange{
		s: s, w: w, ctx: r.Context(),
		gzip: slices.ContainsFunc(r.Header.Values("Accept-Encoding"), acceptsGzip),
	}
	x.arrive(r, body)
	if err == nil {
		err = x.answer(r)
	}
	x.end(err)
	if err != nil {
		panic(http.ErrAbortHandler) // else what was sent would look complete
	}
}

func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if strings.TrimSpace(coding) == "gzip" && strings.ReplaceAll(params, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

// arrive notes the request.
func (x *exchange) arrive(r *http.Request, body []byte) {
	s := x.s
	x.req = &Request{
		Time: s.cfg.now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		Header: r.Header.Clone(), Body: body,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	x.req.Seq, x.epoch = s.seq, s.epoch
	s.keep(x.req)
	s.wake()
}

// end notes what became of it.
func (x *exchange) end(err error) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.req.Ended = true
	x.req.Disconnected = err != nil && !errors.Is(err, errBreak) && !x.s.closed
	if x.epoch == x.s.epoch {
		x.s.ended++
	}
	x.s.wake()
}

// note changes the request's record.
func (x *exchange) note(change func(*Request)) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	change(x.req)
}

// answer answers the request. The error says why it was not answered completely.
func (x *exchange) answer(r *http.Request) error {
	to, ok := find(r.URL.Path)
	c := &call{
		kind: to.kind, seq: x.req.Seq, model: to.model, responseID: to.id, azure: to.azure, vertex: to.vertex,
		litellm: x.s.cfg.litellm != nil, path: r.URL.Path, query: r.URL.RawQuery,
	}
	if !ok || !to.kind.allows(r.Method) {
		status := http.StatusNotFound
		if ok {
			status = http.StatusMethodNotAllowed
		}
		c.kind = chatKind // no API of its own: refused as OpenAI would
		return x.give(c, Answer{Error: &Error{
			Status: status, Type: "invalid_request_error",
			Message: "Invalid URL (" + r.Method + " " + r.URL.Path + ")",
		}})
	}
	if !x.s.admits(r) {
		return x.give(c, Answer{Error: &Error{Status: http.StatusUnauthorized}})
	}
	bad := to.kind.read(c, incoming{body: x.req.Body, contentType: r.Header.Get("Content-Type")})
	x.note(func(q *Request) {
		q.API, q.Model, q.Stream, q.IncludeUsage = to.kind.api, c.model, c.stream, c.includeUsage
		q.LastUserText = c.lastUserText()
	})
	if bad != nil {
		return x.give(c, Answer{Error: bad})
	}
	if to.kind.retrieves {
		return x.retrieve(c)
	}
	return x.give(c, x.s.answerFor(*x.req))
}

// admits reports whether the request has a key that is accepted.
func (s *Server) admits(r *http.Request) bool {
	if len(s.cfg.keys) == 0 {
		return true
	}
	h := r.Header
	authorization := h.Get("Authorization")
	bearer, _ := strings.CutPrefix(authorization, "Bearer ")
	// AWS signs with a key that has a name; the name is what counts here.
	_, access, _ := strings.Cut(authorization, "AWS4-HMAC-SHA256 Credential=")
	access, _, _ = strings.Cut(access, "/")
	for _, key := range []string{bearer, access, h.Get("Api-Key"), h.Get("X-Api-Key"), h.Get("X-Goog-Api-Key"), r.URL.Query().Get("key")} {
		if slices.Contains(s.cfg.keys, key) {
			return true
		}
	}
	return false
}

// give sends the answer a to c.
func (x *exchange) give(c *call, a Answer) error {
	if err := x.pause(a.Delay); err != nil {
		return err
	}
	switch {
	case a.Hang:
		return x.hang()
	case a.Reset:
		return errBreak
	case a.Raw != nil:
		return x.plain(c, a, content{body: a.Raw}, cmp.Or(a.Status, http.StatusOK), nil)
	case a.Error != nil:
		return x.fail(c, a)
	}
	r := x.s.newReply(c, a)
	x.keepResponse(r)
	return x.reply(r)
}

// reply sends an answer that is no error.
func (x *exchange) reply(r *reply) error {
	c, a := r.call, r.answer
	if c.stream && c.kind.events != nil {
		return x.stream(r)
	}
	body, err := c.kind.plain(r)
	if err != nil {
		return x.internal(err)
	}
	body.contentType = cmp.Or(body.contentType, "application/json")
	return x.plain(c, a, body, cmp.Or(a.Status, http.StatusOK), r)
}

// fail answers with an error.
func (x *exchange) fail(c *call, a Answer) error {
	d := c.kind.dialect
	e := c.failure(a.Error)
	body, err := json.Marshal(d.failure(c, e))
	if err != nil {
		return x.internal(err)
	}
	out := content{body: body, contentType: "application/json", header: make(http.Header)}
	if d.failureHeaders != nil {
		d.failureHeaders(out.header, e)
	}
	return x.plain(c, a, out, cmp.Or(a.Status, e.Status), nil)
}

// failure fills in what e leaves open.
func (c *call) failure(e *Error) Error {
	out := c.kind.dialect.resolve(e)
	if c.litellm { // gives the status as the code
		out.Code = cmp.Or(e.Code, strconv.Itoa(out.Status))
	}
	return out
}

// internal answers a request whose scripted answer cannot be written, so that the script's author sees why.
func (x *exchange) internal(err error) error {
	http.Error(x.w, "llmtest: the scripted answer cannot be sent: "+err.Error(), http.StatusInternalServerError)
	x.note(func(q *Request) { q.Status = http.StatusInternalServerError })
	return nil
}

// head sets the headers of an answer; r is nil for errors and raw answers.
func (x *exchange) head(c *call, a Answer, contentType string, r *reply) {
	h := x.w.Header()
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	if l := x.s.cfg.litellm; l != nil {
		l.headers(h, c, r)
	} else {
		c.kind.dialect.headers(h, c)
	}
	if a.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((a.RetryAfter+time.Second-1)/time.Second), 10))
	}
	if a.RetryAfterMs > 0 {
		h.Set("Retry-After-Ms", strconv.FormatInt(a.RetryAfterMs.Milliseconds(), 10))
	}
	for name, values := range a.Header {
		name = http.CanonicalHeaderKey(name)
		if len(values) == 0 {
			h.Del(name)
			continue
		}
		h[name] = slices.Clone(values)
	}
}

// plain sends an answer that is no stream; r is nil for errors and raw answers.
func (x *exchange) plain(c *call, a Answer, out content, status int, r *reply) error {
	body := out.body
	maps.Copy(x.w.Header(), out.header)
	x.head(c, a, out.contentType, r)
	if x.wantsGzip(a) {
		var err error
		if body, err = compress(body); err != nil {
			return x.internal(err)
		}
		x.w.Header().Set("Content-Encoding", "gzip")
	}
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	x.note(func(q *Request) { q.Status = status })
	if a.Gate != nil {
		if err := http.NewResponseController(x.w).Flush(); err != nil {
			return err
		}
		if err := x.gate(a.Gate); err != nil {
			return err
		}
	}
	if a.Cut {
		body = body[:len(body)/2]
	}
	if _, err := x.w.Write(body); err != nil {
		return err
	}
	if a.Cut {
		return x.flushAndBreak()
	}
	return nil
}

// flushAndBreak sends what was written and breaks the connection.
func (x *exchange) flushAndBreak() error {
	if err := http.NewResponseController(x.w).Flush(); err != nil {
		return err
	}
	return errBreak
}

func (x *exchange) wantsGzip(a Answer) bool { return (a.Gzip || x.s.cfg.gzip) && x.gzip }

// pause lets d pass.
func (x *exchange) pause(d time.Duration) error {
	if d <= 0 {
		return x.stopped()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-x.ctx.Done():
	case <-x.s.done:
	}
	return errStopped
}

// gate waits for the gate, if there is one.
func (x *exchange) gate(gate <-chan struct{}) error {
	if gate == nil {
		return x.stopped()
	}
	select {
	case <-gate:
		return nil
	case <-x.ctx.Done():
	case <-x.s.done:
	}
	return errStopped
}

// stopped says whether the client has left or the server is closed.
func (x *exchange) stopped() error {
	select {
	case <-x.ctx.Done():
		return errStopped
	case <-x.s.done:
		return errStopped
	default:
		return nil
	}
}

// hang waits for the client to leave or the server to be closed.
func (x *exchange) hang() error {
	select {
	case <-x.ctx.Done():
		return errStopped
	case <-x.s.done:
		return errBreak
	}
}

func compress(body []byte) ([]byte, error) {
	var b strings.Builder
	z := gzip.NewWriter(&b)
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}
