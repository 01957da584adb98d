// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// The gate lets one event out at a time.
func TestGate(t *testing.T) {
	s := start(t)
	gate := make(chan struct{})
	s.Enqueue(Answer{Pieces: []string{"a", "b"}, Gate: gate})
	resp := open(t, s, path, streamed) // headers are not held back
	r := bufio.NewReader(resp.Body)
	for i, want := range []string{`"content":""`, `"content":"a"`, `"content":"b"`} {
		gate <- struct{}{}
		if got := next(t, r); !strings.Contains(got, want) {
			t.Errorf("event: %s, want %s", got, want)
		}
		if n := s.Requests()[0].Events; n < i || n > i+1 {
			t.Errorf("%d events were sent, %d let out", n, i+1)
		}
	}
	close(gate)
	if got := next(t, r); !strings.Contains(got, `"finish_reason":"stop"`) {
		t.Errorf("event: %s", got)
	}
	if got := next(t, r); got != "[DONE]" {
		t.Errorf("event: %s", got)
	}
}

// The body of a plain answer waits at the gate, its headers do not.
func TestGatePlain(t *testing.T) {
	s := start(t)
	gate := make(chan struct{})
	s.Enqueue(Answer{Text: "hi", Gate: gate})
	resp := open(t, s, path, chat)
	gate <- struct{}{}
	b, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(b), `"content":"hi"`) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestDelays(t *testing.T) {
	s := start(t)
	const d = 10 * time.Millisecond
	s.Enqueue(Answer{Pieces: []string{"a"}, Delay: d, Stream: Stream{Delay: d}})
	began := time.Now()
	post(t, s, path, streamed)
	if took := time.Since(began); took < 5*d { // before all, three chunks, [DONE]
		t.Errorf("took %v", took)
	}
}

func TestStreamEnds(t *testing.T) {
	const all = 5 // role, "a", " b", " c", finish
	for name, tc := range map[string]struct {
		stream Stream
		events int
		last   string
		err    error
	}{
		"done":                {Stream{}, all + 1, "[DONE]", nil},
		"After means nothing": {Stream{After: 1}, all + 1, "[DONE]", nil},
		"without done":        {Stream{End: EndWithoutDone}, all, "finish_reason\":\"stop\"", nil},
		"cut at once":         {Stream{End: EndCut}, 0, "", io.ErrUnexpectedEOF},
		"cut":                 {Stream{End: EndCut, After: 2}, 2, `"content":"a"`, io.ErrUnexpectedEOF},
		"cut at the end":      {Stream{End: EndCut, After: 100}, all, "finish_reason\":\"stop\"", io.ErrUnexpectedEOF},
		"error":               {Stream{End: EndError, After: 2}, 3, `{"error":{"message":"The server had an error while processing your request. Sorry about that!","type":"server_error","param":null,"code":null}}`, nil},
		"named error":         {Stream{End: EndError, After: 1, ErrorEvent: "error", Error: &Error{Status: 429}}, 2, `"code":"rate_limit_exceeded"`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.Enqueue(Answer{Text: "a b c", Stream: tc.stream})
			got := post(t, s, path, streamed)
			events := got.events(t)
			if !errors.Is(got.err, tc.err) || (tc.err == nil) != (got.err == nil) {
				t.Errorf("error %v, want %v", got.err, tc.err)
			}
			if len(events) != tc.events || (tc.events > 0 && !strings.Contains(events[tc.events-1], tc.last)) {
				t.Errorf("events: %v", events)
			}
			if named := strings.Contains(got.text, "event: error\ndata: {\"error\""); named != (tc.stream.ErrorEvent != "") {
				t.Errorf("stream:\n%s", got.text)
			}
			if err := s.Wait(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if r := s.Requests()[0]; r.Disconnected || r.Events != tc.events || r.Status != 200 {
				t.Errorf("request: %+v", r)
			}
		})
	}
}

