// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"slices"
)

// stream sends a streamed answer.
func (x *exchange) stream(r *reply) error {
	all, err := r.call.kind.events(r)
	if err != nil {
		return x.internal(err)
	}
	status := cmp.Or(r.answer.Status, http.StatusOK)
	x.head(r.call, r.answer, all.framing.contentType, r)
	x.w.Header().Set("Cache-Control", "no-cache")
	out := x.sink(r.answer)
	x.w.WriteHeader(status)
	x.note(func(q *Request) { q.Status = status })
	if err := out.flush(); err != nil {
		return err
	}
	p := &playback{x: x, out: out, reply: r, framing: all.framing}
	for _, e := range r.answer.Stream.cut(all.events) {
		if err := p.event(e); err != nil {
			return err
		}
	}
	return p.finish()
}

// cut leaves of all events those that st wants to be sent.
func (st Stream) cut(all []event) []event {
	if st.End == EndDone {
		return all
	}
	if i := slices.IndexFunc(all, func(e event) bool { return e.terminal }); i >= 0 {
		all = all[:i]
	}
	if st.End == EndWithoutDone {
		return all
	}
	return all[:min(max(st.After, 0), len(all))]
}

// playback is a stream while it is sent.
type playback struct {
	x       *exchange
	out     *sink
	reply   *reply
	framing framing
	sent    int
}

// finish ends the stream as its answer wants.
func (p *playback) finish() error {
	switch p.reply.answer.Stream.End {
	case EndCut:
		return errBreak
	case EndHang:
		return p.x.hang()
	case EndError:
		e, err := p.reply.failure()
		if err != nil {
			return err
		}
		if err := p.event(e); err != nil {
			return err
		}
	case EndDone, EndWithoutDone:
	}
	return p.out.close()
}

// failure is the event that tells of an error.
func (r *reply) failure() (event, error) {
	c, st := r.call, r.answer.Stream
	d, e := c.kind.dialect, c.failure(cmp.Or(st.Error, &Error{}))
	name, doc := "", any(nil)
	if d.streamFailure != nil {
		name, doc = d.streamFailure(c, e)
	} else {
		doc = d.failure(c, e)
	}
	data, err := json.Marshal(doc)
	return event{name: cmp.Or(st.ErrorEvent, name), data: data, exception: true}, err
}

// event sends one event when its time has come.
func (p *playback) event(e event) error {
	x, a := p.x, p.reply.answer
	if a.Stream.KeepAlive && p.framing.comments {
		if err := p.out.send(a.Stream.comment()); err != nil {
			return err
		}
	}
	if err := x.pause(a.Stream.Delay); err != nil {
		return err
	}
	if err := x.gate(a.Gate); err != nil {
		return err
	}
	if err := p.out.send(p.framing.frame(a.Stream, e, p.sent)); err != nil {
		return err
	}
	p.sent++
	x.note(func(q *Request) { q.Events++ })
	return nil
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
		if _, err := o.w.Write(b); err != nil {
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
