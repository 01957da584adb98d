// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Command cli is a command line tool, made with cobra, whose flags say who pays for
// the calls of its commands. The command is the type of the task.
//
//	go run ./examples/cli ask --organization Acme --user u-1 "Why is the sky blue?"
//
// Without arguments it runs two commands and checks what is billed for them.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/revenium/revenium-otel-go/examples/internal/offline"
	"github.com/revenium/revenium-otel-go/instrument"
)

func main() {
	if err := run(context.Background(), os.Stdout, os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer, args []string) error {
	lines := [][]string{args}
	if len(args) == 0 {
		lines = [][]string{
			{"ask", "--organization", "Acme", "--user", "u-1", "Why is the sky blue?"},
			{"translate", "--organization", "Globex", "--to", "French", "Good morning!"},
		}
	}
	records, err := offline.Run(ctx, func(ctx context.Context, llm *offline.Client) error {
		for _, line := range lines {
			cmd := newCommand(llm)
			cmd.SetArgs(line)
			cmd.SetOut(out)
			if err := cmd.ExecuteContext(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || len(args) > 0 {
		return err
	}
	return offline.Expect(out, records,
		offline.Row{"organizationName", "productName", "taskType", "subscriber.id"},
		offline.Row{"Acme", "cli", "ask", "u-1"},
		offline.Row{"Globex", "cli", "translate", ""},
	)
}

func newCommand(llm *offline.Client) *cobra.Command {
	metadata := instrument.Metadata{Product: "cli"}
	root := &cobra.Command{
		Use:          "cli",
		SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			metadata.TaskType = cmd.Name()
			if err := metadata.Validate(); err != nil {
				return err
			}
			cmd.SetContext(instrument.WithMetadata(cmd.Context(), metadata))
			return nil
		},
	}
	root.PersistentFlags().StringVar(&metadata.Organization, "organization", "", "customer that pays")
	root.PersistentFlags().StringVar(&metadata.Subscriber.ID, "user", "", "person that asks")

	ask := func(cmd *cobra.Command, question string) error {
		answer, err := llm.Ask(cmd.Context(), question)
		if err == nil {
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", cmd.Name(), answer)
		}
		return err
	}
	var language string
	translate := &cobra.Command{Use: "translate TEXT", Args: cobra.MinimumNArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return ask(cmd, "Translate into "+language+": "+strings.Join(args, " "))
	}}
	translate.Flags().StringVar(&language, "to", "German", "language")
	root.AddCommand(translate, &cobra.Command{Use: "ask QUESTION", Args: cobra.MinimumNArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return ask(cmd, strings.Join(args, " "))
	}})
	return root
}
