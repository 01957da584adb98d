// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"time"

	"github.com/revenium/revenium-otel-go/exporter"
)

// appConfig says what an application is to be. It goes to the child process through
// its environment.
type appConfig struct {
	Pipeline string
	// URL is where the pipeline sends to: the service, or the Collector.
	URL string
	// Service is the URL of the service, whatever is between.
	Service string
	// Spool is the directory of the spool, if the pipeline has one.
	Spool string
	// Ratio is the share of traces that head sampling keeps.
	Ratio float64
	// Tenants has the pipeline take the tenant of each call from an attribute.
	Tenants bool
}

// command is an order to an application, one line of JSON on its standard input.
type command struct {
	Do string
	// N calls are made, Rate a second (0 = as fast as it goes), from number First on.
	N, First, Rate int
	// Burst makes all of them before the first one ends, and counts what ending them
	// costs until they have arrived.
	Burst bool
	// Tenant is that of the calls; Rejected is the number of one whose record the
	// service refuses, if it is not 0.
	Tenant   string
	Rejected int
	Within   time.Duration
}

// reply is what an application answers, one line of JSON on its standard output.
type reply struct {
	Error string
	Took  time.Duration
	// Report is that of our exporter; nil on other sides.
	Report *exporter.Report
	// Goroutines is the most that there were above those before the pipeline was made.
	Goroutines int
	// Allocs, Bytes and Held are those of a burst for each call.
	Allocs, Bytes, Held float64
	// P50 and P99 are latencies that were added to a call.
	P50, P99 time.Duration
	// Rate is requests a second of a bare loop.
	Rate float64
}
