// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/revenium/revenium-otel-go/instrument"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this build",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo() // nil without module support: then the build is unknown
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), versionLine(info)); err != nil {
				return &exitError{code: exitFailed, err: err}
			}
			return nil
		},
	}
}

// versionLine names the version, which all modules share, and the build: the
// commit, where the build knows it.
func versionLine(info *debug.BuildInfo) string {
	build := ""
	if info != nil {
		settings := make(map[string]string, len(info.Settings))
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if revision := settings["vcs.revision"]; revision != "" {
			build = "commit " + revision[:min(12, len(revision))]
			if settings["vcs.modified"] == "true" {
				build += " with changes"
			}
			build += ", "
		}
	}
	return fmt.Sprintf("revenium-otel %s (%s%s %s/%s)", instrument.Version, build, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
