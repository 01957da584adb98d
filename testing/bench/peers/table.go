// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/revenium/revenium-otel-go/exporter"
)

// result is what became of the calls of a scenario on one side, and what that took.
type result struct {
	scenario, side string
	skipped        bool // the scenario does not apply
	done           bool
	err            error

	made      int
	delivered int // calls that arrived, each once
	kept      int // on disk, or among the dead letters
	repeated  int // calls that arrived once more; Revenium drops those

	goroutines, connections int
	memory, collectorMemory int64
	allocs, bytes, held     float64
	notes                   []string
	// report is the last one of our exporter.
	report *exporter.Report
}

// say adds something to be read beside the figures.
func (r *result) say(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// lost is what is in nobody's hands.
func (r *result) lost() int { return max(r.made-r.delivered-r.kept, 0) }

// share is how much of what was made arrived or is kept, in percent, never rounded up
// to all.
func (r *result) share() string {
	switch safe := r.delivered + r.kept; {
	case r.made == 0:
		return "–"
	case safe >= r.made:
		return "100 %"
	default:
		return fmt.Sprintf("%.1f %%", float64(1000*safe/r.made)/10)
	}
}

// brief is the result in a line of the log.
func (r *result) brief() string {
	switch {
	case r.err != nil:
		return "failed: " + r.err.Error()
	default:
		return fmt.Sprintf("%d of %d delivered, %d kept, %d lost; %s", r.delivered, r.made, r.kept, r.lost(), strings.Join(r.notes, "; "))
	}
}

// cell is the result in the table of all sides.
func (r *result) cell() string {
	switch {
	case r.skipped:
		return "–"
	case !r.done:
		return "failed"
	default:
		return r.share()
	}
}

// tables are the results in Markdown: one of all sides, and one of all figures.
func tables(results []result, sides []side) string {
	var b strings.Builder
	b.WriteString("| |")
	for _, s := range sides {
		fmt.Fprintf(&b, " %s |", s.title)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(sides)) + "\n")
	for i := 0; i < len(results); i += len(sides) {
		fmt.Fprintf(&b, "| **%s** %s |", results[i].scenario, titleOf(results[i].scenario))
		for j := range sides {
			fmt.Fprintf(&b, " %s |", results[i+j].cell())
		}
		b.WriteString("\n")
	}
	b.WriteString("\n| | side | made | delivered | kept | lost | repeated | goroutines | connections | MiB | allocations | KB | |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for i := range results {
		if r := &results[i]; !r.skipped {
			b.WriteString(r.line())
		}
	}
	return b.String()
}

// line is the result in the table of all figures.
func (r *result) line() string {
	if !r.done {
		return fmt.Sprintf("| %s | %s | | | | | | | | | | | failed: %v |\n", r.scenario, r.side, r.err)
	}
	memory := strconv.FormatInt(r.memory>>20, 10)
	if r.collectorMemory > 0 {
		memory += fmt.Sprintf(" + %d", r.collectorMemory>>20)
	}
	allocs, kb := "", ""
	if r.allocs > 0 {
		allocs, kb = fmt.Sprintf("%.0f", r.allocs), fmt.Sprintf("%.1f", r.bytes/1024)
	}
	return fmt.Sprintf("| %s | %s | %d | %d | %d | %d | %d | %d | %d | %s | %s | %s | %s |\n", r.scenario, r.side,
		r.made, r.delivered, r.kept, r.lost(), r.repeated, r.goroutines, r.connections, memory, allocs, kb, strings.Join(r.notes, "; "))
}

func titleOf(name string) string {
	for _, s := range scenarios() {
		if s.name == name {
			return s.title
		}
	}
	return ""
}

// describeMachine says where, when and of what the figures are.
func describeMachine(opts options, now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s/%s, %d CPUs, %s", now.UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			switch m.Path {
			case "go.opentelemetry.io/otel/sdk", "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp":
				fmt.Fprintf(&b, ", %s %s", m.Path[strings.LastIndex(m.Path, "/")+1:], m.Version)
			}
		}
	}
	fmt.Fprintf(&b, ", Collector %s, -compress %d.\n\n", collectorVersion, opts.compress)
	return b.String()
}

// collectorVersion is that of cmd/otelcol-revenium; a test compares it.
const collectorVersion = "v0.165.0"
