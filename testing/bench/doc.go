// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package bench holds the benchmarks whose figures stand in docs/benchmarks.md:
// what metering costs at the end of a span and around an LLM call, how fast
// records are delivered compared with a bare HTTP loop, and what an outage or a
// burst does to memory, goroutines and connections. Run them with "make bench".
//
// Each benchmark reports what it compares in one run; none asserts a time.
package bench
