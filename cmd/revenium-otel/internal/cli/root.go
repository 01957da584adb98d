// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of revenium-otel: its commands, flags and exit
// codes. What the commands do lives in packages of their own.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the command could not do its work
	exitInput  = 2 // wrong usage, or input that could not be read
)

// Streams are the standard streams of a run.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// exitError ends the program with a code. A nil err means that everything has
// been said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// Run executes the command line args and returns the exit code. Cancelling ctx
// stops a command that runs until it is told to stop.
func Run(ctx context.Context, args []string, std Streams) int {
	root := newRoot(std)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	// Errors that are none of ours come from cobra: unknown commands and flags,
	// wrong values.
	exit, ours := errors.AsType[*exitError](err)
	if !ours {
		fmt.Fprintf(std.Err, "%[1]s: %[2]v\nRun '%[1]s -h' for usage.\n", cmd.CommandPath(), err)
		return exitInput
	}
	if exit.err != nil {
		fmt.Fprintf(std.Err, "%s: %v\n", cmd.CommandPath(), exit.err)
	}
	return exit.code
}

func newRoot(std Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "revenium-otel",
		Short: "See and try what OpenTelemetry spans of LLM calls cost",
		Long: `revenium-otel shows what Revenium metering makes of OpenTelemetry spans and gives
you a place to try it: no account, no key and no network are needed. It also shows
what an exporter keeps on disk: what waits, what was given up, what was billed.`,
		Example: `  # What would these spans be billed as?
  revenium-otel preview traces.json

  # A Revenium and an LLM on this machine, to point a program at
  revenium-otel sandbox

  # What has the service refused?
  revenium-otel deadletter list`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(std.In)
	root.SetOut(std.Out)
	root.SetErr(std.Err)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newPreview(std), newSandbox(std), newDeadLetter(std), newSpool(std), newLedger(std), newVersion())
	return root
}
