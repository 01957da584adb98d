// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"io"
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
	api, pathModel, azure, ok := route(r.URL.Path)
	if !ok || r.Method != http.MethodPost {
		status := http.StatusNotFound
		if ok {
			status = http.StatusMethodNotAllowed
		}
		return x.refuse(&Error{
			Status: status, Type: "invalid_request_error",
			Message: "Invalid URL (" + r.Method + " " + r.URL.Path + ")",
		})
	}
	if !x.s.admits(r.Header) {
		return x.refuse(&Error{Status: http.StatusUnauthorized})
	}
	c, bad := understand(x.req.Body, api, pathModel)
	if bad != nil {
		return x.refuse(bad)
	}
	c.azure, c.seq = azure, x.req.Seq
	x.note(func(q *Request) {
		q.API, q.Model, q.Stream, q.IncludeUsage = api, c.Model, c.Stream, c.includeUsage()
		q.LastUserText = c.lastUserText()
	})
	return x.give(c, x.s.answerFor(*x.req))
}

// admits reports whether the request has a key that is accepted.
func (s *Server) admits(h http.Header) bool {
	if len(s.cfg.keys) == 0 {
		return true
	}
	bearer, _ := strings.CutPrefix(h.Get("Authorization"), "Bearer ")
	return slices.Contains(s.cfg.keys, bearer) || slices.Contains(s.cfg.keys, h.Get("Api-Key"))
}

// refuse answers with an error of the server's own.
func (x *exchange) refuse(e *Error) error {
	return x.give(&call{seq: x.req.Seq}, Answer{Error: e})
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
		return x.plain(c, a, a.Raw, cmp.Or(a.Status, http.StatusOK), nil)
	case a.Error != nil:
		body, err := a.Error.marshal(x.s.cfg.litellm != nil)
		if err != nil {
			return x.internal(err)
		}
		return x.plain(c, a, body, cmp.Or(a.Status, a.Error.status()), nil)
	}
	r := x.s.newReply(c, a)
	if c.Stream && c.api != APIEmbeddings {
		return x.stream(r)
	}
	build := r.body
	if c.api == APIEmbeddings {
		build = r.embeddings
	}
	body, err := build()
	if err != nil {
		return x.internal(err)
	}
	return x.plain(c, a, body, cmp.Or(a.Status, http.StatusOK), r)
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
		openAIHeaders(h, c.seq)
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
func (x *exchange) plain(c *call, a Answer, body []byte, status int, r *reply) error {
	contentType := "application/json"
	if a.Raw != nil {
		contentType = ""
	}
	x.head(c, a, contentType, r)
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

// stream sends a streamed answer.
func (x *exchange) stream(r *reply) error {
	events, err := r.chunks()
	if err != nil {
		return x.internal(err)
	}
	st := r.answer.Stream
	if st.End != EndDone && st.End != EndWithoutDone {
		events = events[:min(max(st.After, 0), len(events))]
	}
	status := cmp.Or(r.answer.Status, http.StatusOK)
	x.head(r.call, r.answer, "text/event-stream; charset=utf-8", r)
	x.w.Header().Set("Cache-Control", "no-cache")
	out := x.sink(r.answer)
	x.w.WriteHeader(status)
	x.note(func(q *Request) { q.Status = status })
	if err := out.flush(); err != nil {
		return err
	}
	for _, e := range events {
		if err := x.event(out, r.answer, "", e); err != nil {
			return err
		}
	}
	return x.finish(out, r.answer)
}

// finish ends a stream as its answer wants.
func (x *exchange) finish(out *sink, a Answer) error {
	switch a.Stream.End {
	case EndCut:
		return errBreak
	case EndHang:
		return x.hang()
	case EndError:
		body, err := a.Stream.failure().marshal(x.s.cfg.litellm != nil)
		if err != nil {
			return err
		}
		if err := x.event(out, a, a.Stream.ErrorEvent, body); err != nil {
			return err
		}
	case EndDone:
		if err := x.event(out, a, "", []byte("[DONE]")); err != nil {
			return err
		}
	case EndWithoutDone:
	}
	return out.close()
}

// event sends one event when its time has come.
func (x *exchange) event(out *sink, a Answer, name string, data []byte) error {
	if a.Stream.KeepAlive {
		if err := out.send(a.Stream.comment()); err != nil {
			return err
		}
	}
	if err := x.pause(a.Stream.Delay); err != nil {
		return err
	}
	if err := x.gate(a.Gate); err != nil {
		return err
	}
	if err := out.send(a.Stream.frame(name, data)); err != nil {
		return err
	}
	x.note(func(q *Request) { q.Events++ })
	return nil
}

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

// sink writes the events of a stream, compressed if need be, each at once.
type sink struct {
	w   http.ResponseWriter
	zip *gzip.Writer // nil if not compressed
}

func (x *exchange) sink(a Answer) *sink {
	out := &sink{w: x.w}
	if x.wantsGzip(a) {
		x.w.Header().Set("Content-Encoding", "gzip")
		out.zip = gzip.NewWriter(x.w)
	}
	return out
}

func (o *sink) flush() error { return http.NewResponseController(o.w).Flush() }

func (o *sink) send(b []byte) error {
	if o.zip == nil {
		if _, err := o.w.Write(b); err != nil { //nolint:gosec // an event stream, not a page; its author is the test
			return err
		}
		return o.flush()
	}
	if _, err := o.zip.Write(b); err != nil {
		return err
	}
	if err := o.zip.Flush(); err != nil {
		return err
	}
	return o.flush()
}

// close completes the compressed stream.
func (o *sink) close() error {
	if o.zip == nil {
		return nil
	}
	return o.zip.Close()
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
