// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

// Command peers measures how much of what was made arrives, and at what cost, when
// calls are metered by this module and by what a team would run otherwise: the SDK's
// batch processor and OTLP exporter, alone and with a Collector. All have their
// defaults. It prints tables in Markdown and judges nothing.
//
//	go run ./testing/bench/peers -scenarios B1,B4 -sides revenium,otlp
//
// Each side is an application in a process of its own, and a Collector where it has
// one. The service, in this process, is Revenium for ours and an OTLP backend that
// counts spans for the others, behind the same faults. It needs to be run from the
// root of the repository, whose Collector distribution it builds.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

func main() {
	if text, ok := os.LookupEnv(appVariable); ok {
		if err := runApplication(context.Background(), text, os.Stdin, os.Stdout); err != nil {
			log.Fatal(err)
		}
		return
	}
	var opts options
	flag.StringVar(&opts.scenarios, "scenarios", "", "names of scenarios to run, with commas; all by default")
	flag.StringVar(&opts.sides, "sides", "", "names of sides, likewise")
	flag.IntVar(&opts.compress, "compress", 10, "how many times faster than life outages pass and calls are made meanwhile")
	flag.IntVar(&opts.parallel, "parallel", 3, "sides of one scenario that run at a time, where processor time is not what is measured")
	flag.DurationVar(&opts.patience, "patience", 35*time.Second, "how long to wait, when the service is back, for something to arrive before the rest counts as lost; the Collector's exporters wait up to 30 s between attempts")
	flag.StringVar(&opts.collector, "collector", "", "the Collector distribution, if it is built already")
	output := flag.String("output", "", "write the tables to this file, too")
	flag.Parse()
	if err := run(context.Background(), opts, *output); err != nil {
		log.Fatal(err)
	}
}

type options struct {
	scenarios, sides   string
	compress, parallel int
	patience           time.Duration
	collector          string
}

func run(ctx context.Context, opts options, output string) error {
	chosen, err := choose(scenarios(), opts.scenarios, func(s scenario) string { return s.name })
	if err != nil {
		return err
	}
	chosenSides, err := choose(sides(), opts.sides, func(s side) string { return s.name })
	if err != nil {
		return err
	}
	if opts.compress < 1 || opts.parallel < 1 {
		return fmt.Errorf("-compress %d, -parallel %d: both must be at least 1", opts.compress, opts.parallel)
	}
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if opts.collector == "" {
		opts.collector = filepath.Join(dir, "otelcol-revenium")
		build := exec.CommandContext(ctx, "go", "build", "-o", opts.collector, "./cmd/otelcol-revenium") //nolint:gosec // a path of our own
		if text, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build the Collector (run this from the root of the repository): %w\n%s", err, text)
		}
	}
	if opts.collector, err = filepath.Abs(opts.collector); err != nil {
		return err
	}
	about := describeMachine(opts, time.Now())
	var results []result
	for _, s := range chosen {
		results = append(results, measureAll(ctx, opts, s, chosenSides, dir)...)
	}
	text := about + tables(results, chosenSides)
	fmt.Print(text)
	if output == "" {
		return nil
	}
	return os.WriteFile(output, []byte(text), 0o644) //nolint:gosec // figures that anybody may read
}

// measureAll runs a scenario on all sides to which it applies, in their order.
func measureAll(ctx context.Context, opts options, s scenario, sides []side, dir string) []result {
	results := make([]result, len(sides))
	atOnce := make(chan struct{}, opts.parallel)
	if s.alone {
		atOnce = make(chan struct{}, 1)
	}
	var runs sync.WaitGroup
	for i, side := range sides {
		results[i] = result{scenario: s.name, side: side.name}
		if s.applies != nil && !s.applies(&side) {
			results[i].skipped = true
			continue
		}
		runs.Go(func() {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			begin := time.Now()
			results[i].err = measure(ctx, opts, s, side, dir, &results[i])
			log.Printf("%s, %s: %s in %v", s.name, side.name, results[i].brief(), time.Since(begin).Round(100*time.Millisecond))
		})
	}
	runs.Wait()
	return results
}

// measure runs a scenario on one side.
func measure(ctx context.Context, opts options, s scenario, side side, dir string, into *result) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	t, err := newTrial(ctx, opts, side, filepath.Join(dir, s.name+"-"+side.name), into)
	if err != nil {
		return err
	}
	defer t.end()
	if err := s.run(ctx, t); err != nil {
		return err
	}
	t.account()
	return nil
}
