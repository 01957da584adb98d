// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package preview

import (
	"io"
	"strings"
	"unicode/utf8"
)

// align says on which side a column's text stands.
type align int

const (
	left align = iota
	right
)

const gap = "  " // between columns

// writeTable writes rows in columns that are as wide as their widest cell, two
// spaces apart, without spaces at the end of lines.
func writeTable(w io.Writer, columns []align, rows [][]string) error {
	widths := make([]int, len(columns))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if columns[i] == right {
				line.WriteString(pad + cell + gap)
			} else {
				line.WriteString(cell + pad + gap)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
