// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/revenium/revenium-otel-go/cmd/revenium-otel/internal/sandbox"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// faultFlags are the faults that strike from the start.
type faultFlags struct {
	latency      time.Duration
	status       int
	statusCount  int
	retryAfter   time.Duration
	reset        int
	hang         bool
	unauthorized bool
	rateLimit    int
	more         []string
}

func newSandbox(std Streams) *cobra.Command {
	var opts sandbox.Options
	var faults faultFlags
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Serve a Revenium and an LLM on this machine and show what they get",
		Long: `Sandbox serves two stand-ins on loopback ports: a Revenium that takes metering
records and an OpenAI-compatible LLM. Point a program at them and see each record
as it is accepted.

The Revenium takes any key that begins with rev_mk_ or hak_. It is stricter than
the real one: a record that the real one would store but misunderstand (an unknown
field, a value that is too long) is shown as a violation, in plain words.

Faults try how a program copes. They are given as flags, or at run time as
commands on standard input: type help.`,
		Example: `  # Ports of your choice; :0 takes free ones
  revenium-otel sandbox --revenium-addr 127.0.0.1:4100 --llm-addr 127.0.0.1:0

  # An outage: the first 20 requests get 503
  revenium-otel sandbox --status 503 --status-count 20

  # A slow one that also breaks three connections, in the words of the commands
  revenium-otel sandbox --fault "latency 300ms" --fault "reset 3"

  # Records as lines of JSON, for a program
  revenium-otel sandbox --json | jq 'select(.type == "record") | .record'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if opts.Faults, err = faults.list(); err != nil {
				return err
			}
			opts.In, opts.Out, opts.Err = std.In, std.Out, std.Err
			if err := sandbox.Run(cmd.Context(), opts); err != nil {
				return &exitError{code: exitFailed, err: err}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.ReveniumAddr, "revenium-addr", "127.0.0.1:4100", "where Revenium listens")
	flags.StringVar(&opts.LLMAddr, "llm-addr", "127.0.0.1:4101", "where the LLM listens")
	flags.BoolVar(&opts.AllowRemote, "allow-remote", false, "permit addresses that other machines can reach")
	flags.BoolVar(&opts.JSON, "json", false, "print records and violations as lines of JSON, everything else to standard error")
	flags.DurationVar(&faults.latency, "latency", 0, "answer after this time")
	flags.IntVar(&faults.status, "status", 0, "answer with this status")
	flags.IntVar(&faults.statusCount, "status-count", 0, "only so many requests get --status (default: all)")
	flags.DurationVar(&faults.retryAfter, "retry-after", 0, "Retry-After of --status, rounded up to seconds")
	flags.IntVar(&faults.reset, "reset", 0, "break the connections of so many requests")
	flags.BoolVar(&faults.hang, "hang", false, `never answer, until "fault clear"`)
	flags.BoolVar(&faults.unauthorized, "unauthorized", false, "answer 401 to every key")
	flags.IntVar(&faults.rateLimit, "rate-limit", 0, "answer 429 to more than so many requests per second")
	flags.StringArrayVar(&faults.more, "fault", nil, "a `FAULT` in the words of the fault command, for example \"status 503 10\"")
	return cmd
}

// list turns the flags into faults: delays first, then what strikes a few
// requests, then what strikes all.
func (f *faultFlags) list() ([]reveniumtest.Fault, error) {
	if f.status == 0 && (f.statusCount != 0 || f.retryAfter != 0) {
		return nil, errors.New("--status-count and --retry-after say more about --status, which is missing")
	}
	var faults []reveniumtest.Fault
	add := func(wanted bool, fault reveniumtest.Fault) {
		if wanted {
			faults = append(faults, fault)
		}
	}
	add(f.latency != 0, reveniumtest.Fault{Kind: reveniumtest.FaultLatency, Latency: f.latency})
	add(f.reset != 0, reveniumtest.Fault{Kind: reveniumtest.FaultReset, Times: f.reset})
	add(f.status != 0, reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: f.status, Times: f.statusCount, RetryAfter: f.retryAfter})
	add(f.unauthorized, reveniumtest.Fault{Kind: reveniumtest.FaultUnauthorized})
	add(f.rateLimit != 0, reveniumtest.Fault{Kind: reveniumtest.FaultRateLimit, PerSecond: f.rateLimit, RetryAfter: time.Second})
	add(f.hang, reveniumtest.Fault{Kind: reveniumtest.FaultHang})
	var problems []error
	for _, fault := range faults {
		problems = append(problems, fault.Validate())
	}
	for _, text := range f.more {
		fault, err := sandbox.ParseFault(text)
		problems = append(problems, err)
		faults = append(faults, fault)
	}
	return faults, errors.Join(problems...)
}
