// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package revenium_test

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestMakeTestsEverything checks that "make test" has the tests of every folder: a
// pattern such as ./exporter/... ends where another module begins.
func TestMakeTestsEverything(t *testing.T) {
	makefile, _, _ := strings.Cut(read(t, "Makefile"), "\n.PHONY: test\n") // the lists stand in front
	patterns := make(map[string]bool)
	for _, pattern := range regexp.MustCompile(`\./([a-z/-]+)/\.\.\.`).FindAllStringSubmatch(makefile, -1) {
		patterns[pattern[1]] = true
	}
	for _, outside := range regexp.MustCompile(`OUTSIDE := \$\(CURDIR\)/(\S+)`).FindAllStringSubmatch(makefile, -1) {
		patterns[outside[1]] = true
	}
	if len(patterns) < 20 {
		t.Fatalf("found only the patterns %v", patterns)
	}
	for _, file := range files(t, ".go") {
		if !strings.HasSuffix(file, "_test.go") || path.Dir(file) == "." {
			continue
		}
		dir := path.Dir(file)
		for !patterns[dir] && !isModule(dir) {
			dir = path.Dir(dir)
		}
		if !patterns[dir] {
			t.Errorf("%s is not among what make test runs", file)
		}
	}
}

// isModule says whether a module begins in a folder.
func isModule(dir string) bool {
	_, err := os.Stat(path.Join(dir, "go.mod"))
	return err == nil
}
