// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/revenium/revenium-otel-go/cmd/revenium-otel/internal/storage"
	"github.com/revenium/revenium-otel-go/exporter/ledger"
	"github.com/revenium/revenium-otel-go/semconv"
)

func newLedger(std Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "Add up or export the local account of what was billed",
		Long: `The ledger is a local account of everything that exporters with REVENIUM_LEDGER_DIR, or
WithLedger, have billed, and of what became of it. Compare it with an invoice.

The directory is that of --dir, else of REVENIUM_LEDGER_DIR. Reading is safe beside
running exporters.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newLedgerSummary(std), newLedgerExport(std))
	return cmd
}

// ledgerFlags are the flags of both commands.
type ledgerFlags struct {
	dir, from, to string
}

func (f *ledgerFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.dir, "dir", "", "directory of the ledger")
	flags.StringVar(&f.from, "from", "", "only calls from then on: a date (UTC) or RFC 3339")
	flags.StringVar(&f.to, "to", "", "only calls before then, likewise")
}

// options are the directory and the bounds of time.
func (f *ledgerFlags) options() (dir string, opts storage.LedgerOptions, err error) {
	dir = cmp.Or(f.dir, environ(semconv.EnvLedgerDir))
	if dir == "" {
		return "", opts, errors.New("no directory: use --dir or set " + semconv.EnvLedgerDir)
	}
	if err := isDir(dir); err != nil {
		return "", opts, err
	}
	if opts.From, err = moment("--from", f.from); err != nil {
		return "", opts, err
	}
	opts.To, err = moment("--to", f.to)
	return dir, opts, err
}

// moment reads a date or a time.
func moment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s is %q: use a date like 2026-09-21 or a time like 2026-09-21T14:00:00Z", flag, text)
}

func newLedgerSummary(std Streams) *cobra.Command {
	var f ledgerFlags
	var by []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "summary",
		Short: "Add up what was billed",
		Long: `Summary adds up the records of a ledger and says what became of them:

  billed = delivered + duplicate + waiting + dead + lost

INPUT is what is sent as inputTokenCount, with or without its cached part by
provider; TOTAL counts every token once.`,
		Example: `  # September, by customer and model
  revenium-otel ledger summary --from 2026-09-01 --to 2026-10-01 --by organization,model`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, opts, err := f.options()
			if err != nil {
				return err
			}
			opts.JSON = asJSON
			for _, name := range by {
				field := ledger.Field(name)
				if !slices.Contains(ledger.Fields(), field) {
					return fmt.Errorf("--by has %q: use %s", name, words(ledger.Fields()))
				}
				opts.By = append(opts.By, field)
			}
			return storageError(storage.SummarizeLedger(std.Out, dir, opts, complainer(cmd, std)))
		},
	}
	f.add(cmd)
	cmd.Flags().StringSliceVar(&by, "by", []string{"organization", "provider", "model"}, "fields to group by: "+words(ledger.Fields()))
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// ledgerStates are the states by which an export can be narrowed.
var ledgerStates = []ledger.State{ledger.Waiting, ledger.Delivered, ledger.Duplicate, ledger.DeadLettered, ledger.Lost}

func newLedgerExport(std Streams) *cobra.Command {
	var f ledgerFlags
	var format string
	var asJSON bool
	var states []string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Export what was billed as CSV, JSON lines or FOCUS columns",
		Long: `Export prints the records of a ledger, one a line, as CSV or JSON lines.

With --format focus it prints consumption instead, with the columns of FOCUS, the
FinOps Open Cost and Usage Specification: one row for each hour, model, customer and
meter, of what the service has. Prices are Revenium's, so that cost columns are
empty.`,
		Example: `  # For a spreadsheet
  revenium-otel ledger export --from 2026-09-01 --to 2026-10-01 > september.csv

  # What is on no invoice, and why
  revenium-otel ledger export --format jsonl --state dead,lost | jq -r '[.id, .reason] | @tsv'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, opts, err := f.options()
			if err != nil {
				return err
			}
			if asJSON {
				format = "jsonl"
			}
			if !slices.Contains([]string{"csv", "jsonl", "focus"}, format) {
				return fmt.Errorf("--format is %q: use csv, jsonl or focus", format)
			}
			for _, name := range states {
				state := ledger.State(name)
				if !slices.Contains(ledgerStates, state) {
					return fmt.Errorf("--state has %q: use %s", name, words(ledgerStates))
				}
				opts.States = append(opts.States, state)
			}
			return storageError(storage.ExportLedger(std.Out, dir, format, opts, complainer(cmd, std)))
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&format, "format", "csv", "csv, jsonl or focus")
	flags.BoolVar(&asJSON, "json", false, "the same as --format jsonl")
	flags.StringSliceVar(&states, "state", nil, "only records in these states: "+words(ledgerStates))
	return cmd
}

// words lists what is allowed.
func words[T ~string](allowed []T) string {
	texts := make([]string, len(allowed))
	for i, word := range allowed {
		texts[i] = string(word)
	}
	return strings.Join(texts, ", ")
}
