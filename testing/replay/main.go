// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Command replay runs recorded exchanges with LLM providers through the
// instrumented transport and the converter, and shows what comes out:
//
//	go run ./testing/replay testing/replay/testdata/*.json
//	go run ./testing/replay --check ../recordings
//
// Each recorded response is served from a loopback server, with its status,
// headers, bytes and streaming framing; its request is sent with the recorded
// URL, whose host tells the provider, and the answer is read as a client reads
// it. One line of JSON per case says how the call was understood and which
// record would be sent for it. With --check the outcome is compared with what
// the case expects, and the exit code is 1 when anything differs.
//
// The format of a case is described in README.md.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/spf13/pflag"
)

// caseTimeout ends a case that hangs; the recorded bytes come at full speed.
const caseTimeout = 30 * time.Second

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// settings are the command's flags.
type settings struct {
	check bool
	json  bool
	apis  []string
	names []string
}

// command runs the command line and returns the exit code.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var s settings
	flags := pflag.NewFlagSet("replay", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&s.check, "check", false, "compare with what the cases expect, print what differs")
	flags.BoolVar(&s.json, "json", false, "with --check: print the JSON lines too")
	flags.StringSliceVar(&s.apis, "api", nil, "only cases of these APIs, for example openai.chat,openai.embeddings")
	flags.StringSliceVar(&s.names, "name", nil, "only the cases of these names")
	flags.Usage = func() {
		fmt.Fprintf(stderr, "Usage: replay [flags] FILE|INDEX.jsonl|DIRECTORY...\n\nFlags:\n%s", flags.FlagUsages())
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "replay: %v\n", err)
		return exitUsage
	case flags.NArg() == 0:
		flags.Usage()
		return exitUsage
	}
	paths, err := casePaths(flags.Args())
	if err != nil {
		fmt.Fprintf(stderr, "replay: %v\n", err)
	}
	passed, failed, runErr := s.replay(ctx, paths, stdout, stderr)
	if runErr != nil {
		fmt.Fprintf(stderr, "replay: %v\n", runErr)
		return exitFailed
	}
	if s.check {
		if _, err := fmt.Fprintf(stdout, "%d passed, %d failed\n", passed, failed); err != nil {
			return exitFailed
		}
	}
	// A check of nothing is no success.
	if err != nil || failed > 0 || s.check && passed == 0 {
		return exitFailed
	}
	return exitOK
}

// replay runs the cases in turn. The error is one of writing; a case that cannot
// be read or run is told on stderr and counts as failed.
func (s settings) replay(ctx context.Context, paths []string, stdout, stderr io.Writer) (passed, failed int, err error) {
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return passed, failed, err
		}
		rec, err := loadRecording(path)
		if err != nil {
			fmt.Fprintf(stderr, "replay: %v\n", err)
			failed++
			continue
		}
		if !s.chosen(rec) {
			continue
		}
		ok, err := s.one(ctx, rec, stdout, stderr)
		if err != nil {
			return passed, failed, err
		}
		if ok {
			passed++
		} else {
			failed++
		}
	}
	return passed, failed, nil
}

func (s settings) chosen(rec *recording) bool {
	return (len(s.apis) == 0 || slices.Contains(s.apis, rec.expectation("api"))) &&
		(len(s.names) == 0 || slices.Contains(s.names, rec.Name))
}

// one runs one case and prints about it what was asked for. The error is one of
// writing.
func (s settings) one(ctx context.Context, rec *recording, stdout, stderr io.Writer) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, caseTimeout)
	defer cancel()
	got, diffs, err := run(ctx, rec)
	if err != nil {
		diffs = append(diffs, difference{Field: "replay", Got: err.Error(), Want: "no error"})
	} else if s.check {
		more, err := compare(got, rec)
		diffs = append(diffs, more...)
		if err != nil {
			diffs = append(diffs, difference{Field: "check", Got: err.Error(), Want: "no error"})
		}
	}
	var out, complaints bytes.Buffer
	if !s.check || s.json {
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false) // the record is printed byte by byte
		if err := enc.Encode(got); err != nil {
			return false, err
		}
	}
	if len(diffs) > 0 {
		fmt.Fprintf(&complaints, "FAIL %s (%s)\n", rec.Name, rec.expectation("api"))
		for _, d := range diffs {
			fmt.Fprintf(&complaints, "  %s\n", d)
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
	return len(diffs) == 0, err
}
