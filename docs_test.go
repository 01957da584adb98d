// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package revenium_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestConfigurationPage checks that every option and variable that the page
// names exists.
func TestConfigurationPage(t *testing.T) {
	page := read(t, "docs/configuration.md")
	var sources strings.Builder
	for _, pattern := range []string{"*.go", "exporter/*.go", "exporter/convert/*.go", "exporter/metering/*.go", "exporter/spool/*.go", "instrument/*.go", "instrument/llmhttp/*.go", "instrument/propagate/*.go", "semconv/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no files like %s: %v", pattern, err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				sources.WriteString(read(t, file))
			}
		}
	}
	code := sources.String()
	options := regexp.MustCompile("`(?:[a-z]+\\.)?(With[A-Za-z]+)").FindAllStringSubmatch(page, -1)
	variables := regexp.MustCompile("`((?:[A-Z]+_)+[A-Z]+|ENVIRONMENT)").FindAllStringSubmatch(page, -1)
	if len(options) < 30 || len(variables) < 15 {
		t.Fatalf("found %d options and %d variables on the page: the patterns of this test do not fit it", len(options), len(variables))
	}
	for _, option := range options {
		if !strings.Contains(code, "\nfunc "+option[1]+"(") {
			t.Errorf("the page names option %s, which does not exist", option[1])
		}
	}
	for _, variable := range variables {
		if name := variable[1]; !strings.Contains(code, `"`+name+`"`) && !readBySDK(name) {
			t.Errorf("the page names variable %s, which nothing reads", name)
		}
	}
}

// readBySDK says whether OpenTelemetry's SDK reads the variable itself.
func readBySDK(name string) bool {
	switch name {
	case "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES":
		return true
	default:
		return false
	}
}

// TestAdaptersPage checks that every piece of Go on the page stands, word for
// word, in a file that its module compiles and runs.
func TestAdaptersPage(t *testing.T) {
	files, err := filepath.Glob("instrument/*/snippets_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no snippets: %v", err)
	}
	var compiled strings.Builder
	for _, file := range files {
		compiled.WriteString(unindented(read(t, file)))
		module := filepath.Base(filepath.Dir(file))
		if !strings.Contains(read(t, "docs/adapters.md"), "instrument/"+module) {
			t.Errorf("the page does not name %s", module)
		}
	}
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, "docs/adapters.md"), -1) {
		if !strings.Contains(compiled.String(), unindented(block[1])) {
			t.Errorf("in no snippets_test.go:\n%s", block[1])
		}
	}
}

// TestReadmeAdapters checks that the README has every adapter, that its line of
// code stands in a file which the adapter's module compiles and runs, and that the
// module has documentation and an example.
func TestReadmeAdapters(t *testing.T) {
	_, section, _ := strings.Cut(read(t, "README.md"), "\n## Adapters\n")
	section, _, _ = strings.Cut(section, "\n## ")
	lines := make(map[string]string)
	for _, row := range regexp.MustCompile("(?m)^\\| .*\\| `(revenium[a-z]+)` \\| `(.+)` \\|$").FindAllStringSubmatch(section, -1) {
		lines[row[1]] = row[2]
	}
	modules, err := filepath.Glob("instrument/revenium*/go.mod")
	if err != nil || len(modules) == 0 || len(lines) != len(modules) {
		t.Fatalf("%d adapters in the README, %d modules: %v", len(lines), len(modules), err)
	}
	for _, file := range modules {
		dir := filepath.Dir(file)
		line := lines[filepath.Base(dir)]
		if line == "" || !strings.Contains(read(t, filepath.Join(dir, "snippets_test.go")), line) {
			t.Errorf("%s: %q is not in its snippets_test.go", dir, line)
		}
		if !strings.Contains(read(t, filepath.Join(dir, "doc.go")), "\n// Package "+filepath.Base(dir)+" ") {
			t.Errorf("%s has no documentation", dir)
		}
		if !strings.Contains(read(t, filepath.Join(dir, "example_test.go")), "\nfunc Example() {") {
			t.Errorf("%s has no example", dir)
		}
	}
}

// unindented is the code without indentation and empty lines.
func unindented(code string) string {
	var lines []string
	for line := range strings.Lines(code) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestPagesExist checks the links between the pages.
func TestPagesExist(t *testing.T) {
	pages := []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"}
	docs, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, page := range append(pages, docs...) {
		for _, match := range link.FindAllStringSubmatch(read(t, page), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), match[1])); err != nil {
				t.Errorf("%s links to %s: %v", page, match[1], err)
			}
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
