// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childProcess is set by tests that run this binary once more.
var childProcess func() (code int, ok bool)

// SetChildProcess makes this binary another process if run says so.
func SetChildProcess(run func() (code int, ok bool)) { childProcess = run }

func TestMain(m *testing.M) {
	if childProcess != nil {
		if code, ok := childProcess(); ok {
			os.Exit(code)
		}
	}
	goleak.VerifyTestMain(m)
}
