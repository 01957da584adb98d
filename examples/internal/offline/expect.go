// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// Row is a row of fields of a record.
type Row []string

// Expect shows fields of the records as a table and compares them with the wanted
// rows. The order does not matter: records are sent side by side. A field that a
// record does not have is "".
func Expect(out io.Writer, records []reveniumtest.Record, fields Row, want ...Row) error {
	got := make([]Row, len(records))
	for i, record := range records {
		for _, field := range fields {
			got[i] = append(got[i], record.Text(field))
		}
	}
	slices.SortFunc(got, slices.Compare)
	want = slices.Clone(want)
	slices.SortFunc(want, slices.Compare)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range append([]Row{fields}, got...) {
		cells := slices.Clone(row)
		for i := range cells {
			cells[i] = cmp.Or(cells[i], "-")
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if !slices.EqualFunc(got, want, slices.Equal) {
		return fmt.Errorf("the records are not those expected:\n%q, want\n%q", got, want)
	}
	return nil
}
