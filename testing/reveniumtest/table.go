// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// absent stands in a table for a field that a record does not have, which is not
// the same as 0.
const absent = "-"

// tableColumn is one column of a record table.
type tableColumn struct {
	title string
	right bool // numbers stand on the right
	width int  // at least, for rows that are written before the next record is known
	cell  func(Record) string
}

func tableColumns() []tableColumn {
	return []tableColumn{
		{title: "TIME", width: len("15:04:05.000"), cell: cellTime},
		{title: "MODEL", width: len("gpt-5-nano-2025-08-07"), cell: cellText("model", "toolId")},
		{title: "PROVIDER", width: len("anthropic"), cell: cellText("provider")},
		{title: "OPERATION", cell: cellText("operationType", "operation")},
		{title: "INPUT", right: true, width: len("12345"), cell: cellText("inputTokenCount")},
		{title: "OUTPUT", right: true, cell: cellText("outputTokenCount")},
		{title: "CACHED", right: true, cell: cellText("cacheReadTokenCount")},
		{title: "REASONING", right: true, cell: cellText("reasoningTokenCount")},
		{title: "DURATION", right: true, cell: cellMillis("requestDuration", "durationMs")},
		{title: "TTFT", right: true, width: len("1.234s"), cell: cellMillis("timeToFirstToken")},
		{title: "STOP", width: len("TOKEN_LIMIT"), cell: cellText("stopReason")},
		{title: "ORGANIZATION", cell: cellText("organizationName")},
	}
}

// Table writes records for people, as the rows of an aligned table: when the call
// was made (UTC), model, provider, operation, input, output, cached (read from a
// cache) and reasoning tokens, duration, time to first token, stop reason and
// organization. A field that the record does not have is "-".
//
// Rows can be written as records come: a column is as wide as what it has seen,
// and never gets narrower. A Table is not safe for concurrent use.
type Table struct {
	w       io.Writer
	columns []tableColumn
	header  bool
}

// NewTable returns a table on w. The header is written with the first row.
func NewTable(w io.Writer) *Table { return &Table{w: w, columns: tableColumns()} }

// WriteTable writes the records as one table whose columns fit all of them; only
// the header if there are none.
func WriteTable(w io.Writer, records []Record) error {
	t := NewTable(w)
	for i := range t.columns {
		t.columns[i].width = 0 // all rows are known
	}
	return t.Write(records...)
}

// Write adds one row per record.
func (t *Table) Write(records ...Record) error {
	rows := make([][]string, 0, len(records)+1)
	if !t.header {
		titles := make([]string, 0, len(t.columns))
		for _, c := range t.columns {
			titles = append(titles, c.title)
		}
		rows = append(rows, titles)
	}
	for _, r := range records {
		cells := make([]string, 0, len(t.columns))
		for _, c := range t.columns {
			cells = append(cells, printable(c.cell(r)))
		}
		rows = append(rows, cells)
	}
	for _, row := range rows {
		for i, cell := range row {
			t.columns[i].width = max(t.columns[i].width, utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(t.line(row))
	}
	if _, err := io.WriteString(t.w, b.String()); err != nil {
		return fmt.Errorf("write the record table: %w", err)
	}
	t.header = true
	return nil
}

// line lays a row out, without spaces at its end.
func (t *Table) line(row []string) string {
	var b strings.Builder
	for i, cell := range row {
		if i > 0 {
			b.WriteString("  ")
		}
		pad := strings.Repeat(" ", t.columns[i].width-utf8.RuneCountInString(cell))
		if t.columns[i].right {
			b.WriteString(pad + cell)
		} else {
			b.WriteString(cell + pad)
		}
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}

// cellText shows the first of the fields that the record has.
func cellText(names ...string) func(Record) string {
	return func(r Record) string {
		for _, name := range names {
			if text := r.Text(name); text != "" {
				return text
			}
		}
		return absent
	}
}

// cellMillis shows the first of the fields, which are in milliseconds, as a
// duration.
func cellMillis(names ...string) func(Record) string {
	return func(r Record) string {
		for _, name := range names {
			if ms, ok := r.Int(name); ok {
				return (time.Duration(ms) * time.Millisecond).String()
			}
		}
		return absent
	}
}

func cellTime(r Record) string {
	for _, name := range []string{"requestTime", "timestamp"} {
		if t, ok := r.Time(name); ok {
			return t.UTC().Format("15:04:05.000")
		}
	}
	return absent
}

// printable keeps what came over the wire from moving a terminal's cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
