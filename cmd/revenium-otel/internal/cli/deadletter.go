// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/revenium/revenium-otel-go/cmd/revenium-otel/internal/storage"
	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/ledger"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv"
)

func newDeadLetter(std Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deadletter",
		Short: "List, show, send again or drop records that were given up",
		Long: `Dead letters are metering records that an exporter gave up: the service refused them
for good, they became too old, or they could not be read. They stay until somebody
sends them again or drops them.

The directory is that of --dir, else of REVENIUM_DEAD_LETTER_DIR, else the one
beneath REVENIUM_SPOOL_DIR. All commands are safe beside running exporters.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDeadLetterList(std), newDeadLetterShow(std), newDeadLetterReplay(std), newDeadLetterDrop(std))
	return cmd
}

// letterFlags are the flags that choose letters.
type letterFlags struct {
	dir, reason, tenant string
	json                bool
}

func (f *letterFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.dir, "dir", "", "directory of the dead letters")
	flags.StringVar(&f.reason, "reason", "", "only letters of this reason: rejected, expired, unreadable, ...")
	flags.StringVar(&f.tenant, "tenant", "", `only letters of this tenant ("" is that of records without one)`)
	flags.BoolVar(&f.json, "json", false, "print JSON")
}

// selection is what the flags choose. Without --tenant that is all tenants.
func (f *letterFlags) selection(cmd *cobra.Command, ids []string) storage.Selection {
	s := storage.Selection{IDs: ids, Reason: f.reason}
	if cmd.Flags().Changed("tenant") {
		s.Tenant = &f.tenant
	}
	return s
}

// open opens the directory, which has to be there.
func (f *letterFlags) open() (*deadletter.Store, error) {
	dir := cmp.Or(f.dir, environ(semconv.EnvDeadLetterDir))
	if spool := environ(semconv.EnvSpoolDir); dir == "" && spool != "" {
		dir = deadletter.DirIn(spool)
	}
	if dir == "" {
		return nil, errors.New("no directory: use --dir, or set " + semconv.EnvDeadLetterDir + " or " + semconv.EnvSpoolDir)
	}
	if err := isDir(dir); err != nil {
		return nil, err
	}
	store, err := deadletter.Open(dir)
	if err != nil {
		return nil, &exitError{code: exitFailed, err: err}
	}
	return store, nil
}

// environ is the value of a variable; an empty one counts as unset.
func environ(name string) string { return strings.TrimSpace(os.Getenv(name)) }

// isDir complains about what is no directory: these commands make none.
func isDir(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = errors.New(path + ": is not a directory")
	}
	if err != nil {
		return &exitError{code: exitInput, err: err}
	}
	return nil
}

// complainer prints what is wrong with a part of the input.
func complainer(cmd *cobra.Command, std Streams) func(error) {
	return func(err error) { fmt.Fprintf(std.Err, "%s: %v\n", cmd.CommandPath(), err) }
}

// storageError makes an exit code of an error.
func storageError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, storage.ErrInput):
		return &exitError{code: exitInput}
	default:
		return &exitError{code: exitFailed, err: err}
	}
}

func newDeadLetterList(std Streams) *cobra.Command {
	var f letterFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, one a line",
		Example: `  # What was refused?
  revenium-otel deadletter list --reason rejected

  # How many of each answer?
  revenium-otel deadletter list --json | jq -r '[.status, .code] | @tsv' | sort | uniq -c`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := f.open()
			if err != nil {
				return err
			}
			return storageError(storage.ListLetters(std.Out, store, f.selection(cmd, nil), f.json, complainer(cmd, std)))
		},
	}
	f.add(cmd)
	return cmd
}

func newDeadLetterShow(std Streams) *cobra.Command {
	var f letterFlags
	cmd := &cobra.Command{
		Use:   "show ID...",
		Short: "Show dead letters with their records",
		Long: `Show prints everything about dead letters, the record as it would be sent included.
An id may be shortened as long as it names one letter.

A record can hold a subscriber's credential.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, ids []string) error {
			store, err := f.open()
			if err != nil {
				return err
			}
			return storageError(storage.ShowLetters(std.Out, store, f.selection(cmd, ids), f.json, complainer(cmd, std)))
		},
	}
	f.add(cmd)
	return cmd
}

