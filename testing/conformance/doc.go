// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package conformance holds the cases of docs/attribution.md as JSON, for this
// project and for those who follow the same rules in other languages, and the tests
// that run them. The README says how the files are read.
package conformance
