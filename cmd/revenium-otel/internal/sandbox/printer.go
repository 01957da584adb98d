// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// printer shows what the servers see. Its methods may be used at once: the
// servers' callbacks and the commands write to one screen.
type printer struct {
	mu    sync.Mutex
	out   io.Writer // records and violations
	side  io.Writer // talk with the user: out too, unless out is for a program
	table *reveniumtest.Table
	json  *json.Encoder // nil for people
	sums  sums
	err   error // of the first write that failed
}

// sums adds up the accepted records.
type sums struct {
	input, output, cached, reasoning int64
}

func newPrinter(opts Options) *printer {
	p := &printer{out: opts.Out, side: opts.Out, table: reveniumtest.NewTable(opts.Out)}
	if opts.JSON {
		p.side = opts.Err
		p.json = json.NewEncoder(opts.Out)
		p.json.SetEscapeHTML(false) // the record is printed as it came
	}
	return p
}

// recordEvent and violationEvent are the lines of --json.
type recordEvent struct {
	Type          string          `json:"type"` // "record"
	Time          time.Time       `json:"time"`
	Path          string          `json:"path"`
	TransactionID string          `json:"transaction_id"`
	Record        json.RawMessage `json:"record"`
}

type violationEvent struct {
	Type          string    `json:"type"` // "violation"
	Time          time.Time `json:"time"`
	Path          string    `json:"path"`
	TransactionID string    `json:"transaction_id"`
	Field         string    `json:"field"`
	Rule          string    `json:"rule"`
	Detail        string    `json:"detail"`
}

// record shows an accepted record.
func (p *printer) record(r reveniumtest.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sums.add(r)
	if p.json != nil {
		p.keep(p.json.Encode(recordEvent{Type: "record", Time: r.Received.UTC(), Path: r.Path, TransactionID: r.TransactionID, Record: r.Body}))
		return
	}
	p.keep(p.table.Write(r))
}

// request shows what is wrong with a request, and what came of one that gave no
// record.
func (p *printer) request(r reveniumtest.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, v := range r.Violations {
		if p.json != nil {
			p.keep(p.json.Encode(violationEvent{
				Type: "violation", Time: r.Time.UTC(), Path: v.Path, TransactionID: v.TransactionID,
				Field: v.Field, Rule: string(v.Rule), Detail: v.Detail,
			}))
			continue
		}
		p.printf(p.out, "  ! %s\n", violationText(v))
	}
	if r.Outcome != reveniumtest.OutcomeStored {
		p.printf(p.side, "  . %s\n", outcomeText(r))
	}
}

// say talks to the user.
func (p *printer) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.printf(p.side, format, args...)
}

// writeSide lets f write to the user.
func (p *printer) writeSide(f func(io.Writer) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(f(p.side))
}

// total returns the sums so far.
func (p *printer) total() sums {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sums
}

func (p *printer) printf(w io.Writer, format string, args ...any) {
	_, err := fmt.Fprintf(w, format, args...)
	p.keep(err)
}

func (p *printer) keep(err error) {
	if err != nil && p.err == nil {
		p.err = err
	}
}

// finish returns what went wrong with the output.
func (p *printer) finish() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return errors.Join(errors.New("the output could not be written"), p.err)
	}
	return nil
}

func (s *sums) add(r reveniumtest.Record) {
	for name, sum := range map[string]*int64{
		"inputTokenCount": &s.input, "outputTokenCount": &s.output, "cacheReadTokenCount": &s.cached, "reasoningTokenCount": &s.reasoning,
	} {
		if n, ok := r.Int(name); ok {
			*sum += n
		}
	}
}

// violationText says in a sentence what is wrong.
func violationText(v reveniumtest.Violation) string {
	subject := "the request"
	if v.Field != "" {
		subject = v.Field
	}
	text := fmt.Sprintf("violation: %s: %s", subject, v.Detail)
	if v.TransactionID != "" {
		text += fmt.Sprintf(" (rule %s, record %s)", v.Rule, v.TransactionID)
	} else {
		text += fmt.Sprintf(" (rule %s)", v.Rule)
	}
	return text
}

// outcomeText says what came of a request that gave no new record.
func outcomeText(r reveniumtest.Request) string {
	subject := r.Method + " " + r.Path
	if r.TransactionID != "" {
		subject = fmt.Sprintf("record %s, attempt %d", r.TransactionID, r.Attempt)
	}
	var what string
	switch r.Outcome {
	case reveniumtest.OutcomeDuplicate:
		what = "duplicate: acknowledged, not stored again"
	case reveniumtest.OutcomeReplayed:
		what = "same idempotency key and body: the first answer again"
	case reveniumtest.OutcomeInProgress:
		what = "the same idempotency key is being processed"
	case reveniumtest.OutcomeMismatch:
		what = "idempotency key used with another body"
	case reveniumtest.OutcomeRejected:
		what = "refused"
	case reveniumtest.OutcomeUnauthorized:
		what = "unauthorized: use any key that begins with rev_mk_ or hak_"
	case reveniumtest.OutcomeFault:
		what = "fault " + string(r.Fault)
	case reveniumtest.OutcomeGone:
		what = "the client left without an answer"
	default:
		what = string(r.Outcome)
	}
	if r.Status != 0 {
		what = fmt.Sprintf("%d %s: %s", r.Status, http.StatusText(r.Status), what)
	}
	return subject + ": " + what
}
