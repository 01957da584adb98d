// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestDocs runs the commands that docs/cli.md shows and compares what it says
// they print.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(testdata)
	blocks := regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	ran := 0
	for _, block := range blocks {
		prompt, want, _ := strings.Cut(block[1], "\n")
		line, ok := strings.CutPrefix(prompt, "$ revenium-otel ")
		if !ok {
			t.Errorf("block does not begin with a command: %s", prompt)
			continue
		}
		t.Run(line, func(t *testing.T) {
			if diff := cmp.Diff(want, documented(t, line)); diff != "" {
				t.Errorf("docs/cli.md says (-) and the command prints (+):\n%s", diff)
			}
		})
		ran++
	}
	if ran < 4 {
		t.Errorf("only %d commands in docs/cli.md: has its form changed?", ran)
	}
}

// documented runs a command line of the page, of which it knows "| jq ." and
// "; echo $?", and returns what a reader sees.
func documented(t *testing.T, line string) string {
	t.Helper()
	line, pretty := strings.CutSuffix(line, " | jq .")
	line, exitCode := strings.CutSuffix(line, "; echo $?")
	args := strings.Fields(line)
	ctx := t.Context()
	if args[0] == "sandbox" {
		stopped, cancel := context.WithCancel(ctx)
		cancel()
		ctx = stopped
		args = append(args, "--revenium-addr", "127.0.0.1:0", "--llm-addr", "127.0.0.1:0")
	}
	var screen bytes.Buffer
	code := Run(ctx, args, Streams{In: strings.NewReader(""), Out: &screen, Err: &screen})
	text := screen.String()
	switch {
	case args[0] == "sandbox":
		// The page has the default ports, and ends with the greeting.
		text = withDefaultPorts(text)
		text, _, _ = strings.Cut(text, "\n\nrequests ")
		text += "\n"
	case pretty:
		var out bytes.Buffer
		if err := json.Indent(&out, screen.Bytes(), "", "  "); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		text = out.String()
	}
	if exitCode {
		text += strconv.Itoa(code) + "\n"
	}
	return text
}

func withDefaultPorts(text string) string {
	for _, server := range []struct{ label, url string }{{"Revenium", "http://127.0.0.1:4100"}, {"LLM", "http://127.0.0.1:4101"}} {
		if m := regexp.MustCompile(`(?m)^` + server.label + ` +(\S+)`).FindStringSubmatch(text); m != nil {
			text = strings.ReplaceAll(text, m[1], server.url)
		}
	}
	return text
}

// TestFlagsAreOnThePage checks that docs/cli.md has every flag of every command, and
// no other.
func TestFlagsAreOnThePage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string]bool)
	for _, flag := range regexp.MustCompile(`--([a-z][a-z-]+)`).FindAllStringSubmatch(string(page), -1) {
		named[flag[1]] = true
	}
	exists := make(map[string]bool)
	commands := []*cobra.Command{newRoot(Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard})}
	for len(commands) > 0 {
		command := commands[0]
		commands = append(commands[1:], command.Commands()...)
		command.LocalFlags().VisitAll(func(flag *pflag.Flag) {
			exists[flag.Name] = true
			if !named[flag.Name] {
				t.Errorf("the page does not name --%s of %q", flag.Name, command.CommandPath())
			}
		})
	}
	for flag := range named {
		if !exists[flag] {
			t.Errorf("the page names --%s, which no command has", flag)
		}
	}
}
