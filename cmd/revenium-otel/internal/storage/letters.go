// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package storage shows and changes what an exporter keeps on disk: dead letters,
// the spool and the ledger.
package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/revenium/revenium-otel-go/cmd/revenium-otel/internal/table"
	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/ledger"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// ErrInput means that what was asked for is not there or not clear. What could be
// done has been done.
var ErrInput = errors.New("some of the input was not understood")

// Selection chooses dead letters. Its zero value chooses all.
type Selection struct {
	// IDs are ids or their beginnings.
	IDs []string
	// Reason is a reason; empty for all.
	Reason string
	// Tenant is a tenant; nil for all.
	Tenant *string
}

// matches reports whether a letter is chosen.
func (s *Selection) matches(l *deadletter.Letter) bool {
	return (s.Reason == "" || string(l.Reason) == s.Reason) &&
		(s.Tenant == nil || l.Tenant == *s.Tenant) &&
		(len(s.IDs) == 0 || slices.ContainsFunc(s.IDs, func(id string) bool { return strings.HasPrefix(l.ID, id) }))
}

// select returns the chosen letters, each once, and complains about lines that are
// none and about ids that name none or several.
func (s *Selection) choose(store *deadletter.Store, complain func(error)) ([]deadletter.Letter, error) {
	var letters []deadletter.Letter
	place := make(map[string]int)
	bad := false
	for l, err := range store.Letters() {
		if err != nil {
			if _, ok := errors.AsType[*deadletter.LineError](err); !ok {
				return nil, err
			}
			bad = true
			complain(err)
			continue
		}
		if !s.matches(&l) {
			continue
		}
		if i, ok := place[l.ID]; ok {
			letters[i] = l // the later one
			continue
		}
		place[l.ID] = len(letters)
		letters = append(letters, l)
	}
	for _, id := range s.IDs {
		n := 0
		for i := range letters {
			if strings.HasPrefix(letters[i].ID, id) {
				n++
			}
		}
		if n != 1 {
			bad = true
			complain(fmt.Errorf("%s: %d letters have an id that begins so", id, n))
		}
	}
	if bad {
		return letters, ErrInput
	}
	return letters, nil
}

// Letter is a dead letter as --json shows it.
type Letter struct {
	ID            string    `json:"id"`
	Time          time.Time `json:"time"`
	Reason        string    `json:"reason"`
	Tenant        string    `json:"tenant,omitempty"`
	Endpoint      string    `json:"endpoint"`
	TransactionID string    `json:"transactionId"`
	Created       time.Time `json:"created,omitzero"`
	Attempts      int       `json:"attempts"`
	Status        int       `json:"status,omitempty"`
	Code          string    `json:"code,omitempty"`
	Message       string    `json:"message,omitempty"`
	Bytes         int       `json:"bytes"`
	// Record is the record as it would be sent; only with show. What is no JSON is
	// in Base64.
	Record       json.RawMessage `json:"record,omitempty"`
	RecordBase64 []byte          `json:"recordBase64,omitempty"`
}

func letterOf(l *deadletter.Letter, withRecord bool) Letter {
	out := Letter{
		ID: l.ID, Time: l.Time, Reason: string(l.Reason), Tenant: l.Tenant, Endpoint: string(l.Record.Endpoint),
		TransactionID: l.Record.TransactionID, Created: l.Created, Attempts: l.Attempts, Status: l.StatusCode,
		Code: l.Code, Message: l.Message, Bytes: len(l.Record.Body),
	}
	if withRecord {
		if json.Valid(l.Record.Body) {
			out.Record = l.Record.Body
		} else {
			out.RecordBase64 = l.Record.Body
		}
	}
	return out
}