func newDeadLetterDrop(std Streams) *cobra.Command {
	var f letterFlags
	var all bool
	cmd := &cobra.Command{
		Use:   "drop ID... | --all",
		Short: "Drop dead letters for good",
		Example: `  # Those that could not be read, after a look at them
  revenium-otel deadletter drop --all --reason unreadable`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			if err := idsOrAll(ids, all); err != nil {
				return err
			}
			store, err := f.open()
			if err != nil {
				return err
			}
			return storageError(storage.DropLetters(std.Out, store, f.selection(cmd, ids), f.json, complainer(cmd, std)))
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "all letters, or all of --reason and --tenant")
	return cmd
}

// idsOrAll keeps a forgotten argument from meaning everything.
func idsOrAll(ids []string, all bool) error {
	switch {
	case all && len(ids) > 0:
		return errors.New("ids and --all are two ways to say which letters: use one")
	case !all && len(ids) == 0:
		return errors.New("which letters? Name ids, or use --all")
	default:
		return nil
	}
}

func newDeadLetterReplay(std Streams) *cobra.Command {
	var f letterFlags
	var all bool
	var keyFile, baseURL, ledgerDir string
	var maxAge time.Duration
	var allowOlder bool
	cmd := &cobra.Command{
		Use:   "replay ID... | --all",
		Short: "Send dead letters again",
		Long: `Replay sends dead letters again, as they are: the same bytes under the same ids, so
that the service recognises what it has already. Those that it has then are gone
from the directory; what it refuses again stays. It stops when the key is refused,
or when the service takes nothing for a while.

The key is that of --api-key-file, else of REVENIUM_METERING_API_KEY, else of
REVENIUM_METERING_API_KEY_FILE. Letters of a tenant are sent only with --tenant, since they
need the key of that tenant.

Records older than --max-age are left: their usage may belong to a bill that is
closed. --allow-older sends them, too.`,
		Example: `  # After the model was registered
  revenium-otel deadletter replay --all --reason rejected

  # What a tenant's wrong settings caused, with the tenant's key
  revenium-otel deadletter replay --all --tenant acme --api-key-file /run/secrets/acme-key`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			if err := idsOrAll(ids, all); err != nil {
				return err
			}
			client, err := newClient(keyFile, baseURL)
			if err != nil {
				return &exitError{code: exitInput, err: err}
			}
			defer client.CloseIdleConnections()
			store, err := f.open()
			if err != nil {
				return err
			}
			opts := storage.ReplayOptions{
				Selection: f.selection(cmd, ids), Client: client, MaxAge: maxAge, AllowOlder: allowOlder, JSON: f.json,
			}
			opts.Selection.Tenant = &f.tenant
			if dir := cmp.Or(ledgerDir, environ(semconv.EnvLedgerDir)); dir != "" {
				if opts.Ledger, err = ledger.Open(dir); err != nil {
					return &exitError{code: exitFailed, err: err}
				}
			}
			err = storage.ReplayLetters(cmd.Context(), std.Out, store, opts, complainer(cmd, std))
			if opts.Ledger != nil {
				err = errors.Join(err, opts.Ledger.Close())
			}
			return storageError(err)
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&all, "all", false, "all letters, or all of --reason, of --tenant or without a tenant")
	flags.StringVar(&keyFile, "api-key-file", "", "file with the metering key")
	flags.StringVar(&baseURL, "base-url", "", "base URL of the API (default: REVENIUM_METERING_BASE_URL, or "+metering.DefaultBaseURL+")")
	flags.StringVar(&ledgerDir, "ledger-dir", "", "ledger that is to know what was delivered (default: REVENIUM_LEDGER_DIR)")
	flags.DurationVar(&maxAge, "max-age", deadletter.DefaultReplayMaxAge, "age of a record from which on it is left")
	flags.BoolVar(&allowOlder, "allow-older", false, "send records whatever their age")
	return cmd
}

// newClient is a client with the key and the URL of flags or environment.
func newClient(keyFile, baseURL string) (*metering.Client, error) {
	key := ""
	if keyFile == "" {
		key = environ(semconv.EnvMeteringAPIKey)
		keyFile = environ(semconv.EnvMeteringAPIKeyFile)
	}
	if key == "" && keyFile != "" {
		var err error
		if key, err = metering.APIKeyFile(keyFile)(context.Background()); err != nil {
			return nil, err
		}
	}
	if key == "" {
		return nil, errors.New("no API key: use --api-key-file or set " + semconv.EnvMeteringAPIKey)
	}
	return metering.NewClient(key, metering.WithBaseURL(cmp.Or(baseURL, environ(semconv.EnvMeteringBaseURL))))
}
