// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/revenium/revenium-otel-go/cmd/revenium-otel/internal/preview"
	"github.com/revenium/revenium-otel-go/exporter/convert"
)

func newPreview(std Streams) *cobra.Command {
	var opts preview.Options
	var conversion conversion
	cmd := &cobra.Command{
		Use:   "preview [FILE|-]...",
		Short: "Show what would be billed for exported spans and log records, without a network",
		Long: `Preview reads spans and log records as OTLP JSON and prints one line of JSON for
each that looks like a GenAI call: whether it would be billed, why or why not, and
the exact request that would be sent to Revenium. Nothing is sent anywhere.

A file holds export requests of spans ({"resourceSpans": ...}) or of log records
({"resourceLogs": ...}, of which coding assistants write one for each call):
one, or several after one another, as the Collector's file exporter writes them.
Several files are taken as successive exports, in the given order, that one
exporter receives: a span that comes twice is billed once. "-" or no file at all
is standard input. What waits for another span (a failed attempt for its retry)
is decided at the end of the input and printed then.

Each line has: file, trace_id, span_id, span_name, decision (billed, suppressed or
skipped), reason, endpoint and record (null unless billed), and notes about
attribute values that were dropped, shortened or replaced. With --explain each
line also has the dialect that the span is in, the span that bills instead (by),
and sources: of each field the attribute that its value came from, and where that
was set.

Flags for the conversion have the effect of the exporter's options and of the
Collector's settings of the same meaning. Those that take NAME=VALUE can be given
several times. No time passes in a preview: what waits, waits for the end of the
input.

The preview depends on its input and flags alone: REVENIUM_* variables, which an
exporter reads as defaults for attribution, are not read here. A record is shown
as it would be sent, with the value of a subscriber's credential where the span
carries one.

The exit code is 2 when some of the input could not be read; the rest is previewed
all the same.`,
		Example: `  # Everything about the GenAI spans of a file
  revenium-otel preview traces.json

  # Records only, as sent
  revenium-otel preview --billed traces.json | jq .record

  # Who said that this customer pays?
  revenium-otel preview --explain traces.json | jq -c '.sources[]? | select(.field == "organizationName")'

  # Tokens by customer and model, decisions by reason
  revenium-otel preview --summary monday.jsonl tuesday.jsonl

  # Why are spans not billed?
  revenium-otel preview traces.json | jq -r 'select(.decision != "billed") | [.span_name, .reason] | @tsv'

  # What the Collector's file exporter kept
  zcat traces-*.jsonl.gz | revenium-otel preview --summary`,
		RunE: func(cmd *cobra.Command, files []string) error {
			if len(files) == 0 {
				if isTerminal(std.In) {
					return cmd.Help()
				}
				files = []string{preview.Stdin}
			}
			var err error
			if opts.Convert, err = conversion.options(); err != nil {
				return err
			}
			complain := func(err error) { fmt.Fprintf(std.Err, "%s: %v\n", cmd.CommandPath(), err) }
			err = preview.Run(files, std.In, std.Out, complain, opts)
			switch {
			case errors.Is(err, preview.ErrInput):
				return &exitError{code: exitInput}
			case err != nil:
				return &exitError{code: exitFailed, err: err}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&opts.Billed, "billed", false, "print billed spans only")
	flags.BoolVar(&opts.Summary, "summary", false, "print a table of the sums instead of one line per span")
	flags.BoolVar(&opts.Explain, "explain", false, "say of each record where its values came from")
	conversion.addTo(flags)
	return cmd
}

// errorPolicy reads the value of --error-records.
func errorPolicy(word string) (convert.ErrorPolicy, error) {
	switch word {
	case "none":
		return convert.ErrorPolicyNone, nil
	case "final":
		return convert.ErrorPolicyFinal, nil
	case "all":
		return convert.ErrorPolicyAll, nil
	default:
		return 0, fmt.Errorf("--error-records is %q: use none, final or all", word)
	}
}

// idScheme reads the value of --ids.
func idScheme(word string) (convert.IDScheme, error) {
	switch word {
	case "trace-span":
		return convert.IDTraceSpan, nil
	case "span":
		return convert.IDSpan, nil
	case "response":
		return convert.IDResponse, nil
	default:
		return 0, fmt.Errorf("--ids is %q: use trace-span, span or response", word)
	}
}

// isTerminal says whether r is a terminal, where nobody pipes anything in.
func isTerminal(r any) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
