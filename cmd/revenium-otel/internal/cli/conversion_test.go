// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// optionsOfConvert are the options that package convert has.
func optionsOfConvert(tb testing.TB, dir string) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("%d files in %s, %v", len(files), dir, err)
	}
	var options []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (With\w+)\(.*\) Option \{`).FindAllStringSubmatch(string(source), -1) {
			options = append(options, m[1])
		}
	}
	if len(options) < 30 {
		tb.Fatalf("only %d options found: the pattern of this test does not fit", len(options))
	}
	return options
}

// TestOptionsHaveFlags checks that whatever the conversion can be told, a flag of
// preview can say.
func TestOptionsHaveFlags(t *testing.T) {
	without := map[string]string{
		"WithInProcess":         "spans come from files",
		"WithoutContentCapture": "it is off by default, and no environment is read",
		"WithContentRedaction":  "a hook is code",
		"WithJournal":           "there is no restart",
		"WithSources":           "it is always on, for --explain",
		"WithClock":             "for tests",
		"WithTransform":         "a hook is code",
		"WithSettleWindow":      "no time passes",
	}
	source := ""
	for _, file := range []string{"conversion.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source += string(text)
	}
	for _, option := range optionsOfConvert(t, filepath.Join("..", "..", "..", "..", "exporter", "convert")) {
		used := regexp.MustCompile(`convert\.` + option + `\b`).MatchString(source)
		if _, excused := without[option]; used == excused {
			t.Errorf("convert.%s: used %v, left out %v: it needs a flag, or a reason for having none", option, used, excused)
		}
	}
}