// ListLetters prints one line for each chosen letter.
func ListLetters(out io.Writer, store *deadletter.Store, selection Selection, asJSON bool, complain func(error)) error {
	letters, chooseErr := selection.choose(store, complain)
	if chooseErr != nil && !errors.Is(chooseErr, ErrInput) {
		return chooseErr
	}
	if asJSON {
		if err := writeLetters(out, letters, false); err != nil {
			return err
		}
		return chooseErr
	}
	rows := [][]string{{"ID", "TIME", "REASON", "TENANT", "STATUS", "TRANSACTION", "MESSAGE"}}
	for i := range letters {
		l := &letters[i]
		status := ""
		if l.StatusCode != 0 {
			status = strconv.Itoa(l.StatusCode)
		}
		rows = append(rows, []string{
			l.ID, l.Time.UTC().Format("2006-01-02 15:04:05"), string(l.Reason), table.OrDash(l.Tenant), table.OrDash(status),
			table.OrDash(l.Record.TransactionID), strings.TrimPrefix(strings.Join([]string{l.Code, l.Message}, ": "), ": "),
		})
	}
	columns := make([]table.Align, len(rows[0]))
	if err := table.Write(out, columns, rows); err != nil {
		return err
	}
	return chooseErr
}

// writeLetters prints letters as lines of JSON.
func writeLetters(out io.Writer, letters []deadletter.Letter, withRecord bool) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false) // records are shown as they are
	for i := range letters {
		if err := enc.Encode(letterOf(&letters[i], withRecord)); err != nil {
			return err
		}
	}
	return nil
}

// ShowLetters prints all of the chosen letters.
func ShowLetters(out io.Writer, store *deadletter.Store, selection Selection, asJSON bool, complain func(error)) error {
	letters, chooseErr := selection.choose(store, complain)
	if chooseErr != nil && !errors.Is(chooseErr, ErrInput) {
		return chooseErr
	}
	if asJSON {
		if err := writeLetters(out, letters, true); err != nil {
			return err
		}
		return chooseErr
	}
	for i := range letters {
		if i > 0 {
			if _, err := fmt.Fprintln(out); err != nil {
				return err
			}
		}
		if err := showLetter(out, &letters[i]); err != nil {
			return err
		}
	}
	return chooseErr
}

func showLetter(out io.Writer, l *deadletter.Letter) error {
	var b bytes.Buffer
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-15s %s\n", name, value)
		}
	}
	line("id", l.ID)
	line("given up", l.Time.UTC().Format(time.RFC3339Nano))
	line("reason", string(l.Reason))
	line("tenant", l.Tenant)
	line("endpoint", string(l.Record.Endpoint))
	line("transaction", l.Record.TransactionID)
	line("idempotency key", l.Record.IdempotencyKey)
	if !l.Created.IsZero() {
		line("created", l.Created.UTC().Format(time.RFC3339Nano))
	}
	line("attempts", strconv.Itoa(l.Attempts))
	if l.StatusCode != 0 {
		line("status", strconv.Itoa(l.StatusCode))
	}
	line("code", l.Code)
	line("message", l.Message)
	b.WriteByte('\n')
	if err := json.Indent(&b, l.Record.Body, "", "  "); err != nil {
		fmt.Fprintf(&b, "%q", l.Record.Body)
	}
	b.WriteByte('\n')
	_, err := b.WriteTo(out)
	return err
}

// DropLetters removes the chosen letters and says how many.
func DropLetters(out io.Writer, store *deadletter.Store, selection Selection, asJSON bool, complain func(error)) error {
	letters, chooseErr := selection.choose(store, complain)
	if chooseErr != nil && (len(selection.IDs) > 0 || !errors.Is(chooseErr, ErrInput)) {
		return chooseErr // with an unclear id nothing is dropped
	}
	ids := make([]string, len(letters))
	for i := range letters {
		ids[i] = letters[i].ID
	}
	n, err := store.Drop(ids...)
	if err != nil {
		return err
	}
	if asJSON {
		err = json.NewEncoder(out).Encode(map[string]int{"dropped": n})
	} else {
		_, err = fmt.Fprintf(out, "%d dropped\n", n)
	}
	return errors.Join(err, chooseErr)
}

