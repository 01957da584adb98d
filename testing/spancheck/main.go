// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Command spancheck runs exported spans of many instrumentations through the
// converter and checks what is billed for them:
//
//	go run ./testing/spancheck testing/spancheck/testdata
//	go run ./testing/spancheck --check testing/spancheck/testdata
//
// An index (index.jsonl) lists the cases: the OTLP export requests of each in
// the order of their arrival, and the calls that somebody has worked out by
// hand. All requests of a case go to one converter, which settles at the end.
// One line of JSON per case says which records would be sent. With --check they
// are compared with what the case expects, and the exit code is 1 when anything
// differs.
//
// The format of an index is described in README.md.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/pflag"
)

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(command(os.Args[1:], os.Stdout, os.Stderr)) }

// settings are the command's flags.
type settings struct {
	check    bool
	json     bool
	dialects []string
	names    []string
}

// command runs the command line and returns the exit code.
func command(args []string, stdout, stderr io.Writer) int {
	var s settings
	flags := pflag.NewFlagSet("spancheck", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&s.check, "check", false, "compare with what the cases expect, print what differs")
	flags.BoolVar(&s.json, "json", false, "with --check: print the JSON lines too")
	flags.StringSliceVar(&s.dialects, "dialect", nil, "only cases of these dialects, as the index names them")
	flags.StringSliceVar(&s.names, "name", nil, "only the cases of these names")
	flags.Usage = func() {
		fmt.Fprintf(stderr, "Usage: spancheck [flags] INDEX.jsonl|DIRECTORY...\n\nFlags:\n%s", flags.FlagUsages())
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "spancheck: %v\n", err)
		return exitUsage
	case flags.NArg() == 0:
		flags.Usage()
		return exitUsage
	}
	passed, failed, err := s.run(flags.Args(), stdout, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "spancheck: %v\n", err)
		return exitFailed
	}
	if s.check {
		if _, err := fmt.Fprintf(stdout, "%d passed, %d failed\n", passed, failed); err != nil {
			return exitFailed
		}
	}
	// A check of nothing is no success.
	if failed > 0 || s.check && passed == 0 {
		return exitFailed
	}
	return exitOK
}

// run runs the cases of the indexes in turn. The error is one of writing or of an
// index; a case that cannot be read or run is told and counts as failed.
func (s settings) run(indexes []string, stdout, stderr io.Writer) (passed, failed int, err error) {
	for _, index := range indexes {
		cases, err := loadIndex(index)
		if err != nil {
			return passed, failed, err
		}
		for i := range cases {
			c := &cases[i]
			if !s.chosen(c) {
				continue
			}
			ok, err := s.one(c, stdout, stderr)
			if err != nil {
				return passed, failed, err
			}
			if ok {
				passed++
			} else {
				failed++
			}
		}
	}
	return passed, failed, nil
}

func (s settings) chosen(c *testCase) bool {
	return (len(s.dialects) == 0 || slices.Contains(s.dialects, c.Dialect)) &&
		(len(s.names) == 0 || slices.Contains(s.names, c.Name))
}

// one runs one case and prints about it what was asked for. The error is one of
// writing.
func (s settings) one(c *testCase, stdout, stderr io.Writer) (bool, error) {
	var problems []string
	got, err := convertCase(c)
	switch {
	case err != nil:
		problems = append(problems, err.Error())
	case s.check:
		problems = compare(got, c)
	}
	var out, complaints bytes.Buffer
	if !s.check || s.json {
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(got); err != nil {
			return false, err
		}
	}
	if len(problems) > 0 {
		fmt.Fprintf(&complaints, "FAIL %s (%s)\n", c.Name, c.Dialect)
		for _, p := range problems {
			fmt.Fprintf(&complaints, "  %s\n", p)
		}
	}
	// Lines of JSON stay free of anything else.
	to := stderr
	if s.check {
		to = stdout
	}
	if _, err := stdout.Write(out.Bytes()); err != nil {
		return false, err
	}
	_, err = to.Write(complaints.Bytes())
	return len(problems) == 0, err
}
