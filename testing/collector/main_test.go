// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// binaries are the programs under test, built once per run.
var binaries struct{ collector, tool string }

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "otelcol-revenium")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binaries.collector = filepath.Join(dir, "otelcol-revenium")
	binaries.tool = filepath.Join(dir, "revenium-otel")
	for output, module := range map[string]string{binaries.collector: "otelcol-revenium", binaries.tool: "revenium-otel"} {
		build := exec.Command("go", "build", "-o", output, ".")
		build.Dir = filepath.Join("..", "..", "cmd", module)
		if text, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building %s: %v\n%s", module, err, text)
			return 1
		}
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
