// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/revenium/revenium-otel-go/cmd/revenium-otel/internal/table"
	"github.com/revenium/revenium-otel-go/exporter/ledger"
)

// LedgerOptions say which part of a ledger is wanted.
type LedgerOptions struct {
	// From and To bound the time of the calls: from From on, before To. Zero is no
	// bound.
	From, To time.Time
	// By are the fields of a summary.
	By []ledger.Field
	// States are the states of exported entries; empty for all.
	States []ledger.State
	JSON   bool
}

// load reads a ledger and complains about what cannot be read.
func (o *LedgerOptions) load(dir string, complain func(error)) (*ledger.Book, error) {
	book, err := ledger.Load(dir)
	if err != nil {
		return nil, err
	}
	for _, problem := range book.Problems {
		complain(problem)
	}
	return book.Between(o.From, o.To), nil
}

// SummarizeLedger prints what a ledger adds up to, and its balance.
func SummarizeLedger(out io.Writer, dir string, opts LedgerOptions, complain func(error)) error {
	book, err := opts.load(dir, complain)
	if err != nil {
		return err
	}
	s := ledger.Summarize(book, opts.By...)
	if opts.JSON {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		err = enc.Encode(s)
	} else {
		err = printSummary(out, s)
	}
	if err == nil && len(book.Problems) > 0 {
		err = ErrInput
	}
	return err
}

func printSummary(out io.Writer, s ledger.Summary) error {
	var head []string
	var columns []table.Align
	for _, field := range s.By {
		head = append(head, strings.ToUpper(string(field)))
		columns = append(columns, table.Left)
	}
	if len(s.By) == 0 {
		head, columns = []string{""}, []table.Align{table.Left}
	}
	numbers := []string{"RECORDS", "DELIVERED", "INPUT", "CACHE READ", "CACHE WRITE", "OUTPUT", "REASONING", "TOTAL"}
	for range numbers {
		columns = append(columns, table.Right)
	}
	rows := [][]string{append(head, numbers...)}
	if len(s.By) > 0 {
		for i := range s.Groups {
			g := &s.Groups[i]
			row := make([]string, 0, len(columns))
			for _, value := range g.Values {
				row = append(row, table.OrDash(value))
			}
			rows = append(rows, append(row, cells(&g.Sum)...))
		}
	}
	all := make([]string, len(head))
	all[0] = "all"
	rows = append(rows, append(all, cells(&s.All)...))
	if err := table.Write(out, columns, rows); err != nil {
		return err
	}
	text := "\n" + s.Balance.String() + "\n"
	if s.Late > 0 {
		text += fmt.Sprintf("%d were delivered more than a day after they were made\n", s.Late)
	}
	if s.Missing > 0 || s.Unreadable > 0 {
		text += fmt.Sprintf("the ledger is not complete: %d events could not be written, %d lines cannot be read\n", s.Missing, s.Unreadable)
	}
	_, err := io.WriteString(out, text)
	return err
}

// cells are the numbers of a row.
func cells(s *ledger.Sum) []string {
	numbers := []int64{
		s.Records, s.States[ledger.Delivered] + s.States[ledger.Duplicate], s.Input, s.CacheRead, s.CacheCreation, s.Output, s.Reasoning, s.Total,
	}
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = table.Thousands(n)
	}
	return out
}

// ExportLedger writes the entries of a ledger in a format: csv, jsonl or focus.
func ExportLedger(out io.Writer, dir, format string, opts LedgerOptions, complain func(error)) error {
	book, err := opts.load(dir, complain)
	if err != nil {
		return err
	}
	entries := book.Entries
	if len(opts.States) > 0 {
		entries = slices.DeleteFunc(entries, func(e ledger.Entry) bool { return !slices.Contains(opts.States, e.State) })
	}
	switch format {
	case "csv":
		err = ledger.WriteCSV(out, entries)
	case "jsonl":
		err = ledger.WriteJSONL(out, entries)
	case "focus":
		err = ledger.WriteFOCUS(out, entries)
	default:
		return fmt.Errorf("format %q is not known: use csv, jsonl or focus", format)
	}
	if err == nil && len(book.Problems) > 0 {
		err = ErrInput
	}
	return err
}