// ReplayOptions say what to replay and how.
type ReplayOptions struct {
	Selection  Selection
	Client     *metering.Client
	MaxAge     time.Duration
	AllowOlder bool
	JSON       bool
	// Ledger is told what the service has now; nil without.
	Ledger *ledger.Writer
}

// replayResult is what became of a letter, as --json shows it.
type replayResult struct {
	ID            string `json:"id"`
	TransactionID string `json:"transactionId"`
	Outcome       string `json:"outcome"`
	Status        int    `json:"status,omitempty"`
	Message       string `json:"message,omitempty"`
}

// replaySummary is the last line of --json.
type replaySummary struct {
	Delivered int `json:"delivered"`
	Duplicate int `json:"duplicate"`
	Late      int `json:"late"`
	Rejected  int `json:"rejected"`
	TooOld    int `json:"tooOld"`
	Left      int `json:"left"`
	// OtherTenants is the number of letters of other tenants, which need other keys.
	OtherTenants int `json:"otherTenants"`
}

// ReplayLetters sends the chosen letters again. Those that the service has then are
// gone.
func ReplayLetters(ctx context.Context, out io.Writer, store *deadletter.Store, opts ReplayOptions, complain func(error)) error {
	if len(opts.Selection.IDs) > 0 {
		if _, err := opts.Selection.choose(store, complain); err != nil {
			return err // with an unclear id nothing is sent
		}
	}
	var writeErr error
	others := 0
	enc := json.NewEncoder(out)
	show := func(l deadletter.Letter, res metering.Result) {
		opts.note(l, res.Outcome)
		message := res.Message
		if message == "" && res.Err != nil {
			message = res.Err.Error()
		}
		var err error
		if opts.JSON {
			err = enc.Encode(replayResult{l.ID, l.Record.TransactionID, res.Outcome.String(), res.StatusCode, message})
		} else if res.Outcome == metering.Rejected {
			_, err = fmt.Fprintf(out, "%s %s: rejected again: %s\n", l.ID, l.Record.TransactionID, message)
		}
		writeErr = errors.Join(writeErr, err)
	}
	report, err := store.Replay(ctx, func(ctx context.Context, l deadletter.Letter) metering.Result {
		return opts.Client.Send(ctx, l.Record)
	}, deadletter.ReplayOptions{
		Select: func(l deadletter.Letter) bool {
			if opts.Selection.Tenant != nil && l.Tenant != *opts.Selection.Tenant {
				others++
			}
			return opts.Selection.matches(&l)
		},
		MaxAge:     opts.MaxAge,
		AllowOlder: opts.AllowOlder,
		OnResult:   show,
	})
	if writeErr == nil {
		writeErr = writeReplay(out, enc, report, others, opts)
	}
	return errors.Join(err, writeErr)
}

// note writes to the ledger what the service has now.
func (o *ReplayOptions) note(l deadletter.Letter, outcome metering.Outcome) {
	if o.Ledger == nil {
		return
	}
	switch outcome {
	case metering.Delivered:
		o.Ledger.Ended(l.Tenant, l.Record, ledger.Delivered, "", false)
	case metering.Duplicate:
		o.Ledger.Ended(l.Tenant, l.Record, ledger.Duplicate, "", false)
	}
}

func writeReplay(out io.Writer, enc *json.Encoder, r deadletter.ReplayReport, others int, opts ReplayOptions) error {
	if opts.JSON {
		return enc.Encode(replaySummary{r.Delivered, r.Duplicate, r.Late, r.Rejected, r.TooOld, r.Left, others})
	}
	parts := []string{fmt.Sprintf("%d delivered", r.Delivered)}
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(r.Duplicate, "known to the service already")
	add(r.Late, "of these older than a day")
	add(r.Rejected, "rejected again")
	add(r.TooOld, "too old (--allow-older sends them)")
	add(r.Left, "not tried")
	add(others, "of other tenants (--tenant, with their key)")
	_, err := fmt.Fprintln(out, strings.Join(parts, ", "))
	return err
}
