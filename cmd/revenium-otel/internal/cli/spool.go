// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/revenium/revenium-otel-go/cmd/revenium-otel/internal/storage"
	"github.com/revenium/revenium-otel-go/semconv"
)

func newSpool(std Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "spool",
		Short: "See what waits on disk for delivery",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSpoolInspect(std))
	return cmd
}

func newSpoolInspect(std Streams) *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect",
		Short: "Show how many records wait, of whom, and since when",
		Long: `Inspect shows what is in a spool directory: for each process that uses it what the
process itself says, a second old at most while something happens; for files whose
process has ended what is in them. It changes nothing and shows no content.

The directory is that of --dir, else of REVENIUM_SPOOL_DIR.`,
		Example: `  # Is anything older than it should be?
  revenium-otel spool inspect --json | jq '[.owners[].queues[], .orphans[].queues[]] | min_by(.oldest)'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			path := cmp.Or(dir, environ(semconv.EnvSpoolDir))
			if path == "" {
				return errors.New("no directory: use --dir or set " + semconv.EnvSpoolDir)
			}
			if err := isDir(path); err != nil {
				return err
			}
			return storageError(storage.InspectSpool(std.Out, path, asJSON, time.Now()))
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "spool directory")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