func TestFraming(t *testing.T) {
	s := start(t)
	s.Enqueue(Answer{Raw: nil, Pieces: []string{"a"}, Stream: Stream{KeepAlive: true, CRLF: true, End: EndWithoutDone}})
	got := post(t, s, path, streamed)
	for i, block := range strings.Split(strings.TrimSuffix(got.text, "\r\n\r\n"), "\r\n\r\n") {
		if (i%2 == 0) != (block == ": keep-alive") || strings.Contains(block, "\n") {
			t.Errorf("block %d: %q", i, block)
		}
	}
	if n := len(got.events(t)); n != 3 {
		t.Errorf("%d events", n)
	}
}

func TestMishapsOfPlainAnswers(t *testing.T) {
	s := start(t)
	s.Enqueue(Answer{Cut: true}, Answer{Reset: true})
	got := post(t, s, path, chat)
	if !errors.Is(got.err, io.ErrUnexpectedEOF) || got.StatusCode != http.StatusOK || len(got.text) != int(got.ContentLength)/2 {
		t.Errorf("%s, %d of %d bytes, %v", got.Status, len(got.text), got.ContentLength, got.err)
	}
	resp, err := s.Client().Do(request(t, s, path, chat))
	if err == nil {
		_ = resp.Body.Close()
		t.Errorf("%s after a reset", resp.Status)
	}
	if r := s.Requests()[1]; r.Status != 0 || r.Disconnected || !r.Ended {
		t.Errorf("request: %+v", r)
	}
}

// However the server waits, it sees its client leave.
func TestDisconnect(t *testing.T) {
	for name, tc := range map[string]struct {
		body   string
		answer Answer
		events int
	}{
		"hang":                {chat, Answer{Hang: true}, 0},
		"delay":               {chat, Answer{Delay: time.Hour}, 0},
		"gate":                {streamed, Answer{Gate: make(chan struct{})}, 0},
		"plain gate":          {chat, Answer{Gate: make(chan struct{})}, 0},
		"between events":      {streamed, Answer{Stream: Stream{Delay: time.Hour}}, 0},
		"stream that hangs":   {streamed, Answer{Text: "a b c", Stream: Stream{End: EndHang, After: 3}}, 3},
		"long, never waiting": {streamed, Answer{Text: strings.Repeat("word ", 100_000)}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.Enqueue(tc.answer)
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() {
				resp, err := s.Client().Do(request(t, s, path, tc.body).WithContext(ctx))
				if err != nil {
					return
				}
				<-ctx.Done()
				_ = resp.Body.Close()
			})
			if err := s.WaitReceived(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			for tc.events > 0 && s.Requests()[0].Events < tc.events {
				time.Sleep(time.Millisecond)
			}
			cancel()
			wg.Wait()
			if err := s.Wait(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			r := s.Requests()[0]
			if !r.Disconnected || !r.Ended || (tc.events >= 0 && r.Events != tc.events) {
				t.Errorf("request: %+v", r)
			}
		})
	}
}

// Closing the server ends what waits, as a broken connection and not as an answer.
func TestClose(t *testing.T) {
	for name, a := range map[string]Answer{
		"hang": {Hang: true}, "gate": {Gate: make(chan struct{})}, "delay": {Delay: time.Hour}, "end": {Stream: Stream{End: EndHang}},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, WithAnswer(a))
			var wg sync.WaitGroup
			wg.Go(func() {
				resp, err := s.Client().Do(request(t, s, path, streamed))
				if err != nil {
					return
				}
				if b, err := io.ReadAll(resp.Body); err == nil {
					t.Errorf("a whole answer: %q", b)
				}
				_ = resp.Body.Close()
			})
			if err := s.WaitReceived(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			s.Close()
			s.Close()
			wg.Wait()
			if r := s.Requests()[0]; r.Disconnected || !r.Ended {
				t.Errorf("request: %+v", r)
			}
		})
	}
}
