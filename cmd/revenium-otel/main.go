// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Command revenium-otel is the tool for people around Revenium metering:
//
//	revenium-otel preview traces.json   what would be billed, without a network
//	revenium-otel sandbox               a Revenium and an LLM to try things with
//	revenium-otel deadletter list       records that were given up; show, replay, drop
//	revenium-otel spool inspect         what waits on disk for delivery
//	revenium-otel ledger summary        what was billed; export
//	revenium-otel version               which build this is
//
// Every command explains itself with -h.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/revenium/revenium-otel-go/cmd/revenium-otel/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for a clean stop; a second one must kill a program
	// that does not come to its end.
	context.AfterFunc(ctx, stop)
	code := cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
