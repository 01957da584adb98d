// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/revenium/revenium-otel-go/tools/semconvgen/internal/registry"
	"github.com/revenium/revenium-otel-go/tools/semconvgen/internal/render"
)

// modelFolder is where the model is, relative to the root of the repository.
const modelFolder = "semconv/model"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit code: 0, 1 when the model is wrong or, with -check, a file
// is stale, and 2 when the arguments are wrong.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("semconvgen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	root := flags.String("root", ".", "`folder` of the repository")
	check := flags.Bool("check", false, "write nothing; name the files that are stale and exit with 1 if there are any")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "Usage: semconvgen [-root folder] [-check]")
		fmt.Fprintf(stderr, "\nWrites the Go files of semconv and docs/attributes.md from %s.\n\n", modelFolder)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "semconvgen: unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	stale, err := generate(*root, *check, stdout)
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "semconvgen: %v\n", err)
		return 1
	case stale:
		fmt.Fprintln(stderr, "semconvgen: generated files are stale: run make generate")
		return 1
	default:
		return 0
	}
}

// generate writes what has changed and names it. With check it only names it and
// reports whether there was any.
func generate(root string, check bool, stdout io.Writer) (stale bool, err error) {
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(modelFolder))); err != nil {
		return false, fmt.Errorf("no model: %w; run from the root of the repository or set -root", err)
	}
	reg, err := registry.Load(os.DirFS(root), modelFolder)
	if err != nil {
		return false, err
	}
	files, err := render.Files(reg)
	if err != nil {
		return false, err
	}
	for _, f := range files {
		path := filepath.Join(root, filepath.FromSlash(f.Path))
		present, err := os.ReadFile(path) //nolint:gosec // the paths are our own, beneath the folder that the user named
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		if err == nil && bytes.Equal(present, f.Content) {
			continue
		}
		fmt.Fprintln(stdout, f.Path)
		if check {
			stale = true
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // a source folder is for everyone to read
			return false, err
		}
		if err := os.WriteFile(path, f.Content, 0o644); err != nil { //nolint:gosec // so are source files
			return false, err
		}
	}
	return stale, nil
}
